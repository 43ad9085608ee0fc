"""Care plans from the draft to their end: the only writer of the plan tables.

A plan is written from a signed evaluation of the same patient and becomes active only when nothing in `blocks` stands
against it. A patient has at most one active plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from appointments import availability, booking
from appointments.models import AppointmentType
from careplans import blocks, free_times, metrics, placing
from careplans.contents import LONGEST_AHEAD, Contents
from careplans.models import CarePlan, Goal, Intervention, Phase, PlannedVisit
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import clean_line, clean_note
from evaluations.models import Evaluation
from locations import access
from locations.models import Location, Practitioner
from patients.models import Patient

Status = CarePlan.Status
STEPS = {
    "activate": {Status.DRAFT},
    "hold": {Status.ACTIVE},
    "resume": {Status.ON_HOLD},
    "complete": {Status.ACTIVE, Status.ON_HOLD},
    "discontinue": {Status.DRAFT, Status.ACTIVE, Status.ON_HOLD},
}
USUAL_WEEKDAYS = range(5)


def allowed(plan: CarePlan) -> list[str]:
    """The steps that the plan's status lets one try."""
    return [step for step, statuses in STEPS.items() if plan.status in statuses]


@transaction.atomic
def draft(*, evaluation: Evaluation, by: User, practitioner: Practitioner, location: Location, **said) -> CarePlan:
    """Write a plan that binds nobody yet. `said` are the fields of `Contents`; an intervention may be its code alone.

    Raises RuleBroken naming every field that is wrong.
    """
    access.require(by, "careplan.write", location)
    if not evaluation.is_signed:
        raise RuleBroken("A care plan is written from a signed evaluation.", code="evaluation_unsigned")
    plan = CarePlan(patient=evaluation.patient, evaluation=evaluation, created_by=by, created_at=times.now())
    _write(plan, _checked(said, location, practitioner), location, practitioner)
    record(plan, "drafted", by=by)
    return plan


@transaction.atomic
def revise(plan: CarePlan, *, by: User, practitioner: Practitioner, location: Location, **said) -> CarePlan:
    """Replace all that a draft says. A consent already signed was to something else, so it is to be signed again."""
    plan = _locked(plan, by=by, needs={Status.DRAFT}, step="revise")
    access.require(by, "careplan.write", location)
    contents = _checked(said, location, practitioner)
    plan.consent_signed_at, plan.consent_signed_name = None, ""
    for rows in (plan.phases, plan.goals, plan.interventions):
        rows.all().delete()
    _write(plan, contents, location, practitioner)
    record(plan, "revised", by=by)
    return plan


@transaction.atomic
def sign_consent(plan: CarePlan, *, name: str, by: User) -> CarePlan:
    """The patient (or guardian) typed the name under what the draft says."""
    plan = _locked(plan, by=by, needs={Status.DRAFT}, step="sign")
    name = name.strip()
    _check_text(name, clean_line, "name", 200)
    if not name:
        message = "Type the full name of who signs."
        raise RuleBroken(message, code="invalid", fields={"name": message}, status=400)
    plan.consent_signed_at, plan.consent_signed_name = times.now(), name
    plan.save(update_fields=["consent_signed_at", "consent_signed_name"])
    record(plan, "consent_signed", by=by)
    return plan


@transaction.atomic
def activate(plan: CarePlan, *, by: User) -> CarePlan:
    """Begin the plan. Raises RuleBroken with the first block; `blocks.of` lists them all."""
    plan = _locked(plan, by=by, needs=STEPS["activate"], step="activate")
    _refuse(blocks.of(plan))
    plan.activated_at = times.now()
    plan.save(update_fields=["activated_at"])
    _number_visits(plan)
    return _step(plan, "activated", Status.ACTIVE, by=by)


@transaction.atomic
def hold(plan: CarePlan, *, by: User, reason: str = "") -> CarePlan:
    """Pause; visits already on the calendar stay there."""
    plan = _locked(plan, by=by, needs=STEPS["hold"], step="put on hold")
    return _step(plan, "held", Status.ON_HOLD, by=by, reason=reason)


@transaction.atomic
def resume(plan: CarePlan, *, by: User, reason: str = "") -> CarePlan:
    plan = _locked(plan, by=by, needs=STEPS["resume"], step="resume")
    _refuse(blocks.of_running(plan))
    return _step(plan, "resumed", Status.ACTIVE, by=by, reason=reason)


