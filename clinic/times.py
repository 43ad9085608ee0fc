"""The only place where an instant becomes a local day or hour, or the other way round.

Instants are aware datetimes in UTC; days are dates in a location's zone. Arithmetic is done in UTC: adding hours to
a local time is wrong on the two days a year when the clock changes.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import gettext

from clinic.errors import RuleBroken

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
DAY = 1440  # minutes, but for the two days a year on which the clock changes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = frozenset(z for z in available_timezones() if "/" in z and not z.startswith("Etc/"))


_as_of: ContextVar[datetime | None] = ContextVar("as_of", default=None)


def now() -> datetime:
    return _as_of.get() or timezone.now()


@contextmanager
def as_of(instant_: datetime):
    """Let the rules write as if it were then: for history that is loaded, the demo clinic's. Never in a request."""
    token = _as_of.set(instant_)
    try:
        yield
    finally:
        _as_of.reset(token)


def zone(name: str) -> ZoneInfo:
    """Raises RuleBroken for anything that is not the name of a place's zone (`EST`, `+05:00`, `../x`)."""
    if name not in ZONES:
        raise RuleBroken(
            "Unknown time zone.", code="unknown_zone", fields={"time_zone": "Unknown time zone."}, status=400
        )
    return ZoneInfo(name)


class WallClock(datetime):
    """A local time that templates show as it is: Django would turn any other aware time into UTC."""

    convert_to_local_time = False


def local(instant: datetime, zone_name: str) -> WallClock:
    at = instant.astimezone(ZoneInfo(zone_name))
    return WallClock.combine(at.date(), at.timetz()).replace(fold=at.fold)  # a subclass's combine() drops the fold


def day_of(instant: datetime, zone_name: str) -> date:
    return local(instant, zone_name).date()


def exists(wall: datetime, zone_name: str) -> bool:
    """Whether a naive wall-clock time happens at all in the zone (it does not in the spring gap)."""
    aware = wall.replace(tzinfo=ZoneInfo(zone_name))
    return aware.astimezone(UTC).astimezone(ZoneInfo(zone_name)).replace(tzinfo=None, fold=0) == wall.replace(fold=0)


def happens_twice(wall: datetime, zone_name: str) -> bool:
    place = ZoneInfo(zone_name)
    first, second = (wall.replace(tzinfo=place, fold=f).astimezone(UTC) for f in (0, 1))
    return first != second and exists(wall, zone_name)


def instant(day: date, wall: time, zone_name: str, *, fold: int = 0) -> datetime:
    """The instant of a wall-clock time. A time in the spring gap becomes the first real instant after the gap."""
    naive = datetime.combine(day, wall)
    place = ZoneInfo(zone_name)
    if exists(naive, zone_name):
        return naive.replace(tzinfo=place, fold=fold).astimezone(UTC)
    before = naive.replace(tzinfo=place, fold=1).astimezone(UTC)  # offset after the change: an instant before it
    after = naive.replace(tzinfo=place, fold=0).astimezone(UTC)
    offset = before.astimezone(place).utcoffset()
    while before < after:  # gaps are whole minutes; at most 1,440 of them
        before += timedelta(minutes=1)
        if before.astimezone(place).utcoffset() != offset:
            break
    return before


def same_wall(instant_: datetime, zone_name: str, new_zone: str) -> datetime:
    """When the wall of the other zone shows what that of the first shows at the instant, in the same pass; as `instant`
    where the other one skips it.
    """
    wall = local(instant_, zone_name)
    return instant(wall.date(), wall.time(), new_zone, fold=wall.fold)


def passes(day: date, wall: time, zone_name: str) -> dict[str, datetime]:
    """The two instants of a wall-clock time in the hour that comes twice, by what the clock is called: EDT, then EST.

    Nothing for any other time.
    """
    if not happens_twice(datetime.combine(day, wall), zone_name):
        return {}
    both = (instant(day, wall, zone_name, fold=fold) for fold in (0, 1))
    return {f"{local(one, zone_name):%Z}": one for one in both}


class RepeatedHour(NamedTuple):
    """When the clock is put back: minutes since midnight that come twice on the day, and what each pass is called."""

    day: date
    begins: int
    ends: int
    first: str
    second: str


@lru_cache(maxsize=1_000)
def repeated_hours(year: int, zone_name: str) -> tuple[RepeatedHour, ...]:
    """Those of a year, in order; one in most zones that have summer time."""
    found = []
    day = date(year, 1, 1)
    while day.year == year:
        start, next_start = day_start(day, zone_name), day_start(day + timedelta(days=1), zone_name)
        if next_start - start > DAY:
            edges = _offsets_of_day(day, zone_name)
            for (_, before), (at, after) in pairwise(edges):
                begins = at + after - (start + edges[0][1])
                names = (f"{local(from_minute(minute), zone_name):%Z}" for minute in (at - 1, at))
                found.append(RepeatedHour(day, begins, begins + before - after, *names))
        day += timedelta(days=1)
    return tuple(found)


