"""When is there time? The one engine that the desk, the API, care plans and patients all ask.

A start is free when the visit lies in working time within opening hours, with its buffers touches no other visit of
the practitioner (travel included) and at least one room of the kind it needs, and does not meet another visit of the
patient. Slots are never stored: they are computed in growing chunks of days until enough are found.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from appointments.calendars import Hours, Taken, rooms_by_location, travel_minutes
from appointments.intervals import Intervals, intersection, on_grid, starts_blocked, starts_within, subtraction, union
from appointments.models import Appointment, AppointmentType
from appointments.wishes import Wishes
from clinic import times
from clinic.errors import RuleBroken
from locations.models import Location, Practitioner
from patients.models import Patient

FIRST_CHUNK = 2  # days; each further chunk is twice as long
FURTHEST = timedelta(days=366)


@dataclass(frozen=True)
class Slot:
    """A free stretch of time with a practitioner at a location; `starts_at` and `ends_at` are instants."""

    starts_at: datetime
    ends_at: datetime
    location: Location
    practitioner: Practitioner

    @property
    def local_start(self) -> datetime:
        return times.local(self.starts_at, self.location.time_zone)

    @property
    def local_end(self) -> datetime:
        return times.local(self.ends_at, self.location.time_zone)

    def as_json(self) -> dict:
        return {
            "starts_at": self.local_start.isoformat(),
            "ends_at": self.local_end.isoformat(),
            "time_zone": self.location.time_zone,
            "location": {"slug": self.location.slug, "name": self.location.name},
            "practitioner": {"id": self.practitioner.pk, "name": self.practitioner.name},
        }


@dataclass(frozen=True)
class Found:
    """The slots in order of start, and the first local day that was not listed to its end (None: all was listed)."""

    slots: list[Slot]
    next_from: date | None


def visit_minutes(type: AppointmentType, minutes: int | None) -> int:
    """The length of a visit: as asked, within the range of its type, or the usual one."""
    if minutes is None:
        return type.minutes
    if not type.least_minutes <= minutes <= type.most_minutes:
        message = f"A visit of this type takes {type.least_minutes} to {type.most_minutes} minutes."
        raise RuleBroken(message, code="wrong_length", fields={"minutes": message}, status=400)
    return minutes


def find(
    *,
    type: AppointmentType,
    locations: Iterable[Location],
    from_day: date,
    to_day: date,
    practitioners: Iterable[Practitioner] | None = None,
    patient: Patient | None = None,
    limit: int = 20,
    minutes: int | None = None,
    wishes: Wishes | None = None,
    now: datetime | None = None,
    without: Iterable[Appointment] = (),
) -> Found:
    """The first `limit` free slots from `from_day` to `to_day`, local days at each location, both included.

    `wishes` leaves only the weekdays and hours at which somebody can come; `without` are visits that will make room:
    they are about to move. The queries are the same number for any number of practitioners, locations and days of one
    chunk.
    """
    _check_days(from_day, to_day)
    length = visit_minutes(type, minutes)
    search = _Search(type, length, list(locations), practitioners, patient, wishes, now or times.now(), list(without))
    slots: list[Slot] = []
    day, days = from_day, FIRST_CHUNK
    while day <= to_day:
        last = min(to_day, day + timedelta(days=days - 1))
        slots += islice(search.slots(day, last), limit - len(slots) + 1)
        if len(slots) > limit:
            return Found(slots[:limit], slots[limit].local_start.date())
        day, days = last + timedelta(days=1), days * 2
    return Found(slots, None)


def _check_days(from_day: date, to_day: date) -> None:
    if to_day < from_day:
        message = "The last day is before the first."
        raise RuleBroken(message, code="invalid", fields={"to": message}, status=400)
    if to_day - from_day > FURTHEST or not 2000 <= from_day.year < 2100 or to_day.year >= 2100:
        message = "Ask for at most a year at a time, between 2000 and 2099."
        raise RuleBroken(message, code="invalid", fields={"from": message}, status=400)


class _Search:
    """One question with what does not change from chunk to chunk: hours, rooms, travel, and now."""

    def __init__(self, type, minutes, locations, practitioners, patient, wishes, now, without):
        self.type, self.minutes, self.patient, self.wishes, self.without = type, minutes, patient, wishes, without
        self.earliest = times.to_minute(now) + 1
        self.hours = Hours.read(locations, practitioners)
        self.rooms = rooms_by_location(self.hours.locations, type.room_kind)
        self.travel = travel_minutes()
        self.longest_way = max(self.travel.values(), default=0)

    def slots(self, first: date, last: date) -> Iterator[Slot]:
        """All free slots of those local days, in order of start, then location, then practitioner."""
        working = self._wished(self.hours.working(first, last), first, last)
        spans = union(*working.values())
        if not spans:
            return
        margin = self.longest_way + self.type.buffer_before + self.type.buffer_after
        start, end = spans[0][0] - margin, spans[-1][1] + margin
        taken = Taken.read(
            start,
            end,
            practitioners=self.hours.practitioners,
            locations=[pk for pk, rooms in self.rooms.items() if rooms],
            without=self.without,
        )
        without_room = {pk: self._starts_without_a_room(pk, taken) for pk in self.hours.locations}
        patient_busy = self._blocked(self._patient_busy(start, end), buffers=False)
        streams = []
        for (who, where), span in working.items():
            starts = starts_within(taken.at_work(who, span), self.minutes)
            starts = subtraction(starts, self._blocked(taken.of_practitioner(who, where, self.travel)))
            starts = subtraction(subtraction(starts, without_room[where]), patient_busy)
            starts = intersection(starts, [(self.earliest, 1 << 40)])
            if starts:
                streams.append(self._stream(starts, where, who))
        for minute, _, _, where, who in heapq.merge(*streams):
            starts_at = times.from_minute(minute)
            ends_at = times.from_minute(minute + self.minutes)
            yield Slot(starts_at, ends_at, self.hours.locations[where], self.hours.practitioners[who])

    def _wished(self, working: dict, first: date, last: date) -> dict:
        if not self.wishes:
            return working
        after = last + timedelta(days=1)  # hours may end past midnight
        wished = {pk: self.wishes.minutes(first, after, place.time_zone) for pk, place in self.hours.locations.items()}
        return {pair: intersection(span, wished[pair[1]]) for pair, span in working.items()}

    def _stream(self, starts: Intervals, where: int, who: int):
        place, person = self.hours.locations[where].name, self.hours.practitioners[who].name
        return ((minute, place, person, where, who) for minute in on_grid(starts, self.type.step_minutes))

    def _blocked(self, busy: Intervals, *, buffers: bool = True) -> Intervals:
        before, after = (self.type.buffer_before, self.type.buffer_after) if buffers else (0, 0)
        return starts_blocked(busy, self.minutes, before, after)

    def _starts_without_a_room(self, location_id: int, taken: Taken) -> Intervals:
        """Starts at which every room of the kind is taken; with no such room at all, every start."""
        blocked = [(-(1 << 40), 1 << 40)]
        for room in self.rooms.get(location_id, []):
            blocked = intersection(blocked, self._blocked(taken.by_room[room.pk]))
        return blocked

    def _patient_busy(self, start: int, end: int) -> list[tuple[int, int]]:
        if self.patient is None:
            return []
        rows = Appointment.objects.holding_time().filter(
            patient=self.patient, end_minute__gt=start, start_minute__lt=end
        )
        rows = rows.exclude(pk__in=[visit.pk for visit in self.without])
        return list(rows.values_list("start_minute", "end_minute"))
