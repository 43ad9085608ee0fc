"""How the booked time goes: what each part may take of it, what is left, and what took longer than planned. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from evaluations import catalogue

ON_PACE_SECONDS = 120  # a difference from the plan that is not worth a word
EARLY, LATE = timedelta(minutes=30), timedelta(hours=1)


def budget(part: catalogue.Part, booked: int) -> int:
    """Seconds for a part of a visit of so many minutes: the plan for sixty, in proportion."""
    return round(part.minutes * 60 * booked / catalogue.BUDGET_MINUTES)


def clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def budget_words(seconds: int) -> str:
    """`3` for whole minutes, `2:15` otherwise."""
    return clock(seconds) if seconds % 60 else str(seconds // 60)


@dataclass(frozen=True)
class Pace:
    """`left` are seconds, below zero when the time is over. While the visit is under way they are those to its end,
    so that talking counts too; later, when somebody writes on, they are what the clocks leave of the booked time."""

    booked: int
    spent: int
    left: int
    is_under_way: bool
    over: int

    @property
    def spent_minutes(self) -> int:
        return self.spent // 60

    @property
    def left_words(self) -> str:
        return f"{self.left // 60} min left" if self.left >= 0 else f"{-self.left // 60} min past the end"

    @property
    def words(self) -> str:
        """Only what is over counts: a part that took less has not lost anything yet."""
        return f"{self.over // 60} min over the plan" if self.over >= ON_PACE_SECONDS else "on pace"

    @property
    def share(self) -> int:
        gone = self.booked * 60 - self.left
        return max(0, min(100, round(gone / (self.booked * 60) * 100)))


def booked_minutes(starts_at: datetime | None, ends_at: datetime | None) -> int:
    if starts_at is None or ends_at is None:
        return catalogue.BUDGET_MINUTES
    return max(1, round((ends_at - starts_at).total_seconds() / 60))


def of(clocks: Mapping[str, int], *, starts_at: datetime, booked: int, now: datetime) -> Pace:
    """`clocks` are the seconds spent on each part; `starts_at` is the visit's, or when the evaluation was begun."""
    ends_at, spent = starts_at + timedelta(minutes=booked), sum(clocks.values())
    is_under_way = starts_at - EARLY <= now <= ends_at + LATE
    left = round((ends_at - now).total_seconds()) if is_under_way else booked * 60 - spent
    over = sum(max(0, clocks.get(part.code, 0) - budget(part, booked)) for part in catalogue.PARTS)
    return Pace(booked, spent, left, is_under_way, over)
