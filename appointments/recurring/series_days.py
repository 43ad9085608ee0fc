"""A series has one visit a day, by the clock of its clinic: on which days others of it stand, and who cannot go there.

The one place that knows. Whoever books, moves or takes a step back asks `check` or `refused`; whoever looks for times
leaves out what `of_others`, `barred` or `blocked` say.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from appointments.intervals import Intervals
from appointments.models import Appointment, Series, SeriesVisit
from appointments.timetable.hours import ONE_DAY
from clinic import times
from clinic.errors import RuleBroken

_GONE = {Appointment.Status.CANCELLED, Appointment.Status.NO_SHOW}


@dataclass(frozen=True)
class Going:
    """A visit of a series and when it is to be: the id of what the series asks for, and the visit that moves."""

    series_visit_id: int
    starts_at: datetime
    moving: Appointment | None = None

    def has_its_day(self, day: date, zone: str) -> bool:
        """On a day on which it stands already it may get another hour."""
        visit = self.moving
        return visit is not None and visit.status not in _GONE and times.day_of(visit.starts_at, zone) == day


def check(visit: Appointment, starts_at: datetime) -> None:
    """Raises RuleBroken (`two_on_a_day`) where the visit would come to another one of its series."""
    if visit.series_visit_id is None:
        return
    refused_one = refused({"starts_at": Going(visit.series_visit_id, starts_at, visit)})
    if fault := refused_one.get("starts_at"):
        raise fault


def refused(going: Mapping[str, Going]) -> dict[str, RuleBroken]:
    """By key, those that would come to another one of their series; two queries, however many go.

    What goes together makes room for each other; of two that go to one day the later is refused.
    """
    if not going:
        return {}
    rows = SeriesVisit.objects.filter(pk__in={one.series_visit_id for one in going.values()}).order_by()
    rows = rows.values_list("pk", "series", "series__location__time_zone")
    of_series = {pk: (series, zone) for pk, series, zone in rows}
    moving = [one.moving.pk for one in going.values() if one.moving]
    taken = of_others(dict(of_series.values()), without=moving)
    placed = []
    for key, one in going.items():
        series, zone = of_series[one.series_visit_id]
        day = times.day_of(one.starts_at, zone)
        placed.append((not one.has_its_day(day, zone), one.starts_at, key, series, day))
    faults = {}
    for is_new_there, _, key, series, day in sorted(placed, key=lambda one: one[:2]):
        if is_new_there and day in taken[series]:
            message = f"Another visit of the series is on {day:%B} {day.day} already."
            faults[key] = RuleBroken(message, code="two_on_a_day", fields={"starts_at": message})
        taken[series].add(day)
    return faults


def of_others(zones: Mapping[int, str], *, without: Collection[int] = ()) -> dict[int, set[date]]:
    """The days on which visits stand, by the ids of the series whose zones are given; `without` some visits' ids."""
    taken = defaultdict(set)
    for series, _, starts_at in _standing(zones, without):
        taken[series].add(times.day_of(starts_at, zones[series]))
    return taken


def days(series: Series) -> set[date]:
    """The days on which visits of this series stand."""
    return of_others({series.pk: series.location.time_zone})[series.pk]


def barred(visits: Iterable[Appointment]) -> dict[int, set[date]]:
    """By visit, the days on which it cannot go; two queries for all."""
    return {pk: found for pk, (_, found) in _closed_to(visits).items()}


def blocked(visits: Iterable[Appointment]) -> Intervals:
    """The same in minutes, for all of them."""
    return [
        (times.day_start(day, zone), times.day_start(day + ONE_DAY, zone))
        for zone, found in _closed_to(visits).values()
        for day in found
    ]


def _closed_to(visits: Iterable[Appointment]) -> dict[int, tuple[str, set[date]]]:
    """By visit: the zone of its series, and the days of the others of it that stand, without its own day."""
    ids = [visit.pk for visit in visits if visit.series_visit_id]
    if not ids:
        return {}
    moving = Appointment.objects.filter(pk__in=ids).order_by()
    of_series = ("series_visit__series", "series_visit__series__location__time_zone")
    rows = list(moving.values_list("pk", "starts_at", "status", *of_series))
    standing = defaultdict(list)
    for series, pk, starts_at in _standing({series for _, _, _, series, _ in rows}, ()):
        standing[series].append((pk, starts_at))
    found = {}
    for pk, starts_at, status, series, zone in rows:
        others = {times.day_of(at, zone) for other, at in standing[series] if other != pk}
        own = set() if status in _GONE else {times.day_of(starts_at, zone)}
        found[pk] = zone, others - own
    return found


def _standing(series: Collection[int], without: Collection[int]) -> list[tuple[int, int, datetime]]:
    rows = Appointment.objects.holding_time().filter(series_visit__series__in=list(series)).exclude(pk__in=without)
    return list(rows.order_by().values_list("series_visit__series", "pk", "starts_at"))