@transaction.atomic
def complete(plan: CarePlan, *, by: User, reason: str = "") -> CarePlan:
    plan = _locked(plan, by=by, needs=STEPS["complete"], step="complete")
    return _step(plan, "completed", Status.COMPLETED, by=by, reason=reason)


@transaction.atomic
def discontinue(plan: CarePlan, *, by: User, reason: str) -> CarePlan:
    """End before the end, with the reason; visits already on the calendar stay there until they are cancelled."""
    plan = _locked(plan, by=by, needs=STEPS["discontinue"], step="discontinue")
    if not reason.strip():
        message = "Say why the plan is discontinued."
        raise RuleBroken(message, code="reason_missing", fields={"reason": message}, status=400)
    return _step(plan, "discontinued", Status.DISCONTINUED, by=by, reason=reason)


@dataclass
class Placed:
    """The visits that now have an appointment, and those still owed because no time was found."""

    booked: list[PlannedVisit] = field(default_factory=list)
    debts: list[PlannedVisit] = field(default_factory=list)


@transaction.atomic
def schedule(plan: CarePlan, *, by: User, weekdays: Sequence[int], at_time: time) -> Placed:
    """Book the visits of the first phase that are not on the calendar yet. Safe to repeat: only debts are tried again.

    Each goes to the free start nearest to the wanted day and time: with the plan's practitioner, else with another at
    the location. Never two visits of the plan on one day.
    """
    plan = _locked(plan, by=by, needs={Status.ACTIVE}, step="put on the calendar", action="careplan.schedule")
    _refuse(blocks.of_running(plan))
    phase = plan.phases.first()
    _check_weekdays(weekdays, phase)
    owed = _want(phase, weekdays, earliest=plan.location.today())
    placed = Placed()
    if owed:
        days = [day for _, window in owed for day in (window.first, window.last)]
        search = free_times.Search(plan, free_times.visit_type(), min(days), max(days))
        search.lock()
        reserved = {window.wanted_on for _, window in owed}
        for visit, window in owed:
            slot = search.nearest(window, at_time, reserved=reserved)
            if slot:
                _place(visit, slot, search.type, by=by)
            (placed.booked if slot else placed.debts).append(visit)
    record(plan, "scheduled", by=by, booked=len(placed.booked), owed=len(placed.debts))
    return placed


def take(step: str, plan: CarePlan, *, by: User, reason: str = "") -> CarePlan:
    """The step by its name: what a page's button or the last word of an API address asks for."""
    if step not in STEPS:
        raise RuleBroken("There is no such step.", code="unknown_step", fields={"step": "Unknown."}, status=400)
    if step == "activate":
        return activate(plan, by=by)
    verb = {"hold": hold, "resume": resume, "complete": complete, "discontinue": discontinue}[step]
    return verb(plan, by=by, reason=reason)


def record(plan: CarePlan, step: str, *, by: User, from_status: str = "", reason: str = "", **detail) -> None:
    """Append to the plan's history and to the audit log."""
    plan.history.create(
        step=step, from_status=from_status or plan.status, to_status=plan.status, by=by, at=times.now(), reason=reason
    )
    audit.record(f"care_plan.{step}", on=plan, by=by, **detail)


def _locked(plan: CarePlan, *, by: User, needs: set, step: str, action: str = "careplan.write") -> CarePlan:
    """The plan as it is now, held with its patient until COMMIT, so that two plans cannot become active at once."""
    access.require(by, action, plan.location)
    Patient.objects.select_for_update().get(pk=plan.patient_id)
    fresh = CarePlan.objects.select_for_update(of=("self",)).with_names().get(pk=plan.pk)
    if fresh.status not in needs:
        message = f"The plan is {fresh.get_status_display().lower()}: it cannot be {_past(step)}."
        raise RuleBroken(message, code="wrong_status")
    return fresh


def _past(step: str) -> str:
    return {
        "activate": "activated", "sign": "signed", "revise": "revised", "resume": "resumed",
        "complete": "completed", "discontinue": "discontinued",
    }.get(step, step)  # fmt: skip


def _step(plan: CarePlan, step: str, status: str, *, by: User, reason: str = "") -> CarePlan:
    reason = reason.strip()
    _check_text(reason, clean_line, "reason", 500)
    before, plan.status = plan.status, status
    plan.save(update_fields=["status"])
    record(plan, step, by=by, from_status=before, reason=reason)
    return plan


def _refuse(found: list[blocks.Block]) -> None:
    if found:
        raise RuleBroken(found[0].message, code=found[0].code, fields={b.code: b.message for b in found})


