"""The part of a chart file that was agreed: the care plan, as it stood where it was written."""

from datetime import date, time
from decimal import Decimal
from pathlib import Path

from careplans import interventions, metrics
from careplans.models import CarePlan, Goal, Intervention, Phase, PlanEvent
from clinic import json_checks, times
from clinic.chart_files import Bringing
from evaluations.models import Evaluation
from locations.models import Practitioner
from patients import chart_file as person
from patients.models import Patient

PARTS = ("care_plan",)
ROLES = {"techniques": "technique", "adjuncts": "adjunct", "home_program": "home"}
OTHER = "other"
_SCHEMA = json_checks.schema(Path(__file__).with_name("chart_schema.json"))
# Words of other systems for a plan that ended before its time.
_ENDED = {"revoked": CarePlan.Status.DISCONTINUED, "revised": CarePlan.Status.DISCONTINUED}
_OWN = {
    "status", "start_date", "phases", "frequency", "reeval_after_visits", "reeval_due_date", "goals", "restrictions",
    *ROLES,
}  # fmt: skip


def faults(chart: dict) -> dict[str, str]:
    said, at = chart.get("care_plan"), "$.care_plan"
    found = json_checks.faults(said, _SCHEMA, at=at)
    if found or said is None:
        return found
    if not chart.get("baseline"):
        found[at] = "A plan is written from an evaluation; the file has none."
    for n, code in enumerate(said.get("techniques") or []):
        if code not in interventions.KNOWN:
            found[f"{at}.techniques[{n}]"] = "This is not one of the techniques."
    for n, code in enumerate(said.get("restrictions") or []):
        if code not in interventions.RESTRICTIONS:
            found[f"{at}.restrictions[{n}]"] = "This is not one of the restrictions."
    for n, goal in enumerate(said.get("goals") or []):
        found |= {f"{at}.goals[{n}].{name}": text for name, text in _goal_faults(goal).items()}
    return found


def _goal_faults(goal) -> dict[str, str]:
    metric = metrics.METRICS.get(goal["metric"])
    if metric is None:
        return {"metric": "This is not one of the metrics."}
    found = {}
    if goal.get("unit", metric.unit) != metric.unit:
        found["unit"] = f"The unit is {metric.unit}."
    if goal.get("direction", metric.direction) != metric.direction:
        found["direction"] = f"This gets better by: {metric.direction}."
    if message := metrics.fault(metric, _number(goal["baseline"]), _number(goal["target"])):
        found["target"] = message
    return found


def _number(value) -> Decimal:
    return Decimal(str(value))


def bring_in(chart: dict, bringing: Bringing) -> None:
    said, patient = chart.get("care_plan"), bringing.patient
    if said is None:
        return
    evaluation = patient.evaluations.order_by("started_at").first()
    plan = _plan(said, evaluation, chart.get("consents"))
    kinds = said["phases"] or [Phase.Kind.CORRECTIVE]
    Phase.objects.bulk_create(
        Phase(
            plan=plan,
            order=n,
            kind=kinds[min(n, len(kinds) - 1)],
            visits_per_week=rate["per_week"],
            weeks=rate["weeks"],
        )
        for n, rate in enumerate(said["frequency"])
    )
    Goal.objects.bulk_create(
        Goal(
            plan=plan,
            metric=goal["metric"],
            unit=metrics.METRICS[goal["metric"]].unit,
            baseline=_number(goal["baseline"]),
            target=_number(goal["target"]),
            due_on=date.fromisoformat(goal["due_date"]),
        )
        for goal in said.get("goals") or []
    )
    Intervention.objects.bulk_create(
        Intervention(plan=plan, code=code, dose=dose, role=role)
        for name, role in ROLES.items()
        for code, dose in map(_read, said.get(name) or [])
    )
    PlanEvent.objects.create(
        plan=plan, step="brought_in", to_status=plan.status, by=evaluation.started_by, at=plan.created_at
    )
    besides = {name: value for name, value in said.items() if name not in _OWN}
    if said["status"] in _ENDED:
        besides["status"] = said["status"]
    if said.get("reeval_after_visits", 12) is None:
        besides["reeval_after_visits"] = None
    if len(said["phases"]) != len(said["frequency"]):
        besides["phases"] = said["phases"]
    person.keep(patient, {f"$.care_plan.{name}": value for name, value in besides.items()})


