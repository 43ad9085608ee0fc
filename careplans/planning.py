"""Care plans from the draft to their end: the only writer of the plan tables.

A plan is written from a signed evaluation of the same patient and becomes active only when nothing in `blocks` stands
against it. A patient has at most one active plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from appointments import calendars
from appointments.models import AppointmentType, Series
from appointments.recurring import patterns, placing, proposals, standing
from appointments.recurring import series as visits
from appointments.recurring.patterns import Pattern
from appointments.recurring.standing import Standing
from careplans import blocks, checkpoints, consent_rules, goals, metrics, progress, versions
from careplans.contents import LONGEST_AHEAD, MOST_PHASES, Contents, stretch_of
from careplans.models import Agreement, CarePlan, Goal, Intervention, Phase, PlanTemplateVersion
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import clean_line, clean_note
from evaluations import interventions
from evaluations.models import Evaluation
from evaluations.safety import restrictions
from locations import access, standstill
from locations.models import Location, Practitioner, Room
from patients import consenting, sight
from patients.consenting import Said
from patients.models import Patient
from patients.signatures import Signature

Status = CarePlan.Status
STEPS = {
    "activate": {Status.DRAFT},
    "hold": {Status.ACTIVE},
    "resume": {Status.ON_HOLD},
    "complete": {Status.ACTIVE, Status.ON_HOLD},
    "discontinue": {Status.DRAFT, Status.ACTIVE, Status.ON_HOLD},
}
UNDER_WAY = {Status.DRAFT, Status.ACTIVE, Status.ON_HOLD}
VISIT_TYPE = "adjustment"
USUAL_TIME = time(9)
USUAL_SUPPORT_WEEKS = 6


def allowed(plan: CarePlan) -> list[str]:
    """The steps that the plan's status lets one try."""
    return [step for step, statuses in STEPS.items() if plan.status in statuses]


@transaction.atomic
def draft(
    *,
    evaluation: Evaluation,
    by: User,
    practitioner: Practitioner,
    location: Location,
    made_from: PlanTemplateVersion | None = None,
    **said,
) -> CarePlan:
    """Write a plan that binds nobody yet. `said` are the fields of `Contents`; an intervention may be its code alone,
    and a goal without a baseline takes it from the evaluation. `made_from` only says where it began.

    Raises RuleBroken naming every field that is wrong.
    """
    access.require(by, "careplan.write", location)
    sight.require(by, "careplan.write", evaluation.patient)
    if not evaluation.is_in_force:
        raise RuleBroken("A care plan is written from a signed evaluation.", code="evaluation_unsigned")
    plan = CarePlan(
        patient=evaluation.patient, evaluation=evaluation, made_from=made_from, created_by=by, created_at=times.now()
    )
    _write(plan, checked(said, location, practitioner, evaluation), location, practitioner)
    versions.write(plan, by=by)
    record(plan, "drafted", by=by)
    return plan


@transaction.atomic
def sign_consent(
    plan: CarePlan, *, by: User, name: str = "", signature: Signature | None = None, said: Said | None = None,
    shown: Mapping[str, str] | None = None,
) -> CarePlan:  # fmt: skip
    """The patient (or guardian) signs what is open, on the screen: the informed consent where the latest does not cover
    this plan, and the agreement to the plan as it stands. Safe to repeat.

    `shown` are the digests of what was read, as `consent` and `plan`: what was not shown is not signed, and where it
    changed meanwhile nothing is. Without it the document itself was there, as where a chart is loaded.
    """
    plan = locked(plan, by=by, needs=UNDER_WAY, step="sign")
    signature, everything = signature or Signature(name), shown is None
    shown = {name: digest for name, digest in (shown or {}).items() if digest}
    if not everything and not shown:
        message = "Nothing was shown to be signed: read it first, and send the digest of what was read."
        raise RuleBroken(message, code="nothing_shown", status=400)
    if consent_rules.of_plan(plan) and (everything or "consent" in shown):
        thrust = consent_rules.has_thrust(row.code for row in plan.interventions.all())
        plan.consent = consenting.sign(
            plan.patient,
            signature,
            place=plan.location,
            thrust=thrust,
            by=by,
            said=said,
            digest=shown.get("consent", ""),
        )
        plan.save(update_fields=["consent"])
        record(plan, "consent_signed", by=by, form=plan.consent_id)
    if everything or "plan" in shown:
        agree(plan, signature, by=by, digest=shown.get("plan", ""))
    return plan


