"""How long the way between two clinics takes: the one answer, for free times, for bookings and for what is near.

Nobody is planned across a way that nobody knows: a pair that is not in the table counts as half a day, longer than any
way that can be entered. So it is near to nothing, and a practitioner with a visit at the one can be booked at the other
not before the next day; who may override travel still can, with a reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from clinic import plain_sql
from locations.models import Location, TravelTime

LONGEST = 600  # minutes that can be entered
UNKNOWN = 720  # minutes of a way that was not

_ALL = """
    SELECT origin_id, destination_id, minutes FROM locations_traveltime
UNION ALL
    SELECT NULL, NULL, count(*) FROM locations_location
"""


@dataclass(frozen=True)
class Ways:
    """The whole table, by the ids of two clinics, both ways; `longest` is what any two of them may take."""

    minutes: dict[tuple[int, int], int]
    longest: int

    def between(self, one: int, other: int) -> int:
        return 0 if one == other else self.minutes.get((one, other), UNKNOWN)

    def knows(self, one: int, other: int) -> bool:
        return one == other or (one, other) in self.minutes


def read() -> Ways:
    """One query."""
    table, longest, places = {}, 0, 0
    for one, other, minutes in plain_sql.rows(_ALL):
        if one is None:
            places = minutes
        else:
            table[one, other] = table[other, one] = minutes
            longest = max(longest, minutes)
    is_complete = len(table) == places * (places - 1)
    return Ways(table, longest if is_complete else UNKNOWN)


def missing(mine: Iterable[Location]) -> list[tuple[Location, Location]]:
    """Pairs of open clinics, at least one of them `mine`, that nobody entered a way for; by name, mine first."""
    places, ids = list(Location.objects.filter(is_open=True)), {place.pk for place in mine}
    known = set(TravelTime.objects.values_list("origin", "destination"))
    found = [
        (one, other) if one.pk in ids else (other, one)
        for one, other in combinations(places, 2)
        if not {(one.pk, other.pk), (other.pk, one.pk)} & known and ids & {one.pk, other.pk}
    ]
    return sorted(found, key=lambda pair: (pair[0].name, pair[1].name))
