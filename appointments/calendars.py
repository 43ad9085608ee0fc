"""What takes up the time of practitioners, rooms and patients: who is locked while it is decided, and what is open.

Everything is read in whole minutes since 1970 (UTC) and one query for each table, whatever the number of
practitioners, locations and days.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from django.db import connection, transaction
from django.db.models import Q

from appointments.intervals import Intervals, intersection, subtraction, union
from appointments.models import Appointment, ExtraHours, TimeOff, WeeklyHours
from clinic import times
from locations.models import Closure, Location, OpeningHours, Practitioner, Room, TravelTime

# The first of the two numbers of an advisory lock: which kind of calendar the second one is about.
_PRACTITIONER, _ROOM, _PATIENT = 7101, 7102, 7103
LONGEST = 1440  # no visit is longer, buffers included: how far before a span its neighbours can start


def lock(*, practitioners: Iterable = (), rooms: Iterable = (), patients: Iterable = ()) -> None:
    """Hold these calendars until COMMIT; read what you decide on afterwards. Safe to repeat.

    Always in one order, so that two bookings never wait for each other. SQLite has nothing to lock: there every
    transaction is IMMEDIATE and so the only writer.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("calendars.lock() needs a transaction to hold the locks.")
    if connection.vendor != "postgresql":
        return
    keys = sorted(
        {
            (kind, one.pk)
            for kind, many in ((_PRACTITIONER, practitioners), (_ROOM, rooms), (_PATIENT, patients))
            for one in many
        }
    )
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", key)


def travel_minutes() -> dict[tuple[int, int], int]:
    """Minutes between two locations by their ids, both ways; a pair that is not in the table takes none."""
    table = {}
    for origin, destination, minutes in TravelTime.objects.values_list("origin_id", "destination_id", "minutes"):
        table[origin, destination] = table[destination, origin] = minutes
    return table


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _minutes(day: date, starts: time, ends: time, ends_next_day: bool, zone: str) -> tuple[int, int]:
    last = day + timedelta(days=1) if ends_next_day else day
    return times.to_minute(times.instant(day, starts, zone)), times.to_minute(times.instant(last, ends, zone))


def applies(hours: WeeklyHours, day: date) -> bool:
    """Whether weekly hours start on that local day: its weekday, between their dates, in one of their weeks."""
    if hours.weekday != day.weekday():
        return False
    if (hours.valid_from and day < hours.valid_from) or (hours.valid_until and day > hours.valid_until):
        return False
    if hours.every_weeks == 1:
        return True
    first_monday = hours.valid_from - timedelta(days=hours.valid_from.weekday())
    return (day - first_monday).days // 7 % hours.every_weeks == 0


