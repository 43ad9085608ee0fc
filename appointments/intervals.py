"""Half-open intervals of whole minutes, as sorted lists of (start, end). Pure: no clock, no database."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Interval = tuple[int, int]
Intervals = list[Interval]


def union(*many: Iterable[Interval]) -> Intervals:
    """All minutes in any of them; touching intervals become one, empty ones disappear."""
    merged: Intervals = []
    for start, end in sorted(i for intervals in many for i in intervals if i[0] < i[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def intersection(one: Intervals, other: Intervals) -> Intervals:
    """Minutes in both. Both must be sorted and without overlaps, as `union` returns them."""
    found: Intervals = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            found.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return found


def subtraction(whole: Intervals, holes: Intervals) -> Intervals:
    """Minutes of `whole` in none of the `holes`. Both sorted and without overlaps."""
    left: Intervals = []
    for start, end in whole:
        position = max(0, bisect_right(holes, (start, start)) - 1)
        for hole_start, hole_end in holes[position:]:
            if hole_start >= end:
                break
            if start < hole_start:
                left.append((start, hole_start))
            start = max(start, hole_end)
        if start < end:
            left.append((start, end))
    return left


def overlaps(intervals: Iterable[Interval], start: int, end: int) -> bool:
    return any(a < end and b > start for a, b in intervals)


def covers(intervals: Iterable[Interval], start: int, end: int) -> bool:
    """Whether one interval holds the whole span."""
    return any(a <= start and end <= b for a, b in intervals)


def starts_within(open_time: Intervals, minutes: int) -> Intervals:
    """The start minutes at which a visit of that length fits: each interval, shortened by the visit."""
    return [(a, b - minutes + 1) for a, b in open_time if b - a >= minutes]


def starts_blocked(busy: Iterable[Interval], minutes: int, before: int = 0, after: int = 0) -> Iterator[Interval]:
    """The start minutes at which a visit with those buffers would touch something busy; neither sorted nor merged."""
    for a, b in busy:
        yield a - minutes - after + 1, b + before


def on_grid(starts: Intervals, step: int, offset: int = 0) -> Iterator[int]:
    """The start minutes, in order, that are multiples of `step` on a clock that is `offset` minutes ahead."""
    for a, b in starts:
        yield from range(a + -(a + offset) % step, b, step)