def exact(day: date, wall: time, zone_name: str) -> datetime:
    """As `instant`, but refuses a time that does not exist; a repeated hour means its first pass."""
    if not exists(datetime.combine(day, wall), zone_name):
        message = f"{wall:%H:%M} does not exist on {day:%B} {day.day}: the clock is put forward in that hour."
        raise RuleBroken(message, code="no_such_time", fields={"starts_at": message}, status=400)
    return instant(day, wall, zone_name)


def day_bounds(day: date, zone_name: str) -> tuple[datetime, datetime]:
    """First instant of the day and of the next day: 23, 24 or 25 hours apart."""
    return instant(day, time.min, zone_name), instant(day + timedelta(days=1), time.min, zone_name)


@lru_cache(maxsize=20_000)
def day_start(day: date, zone_name: str) -> int:
    """The minute (as `to_minute`) in which a local day begins. Remembered: every search asks the same days again."""
    return to_minute(instant(day, time.min, zone_name))


def wall_minute(day: date, since_midnight: int, zone_name: str) -> int:
    """The minute of a wall clock given in minutes since midnight, 1440 and more being on the next day; as `instant`."""
    if since_midnight >= DAY:
        day, since_midnight = day + timedelta(days=1), since_midnight - DAY
    start = day_start(day, zone_name)
    if day_start(day + timedelta(days=1), zone_name) - start == DAY:
        return start + since_midnight
    return to_minute(instant(day, time(*divmod(since_midnight, 60)), zone_name))


@lru_cache(maxsize=1_000)
def _offsets_of_day(day: date, zone_name: str) -> tuple[tuple[int, int], ...]:
    """(first minute, minutes east of UTC) of each stretch of a local day without a clock change."""
    place, found = ZoneInfo(zone_name), []
    for minute in range(day_start(day, zone_name), day_start(day + timedelta(days=1), zone_name), 15):
        offset = int(from_minute(minute).astimezone(place).utcoffset().total_seconds()) // 60
        if not found or found[-1][1] != offset:
            found.append((minute, offset))
    return tuple(found)


def offsets_between(begin: int, end: int, zone_name: str) -> list[tuple[int, int, int]]:
    """(from minute, until minute, minutes east of UTC) of the stretches without a clock change that cover the span."""
    day = day_of(from_minute(begin), zone_name)
    found: list[tuple[int, int, int]] = []
    while not found or found[-1][1] < end:
        edges = [*_offsets_of_day(day, zone_name), (day_start(day := day + timedelta(days=1), zone_name), 0)]
        for (start, offset), (stop, _) in pairwise(edges):
            if found and found[-1][2] == offset:
                found[-1] = (found[-1][0], stop, offset)
            else:
                found.append((start, stop, offset))
    return found


def today(zone_name: str) -> date:
    return day_of(now(), zone_name)


def earliest_today() -> date:
    """The day that it still is somewhere on earth: what ended before it is over, wherever that was."""
    return (now() - timedelta(hours=12)).date()


def to_minute(instant_: datetime) -> int:
    """Whole minutes since 1970, UTC."""
    return int((instant_ - _EPOCH).total_seconds() // 60)


def from_minute(minute: int) -> datetime:
    return _EPOCH + timedelta(minutes=minute)


def check_range(instant_: datetime, field: str) -> datetime:
    if not EARLIEST <= instant_ < LATEST:
        message = "The date is too far in the past or the future."
        raise RuleBroken(message, code="out_of_range", fields={field: message}, status=400)
    return instant_


def spoken(instant_: datetime, zone_name: str, *, year: bool = True) -> str:
    """`Tuesday, March 3, 2026 at 9:00 AM EST`, in the reader's language: the zone is always named."""
    at = local(instant_, zone_name)
    hour = f"{at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'} {at:%Z}"
    return gettext("%(day)s at %(hour)s") % {"day": spoken_day(at.date(), year=year), "hour": hour}


def spoken_day(day: date, *, year: bool = True) -> str:
    """`Tuesday, March 3, 2026`, in the reader's language."""
    form = gettext("%(weekday)s, %(month)s %(day)s, %(year)s") if year else gettext("%(weekday)s, %(month)s %(day)s")
    return form % {"weekday": WEEKDAYS[day.weekday()], "month": MONTHS[day.month], "day": day.day, "year": day.year}