@dataclass
class Hours:
    """The rules that say when a place is open and somebody works there; read once, turned into minutes day by day."""

    locations: dict[int, Location]
    practitioners: dict[int, Practitioner]
    weekly: list[WeeklyHours]
    extra: list[ExtraHours]
    opening: dict[int, list[OpeningHours]]
    closures: list[Closure]

    @classmethod
    def read(cls, locations: Iterable[Location], practitioners: Iterable[Practitioner] | None = None) -> "Hours":
        places = {place.pk: place for place in locations}
        at_work = Q(location__in=places, practitioner__is_active=True)
        if practitioners is not None:
            at_work &= Q(practitioner__in=list(practitioners))
        order = ("practitioner_id", "starts", "pk")
        weekly = list(WeeklyHours.objects.filter(at_work).select_related("practitioner__user").order_by(*order))
        extra = list(ExtraHours.objects.filter(at_work).select_related("practitioner__user").order_by(*order))
        opening = defaultdict(list)
        for row in OpeningHours.objects.filter(location__in=places):
            opening[row.location_id].append(row)
        closures = list(Closure.objects.filter(Q(location__in=places) | Q(location=None)))
        people = {w.practitioner_id: w.practitioner for w in (*weekly, *extra)}
        return cls(places, people, weekly, extra, opening, closures)

    def is_closed(self, location_id: int, day: date) -> bool:
        return any(c.location_id in (location_id, None) and c.starts_on <= day <= c.ends_on for c in self.closures)

    def working(self, first: date, last: date) -> dict[tuple[int, int], Intervals]:
        """Minutes at work by (practitioner id, location id), within opening hours and outside closures.

        `first` and `last` are local days at each location, both included; hours of the evening before `first` that
        end after midnight are there too. Extra hours need no opening hours. Time off is not yet taken out.
        """
        evening_before = first - timedelta(days=1)
        weekly, extra = defaultdict(list), defaultdict(list)
        for day in _days(evening_before, last):
            for hours in self.weekly:
                if applies(hours, day) and (day >= first or hours.ends_next_day):
                    weekly[hours.practitioner_id, hours.location_id].append(self._span(hours, day))
        for hours in self.extra:
            if hours.day <= last and (hours.day >= first or (hours.day == evening_before and hours.ends_next_day)):
                extra[hours.practitioner_id, hours.location_id].append(self._span(hours, hours.day))
        open_time = {pk: self._open_time(pk, evening_before, last) for pk in self.locations}
        closed = {pk: self._closed_time(pk, evening_before, last) for pk in self.locations}
        found = {}
        for pair in weekly | extra:
            usual = intersection(union(weekly[pair]), open_time[pair[1]])
            if spans := subtraction(union(usual, extra[pair]), closed[pair[1]]):
                found[pair] = spans
        return found

    def _span(self, hours: WeeklyHours | ExtraHours, day: date) -> tuple[int, int]:
        zone = self.locations[hours.location_id].time_zone
        return _minutes(day, hours.starts, hours.ends, hours.ends_next_day, zone)

    def _open_time(self, location_id: int, first: date, last: date) -> Intervals:
        zone = self.locations[location_id].time_zone
        return union(
            _minutes(day, row.opens, row.closes, row.ends_next_day, zone)
            for day in _days(first, last)
            for row in self.opening[location_id]
            if row.weekday == day.weekday()
        )

    def _closed_time(self, location_id: int, first: date, last: date) -> Intervals:
        """The closed days from midnight to midnight, the day after `last` too: hours may end there."""
        zone = self.locations[location_id].time_zone
        return union(
            tuple(times.to_minute(edge) for edge in times.day_bounds(day, zone))
            for day in _days(first, last + timedelta(days=1))
            if self.is_closed(location_id, day)
        )


@dataclass
class Taken:
    """What is already taken in a span: visits with their buffers, by practitioner (with the place) and by room."""

    by_practitioner: dict[int, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    by_room: dict[int, Intervals] = field(default_factory=lambda: defaultdict(list))
    time_off: dict[int, Intervals] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(
        cls, start: int, end: int, *, practitioners: Iterable[int], locations: Iterable[int], without: Iterable = ()
    ) -> "Taken":
        """Everything that touches the span of minutes, times held for somebody included.

        `without` leaves appointments out: those being moved.
        """
        taken = cls()
        people = list(practitioners)
        rows = Appointment.with_holds.taking_time(times.now()).filter(
            Q(practitioner__in=people) | Q(location__in=list(locations)),
            busy_from__lt=end,
            busy_from__gt=start - LONGEST,
            busy_until__gt=start,
        )
        if left_out := [visit.pk for visit in without]:
            rows = rows.exclude(pk__in=left_out)
        for who, room, place, a, b in rows.values_list(
            "practitioner_id", "room_id", "location_id", "busy_from", "busy_until"
        ):
            taken.by_practitioner[who].append((a, b, place))
            taken.by_room[room].append((a, b))
        away = TimeOff.objects.filter(
            practitioner__in=people, starts_at__lt=times.from_minute(end), ends_at__gt=times.from_minute(start)
        )
        for who, starts_at, ends_at in away.values_list("practitioner_id", "starts_at", "ends_at"):
            taken.time_off[who].append((times.to_minute(starts_at), times.to_minute(ends_at)))
        return taken

    def of_practitioner(self, practitioner_id: int, location_id: int, travel: dict) -> Intervals:
        """When the practitioner cannot be at the location: visits anywhere, with the way from and to the others."""
        return union(
            (a - travel.get((place, location_id), 0), b + travel.get((place, location_id), 0))
            for a, b, place in self.by_practitioner[practitioner_id]
        )

    def at_work(self, practitioner_id: int, working: Intervals) -> Intervals:
        return subtraction(working, union(self.time_off[practitioner_id]))


def rooms_by_location(locations: Iterable[int], kind: str) -> dict[int, list[Room]]:
    found = defaultdict(list)
    for room in Room.objects.filter(location__in=list(locations), kind=kind, is_open=True).order_by("name", "pk"):
        found[room.location_id].append(room)
    return found
