"""The numbers of a goal come from signed evaluations: the baseline from the plan's own, the current one from later."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from careplans import goals, home_programme, metrics, planning
from clinic import times
from clinic.errors import RuleBroken
from evaluations import catalogue
from evaluations.models import Evaluation, Finding
from tests import make

DUE = date(2027, 3, 1)
OUTCOMES = {
    "migraine_days_28": 12, "headache_days_28": 15, "acute_med_days_28": 0, "hit6_total": 64,
    "midas_items": [1, 2, 3, 4, 5], "ndi_items": [2] * 10, "nprs_neck": 6, "nprs_headache_usual": 7,
}  # fmt: skip
MEASURED = {
    ("rom_flexion", "mode=active"): 41, ("rom_left_rotation", "mode=active"): 60, ("rom_flexion", "mode=passive"): 55,
    ("frt", "side=left"): 28, ("frt", "side=right"): 40, ("craniovertebral_angle", ""): 47,
    ("deep_neck_flexor_endurance", ""): 22,
}  # fmt: skip


def find(evaluation, measured):
    for (code, place), number in measured.items():
        qualifiers = dict(part.split("=") for part in place.split(",") if part)
        Finding.objects.create(
            evaluation=evaluation, code=code, qualifiers=qualifiers, qualifier_key=catalogue.key_of(qualifiers),
            status="assessed", number=number, by=evaluation.started_by, at=evaluation.started_at,
        )  # fmt: skip


@pytest.fixture
def later(atlanta, chiro, patient):
    """`later(days, measures, measured)` is an evaluation of the patient so many days from now, signed unless told."""

    def write(days, measures, measured=(), *, signed=True, of=patient):
        at = times.now() + timedelta(days=days)
        made = Evaluation.objects.create(
            patient=of, location=atlanta, started_by=chiro.user, started_at=at, measures=measures
        )
        find(made, dict(measured))
        if signed:
            made.status, made.signed_by, made.signed_at, made.digest = "signed", chiro.user, at, "0" * 64
            made.save()
        return made

    return write


def test_every_metric_but_adherence_is_read_from_an_evaluation(later):
    evaluation = later(0, OUTCOMES, MEASURED)

    assert goals.values(evaluation) == {
        "migraine_days_28": 12, "headache_days_28": 15, "acute_med_days_28": 0, "hit6_total": 64, "midas_total": 15,
        "ndi_percent": 40, "nprs_neck": 6, "nprs_headache_usual": 7, "rom_active_flexion": 41,
        "rom_active_left_rotation": 60, "frt_left": 28, "frt_right": 40, "craniovertebral_angle": 47,
        "deep_neck_flexor_endurance": 22,
    }  # fmt: skip
    motions = {name for name in metrics.METRICS if name.startswith("rom_active_")}
    assert set(metrics.METRICS) - set(goals.values(evaluation)) == {
        "home_program_adherence_pct", *(motions - {"rom_active_flexion", "rom_active_left_rotation"}),
    }  # fmt: skip


def test_what_was_refused_is_no_value(later):
    evaluation = later(0, {}, {("craniovertebral_angle", ""): 47}, signed=False)
    Finding.objects.update(status="refused", number=None, reason="Does not want the picture.")

    assert goals.values(evaluation) == {}


def test_a_baseline_left_out_is_the_evaluations_and_the_target_the_usual_one(draft, later):
    goals = [{"metric": "migraine_days_28", "due_on": DUE}, {"metric": "hit6_total", "due_on": DUE}]

    plan = draft(evaluation=later(0, OUTCOMES), goals=goals)

    assert list(plan.goals.values_list("baseline", "target")) == [(12, 6), (64, 58)]


def test_a_zero_in_the_evaluation_is_a_value(draft, later):
    with pytest.raises(RuleBroken) as caught:
        draft(evaluation=later(0, OUTCOMES), goals=[{"metric": "acute_med_days_28", "due_on": DUE, "target": 4}])

    assert caught.value.fields == {"goals.0.target": "Days with acute medicine in 28 days gets better when it falls."}


@pytest.mark.parametrize(
    ("goal", "fields"),
    [
        ({"metric": "nprs_neck"}, {"baseline": "The evaluation has no value for Neck pain, 0 to 10: enter it."}),
        ({"metric": "midas_total", "baseline": 9}, {"target": "There is no usual target for this: enter it."}),
    ],
)  # fmt: skip
def test_where_there_is_nothing_to_take_the_field_is_named(draft, goal, fields):
    with pytest.raises(RuleBroken) as caught:
        draft(goals=[{**goal, "due_on": DUE}])

    assert caught.value.fields == {f"goals.0.{name}": text for name, text in fields.items()}


def current_of(plan):
    rows = list(plan.goals.all())
    found = goals.current(plan, rows)
    return {row.metric: found.get(row.pk) for row in rows}


def test_the_current_value_is_the_latest_signed_one_after_the_plans_evaluation(active, later):
    assert current_of(active) == {"migraine_days_28": None}

    later(10, {"migraine_days_28": 8})
    later(20, {"migraine_days_28": 6})
    later(30, {"migraine_days_28": 1}, signed=False)
    later(-400, {"migraine_days_28": 2})

    now = current_of(active)["migraine_days_28"]
    assert (now.value, now.percent, now.is_reached) == (6, 80, False)
    assert now.on == times.day_of(times.now() + timedelta(20), "America/New_York")


def test_a_later_evaluation_without_the_metric_leaves_the_earlier_value(active, later):
    later(10, {"migraine_days_28": 5})
    later(20, {"nprs_neck": 3})

    now = current_of(active)["migraine_days_28"]
    assert (now.value, now.percent, now.is_reached) == (5, 100, True)


def test_what_is_kept_at_home_is_what_the_patient_answered(draft, chiro, adjustment, said):
    kept = {"metric": "home_program_adherence_pct", "baseline": 0, "target": 80, "due_on": DUE}
    plan = planning.sign_consent(draft(goals=[*said["goals"], kept]), name="Avery Testerson", by=chiro.user)
    plan = planning.activate(plan, by=chiro.user)
    with times.as_of(make.at(12, day=plan.starts_on + timedelta(3))):
        assert current_of(plan)["home_program_adherence_pct"] is None
        for n, is_done in enumerate((True, False, True, False)):
            home_programme.answer(plan, plan.starts_on + timedelta(n), {"chin_tucks": is_done})

        now = current_of(plan)["home_program_adherence_pct"]
        assert (now.value, now.percent, now.on) == (50, 62, plan.starts_on + timedelta(3))


def test_almost_there_is_not_reached():
    almost = goals.Current(Decimal("5.01"), DUE, metrics.attainment(Decimal(10), Decimal(5), Decimal("5.01")))

    assert (almost.percent, almost.is_reached) == (99, False)


def test_the_plan_page_shows_start_now_and_target(sign_in, active, later, chiro):
    later(20, {"migraine_days_28": 1})

    page = sign_in(chiro.user).get(f"/care-plans/{active.pk}/").content.decode()

    assert "10&nbsp;days" in page
    assert "1&nbsp;day<" in page
    assert "Reached, " in page


def test_the_editor_proposes_what_the_evaluation_measured(sign_in, later, chiro):
    evaluation = later(0, {"hit6_total": 60, "nprs_neck": 6})

    page = sign_in(chiro.user).get(f"/care-plans/new/?evaluation={evaluation.pk}")

    [goal] = page.context["goals"].initial
    assert (goal["metric"], goal["baseline"], goal["target"]) == ("hit6_total", 60, 54)


def test_the_api_tells_the_current_value(client, active, later, chiro):
    later(20, {"migraine_days_28": 8})
    client.force_login(chiro.user)

    [goal] = client.get(f"/api/v1/care-plans/{active.pk}/").json()["goals"]

    assert (goal["baseline"], goal["current"], goal["attainment"]) == (10, 8, 0.4)


def test_another_patients_evaluations_are_not_read(active, atlanta, later):
    later(5, {"migraine_days_28": 2}, of=make.patient(atlanta, given="Other"))

    assert current_of(active) == {"migraine_days_28": None}
