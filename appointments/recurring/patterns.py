"""From "three a week for four weeks, usually Mon, Wed, Fri about 17:30" to days. Plain values in and out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from clinic.errors import RuleBroken

MOST_STRETCHES, MOST_WEEKS, MOST_VISITS = 12, 52, 400
FEWEST = 12  # weeks from one visit to the next, at most
FURTHEST = timedelta(days=366)
LONGEST_SEARCH = 3 * 366  # days looked ahead for a day that nobody wants yet


@dataclass(frozen=True)
class Stretch:
    """So many visits in a week; with `every_weeks` over 1 one visit every so many weeks, in the first of them."""

    visits_per_week: int
    weeks: int
    every_weeks: int = 1

    @property
    def visits(self) -> int:
        return self.visits_per_week * (self.weeks // self.every_weeks)

    def weeks_for(self, visits: int) -> int:
        """How many weeks of this rhythm so many visits take."""
        return -(-visits // self.visits_per_week) * self.every_weeks

    def __str__(self):
        often = "once a week" if self.visits_per_week == 1 else f"{self.visits_per_week} a week"
        if self.every_weeks > 1:
            often = f"once every {self.every_weeks} weeks"
        return f"{often} for {self.weeks} week{'' if self.weeks == 1 else 's'}"

    def faults(self) -> Iterable[tuple[str, str]]:
        """What is wrong with it, by its field."""
        if not 1 <= self.visits_per_week <= 7:
            yield "visits_per_week", "1 to 7 visits a week."
        if not 1 <= self.weeks <= MOST_WEEKS:
            yield "weeks", f"1 to {MOST_WEEKS} weeks."
        if not 1 <= self.every_weeks <= FEWEST:
            yield "every_weeks", f"Every 1 to {FEWEST} weeks."
        elif self.every_weeks > 1 and self.visits_per_week > 1:
            yield "visits_per_week", f"Every {self.every_weeks} weeks it is one visit."
        elif self.weeks % self.every_weeks:
            yield "weeks", f"Every {self.every_weeks} weeks: give a number of weeks that is a multiple of it."


@dataclass(frozen=True)
class Pattern:
    """How often, from when, on which weekdays (0 is Monday) and at about what time of the location's wall clock.

    A checkpoint is a visit of another kind, put in after so many visits, or by a day if that comes first.
    """

    starts_on: date
    stretches: tuple[Stretch, ...]
    weekdays: tuple[int, ...]
    at_time: time
    checkpoint_after: int | None = None
    checkpoint_by: date | None = None

    def __str__(self):
        return ", then ".join(str(stretch) for stretch in self.stretches)

    @property
    def visits(self) -> int:
        """Without the checkpoint."""
        return sum(stretch.visits for stretch in self.stretches)

    @property
    def has_checkpoint(self) -> bool:
        return self.checkpoint_after is not None or self.checkpoint_by is not None

    def as_json(self) -> dict:
        return {
            "starts_on": self.starts_on.isoformat(),
            "stretches": [
                [s.visits_per_week, s.weeks] + ([s.every_weeks] if s.every_weeks > 1 else []) for s in self.stretches
            ],
            "weekdays": list(self.weekdays),
            "at_time": f"{self.at_time:%H:%M}",
            "checkpoint_after": self.checkpoint_after,
            "checkpoint_by": self.checkpoint_by and self.checkpoint_by.isoformat(),
        }

    @classmethod
    def from_json(cls, kept: Mapping) -> "Pattern":
        by = kept["checkpoint_by"]
        return cls(
            starts_on=date.fromisoformat(kept["starts_on"]),
            stretches=tuple(Stretch(*said) for said in kept["stretches"]),
            weekdays=tuple(kept["weekdays"]),
            at_time=time.fromisoformat(kept["at_time"]),
            checkpoint_after=kept["checkpoint_after"],
            checkpoint_by=by and date.fromisoformat(by),
        )

    def check(self, *, today: date) -> None:
        """Raises RuleBroken naming every field that is wrong."""
        if wrong := dict(self._faults(today)):
            raise RuleBroken(next(iter(wrong.values())), code="invalid", fields=wrong, status=400)

    def _faults(self, today: date) -> Iterable[tuple[str, str]]:
        if not today - FURTHEST <= self.starts_on <= today + FURTHEST:
            yield "starts_on", "A series starts within a year of today."
        if not 1 <= len(self.stretches) <= MOST_STRETCHES:
            yield "stretches", f"A series has 1 to {MOST_STRETCHES} stretches of weeks."
            return
        if wrong := next((text for stretch in self.stretches for _, text in stretch.faults()), ""):
            yield "stretches", wrong
            return
        if self.visits > MOST_VISITS:
            yield "stretches", f"A series has at most {MOST_VISITS} visits."
        if fault := weekdays_fault(self.weekdays, self.stretches):
            yield "weekdays", fault
        if self.checkpoint_after is not None and not 1 <= self.checkpoint_after <= MOST_VISITS:
            yield "checkpoint_after", "The re-evaluation comes after one of the visits."
        if self.checkpoint_by is not None and self.checkpoint_by <= self.starts_on:
            yield "checkpoint_by", "The re-evaluation comes after the start."


def weekdays_fault(weekdays: Iterable[int], stretches: Iterable[Stretch]) -> str:
    """Why the weekdays do not do for the stretches, or nothing."""
    chosen, most = set(weekdays), max(s.visits_per_week for s in stretches)
    if chosen <= set(range(7)) and len(chosen) >= most:
        return ""
    return f"Choose at least {most} weekday{'' if most == 1 else 's'}: as many as visits a week."


@dataclass(frozen=True)
class WantedDay:
    """One visit of a pattern: its place in the whole, the day it is wanted on, and the stretch (from 1) it is of."""

    number: int
    day: date
    stretch: int
    is_checkpoint: bool = False


def spread(weekdays: Iterable[int], visits_per_week: int) -> list[int]:
    """So many of the weekdays (0 is Monday), as far apart as they allow: Monday to Friday, 3 → Mo, We, Fr."""
    chosen = sorted(set(weekdays))
    if not 0 < visits_per_week <= len(chosen):
        raise ValueError("fewer weekdays than visits a week")
    step = len(chosen) / visits_per_week
    return [chosen[int((n + 0.5) * step)] for n in range(visits_per_week)]


def usual_weekdays(visits_per_week: int) -> list[int]:
    """Where nobody said which: spread over the working week."""
    return spread(range(5) if visits_per_week <= 5 else range(7), visits_per_week)


def weekdays_of(stretch: Stretch, weekdays: Collection[int]) -> list[int]:
    """Those of the weekdays that a stretch takes; where they are too few for it, the usual ones."""
    enough = len(set(weekdays)) >= stretch.visits_per_week
    return spread(weekdays, stretch.visits_per_week) if enough else usual_weekdays(stretch.visits_per_week)


def wanted_days(starts_on: date, stretch: Stretch, weekdays: Collection[int]) -> list[date]:
    """The days of a stretch in order. A week is seven days from the start, whatever weekday that is."""
    on = set(weekdays_of(stretch, weekdays))
    days = ((n, starts_on + timedelta(n)) for n in range(stretch.weeks * 7))
    return [day for n, day in days if day.weekday() in on and n // 7 % stretch.every_weeks == 0]


def wanted(pattern: Pattern) -> list[WantedDay]:
    """Every visit in order of days, no two on one day. The checkpoint takes a day of the pattern and so moves the
    visits after it on by one; the last of them follows the last stretch.
    """
    days, starts_on = [], pattern.starts_on
    for n, stretch in enumerate(pattern.stretches, 1):
        days += [(day, n) for day in wanted_days(starts_on, stretch, pattern.weekdays)]
        starts_on += timedelta(weeks=stretch.weeks)
    checkpoint = None
    if pattern.has_checkpoint:
        days.append((wanted_days(starts_on, replace(stretch, weeks=1), pattern.weekdays)[0], len(pattern.stretches)))
        checkpoint = _checkpoint_at([day for day, _ in days], pattern)
    return [WantedDay(n + 1, day, stretch, n == checkpoint) for n, (day, stretch) in enumerate(days)]


def _checkpoint_at(days: Sequence[date], pattern: Pattern) -> int:
    """Which of the days, counted from 0, is the checkpoint's: never the first, which has nothing to look back at."""
    at = min(pattern.checkpoint_after or len(days), len(days) - 1)
    while pattern.checkpoint_by and at > 1 and days[at] > pattern.checkpoint_by:
        at -= 1
    return at


def redate(days: Sequence[date], *, weekdays: Collection[int], taken: Collection[date], earliest: date) -> list[date]:
    """The days on which visits that are still owed are wanted, in the same order.

    A day that has passed or is taken gives way to the next of the weekdays that nobody wants.
    """
    used = set(taken)
    kept = []
    for day in days:
        stays = day >= earliest and day not in used
        kept.append(day if stays else None)
        if stays:
            used.add(day)
    free = (
        day
        for day in (earliest + timedelta(n) for n in range(LONGEST_SEARCH))
        if day.weekday() in weekdays and day not in used
    )
    return [day or next(free) for day in kept]
