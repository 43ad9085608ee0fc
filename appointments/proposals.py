"""Where visits could go: each wish beside the free times nearest to it. Asks the one engine; reads, never writes.

A proposal is no promise: what is chosen from it is checked anew when it is booked.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from heapq import heapify, heappop
from itertools import groupby, islice

from appointments import availability, calendars, conflicts
from appointments.availability import Slot
from appointments.conflicts import Known, Wanted
from appointments.intervals import Intervals, overlaps
from appointments.models import Appointment, AppointmentType
from clinic import times
from locations.models import Location, Practitioner
from patients.models import Patient

REACH = 2  # days a visit may lie from the day it is wanted on
APART = timedelta(days=14)  # windows further from each other than this are asked about one by one
ALL_OF_THEM = 100_000  # more starts than a location has in a year
A_DAY = 1440  # minutes


@dataclass(frozen=True)
class Wish:
    """One visit as it is wished for: a local day and wall clock at the location, with the usual practitioner if
    possible, or (None) with anybody. `key` names it in forms and refusals, `label` for people; `moving` is the visit
    that gives way. Wishes of one `group` are for different days; None is of no group. Where nothing is free at the
    location, those `nearby` will do.
    """

    key: str
    patient: Patient
    type: AppointmentType
    location: Location
    practitioner: Practitioner | None
    day: date
    at_time: time
    moving: Appointment | None = None
    label: str = ""
    group: str | None = ""
    nearby: tuple[Location, ...] = ()

    @property
    def places(self) -> tuple[Location, ...]:
        return (self.location, *(place for place in self.nearby if place != self.location))

    @property
    def minutes(self) -> int:
        return self.moving.end_minute - self.moving.start_minute if self.moving else self.type.minutes

    @property
    def starts_at(self) -> datetime:
        """In the hour that comes twice, the second time only where `at_time` says so by its fold."""
        return times.instant(self.day, self.at_time, self.location.time_zone, fold=self.at_time.fold)

    def wanted(self, slot: Slot | None = None) -> Wanted:
        """To be had exactly as wished, or in the slot."""
        who = slot.practitioner if slot else self.practitioner or self.moving.practitioner
        at = slot.starts_at if slot else self.starts_at
        place = slot.location if slot else self.location
        return Wanted(self.patient, who, place, self.type, at, self.minutes, moving=self.moving)


@dataclass
class Line:
    """A wish, why it cannot be had as it is (nothing: it can), the time proposed for it and the nearest others."""

    wish: Wish
    why: str = ""
    slot: Slot | None = None
    others: list[Slot] = field(default_factory=list)

    @property
    def choices(self) -> list[Slot]:
        return [self.slot, *self.others] if self.slot else []


@dataclass(frozen=True)
class Choice:
    """What was decided for a line: a start with somebody, or to skip the visit, which leaves it owed."""

    starts_at: datetime | None = None
    practitioner: Practitioner | None = None
    skip_reason: str = ""
    location: Location | None = None  # None is the one that was wished for

    @property
    def is_skipped(self) -> bool:
        return self.starts_at is None


def accept(lines: Iterable[Line]) -> dict[int, Choice]:
    """Take every line of a series as it is proposed; where nothing is free the visit is skipped, with the reason."""
    return {
        int(line.wish.key): Choice(line.slot.starts_at, line.slot.practitioner, location=line.slot.location)
        if line.slot
        else Choice(skip_reason=line.why)
        for line in lines
    }


@dataclass(frozen=True, kw_only=True)
class Question:
    """Wishes that are settled together. With `one_a_day` no two of a group are proposed for one day, nor for one of its
    `taken_days` (a plain collection is that of the group "").

    `away` is time (epoch minutes, by practitioner id) to be left free although the calendar does not say so; `reach` is
    how many days from the wanted one are looked at, `earlier` whether those before it are among them.
    """

    wishes: Sequence[Wish]
    one_a_day: bool = True
    taken_days: Collection[date] | Mapping[str, Collection[date]] = ()
    away: Mapping[int, Intervals] = field(default_factory=dict)
    reach: int = REACH
    earlier: bool = True

    def propose(self, kept: Mapping[str, Choice] | None = None) -> list[Line]:
        """A line for each wish, in their order; no two of the times proposed stand in each other's way.

        `kept` are choices, by the key of their wish, that are to stay what is proposed.
        """
        if not self.wishes:
            return []
        search = _Search(self.wishes, self.away, self.reach, earlier=self.earlier)
        lines = [Line(wish) for wish in self.wishes]
        search.keep(lines, kept or {})
        days = _Days(self, lines)
        # Whoever can have what was wished for gets it before another's second choice takes it.
        for settle in (search.grant, search.find_nearest):
            for line in lines:
                if line.slot is None:
                    settle(line, days.barred(line, also_wished=True))
                    if line.slot:
                        search.take(line)
                        days.take(line)
        for line in lines:
            if line.slot:
                line.others = search.others(line, days.barred(line))
        return lines


class _Days:
    """On which days each group of wishes has something already."""

    def __init__(self, question: Question, lines: Sequence[Line]):
        self.matters = question.one_a_day
        taken = question.taken_days
        self.used = defaultdict(set)
        for group, days in (taken if isinstance(taken, Mapping) else {"": taken}).items():
            self.used[group] |= {*days}
        self.wished = defaultdict(set)
        for line in lines:
            if line.slot:
                self.take(line)
            else:
                self.wished[line.wish.group].add(line.wish.day)

    def take(self, line: Line) -> None:
        self.used[line.wish.group].add(line.slot.local_start.date())

    def barred(self, line: Line, *, also_wished: bool = False) -> Collection[date]:
        """Not this line's own day; `also_wished` bars the days that others of the group still wish for."""
        group = line.wish.group
        if not self.matters or group is None:
            return ()
        own = line.slot.local_start.date() if line.slot else line.wish.day
        if line.slot:
            return self.used[group] - {own}
        return self.used[group] | (self.wished[group] - {own} if also_wished else set())


