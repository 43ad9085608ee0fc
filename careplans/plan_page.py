"""What the pages of a plan show. Reads, never writes."""

from django.urls import reverse

from appointments.recurring import patterns, standing
from careplans import (
    agreement_page,
    blocks,
    goals,
    home_programme,
    metrics,
    picture,
    planning,
    progress,
    reevaluating,
    safety_hold,
    unjudged,
)
from careplans.models import CarePlan
from evaluations import interventions
from patients import consenting


def read(plan: CarePlan) -> dict:
    """Context of the page and of the print: the same facts, read once."""
    phases = list(plan.phases.all())
    shown = _visits(plan)
    so_far = progress.of_plan(plan)
    return {
        "plan": plan,
        "phases": phases,
        "visits": shown,
        "counts": standing.counts(one["standing"] for one in shown),
        "owed": sum(one["standing"].is_owed for one in shown),
        "owes_checkpoint": any(one["is_checkpoint"] and one["standing"].is_owed for one in shown),
        "goals": _goals(plan),
        "interventions": [_intervention(row) for row in plan.interventions.all()],
        "restrictions": restriction_labels(blocks.restrictions_on(plan)),
        "blocks": blocks.now(plan),
        "safety_hold": safety_hold.of_plan(plan),
        "history": [_event(event) for event in plan.history.select_related("by")],
        "consent": consenting.latest(plan.patient),
        "agreed": agreement_page.agreed(plan),
        "versions": list(plan.versions.select_related("written_by").defer("document")),
        "kept": home_programme.kept(plan),
        "discharged": hasattr(plan, "discharge"),
        "progress": so_far,
        "to_judge": unjudged.latest(plan) if plan.is_active else None,
        "reevaluations": list(plan.reevaluations.select_related("by").order_by("-at", "-pk")),
        "discharge_hint": reevaluating.discharge_hint(plan, so_far),
        "phase": so_far and progress.phase(phases, so_far.visits.fulfilled + so_far.visits.let_go),
        "pace_rules": progress.RULES,
        "checkpoint_on": so_far.checkpoint.due_on if so_far else plan.reevaluate_by,
        "picture": _picture(plan, phases, shown, so_far.checkpoint.due_on if so_far else plan.reevaluate_by),
    }


def restriction_labels(codes: list[str]) -> list[str]:
    return [interventions.restriction_label(code) for code in codes]


def _visits(plan):
    """By their days: the order of a series is not that of the calendar once visits were moved."""
    if not plan.series:
        return []
    shown = [_visit(one, is_checkpoint=one.visit.type_id != plan.series.type_id) for one in standing.of(plan.series)]
    return sorted(shown, key=lambda one: (one["day"], one["visit"].number))


def _visit(one, *, is_checkpoint):
    found = one.appointment
    return {
        "is_checkpoint": is_checkpoint,
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
    return {"at": event.at, "by": event.by or "the patient", "reason": event.reason, "words": words}


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


def picture_of(plan: CarePlan) -> dict:
    """As the plan stands; before it has visits, the days on which its phases would want them."""
    so_far = progress.of_plan(plan)
    checkpoint_on = so_far.checkpoint.due_on if so_far else plan.reevaluate_by
    return {
        "checkpoint_on": checkpoint_on,
        "picture": _picture(plan, list(plan.phases.all()), _visits(plan), checkpoint_on),
    }


def _picture(plan, phases, shown, checkpoint_on):
    seen = [_seen(one) for one in shown] or _wanted(plan, phases)
    return picture.draw(
        plan.starts_on,
        [(phase.get_kind_display(), phase.kind, phase.weeks) for phase in phases],
        seen,
        checkpoint=checkpoint_on,
        today=plan.location.today(),
    )


def _seen(one):
    what = "Re-evaluation" if one["is_checkpoint"] else "Visit"
    title = f"{what} on {one['day']:%b} {one['day'].day}: {one['words']}"
    return picture.Seen(one["day"], one["state"], title, one["url"], one["is_checkpoint"])


def _wanted(plan, phases):
    if not plan.is_draft or not phases:
        return []
    return [
        picture.Seen(one.day, "wanted", f"Wanted on {one.day:%b} {one.day.day}", "", one.is_checkpoint)
        for one in patterns.wanted(planning.pattern_of(plan))
    ]
