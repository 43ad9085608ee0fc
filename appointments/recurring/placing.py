"""What a series asks for next: its wishes, to be proposed for. Reads, never writes."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, time

from appointments.models import Appointment, AppointmentType, Series
from appointments.recurring import patterns, series_days
from appointments.recurring.patterns import Pattern
from appointments.recurring.proposals import FURTHEST, Question, Wish
from clinic import times
from clinic.errors import RuleBroken
from locations.models import Location, Practitioner
from patients.models import Patient

CHECKPOINT_TYPE = "re-evaluation"


@dataclass(frozen=True, kw_only=True)
class Asked(Question):
    """The wishes of a series by the numbers of its visits, and the pattern they come of."""

    pattern: Pattern

    @property
    def days(self) -> dict[int, date]:
        return {int(wish.key): wish.day for wish in self.wishes}


def checkpoint_type() -> AppointmentType | None:
    """What a re-evaluation is booked as, where the group has such visits."""
    return AppointmentType.objects.filter(slug=CHECKPOINT_TYPE).first()


def new(
    *,
    patient: Patient,
    type: AppointmentType,
    practitioner: Practitioner,
    location: Location,
    pattern: Pattern,
    checkpoint_type: AppointmentType | None = None,
    nearby: Collection[Location] = (),
) -> Asked:
    """A wish for every visit of a pattern; the key of each is its number. Locations `nearby` are a second choice."""
    today = location.today()
    pattern.check(today=today)
    visits = patterns.wanted(pattern)
    days = patterns.redate([one.day for one in visits], weekdays=pattern.weekdays, taken=(), earliest=today)
    wishes = [
        Wish(str(one.number), patient, checkpoint_type if one.is_checkpoint else type, location, practitioner, day,
             pattern.at_time, label=checkpoint_type.name if one.is_checkpoint else f"Visit {one.number}",
             nearby=tuple(nearby))
        for one, day in zip(visits, days, strict=True)
    ]  # fmt: skip
    taken = taken_days(patient, location, {type, checkpoint_type} - {None})
    return Asked(pattern=pattern, wishes=wishes, taken_days=taken, furthest=FURTHEST)


def owed(
    series: Series,
    *,
    weekdays: Collection[int],
    at_time: time,
    stretch: int | None = None,
    only_checkpoint: bool = False,
) -> Asked:
    """A wish for every visit that is owed (of one stretch of the pattern), as if it had these weekdays and this time.

    A series of which nothing was placed yet starts today at the earliest; days that have passed give way to later ones.
    """
    pattern = _as_if(series, weekdays, at_time, stretch)
    rows = series.visits.owed().select_related("type", "series")
    rows = [row for row in (rows if stretch is None else rows.filter(stretch=stretch))
            if row.is_checkpoint or not only_checkpoint]  # fmt: skip
    days = _days_by_number(series, pattern)
    days = patterns.redate(
        [days[visit.number] for visit in rows],
        weekdays=pattern.weekdays,
        taken=series_days.days(series),
        earliest=series.location.today(),
    )
    wishes = [
        Wish(str(visit.number), series.patient, visit.type, series.location, series.practitioner, day, at_time,
             label=visit.label)
        for visit, day in zip(rows, days, strict=True)
    ]  # fmt: skip
    taken = taken_days(series.patient, series.location, {visit.type for visit in rows})
    return Asked(pattern=pattern, wishes=wishes, taken_days=taken, furthest=FURTHEST)


def _days_by_number(series: Series, pattern: Pattern) -> dict[int, date]:
    """The days of the pattern for its treatment visits and its first checkpoint, in their order; a visit that came
    later has the day of its own.
    """
    wanted = patterns.wanted(pattern)
    treatments = iter([one.day for one in wanted if not one.is_checkpoint])
    checkpoints = iter([one.day for one in wanted if one.is_checkpoint])
    rows = series.visits.order_by("number").values_list("number", "type", "wanted_on")
    return {
        number: next(treatments if type == series.type_id else checkpoints, wanted_on)
        for number, type, wanted_on in rows
    }


def moved(visit: Appointment, members: list[Appointment], *, day: date, at_time: time, practitioner=None) -> Question:
    """A wish for each of the members, by its id: as many days on as the visit goes to `day`, all at the same time."""
    by = day - visit.local_start.date()
    wishes = [
        Wish(str(one.pk), one.patient, one.type, one.location, practitioner or one.practitioner,
             one.local_start.date() + by, at_time, moving=one, label=one.series_visit.label)
        for one in members
    ]  # fmt: skip
    types = {one.type for one in members}
    taken = taken_days(visit.patient, visit.location, types, without=[one.pk for one in members])
    return Question(wishes=wishes, taken_days=taken, furthest=FURTHEST)


def same_pass(visit: Appointment, at_time: time) -> time:
    """A time that is not changed stays the same of the two in the hour that comes twice."""
    now = visit.local_start.time()
    return now if at_time == now else at_time


def _as_if(series: Series, weekdays: Collection[int], at_time: time, stretch: int | None) -> Pattern:
    """The pattern of the series on these weekdays and at this time; begun anew where nothing was placed yet."""
    pattern = series.as_pattern
    asked = [s for n, s in enumerate(pattern.stretches, 1) if stretch in (None, n)]
    if not asked:
        message = "The series has no such part."
        raise RuleBroken(message, code="invalid", fields={"stretch": message}, status=400)
    if fault := patterns.weekdays_fault(weekdays, asked):
        raise RuleBroken(fault, code="invalid", fields={"weekdays": fault}, status=400)
    starts_on, today = pattern.starts_on, series.location.today()
    if starts_on < today and not Appointment.objects.filter(series_visit__series=series).exists():
        starts_on = today
    return replace(pattern, starts_on=starts_on, weekdays=tuple(sorted(set(weekdays))), at_time=at_time)


def taken_days(
    patient: Patient, location: Location, types: Collection[AppointmentType], without: Collection[int] = ()
) -> set[date]:
    """Days from today on which the patient already has a visit of one of the types, in this series or not."""
    visits = Appointment.objects.holding_time().filter(patient=patient, type__in=types).exclude(pk__in=without)
    first, _ = times.day_bounds(location.today(), location.time_zone)
    return _days(visits.filter(starts_at__gte=first), location)


def _days(visits, location: Location) -> set[date]:
    return {times.day_of(at, location.time_zone) for at in visits.values_list("starts_at", flat=True)}
