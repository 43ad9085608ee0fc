"""Times held for somebody end when a visit is booked too near for the way, by who was told of them."""

from appointments.models import Hold
from appointments.waiting import freed_time
from clinic import audit
from clinic.models import User


def tell(holds: list[Hold], by: User) -> list[int]:
    """The ids of the rows to delete, whose offers `offers.settle` ends; nobody accepts a time that nobody can keep."""
    for hold in holds:
        for offer in hold.offers.filter(answer="").select_related("entry"):
            audit.record("waitlist.withdrawn", on=offer.entry, by=by, offer=offer.pk, why="travel")
    if holds:
        freed_time.tell()
    return [hold.pk for hold in holds]
