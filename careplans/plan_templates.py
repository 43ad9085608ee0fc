"""Plan templates that the group keeps: the only writer of PlanTemplate and its versions.

A change is a new version. A plan made from a template is a draft of its own, adjusted by whoever writes it: nothing
that happens to the template later reaches it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from careplans import goals, metrics
from careplans.contents import MOST_GOALS, Contents
from careplans.models import PlanTemplate, PlanTemplateVersion
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import clean_line, clean_note
from evaluations import interventions
from evaluations.models import Evaluation
from evaluations.safety import restrictions
from locations import access

MOST_GOAL_WEEKS = 104
_ANY_DAY = date(2027, 1, 4)  # a sketch has no days; where its parts lie to each other does not hang on one


@dataclass(frozen=True)
class Sketch:
    """`phases` of kind, visits_per_week, weeks; `goals` of metric and weeks until due; `interventions` are codes."""

    phases: list[Mapping]
    goals: list[Mapping]
    interventions: list[str] = field(default_factory=list)
    reevaluate_after_visits: int = 12
    reevaluate_after_days: int = 28
    aim: str = ""
    note: str = ""


@dataclass(frozen=True)
class Proposal:
    """What a plan from the template would say for a patient; `left_out` are labels of what a restriction forbids."""

    said: dict
    left_out: list[str]


@transaction.atomic
def create(name: str, sketch: Sketch, *, by: User) -> PlanTemplate:
    """Raises RuleBroken naming every field that is wrong."""
    _require(by)
    name = _checked_name(name)
    _check(sketch)
    try:
        with transaction.atomic():
            template = PlanTemplate.objects.create(name=name)
    except IntegrityError:
        raise _fault("name", "There is a template of this name already.", "name_taken", 409) from None
    _write(template, 1, sketch, by)
    audit.record("plan_template.created", on=template, by=by)
    return template


@transaction.atomic
def change(template: PlanTemplate, sketch: Sketch, *, version: int, by: User) -> PlanTemplateVersion:
    """A new version. `version` is the one that was read: `stale` where somebody wrote another meanwhile."""
    _require(by)
    template = PlanTemplate.objects.select_for_update().get(pk=template.pk)
    _check(sketch)
    latest = template.versions.first()
    if latest.number != version:
        message = f"Somebody wrote version {latest.number} meanwhile. Look at it, then change it again."
        raise RuleBroken(message, code="stale")
    if latest.sketch == asdict(sketch):
        return latest
    written = _write(template, version + 1, sketch, by)
    audit.record("plan_template.changed", on=template, by=by, version=written.number)
    return written


@transaction.atomic
def offer(template: PlanTemplate, *, yes: bool, by: User) -> PlanTemplate:
    """Whether it is offered for new plans. Plans made from it stay as they are. Safe to repeat."""
    _require(by)
    template = PlanTemplate.objects.select_for_update().get(pk=template.pk)
    if template.is_offered != yes:
        template.is_offered = yes
        template.save(update_fields=["is_offered"])
        audit.record("plan_template.offered" if yes else "plan_template.put_away", on=template, by=by)
    return template


def _require(by: User) -> None:
    if not access.can(by, "plan_template.change"):
        raise PermissionDenied


def latest(template: PlanTemplate) -> PlanTemplateVersion:
    return template.versions.first()


def sketch_of(version: PlanTemplateVersion) -> Sketch:
    return Sketch(**version.sketch)


def proposal(version: PlanTemplateVersion, evaluation: Evaluation, *, starts_on: date) -> Proposal:
    """The plan for this patient: baselines as the evaluation found them with the targets that are usual from there."""
    sketch, known = sketch_of(version), goals.values(evaluation)
    standing = restrictions.of(evaluation.patient)
    forbidden = [code for code in sketch.interventions if interventions.forbidding(code, standing)]
    said = {
        "starts_on": starts_on,
        "phases": [dict(phase) for phase in sketch.phases],
        "goals": [_goal(goal, known, starts_on) for goal in sketch.goals],
        "interventions": [
            {"code": code, "dose": interventions.KNOWN[code].dose}
            for code in sketch.interventions
            if code not in forbidden
        ],
        "reevaluate_after_visits": sketch.reevaluate_after_visits,
        "reevaluate_by": starts_on + timedelta(days=sketch.reevaluate_after_days),
        "note": sketch.note,
    }
    return Proposal(said, [interventions.label_of(code) for code in forbidden])


def _goal(goal: Mapping, known: Mapping[str, Decimal], starts_on: date) -> dict:
    """Without numbers where the evaluation has none, or where the usual target is reached already."""
    row = {"metric": goal["metric"], "due_on": starts_on + timedelta(weeks=goal["weeks"])}
    baseline = known.get(goal["metric"])
    if baseline is None:
        return row
    target = metrics.METRICS[goal["metric"]].usual_target(baseline)
    return row | {"baseline": baseline} | ({"target": target} if target is not None and target != baseline else {})


def _write(template, number, sketch, by) -> PlanTemplateVersion:
    return template.versions.create(number=number, sketch=asdict(sketch), written_by=by, written_at=times.now())


def _checked_name(name: str) -> str:
    name = name.strip()
    try:
        clean_line(name)
    except ValidationError as error:
        raise _fault("name", error.messages[0]) from None
    if not 1 <= len(name) <= 100:
        raise _fault("name", "Give it a name of at most 100 characters.")
    return name


def _check(sketch: Sketch) -> None:
    """As a plan is checked, but for the numbers of its goals, which only a patient has."""
    for name, text in (("aim", sketch.aim), ("note", sketch.note)):
        try:
            clean_note(text)
        except ValidationError as error:
            raise _fault(name, error.messages[0]) from None
        if len(text) > 5000:
            raise _fault(name, "At most 5000 characters.")
    faults = _goal_faults(sketch.goals)
    if faults:
        raise RuleBroken(next(iter(faults.values())), code="invalid", fields=faults, status=400)
    if not 1 <= sketch.reevaluate_after_days <= 366:
        raise _fault("reevaluate_after_days", "Re-evaluate within a year.")
    contents = Contents(
        starts_on=_ANY_DAY,
        phases=sketch.phases,
        interventions=[{"code": code} for code in sketch.interventions],
        reevaluate_after_visits=sketch.reevaluate_after_visits,
        reevaluate_by=_ANY_DAY + timedelta(days=sketch.reevaluate_after_days),
    )
    try:
        contents.check()
    except RuleBroken as broken:
        fields = {_own_name(name): text for name, text in broken.fields.items()}
        raise RuleBroken(broken.message, code=broken.code, fields=fields, status=broken.status) from None


def _own_name(name: str) -> str:
    return "reevaluate_after_days" if name == "reevaluate_by" else name


def _goal_faults(rows) -> dict[str, str]:
    if not 1 <= len(rows) <= MOST_GOALS:
        return {"goals": f"A template has 1 to {MOST_GOALS} goals."}
    faults, names = {}, [row["metric"] for row in rows]
    for n, row in enumerate(rows):
        if row["metric"] not in metrics.METRICS:
            faults[f"goals.{n}.metric"] = "This is not one of the metrics."
        elif names.index(row["metric"]) != n:
            faults[f"goals.{n}.metric"] = "There is already a goal with this metric."
        if not 1 <= row["weeks"] <= MOST_GOAL_WEEKS:
            faults[f"goals.{n}.weeks"] = f"1 to {MOST_GOAL_WEEKS} weeks."
    if not faults and not any(metrics.METRICS[name].is_patient_reported for name in names):
        faults["goals"] = "At least one goal is something the patient reports."
    return faults


def _fault(name: str, message: str, code: str = "invalid", status: int = 400) -> RuleBroken:
    return RuleBroken(message, code=code, fields={name: message}, status=status)
