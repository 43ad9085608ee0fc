"""What a series wants next, and what to propose for it. Reads, never writes."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, time

from appointments import patterns, proposals
from appointments.models import Appointment, AppointmentType, Series
from appointments.patterns import Pattern
from appointments.proposals import Line, Wish
from appointments.series import Choice
from clinic import times
from clinic.errors import RuleBroken
from locations.models import Location, Practitioner
from patients.models import Patient


def propose_new(
    *,
    patient: Patient,
    type: AppointmentType,
    practitioner: Practitioner,
    location: Location,
    pattern: Pattern,
    checkpoint_type: AppointmentType | None = None,
) -> list[Line]:
    """A line for every visit of a pattern; the key of each is its number."""
    today = location.today()
    pattern.check(today=today)
    visits = patterns.wanted(pattern)
    days = patterns.redate([one.day for one in visits], weekdays=pattern.weekdays, taken=(), earliest=today)
    wishes = [
        Wish(str(one.number), patient, checkpoint_type if one.is_checkpoint else type, location, practitioner, day,
             pattern.at_time)
        for one, day in zip(visits, days, strict=True)
    ]  # fmt: skip
    return proposals.propose(wishes, taken_days=_taken_days(patient, location, {type, checkpoint_type} - {None}))


def propose_owed(series: Series, *, weekdays: Collection[int], at_time: time, stretch: int | None = None) -> list[Line]:
    """A line for every visit that is owed (of one stretch of the pattern), as if it had these weekdays and this time.

    A series of which nothing was placed yet starts today at the earliest; days that have passed give way to later ones.
    """
    today = series.location.today()
    owed = series.visits.owed().select_related("type")
    owed = list(owed if stretch is None else owed.filter(stretch=stretch))
    pattern = _as_if(series, weekdays, at_time, stretch)
    days = {one.number: one.day for one in patterns.wanted(pattern)}
    standing = Appointment.objects.holding_time().filter(series_visit__series=series)
    days = patterns.redate(
        [days[visit.number] for visit in owed],
        weekdays=weekdays,
        taken={times.day_of(at, series.location.time_zone) for at in standing.values_list("starts_at", flat=True)},
        earliest=today,
    )
    wishes = [
        Wish(str(visit.number), series.patient, visit.type, series.location, series.practitioner, day, at_time)
        for visit, day in zip(owed, days, strict=True)
    ]
    types = {visit.type for visit in owed}
    return proposals.propose(wishes, taken_days=_taken_days(series.patient, series.location, types))


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
    return replace(pattern, starts_on=starts_on, weekdays=tuple(weekdays), at_time=at_time)


def accept(lines: Iterable[Line]) -> dict[int, Choice]:
    """Take every line as it is proposed; where nothing is free the visit is skipped, with the reason."""
    return {
        int(line.wish.key): Choice(line.slot.starts_at, line.slot.practitioner)
        if line.slot
        else Choice(skip_reason=line.why)
        for line in lines
    }


def _taken_days(patient: Patient, location: Location, types: Collection[AppointmentType]) -> set[date]:
    """Days from today on which the patient already has a visit of one of the types, in this series or not."""
    visits = Appointment.objects.holding_time().filter(patient=patient, type__in=types)
    ahead = visits.filter(starts_at__gte=times.day_bounds(location.today(), location.time_zone)[0])
    return {times.day_of(at, location.time_zone) for at in ahead.values_list("starts_at", flat=True)}