class _Search:
    """Everything read once: the free starts round all the wishes, and what stands in their calendars."""

    def __init__(self, wishes: Sequence[Wish], away: Mapping[int, Intervals], reach: int, *, earlier: bool):
        self.away = away
        self.near_days = range(-reach if earlier else 0, reach + 1)
        self.rooms = {
            kind: calendars.rooms_by_location({place.pk for w in wishes for place in w.places}, kind)
            for kind in {w.type.room_kind for w in wishes}
        }
        rooms = [room for by_location in self.rooms.values() for some in by_location.values() for room in some]
        self.known = Known.read([wish.wanted() for wish in wishes], rooms, margin=(reach + 1) * A_DAY)
        self.free = _free_starts(wishes, reach)
        self.chosen: dict[date, list[tuple[Wish, Wanted]]] = defaultdict(list)

    def keep(self, lines: Sequence[Line], kept: Mapping[str, Choice]) -> None:
        """What was chosen before, with why it is not the wish."""
        for line in lines:
            choice, wish = kept.get(line.wish.key), line.wish
            if choice and not choice.is_skipped:
                ends_at = choice.starts_at + timedelta(minutes=wish.minutes)
                line.slot = Slot(choice.starts_at, ends_at, choice.location or wish.location, choice.practitioner)
                as_wished = choice.starts_at == wish.starts_at and wish.practitioner in (None, choice.practitioner)
                as_wished = as_wished and line.slot.location == wish.location
                line.why = "" if as_wished else self._why_not(wish, ())
                self.take(line)

    def grant(self, line: Line, barred: Collection[date]) -> None:
        """The wish itself, or why it cannot be had."""
        wish = line.wish
        line.why = self._why_not(wish, barred)
        if not line.why:
            who = wish.practitioner or self._free_then(wish)
            line.slot = Slot(wish.starts_at, wish.starts_at + timedelta(minutes=wish.minutes), wish.location, who)

    def find_nearest(self, line: Line, barred: Collection[date]) -> None:
        """The nearest free time: the usual practitioner's before any other's, both before one at another clinic."""
        near = self._near(line.wish, barred)
        here = [one for one in near if one[1].location == line.wish.location]
        usual = [one for one in here if line.wish.practitioner in (None, one[1].practitioner)]
        best = self._nearest(1, usual, line) or self._nearest(1, here, line) or self._nearest(1, near, line)
        line.slot = best[0] if best else None

    def others(self, line: Line, barred: Collection[date]) -> list[Slot]:
        """A handful of other times, different in kind: near in days, near by the clock, with somebody else, or at a
        clinic nearby."""
        everywhere = [one for one in self._near(line.wish, barred) if one[1] != line.slot]
        near = [one for one in everywhere if one[1].location == line.wish.location]
        elsewhere = [one for one in everywhere if one[1].location != line.wish.location]
        person = line.wish.practitioner or line.slot.practitioner
        by_person = defaultdict(list)
        for one in near:
            by_person[one[1].practitioner.pk].append(one)
        usual = by_person[person.pk]
        taken = (person.pk, line.slot.practitioner.pk)
        somebody = [one for pk, of_person in by_person.items() if pk not in taken for one in of_person]
        booked_with = by_person[line.wish.moving.practitioner_id] if line.wish.moving else []
        picked = {
            *self._nearest(2, usual, line),
            *self._nearest(1, usual, line, clock_first=True),
            *self._nearest(2, somebody, line),
            *self._nearest(1, booked_with, line),
            *self._nearest(2, elsewhere, line),
        }
        return sorted(picked, key=lambda slot: (slot.starts_at, slot.practitioner.name))

    def _why_not(self, wish: Wish, barred: Collection[date]) -> str:
        zone = wish.location.time_zone
        if not times.exists(datetime.combine(wish.day, wish.at_time), zone):
            return f"{wish.at_time:%H:%M} does not exist on this day: the clock is put forward."
        if wish.day in barred:
            return "The patient has another such visit on this day."
        if wish.practitioner is None:
            return "" if self._free_then(wish) else "Nobody is free at this time."
        wanted = wish.wanted()
        rooms = self.rooms[wish.type.room_kind][wish.location.pk]
        found, _ = conflicts.find(wanted, rooms, self.known)
        if found:
            return found[0].message
        if overlaps(self.away.get(wish.practitioner.pk, ()), wanted.start, wanted.end):
            return f"{wish.practitioner} is away then."
        return "" if self._fits(wish, wanted) else "Another visit of this list is proposed for this time."

    def _free_then(self, wish: Wish) -> Practitioner | None:
        """Somebody who is free just when it is wished for."""
        free = (slot for _, slot in self.free[_kind(wish)].get(wish.day, ()) if slot.starts_at == wish.starts_at)
        free = (slot for slot in free if slot.location == wish.location)
        return next((slot.practitioner for slot in free if self._fits(wish, wish.wanted(slot))), None)

    def _near(self, wish: Wish, barred: Collection[date]) -> list[tuple[tuple[date, int], Slot]]:
        """((local day, minute of that day), slot) of what the engine calls free within reach of the wish."""
        free = self.free[_kind(wish)]
        days = (wish.day + timedelta(days=n) for n in self.near_days)
        return [((day, at), slot) for day in days if day not in barred for at, slot in free.get(day, ())]

    def _nearest(self, most: int, near: Iterable, line: Line, *, clock_first: bool = False) -> list[Slot]:
        distance = _distance(line.wish, clock_first=clock_first)
        ranked = [(distance(one), n, one[1]) for n, one in enumerate(near)]
        heapify(ranked)  # of many only the first few are looked at
        nearest = (heappop(ranked)[2] for _ in range(len(ranked)))
        return list(islice((slot for slot in nearest if self._fits(line.wish, line.wish.wanted(slot))), most))

    def take(self, line: Line) -> None:
        """From now on the time proposed in the line is in the way of the others."""
        self.chosen[line.slot.local_start.date()].append((line.wish, line.wish.wanted(line.slot)))

    def _fits(self, wish: Wish, wanted: Wanted) -> bool:
        """What the engine cannot know: the patient's other visits, who is away, and what is proposed already."""
        if overlaps(self.known.of_patient.get(wish.patient.pk, ()), wanted.start, wanted.end):
            return False
        if overlaps(self.away.get(wanted.practitioner.pk, ()), wanted.start, wanted.end):
            return False
        day = times.day_of(wanted.starts_at, wish.location.time_zone)
        beside = (self.chosen.get(day + timedelta(days=n), ()) for n in (-1, 0, 1))
        rivals = [rival for chosen in beside for other, rival in chosen if other is not wish]
        return all(self._apart(wanted, rival) for rival in rivals) and self._room_left(wanted, rivals)

    def _apart(self, one: Wanted, other: Wanted) -> bool:
        if one.patient.pk == other.patient.pk and overlaps([(other.start, other.end)], one.start, one.end):
            return False
        if one.practitioner.pk != other.practitioner.pk:
            return True
        way = self.known.travel.get((one.location.pk, other.location.pk), 0)
        return not overlaps([(other.busy[0] - way, other.busy[1] + way)], *one.busy)

    def _room_left(self, wanted: Wanted, rivals: list[Wanted]) -> bool:
        kind, place = wanted.type.room_kind, wanted.location.pk
        needed = sum(
            r.type.room_kind == kind and r.location.pk == place and overlaps([r.busy], *wanted.busy) for r in rivals
        )
        if not needed:
            return True
        rooms = self.rooms[kind][place]
        return needed < sum(not overlaps(self.known.taken.by_room[room.pk], *wanted.busy) for room in rooms)


