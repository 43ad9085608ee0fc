"""What a running plan says when its patient is treated: told to the note of the visit, which knows no plans."""

from django.urls import reverse

from careplans import consent_rules, goals, metrics, progress
from careplans.models import CarePlan
from evaluations.running_plans import RunningPlan
from patients.models import Patient


def agreed(patient: Patient) -> RunningPlan | None:
    """None where no plan runs; of one on hold only what it forbids."""
    running = CarePlan.objects.filter(patient=patient, status__in=[CarePlan.Status.ACTIVE, CarePlan.Status.ON_HOLD])
    plan = running.with_names().order_by("status", "-pk").first()  # active comes before on hold
    if plan is None:
        return None
    held = tuple(sorted({*plan.restrictions, *consent_rules.restrictions(plan)}))
    url = reverse("plan", args=[plan.pk])
    if not plan.is_active:
        return RunningPlan(restrictions=held, url=url)
    so_far = progress.of_plan(plan)
    done = so_far.visits.fulfilled + so_far.visits.let_go if so_far else 0
    phase = progress.phase(list(plan.phases.all()), done)
    return RunningPlan(
        phase=phase.kind if phase else "",
        goals=tuple(_goals(plan)),
        techniques=tuple(plan.interventions.values_list("code", flat=True)),
        restrictions=held,
        checkpoint=so_far.checkpoint.words if so_far else "",
        url=url,
    )


def _goals(plan):
    """Each goal as a line: from where to where, and what it is now."""
    rows = list(plan.goals.all())
    current = goals.current(plan, rows)
    for goal in rows:
        metric = metrics.METRICS.get(goal.metric)
        now = current.get(goal.pk)
        label = metric.label if metric else goal.metric
        unit = metrics.shown_unit(goal.unit, goal.target)
        said = f"{label}: {metrics.shown(goal.baseline)} → {metrics.shown(goal.target)} {unit}".rstrip()
        yield f"{said}, now {metrics.shown(now.value)} ({now.percent} %)" if now else said
