"""Nobody is due at two clinics at once when one opens again, for good or because a closure of some days is taken back.

Packages above register what they know of working hours, from `apps.py`. Whoever opens a clinic says so last, in the
same transaction and after `hold_hours`: while it was closed, hours elsewhere were nobody's business.
"""

from collections.abc import Callable, Iterable
from datetime import date

from locations import standstill
from locations.models import Location, Practitioner

_checkers: list[Callable] = []


def add(checker: Callable) -> None:
    """`checker(location, begin=, end=, field=)` raises RuleBroken naming who would be there and elsewhere at once on
    these days of the location; without them, ever."""
    _checkers.append(checker)


def hold_hours() -> None:
    """Let nobody write hours until COMMIT: of everybody, since who has none here may be getting them just now."""
    standstill.stand_still(Practitioner.objects.all())


def refuse_meeting(
    locations: Iterable[Location], *, field: str, begin: date | None = None, end: date | None = None
) -> None:
    """Raises RuleBroken (`overlapping_hours`)."""
    for place in locations:
        for checker in _checkers:
            checker(place, begin=begin, end=end, field=field)
