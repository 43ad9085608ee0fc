"""When is there time? The one engine that the desk, the API, care plans and patients all ask.

A start is free when the visit lies in working time, with its buffers touches no other visit of the practitioner
(travel included) and at least one room of the kind it needs, does not meet another visit of the patient, and is within
the notice and the horizon of its type. Slots are never stored: they are computed in growing chunks of days until
enough are found, and within a chunk nobody is looked at who works only after the last of these.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from appointments.calendars import Taken, room_ids
from appointments.intervals import (
    Interval,
    Intervals,
    intersection,
    on_grid,
    starts_blocked,
    starts_within,
    subtraction,
    union,
)
from appointments.marks import Mark
from appointments.models import Appointment, AppointmentType
from appointments.recurring import series_days
from appointments.timetable.hours import ONE_DAY, Days, Hours, Pair
from appointments.wishes import Wishes
from clinic import times
from clinic.errors import RuleBroken
from locations import ways
from locations.models import Location, Practitioner, Room
from patients.models import Patient

STARTS_A_DAY = 50  # expected of a day, to choose how many days are read at first; each further chunk is twice as long
FURTHEST = timedelta(days=366)
EVER = 1 << 40  # a minute beyond all

# What a free start is compared by: the minute, the names of location and practitioner, and the ids of both.
Start = tuple[int, str, str, int, int]


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

    @property
    def spoken(self) -> str:
        """As patients read it: the day, the hour and the name of the zone."""
        return times.spoken(self.starts_at, self.location.time_zone)

    @property
    def spoken_day(self) -> str:
        return times.spoken_day(self.local_start.date())

    @property
    def mark(self) -> Mark:
        return Mark(self.starts_at, self.location.slug, self.practitioner.pk)

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
    """The slots in order of start; and where to go on, None when all was listed: the first local day that was not
    listed to its end, and exactly, what to ask `after`.
    """

    slots: list[Slot]
    next_from: date | None
    next_after: Mark | None = None


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
    after: Mark | None = None,
    length: int | None = None,
    room: Room | None = None,
) -> Found:
    """The first `limit` free slots from `from_day` to `to_day`, local days at each location, both included.

    In order of start, then of the names of location and practitioner, whatever the order of the question. `wishes`
    leaves only the weekdays and hours at which somebody can come; `without` are visits that will make room: they are
    about to move, and with a `patient` not to a day on which another visit of their series stands. `length` is that of
    a visit that was agreed once, so the range of its type is not asked again, as it is with `minutes`; with a `room`
    only that one will do. Of the days only what follows `after` is looked at. Each chunk of days takes one query,
    however many practitioners, locations and days there are.
    """
    _check_days(from_day, to_day)
    search = Search(
        type, length or visit_minutes(type, minutes), locations, practitioners, patient, wishes, list(without),
        span=(from_day, to_day), now=now or times.now(), after=after, room=room,
    )  # fmt: skip
    starts: list[Start] = []
    next_from = None
    for begin, end in search.chunks(first=1 + limit // STARTS_A_DAY):
        starts += search.starts(begin, end, limit - len(starts) + 1)
        if len(starts) >= limit:
            # One too many means that this chunk holds more; else the next one, if there is one, may.
            stopped_at = starts[limit][0] if len(starts) > limit else end
            next_from = search.day_at(stopped_at) if stopped_at < search.end else None
            break
    slots = search.slots(starts[:limit])
    return Found(slots, next_from, slots[-1].mark if next_from else None)


def _check_days(from_day: date, to_day: date) -> None:
    if to_day < from_day:
        message = "The last day is before the first."
        raise RuleBroken(message, code="invalid", fields={"to": message}, status=400)
    if to_day - from_day > FURTHEST or not 2000 <= from_day.year < 2100 or to_day.year >= 2100:
        message = "Ask for at most a year at a time, between 2000 and 2099."
        raise RuleBroken(message, code="invalid", fields={"from": message}, status=400)


@dataclass(frozen=True)
class _Chunk:
    """What is read for one span of start minutes, and where no room is left in it, as far as that was asked."""

    span: Interval
    days: Days
    wished: dict[str, Intervals]
    taken: Taken
    full: dict[int, Intervals] = field(default_factory=dict)


class Search:
    """One question, with what is read once for all of its chunks: hours, rooms, ways, and the patient's visits."""

    def __init__(self, type, minutes, locations, practitioners, patient, wishes, without, *, span, now, after=None,
                 room=None):  # fmt: skip
        self.type, self.minutes, self.wishes, self.without = type, minutes, wishes, without
        self.people = None if practitioners is None else {person.pk: person for person in practitioners}
        places = {place.pk: place for place in locations}
        self.zones = {place.time_zone for place in places.values()}
        self.bounds = {pk: _bounds(type, *span, place.time_zone, now) for pk, place in places.items()}
        self.begin = min((first for first, last in self.bounds.values() if first < last), default=EVER)
        self.end = max((last for first, last in self.bounds.values() if first < last), default=0)
        self.after, self._last_listed = after, None
        if after:
            # At the minute of the mark those that come behind its pair are still to be listed.
            self.begin = max(self.begin, times.to_minute(after.starts_at) + (0 if after.location else 1))
        if self.begin < self.end:
            people = None if self.people is None else self.people.values()
            first, last = self.day_at(self.begin), self.last_day_at(self.end + self.minutes)
            self.hours = Hours(places.values(), first, last, practitioners=people)
            self.rooms = room_ids(self.hours.locations, type.room_kind)
            if room:
                self.rooms = {room.location_id: [pk for pk in self.rooms[room.location_id] if pk == room.pk]}
            self.ways = ways.read()
            self.patient_busy = self._patient_busy(patient)

    def chunks(self, *, first: int) -> Iterator[Interval]:
        """Spans of start minutes that cover the question; they end when it is midnight everywhere that is asked.

        `first` is how many days are in the first one.
        """
        begin, days = self.begin, first
        while begin < self.end:
            day = self.last_day_at(begin) + timedelta(days=days)
            end = min(self.end, max(times.day_start(day, zone) for zone in self.zones))
            yield begin, end
            begin, days = end, days * 2

    def day_at(self, minute: int) -> date:
        """The local day of that minute where it is earliest."""
        return min(times.day_of(times.from_minute(minute), zone) for zone in self.zones)

    def last_day_at(self, minute: int) -> date:
        """The local day where it is latest."""
        return max(times.day_of(times.from_minute(minute), zone) for zone in self.zones)

    def starts(self, begin: int, end: int, most: int) -> list[Start]:
        """The first free starts among the minutes from `begin` to before `end`."""
        pairs, chunk = self._read(begin, end)
        found: list[Start] = []
        last = EVER
        for first, (who, where) in pairs:
            if first > last:
                break
            found += self.first_of(self._free(chunk, who, where), where, who, most, last)
            if len(found) >= most:
                found.sort()
                del found[most:]
                last = found[-1][0]
        return sorted(found)

    def all_free(self) -> dict[Pair, Intervals]:
        """Every free start minute of the question, the grid left aside, by practitioner and location."""
        if self.begin >= self.end:
            return {}
        pairs, chunk = self._read(self.begin, self.end)
        return {pair: free for _, pair in pairs if (free := self._free(chunk, *pair))}

    def _read(self, begin: int, end: int) -> tuple[list[tuple[int, Pair]], _Chunk | None]:
        """Who may be at work where, each with their first start minute in the span, in order; and what they need."""
        first_day, last_day = self.day_at(begin), self.last_day_at(end + self.minutes)
        days = Days(self.hours, first_day, last_day)
        pairs = [(max(begin, first), pair) for first, pair in days.pairs() if first < end]
        if not pairs:
            return [], None
        return pairs, _Chunk((begin, end), days, self._wished(first_day, last_day), self._taken(pairs, end))

    def _free(self, chunk: _Chunk, who: int, where: int) -> Intervals:
        """The start minutes of the chunk at which they could begin a visit there."""
        working = chunk.days.working((who, where))
        if chunk.wished:
            working = intersection(working, chunk.wished[self.hours.locations[where].time_zone])
        begin = max(chunk.span[0], self.bounds[where][0])
        if self._was_listed(begin, who, where):
            begin += 1
        bounds = begin, min(chunk.span[1], self.bounds[where][1])
        if bounds[0] >= bounds[1]:
            return []
        starts = intersection(starts_within(working, self.minutes), [bounds])
        if not starts:
            return []
        if where not in chunk.full:
            chunk.full[where] = self._starts_without_a_room(where, chunk.taken)
        visits = self.blocked(chunk.taken.of_practitioner(who, where, self.ways))
        away = starts_blocked(chunk.taken.time_off.get(who, ()), self.minutes)
        return subtraction(starts, union(visits, away, chunk.full[where], self.patient_busy))

    def _was_listed(self, minute: int, who: int, where: int) -> bool:
        """Whether a start at the minute of the mark belongs to its pair or to one before that."""
        if not self.after or not self.after.location or minute != times.to_minute(self.after.starts_at):
            return False
        if self._last_listed is None:
            place = next((p for p in self.hours.locations.values() if p.slug == self.after.location), None)
            last = self.after.practitioner
            known = place and self.hours.knows(last)
            # Somebody or a place that is gone by now: rather list the minute again than leave somebody out.
            self._last_listed = (place.name, self.hours.name(last), place.pk, last) if known else ("", "", 0, 0)
        return (self.hours.locations[where].name, self.hours.name(who), where, who) <= self._last_listed

    def slots(self, starts: list[Start]) -> list[Slot]:
        wanted = {who for *_, who in starts}
        people = self.people or {who: self.hours.practitioner(who) for who in wanted}
        return [
            Slot(times.from_minute(minute), times.from_minute(minute + self.minutes), self.hours.locations[where],
                 people[who])
            for minute, _, _, where, who in starts
        ]  # fmt: skip

    def _taken(self, pairs: list[tuple[int, Pair]], end: int) -> Taken:
        """What is taken from the first start until the end of the last visit, with buffers and the longest way."""
        margin = self.ways.longest + self.type.buffer_before + self.type.buffer_after
        return Taken(
            pairs[0][0] - margin,
            end + self.minutes + margin,
            practitioners={who for _, (who, _) in pairs},
            rooms={room for _, (_, where) in pairs for room in self.rooms.get(where, ())},
            without=self.without,
        )

    def _wished(self, first: date, last: date) -> dict[str, Intervals]:
        """By zone, the minutes at which somebody can come; nothing when they can come at any time."""
        return {zone: self.wishes.minutes(first, last, zone) for zone in self.zones} if self.wishes else {}

    def first_of(self, free: Intervals, where: int, who: int, most: int, last: int) -> Iterator[Start]:
        """The first starts on the grid of the wall clock, none after `last`."""
        place = self.hours.locations[where]
        names = place.name, self.hours.name(who), where, who
        for begin, end, offset in times.offsets_between(free[0][0], free[-1][1], place.time_zone) if free else ():
            for minute in on_grid(intersection(free, [(begin, end)]), self.type.step_minutes, offset):
                if not most or minute > last:
                    return
                most -= 1
                yield minute, *names

    def blocked(self, busy: Iterable[Interval]) -> Iterator[Interval]:
        return starts_blocked(busy, self.minutes, self.type.buffer_before, self.type.buffer_after)

    def _starts_without_a_room(self, location_id: int, taken: Taken) -> Intervals:
        """Starts at which every room of the kind is taken; with no such room at all, every start."""
        blocked = [(-EVER, EVER)]
        for room in self.rooms.get(location_id, ()):
            blocked = intersection(blocked, union(self.blocked(taken.by_room.get(room, ()))))
        return blocked

    def _patient_busy(self, patient: Patient | None) -> Intervals:
        if patient is None:
            return []
        rows = Appointment.objects.holding_time().filter(
            patient=patient, end_minute__gt=self.begin, start_minute__lt=self.end + self.minutes
        )
        rows = rows.exclude(pk__in=[visit.pk for visit in self.without]).order_by()
        busy = starts_blocked(rows.values_list("start_minute", "end_minute"), self.minutes)
        return union(busy, series_days.blocked(self.without))


def _bounds(type, from_day, to_day, zone, now) -> Interval:
    """The first start minute that is asked for and bookable at a location of that zone, and the one after the last."""
    first, end = type.bookable(now, zone)
    return max(first, times.day_start(from_day, zone)), min(end, times.day_start(to_day + ONE_DAY, zone))
