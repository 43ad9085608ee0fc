"""What the pages of a plan show. Reads, never writes."""

from django.urls import reverse

from appointments import standing
from careplans import blocks, goals, interventions, metrics, picture, progress
from careplans.models import CarePlan

# Consent names these whatever the plan says (clinical reference 4.7).
RISKS = (
    "Soreness or a headache for a day or two happens to a third to half of patients.",
    "Injury of a disc or nerve is rare.",
    "Stroke after neck treatment has been reported very rarely; whether the treatment is the cause is not settled.",
    "No result can be promised.",
)
ALTERNATIVES = ("no treatment", "medicine", "physical therapy", "a neurologist's opinion")


def read(plan: CarePlan) -> dict:
    """Context of the page and of the print: the same facts, read once."""
    phases = list(plan.phases.all())
    shown = [_visit(one) for one in standing.of(plan.series)] if plan.series else []
    so_far = progress.of_plan(plan)
    return {
        "plan": plan,
        "phases": phases,
        "visits": shown,
        "counts": standing.counts(one["standing"] for one in shown),
        "owed": sum(one["standing"].is_owed for one in shown),
        "goals": _goals(plan),
        "interventions": [_intervention(row) for row in plan.interventions.all()],
        "restrictions": restriction_labels(blocks.restrictions_on(plan)),
        "blocks": _blocks(plan),
        "history": [_event(event) for event in plan.history.select_related("by")],
        "risks": RISKS,
        "alternatives": ALTERNATIVES,
        "progress": so_far,
        "phase": so_far and progress.phase(phases, so_far.visits.fulfilled + so_far.visits.let_go),
        "pace_rules": progress.RULES,
        "picture": _picture(plan, phases, shown),
    }


def restriction_labels(codes: list[str]) -> list[str]:
    return [interventions.restriction_label(code) for code in codes]


def _blocks(plan):
    if plan.is_draft:
        return blocks.of(plan)
    return blocks.of_running(plan) if plan.status in {CarePlan.Status.ACTIVE, CarePlan.Status.ON_HOLD} else []


def _visit(one):
    found = one.appointment
    return {
        "standing": one,
        "visit": one.visit,
        "day": one.day,
        "state": one.state,
        "words": one.words,
        "when": one.when,
        "appointment": found,
        "url": reverse("appointment", args=[found.pk]) if found else "",
    }


def _event(event):
    words = event.step.replace("_", " ").capitalize()
    return {"at": event.at, "by": event.by, "reason": event.reason, "words": words}


def _goals(plan):
    rows = list(plan.goals.all())
    current = goals.current(plan, rows)
    return [_goal(row, current.get(row.pk)) for row in rows]


def _goal(goal, now):
    metric = metrics.METRICS.get(goal.metric)
    return {
        "goal": goal,
        "label": metric.label if metric else goal.metric,
        "now": now,
        "target_unit": metrics.shown_unit(goal.unit, goal.target),
        "baseline_unit": metrics.shown_unit(goal.unit, goal.baseline),
        "now_unit": metrics.shown_unit(goal.unit, now.value) if now else "",
        "asked": "The patient reports" if metric and metric.is_patient_reported else "Measured",
    }


def _intervention(row):
    known = interventions.KNOWN.get(row.code)
    return {"label": interventions.label_of(row.code), "dose": row.dose, "group": known.group if known else "Other"}


def _picture(plan, phases, shown):
    return picture.draw(
        plan.starts_on,
        [(phase.get_kind_display(), phase.kind, phase.weeks) for phase in phases],
        [
            (one["day"], one["state"], f"Visit on {one['day']:%b} {one['day'].day}: {one['words']}", one["url"])
            for one in shown
        ],
        checkpoint=plan.reevaluate_by,
        today=plan.location.today(),
    )