def _kind(wish: Wish) -> tuple:
    return wish.type.pk, tuple(place.pk for place in wish.places), wish.minutes


def _free_starts(wishes: Sequence[Wish], reach: int) -> dict[tuple, dict[date, list[tuple[int, Slot]]]]:
    """(minute of the local day, slot) by day, for each kind of visit that is wished for."""
    moving = [wish.moving for wish in wishes if wish.moving]
    found = {}
    for kind, group in groupby(sorted(wishes, key=_kind), key=_kind):
        group = list(group)
        by_day = found[kind] = defaultdict(list)
        for first, last in _runs({wish.day for wish in group}, group[0].location.today(), reach):
            slots = availability.find(
                type=group[0].type,
                locations=group[0].places,
                from_day=first,
                to_day=last,
                minutes=_asked(group[0]),
                limit=ALL_OF_THEM,
                without=moving,
            ).slots
            for slot in slots:
                local = slot.local_start
                by_day[local.date()].append((local.hour * 60 + local.minute, slot))
    return found


def _asked(wish: Wish) -> int | None:
    """A visit that was booked longer or shorter than its type now allows looks for the usual length."""
    return wish.minutes if wish.type.least_minutes <= wish.minutes <= wish.type.most_minutes else None


def _runs(days: Iterable[date], today: date, reach: int = REACH) -> list[tuple[date, date]]:
    """The stretches of days to look at: round each wanted day, joined where they lie near each other."""
    runs: list[tuple[date, date]] = []
    for day in sorted(days):
        first, last = max(today, day - timedelta(reach)), day + timedelta(reach)
        if runs and first - runs[-1][1] <= APART and last - runs[-1][0] < availability.FURTHEST:
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]))
        elif first <= last:
            runs.append((first, last))
    return runs


def _distance(wish: Wish, *, clock_first: bool = False) -> Callable:
    """How far a free time is from the wish: in days, then by the clock; or the other way round. Ties: the earlier."""
    wanted = wish.at_time.hour * 60 + wish.at_time.minute

    def measure(one):
        (day, minute), slot = one
        far = abs((day - wish.day).days), abs(minute - wanted)
        return (*(far[::-1] if clock_first else far), day, minute, slot.practitioner.name)

    return measure
