"""Where hours would have somebody in two places at once: by dates in effect, weeks in turn, and two clocks. Reads only.

Days on which one of the clinics is closed do not count: nobody works there then.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import lcm

from django.db.models import Q

from appointments.models import ExtraHours, WeeklyHours
from appointments.timetable.hours import applies, minutes
from clinic import times
from clinic.errors import RuleBroken
from locations.models import Closure, Location
from locations.spans import Span, refusal, spoken

A_DAY = timedelta(days=1)
A_YEAR = 53  # weeks, in which two zones differ in every way they do
MOST_NAMED = 5

Work = WeeklyHours | ExtraHours


@dataclass(frozen=True)
class Meeting:
    """Hours at one clinic and at another, and the first days on which they begin that have somebody at both."""

    one: Work
    other: Work
    day: date
    other_day: date

    def __str__(self):
        what = f"{said(self.one)} here would overlap {said(self.other)} at {self.other.location}"
        again = f", first on {times.spoken_day(self.day)}" if isinstance(self.one, WeeklyHours) else ""
        return f"{self.one.practitioner}: {what}{again}"


def said(row: Work) -> str:
    """`Monday 9:00 AM to 5:00 PM`, or of extra hours the day."""
    if isinstance(row, WeeklyHours):
        return str(Span(row.weekday, row.starts, row.ends, row.ends_next_day))
    return f"the extra hours on {times.spoken_day(row.day)}, {spoken(row.starts)} to {spoken(row.ends)}"


def first(one: Work, other: Work, *, since: date | None = None, closures: Iterable[Closure] = ()) -> Meeting | None:
    """The first time, from `since` on, at which both last, each by the clock of its own clinic."""
    for day in _days(one, other, since):
        if not _begins(one, day) or _is_closed(one, day, closures):
            continue
        starts, ends = minutes(one, day)
        for near in (day - A_DAY, day, day + A_DAY):
            if _begins(other, near) and not _is_closed(other, near, closures):
                a, b = minutes(other, near)
                if a < ends and starts < b:
                    return Meeting(one, other, day, near)
    return None


def refuse_at(
    location: Location, *, begin: date | None = None, end: date | None = None, field: str = "time_zone"
) -> None:
    """Raises RuleBroken `overlapping_hours`, naming who would be here and elsewhere at once by the clocks as now.

    Weekly and extra hours alike, of everybody who is active, at clinics that are open; a few queries. With `begin` and
    `end` only hours here that begin on those days count.
    """
    since = max(begin or date.min, location.today() - A_DAY)  # hours of yesterday may last past midnight
    work = _ahead(since)
    closures = list(Closure.objects.filter(ends_on__gte=since))
    found = []
    for rows in work.values():
        here = [row for row in rows if row.location_id == location.pk]
        elsewhere = [row for row in rows if row.location_id != location.pk]
        pairs = (first(one, other, since=since, closures=closures) for one in here for other in elsewhere)
        found += (meeting for meeting in pairs if meeting and (begin or date.min) <= meeting.day <= (end or date.max))
    if found:
        raise _refusal(sorted(found, key=lambda meeting: (meeting.one.practitioner.name, meeting.day)), field)


def _ahead(since: date) -> dict[int, list[Work]]:
    """By practitioner, all the hours that are not over, at clinics that are open."""
    found = defaultdict(list)
    lasting = Q(valid_until=None) | Q(valid_until__gte=since)
    for rows in (WeeklyHours.objects.filter(lasting), ExtraHours.objects.filter(day__gte=since)):
        rows = rows.filter(practitioner__is_active=True, location__is_open=True)
        for row in rows.select_related("location", "practitioner__user"):
            found[row.practitioner_id].append(row)
    return found


def _refusal(found: list[Meeting], field: str) -> RuleBroken:
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    message = f"{'; '.join(map(str, found[:MOST_NAMED]))}{more}."
    return refusal("overlapping_hours", message, field)


def _days(one: Work, other: Work, since: date | None) -> Iterator[date]:
    """The days on which `one` may begin and meet `other`: while both are in effect, and a day more for the nights."""
    if isinstance(one, ExtraHours):
        yield one.day
        return
    if isinstance(other, ExtraHours):
        yield from (other.day - A_DAY, other.day, other.day + A_DAY)
        return
    same_zone = one.location.time_zone == other.location.time_zone
    if not _weekly(one).overlaps(_weekly(other), margin=0 if same_zone else times.DAY):
        return
    begins = [day for day in (since, one.valid_from, other.valid_from) if day]
    day = max(begins) if begins else one.location.today()
    last = day + timedelta(weeks=max(lcm(one.every_weeks, other.every_weeks), A_YEAR))
    last = min([last, *(row.valid_until for row in (one, other) if row.valid_until)])
    for n in range(-1, (last - day).days + 2):
        yield day + n * A_DAY


def _weekly(row: WeeklyHours) -> Span:
    return Span(row.weekday, row.starts, row.ends, row.ends_next_day)


def _begins(row: Work, day: date) -> bool:
    return row.day == day if isinstance(row, ExtraHours) else applies(row, day)


def _is_closed(row: Work, day: date, closures: Iterable[Closure]) -> bool:
    return any(c.location_id in (None, row.location_id) and c.starts_on <= day <= c.ends_on for c in closures)
