"""Which clinics are near one another, by the table of ways (`ways`)."""

from collections.abc import Iterable

from clinic.errors import RuleBroken
from locations import ways
from locations.models import Location

FURTHEST = ways.LONGEST


def within(minutes: int, near: Location, among: Iterable[Location]) -> list[Location]:
    """The location itself and those that can be reached from it in so many minutes; of `among`, in their order."""
    if not 0 <= minutes <= FURTHEST:
        message = f"Give 0 to {FURTHEST} minutes."
        raise RuleBroken(message, code="invalid", fields={"within": message}, status=400)
    known = ways.read()
    return [place for place in among if known.between(near.pk, place.pk) <= minutes]
