"""On which days a visit is looked for that is wanted on one of them. Plain days in and out."""

from collections.abc import Iterable
from datetime import date, timedelta

A_WEEK = 7


def within(day: date, reach: int, *, earlier: bool = True) -> list[date]:
    """At most so many days after it, and before it."""
    return [day + timedelta(n) for n in range(-reach if earlier else 0, reach + 1)]


def week_of(day: date) -> list[date]:
    """From Monday to Sunday."""
    return [day + timedelta(n - day.weekday()) for n in range(A_WEEK)]


def between(day: date, others: Iterable[date], furthest: int) -> list[date]:
    """After the last of the others that is before it and before the first that is after it."""
    found = within(day, furthest)
    before = max((other for other in others if other < day), default=date.min)
    after = min((other for other in others if other > day), default=date.max)
    return [one for one in found if before < one < after]