def _plan(said: dict, evaluation: Evaluation, consents: dict | None) -> CarePlan:
    zone, starts_on = evaluation.location.time_zone, date.fromisoformat(said["start_date"])
    status = _ENDED.get(said["status"], said["status"])
    begun = times.instant(starts_on, time(12), zone)
    is_consented = bool(consents and consents.get("chiropractic_care"))
    name = evaluation.patient.name if not consents or consents["signed_by"] == "patient" else consents["signed_by"]
    # Nobody here wrote it: it stands under its examiner, whom nobody can book.
    clinician, _ = Practitioner.objects.get_or_create(user=evaluation.started_by, defaults={"is_active": False})
    return CarePlan.objects.create(
        patient=evaluation.patient,
        evaluation=evaluation,
        location=evaluation.location,
        practitioner=clinician,
        status=status,
        starts_on=starts_on,
        reevaluate_after_visits=said.get("reeval_after_visits") or 12,
        reevaluate_by=said.get("reeval_due_date") and date.fromisoformat(said["reeval_due_date"]),
        restrictions=said.get("restrictions") or [],
        consent_signed_at=times.instant(date.fromisoformat(consents["date"]), time(12), zone) if is_consented else None,
        consent_signed_name=name if is_consented else "",
        created_by=evaluation.started_by,
        created_at=begun,
        activated_at=None if status == CarePlan.Status.DRAFT else begun,
    )


def _read(text: str) -> tuple[str, str]:
    """`chin_tucks_2x10_daily` is the exercise and its dose; what the list does not know is kept as it was written."""
    for code in sorted(interventions.KNOWN, key=len, reverse=True):
        if text == code or (text.startswith(f"{code}_") and " " not in text):
            return code, text.removeprefix(code).replace("_", " ").strip()
    return OTHER, text


def _written(row: Intervention) -> str:
    if row.code == OTHER:
        return row.dose
    return "_".join([row.code, *row.dose.split()])


def take_out(patient: Patient) -> dict:
    """The plan that runs, else the latest."""
    plans = sorted(patient.care_plans.all(), key=lambda plan: (plan.is_active, plan.created_at))
    if not plans:
        return {"care_plan": None}
    plan = plans[-1]
    phases, rows = list(plan.phases.all()), list(plan.interventions.all())
    said = {
        "status": plan.status,
        "start_date": plan.starts_on.isoformat(),
        **{name: [_written(row) for row in rows if _role(row) == role] for name, role in ROLES.items()},
        "frequency": [{"per_week": phase.visits_per_week, "weeks": phase.weeks} for phase in phases],
        "phases": [phase.kind for phase in phases],
        "reeval_after_visits": plan.reevaluate_after_visits,
        "reeval_due_date": plan.reevaluate_by.isoformat() if plan.reevaluate_by else None,
        "goals": [
            {
                "metric": goal.metric,
                "baseline": goal.baseline.normalize(),
                "target": goal.target.normalize(),
                "due_date": goal.due_on.isoformat(),
                "unit": goal.unit,
                "direction": metrics.METRICS[goal.metric].direction,
            }
            for goal in plan.goals.order_by("pk")
        ],
    }
    if plan.restrictions:
        said["restrictions"] = plan.restrictions
    return {"care_plan": said | person.kept(patient, "$.care_plan.")}


def _role(row: Intervention) -> str:
    known = interventions.KNOWN.get(row.code)
    if row.role or known is None:
        return row.role
    return {interventions.TECHNIQUE: "technique", interventions.HOME: "home"}.get(known.group, "adjunct")
