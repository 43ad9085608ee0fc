"""Series: visits of one patient that belong together. The only writer of Series and SeriesVisit.

A series says how many visits are wanted and when. What is not on the calendar stays owed, and is listed until it is
placed or let go. Placing is all or nothing. What happens to one visit never touches the others unless it is asked for.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.http import Http404

from appointments import booking, patterns, visit_status
from appointments.conflicts import Wanted
from appointments.models import Appointment, AppointmentType, Series, SeriesVisit
from appointments.patterns import Pattern
from appointments.proposals import Choice
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import checked_reason
from locations import access
from locations.models import Location, Practitioner
from patients.models import Patient

_gates: list[Callable[[Series], RuleBroken | None]] = []

THIS, LATER, ALL = "this", "later", "all"
SCOPES = {THIS: "Only this visit", LATER: "This visit and later ones", ALL: "All visits of the series"}


def add_gate(gate: Callable[[Series], RuleBroken | None]) -> None:
    """Packages above say, from `apps.py`, why the visits of a series may not be placed now."""
    _gates.append(gate)


def refusal(series: Series) -> RuleBroken | None:
    """Why nothing of the series may be placed now, or None."""
    if not series.is_open:
        return RuleBroken("The series is closed: no more visits are placed.", code="wrong_status")
    return next((refused for gate in _gates if (refused := gate(series))), None)


@transaction.atomic
def begin(
    *,
    patient: Patient,
    type: AppointmentType,
    practitioner: Practitioner,
    location: Location,
    pattern: Pattern,
    by: User,
    checkpoint_type: AppointmentType | None = None,
    title: str = "Series of visits",
) -> Series:
    """Write down what is wanted. Nothing is booked: every visit is owed."""
    access.require(by, "appointment.create", location)
    if not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
        raise Http404
    pattern.check(today=location.today())
    if pattern.has_checkpoint and checkpoint_type is None:
        message = "There is no appointment type for the re-evaluation."
        raise RuleBroken(message, code="no_visit_type", fields={"checkpoint_after": message}, status=400)
    series = Series.objects.create(
        title=title,
        patient=patient,
        type=type,
        checkpoint_type=checkpoint_type if pattern.has_checkpoint else None,
        practitioner=practitioner,
        location=location,
        pattern=pattern.as_json(),
        begun_by=by,
        begun_at=times.now(),
    )
    SeriesVisit.objects.bulk_create(
        SeriesVisit(series=series, number=one.number, stretch=one.stretch, wanted_on=one.day,
                    wanted_at=pattern.at_time, type=series.wanted_type(one.is_checkpoint))
        for one in patterns.wanted(pattern)
    )  # fmt: skip
    audit.record("series.begun", on=series, by=by, pattern=str(pattern))
    return series


@transaction.atomic
def book(*, choices: Mapping[int, Choice], by: User, days: Mapping[int, date] | None = None, **wanted) -> Series:
    """Begin a series and place its visits, all or nothing. `wanted` is what `begin` takes."""
    series = begin(by=by, **wanted)
    place(series, choices, by=by, days=days)
    return series


@transaction.atomic
def place(
    series: Series,
    choices: Mapping[int, Choice],
    *,
    by: User,
    pattern: Pattern | None = None,
    days: Mapping[int, date] | None = None,
) -> list[Appointment]:
    """Book the chosen times of visits that are owed, by their numbers; the skipped ones stay owed with the reason.

    All or nothing: raises RuleBroken whose `fields` say, by number, why a time cannot be had. `pattern` is how the
    series is wanted from now on, `days` on which days its visits are.
    """
    series = _locked(series, "appointment.create", by=by)
    if refused := refusal(series):
        raise refused
    owed = {visit.number: visit for visit in series.visits.owed().select_related("type")}
    if gone := sorted(set(choices) - set(owed)):
        faults = {str(number): "This visit is no longer owed: it was placed or let go meanwhile." for number in gone}
        raise RuleBroken(_none(len(gone), len(choices)), code="not_owed", fields=faults)
    chosen = {number: choice for number, choice in choices.items() if not choice.is_skipped}
    _check_days(series, {str(number): choice.starts_at for number, choice in chosen.items()})
    booked = booking.book_together(
        {
            str(number): Wanted(series.patient, choice.practitioner, choice.location or series.location,
                                owed[number].type, choice.starts_at, owed[number].type.minutes)
            for number, choice in chosen.items()
        },
        series_visits={str(number): owed[number] for number in chosen},
        by=by,
    )  # fmt: skip
    _note_wishes(series, [owed[number] for number in choices], choices, pattern, days or {})
    audit.record("series.placed", on=series, by=by, booked=len(booked), skipped=len(choices) - len(booked))
    return list(booked.values())


@transaction.atomic
def waive(visit: SeriesVisit, *, by: User, reason: str) -> None:
    """Let a visit that is owed go: it is no longer wanted, and leaves the lists."""
    series = _locked(visit.series, "appointment.change", by=by)
    reason = checked_reason(reason, needed="Say why the visit is no longer wanted.")
    if not series.visits.owed().filter(pk=visit.pk).update(waived_reason=reason):
        raise RuleBroken("This visit is not owed: it was placed or let go meanwhile.", code="not_owed")
    audit.record("series.visit_waived", on=series, by=by, number=visit.number, reason=reason)


@transaction.atomic
def cancel(
    appointment: Appointment, *, scope: str = THIS, by: User, reason: str, still_wanted: bool = True
) -> list[Appointment]:
    """Cancel the visit, or it and later ones, or all that are still ahead; returns those that were cancelled.

    What is still wanted is owed from now on; else it is let go with the reason.
    """
    affected = members(appointment, scope)
    # Held in order of their ids before any is changed: a mail about several of them holds them in that order too.
    list(Appointment.objects.select_for_update().filter(pk__in=[v.pk for v in affected]).order_by("pk"))
    if scope != THIS:
        reason = checked_reason(reason, needed="Say why the visits are cancelled.")
    cancelled = [visit_status.cancel(visit, by=by, reason=reason) for visit in affected]
    if not still_wanted and appointment.series_visit_id:
        ids = [visit.series_visit_id for visit in cancelled]
        kept = reason or "No longer wanted."
        SeriesVisit.objects.filter(pk__in=ids).update(waived_reason=kept[:200])
    return cancelled


@transaction.atomic
def move(appointment: Appointment, choices: Mapping[str, Choice], *, by: User, reason: str = "") -> list[Appointment]:
    """Move visits of the series of this one to the chosen times, by their ids, all or nothing; what is skipped stays.

    Raises RuleBroken whose `fields` say, by id, why a time cannot be had.
    """
    series = _locked(appointment.series_visit.series, "appointment.change", by=by)
    known = {str(visit.pk): visit for visit in members(appointment, ALL)}
    chosen = {key: choice for key, choice in choices.items() if not choice.is_skipped}
    if gone := sorted(set(chosen) - set(known)):
        faults = dict.fromkeys(gone, "This visit is over, cancelled or not of this series.")
        raise RuleBroken(_none(len(gone), len(choices)), code="wrong_status", fields=faults)
    _check_days(series, {key: choice.starts_at for key, choice in chosen.items()}, moving=[int(key) for key in chosen])
    wanted = {
        key: Wanted(visit.patient, choice.practitioner, choice.location or visit.location, visit.type, choice.starts_at,
                    visit.end_minute - visit.start_minute, moving=visit)
        for key, choice in chosen.items()
        for visit in [known[key]]
    }  # fmt: skip
    moved = booking.book_together(wanted, by=by, reason=checked_reason(reason))
    audit.record("series.moved", on=series, by=by, moved=len(moved))
    return list(moved.values())


def members(appointment: Appointment, scope: str) -> list[Appointment]:
    """The visits of the series that can still be moved or cancelled, as far as the scope reaches; this one first."""
    if scope not in SCOPES:
        raise RuleBroken("There is no such choice.", code="invalid", fields={"scope": "Unknown."}, status=400)
    if scope == THIS or appointment.series_visit_id is None:
        return [appointment]
    rows = Appointment.objects.filter(
        series_visit__series=appointment.series_visit.series_id,
        status__in=booking.MOVABLE,
        starts_at__gt=times.now(),
    ).exclude(pk=appointment.pk)
    if scope == LATER:
        rows = rows.filter(starts_at__gt=appointment.starts_at)
    return [
        appointment,
        *rows.with_names().select_related("series_visit__series", "series_visit__type").order_by("starts_at"),
    ]


@transaction.atomic
def set_open(series: Series, is_open: bool) -> None:
    """Whether its debts are listed and can be placed. The right to do so is that of what the series belongs to."""
    Series.objects.filter(pk=series.pk).update(is_open=is_open)


def debts(user: User, action: str = "appointment.read") -> QuerySet[SeriesVisit]:
    """Visits that were skipped, fell off the calendar or are overdue, at the user's locations; longest owed first."""
    visits = SeriesVisit.objects.visible_to(user, action).debts().order_by("wanted_on", "pk")
    return visits.select_related("series__patient", "series__location", "series__practitioner__user", "type")


