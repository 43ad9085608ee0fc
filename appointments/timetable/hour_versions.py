"""Weekly hours at one clinic as versions: what holds from when to when, and what new hours leave of it.

New hours take exactly the days from their first to their last; outside these everything stays as it was. Rows come in
and go out; nothing is read or written here.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from appointments.models import WeeklyHours

A_DAY = timedelta(days=1)
Days = tuple[date | None, date | None]  # the first and the last, both included; None is open


@dataclass(frozen=True)
class Version:
    """Rows that hold together. `first` is the first day of the earliest, `until` the last day of all; None is open."""

    rows: tuple[WeeklyHours, ...]

    @property
    def first(self) -> date | None:
        return self.rows[0].valid_from

    @property
    def until(self) -> date | None:
        return self.rows[0].valid_until


def versions(rows: Iterable[WeeklyHours]) -> list[Version]:
    """In order of their first days. Hours that take turns every few weeks are of one version, though not all begin at
    once: they end on the same day, and each begins within one turn.
    """
    found: list[list[WeeklyHours]] = []
    for row in sorted(rows, key=lambda row: (row.valid_from or date.min, row.weekday, row.starts)):
        for version in found:
            if version[0].valid_until == row.valid_until and _in_turn(version[0].valid_from, row):
                version.append(row)
                break
        else:
            found.append([row])
    return [Version(tuple(version)) for version in found]


def later(rows: Iterable[WeeklyHours], day: date) -> list[Version]:
    """Versions that begin after the day."""
    return [version for version in versions(rows) if version.first and version.first > day]


def last_day(later_ones: Iterable[Version], until: date | None, replacing: Collection[date] | None) -> date | None:
    """On which day new hours end: as was said, else on the day before a later version that is not to be replaced."""
    kept = [one.first for one in later_ones if replacing is not None and one.first not in replacing]
    return until or (min(kept) - A_DAY if kept else None)


def left_of(row: WeeklyHours, begin: date, end: date | None) -> list[Days] | None:
    """The days that the row keeps beside new hours on those from `begin` to `end`; None where it is not touched."""
    first, last = row.valid_from, row.valid_until
    if (last and last < begin) or (end and first and first > end):
        return None
    before = [(first, begin - A_DAY)] if first is None or first < begin else []
    if end is None or (last and last <= end):
        return before
    again = in_turn_from(row, end + A_DAY)
    return [*before, (again, last)] if last is None or again <= last else before


def in_turn_from(row: WeeklyHours, day: date) -> date:
    """The first day from `day` on as of which the row goes on in its old weeks."""
    if row.every_weeks == 1:
        return day
    weeks = -_weeks(row.valid_from, day) % row.every_weeks
    return day + timedelta(days=7 * weeks - day.weekday()) if weeks else day


def _in_turn(first: date | None, row: WeeklyHours) -> bool:
    if first is None or row.valid_from is None or row.every_weeks == 1:
        return row.valid_from == first
    return _weeks(first, row.valid_from) < row.every_weeks


def _weeks(first: date, day: date) -> int:
    """From Monday to Monday."""
    return ((day - timedelta(days=day.weekday())) - (first - timedelta(days=first.weekday()))).days // 7
