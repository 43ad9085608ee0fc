"""What takes up the time of practitioners, rooms and patients: who is locked while it is decided, and what is open.

Everything is read in whole minutes since 1970 (UTC) and one query for each table, whatever the number of
practitioners, locations and days.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from appointments.intervals import Interval, Intervals, overlaps, subtraction, union
from appointments.models import Appointment
from clinic import locks, plain_sql, times
from clinic.errors import RuleBroken
from locations import standstill
from locations.models import Location, Practitioner, Room
from locations.ways import Ways

LONGEST = 1440  # no visit is longer, buffers included: how far before a span its neighbours can start


def lock(*, practitioners: Iterable = (), rooms: Iterable = (), patients: Iterable = ()) -> None:
    """Hold these calendars until COMMIT; read what you decide on afterwards. Safe to repeat.

    After `keep_open` of the location, never before it.
    """
    locks.hold((locks.PRACTITIONER, practitioners), (locks.ROOM, rooms), (locks.PATIENT, patients))


_ROOMS = """
    SELECT location_id, id FROM locations_room WHERE location_id IN ({here}) AND kind = %s AND is_open ORDER BY name, id
"""
# All that is taken in one statement; absences first, since SQLite reads instants by the columns of the first part.
_TAKEN = """
    SELECT practitioner_id, NULL, NULL, NULL, NULL, NULL, starts_at, ends_at FROM appointments_timeoff
    WHERE practitioner_id IN ({who}) AND starts_at < %s AND ends_at > %s
UNION ALL
    SELECT practitioner_id, room_id, location_id, busy_from, busy_until, CASE WHEN status = 'held' THEN id END,
        NULL, held_until
    FROM appointments_appointment
    WHERE (practitioner_id IN ({who}) OR room_id IN ({rooms})) AND status NOT IN ('cancelled', 'no_show')
        AND busy_from < %s AND busy_from > %s AND busy_until > %s AND id NOT IN ({without})
UNION ALL
    SELECT patient_id, NULL, NULL, start_minute, end_minute, NULL, NULL, NULL FROM appointments_appointment
    WHERE patient_id IN ({patients}) AND status NOT IN ('cancelled', 'no_show')
        AND start_minute < %s AND start_minute > %s AND end_minute > %s AND id NOT IN ({without})
"""


class Taken:
    """What is already taken in a span of minutes: visits with their buffers, by practitioner (with the place) and by
    room, those of patients without, and time off. All in minutes.
    """

    def __init__(
        self,
        start: int,
        end: int,
        *,
        practitioners: Collection[int],
        rooms: Collection[int],
        patients: Iterable[int] = (),
        without: Iterable[Appointment] = (),
    ):
        """One query. Times held for somebody are taken too; `without` leaves appointments out: those being moved."""
        self.by_practitioner: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self.by_room: dict[int, list[Interval]] = defaultdict(list)
        self.by_patient: dict[int, list[Interval]] = defaultdict(list)
        self.held: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # of these the holds, with their ids
        self.run_out: list[tuple[int, int, int, int, int]] = []  # holds too, which take nothing any more
        self.time_off: dict[int, list[Interval]] = defaultdict(list)
        rooms, now = set(rooms), times.now()
        people, people_ = plain_sql.marks(practitioners)
        here, here_ = plain_sql.marks(rooms)
        whom, whom_ = plain_sql.marks(patients)
        moved, moved_ = plain_sql.marks([0, *(visit.pk for visit in without)])
        span = end, start - LONGEST, start
        values = (
            *people_, times.from_minute(end), times.from_minute(start),
            *people_, *here_, *span, *moved_,
            *whom_, *span, *moved_,
        )  # fmt: skip
        statement = _TAKEN.format(who=people, rooms=here, patients=whom, without=moved)
        for who, room, place, a, b, hold, since, until in plain_sql.rows(statement, *values):
            if a is None:
                self.time_off[who].append((_minute(since), _minute(until)))
            elif place is None:
                self.by_patient[who].append((a, b))
            elif hold and plain_sql.instant(until) <= now:
                self.run_out.append((hold, who, room, a, b))
            else:
                self.by_practitioner[who].append((a, b, place))
                if hold:
                    self.held[who].append((a, b, hold))
                if room in rooms:
                    self.by_room[room].append((a, b))

    def in_the_way(self, practitioner: Practitioner, room: Room | None, span: Interval) -> list[int]:
        """Of the holds which ran out, those that the practitioner or the room had then."""
        return [
            hold
            for hold, who, where, a, b in self.run_out
            if (who == practitioner.pk or (room and where == room.pk)) and overlaps([(a, b)], *span)
        ]

    def of_practitioner(self, practitioner_id: int, location_id: int, ways: Ways) -> Iterator[Interval]:
        """When the practitioner cannot be at the location: visits anywhere, with the way from and to the others."""
        for a, b, place in self.by_practitioner.get(practitioner_id, ()):
            way = ways.between(place, location_id) if place != location_id else 0
            yield a - way, b + way

    def at_work(self, practitioner_id: int, working: Intervals) -> Intervals:
        return subtraction(working, union(self.time_off.get(practitioner_id, ())))


def _minute(edge: datetime) -> int:
    return times.to_minute(plain_sql.instant(edge))


def room_ids(locations: Iterable[int], kind: str) -> dict[int, list[int]]:
    """The open rooms of a kind by location."""
    found = defaultdict(list)
    here, values = plain_sql.marks(locations)
    for location_id, room_id in plain_sql.rows(_ROOMS.format(here=here), *values, kind):
        found[location_id].append(room_id)
    return found


def keep_open(places: Iterable[Location], kinds: Iterable[str]) -> dict[tuple[int, str], list[Room]]:
    """Let nobody close these clinics, a day or a room of theirs, until COMMIT; the open rooms by clinic and kind.

    The clinics were read before: RuleBroken where one has been closed for good or changed its zone meanwhile.
    """
    known = {place.pk: place for place in places}
    if not known:  # a series of which nothing is placed yet
        return {}
    standstill.keep_open(known.values())
    kinds, found = sorted(set(kinds)), defaultdict(list)
    here, values = plain_sql.marks(known)
    statement = _OPEN.format(here=here, kinds=", ".join(["%s"] * len(kinds)))
    for pk, is_open, time_zone, room, name, kind in plain_sql.rows(statement, *kinds, *values):
        place = known[pk]
        if (bool(is_open), time_zone) != (place.is_open, place.time_zone):
            raise RuleBroken(f"{place} was changed a moment ago. Look again.", code="location_changed")
        if room:
            found[pk, kind].append(Room(id=room, location=place, name=name, kind=kind, is_open=True))
    return found


_OPEN = """
    SELECT l.id, l.is_open, time_zone, r.id, r.name, kind
    FROM locations_location l
        LEFT JOIN locations_room r ON r.location_id = l.id AND r.is_open AND kind IN ({kinds})
    WHERE l.id IN ({here}) ORDER BY r.name, r.id
"""


def rooms_by_location(locations: Iterable[int], kind: str) -> dict[int, list[Room]]:
    found = defaultdict(list)
    rooms = Room.objects.filter(location__in=list(locations), kind=kind, is_open=True)
    for room in rooms.order_by("name", "pk"):
        found[room.location_id].append(room)
    return found
