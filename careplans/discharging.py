"""Ending a plan with its outcome: why, how the patient is, what stays, and when to come back. The only writer of
Discharge. Proposed by the data, decided by the clinician; nobody is discharged by the clock.
"""

from dataclasses import dataclass
from datetime import date

from django.db import transaction

from careplans import goals, metrics, planning
from careplans.models import CarePlan, Discharge
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import checked_reason, clean_note
from evaluations import interventions
from evaluations.models import Evaluation

Reason = Discharge.Reason
# The plan did what it was for; else it ended before its time.
COMPLETES = {Reason.GOALS_MET, Reason.PLATEAU}
PGIC = "pgic_1_to_7"
USUAL_RETURN_IF = (
    "A sudden, severe or new kind of headache, weakness, numbness, trouble speaking, seeing or walking: call 911.",
    "Headache or neck pain that comes back for more than a week.",
)


@dataclass(frozen=True)
class Outcome:
    """What the data say at the end: the goals with their last values, and the patient's impression of change."""

    measures: list[dict]
    pgic: int | None


def outcome(plan: CarePlan) -> Outcome:
    rows = list(plan.goals.all())
    now = goals.current(plan, rows)
    return Outcome([_measure(row, now.get(row.pk)) for row in rows], _impression(plan))


def home_programme(plan: CarePlan) -> list[str]:
    rows = [row for row in plan.interventions.all() if interventions.KNOWN.get(row.code)]
    at_home = [row for row in rows if interventions.KNOWN[row.code].group == interventions.HOME]
    return [interventions.label_of(row.code) + (f": {row.dose}" if row.dose else "") for row in at_home]


@transaction.atomic
def discharge(
    plan: CarePlan, *, reason: str, by: User, why: str = "", pgic: int | None = None, residual: str = "",
    home: str = "", return_if: str = "", summary_to: str = "",
) -> Discharge:  # fmt: skip
    """End the plan and keep how it ended. Raises RuleBroken naming every field that is wrong."""
    plan = planning.locked(plan, by=by, needs=planning.STEPS["complete"], step="discharged")
    if reason not in Reason:
        message = "Choose why the patient is discharged."
        raise RuleBroken(message, code="invalid", fields={"reason": message}, status=400)
    found = outcome(plan)
    pgic = found.pgic if pgic is None else pgic
    if pgic is not None and not 1 <= pgic <= 7:
        message = "The impression of change is 1 to 7."
        raise RuleBroken(message, code="invalid", fields={"pgic": message}, status=400)
    texts = {"residual": residual, "home": home, "return_if": return_if}
    for name, text in texts.items():
        planning.check_text(text, clean_note, name, 2000)
    if not return_if.strip():
        message = "Say when the patient should come back."
        raise RuleBroken(message, code="invalid", fields={"return_if": message}, status=400)
    words = ": ".join(part for part in (str(Reason(reason).label), checked_reason(why, most=300)) if part)
    end = planning.complete if reason in COMPLETES else planning.discontinue
    plan = end(plan, by=by, reason=words)
    kept = Discharge.objects.create(
        plan=plan, reason=reason, why=why.strip(), measures=found.measures, pgic=pgic, at=times.now(), by=by,
        summary_to=checked_reason(summary_to), **{name: text.strip() for name, text in texts.items()},
    )  # fmt: skip
    audit.record("care_plan.discharged", on=plan, by=by, reason=reason)
    return kept


def _measure(row, now) -> dict:
    metric = metrics.METRICS.get(row.metric)
    return {
        "metric": row.metric,
        "label": metric.label if metric else row.metric,
        "baseline": metrics.shown(row.baseline),
        "target": metrics.shown(row.target),
        "last": now and metrics.shown(now.value),
        "on": now and now.on.isoformat(),
        "percent": now and now.percent,
        "unit": metrics.shown_unit(row.unit, row.target),
    }


def by_day(measures: list[dict]) -> list[dict]:
    """The measures as they are kept, with their days as dates."""
    return [{**one, "on": date.fromisoformat(one["on"]) if one["on"] else None} for one in measures]


def _impression(plan: CarePlan) -> int | None:
    """As the patient said at the latest evaluation after the one the plan is from."""
    later = (
        Evaluation.objects.in_force()
        .filter(patient=plan.patient_id, started_at__gt=plan.evaluation.started_at, status=Evaluation.Status.SIGNED)
        .order_by("-started_at", "-pk")
    )
    said = (evaluation.measures.get(PGIC) for evaluation in later)
    return next((int(value) for value in said if value is not None), None)
