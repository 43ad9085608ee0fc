"""Where visits could go: each wish beside the free times nearest to it. Asks the one engine; reads, never writes.

A proposal is no promise: what is chosen from it is checked anew when it is booked.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from heapq import heapify, heappop
from itertools import groupby, islice

from appointments import availability, calendars, conflicts, near_days, overriding
from appointments.availability import Slot
from appointments.conflicts import OVERRIDABLE, OVERRIDDEN, Known, Wanted
from appointments.intervals import Intervals, overlaps
from appointments.models import Appointment, AppointmentType
from clinic import times
from clinic.errors import RuleBroken
from locations.models import Location, Practitioner
from locations.spans import spoken
from patients.models import Patient

REACH = 2  # days a visit may lie from the day it is wanted on
MORE = 8  # times of a kind, where more is asked for
FURTHEST = 21  # days, where more is asked for, or nothing is free within reach
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

    @property
    def is_on_step(self) -> bool:
        """Whether the engine offers such a time; another is booked only by who types it."""
        return (self.at_time.hour * 60 + self.at_time.minute) % self.type.step_minutes == 0

    @property
    def keeps_its_time(self) -> bool:
        """The visit stays when it is, with somebody else or elsewhere: that time was agreed, whatever the step."""
        return self.moving is not None and self.moving.starts_at == self.starts_at

    def wanted(self, slot: Slot | None = None) -> Wanted:
        """To be had exactly as wished, or in the slot."""
        who = slot.practitioner if slot else self.practitioner or self.moving.practitioner
        at = slot.starts_at if slot else self.starts_at
        place = slot.location if slot else self.location
        return Wanted(self.patient, who, place, self.type, at, self.minutes, moving=self.moving)


@dataclass(frozen=True)
class Against:
    """A wish as it is, to be had only by who may override what stands against it: the codes."""

    slot: Slot
    codes: tuple[str, ...]

    def __str__(self):
        return " and ".join(OVERRIDDEN[code] for code in self.codes)


@dataclass
class Line:
    """A wish, why it cannot be had as it is (nothing: it can), the time proposed for it and the nearest others."""

    wish: Wish
    why: str = ""
    slot: Slot | None = None
    others: list[Slot] = field(default_factory=list)
    against: Against | None = None

    @property
    def choices(self) -> list[Slot]:
        return [self.slot, *self.others] if self.slot else []


@dataclass(frozen=True)
class Choice:
    """What was decided for a line: a start with somebody, or to skip the visit, which leaves it owed. With
    `override_reason` the time is taken against hours, notice or travel; empty is one that is still to be said.
    """

    starts_at: datetime | None = None
    practitioner: Practitioner | None = None
    skip_reason: str = ""
    location: Location | None = None  # None is the one that was wished for
    override_reason: str | None = None

    @property
    def is_skipped(self) -> bool:
        return self.starts_at is None


def overrides(choices: Mapping) -> dict[str, str]:
    """The reasons of those that are chosen against the rules, by their keys, as `together.book` takes them.
    Raises RuleBroken where one has none.
    """
    against = {str(key): one.override_reason for key, one in choices.items() if one.override_reason is not None}
    return {key: overriding.checked(reason) for key, reason in against.items()}


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
    how many days from the wanted one are looked at, `earlier` whether those before it are among them. Where nothing is
    free on them and `furthest` is more, the same week is looked at, and then the days until the next of the group. For
    the keys in `more` somebody asked for further times: all days as far as that.
    """

    wishes: Sequence[Wish]
    one_a_day: bool = True
    taken_days: Collection[date] | Mapping[str, Collection[date]] = ()
    away: Mapping[int, Intervals] = field(default_factory=dict)
    reach: int = REACH
    earlier: bool = True
    furthest: int = 0
    more: Collection[str] = ()

    def propose(self, kept: Mapping[str, Choice] | None = None) -> list[Line]:
        """A line for each wish, in their order; no two of the times proposed stand in each other's way.

        `kept` are choices, by the key of their wish, that are to stay what is proposed.
        """
        if not self.wishes:
            return []
        near = {wish.key: near_days.within(wish.day, self.reach, earlier=self.earlier) for wish in self.wishes}
        search = _Search(self.wishes, self.away, near)
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
        further = self._further(lines, search, days)
        for line in lines:
            if line.slot:
                looked = further if further and line.wish.key in further.days else search
                line.others = looked.others(line, days.barred(line), more=line.wish.key in self.more)
            if line.why and not line.against:
                line.against = search.against(line.wish, days.barred(line))
        return lines

    def _further(self, lines: Sequence[Line], search: "_Search", days: "_Days") -> "_Search | None":
        """Looked at only for whom nothing was found, or who asked for more; nothing where that is nobody."""
        lines = [line for line in lines if line.slot is None or line.wish.key in self.more]
        if not lines or self.furthest <= self.reach:
            return None
        steps = {line.wish.key: self._steps(line, days) for line in lines}
        together = {key: sorted({day for step in found for day in step}) for key, found in steps.items()}
        further = _Search([line.wish for line in lines], self.away, together, chosen=search.chosen)
        for line in lines:
            for step in steps[line.wish.key]:
                if line.slot is None:
                    further.find_nearest(line, days.barred(line), step)
                    if line.slot:
                        further.take(line)
                        days.take(line)
        return further

    def _steps(self, line: Line, days: "_Days") -> list[list[date]]:
        """Days to look at one list after the other, none long before the first that is wanted."""
        wanted = line.wish.day
        steps = [near_days.week_of(wanted), near_days.between(wanted, days.of_others(line), self.furthest)]
        if line.wish.key in self.more:
            steps.append(near_days.within(wanted, self.furthest))
        first = min(wish.day for wish in self.wishes if wish.group == line.wish.group) - timedelta(self.reach)
        return [[day for day in step if day >= first] for step in steps]


