"""Why a plan may not become active: each reason by itself, with what to do about it. Reads, never writes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from careplans import interventions, metrics
from careplans.models import CarePlan
from clinic import times
from evaluations import red_flags
from patients.models import Patient

EVALUATION_GOOD_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Block:
    """`message` says what is missing, `advice` what to do; `stops_running` also ends a plan that was active."""

    code: str
    message: str
    advice: str
    stops_running: bool = False


def of(plan: CarePlan) -> list[Block]:
    """Everything that keeps the plan from becoming active, safety first."""
    return [*_safety(plan), *_evaluation(plan), *_consent(plan), *_goals(plan), *_checkpoint(plan), *_rival(plan)]


def of_running(plan: CarePlan) -> list[Block]:
    """What keeps a plan that was active once from going on."""
    return [block for block in of(plan) if block.stops_running]


def restrictions_of(patient: Patient) -> list[str]:
    """The restrictions that stand: of each flag those of its latest resolution, which may have lifted earlier ones.

    Whoever was referred without manual care stays so until an outside clinician has cleared that very flag.
    """
    latest, referred = {}, set()
    for event in patient.red_flag_events.exclude(resolved_at=None).order_by("resolved_at", "pk"):
        latest[event.code] = event.restrictions
        if event.resolution == "referred_no_manual_care":
            referred.add(event.code)
        elif event.resolution == "cleared_external":
            referred.discard(event.code)
    names = {name for names in latest.values() for name in names}
    return sorted(names | ({"no_manual_neck_care"} if referred else set()))


def restrictions_on(plan: CarePlan) -> list[str]:
    """Those of the patient's red flags and those that the plan itself names."""
    return sorted({*restrictions_of(plan.patient), *plan.restrictions})


def _safety(plan) -> Iterator[Block]:
    found = red_flags.blocks_care(plan.patient)
    unanswered = [event for event in found if event.answer == red_flags.NOT_ASKED]
    if count := len(found) - len(unanswered):
        yield Block(
            "red_flag_open",
            "A red flag is not resolved." if count == 1 else f"{count} red flags are not resolved.",
            "A licensed clinician records on the evaluation how each was resolved.",
            stops_running=True,
        )
    if count := len(unanswered):
        yield Block(
            "red_flags_unanswered",
            f"{count} safety question{'' if count == 1 else 's'} never answered.",
            "Ask them in an evaluation.",
            stops_running=True,
        )
    restrictions = restrictions_on(plan)
    for row in plan.interventions.all():
        if name := interventions.forbidding(row.code, restrictions):
            yield Block(
                "intervention_forbidden",
                f"{interventions.label_of(row.code)} is forbidden: {interventions.restriction_label(name)}.",
                "Take it off the plan or choose another.",
                stops_running=True,
            )


def _evaluation(plan) -> Iterator[Block]:
    evaluation = plan.evaluation
    if not evaluation.is_signed:
        yield Block("evaluation_unsigned", "The evaluation is not signed.", "Sign the evaluation first.")
    elif times.now() - evaluation.signed_at > EVALUATION_GOOD_FOR:
        yield Block(
            "evaluation_too_old",
            f"The evaluation was signed more than {EVALUATION_GOOD_FOR.days} days ago.",
            "Evaluate the patient again and write the plan from that.",
        )


def _consent(plan) -> Iterator[Block]:
    if plan.consent_signed_at is None:
        yield Block("consent_missing", "Informed consent is not signed.", "Let the patient sign below.")


def _goals(plan) -> Iterator[Block]:
    found = [metrics.METRICS[goal.metric] for goal in plan.goals.all() if goal.metric in metrics.METRICS]
    if not found:
        yield Block("no_goal", "There is no measurable goal.", "Add a goal with a baseline, a target and a date.")
    elif not any(metric.is_patient_reported for metric in found):
        yield Block(
            "no_patient_reported_goal",
            "No goal is measured by what the patient reports.",
            "Add one such as migraine days, neck pain or HIT-6: no plan stands on measurements alone.",
        )


def _checkpoint(plan) -> Iterator[Block]:
    if plan.reevaluate_by is None:
        yield Block("no_checkpoint", "There is no re-evaluation date.", "Say by when the patient is re-evaluated.")


def _rival(plan) -> Iterator[Block]:
    if CarePlan.objects.filter(patient=plan.patient, status=CarePlan.Status.ACTIVE).exclude(pk=plan.pk).exists():
        yield Block(
            "another_active_plan",
            "The patient already has an active plan.",
            "Complete or discontinue the other plan, or put it on hold.",
            stops_running=True,
        )