@transaction.atomic
def agree(plan: CarePlan, signature: Signature, *, by: User | None, digest: str = "") -> Agreement:
    """Sign the plan as it stands. `by` is who was there; nobody where the patient signs by a link. Safe to repeat."""
    Patient.objects.select_for_update().get(pk=plan.patient_id)
    plan = CarePlan.objects.select_for_update(of=("self",)).with_names().get(pk=plan.pk)
    if not plan.is_under_way:
        raise RuleBroken("The plan is over: there is nothing to agree to.", code="wrong_status")
    version = versions.keep(plan, by=plan.created_by)
    signature = signature.checked(plan.patient, plan.location)
    if digest and digest != version.digest:
        raise RuleBroken("The plan changed while it was read. Read it again, then sign.", code="changed_meanwhile")
    if signed := version.agreements.first():
        return signed
    agreement = version.agreements.create(
        digest=version.digest,
        typed_name=signature.name,
        is_guardian=signature.is_guardian,
        relationship=signature.relationship,
        authority_document=signature.authority_document,
        patient_assent=signature.assent,
        drawing=list(signature.drawing),
        signed_at=times.now(),
        by=by,
    )
    record(plan, "agreed", by=by, version=version.number, digest=version.digest)
    return agreement


@transaction.atomic
def activate(plan: CarePlan, *, by: User) -> CarePlan:
    """Begin the plan; its visits are owed from now on. Raises RuleBroken with the first block of `blocks.of`."""
    plan = locked(plan, by=by, needs=STEPS["activate"], step="activate")
    refuse(blocks.of(plan))
    plan.activated_at = times.now()
    plan.consent = consenting.latest(plan.patient)
    plan.series = _begin_visits(plan, by)
    plan.save(update_fields=["activated_at", "consent", "series"])
    return _step(plan, "activated", Status.ACTIVE, by=by)


@transaction.atomic
def hold(plan: CarePlan, *, by: User, reason: str = "") -> CarePlan:
    """Pause; visits already on the calendar stay there."""
    plan = locked(plan, by=by, needs=STEPS["hold"], step="put on hold")
    return _step(plan, "held", Status.ON_HOLD, by=by, reason=reason)


@transaction.atomic
def resume(plan: CarePlan, *, by: User, reason: str = "") -> CarePlan:
    """Go on. A plan that a red flag holds up is told so, since no step of its own ends that."""
    plan = locked(plan, by=by, needs={*STEPS["resume"], Status.ACTIVE}, step="resume")
    refuse(blocks.of_running(plan))
    _require_status(plan, STEPS["resume"], "resume")
    return _step(plan, "resumed", Status.ACTIVE, by=by, reason=reason)


@transaction.atomic
def complete(plan: CarePlan, *, by: User, reason: str = "") -> CarePlan:
    plan = locked(plan, by=by, needs=STEPS["complete"], step="complete")
    return _step(plan, "completed", Status.COMPLETED, by=by, reason=reason)


@transaction.atomic
def discontinue(plan: CarePlan, *, by: User, reason: str) -> CarePlan:
    """End before the end, with the reason; visits already on the calendar stay there until they are cancelled."""
    plan = locked(plan, by=by, needs=STEPS["discontinue"], step="discontinue")
    if not reason.strip():
        message = "Say why the plan is discontinued."
        raise RuleBroken(message, code="reason_missing", fields={"reason": message}, status=400)
    return _step(plan, "discontinued", Status.DISCONTINUED, by=by, reason=reason)


