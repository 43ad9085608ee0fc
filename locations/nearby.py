"""Which clinics are near one another, by the table of ways; a pair that is not in the table is not near."""

from collections.abc import Iterable

from django.db.models import Q

from clinic.errors import RuleBroken
from locations.models import Location, TravelTime

FURTHEST = 600  # minutes


def within(minutes: int, near: Location, among: Iterable[Location]) -> list[Location]:
    """The location itself and those that can be reached from it in so many minutes; of `among`, in their order."""
    if not 0 <= minutes <= FURTHEST:
        message = f"Give 0 to {FURTHEST} minutes."
        raise RuleBroken(message, code="invalid", fields={"within": message}, status=400)
    ways = TravelTime.objects.filter(Q(origin=near) | Q(destination=near), minutes__lte=minutes)
    reached = {place for pair in ways.values_list("origin", "destination") for place in pair} | {near.pk}
    return [place for place in among if place.pk in reached]
