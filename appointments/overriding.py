"""What of the rules of a booking an authorised person may go against, with a reason that is kept. Reads only."""

from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import checked_reason
from locations import access
from locations.models import Location, Practitioner

MOST = 500  # characters of a reason
FIELD = "override_reason"


def may_override(by: User | None, practitioner: Practitioner, location: Location) -> bool:
    """A manager at the location, or the practitioner about their own calendar there."""
    if by is None or not access.can(by, "appointment.override", location):
        return False
    roles = {role for role, place in access.held(by) if place in (None, location.pk)}
    return access.MANAGER in roles or practitioner.user_id == by.pk


def checked(reason: str) -> str:
    """The reason of an override. Raises RuleBroken `invalid` naming the field where there is none that can be kept."""
    try:
        return checked_reason(reason, needed="Say why: it is kept with each visit against the rules.", most=MOST)
    except RuleBroken as refused:
        raise RuleBroken(refused.message, code=refused.code, fields={FIELD: refused.message}, status=400) from None
