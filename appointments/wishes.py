"""When somebody can come: on which weekdays, and between which hours of the clinic's wall clock. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from appointments.intervals import Intervals, covers, union
from clinic import times
from clinic.errors import RuleBroken

MOST_WINDOWS = 4
MIDNIGHT = time(0)  # as an end: the end of the day
PARTS = {
    "mornings": (MIDNIGHT, time(12)),
    "afternoons": (time(12), time(17)),
    "evenings": (time(17), MIDNIGHT),
}
DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True)
class Wishes:
    """`weekdays` (0 is Monday) and `windows` (from, until) of the day; empty means any.

    A visit has to lie in them wholly; windows that touch are one.
    """

    weekdays: tuple[int, ...] = ()
    windows: tuple[tuple[time, time], ...] = ()

    def __bool__(self):
        return bool(self.weekdays or self.windows)

    def __str__(self):
        """`Mondays and Fridays, mornings`; empty when anything will do."""
        days = "working days" if self.weekdays == (0, 1, 2, 3, 4) else _listed(DAYS[day] for day in self.weekdays)
        return ", ".join(filter(None, (days, _listed(_window(*window) for window in self.windows))))

    def minutes(self, first: date, last: date, zone: str) -> Intervals:
        """The minutes since 1970 that are wished for on those local days of the zone, both included."""
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return union(
            (_minute(day, starts, zone), _minute(day if ends != MIDNIGHT else day + timedelta(days=1), ends, zone))
            for day in days
            if not self.weekdays or day.weekday() in self.weekdays
            for starts, ends in self.windows or [(MIDNIGHT, MIDNIGHT)]
        )

    def allow(self, starts_at: datetime, ends_at: datetime, zone: str) -> bool:
        day = times.day_of(starts_at, zone)
        wished = self.minutes(day, day + timedelta(days=1), zone)
        return covers(wished, times.to_minute(starts_at), times.to_minute(ends_at))

    def check(self) -> None:
        """Raises RuleBroken naming the field that is wrong."""
        if wrong := dict(self._faults()):
            raise RuleBroken(" ".join(wrong.values()), code="invalid", fields=wrong, status=400)

    def _faults(self) -> Iterable[tuple[str, str]]:
        if not set(self.weekdays) <= set(range(7)):
            yield "weekdays", "A weekday is a number from 0 (Monday) to 6 (Sunday)."
        if len(self.windows) > MOST_WINDOWS:
            yield "windows", f"At most {MOST_WINDOWS} stretches of the day."
        elif any(starts >= ends != MIDNIGHT for starts, ends in self.windows):
            yield "windows", "A stretch of the day ends after it starts."

    def as_json(self) -> dict:
        windows = [[f"{starts:%H:%M}", f"{ends:%H:%M}"] for starts, ends in self.windows]
        return {"weekdays": list(self.weekdays), "windows": windows}

    @classmethod
    def from_json(cls, kept: Mapping) -> "Wishes":
        windows = ((time.fromisoformat(starts), time.fromisoformat(ends)) for starts, ends in kept["windows"])
        return cls(tuple(kept["weekdays"]), tuple(windows))


def _minute(day: date, wall: time, zone: str) -> int:
    return times.to_minute(times.instant(day, wall, zone))


def _window(starts: time, ends: time) -> str:
    for name, part in PARTS.items():
        if part == (starts, ends):
            return name
    if starts == MIDNIGHT:
        return f"until {_clock(ends)}"
    return f"from {_clock(starts)}" if ends == MIDNIGHT else f"{_clock(starts)} to {_clock(ends)}"


def _clock(wall: time) -> str:
    return f"{wall:%I:%M %p}".lstrip("0")


def _listed(words: Iterable[str]) -> str:
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last
