"""A plan as a time line: where its bars, dots and marks lie. Plain values in and out; the template draws them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

WIDTH, MARGIN = 960, 24  # of the drawing, in its own units
DOT, FIRST_ROW = 15, 82  # how far apart dots have to be, and the middle of the first row of them


@dataclass(frozen=True)
class Bar:
    label: str
    kind: str
    starts_on: date
    x: float
    width: float

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


class Seen(NamedTuple):
    """One visit to draw; `state` is wanted, owed, placed, done or missed."""

    day: date
    state: str
    title: str
    url: str
    is_checkpoint: bool = False


@dataclass(frozen=True)
class Dot:
    """Where a visit lies. `row` counts up from 0 where dots would overlap."""

    seen: Seen
    x: float
    row: int = 0

    @property
    def y(self) -> int:
        return FIRST_ROW + DOT * self.row


@dataclass(frozen=True)
class Picture:
    bars: list[Bar]
    dots: list[Dot]
    checkpoint_x: float | None
    today_x: float | None

    @property
    def is_late(self) -> bool:
        """Whether the mark of the checkpoint stands so far right that its words have to stand left of it."""
        return self.checkpoint_x is not None and self.checkpoint_x > WIDTH * 3 / 4

    @property
    def below(self) -> int:
        """Where the rows of dots end."""
        return max((dot.y for dot in self.dots), default=FIRST_ROW) + DOT

    @property
    def height(self) -> int:
        return self.below + 30


def draw(
    starts_on: date,
    phases: Sequence[tuple[str, str, int]],
    visits: Sequence[Seen],
    *,
    checkpoint: date | None,
    today: date,
) -> Picture:
    """`phases` are (label, kind, weeks) one after the other.

    The line reaches as far as the calendar does: visits moved beyond the last phase, or before the first, lie there and
    not at its edge. It is never shorter than a week, so that a plan brought in without phases has a picture too.
    """
    days = [starts_on, *(visit.day for visit in visits), *([checkpoint] if checkpoint else [])]
    first = min(days)
    ends_on = max(
        starts_on + timedelta(weeks=sum(weeks for _, _, weeks in phases)), max(days) + timedelta(days=1),
        first + timedelta(weeks=1),
    )  # fmt: skip
    a_day = (WIDTH - 2 * MARGIN) / (ends_on - first).days

    def x(day):
        return round(MARGIN + (day - first).days * a_day, 1)

    bars, day = [], starts_on
    for label, kind, weeks in phases:
        until = day + timedelta(weeks=weeks)
        bars.append(Bar(label, kind, day, x(day), max(round(x(until) - x(day) - 4, 1), 1)))
        day = until
    # A visit is drawn in the middle of its day, so that the first one does not lie on the edge.
    dots = _in_rows(Dot(visit, round(x(visit.day) + a_day / 2, 1)) for visit in visits)
    return Picture(bars, dots, x(checkpoint) if checkpoint else None, x(today) if first <= today <= ends_on else None)


def _in_rows(dots: Iterable[Dot]) -> list[Dot]:
    """Each in the first row in which it touches no other."""
    found, last = [], []
    for dot in sorted(dots, key=lambda dot: dot.x):
        row = next((n for n, x in enumerate(last) if dot.x - x >= DOT), len(last))
        last[row:] = [dot.x, *last[row + 1 :]]
        found.append(replace(dot, row=row))
    return found
