"""A plan as a time line: where its bars, dots and marks lie. Plain values in and out; the template draws them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, MARGIN = 960, 24  # of the drawing, in its own units


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
    """One visit; `state` is wanted, owed, placed, done or missed."""

    day: date
    state: str
    title: str
    url: str
    x: float


@dataclass(frozen=True)
class Picture:
    bars: list[Bar]
    dots: list[Dot]
    checkpoint_x: float | None
    today_x: float | None


def draw(
    starts_on: date,
    phases: Sequence[tuple[str, str, int]],
    visits: Sequence[tuple[date, str, str, str]],
    *,
    checkpoint: date | None,
    today: date,
) -> Picture:
    """`phases` are (label, kind, weeks) one after the other; `visits` are (day, state, title, url)."""
    total = sum(weeks for _, _, weeks in phases) * 7

    def x(day):
        return round(MARGIN + (WIDTH - 2 * MARGIN) * min(max((day - starts_on).days, 0), total) / total, 1)

    bars, day = [], starts_on
    for label, kind, weeks in phases:
        until = day + timedelta(weeks=weeks)
        bars.append(Bar(label, kind, day, x(day), round(x(until) - x(day) - 4, 1)))
        day = until
    # A visit is drawn in the middle of its day, so that the first one does not lie on the edge.
    half = (WIDTH - 2 * MARGIN) / total / 2
    dots = [Dot(on, state, title, url, round(x(on) + half, 1)) for on, state, title, url in visits]
    return Picture(bars, dots, x(checkpoint) if checkpoint else None, x(today) if starts_on <= today <= day else None)
