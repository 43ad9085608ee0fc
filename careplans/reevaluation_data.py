"""The data that a re-evaluation is judged by: each goal in two evaluations, and neurological findings that are new.

Reads, never writes. Only what this very evaluation measured counts, so an older value never hides a gap.
"""

from decimal import Decimal

from careplans import goals, metrics
from careplans.decision_table import Measure
from careplans.models import CarePlan
from clinic import times
from clinic.unknowns import Answer, any_of
from evaluations import catalogue, comparison, field_words, summary
from evaluations.entry import normals
from evaluations.models import Evaluation
from evaluations.readings import Readings

# A deficit is of these; a provocation test that turned positive is pain, not loss.
SECTIONS = ("neuro_cranial", "neuro_sensory", "neuro_motor", "neuro_reflex", "neuro_umn", "neuro_coordination")
CODES = frozenset(entry.code for section in SECTIONS for entry in catalogue.entries_of(section))
# Of days in 28 the change that matters is a share of the baseline (reference 3.2, monthly metrics).
SHARE = Decimal("0.5")
DAYS = frozenset({"migraine_days_28", "headache_days_28", "acute_med_days_28"})


def measures(plan: CarePlan, evaluation: Evaluation) -> list[Measure]:
    """Every goal of the plan as this evaluation found it."""
    now = goals.values(evaluation)
    on = times.day_of(evaluation.started_at, evaluation.location.time_zone)
    found = []
    for goal in plan.goals.all():
        metric = metrics.METRICS[goal.metric]
        value = now.get(goal.metric)
        found.append(
            Measure(goal.metric, metric.label, goal.unit, goal.baseline, goal.target, mic(goal.metric, goal.baseline),
                    metric.direction == metrics.RISE, value, None if value is None else on)
        )  # fmt: skip
    return found


def mic(metric: str, baseline: Decimal) -> Decimal | None:
    """The change that matters, in the unit of the metric; None where none is known."""
    if metric in DAYS:
        return baseline * SHARE or None
    if metric in comparison.SCORES:
        return comparison.SCORES[metric].mic
    code = goals.finding_of(metric)
    return catalogue.FINDINGS[code].detectable_change if code else None


def new_deficits(before: Evaluation, now: Evaluation) -> tuple[Answer, list[str]]:
    """Whether there is a neurological deficit that was not there before, and which, in words.

    Unknown where what was examined then was not examined now, and where neither examined anything.
    """
    then, here = (Readings(one.findings.filter(code__in=CODES)) for one in (before, now))
    answers, found = [], []
    for code in sorted(CODES):
        entry = catalogue.FINDINGS[code]
        places = {catalogue.key_of(place): place for one in (then, here) for place, _ in one.all(code)}
        for place in places.values():
            answer = _is_new(entry, place, then, here, summary.who(now))
            answers.append(answer)
            if answer:
                where = ", ".join(field_words.spoken(name) for name in place.values())
                found.append(f"{entry.label}{f', {where}' if where else ''}")
    return any_of(answers), found


def _is_new(entry, place, then: Readings, here: Readings, who) -> Answer:
    value, before = here.value(entry.code, **place), then.value(entry.code, **place)
    if value in (None, catalogue.NOT_TESTABLE):
        return None
    if not entry.is_numeric and comparison.judged(entry, before, value)[1] == comparison.WORSE:
        return True
    departs, departed = (
        normals.stands_out(entry, place, found, readings, who) for found, readings in ((value, here), (before, then))
    )
    return bool(departs) and not departed
