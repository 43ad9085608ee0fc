"""What the pages of a plan show. Reads, never writes."""

from django.urls import reverse

from appointments.models import Appointment
from careplans import blocks, interventions, metrics, picture, placing
from careplans.models import CarePlan, Phase, PlannedVisit
from clinic import times

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
    visits = list(
        PlannedVisit.objects.filter(phase__plan=plan)
        .select_related("appointment__location", "appointment__practitioner__user", "phase")
        .order_by("phase__order", "number")
    )
    shown = [_visit(visit) for visit in visits]
    return {
        "plan": plan,
        "phases": phases,
        "visits": shown,
        "counts": _counts(shown),
        "is_first_phase_owed": any(one["visit"].phase.order == 1 and not one["visit"].is_placed for one in shown),
        "goals": [_goal(goal) for goal in plan.goals.all()],
        "interventions": [_intervention(row) for row in plan.interventions.all()],
        "restrictions": restriction_labels(blocks.restrictions_of(plan.patient)),
        "blocks": _blocks(plan),
        "history": [_event(event) for event in plan.history.select_related("by")],
        "risks": RISKS,
        "alternatives": ALTERNATIVES,
        "picture": _picture(plan, phases, shown),
    }


def restriction_labels(codes: list[str]) -> list[str]:
    return [interventions.restriction_label(code) for code in codes]


def usual_weekdays(phase: Phase) -> list[int]:
    return placing.spread(range(5) if phase.visits_per_week <= 5 else range(7), phase.visits_per_week)


def _blocks(plan):
    if plan.is_draft:
        return blocks.of(plan)
    return blocks.of_running(plan) if plan.status in {CarePlan.Status.ACTIVE, CarePlan.Status.ON_HOLD} else []


def _visit(visit):
    appointment = visit.appointment
    state = _state(visit)
    if state == "owed":
        return {"visit": visit, "day": visit.wanted_on, "state": state, "words": "not on the calendar", "url": ""}
    return {
        "visit": visit,
        "day": appointment.local_start.date(),
        "state": state,
        "words": appointment.get_status_display().lower(),
        "when": times.spoken(appointment.starts_at, appointment.location.time_zone),
        "appointment": appointment,
        "url": reverse("appointment", args=[appointment.pk]),
    }


def _state(visit):
    if not visit.appointment:
        return "owed"
    if visit.appointment.status == Appointment.Status.COMPLETED:
        return "done"
    return "placed" if visit.is_placed else "missed"


def _counts(shown):
    return {state: sum(one["state"] == state for one in shown) for state in ("placed", "done", "owed", "missed")}


def _event(event):
    words = event.step.replace("_", " ").capitalize()
    return {"at": event.at, "by": event.by, "reason": event.reason, "words": words}


def _goal(goal):
    metric = metrics.METRICS.get(goal.metric)
    return {
        "goal": goal,
        "label": metric.label if metric else goal.metric,
        "unit": metrics.shown_unit(goal.unit),
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