@contextmanager
def instead(question: Question, choices: Mapping[str, Choice]) -> Iterator[None]:
    """Have a refusal say in `alternatives` what is free for the faulty wishes, while the others keep their choice."""
    try:
        yield
    except RuleBroken as refused:
        faults = {wish.key for wish in question.wishes if wish.key in refused.fields}
        kept = {key: choice for key, choice in choices.items() if key not in faults}
        asked = [wish for wish in question.wishes if wish.key in faults or not kept.get(wish.key, Choice()).is_skipped]
        lines = replace(question, wishes=asked).propose(kept) if faults else []
        refused.alternatives = {line.wish.key: line.choices for line in lines if line.wish.key in faults}
        raise


class _Days:
    """On which days each group of wishes has something already."""

    def __init__(self, question: Question, lines: Sequence[Line]):
        self.matters, self.lines = question.one_a_day, lines
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

    def of_others(self, line: Line) -> set[date]:
        """The days of the group's other visits: those they have, and those they are wanted on."""
        group = line.wish.group
        open_ones = (other for other in self.lines if other.slot is None and other is not line)
        return self.used[group] | {other.wish.day for other in open_ones if other.wish.group == group}

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

    def __init__(
        self,
        wishes: Sequence[Wish],
        away: Mapping[int, Intervals],
        days: Mapping[str, Sequence[date]],
        chosen: Mapping[date, list[tuple[Wish, Wanted]]] | None = None,
    ):
        """`days` are those to look at by the key of each wish, in order; `chosen` is what was proposed already."""
        self.away, self.days = away, days
        self.rooms = {
            kind: calendars.rooms_by_location({place.pk for w in wishes for place in w.places}, kind)
            for kind in {w.type.room_kind for w in wishes}
        }
        rooms = [room for by_location in self.rooms.values() for some in by_location.values() for room in some]
        furthest = max(abs((day - wish.day).days) for wish in wishes for day in days[wish.key])
        self.known = Known.read([wish.wanted() for wish in wishes], rooms, margin=(furthest + 1) * A_DAY)
        self.free = _free_starts(wishes, days)
        self.chosen = defaultdict(list) if chosen is None else chosen

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
                if choice.override_reason is not None and (against := self._against(wish, line.slot)):
                    line.why, line.against = line.why or self._why_not(wish, ()), against
                self.take(line)

    def grant(self, line: Line, barred: Collection[date]) -> None:
        """The wish itself, or why it cannot be had."""
        wish = line.wish
        line.why = self._why_not(wish, barred)
        if not line.why:
            who = wish.practitioner or self._free_then(wish)
            line.slot = Slot(wish.starts_at, wish.starts_at + timedelta(minutes=wish.minutes), wish.location, who)

    def find_nearest(self, line: Line, barred: Collection[date], days: Sequence[date] | None = None) -> None:
        """The nearest free time: the usual practitioner's before any other's, both before one at another clinic."""
        near = self._near(line.wish, barred, days)
        here = [one for one in near if one[1].location == line.wish.location]
        usual = [one for one in here if line.wish.practitioner in (None, one[1].practitioner)]
        best = self._nearest(1, usual, line) or self._nearest(1, here, line) or self._nearest(1, near, line)
        line.slot = best[0] if best else None

    def others(self, line: Line, barred: Collection[date], *, more: bool = False) -> list[Slot]:
        """A handful of other times, different in kind: near in days, near by the clock, with somebody else, or at a
        clinic nearby; and `more` of them by the clock, on other days."""
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
            *self._nearest(MORE if more else 1, usual, line, clock_first=True),
            *self._nearest(2, somebody, line),
            *self._nearest(1, booked_with, line),
            *self._nearest(2, elsewhere, line),
        }
        if more:
            picked |= {one for far in (somebody, elsewhere) for one in self._nearest(MORE, far, line, clock_first=True)}
        return sorted(picked, key=lambda slot: (slot.starts_at, slot.practitioner.name))

    def against(self, wish: Wish, barred: Collection[date]) -> Against | None:
        """The wish itself, where nothing but what may be overridden stands against it."""
        if wish.day in barred or not times.exists(datetime.combine(wish.day, wish.at_time), wish.location.time_zone):
            return None
        if not (wish.is_on_step or wish.keeps_its_time):
            return None
        wanted = wish.wanted()
        if overlaps(self.away.get(wanted.practitioner.pk, ()), wanted.start, wanted.end) or not self._fits(
            wish, wanted
        ):
            return None
        ends_at = wish.starts_at + timedelta(minutes=wish.minutes)
        return self._against(wish, Slot(wish.starts_at, ends_at, wish.location, wanted.practitioner))

    def _against(self, wish: Wish, slot: Slot) -> Against | None:
        rooms = self.rooms[wish.type.room_kind][slot.location.pk]
        codes = [conflict.code for conflict in conflicts.find(wish.wanted(slot), rooms, self.known).conflicts]
        return Against(slot, tuple(codes)) if codes and OVERRIDABLE.issuperset(codes) else None

    def _why_not(self, wish: Wish, barred: Collection[date]) -> str:
        zone = wish.location.time_zone
        if not times.exists(datetime.combine(wish.day, wish.at_time), zone):
            return f"{wish.at_time:%H:%M} does not exist on this day: the clock is put forward."
        if wish.day in barred:
            return "The patient has another such visit on this day."
        if not wish.is_on_step and not (wish.practitioner and wish.keeps_its_time):
            return f"{spoken(wish.at_time)} is not offered: such visits begin every {wish.type.step_minutes} minutes."
        if wish.practitioner is None:
            return "" if self._free_then(wish) else "Nobody is free at this time."
        wanted = wish.wanted()
        rooms = self.rooms[wish.type.room_kind][wish.location.pk]
        if found := conflicts.find(wanted, rooms, self.known).conflicts:
            return found[0].message
        if overlaps(self.away.get(wish.practitioner.pk, ()), wanted.start, wanted.end):
            return f"{wish.practitioner} is away then."
        return "" if self._fits(wish, wanted) else "Another visit of this list is proposed for this time."

    def _free_then(self, wish: Wish) -> Practitioner | None:
        """Somebody who is free just when it is wished for."""
        free = (slot for _, slot in self.free[_kind(wish)].get(wish.day, ()) if slot.starts_at == wish.starts_at)
        free = (slot for slot in free if slot.location == wish.location)
        return next((slot.practitioner for slot in free if self._fits(wish, wish.wanted(slot))), None)

    def _near(
        self, wish: Wish, barred: Collection[date], days: Sequence[date] | None = None
    ) -> list[tuple[tuple[date, int], Slot]]:
        """((local day, minute of that day), slot) of what the engine calls free on the days, or on all of the wish."""
        free = self.free[_kind(wish)]
        days = self.days[wish.key] if days is None else days
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
        if overlaps(self.known.taken.by_patient.get(wish.patient.pk, ()), wanted.start, wanted.end):
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
        way = self.known.ways.between(one.location.pk, other.location.pk)
        return not overlaps([(other.busy[0] - way, other.busy[1] + way)], *one.busy)

    def _room_left(self, wanted: Wanted, rivals: list[Wanted]) -> bool:
        kind, place = wanted.type.room_kind, wanted.location.pk
        beside = [
            r.busy
            for r in rivals
            if r.type.room_kind == kind and r.location.pk == place and overlaps([r.busy], *wanted.busy)
        ]
        # Those that follow one another take one room: as many are needed as are in use at once, at some start.
        starts = {max(start, wanted.busy[0]) for start, _ in beside}
        needed = max((sum(start <= at < end for start, end in beside) for at in starts), default=0)
        if not needed:
            return True
        rooms = self.rooms[kind][place]
        return needed < sum(not overlaps(self.known.taken.by_room[room.pk], *wanted.busy) for room in rooms)


