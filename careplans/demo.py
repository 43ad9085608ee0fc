"""Care plans of the invented clinics, in every state, written by the rules as if it were then."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from appointments.models import Appointment
from careplans import blocks, metrics, plan_templates, planning
from careplans.models import CarePlan
from careplans.plan_templates import Sketch
from clinic import times
from clinic.demo import World
from clinic.models import User
from evaluations import interventions
from evaluations.models import Evaluation
from locations.models import Practitioner
from patients import guardian_rules
from patients.signatures import Signature

NEAR = timedelta(days=4)  # a visit this near to the day a plan wanted one is that visit
AT_HOME = ("chin_tucks", "slow_neck_rolls", "monitor_eye_level", "pillow_height_check", "hourly_movement_timer")
GENTLE = ("atlas_orthogonal", "activator", "orthospinology")
STATES = ("active", "active", "active", "draft", "consented", "active", "on_hold", "discontinued", "completed")


# As the clinical reference, section 4.2, gives usual doses; whoever uses one adjusts it.
TEMPLATES = {
    "Relief, acute trial": Sketch(
        aim="A trial to ease pain and attacks; ends at the re-evaluation when nothing was gained.",
        phases=[{"kind": "relief", "visits_per_week": 3, "weeks": 4}],
        goals=[{"metric": "nprs_neck", "weeks": 4}, {"metric": "headache_days_28", "weeks": 8}],
        interventions=["activator", "soft_tissue", "heat", "education", "chin_tucks"],
    ),
    "Migraine trial": Sketch(
        aim="Migraine days over eight weeks, looked at after four.",
        phases=[{"kind": "relief", "visits_per_week": 2, "weeks": 4},
                {"kind": "corrective", "visits_per_week": 1, "weeks": 4}],
        goals=[{"metric": "migraine_days_28", "weeks": 8}, {"metric": "hit6_total", "weeks": 8}],
        interventions=["atlas_orthogonal", "soft_tissue", "exercise_dnf", "sleep_advice", "chin_tucks",
                       "sleep_schedule"],
    ),
    "Cervicogenic trial": Sketch(
        aim="Headache days from the neck, looked at after three weeks.",
        phases=[{"kind": "relief", "visits_per_week": 2, "weeks": 3},
                {"kind": "corrective", "visits_per_week": 1, "weeks": 3}],
        goals=[{"metric": "headache_days_28", "weeks": 6}, {"metric": "ndi_percent", "weeks": 6}],
        interventions=["mobilisation", "exercise_dnf", "exercise_scapular", "postural_retraining", "chin_tucks",
                       "monitor_eye_level"],
        reevaluate_after_days=21,
    ),
    "Upper cervical, corrective": Sketch(
        aim="Each visit checks first and adjusts only where the check says so.",
        phases=[{"kind": "corrective", "visits_per_week": 2, "weeks": 4},
                {"kind": "corrective", "visits_per_week": 1, "weeks": 4}],
        goals=[{"metric": "migraine_days_28", "weeks": 8}, {"metric": "nprs_neck", "weeks": 8}],
        interventions=["nucca", "education", "pillow_height_check"],
    ),
    "Supportive": Sketch(
        aim="To keep what was gained; looked at every six visits.",
        phases=[{"kind": "stabilisation", "visits_per_week": 1, "weeks": 6}],
        goals=[{"metric": "headache_days_28", "weeks": 12}],
        interventions=["nucca", "exercise_dnf", "posture_reminder"],
        reevaluate_after_visits=6,
        reevaluate_after_days=90,
    ),
}  # fmt: skip


def load(world: World) -> None:
    owner = User.objects.filter(assignments__role="owner").earliest("pk")
    for name, sketch in TEMPLATES.items():
        plan_templates.create(name, sketch, by=owner)
    for evaluation, chart, back in world.charts:
        if chart.get("care_plan"):
            _from_chart(evaluation, chart, back)
    rng = world.random("care plans")
    signed = Evaluation.objects.filter(status=Evaluation.Status.SIGNED, appointment__type=world.types["evaluation"])
    for n, evaluation in enumerate(signed.select_related("patient", "location").order_by("pk")):
        _from_evaluation(evaluation, STATES[n % len(STATES)], rng, world)
    for plan in CarePlan.objects.exclude(series=None).with_names():
        _place(plan)


def _from_chart(evaluation: Evaluation, chart: dict, back: timedelta) -> None:
    said, by = chart["care_plan"], evaluation.signed_by
    starts_on = date.fromisoformat(said["start_date"]) - back
    written_at = max(
        times.instant(starts_on, time(12), evaluation.location.time_zone), evaluation.signed_at + timedelta(hours=1)
    )
    kinds = [*said["phases"], *["corrective"] * len(said["frequency"])]
    with times.as_of(written_at):
        plan = planning.draft(
            evaluation=evaluation,
            by=by,
            practitioner=Practitioner.objects.get(user=by),
            location=evaluation.location,
            starts_on=starts_on,
            phases=[
                {"kind": kind, "visits_per_week": rate["per_week"], "weeks": rate["weeks"]}
                for kind, rate in zip(kinds, said["frequency"], strict=False)
            ],
            goals=[_goal(goal, back) for goal in said["goals"]],
            interventions=_known([*said["techniques"], *said["adjuncts"], *said["home_program"]]),
            reevaluate_by=min(date.fromisoformat(said["reeval_due_date"]) - back, starts_on + timedelta(28)),
            reevaluate_after_visits=said["reeval_after_visits"],
        )
        planning.sign_consent(plan, signature=_signature(plan, chart["consents"]), by=by)
        planning.activate(plan, by=by)


def _signature(plan: CarePlan, said: dict) -> Signature:
    if said["signed_by"] == "patient":
        return Signature(plan.patient.name)
    assent = said.get("patient_assent")
    return Signature(said["signed_by"], True, said["relationship"], "Birth certificate", assent)


def _goal(said: dict, back: timedelta) -> dict:
    return {
        "metric": said["metric"],
        "baseline": Decimal(str(said["baseline"])),
        "target": Decimal(str(said["target"])),
        "due_on": date.fromisoformat(said["due_date"]) - back,
    }


def _known(codes: list[str]) -> list[str]:
    """The charts write the dose into the code of home exercises; the list keeps them apart."""
    known = sorted(interventions.KNOWN, key=len, reverse=True)
    found = [next((code for code in known if said.startswith(code)), None) for said in codes]
    return list(dict.fromkeys(code for code in found if code))


def _from_evaluation(evaluation: Evaluation, state: str, rng: Random, world: World) -> None:
    by, place = evaluation.signed_by, evaluation.location
    written_at = evaluation.signed_at + timedelta(minutes=20)
    with times.as_of(written_at):
        starts_on = place.today() + timedelta(1)
        plan = planning.draft(
            evaluation=evaluation,
            by=by,
            practitioner=by.practitioner,
            location=place,
            starts_on=starts_on,
            phases=[
                {"kind": "relief", "visits_per_week": rng.choice((2, 3)), "weeks": 4},
                {"kind": "corrective", "visits_per_week": 1, "weeks": rng.choice((4, 8))},
            ],
            goals=_usual_goals(evaluation, starts_on),
            interventions=[rng.choice(GENTLE), "education", *rng.sample(AT_HOME, 2)],
            reevaluate_by=starts_on + timedelta(28),
            reevaluate_after_visits=rng.choice((8, 12)),
        )
        if state == "draft":
            return
        plan = planning.sign_consent(plan, signature=_signed_by(plan), by=by)
        if state == "consented" or blocks.of(plan):
            return
        planning.activate(plan, by=by)
    _go_on(plan, state, written_at, by, world.now)


def _signed_by(plan: CarePlan) -> Signature:
    """The patient, or one of the parents where the law asks for it."""
    age = plan.patient.age_on(plan.location.today())
    if guardian_rules.of(plan.location.state).needs_guardian(age):
        return Signature(f"Parent of {plan.patient.given_name}", True, "mother", "Birth certificate", True)
    return Signature(plan.patient.name)


def _go_on(plan: CarePlan, state: str, written_at: datetime, by, now: datetime) -> None:
    with times.as_of(written_at + (now - written_at) / 2):
        if state == "on_hold":
            planning.hold(plan, by=by, reason="Away for two weeks.")
        elif state == "discontinued":
            planning.discontinue(plan, by=by, reason="Moved to another town.")
        elif state == "completed":
            planning.complete(plan, by=by, reason="Goals reached.")


def _usual_goals(evaluation: Evaluation, starts_on: date) -> list[dict]:
    goals = []
    for name in ("migraine_days_28", "hit6_total", "nprs_neck"):
        baseline = Decimal(evaluation.measures[name])
        target = metrics.METRICS[name].usual_target(baseline)
        if target is not None and target.to_integral_value() < baseline:
            goals.append(
                {
                    "metric": name,
                    "baseline": baseline,
                    "target": target.to_integral_value(),
                    "due_on": starts_on + timedelta(56),
                }
            )
    return goals


def _place(plan: CarePlan) -> None:
    """Tie the plan to the visits that the diary already has, each to the visit wanted nearest to it."""
    zone = plan.location.time_zone
    adjustments = Appointment.objects.holding_time().filter(
        patient=plan.patient, type=plan.series.type, starts_at__gt=plan.activated_at, series_visit=None
    )
    visits = list(adjustments.order_by("starts_at"))
    placed = []
    for wanted in plan.series.visits.filter(type=plan.series.type):
        near = [v for v in visits if abs(times.day_of(v.starts_at, zone) - wanted.wanted_on) <= NEAR]
        if near:
            near[0].series_visit = wanted
            visits.remove(near[0])
            placed.append(near[0])
    Appointment.objects.bulk_update(placed, ["series_visit"])