@transaction.atomic
def extend(plan: CarePlan, *, by: User, reason: str) -> CarePlan:
    """The phase that was just gone through once more, as long as it was. Once a plan; not while anything stops it."""
    plan = locked(plan, by=by, needs={Status.ACTIVE}, step="extended")
    refuse([*blocks.of_running(plan), *blocks.of_more(plan)])
    if plan.history.filter(step="extended").exists():
        raise RuleBroken("The plan was extended once already.", code="extended_before")
    phases, so_far = list(plan.phases.all()), progress.of_plan(plan)
    if not phases or so_far is None:
        raise RuleBroken("The plan has no phase that could be extended.", code="no_phase")
    done = so_far.visits.fulfilled + so_far.visits.let_go
    _add_phase(plan, progress.phase(phases, max(done - 1, 0)), by=by, reason=reason)
    record(plan, "extended", by=by, reason=reason)
    return plan


@transaction.atomic
def support(plan: CarePlan, *, by: User, reason: str, weeks: int = USUAL_SUPPORT_WEEKS) -> CarePlan:
    """Go over to supportive care: what active visits are not on the calendar are let go, and where the plan has no
    supportive phase it gets one, a visit a week.
    """
    plan = locked(plan, by=by, needs={Status.ACTIVE}, step="put on supportive care")
    refuse([*blocks.of_running(plan), *blocks.of_more(plan)])
    active = [phase for phase in plan.phases.all() if phase.kind not in checkpoints.SUPPORTIVE]
    if plan.series:
        owed = plan.series.visits.filter(stretch__in=[phase.order for phase in active], type=plan.series.type)
        visits.let_go(owed, reason="Supportive care from now on.", by=by)
    if not plan.phases.filter(kind__in=checkpoints.SUPPORTIVE).exists():
        supportive = Phase(kind=Phase.Kind.STABILISATION, visits_per_week=1, weeks=weeks, order=len(active))
        _add_phase(plan, supportive, by=by, reason=reason)
    record(plan, "put_on_supportive_care", by=by, reason=reason)
    return plan


def _add_phase(plan: CarePlan, like: Phase, *, by: User, reason: str) -> None:
    """A phase like this one right behind it, with its visits; the plan says so in a new version."""
    if plan.phases.count() >= MOST_PHASES:
        raise RuleBroken(f"A plan has at most {MOST_PHASES} phases.", code="no_phase")
    versions.keep(plan, by=plan.created_by)
    for later in plan.phases.filter(order__gt=like.order).order_by("-order"):
        later.order += 1
        later.save(update_fields=["order"])
    Phase.objects.create(
        plan=plan,
        order=like.order + 1,
        kind=like.kind,
        visits_per_week=like.visits_per_week,
        every_weeks=like.every_weeks,
        weeks=like.weeks,
    )
    if plan.series:
        visits.grow(plan.series, like.stretch, behind=like.order, by=by)
    plan.version += 1
    plan.save(update_fields=["version"])
    versions.write(plan, by=by, reason=reason)


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
    plan = locked(plan, by=by, needs={Status.ACTIVE}, step="put on the calendar", action="careplan.schedule")
    refuse(blocks.of_running(plan))
    at_work = Q(weekly_hours__location=plan.location) | Q(extra_hours__location=plan.location)
    standstill.keep_open([plan.location])
    calendars.lock(
        practitioners=Practitioner.objects.filter(at_work, is_active=True).distinct(),
        rooms=Room.objects.filter(location=plan.location, is_open=True),
        patients=[plan.patient],
    )
    if not plan.phases.filter(order=phase).exists():
        message = f"The plan has no phase {phase}."
        raise RuleBroken(message, code="invalid", fields={"phase": message}, status=400)
    asked = placing.owed(plan.series, weekdays=weekdays, at_time=at_time, stretch=phase)
    # Nobody looks at what is proposed: what is not free about the wanted day stays owed.
    choices = proposals.accept(replace(asked, furthest=0).propose())
    visits.place(plan.series, choices, pattern=asked.pattern, days=asked.days, by=by)
    found = [one for one in standing.of(plan.series) if one.visit.number in choices]
    return Placed([one for one in found if one.is_on_calendar], [one for one in found if one.is_owed])