def with_debts(user: User, action: str = "appointment.read") -> QuerySet[Series]:
    """Series with `owed`, how many such visits each has, and `owed_since`, the day the first was wanted on."""
    owed = SeriesVisit.objects.debts().order_by().values("pk")
    found = Series.objects.visible_to(user, action).filter(visits__in=owed)
    return found.annotate(owed=Count("visits"), owed_since=Min("visits__wanted_on")).order_by("owed_since", "pk")


def _locked(series: Series, action: str, *, by: User) -> Series:
    """The series as it is now, held until COMMIT: a visit that is owed is placed by one person only."""
    fresh = Series.objects.select_for_update(of=("self",)).with_names().get(pk=series.pk)
    access.require(by, action, fresh.location)
    return fresh


def _check_days(series: Series, starts: Mapping[str, datetime], *, moving: Collection[int] = ()) -> None:
    """A series has one visit a day."""
    zone = series.location.time_zone
    standing = Appointment.objects.holding_time().filter(series_visit__series=series).exclude(pk__in=moving)
    taken = {times.day_of(at, zone) for at in standing.values_list("starts_at", flat=True)}
    faults = {}
    for key, starts_at in sorted(starts.items(), key=lambda entry: entry[1]):
        day = times.day_of(starts_at, zone)
        if day in taken:
            faults[key] = f"Another visit of the series is on {day:%B} {day.day} already."
        taken.add(day)
    if faults:
        raise RuleBroken(_none(len(faults), len(starts)), code="two_on_a_day", fields=faults)


def _none(wrong: int, count: int) -> str:
    return f"Nothing was changed: {wrong} of {count} times cannot be had."


def _note_wishes(series, visits, choices, pattern, days) -> None:
    if pattern:
        series.pattern = pattern.as_json()
        series.save(update_fields=["pattern"])
    for visit in visits:
        choice = choices[visit.number]
        visit.skipped_reason = (checked_reason(choice.skip_reason) or "Skipped.") if choice.is_skipped else ""
        visit.wanted_on = days.get(visit.number, visit.wanted_on)
        visit.wanted_at = pattern.at_time if pattern else visit.wanted_at
    SeriesVisit.objects.bulk_update(visits, ["skipped_reason", "wanted_on", "wanted_at"])
