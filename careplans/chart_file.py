"""The part of a chart file that was agreed: the care plan, as it stood where it was written."""

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from pathlib import Path

from appointments.recurring.patterns import Stretch
from careplans import chart_discharge, metrics, planning, versions
from careplans.contents import is_coded
from careplans.models import CarePlan, Discharge, Goal, Intervention, Phase, PlanEvent
from clinic import json_checks, times
from clinic.chart_files import Bringing
from clinic.errors import RuleBroken
from clinic.text import clean_line
from evaluations import interventions
from evaluations.models import Evaluation
from locations.models import Practitioner
from patients import chart_file as person
from patients import consenting
from patients.models import Patient

PARTS = ("care_plan",)
ROLES = {"techniques": "technique", "adjuncts": "adjunct", "home_program": "home"}
OTHER = "other"
_SCHEMA = json_checks.schema(Path(__file__).with_name("chart_schema.json"))
# Words of other systems for a plan that ended before its time.
_ENDED = {"revoked": CarePlan.Status.DISCONTINUED, "revised": CarePlan.Status.DISCONTINUED}
_LINES = ("diagnoses", "referrals")
_OWN = {
    "status", "start_date", "phases", "frequency", "reeval_after_visits", "reeval_due_date", "goals", "restrictions",
    "discharge", *ROLES,
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
    for n, rate in enumerate(said["frequency"]):
        stretch = Stretch(rate["per_week"], rate["weeks"], rate.get("every_weeks", 1))
        names = {"visits_per_week": "per_week"}
        found |= {f"{at}.frequency[{n}].{names.get(name, name)}": text for name, text in stretch.faults()}
    for n, goal in enumerate(said.get("goals") or []):
        found |= {f"{at}.goals[{n}].{name}": text for name, text in _goal_faults(goal).items()}
    for name in _LINES:
        found |= {f"{at}.{name}[{n}]": text for n, text in _line_faults(name, _lines(said, name))}
    if discharge := said.get("discharge"):
        found |= chart_discharge.faults(discharge, _status(said))
    return found


def _lines(said: dict, name: str) -> list[str]:
    """Lines as a plan has them. What another system says in another way is kept as it was written."""
    lines = said.get(name) or []
    return lines if all(isinstance(line, str) for line in lines) else []


def _line_faults(name: str, lines: list[str]) -> Iterator[tuple[int, str]]:
    for n, line in enumerate(lines):
        try:
            planning.check_text(line, clean_line, name, 200)
        except RuleBroken as broken:
            yield n, broken.message
            continue
        if name == "diagnoses" and not is_coded(line):
            yield n, "Begin each diagnosis with its ICD-10 code, like M99.01."


def _status(said: dict) -> str:
    return _ENDED.get(said["status"], said["status"])


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
    plan = _plan(said, evaluation)
    kinds = said["phases"] or [Phase.Kind.CORRECTIVE]
    Phase.objects.bulk_create(
        Phase(
            plan=plan,
            order=n,
            kind=kinds[min(n, len(kinds) - 1)],
            visits_per_week=rate["per_week"],
            weeks=rate["weeks"],
            every_weeks=rate.get("every_weeks", 1),
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
    versions.write(plan, by=evaluation.started_by)
    PlanEvent.objects.create(
        plan=plan, step="brought_in", to_status=plan.status, by=evaluation.started_by, at=plan.created_at
    )
    ours = {*_OWN, *(name for name in _LINES if _lines(said, name))}
    besides = {name: value for name, value in said.items() if name not in ours}
    besides |= {name: said[name] for name in ("goals", "restrictions", "discharge", *ROLES) if not said.get(name, True)}
    if said["status"] in _ENDED:
        besides["status"] = said["status"]
    if said.get("reeval_after_visits", 12) is None:
        besides["reeval_after_visits"] = None
    if len(said["phases"]) != len(said["frequency"]):
        besides["phases"] = said["phases"]
    if said.get("discharge"):
        chart_discharge.bring_in(said["discharge"], plan)
    person.keep(patient, {f"$.care_plan.{name}": value for name, value in besides.items()})


def _plan(said: dict, evaluation: Evaluation) -> CarePlan:
    zone, starts_on = evaluation.location.time_zone, date.fromisoformat(said["start_date"])
    status = _status(said)
    begun = times.instant(starts_on, time(12), zone)
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
        **{name: _lines(said, name) for name in _LINES},
        consent=consenting.latest(evaluation.patient),
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
        "frequency": [_rate(phase) for phase in phases],
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
    for name in ("restrictions", *_LINES):
        if lines := getattr(plan, name):
            said[name] = lines
    if discharge := Discharge.objects.filter(plan=plan).select_related("plan__location", "by").first():
        said["discharge"] = chart_discharge.with_what_was_kept(discharge, patient)
    return {"care_plan": said | _still_so(plan, said, person.kept(patient, "$.care_plan."))}


def _still_so(plan: CarePlan, said: dict, kept: dict) -> dict:
    """What the file said in its own way, without what the plan says otherwise by now."""
    as_brought = plan.version == 1
    wins = {
        "status": _ENDED.get(kept.get("status")) == plan.status,
        "phases": as_brought,
        "reeval_after_visits": as_brought,
    }
    return {name: value for name, value in kept.items() if wins.get(name, not said.get(name))}


def _rate(phase: Phase) -> dict:
    rate = {"per_week": phase.visits_per_week, "weeks": phase.weeks}
    return rate | ({"every_weeks": phase.every_weeks} if phase.every_weeks > 1 else {})


def _role(row: Intervention) -> str:
    known = interventions.KNOWN.get(row.code)
    if row.role or known is None:
        return row.role
    return {interventions.TECHNIQUE: "technique", interventions.HOME: "home"}.get(known.group, "adjunct")