def _kind(wish: Wish) -> tuple:
    return wish.type.pk, tuple(place.pk for place in wish.places), wish.minutes


def _free_starts(
    wishes: Sequence[Wish], days: Mapping[str, Sequence[date]]
) -> dict[tuple, dict[date, list[tuple[int, Slot]]]]:
    """(minute of the local day, slot) by day, for each kind of visit that is wished for."""
    moving = [wish.moving for wish in wishes if wish.moving]
    found = {}
    for kind, group in groupby(sorted(wishes, key=_kind), key=_kind):
        group = list(group)
        by_day = found[kind] = defaultdict(list)
        spans = {(days[wish.key][0], days[wish.key][-1]) for wish in group}
        for first, last in _runs(spans, group[0].location.today()):
            slots = availability.find(
                type=group[0].type,
                locations=group[0].places,
                from_day=first,
                to_day=last,
                length=group[0].minutes,
                limit=ALL_OF_THEM,
                without=moving,
            ).slots
            for slot in slots:
                local = slot.local_start
                by_day[local.date()].append((local.hour * 60 + local.minute, slot))
    return found


def _runs(spans: Iterable[tuple[date, date]], today: date) -> list[tuple[date, date]]:
    """The stretches of days to look at: round each wanted day, joined where they lie near each other."""
    runs: list[tuple[date, date]] = []
    for begins, last in sorted(spans):
        first = max(today, begins)
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
