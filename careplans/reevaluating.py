"""Looking at a plan again: what the data say, and what the clinician records and decides. The only writer of
Reevaluation. The table proposes, the clinician decides with a reason, and the decision is carried out with the record.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from appointments.recurring import series as visits
from careplans import decision_table, planning, progress, reevaluation_data, trials
from careplans.decision_table import Decision, Measure, Result, Situation
from careplans.models import CarePlan, Reevaluation
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import checked_reason
from clinic.unknowns import Answer
from evaluations.models import Evaluation
from evaluations.safety import red_flags

MISSED, AWAY = 3, timedelta(days=60)  # reference 4.10: then a discharge is proposed, never made
NECK = "no_manual_neck_care"
NEW_DEFICIT, WORSENING = "rf_neuro_deficit", "rf_progressive"


@dataclass(frozen=True)
class Review:
    """A signed evaluation beside the one a plan is from: what it says, what is missing, and what the table proposes."""

    evaluation: Evaluation
    measures: list[Measure]
    new_deficit: Answer
    deficits: list[str]
    situation: Situation
    result: str | None = None
    decisions: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        return decision_table.missing(self.measures, self.new_deficit)

    @property
    def result_words(self) -> str:
        return Result(self.result or Result.UNKNOWN).label

    @property
    def decision_words(self) -> list[str]:
        return [Decision(one).label for one in self.decisions]


def review(plan: CarePlan, evaluation: Evaluation) -> Review:
    measures = reevaluation_data.measures(plan, evaluation)
    new_deficit, deficits = reevaluation_data.new_deficits(plan.evaluation, evaluation)
    now = _situation(plan)
    result = decision_table.result(measures, new_deficit)
    return Review(evaluation, measures, new_deficit, deficits, now, result, decision_table.decisions(result, now))


def discharge_hint(plan: CarePlan, so_far: progress.Progress | None) -> str:
    """Why a discharge could be thought of, or nothing. Proposed only: nobody is discharged by the clock."""
    if so_far is None or not plan.is_active:
        return ""
    latest = list(plan.reevaluations.order_by("-at", "-pk").values_list("result", flat=True)[:2])
    if latest == [Result.UNCHANGED] * 2:
        return "Two re-evaluations in a row found no change."
    if so_far.visits.missed_in_a_row >= MISSED:
        return f"{so_far.visits.missed_in_a_row} visits missed in a row."
    away = plan.location.today() - (so_far.visits.last_on or plan.starts_on)
    return f"Not here for {away.days} days." if away >= AWAY else ""


@transaction.atomic
def record(
    plan: CarePlan, *, evaluation: Evaluation, result: str, decision: str, reason: str, by: User
) -> Reevaluation:
    """Keep what the clinician found and decided, with the data that were there, and carry the decision out.

    Raises RuleBroken naming the field; then nothing is kept and nothing carried out.
    """
    plan = planning.locked(plan, by=by, needs={planning.Status.ACTIVE}, step="re-evaluated")
    reason = checked_reason(reason, needed="Say why, in a sentence.", most=500)
    _check(plan, evaluation, result, decision)
    found = review(plan, evaluation)
    if wrong := decision_table.fault(result, decision, found.situation, by_the_data=found.result):
        name = "result" if wrong[0].endswith("by_the_data") else "decision"
        raise RuleBroken(wrong[1], code=wrong[0], fields={name: wrong[1]})
    kept = plan.reevaluations.create(
        evaluation=evaluation, proposed=found.result or "", result=result,
        decision=decision, reason=reason, evidence=_evidence(found), techniques=trials.techniques_of(plan), by=by,
        at=times.now(),
    )  # fmt: skip
    planning.record(plan, "reevaluated", by=by, reason=f"{kept.get_result_display()}: {reason}"[:500])
    audit.record("reevaluation.recorded", on=plan, by=by, result=result, decision=decision)
    _carry_out(plan, decision, reason, by)
    if decision == Decision.STOP:
        # The plan ends with its restrictions; what was found is the patient's, wherever they are treated next.
        red_flags.stop_care(plan.patient, evaluation, NEW_DEFICIT if found.new_deficit else WORSENING, by=by)
    return kept


def _check(plan: CarePlan, evaluation: Evaluation, result: str, decision: str) -> None:
    wrong = {}
    if result not in Result:
        wrong["result"] = "Choose what was found."
    if decision not in Decision:
        wrong["decision"] = "Choose what follows."
    is_later = evaluation.patient_id == plan.patient_id and evaluation.started_at > plan.evaluation.started_at
    if not (evaluation.is_in_force and is_later):
        wrong["evaluation"] = "A plan is judged by a signed evaluation after the one it is from."
    if wrong:
        raise RuleBroken(next(iter(wrong.values())), code="invalid", fields=wrong, status=400)
    if plan.reevaluations.filter(evaluation=evaluation).exists():
        message = "This evaluation was judged already."
        raise RuleBroken(message, code="judged_already", fields={"evaluation": message})


def _carry_out(plan: CarePlan, decision: str, reason: str, by: User) -> None:
    match decision:
        case Decision.EXTEND:
            planning.extend(plan, by=by, reason=reason)
        case Decision.SUPPORTIVE:
            planning.support(plan, by=by, reason=reason)
        case Decision.DISCHARGE:
            planning.complete(plan, by=by, reason=reason)
        case Decision.REFER:
            planning.discontinue(plan, by=by, reason=f"Referred: {reason}"[:500])
        case Decision.STOP:
            planning.restrict(plan, NECK, by=by)
            planning.discontinue(plan, by=by, reason=f"Stopped for safety, referred: {reason}"[:500])
    after = CarePlan.objects.with_names().get(pk=plan.pk)
    if after.is_active and after.series:
        due = progress.of_plan(after).checkpoint
        visits.want_checkpoint(after.series, on=due.due_on, by=by)


def _situation(plan: CarePlan) -> Situation:
    so_far = progress.of_plan(plan)
    left = so_far.visits.booked + so_far.visits.owed if so_far else 0
    extended = plan.history.filter(step="extended").exists()
    return Situation(extended, trials.unchanged_in_a_row(plan), left > 0)


def _evidence(found: Review) -> dict:
    def text(value):
        return None if value is None else str(value)

    return {
        "measures": [
            {"metric": one.metric, "unit": one.unit, "baseline": text(one.baseline), "target": text(one.target),
             "now": text(one.now), "on": text(one.on), "mic": text(one.mic), "verdict": one.verdict}
            for one in found.measures
        ],
        "new_deficit": found.new_deficit,
        "deficits": found.deficits,
        "missing": found.missing,
        "proposed": found.decisions,
    }  # fmt: skip
