"""Care plans from the draft to their end: the only writer of the plan tables.

A plan is written from a signed evaluation of the same patient and becomes active only when nothing in `blocks` stands
against it. A patient has at most one active plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from appointments import calendars, patterns, placing, proposals, standing
from appointments import series as visits
from appointments.models import AppointmentType, Series
from appointments.patterns import Pattern, Stretch
from appointments.standing import Standing
from careplans import blocks, goals, metrics
from careplans.contents import LONGEST_AHEAD, Contents
from careplans.models import CarePlan, Goal, Intervention, Phase
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import clean_line, clean_note
from evaluations.models import Evaluation
from locations import access, standstill
from locations.models import Location, Practitioner, Room
from patients import sight
from patients.models import Patient

Status = CarePlan.Status
STEPS = {
    "activate": {Status.DRAFT},
    "hold": {Status.ACTIVE},
    "resume": {Status.ON_HOLD},
    "complete": {Status.ACTIVE, Status.ON_HOLD},
    "discontinue": {Status.DRAFT, Status.ACTIVE, Status.ON_HOLD},
}
VISIT_TYPE = "adjustment"
USUAL_TIME = time(9)


def allowed(plan: CarePlan) -> list[str]:
    """The steps that the plan's status lets one try."""
    return [step for step, statuses in STEPS.items() if plan.status in statuses]


@transaction.atomic
def draft(*, evaluation: Evaluation, by: User, practitioner: Practitioner, location: Location, **said) -> CarePlan:
    """Write a plan that binds nobody yet. `said` are the fields of `Contents`; an intervention may be its code alone,
    and a goal without a baseline takes it from the evaluation.

    Raises RuleBroken naming every field that is wrong.
    """
    access.require(by, "careplan.write", location)
    sight.require(by, "careplan.write", evaluation.patient)
    if not evaluation.is_signed:
        raise RuleBroken("A care plan is written from a signed evaluation.", code="evaluation_unsigned")
    plan = CarePlan(patient=evaluation.patient, evaluation=evaluation, created_by=by, created_at=times.now())
    _write(plan, _checked(said, location, practitioner, evaluation), location, practitioner)
    record(plan, "drafted", by=by)
    return plan


@transaction.atomic
def revise(plan: CarePlan, *, by: User, practitioner: Practitioner, location: Location, **said) -> CarePlan:
    """Replace all that a draft says. A consent already signed was to something else, so it is to be signed again."""
    plan = _locked(plan, by=by, needs={Status.DRAFT}, step="revise")
    access.require(by, "careplan.write", location)
    contents = _checked(said, location, practitioner, plan.evaluation)
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
    """Begin the plan; its visits are owed from now on. Raises RuleBroken with the first block of `blocks.of`."""
    plan = _locked(plan, by=by, needs=STEPS["activate"], step="activate")
    _refuse(blocks.of(plan))
    plan.activated_at = times.now()
    plan.series = _begin_visits(plan, by)
    plan.save(update_fields=["activated_at", "series"])
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

    booked: list[Standing]
    debts: list[Standing]


@transaction.atomic
def schedule(plan: CarePlan, *, by: User, weekdays: Sequence[int], at_time: time, phase: int = 1) -> Placed:
    """Book what is owed of a phase, each visit at the time that would be proposed for it. Safe to repeat.

    Where the times are to be seen and chosen first: `placing.owed` and `series.place`.
    """
    plan = _locked(plan, by=by, needs={Status.ACTIVE}, step="put on the calendar", action="careplan.schedule")
    at_work = Q(weekly_hours__location=plan.location) | Q(extra_hours__location=plan.location)
    standstill.keep_open([plan.location])
    calendars.lock(
        practitioners=Practitioner.objects.filter(at_work, is_active=True).distinct(),
        rooms=Room.objects.filter(location=plan.location, is_open=True),
        patients=[plan.patient],
    )
    asked = placing.owed(plan.series, weekdays=weekdays, at_time=at_time, stretch=phase)
    choices = proposals.accept(asked.propose())
    visits.place(plan.series, choices, pattern=asked.pattern, days=asked.days, by=by)
    found = [one for one in standing.of(plan.series) if one.visit.number in choices]
    return Placed([one for one in found if one.is_on_calendar], [one for one in found if one.is_owed])


def gate(series: Series) -> RuleBroken | None:
    """Why the visits of a plan may not be placed now: what stops a plan that runs. Other series are not asked about."""
    plan = CarePlan.objects.filter(series=series).select_related("patient").first()
    found = blocks.of_running(plan) if plan else []
    return _refusal(found) if found else None


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
    sight.require(by, action, plan.patient)
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
    if plan.series:
        visits.set_open(plan.series, plan.is_active)  # visits are owed only while the plan runs
    record(plan, step, by=by, from_status=before, reason=reason)
    return plan


def _refuse(found: list[blocks.Block]) -> None:
    if found:
        raise _refusal(found)


def _refusal(found: list[blocks.Block]) -> RuleBroken:
    return RuleBroken(found[0].message, code=found[0].code, fields={b.code: b.message for b in found})


def _checked(said: Mapping, location: Location, practitioner: Practitioner, evaluation: Evaluation) -> Contents:
    contents = Contents(**said)
    contents.goals = goals.complete(contents.goals, evaluation)
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


def _begin_visits(plan: CarePlan, by: User) -> Series:
    """The series that the phases ask for, with the re-evaluation in it, on ordinary weekdays until the desk knows
    better.
    """
    type, checkpoint_type = AppointmentType.objects.filter(slug=VISIT_TYPE).first(), placing.checkpoint_type()
    if type is None:
        raise RuleBroken("There is no appointment type for treatment visits.", code="no_visit_type")
    stretches = tuple(Stretch(phase.visits_per_week, phase.weeks) for phase in plan.phases.all())
    pattern = Pattern(
        starts_on=plan.starts_on,
        stretches=stretches,
        weekdays=tuple(patterns.usual_weekdays(max(s.visits_per_week for s in stretches))),
        at_time=USUAL_TIME,
        checkpoint_after=plan.reevaluate_after_visits if checkpoint_type else None,
        checkpoint_by=plan.reevaluate_by if checkpoint_type else None,
    )
    return visits.begin(
        title="Care plan",
        patient=plan.patient,
        type=type,
        checkpoint_type=checkpoint_type,
        practitioner=plan.practitioner,
        location=plan.location,
        pattern=pattern,
        by=by,
    )
