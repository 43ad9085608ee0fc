"""From "three a week for four weeks" to days, and from a wanted day to the best free time. Plain values in and out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

REACH = 2  # days a visit may lie from the day it is wanted on
MOST_VISITS_IN_28_DAYS = 12


class HasLocalStart(Protocol):
    local_start: datetime


@dataclass(frozen=True)
class Window:
    """The days, both included, on which one visit may be put, and the day it is wanted on."""

    wanted_on: date
    first: date
    last: date

    @classmethod
    def around(cls, wanted_on: date, *, earliest: date) -> "Window":
        """A day that has passed is wanted now."""
        wanted_on = max(wanted_on, earliest)
        return cls(wanted_on, max(earliest, wanted_on - timedelta(REACH)), wanted_on + timedelta(REACH))


def spread(weekdays: Iterable[int], visits_per_week: int) -> list[int]:
    """So many of the weekdays (0 is Monday), as far apart as they allow: Monday to Friday, 3 → Mo, We, Fr."""
    chosen = sorted(set(weekdays))
    if not 0 < visits_per_week <= len(chosen):
        raise ValueError("fewer weekdays than visits a week")
    step = len(chosen) / visits_per_week
    return [chosen[int((n + 0.5) * step)] for n in range(visits_per_week)]


def wanted_days(starts_on: date, *, visits_per_week: int, weeks: int, weekdays: Iterable[int]) -> list[date]:
    """The days of a phase in order. A week is seven days from the start, whatever weekday that is."""
    on = set(spread(weekdays, visits_per_week))
    days = (starts_on + timedelta(n) for n in range(weeks * 7))
    return [day for day in days if day.weekday() in on]


def starts_of(starts_on: date, weeks: Sequence[int]) -> list[date]:
    """The first day of each phase, one after the other."""
    return [starts_on + timedelta(weeks=sum(weeks[:n])) for n in range(len(weeks))]


def most_in_28_days(phases: Iterable[tuple[int, int]]) -> int:
    """The most visits that phases of (visits a week, weeks), one after the other, put into any four weeks."""
    weekly = [visits for visits, weeks in phases for _ in range(weeks)]
    return max((sum(weekly[n : n + 4]) for n in range(len(weekly))), default=0)


def nearest(
    starts: Iterable[HasLocalStart], window: Window, at_time: time, *, taken: Collection[date]
) -> HasLocalStart | None:
    """The free start nearest to the wanted day, then to the time; none on a taken day. Ties go to the earlier one."""

    def distance(start):
        local = start.local_start
        minutes = abs(local.hour * 60 + local.minute - at_time.hour * 60 - at_time.minute)
        return abs((local.date() - window.wanted_on).days), minutes, local.replace(tzinfo=None)

    fitting = (
        s for s in starts if window.first <= s.local_start.date() <= window.last and s.local_start.date() not in taken
    )
    return min(fitting, key=distance, default=None)
