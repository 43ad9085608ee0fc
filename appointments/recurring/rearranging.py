"""The rest of a series arranged anew, when visits were missed or cancelled, or cannot take place: what is to come, and
a time proposed for each. Reads, never writes; `series.rearrange` writes all of it or nothing.

KEEP leaves what stands where it stands and finds times for what is owed or stuck. SHIFT moves all that is ahead on, in
the rhythm of the pattern. Either way no week gets more visits than its stretch has, nothing goes to an earlier day
than its own, and the checkpoint comes after its nth visit and by its day.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from appointments import booking
from appointments.models import Appointment, Series, SeriesVisit
from appointments.moving import bulk_moves
from appointments.recurring import gates, patterns, placing, standing
from appointments.recurring.patterns import Pattern
from appointments.recurring.proposals import FURTHEST, Question, Wish
from clinic import times
from clinic.errors import RuleBroken

KEEP, SHIFT = "keep", "shift"
WAYS = {
    KEEP: "Keep what is booked, find times for the others",
    SHIFT: "Move everything on, in the rhythm of the plan",
}
REACH = 10  # days after the wanted one that are looked at first
LONGEST_SEARCH = 3 * 366

_checkpoints: list[Callable[[Series], tuple[date, int] | None]] = []


def add_checkpoint(asked: Callable[[Series], tuple[date, int] | None]) -> None:
    """Packages above say, from `apps.py`, by which day and after how many more visits the checkpoint of a series is."""
    _checkpoints.append(asked)


@dataclass(frozen=True)
class Remaining:
    """A visit to come. `appointment` is the one ahead, None where the visit is owed; `last` is what fell off the
    calendar. `why` it cannot take place as booked, or cannot be placed now.
    """

    visit: SeriesVisit
    appointment: Appointment | None = None
    last: Appointment | None = None
    why: str = ""

    @property
    def number(self) -> int:
        return self.visit.number

    @property
    def day(self) -> date | None:
        return self.appointment.local_start.date() if self.appointment else None


@dataclass(frozen=True, kw_only=True)
class Rest(Question):
    """What is to come, in the order of the series; its wishes, by number, are for what needs a time or moves."""

    remaining: Sequence[Remaining] = field(default_factory=list)

    @property
    def seen(self) -> dict[int, int | None]:
        """By number what `series.rearrange` compares: how often the appointment changed, None for what is owed."""
        return {one.number: one.appointment.sequence if one.appointment else None for one in self.remaining}

    def only(self, numbers: Iterable[int]) -> "Rest":
        """Asked about these alone, the others stay."""
        keys = {str(number) for number in numbers}
        return replace(self, wishes=[wish for wish in self.wishes if wish.key in keys])


def of(series: Series, *, way: str = KEEP) -> Rest:
    """The rest of the series with a wish for each visit that needs one. Raises RuleBroken naming an unknown way."""
    if way not in WAYS:
        raise RuleBroken("There is no such way.", code="invalid", fields={"way": "Unknown."}, status=400)
    remaining = _barred(series, _remaining(series))
    asked = [one for one in remaining if _needs_time(one) or (way == SHIFT and one.appointment)]
    checkpoint = next((one for one in remaining if one.visit.is_checkpoint), None)
    bounds = next((found for ask in _checkpoints if (found := ask(series))), None)
    if checkpoint and checkpoint not in asked and checkpoint.appointment and bounds and checkpoint.day > bounds[0]:
        asked.append(checkpoint)
    moving = [one.appointment.pk for one in asked if one.appointment]
    types = {series.type, *(one.visit.type for one in remaining)}
    taken = placing.taken_days(series.patient, series.location, types, without=moving)
    days = _Days(series, taken, [one for one in remaining if one not in asked])
    days.settle_all(asked, way, bounds or _by_pattern(series))
    wishes = [_wish(series, one, days.found[one.number]) for one in sorted(asked, key=lambda one: one.number)]
    return Rest(wishes=wishes, taken_days=taken, reach=REACH, furthest=FURTHEST, earlier=False, remaining=remaining)


def _remaining(series: Series) -> list[Remaining]:
    stands = standing.of(series)
    ahead = Appointment.objects.filter(
        series_visit__series=series, status__in=booking.MOVABLE, starts_at__gt=times.now()
    ).with_names().with_series()  # fmt: skip
    by_visit = {visit.series_visit_id: visit for visit in ahead}
    stuck = bulk_moves.why_stuck(list(by_visit.values()))
    found = []
    for one in stands:
        if one.is_owed:
            found.append(Remaining(_of(series, one.visit), last=one.appointment))
        elif visit := by_visit.get(one.visit.pk):
            found.append(Remaining(_of(series, one.visit), visit, why=stuck.get(visit.pk, "")))
    return found


def _of(series: Series, visit: SeriesVisit) -> SeriesVisit:
    visit.series = series  # read already
    return visit


def _barred(series: Series, remaining: list[Remaining]) -> list[Remaining]:
    """What is owed and may not be placed now says why; the checkpoint often may where the others may not."""
    refused = gates.refusal(series)
    if refused is None:
        return remaining
    also = gates.refusal(series, for_checkpoint=True)
    return [
        replace(one, why=refused.message) if not one.appointment and (also or not one.visit.is_checkpoint) else one
        for one in remaining
    ]


def _needs_time(one: Remaining) -> bool:
    return bool(one.why) if one.appointment else not one.why


def _by_pattern(series: Series) -> tuple[date | None, int]:
    """Where nobody above knows better: as it was wanted at the beginning."""
    pattern = series.as_pattern
    done = Appointment.objects.filter(
        series_visit__series=series, series_visit__type=series.type, status=Appointment.Status.COMPLETED
    ).count()
    return pattern.checkpoint_by, max((pattern.checkpoint_after or pattern.visits) - done, 0)


class _Days:
    """On which day each visit is wished for; `found` by number."""

    def __init__(self, series: Series, taken: Iterable[date], staying: Sequence[Remaining]):
        self.pattern: Pattern = series.as_pattern
        self.today = series.location.today()
        self.used = set(taken)
        stays = [one.day for one in staying if one.appointment and not one.visit.is_checkpoint]
        self.treatments = sorted(stays)
        self.found: dict[int, date] = {}
        self.last = self.today

    def settle_all(self, asked: Sequence[Remaining], way: str, bounds: tuple[date | None, int]) -> None:
        checkpoint = next((one for one in asked if one.visit.is_checkpoint), None)
        # What is kept near its own day has it before what is owed could take it.
        for one in sorted(asked, key=lambda one: (way == KEEP and one.appointment is None, one.number)):
            if checkpoint and way == SHIFT and len(self.treatments) >= bounds[1]:
                self.settle_checkpoint(checkpoint, bounds)  # the visits after its nth make room
                checkpoint = None
            if not one.visit.is_checkpoint:
                self.settle(one, way)
        if checkpoint:
            self.settle_checkpoint(checkpoint, bounds)

    def settle(self, one: Remaining, way: str) -> None:
        earliest = (one.day or one.visit.wanted_on) - timedelta(1)
        if one.appointment and way == KEEP:
            day = one.day  # the nearest time to its own is looked for
        elif way == KEEP:
            day = self._next(max(self.today, earliest), one)
        else:
            day = self.last = self._next(max(self.last, earliest), one)
        self._take(one, day)
        self.treatments = sorted([*self.treatments, day])

    def settle_checkpoint(self, one: Remaining, bounds: tuple[date | None, int]) -> None:
        by, left = bounds
        nth = self.today
        if left and self.treatments:
            nth = self.treatments[min(left, len(self.treatments)) - 1]
        day = self._free(nth)
        if by and day > by:
            after = [nth + timedelta(n) for n in range(1, (by - nth).days + 1)]
            before = [by - timedelta(n) for n in range((by - self.today).days)]
            by_then = (day for day in (*after, *before) if day.weekday() < 5 and day not in self.used)
            day = next(by_then, None) or self._free(self.today)
        if one.day and (by is None or one.day <= by):
            day = max(day, one.day) if by is None or max(day, one.day) <= by else one.day
        self._take(one, day)

    def _take(self, one: Remaining, day: date) -> None:
        self.found[one.number] = day
        self.used.add(day)

    def _next(self, after: date, one: Remaining) -> date:
        """The first day of the rhythm that is free, in a week that has not all its visits."""
        stretches = self.pattern.stretches
        stretch = stretches[min(one.visit.stretch, len(stretches)) - 1]
        weekdays = patterns.weekdays_of(stretch, self.pattern.weekdays)
        days = (after + timedelta(n) for n in range(1, LONGEST_SEARCH))
        return next(
            day for day in days
            if day.weekday() in weekdays and day not in self.used
            and self._about(day, stretch.every_weeks) < stretch.visits_per_week
        )  # fmt: skip

    def _about(self, day: date, weeks: int) -> int:
        """Treatments in the week of the day, and in those about it that are nearer than so many weeks."""
        monday, apart = _monday(day), timedelta(weeks=weeks)
        return sum(abs(_monday(one) - monday) < apart for one in self.treatments)

    def _is_free(self, day: date) -> bool:
        return day.weekday() in self.pattern.weekdays and day not in self.used

    def _free(self, after: date) -> date:
        return next(day for n in range(1, LONGEST_SEARCH) if self._is_free(day := after + timedelta(n)))


def _monday(day: date) -> date:
    return day - timedelta(day.weekday())


def _wish(series: Series, one: Remaining, day: date) -> Wish:
    found = one.appointment
    return Wish(
        key=str(one.number),
        patient=series.patient,
        type=one.visit.type,
        location=found.location if found else series.location,
        practitioner=found.practitioner if found else series.practitioner,
        day=day,
        at_time=found.local_start.time() if found else one.visit.wanted_at,
        moving=found,
        label=one.visit.label,
    )
