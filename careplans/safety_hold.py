"""A plan that runs and is on hold for safety: since when, and because of what. Derived from the patient's red flags as
they stand at this moment, never stored: the flag that is raised stops the plan at once, whoever raised it and wherever,
and the plan goes on when a clinician has resolved it (decision 0023, reference 1.4).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from careplans.models import CarePlan, Intervention
from evaluations import interventions
from evaluations.models import RedFlagEvent
from evaluations.safety import restrictions

RUNNING = {CarePlan.Status.ACTIVE, CarePlan.Status.ON_HOLD}


@dataclass(frozen=True)
class SafetyHold:
    """`because` are the flags that are not resolved and what the plan holds that is forbidden now, first come first."""

    since: datetime
    because: tuple[str, ...]


def of_plan(plan: CarePlan) -> SafetyHold | None:
    return of([plan]).get(plan.pk)


def of(plans: Iterable[CarePlan]) -> dict[int, SafetyHold]:
    """By the id of each running plan that is on hold for safety. Two queries at most, whatever their number."""
    running = [plan for plan in plans if plan.status in RUNNING]
    events: dict[int, list[RedFlagEvent]] = {}
    for event in RedFlagEvent.objects.filter(patient__in={plan.patient_id for plan in running}) if running else ():
        events.setdefault(event.patient_id, []).append(event)
    concerned = [plan for plan in running if plan.patient_id in events]
    chosen: dict[int, list[str]] = {}
    if concerned:
        for pk, code in Intervention.objects.filter(plan__in=concerned).values_list("plan", "code"):
            chosen.setdefault(pk, []).append(code)
    holds = {plan.pk: _hold(events[plan.patient_id], chosen.get(plan.pk, [])) for plan in concerned}
    return {pk: hold for pk, hold in holds.items() if hold}


def _hold(events: list[RedFlagEvent], codes: list[str]) -> SafetyHold | None:
    found = [(event.opened_at, event.label) for event in events if event.resolved_at is None]
    standing = restrictions.standing(events)
    for code in codes:
        if name := interventions.forbidding(code, standing):
            rule = interventions.restriction_label(name)
            found.append((standing.get(name), f"{interventions.label_of(code)} is forbidden: {rule}"))
    found.sort()
    return SafetyHold(found[0][0], tuple(words for _, words in found)) if found else None
