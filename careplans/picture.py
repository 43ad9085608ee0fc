"""A plan as a time line: where its bars, dots and marks lie. Plain values in and out; the template draws them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

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


@dataclass(frozen=True)
class Dot:
    """One visit; `state` is wanted, owed, placed, done or missed. `row` counts up from 0 where dots would overlap."""

    day: date
    state: str
    title: str
    url: str
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
    def below(self) -> int:
        """Where the rows of dots end."""
        return max((dot.y for dot in self.dots), default=FIRST_ROW) + DOT

    @property
    def height(self) -> int:
        return self.below + 30


def draw(
    starts_on: date,
    phases: Sequence[tuple[str, str, int]],
    visits: Sequence[tuple[date, str, str, str]],
    *,
    checkpoint: date | None,
    today: date,
) -> Picture:
    """`phases` are (label, kind, weeks) one after the other; `visits` are (day, state, title, url).

    A plan brought in may have no phases: then its picture reaches to its last visit, checkpoint or week.
    """
    shown = [*(visit[0] for visit in visits), checkpoint or starts_on]
    total = sum(weeks for _, _, weeks in phases) * 7 or max(7, *((day - starts_on).days + 1 for day in shown))

    def x(day):
        return round(MARGIN + (WIDTH - 2 * MARGIN) * min(max((day - starts_on).days, 0), total) / total, 1)

    bars, day = [], starts_on
    for label, kind, weeks in phases:
        until = day + timedelta(weeks=weeks)
        bars.append(Bar(label, kind, day, x(day), round(x(until) - x(day) - 4, 1)))
        day = until
    # A visit is drawn in the middle of its day, so that the first one does not lie on the edge.
    half = (WIDTH - 2 * MARGIN) / total / 2
    dots = _in_rows(Dot(on, state, title, url, round(x(on) + half, 1)) for on, state, title, url in visits)
    ends_on = starts_on + timedelta(days=total)
    return Picture(
        bars, dots, x(checkpoint) if checkpoint else None, x(today) if starts_on <= today <= ends_on else None
    )


def _in_rows(dots: Iterable[Dot]) -> list[Dot]:
    """Each in the first row in which it touches no other."""
    found, last = [], []
    for dot in sorted(dots, key=lambda dot: dot.x):
        row = next((n for n, x in enumerate(last) if dot.x - x >= DOT), len(last))
        last[row:] = [dot.x, *last[row + 1 :]]
        found.append(replace(dot, row=row))
    return found
