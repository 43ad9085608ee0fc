"""When mails that can wait go out: not in the quiet hours, and where it is asked only on days when the clinic is open.

The only writer of MailHours. `Calm` is the arithmetic, without the database: instants in and out, hours by the wall
clock of the location. What answers something that just happened (a notice) does not wait. A free time is offered on any
day, but not in the quiet hours: who reads of it on a Saturday can take it alone.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access
from locations.models import Closure, Location, MailHours, OpeningHours

QUIET_FROM, QUIET_UNTIL = time(20), time(8)
MARGIN = timedelta(hours=1)  # what moves before the quiet hours still has time to be tried twice, and to be read
FARTHEST = 31  # days: a clinic closed for longer has nobody who would wait for it
_DAY = timedelta(days=1)
_EVERY_DAY = frozenset(range(7))

Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Calm:
    """When mails of one location may go out. `closed` are first and last days of closures, both included."""

    zone: str
    quiet_from: time = QUIET_FROM
    quiet_until: time = QUIET_UNTIL
    weekdays: frozenset[int] = _EVERY_DAY
    closed: tuple[tuple[date, date], ...] = field(default=())

    @property
    def any_day(self) -> "Calm":
        """The quiet hours alone."""
        return replace(self, weekdays=_EVERY_DAY, closed=())

    def allows(self, at: datetime) -> bool:
        return any(begins <= at < ends for begins, ends in self._around(at, 1))

    def earlier(self, at: datetime) -> datetime:
        """The instant itself where it is allowed, else an hour before the stretch in which it is not."""
        past = [window for window in self._around(at, FARTHEST) if window[0] <= at]
        if not past:
            return at
        begins, ends = past[-1]
        return at if at < ends else max(begins, ends - MARGIN)

    def later(self, at: datetime) -> datetime:
        """The instant itself where it is allowed, else the first one after it that is."""
        ahead = [window for window in self._around(at, FARTHEST) if window[1] > at]
        return max(at, ahead[0][0]) if ahead else at

    def last_moved_to(self, at: datetime) -> datetime:
        """The latest instant that `earlier` may bring to `at` or before it: where to look for what is due at `at`."""
        windows = self._around(at, FARTHEST)
        if any(begins <= at < ends - MARGIN for begins, ends in windows):
            return at
        return next((begins for begins, _ in windows if begins > at), at + FARTHEST * _DAY)

    def _around(self, at: datetime, days: int) -> list[Window]:
        """What is allowed from so many days before the instant's day to as many after it, in order, joined."""
        day = times.day_of(at, self.zone)
        joined: list[Window] = []
        for ahead in range(-days, days + 1):
            for begins, ends in self._of(day + ahead * _DAY):
                if joined and joined[-1][1] == begins:
                    joined[-1] = (joined[-1][0], ends)
                else:
                    joined.append((begins, ends))
        return joined

    def _of(self, day: date) -> list[Window]:
        if day.weekday() not in self.weekdays or any(first <= day <= last for first, last in self.closed):
            return []
        midnight, next_midnight = times.day_bounds(day, self.zone)
        if self.quiet_from == self.quiet_until:
            return [(midnight, next_midnight)]
        # In the hour that comes twice it is quiet from the first pass, or until the second.
        hushed = times.instant(day, self.quiet_from, self.zone)
        awake = times.instant(day, self.quiet_until, self.zone, fold=1)
        overnight = self.quiet_until < self.quiet_from
        found = [(awake, hushed)] if overnight else [(midnight, hushed), (awake, next_midnight)]
        return [window for window in found if window[0] < window[1]]


def load(locations: Iterable[Location] | None = None) -> dict[int, Calm]:
    """By the location's id; four queries, however many locations."""
    places = list(Location.objects.all() if locations is None else locations)
    rows = {row.location_id: row for row in MailHours.objects.all()}
    weekdays = defaultdict(set)
    for location, weekday in OpeningHours.objects.values_list("location", "weekday"):
        weekdays[location].add(weekday)
    closed = defaultdict(list)
    since = times.earliest_today() - FARTHEST * _DAY
    for closure in Closure.objects.filter(ends_on__gte=since):
        closed[closure.location_id].append((closure.starts_on, closure.ends_on))
    found = {}
    for place in places:
        row = rows.get(place.pk) or rows.get(None) or MailHours()
        days = frozenset(weekdays[place.pk]) if row.on_open_days_only and weekdays[place.pk] else _EVERY_DAY
        shut = tuple(closed[place.pk] + closed[None]) if row.on_open_days_only else ()
        found[place.pk] = Calm(place.time_zone, row.quiet_from, row.quiet_until, days, shut)
    return found


def of(location: Location | None) -> MailHours:
    """The hours that hold at the location, or for the group; unsaved where nobody set any."""
    rows = {row.location_id: row for row in MailHours.objects.filter(Q(location=location) | Q(location=None))}
    return rows.get(location.pk if location else None) or rows.get(None) or MailHours()


@transaction.atomic
def set_hours(
    location: Location | None, *, quiet_from: time, quiet_until: time, on_open_days_only: bool, by: User
) -> MailHours:
    """Of one location, or of all that have none of their own. The same hour twice means no quiet hours."""
    _require(location, by)
    long = (datetime.combine(date.min, quiet_until) - datetime.combine(date.min, quiet_from)).seconds
    if long > 20 * 3600:
        message = "At least four hours of the day must be left in which mails may go out."
        raise RuleBroken(message, code="invalid", fields={"quiet_until": message}, status=400)
    row, _ = MailHours.objects.update_or_create(
        location=location,
        defaults={"quiet_from": quiet_from, "quiet_until": quiet_until, "on_open_days_only": on_open_days_only},
    )
    audit.record(
        "mail_hours.set", on=row, by=by, location=location.slug if location else "", quiet_from=f"{quiet_from:%H:%M}",
        quiet_until=f"{quiet_until:%H:%M}", on_open_days_only=on_open_days_only,
    )  # fmt: skip
    return row


@transaction.atomic
def forget(location: Location, *, by: User) -> None:
    """From now on the location keeps the hours of the group. Safe to repeat."""
    _require(location, by)
    row = MailHours.objects.filter(location=location).first()
    if row:
        audit.record("mail_hours.forgotten", on=row, by=by, location=location.slug)
        row.delete()


def _require(location, by):
    if location is not None:
        access.require(by, "location.change", location)
    elif access.location_ids(by, "location.change") is not None:
        raise PermissionDenied
