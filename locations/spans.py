"""Stretches of the week by the wall clock: what may be written as opening or working hours. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import time
from itertools import combinations

from clinic.errors import RuleBroken
from locations.models import Weekday

DAY, WEEK = 1440, 7 * 1440


@dataclass(frozen=True, order=True)
class Span:
    """From a time on a weekday (0 is Monday) to a later one, or, only if it says so, to a time on the next day."""

    weekday: int
    starts: time
    ends: time
    ends_next_day: bool = False

    def __str__(self):
        on = " on the next day" if self.ends_next_day else ""
        return f"{Weekday(self.weekday).label} {spoken(self.starts)} to {spoken(self.ends)}{on}"

    @property
    def minutes(self) -> tuple[int, int]:
        """Minutes since the beginning of the week; the end may lie behind the week's."""
        start = self.weekday * DAY + _minute(self.starts)
        return start, (self.weekday + self.ends_next_day) * DAY + _minute(self.ends)

    def overlaps(self, other: "Span", *, margin: int = 0) -> bool:
        """Whether they meet in one and the same week, or across its end, or come as near as the margin of minutes."""
        (a, b), (c, d) = self.minutes, other.minutes
        return any(a < d + shift + margin and c + shift < b + margin for shift in (-WEEK, 0, WEEK))


def check(spans: Iterable[Span], field: str) -> list[Span]:
    """The spans in order. Raises RuleBroken `ends_before_start` or `overlapping_hours`, naming which."""
    found = sorted(spans)
    for span in found:
        start, end = span.minutes
        if not start < end <= start + DAY:
            hint = "it is longer than a day" if end > start else "does it end on the next day?"
            raise refusal("ends_before_start", f"{span} ends before it starts: {hint}", field)
    for one, other in combinations(found, 2):
        if one.overlaps(other):
            raise refusal("overlapping_hours", f"{one} and {other} overlap.", field)
    return found


def outside(span: Span, others: Iterable[Span]) -> Iterator[Span]:
    """What of the span lies in none of the others, in order; a week follows on itself."""
    start, end = span.minutes
    within = sorted((a + shift, b + shift) for a, b in (o.minutes for o in others) for shift in (-WEEK, 0, WEEK))
    for a, b in within:
        if start < min(a, end) and b > start:
            yield _span(start, min(a, end))
        start = max(start, b)
    if start < end:
        yield _span(start, end)


def _span(start: int, end: int) -> Span:
    begins, ends = (time(*divmod(minute % DAY, 60)) for minute in (start, end))
    return Span(start // DAY % 7, begins, ends, end // DAY > start // DAY)


def refusal(code: str, message: str, field: str) -> RuleBroken:
    return RuleBroken(message, code=code, fields={field: message}, status=400)


def spoken(at: time) -> str:
    """`9:00 AM`"""
    return f"{at:%I:%M %p}".lstrip("0")


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
