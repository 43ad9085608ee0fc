"""Why a plan may not become active or get more visits, each reason with what to do about it. Reads, never writes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from careplans import agreeing, consent_rules, metrics, progress, safety_hold, trials, unjudged
from careplans.models import Agreement, CarePlan
from clinic import times
from clinic.errors import RuleBroken
from evaluations import interventions
from evaluations.safety import red_flags, restrictions

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
    return [
        *_safety(plan),
        *_evaluation(plan),
        *_clinician(plan),
        *_consent(plan),
        *_goals(plan),
        *_checkpoint(plan),
        *_trial(plan),
        *_rival(plan),
    ]


def of_running(plan: CarePlan) -> list[Block]:
    """What keeps a plan that was active once from going on."""
    return [block for block in of(plan) if block.stops_running]


def now(plan: CarePlan) -> list[Block]:
    """What stands against the plan in the status that it has; nothing against one that is over."""
    if plan.is_draft:
        return of(plan)
    if plan.status not in safety_hold.RUNNING:
        return []
    return [*of_running(plan), *(of_more(plan) if plan.is_active else [])]


def of_more(plan: CarePlan) -> list[Block]:
    """What keeps a plan that runs from getting further visits, while those on the calendar are finished."""
    return [*_overdue(plan), *_unjudged(plan), *_trial(plan), *_not_agreed(plan)]


def _not_agreed(plan) -> Iterator[Block]:
    """What was agreed to goes on; what was changed since in what is done, or how often, waits for the patient."""
    if changed := agreeing.open_changes(plan):
        what = " and ".join(heading.lower() for heading in changed)
        message = f"The patient has not agreed to what was changed ({what}): no further visits until then."
        yield Block("agreement_missing", message, "Let the patient read and sign it; booked visits can take place.")


def refusal(found: list[Block]) -> RuleBroken:
    """As it is told to who wanted to go on: the first of them, and each by its code."""
    return RuleBroken(found[0].message, code=found[0].code, fields={block.code: block.message for block in found})


def _overdue(plan) -> Iterator[Block]:
    found = progress.of_plan(plan)
    if found and found.checkpoint.stops_more:
        message = f"The re-evaluation is {found.checkpoint.words}: the plan gets no further visits."
        yield Block("reevaluation_overdue", message, "Re-evaluate first; visits on the calendar can take place.")


def _unjudged(plan) -> Iterator[Block]:
    """A re-evaluation is done when somebody has said what it found and what follows."""
    found = unjudged.latest(plan)
    if found and times.now() - found.signed_at > timedelta(days=settings.REEVALUATION_GRACE_DAYS):
        days = (times.now() - found.signed_at).days
        message = f"An evaluation was signed {days} days ago and nobody judged the plan by it: no further visits."
        yield Block("reevaluation_unjudged", message, "Record what it found and what follows from it.")


def restrictions_on(plan: CarePlan) -> list[str]:
    """Those of the patient's red flags and those that the plan itself names."""
    return sorted({*restrictions.of(plan.patient), *plan.restrictions})


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
    standing = restrictions_on(plan)
    for row in plan.interventions.all():
        if name := interventions.forbidding(row.code, standing):
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
    elif not evaluation.is_in_force:
        yield Block(
            "evaluation_in_error",
            "The evaluation was entered in error.",
            "Evaluate the patient and write the plan anew.",
            stops_running=True,
        )
    elif times.now() - evaluation.started_at > EVALUATION_GOOD_FOR:
        yield Block(
            "evaluation_too_old",
            f"The patient was evaluated more than {EVALUATION_GOOD_FOR.days} days ago.",
            "Evaluate the patient again and write the plan from that.",
        )


def _clinician(plan) -> Iterator[Block]:
    if not plan.practitioner.is_active:
        yield Block(
            "no_clinician",
            f"{plan.practitioner} no longer works here: the plan has no clinician.",
            "Change the plan and name who is in charge.",
        )


def _consent(plan) -> Iterator[Block]:
    if fault := consent_rules.of_plan(plan):
        yield Block(fault.code, fault.message, "Let the patient read and sign the form anew.", fault.stops_running)
    if not Agreement.objects.filter(version__plan=plan, version__number=plan.version).exists():
        yield Block(
            "agreement_missing",
            "The patient has not agreed to the plan as it stands.",
            "Let the patient read and sign it.",
        )


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
    elif plan.is_draft and plan.reevaluate_by < plan.location.today():
        yield Block(
            "checkpoint_passed",
            "The day of the re-evaluation has passed before the plan began.",
            "Let the plan start later, and say by when the patient is re-evaluated.",
        )


def _trial(plan) -> Iterator[Block]:
    if trials.unchanged_in_a_row(plan) >= trials.IDENTICAL:
        yield Block(
            "third_identical_trial",
            "Two trials with these techniques changed nothing.",
            "Choose another technique, or refer: no third identical trial.",
        )


def _rival(plan) -> Iterator[Block]:
    if CarePlan.objects.filter(patient=plan.patient, status=CarePlan.Status.ACTIVE).exclude(pk=plan.pk).exists():
        yield Block(
            "another_active_plan",
            "The patient already has an active plan.",
            "Complete or discontinue the other plan, or put it on hold.",
            stops_running=True,
        )