@transaction.atomic
def restrict(plan: CarePlan, restriction: str, *, by: User) -> None:
    """Add a restriction to those that the plan itself names."""
    plan = locked(plan, by=by, needs=UNDER_WAY, step="restricted")
    plan.restrictions = sorted({*plan.restrictions, restriction})
    plan.save(update_fields=["restrictions"])
    record(plan, "restricted", by=by, reason=interventions.restriction_label(restriction))


def visits_taken(plan: CarePlan) -> int:
    """How many of its visits took place."""
    so_far = progress.of_plan(plan)
    return so_far.visits.fulfilled if so_far else 0


def take(step: str, plan: CarePlan, *, by: User, reason: str = "") -> CarePlan:
    """The step by its name: what a page's button or the last word of an API address asks for."""
    if step not in STEPS:
        raise RuleBroken("There is no such step.", code="unknown_step", fields={"step": "Unknown."}, status=400)
    if step == "activate":
        return activate(plan, by=by)
    verb = {"hold": hold, "resume": resume, "complete": complete, "discontinue": discontinue}[step]
    return verb(plan, by=by, reason=reason)


def record(plan: CarePlan, step: str, *, by: User | None, from_status: str = "", reason: str = "", **detail) -> None:
    """Append to the plan's history and to the audit log. Without `by` it was the patient."""
    plan.history.create(
        step=step, from_status=from_status or plan.status, to_status=plan.status, by=by, at=times.now(), reason=reason
    )
    audit.record(f"care_plan.{step}", on=plan, by=by, by_whom="" if by else "patient", **detail)


def locked(plan: CarePlan, *, by: User, needs: set, step: str, action: str = "careplan.write") -> CarePlan:
    """The plan as it is now, held with its patient until COMMIT, so that two plans cannot become active at once."""
    access.require(by, action, plan.location)
    sight.require(by, action, plan.patient)
    Patient.objects.select_for_update().get(pk=plan.patient_id)
    fresh = CarePlan.objects.select_for_update(of=("self",)).with_names().get(pk=plan.pk)
    _require_status(fresh, needs, step)
    return fresh


def _require_status(plan: CarePlan, needs: set, step: str) -> None:
    if plan.status not in needs:
        message = f"The plan is {plan.get_status_display().lower()}: it cannot be {_past(step)}."
        raise RuleBroken(message, code="wrong_status")


def _past(step: str) -> str:
    return {
        "activate": "activated", "sign": "signed", "revise": "revised", "resume": "resumed",
        "complete": "completed", "discontinue": "discontinued",
    }.get(step, step)  # fmt: skip


def _step(plan: CarePlan, step: str, status: str, *, by: User, reason: str = "") -> CarePlan:
    reason = reason.strip()
    check_text(reason, clean_line, "reason", 500)
    before, plan.status = plan.status, status
    plan.save(update_fields=["status"])
    if plan.series:
        visits.set_open(plan.series, plan.is_active)  # visits are owed only while the plan runs
    record(plan, step, by=by, from_status=before, reason=reason)
    return plan


def refuse(found: list[blocks.Block]) -> None:
    if found:
        raise blocks.refusal(found)


def checked(
    said: Mapping,
    location: Location,
    practitioner: Practitioner,
    evaluation: Evaluation,
    begun_on: date | None = None,
    restricted: Sequence[str] = (),
) -> Contents:
    """What a plan is to say. One that runs began on a day, and keeps it; `restricted` are the codes of its own
    restrictions, beside the patient's. Raises RuleBroken naming what is wrong.
    """
    contents = Contents(**said)
    contents.goals = goals.complete(contents.goals, evaluation)
    contents.interventions = [{"code": r} if isinstance(r, str) else r for r in contents.interventions]
    today = location.today()
    if begun_on and contents.starts_on != begun_on:
        message = f"The plan began on {begun_on:%B} {begun_on.day}: that stays."
        raise RuleBroken(message, code="invalid", fields={"starts_on": message}, status=400)
    if not begun_on and not today - LONGEST_AHEAD <= contents.starts_on <= today + LONGEST_AHEAD:
        message = "A plan starts within a year of today."
        raise RuleBroken(message, code="out_of_range", fields={"starts_on": message}, status=400)
    if not practitioner.is_active:
        message = "This practitioner no longer works here."
        raise RuleBroken(message, code="invalid", fields={"practitioner": message}, status=400)
    check_text(contents.note, clean_note, "note", 5000)
    for n, row in enumerate(contents.interventions):
        check_text(row.get("dose", ""), clean_line, f"interventions.{n}.dose", 200)
    for name, lines in (("diagnoses", contents.diagnoses), ("referrals", contents.referrals)):
        for line in lines:
            check_text(line, clean_line, name, 200)
    contents.check()
    _check_restrictions(contents, [*restrictions.of(evaluation.patient), *restricted])
    return contents


