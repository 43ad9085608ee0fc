"""What takes up the time of practitioners, rooms and patients: who is locked while it is decided, and what is open.

Everything is read in whole minutes since 1970 (UTC) and one query for each table, whatever the number of
practitioners, locations and days.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from appointments.intervals import Interval, Intervals, subtraction, union
from appointments.models import Appointment
from clinic import locks, plain_sql, times
from locations.models import Room
from locations.ways import Ways

LONGEST = 1440  # no visit is longer, buffers included: how far before a span its neighbours can start


def lock(*, practitioners: Iterable = (), rooms: Iterable = (), patients: Iterable = ()) -> None:
    """Hold these calendars until COMMIT; read what you decide on afterwards. Safe to repeat.

    After `standstill.keep_open` of the location, never before it.
    """
    locks.hold((locks.PRACTITIONER, practitioners), (locks.ROOM, rooms), (locks.PATIENT, patients))


_ROOMS = """
    SELECT location_id, id FROM locations_room WHERE location_id IN ({here}) AND kind = %s AND is_open ORDER BY name, id
"""
_TAKEN = """
    SELECT practitioner_id, room_id, location_id, busy_from, busy_until, CASE WHEN status = 'held' THEN id END
    FROM appointments_appointment
    WHERE (practitioner_id IN ({who}) OR room_id IN ({rooms})) AND status NOT IN ('cancelled', 'no_show')
        AND (status <> 'held' OR held_until > %s)
        AND busy_from < %s AND busy_from > %s AND busy_until > %s AND id NOT IN ({without})
"""
_AWAY = """
    SELECT practitioner_id, starts_at, ends_at FROM appointments_timeoff
    WHERE practitioner_id IN ({who}) AND starts_at < %s AND ends_at > %s
"""


class Taken:
    """What is already taken in a span of minutes: visits with their buffers, by practitioner (with the place) and by
    room, and time off. All in minutes.
    """

    def __init__(
        self,
        start: int,
        end: int,
        *,
        practitioners: Collection[int],
        rooms: Collection[int],
        without: Iterable[Appointment] = (),
    ):
        """Two queries. Times held for somebody are taken too; `without` leaves appointments out: those being moved."""
        self.by_practitioner: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self.by_room: dict[int, list[Interval]] = defaultdict(list)
        self.held: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # of these the holds, with their ids
        self.time_off: dict[int, list[Interval]] = defaultdict(list)
        rooms, who = set(rooms), plain_sql.ids(practitioners)
        left_out = plain_sql.ids([0, *(visit.pk for visit in without)])
        statement = _TAKEN.format(who=who, rooms=plain_sql.ids(rooms), without=left_out)
        for person, room, place, a, b, hold in plain_sql.rows(statement, times.now(), end, start - LONGEST, start):
            self.by_practitioner[person].append((a, b, place))
            if hold:
                self.held[person].append((a, b, hold))
            if room in rooms:
                self.by_room[room].append((a, b))
        span = times.from_minute(end), times.from_minute(start)
        for person, starts_at, ends_at in plain_sql.rows(_AWAY.format(who=who), *span):
            away = (times.to_minute(plain_sql.instant(edge)) for edge in (starts_at, ends_at))
            self.time_off[person].append(tuple(away))

    def of_practitioner(self, practitioner_id: int, location_id: int, ways: Ways) -> Iterator[Interval]:
        """When the practitioner cannot be at the location: visits anywhere, with the way from and to the others."""
        for a, b, place in self.by_practitioner.get(practitioner_id, ()):
            way = ways.between(place, location_id) if place != location_id else 0
            yield a - way, b + way

    def at_work(self, practitioner_id: int, working: Intervals) -> Intervals:
        return subtraction(working, union(self.time_off.get(practitioner_id, ())))


def room_ids(locations: Iterable[int], kind: str) -> dict[int, list[int]]:
    """The open rooms of a kind by location."""
    found = defaultdict(list)
    for location_id, room_id in plain_sql.rows(_ROOMS.format(here=plain_sql.ids(locations)), kind):
        found[location_id].append(room_id)
    return found


def rooms_by_location(locations: Iterable[int], kind: str) -> dict[int, list[Room]]:
    found = defaultdict(list)
    rooms = Room.objects.filter(location__in=list(locations), kind=kind, is_open=True)
    for room in rooms.order_by("name", "pk"):
        found[room.location_id].append(room)
    return found
