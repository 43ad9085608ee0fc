"""What the evaluations say about a goal: the value at its start, and the value now. Reads, never writes.

Only signed evaluations count; what is kept at home is what the patient answered. The counts of the headache diary are
another measurement and are never mixed in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Prefetch

from careplans import home_programme, metrics
from careplans.models import CarePlan, Goal
from clinic import times
from clinic.errors import RuleBroken
from evaluations import comparison
from evaluations.models import Evaluation, Finding
from evaluations.readings import Readings

# Where the metrics that are measured stand among the findings: code and place.
_FINDINGS: dict[str, tuple[str, dict]] = {
    "frt_left": ("frt", {"side": "left"}),
    "frt_right": ("frt", {"side": "right"}),
    "craniovertebral_angle": ("craniovertebral_angle", {}),
    "deep_neck_flexor_endurance": ("deep_neck_flexor_endurance", {}),
    **{
        name: (f"rom_{name.removeprefix('rom_active_')}", {"mode": "active"})
        for name in metrics.METRICS
        if name.startswith("rom_active_")
    },
}
CODES = {code for code, _ in _FINDINGS.values()}


@dataclass(frozen=True)
class Current:
    """The latest value since the plan was written, and the day it was taken; `share` of the way, 0 to 1."""

    value: Decimal
    on: date
    share: Decimal

    @property
    def percent(self) -> int:
        """Rounded down: 100 only when the goal is reached."""
        return int(self.share * 100)

    @property
    def is_reached(self) -> bool:
        return self.share == 1


def finding_of(metric: str) -> str | None:
    """The code of the finding that the metric is, or None."""
    return _FINDINGS[metric][0] if metric in _FINDINGS else None


def value(metric: str, outcomes: Mapping, readings: Readings) -> Decimal | None:
    """One metric in one evaluation; None where it was not taken, and where evaluations do not hold it."""
    if metric in _FINDINGS:
        code, place = _FINDINGS[metric]
        found = readings.value(code, **place)
    else:
        score = comparison.SCORES.get(metric)
        found = score.of(outcomes) if score else None
    return None if found is None else Decimal(found)


def values(evaluation: Evaluation) -> dict[str, Decimal]:
    """Every metric that the evaluation has a value for."""
    readings = Readings(evaluation.findings.filter(code__in=CODES))
    found = {name: value(name, evaluation.measures, readings) for name in metrics.METRICS}
    return {name: number for name, number in found.items() if number is not None}


def complete(goals: Iterable[Mapping], evaluation: Evaluation) -> list[dict]:
    """The goals with what was left out: the baseline as the evaluation found it, the target that is usual from there.

    Raises RuleBroken naming the field where there is nothing to take; unknown metrics are left to `Contents`.
    """
    known, done, faults = values(evaluation), [], {}
    for n, goal in enumerate(goals):
        metric = metrics.METRICS.get(goal["metric"])
        baseline, target = goal.get("baseline"), goal.get("target")
        if metric and baseline is None:
            baseline = known.get(metric.name)
            if baseline is None:
                faults[f"goals.{n}.baseline"] = f"The evaluation has no value for {metric.label}: enter it."
        if metric and baseline is not None and target is None:
            target = metric.usual_target(Decimal(baseline))
            if target is None:
                faults[f"goals.{n}.target"] = "There is no usual target for this: enter it."
        done.append({**goal, "baseline": baseline, "target": target})
    if faults:
        raise RuleBroken(next(iter(faults.values())), code="invalid", fields=faults, status=400)
    return done


def current(plan: CarePlan, goals: Iterable[Goal]) -> dict[int, Current]:
    """By the goal's id, from the latest later evaluation that has its metric; a goal not measured since is left out.

    Two queries, whatever their number.
    """
    wanted, found = list(goals), {}
    zone = plan.location.time_zone
    for evaluation in _since(plan) if wanted else ():
        readings = Readings(evaluation.findings.all())
        for goal in wanted:
            number = value(goal.metric, evaluation.measures, readings)
            if goal.pk not in found and number is not None:
                share = metrics.attainment(goal.baseline, goal.target, number)
                found[goal.pk] = Current(number, times.day_of(evaluation.started_at, zone), share)
    return found | _at_home(plan, [goal for goal in wanted if goal.metric == metrics.KEPT_AT_HOME])


def _at_home(plan: CarePlan, wanted: list[Goal]) -> dict[int, Current]:
    """What the patient keeps of the home programme, by their own word of the last four weeks."""
    percent = home_programme.kept(plan).percent if wanted else None
    if percent is None:
        return {}
    number = Decimal(percent)
    return {
        goal.pk: Current(number, plan.location.today(), metrics.attainment(goal.baseline, goal.target, number))
        for goal in wanted
    }


def _since(plan: CarePlan):
    """Signed evaluations of the patient after the one the plan is from, the latest first."""
    taken = Prefetch("findings", Finding.objects.filter(code__in=CODES))
    later = Evaluation.objects.in_force().filter(
        patient=plan.patient_id, started_at__gt=plan.evaluation.started_at, status=Evaluation.Status.SIGNED
    )
    return later.order_by("-started_at", "-pk").prefetch_related(taken)
