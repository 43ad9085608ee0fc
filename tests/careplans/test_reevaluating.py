"""A plan is looked at again: the data, the record, and the decision carried out with it."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from appointments import visit_status
from appointments.models import Appointment
from appointments.recurring import placing
from careplans import blocks, further_visits, planning, progress, reevaluating, reevaluation_data, unjudged
from careplans.decision_table import Decision, Result
from careplans.models import CarePlan, Reevaluation
from clinic import times
from clinic.errors import RuleBroken
from evaluations import catalogue
from evaluations.catalogue import RED_FLAGS
from evaluations.models import Evaluation
from evaluations.safety import red_flags
from tests import make
from tests.make import MONDAY

D = timedelta
GOALS = [
    {"metric": "migraine_days_28", "baseline": 10, "target": 5, "due_on": date(2027, 3, 1)},
    {"metric": "hit6_total", "baseline": 64, "target": 58, "due_on": date(2027, 3, 1)},
]


def finding(evaluation, code, value, **place):
    return evaluation.findings.create(
        code=code, qualifiers=place, qualifier_key=catalogue.key_of(place), status="assessed", by=evaluation.started_by,
        at=evaluation.started_at, text=value,
    )  # fmt: skip


def examined(patient, chiro, at, hoffmann, *, kind="reevaluation", **measures):
    """A signed evaluation with this reflex, or (None) without."""
    found = Evaluation.objects.create(
        patient=patient, location=patient.home_location, started_by=chiro.user, started_at=at, kind=kind,
        measures=measures,
    )  # fmt: skip
    if hoffmann:
        finding(found, "hoffmann", hoffmann, side="left")
    Evaluation.objects.filter(pk=found.pk).update(status="signed", signed_by=chiro.user, signed_at=at, digest="0" * 64)
    found.refresh_from_db()
    return found


@pytest.fixture
def signed(patient, chiro):
    red_flags.answer(patient=patient, evaluation=None, answers=dict.fromkeys(RED_FLAGS, "no"), by=chiro.user)
    return examined(patient, chiro, times.now() - D(days=1), "negative", kind="initial")


@pytest.fixture
def plan(draft, chiro, adjustment, desk):
    """Two a week for two weeks and then one a week for two, the first on the calendar; the reflexes were examined."""
    make.appointment_type("re-evaluation", 45, room_kind="evaluation", is_evaluation=True)
    relief = {"kind": "relief", "visits_per_week": 2, "weeks": 2}
    phases = [relief, {"kind": "corrective", "visits_per_week": 1, "weeks": 2}]
    ready = draft(goals=GOALS, phases=phases, reevaluate_after_visits=4)
    found = planning.activate(planning.sign_consent(ready, name="Avery Testerson", by=chiro.user), by=chiro.user)
    planning.schedule(found, by=desk, weekdays=[0, 2], at_time=time(10))
    return found


@pytest.fixture
def evaluated_again(chiro):
    """`evaluated_again(plan, days=20, measures…)` signs an evaluation so many days after the start."""

    def write(plan, *, days=20, hoffmann="negative", **measures):
        return examined(plan.patient, chiro, make.at(14, day=MONDAY + D(days)), hoffmann, **measures)

    return write


def come(plan, chiro, count):
    rows = Appointment.objects.holding_time().filter(series_visit__series=plan.series, type=plan.series.type)
    for visit in rows.order_by("starts_at").select_related("location")[:count]:
        with times.as_of(visit.starts_at):
            for step in (visit_status.arrive, visit_status.start, visit_status.complete):
                visit = step(visit, by=chiro.user)


def judge(plan, evaluation, result, decision, by, reason="As the numbers say."):
    with times.as_of(evaluation.signed_at + D(hours=1)):
        return reevaluating.record(plan, evaluation=evaluation, result=result, decision=decision, reason=reason, by=by)


def refused(*args, **kwargs):
    with pytest.raises(RuleBroken) as caught:
        judge(*args, **kwargs)
    return caught.value


def fresh(plan):
    return CarePlan.objects.with_names().get(pk=plan.pk)


PARTLY = {"migraine_days_28": 5, "hit6_total": 60}
WELL = {"migraine_days_28": 5, "hit6_total": 58}
SAME = {"migraine_days_28": 9, "hit6_total": 63}


@pytest.mark.parametrize(
    ("measures", "found"),
    [(WELL, Result.IMPROVED), (PARTLY, Result.PARTLY), (SAME, Result.UNCHANGED),
     ({"migraine_days_28": 15, "hit6_total": 58}, Result.WORSE), ({"hit6_total": 58}, None)],
)  # fmt: skip
def test_the_data_are_those_of_the_evaluation(plan, evaluated_again, measures, found):
    assert reevaluating.review(plan, evaluated_again(plan, **measures)).result == found


def test_an_older_value_does_not_hide_a_gap(plan, evaluated_again):
    evaluated_again(plan, days=10, **WELL)
    later = evaluated_again(plan, days=20, migraine_days_28=5)

    review = reevaluating.review(plan, later)

    assert (review.result, review.missing) == (None, ["HIT-6 total: not measured"])


@pytest.mark.parametrize(
    ("hoffmann", "answer", "words"),
    [("negative", False, []), ("positive", True, ["Hoffmann"]), (None, None, [])],
)
def test_a_new_neurological_deficit(plan, evaluated_again, hoffmann, answer, words):
    found, named = reevaluation_data.new_deficits(plan.evaluation, evaluated_again(plan, hoffmann=hoffmann))

    assert found is answer
    assert len(named) == len(words)


def test_what_was_there_before_is_not_new(patient, chiro):
    before, now = (examined(patient, chiro, make.at(14, day=MONDAY + D(n)), "positive") for n in (0, 20))

    assert reevaluation_data.new_deficits(before, now)[0] is False


@pytest.mark.parametrize(
    ("metric", "baseline", "mic"),
    [("migraine_days_28", 10, 5), ("migraine_days_28", 0, None), ("hit6_total", 64, 6), ("nprs_neck", 6, 2),
     ("rom_active_flexion", 40, 10), ("frt_left", 30, 7), ("deep_neck_flexor_endurance", 10, None),
     ("home_program_adherence_pct", 10, None)],
)  # fmt: skip
def test_the_change_that_matters(metric, baseline, mic):
    assert reevaluation_data.mic(metric, Decimal(baseline)) == mic


def test_the_record_is_kept_with_its_data(plan, evaluated_again, chiro):
    evaluation = evaluated_again(plan, **SAME)

    kept = judge(plan, evaluation, Result.PARTLY, Decision.GO_ON, chiro.user, reason="She sleeps again.")

    assert (kept.proposed, kept.result, kept.decision) == (Result.UNCHANGED, Result.PARTLY, Decision.GO_ON)
    assert kept.evidence["measures"][0] == {
        "metric": "migraine_days_28", "unit": "d", "baseline": "10.00", "target": "5.00", "now": "9",
        "on": "2027-01-24", "mic": "5.000", "verdict": "within its meaningful change",
    }  # fmt: skip
    assert kept.techniques == ["palmer_toggle_recoil"]
    last = plan.history.last()
    assert (last.step, last.reason) == ("reevaluated", "Partly better: She sleeps again.")


def test_an_evaluation_is_judged_once(plan, evaluated_again, chiro):
    evaluation = evaluated_again(plan, **PARTLY)
    judge(plan, evaluation, Result.PARTLY, Decision.GO_ON, chiro.user)

    assert refused(plan, evaluation, Result.PARTLY, Decision.GO_ON, chiro.user).code == "judged_already"
    assert unjudged.latest(plan) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [({"result": "splendid"}, "result"), ({"decision": "pray"}, "decision"), ({"reason": " "}, "reason")],
)
def test_bad_input_is_named(plan, evaluated_again, chiro, change, field):
    good = {"result": Result.PARTLY, "decision": Decision.GO_ON, "reason": "x"}
    evaluation = evaluated_again(plan, **PARTLY)

    error = refused(plan, evaluation, by=chiro.user, **{**good, **change})

    assert (list(error.fields), error.status) == ([field], 400)
    assert not Reevaluation.objects.exists()


def test_only_a_later_signed_evaluation_judges(plan, chiro):
    assert list(refused(plan, plan.evaluation, Result.PARTLY, Decision.GO_ON, chiro.user).fields) == ["evaluation"]


def test_only_a_clinician_of_the_patient(plan, evaluated_again, desk):
    with pytest.raises(PermissionDenied):
        judge(plan, evaluated_again(plan, **PARTLY), Result.PARTLY, Decision.GO_ON, desk)


def test_an_extension_is_the_phase_again_behind_itself(plan, evaluated_again, chiro, desk):
    come(plan, chiro, 4)
    evaluation = evaluated_again(plan, **PARTLY)

    judge(plan, evaluation, Result.PARTLY, Decision.EXTEND, chiro.user)

    phases = list(plan.phases.values_list("order", "kind", "visits_per_week", "weeks"))
    assert phases == [(1, "relief", 2, 2), (2, "relief", 2, 2), (3, "corrective", 1, 2)]
    rows = plan.series.visits.filter(type=plan.series.type).order_by("number")
    assert [row.stretch for row in rows] == [1] * 4 + [2] * 4 + [3] * 2
    assert fresh(plan).version == plan.version + 1
    assert progress.of_plan(fresh(plan)).visits.planned == 10
    assert [event.step for event in plan.history.all()][-2:] == ["reevaluated", "extended"]


def test_what_was_added_can_be_placed(plan, evaluated_again, chiro, desk):
    come(plan, chiro, 4)
    evaluation = evaluated_again(plan, **PARTLY)
    judge(plan, evaluation, Result.PARTLY, Decision.EXTEND, chiro.user)

    with times.as_of(evaluation.signed_at + D(hours=2)):
        planning.sign_consent(fresh(plan), name="Avery Testerson", by=chiro.user)
        placed = planning.schedule(fresh(plan), by=desk, weekdays=[0, 2], at_time=time(10), phase=2)
        asked = placing.owed(fresh(plan).series, weekdays=[0, 2], at_time=time(10))

    slugs = [one.visit.type.slug for one in placed.booked]
    assert (slugs.count("adjustment"), slugs.count("re-evaluation"), placed.debts) == (4, 1, [])
    assert [wish.type.slug for wish in asked.wishes].count("adjustment") == 2


def test_a_plan_is_extended_once(plan, evaluated_again, chiro):
    come(plan, chiro, 4)
    judge(plan, evaluated_again(plan, **PARTLY), Result.PARTLY, Decision.EXTEND, chiro.user)

    error = refused(fresh(plan), evaluated_again(plan, days=24, **PARTLY), Result.PARTLY, Decision.EXTEND, chiro.user)

    assert (error.code, plan.phases.count(), Reevaluation.objects.count()) == ("extended_before", 3, 1)


def test_no_extension_while_the_re_evaluation_is_overdue(plan, chiro):
    with times.as_of(make.at(20, day=MONDAY + D(28 + 8))), pytest.raises(RuleBroken) as caught:
        planning.extend(plan, by=chiro.user, reason="Please.")

    assert caught.value.code == "reevaluation_overdue"


def test_the_next_checkpoint_is_wanted(plan, evaluated_again, chiro):
    evaluation = evaluated_again(plan, **PARTLY)

    judge(plan, evaluation, Result.PARTLY, Decision.GO_ON, chiro.user)

    (checkpoint,) = plan.series.visits.exclude(type=plan.series.type)
    assert checkpoint.wanted_on == MONDAY + D(20 + 28)


def test_supportive_care_lets_the_active_visits_go(plan, evaluated_again, chiro):
    come(plan, chiro, 4)
    judge(plan, evaluated_again(plan, **WELL), Result.IMPROVED, Decision.SUPPORTIVE, chiro.user)

    assert list(plan.phases.values_list("kind", "visits_per_week", "weeks"))[-1] == ("stabilisation", 1, 6)
    now = progress.of_plan(fresh(plan))
    assert (now.visits.planned, now.visits.let_go, now.checkpoint.visits_left) == (4 + 6, 2, 6)
    assert now.checkpoint.due_on == MONDAY + D(20 + 90)


@pytest.mark.parametrize(
    ("result", "decision", "status", "reason"),
    [
        (Result.IMPROVED, Decision.DISCHARGE, "completed", "As the numbers say."),
        (Result.UNCHANGED, Decision.REFER, "discontinued", "Referred: As the numbers say."),
        (Result.UNCHANGED, Decision.CHANGE, "active", None),
    ],
)
def test_what_ends_a_plan(plan, evaluated_again, chiro, result, decision, status, reason):
    judge(plan, evaluated_again(plan, **WELL), result, decision, chiro.user)

    assert fresh(plan).status == status
    if reason:
        assert plan.history.last().reason == reason


def test_worse_stops_manual_care_of_the_neck(plan, evaluated_again, chiro):
    evaluation = evaluated_again(plan, hoffmann="positive", **WELL)
    assert refused(plan, evaluation, Result.WORSE, Decision.GO_ON, chiro.user).code == "worse_stops"

    judge(plan, evaluation, Result.WORSE, Decision.STOP, chiro.user)

    now = fresh(plan)
    assert (now.status, now.restrictions) == ("discontinued", ["no_manual_neck_care"])


def test_no_third_identical_trial(plan, evaluated_again, chiro, draft):
    judge(plan, evaluated_again(plan, days=10, **SAME), Result.UNCHANGED, Decision.GO_ON, chiro.user)
    second = evaluated_again(plan, days=20, **SAME)
    assert refused(plan, second, Result.UNCHANGED, Decision.GO_ON, chiro.user).code == "third_identical_trial"
    assert reevaluating.discharge_hint(plan, progress.of_plan(plan)) == ""
    judge(plan, second, Result.UNCHANGED, Decision.CHANGE, chiro.user)
    assert reevaluating.discharge_hint(plan, progress.of_plan(plan)) == "Two re-evaluations in a row found no change."
    planning.discontinue(plan, by=chiro.user, reason="Unchanged.")

    same = planning.sign_consent(draft(), name="Avery Testerson", by=chiro.user)
    other = planning.sign_consent(draft(interventions=["nucca"]), name="Avery Testerson", by=chiro.user)

    assert [block.code for block in blocks.of(same)] == ["third_identical_trial"]
    assert blocks.of(other) == []


def test_a_plan_that_runs_goes_on_no_third_time_as_it_is(plan, evaluated_again, chiro, desk, atlanta):
    judge(plan, evaluated_again(plan, days=10, **SAME), Result.UNCHANGED, Decision.GO_ON, chiro.user)
    second = evaluated_again(plan, days=20, **SAME)
    judge(plan, second, Result.UNCHANGED, Decision.CHANGE, chiro.user)

    with times.as_of(second.signed_at + D(hours=2)):
        assert [block.code for block in blocks.of_more(fresh(plan))] == ["third_identical_trial"]
        with pytest.raises(RuleBroken) as caught:
            further_visits.gate(plan.series, for_checkpoint=False) and planning.refuse(blocks.of_more(fresh(plan)))
        assert caught.value.code == "third_identical_trial"
        assert further_visits.gate(plan.series, for_checkpoint=True) is None
        fresh(plan).interventions.filter(code="palmer_toggle_recoil").update(code="nucca")
        assert blocks.of_more(fresh(plan)) == []


def test_an_evaluation_that_nobody_judges_stops_further_visits_after_a_week(plan, evaluated_again, chiro):
    found = evaluated_again(plan, **PARTLY)
    for days, codes in ((7, []), (8, ["reevaluation_unjudged"])):
        with times.as_of(found.signed_at + D(days=days)):
            assert [block.code for block in blocks.of_more(fresh(plan))] == codes

    judge(plan, found, Result.PARTLY, Decision.GO_ON, chiro.user)
    with times.as_of(found.signed_at + D(days=8)):
        assert blocks.of_more(fresh(plan)) == []


@pytest.mark.parametrize(("days", "hint"), [(59, ""), (60, "Not here for 60 days.")])
def test_a_discharge_is_only_proposed(plan, days, hint):
    with times.as_of(make.at(20, day=MONDAY + D(days))):
        assert reevaluating.discharge_hint(plan, progress.of_plan(plan)) == hint
    assert fresh(plan).status == "active"


def test_three_visits_missed_propose_a_discharge(plan, desk):
    rows = Appointment.objects.filter(series_visit__series=plan.series).order_by("starts_at").select_related("location")
    for count, visit in enumerate(rows[:3], 1):
        with times.as_of(visit.ends_at):
            visit_status.no_show(visit, by=desk)
            hint = reevaluating.discharge_hint(plan, progress.of_plan(plan))
        assert hint == ("3 visits missed in a row." if count == 3 else "")


@pytest.mark.parametrize("result", [Result.IMPROVED, Result.PARTLY, Result.UNCHANGED])
def test_what_is_unknown_is_recorded_as_unknown(plan, evaluated_again, chiro, result):
    half = evaluated_again(plan, hit6_total=58)

    wrong = refused(plan, half, result, Decision.GO_ON, chiro.user)
    kept = judge(plan, half, Result.UNKNOWN, Decision.GO_ON, chiro.user)

    assert (wrong.code, list(wrong.fields)) == ("unknown_by_the_data", ["result"])
    assert (kept.proposed, kept.result, unjudged.latest(plan)) == ("", "unknown", None)


def test_the_page_of_what_is_unknown_proposes_unknown(plan, evaluated_again, sign_in, chiro):
    half = evaluated_again(plan, hit6_total=58)
    with times.as_of(half.signed_at + D(hours=1)):
        page = sign_in(chiro.user).get(f"/care-plans/{plan.pk}/re-evaluation/")

    assert (page.context["form"]["result"].value(), page.context["form"]["decision"].value()) == ("unknown", "")


def test_the_page(plan, evaluated_again, sign_in, chiro):
    evaluation = evaluated_again(plan, **PARTLY)
    client = sign_in(chiro.user)
    with times.as_of(evaluation.signed_at + D(hours=1)):
        assert "waits for your decision" in client.get(f"/care-plans/{plan.pk}/").content.decode()
        page = client.get(f"/care-plans/{plan.pk}/re-evaluation/")
        wrong = client.post(f"/care-plans/{plan.pk}/re-evaluation/", {"result": "partly", "decision": "extend"})
        judged = {"result": "partly", "decision": "go_on", "reason": "Better sleep."}
        done = client.post(f"/care-plans/{plan.pk}/re-evaluation/", judged)
        after = client.get(f"/care-plans/{plan.pk}/").content.decode()
        again = client.get(f"/care-plans/{plan.pk}/re-evaluation/")

    body = page.content.decode()
    assert "By the table: Partly better." in body
    assert "Then: Go on with the visits planned, or Extend once by the same length." in body
    assert (page.context["form"]["result"].value(), page.context["form"]["decision"].value()) == ("partly", "go_on")
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (400, ["reason"])
    assert (done.status_code, again.status_code) == (302, 302)
    assert "Better sleep." in after


def test_the_page_asks_no_more_for_many_goals(plan, evaluated_again, sign_in, chiro, django_assert_max_num_queries):
    evaluation = evaluated_again(plan, **PARTLY)
    client = sign_in(chiro.user)

    with times.as_of(evaluation.signed_at + D(hours=1)), django_assert_max_num_queries(40):
        client.get(f"/care-plans/{plan.pk}/re-evaluation/")


def test_by_the_api(plan, evaluated_again, api, chiro):
    client, address = api(chiro.user), f"/api/v1/care-plans/{plan.pk}/reevaluate/"
    body = {"result": "partly", "decision": "go_on", "reason": "Better sleep."}
    assert client.post(address, body).json()["fields"]["evaluation"] == "No signed evaluation waits to be judged."
    evaluation = evaluated_again(plan, **PARTLY)

    with times.as_of(evaluation.signed_at + D(hours=1)):
        wrong = client.post(address, {**body, "result": "worse"})
        answer = client.post(address, {**body, "evaluation": evaluation.pk})

    assert (wrong.status_code, wrong.json()["code"]) == (409, "worse_stops")
    assert answer.status_code == 200
    (kept,) = answer.json()["reevaluations"]
    assert (kept["proposed"], kept["result"], kept["evaluation"]) == ("partly", "partly", evaluation.pk)