def _checked(said: Mapping, location: Location, practitioner: Practitioner) -> Contents:
    contents = Contents(**said)
    contents.interventions = [{"code": r} if isinstance(r, str) else r for r in contents.interventions]
    today = location.today()
    if not today - LONGEST_AHEAD <= contents.starts_on <= today + LONGEST_AHEAD:
        message = "A plan starts within a year of today."
        raise RuleBroken(message, code="out_of_range", fields={"starts_on": message}, status=400)
    if not practitioner.is_active:
        message = "This practitioner no longer works here."
        raise RuleBroken(message, code="invalid", fields={"practitioner": message}, status=400)
    _check_text(contents.note, clean_note, "note", 5000)
    for n, row in enumerate(contents.interventions):
        _check_text(row.get("dose", ""), clean_line, f"interventions.{n}.dose", 200)
    contents.check()
    return contents


def _check_text(value: str, rule, name: str, longest: int) -> None:
    try:
        if len(value) > longest:
            raise ValidationError(f"At most {longest} characters.")
        rule(value)
    except ValidationError as error:
        raise RuleBroken(error.messages[0], code="invalid", fields={name: error.messages[0]}, status=400) from None


def _write(plan: CarePlan, contents: Contents, location: Location, practitioner: Practitioner) -> None:
    plan.location, plan.practitioner = location, practitioner
    plan.starts_on, plan.note = contents.starts_on, contents.note
    plan.reevaluate_by = contents.reevaluate_by
    plan.reevaluate_after_visits = contents.reevaluate_after_visits
    plan.save()
    Phase.objects.bulk_create(
        Phase(plan=plan, order=n, kind=p["kind"], visits_per_week=p["visits_per_week"], weeks=p["weeks"])
        for n, p in enumerate(contents.phases, 1)
    )
    Goal.objects.bulk_create(
        Goal(
            plan=plan,
            metric=g["metric"],
            unit=metrics.METRICS[g["metric"]].unit,
            baseline=Decimal(g["baseline"]),
            target=Decimal(g["target"]),
            due_on=g["due_on"],
        )
        for g in contents.goals
    )
    Intervention.objects.bulk_create(
        Intervention(plan=plan, code=row["code"], dose=row.get("dose", "")) for row in contents.interventions
    )


def _number_visits(plan: CarePlan) -> None:
    """Each visit that the phases ask for, wanted on ordinary weekdays until the calendar says better."""
    phases = list(plan.phases.all())
    for phase, starts_on in zip(phases, placing.starts_of(plan.starts_on, [p.weeks for p in phases]), strict=True):
        weekdays = USUAL_WEEKDAYS if phase.visits_per_week <= len(USUAL_WEEKDAYS) else range(7)
        days = placing.wanted_days(
            starts_on, visits_per_week=phase.visits_per_week, weeks=phase.weeks, weekdays=weekdays
        )
        PlannedVisit.objects.bulk_create(
            PlannedVisit(phase=phase, number=n, wanted_on=day) for n, day in enumerate(days, 1)
        )


def _check_weekdays(weekdays: Sequence[int], phase: Phase) -> None:
    chosen = set(weekdays)
    if not chosen <= set(range(7)) or len(chosen) < phase.visits_per_week:
        message = f"Choose at least {phase.visits_per_week} weekdays: the phase has as many visits a week."
        raise RuleBroken(message, code="invalid", fields={"weekdays": message}, status=400)


def _want(phase: Phase, weekdays: Sequence[int], *, earliest: date) -> list[tuple[PlannedVisit, placing.Window]]:
    """The visits still owed with their windows. A phase of which nothing is placed yet starts today at the earliest."""
    visits = list(phase.planned_visits.select_related("appointment"))
    starts_on = phase.plan.starts_on
    if not any(visit.appointment_id for visit in visits):
        starts_on = max(starts_on, earliest)
    days = placing.wanted_days(starts_on, visits_per_week=phase.visits_per_week, weeks=phase.weeks, weekdays=weekdays)
    owed = []
    for visit, day in zip(visits, days, strict=True):
        if not visit.is_placed:
            visit.wanted_on = day
            visit.save(update_fields=["wanted_on"])
            owed.append((visit, placing.Window.around(day, earliest=max(earliest, starts_on))))
    return owed


def _place(visit: PlannedVisit, slot: availability.Slot, type: AppointmentType, *, by: User) -> None:
    plan = visit.phase.plan
    visit.appointment = booking.book(
        patient=plan.patient,
        practitioner=slot.practitioner,
        location=slot.location,
        type=type,
        starts_at=slot.starts_at,
        by=by,
    )
    visit.save(update_fields=["appointment"])
