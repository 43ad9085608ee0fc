"""The only place where an instant becomes a local day or hour, or the other way round.

Instants are aware datetimes in UTC; days are dates in a location's zone. Arithmetic is done in UTC: adding hours to
a local time is wrong on the two days a year when the clock changes.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone

from clinic.errors import RuleBroken

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
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


def exact(day: date, wall: time, zone_name: str) -> datetime:
    """As `instant`, but refuses a time that does not exist; a repeated hour means its first pass."""
    if not exists(datetime.combine(day, wall), zone_name):
        message = f"{wall:%H:%M} does not exist on {day:%B} {day.day}: the clock is put forward in that hour."
        raise RuleBroken(message, code="no_such_time", fields={"starts_at": message}, status=400)
    return instant(day, wall, zone_name)


def day_bounds(day: date, zone_name: str) -> tuple[datetime, datetime]:
    """First instant of the day and of the next day: 23, 24 or 25 hours apart."""
    return instant(day, time.min, zone_name), instant(day + timedelta(days=1), time.min, zone_name)


def today(zone_name: str) -> date:
    return day_of(now(), zone_name)


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
    """`Tuesday, March 3, 2026 at 9:00 AM EST`: the zone is always named."""
    at = local(instant_, zone_name)
    day = f"{at:%A, %B} {at.day}" + (f", {at.year}" if year else "")
    return f"{day} at {at:%I:%M %p %Z}".replace(" at 0", " at ")