def _check_restrictions(contents: Contents, standing: Sequence[str]) -> None:
    """What a restriction forbids is not written down; what is forbidden later stands among the blocks."""
    faults = {}
    for n, row in enumerate(contents.interventions):
        if name := interventions.forbidding(row["code"], standing):
            label = interventions.label_of(row["code"])
            faults[f"interventions.{n}.code"] = f"{label} is forbidden: {interventions.restriction_label(name)}."
    if faults:
        raise RuleBroken(next(iter(faults.values())), code="intervention_forbidden", fields=faults, status=400)


def check_text(value: str, rule, name: str, longest: int) -> None:
    try:
        if len(value) > longest:
            raise ValidationError(f"At most {longest} characters.")
        rule(value)
    except ValidationError as error:
        raise RuleBroken(error.messages[0], code="invalid", fields={name: error.messages[0]}, status=400) from None


def rewrite(plan: CarePlan, contents: Contents, location: Location, practitioner: Practitioner) -> None:
    """In place of all that the plan says, under the next number. The versions are kept by `versions.py`."""
    for rows in (plan.phases, plan.goals, plan.interventions):
        rows.all().delete()
    plan.version += 1
    _write(plan, contents, location, practitioner)


def _write(plan: CarePlan, contents: Contents, location: Location, practitioner: Practitioner) -> None:
    plan.location, plan.practitioner = location, practitioner
    plan.starts_on, plan.note = contents.starts_on, contents.note
    plan.diagnoses, plan.referrals = list(contents.diagnoses), list(contents.referrals)
    plan.reevaluate_by = contents.reevaluate_by
    plan.reevaluate_after_visits = contents.reevaluate_after_visits
    plan.save()
    Phase.objects.bulk_create(
        Phase(plan=plan, order=n, kind=p["kind"], **asdict(stretch_of(p))) for n, p in enumerate(contents.phases, 1)
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


def _reevaluate_by(plan: CarePlan) -> date | None:
    """A plan that was brought in may name a later day than is allowed."""
    within = checkpoints.limit_of(phase.kind for phase in plan.phases.all())
    return plan.reevaluate_by and min(plan.reevaluate_by, plan.starts_on + timedelta(days=within.days))


def pattern_of(plan: CarePlan, *, has_checkpoint: bool = True) -> Pattern:
    """What the phases ask for, one after the other; there has to be one."""
    stretches = tuple(phase.stretch for phase in plan.phases.all())
    return Pattern(
        starts_on=plan.starts_on,
        stretches=stretches,
        weekdays=tuple(patterns.usual_weekdays(max(s.visits_per_week for s in stretches))),
        at_time=USUAL_TIME,
        checkpoint_after=plan.reevaluate_after_visits if has_checkpoint else None,
        checkpoint_by=_reevaluate_by(plan) if has_checkpoint else None,
    )


def _begin_visits(plan: CarePlan, by: User) -> Series:
    """The series that the phases ask for, with the re-evaluation in it, on ordinary weekdays until the desk knows
    better.
    """
    type, checkpoint_type = AppointmentType.objects.filter(slug=VISIT_TYPE).first(), placing.checkpoint_type()
    if type is None:
        raise RuleBroken("There is no appointment type for treatment visits.", code="no_visit_type")
    pattern = pattern_of(plan, has_checkpoint=checkpoint_type is not None)
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
