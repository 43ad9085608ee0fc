"""Care plans on the patient's page: steps on the time line, and the plan that runs as a panel."""

from collections.abc import Iterable

from django.urls import reverse

from careplans import progress, safety_hold
from careplans.models import CarePlan, PlanEvent
from patients import chart

_TITLES = {
    "drafted": "Care plan drafted",
    "activated": "Care plan begun",
    "held": "Care plan put on hold",
    "resumed": "Care plan resumed",
    "completed": "Care plan completed",
    "discontinued": "Care plan discontinued",
}


def entries(patient, user) -> Iterable[chart.Entry]:
    plans = CarePlan.objects.visible_to(user).filter(patient=patient)
    for event in PlanEvent.objects.filter(plan__in=plans, step__in=_TITLES).select_related("by"):
        text = " · ".join(part for part in (str(event.by), event.reason) if part)
        url = reverse("plan", args=[event.plan_id])
        yield chart.Entry(event.at, _TITLES[event.step], text, url, icon="plan", status=event.to_status)


def panel(patient, user) -> dict | None:
    """The latest plan that is not over, with how it goes on."""
    over = [CarePlan.Status.COMPLETED, CarePlan.Status.DISCONTINUED]
    plan = CarePlan.objects.visible_to(user).filter(patient=patient).exclude(status__in=over).with_names().first()
    if plan is None:
        return None
    return {"plan": plan, "progress": progress.of_plan(plan), "safety_hold": safety_hold.of_plan(plan)}
