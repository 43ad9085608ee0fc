from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse

from clinic import times
from evaluations import compare_page, comparison, recording, signing
from evaluations.comparison import Change
from evaluations.safety import red_flags
from tests import make


def evaluated(patient, chiro, *, days_ago, findings, signed=True, **outcomes):
    """An evaluation so many days ago from (code, value, place) triples."""
    begun = times.now() - timedelta(days=days_ago)
    with times.as_of(begun):
        one = recording.start(patient=patient, location=patient.home_location, by=chiro.user)
        sent = [
            {"code": code, "qualifiers": place, "status": "assessed", "value": value} for code, value, place in findings
        ]
        answers = {flag.code: "no" for flag in red_flags.questions()}
        recording.save(one, findings=sent, version=0, by=chiro.user, answers=answers, outcomes=outcomes)
        return signing.sign(one, by=chiro.user) if signed else one


ACTIVE = {"mode": "active"}


@pytest.fixture
def page(sign_in, chiro):
    def get(evaluation):
        answer = sign_in(chiro.user).get(reverse("evaluation-compare", args=[evaluation.pk]))
        assert answer.status_code == 200
        return answer.content.decode()

    return get


def test_baseline_last_and_now_stand_side_by_side(page, chiro, patient):
    evaluated(patient, chiro, days_ago=60, findings=[("rom_flexion", 30, ACTIVE)], hit6_total=64)
    evaluated(patient, chiro, days_ago=30, findings=[("rom_flexion", 37, ACTIVE)], hit6_total=60)
    now = evaluated(patient, chiro, days_ago=0, findings=[("rom_flexion", 45, ACTIVE)], hit6_total=54)
    text = page(now)
    assert "<td>30°</td><td>37°</td><td>45°</td>" in text
    assert "+15°" in text
    assert "<td>64</td><td>60</td><td>54</td>" in text
    assert "−10" in text
    assert text.count("is-better") == 2
    assert "<polyline" in text
    assert "Flexion: baseline 30, now 45 degrees" in text


def test_a_reinforced_reflex_says_that_the_method_changed(page, chiro, patient):
    biceps, scm = {"reflex": "biceps", "side": "left"}, {"muscle": "scm", "side": "left"}
    tender = ("muscle_tenderness", 1, scm)
    evaluated(patient, chiro, days_ago=30, findings=[("reflex", 0, biceps), tender])
    now = [("reflex", 2, biceps), ("reflex_reinforced", True, biceps), ("muscle_tenderness", 2, scm)]
    text = page(evaluated(patient, chiro, days_ago=0, findings=now))
    row = text.split("Deep tendon reflex, biceps, left</th>")[1].split("</tr>")[0]
    assert "method changed" in row
    assert '<td class="numbers"></td>' in row
    assert "Muscle tenderness, sternocleidomastoid, left" in text


def test_what_was_refused_now_is_not_left_blank(page, chiro, patient):
    frt = [{"code": "frt", "qualifiers": {"side": side}, "value": 26} for side in ("left", "right")]
    evaluated(patient, chiro, days_ago=30, findings=[("frt", 26, one["qualifiers"]) for one in frt])
    now = evaluated(patient, chiro, days_ago=0, findings=[], signed=False)
    gone = (
        {"status": "refused", "value": None, "reason": "Dizzy."},
        {"status": "deferred_unsafe", "value": None, "reason": "Flag."},
    )
    recording.save(
        now, findings=[one | way for one, way in zip(frt, gone, strict=True)], version=now.version, by=chiro.user
    )
    text = page(now)
    assert "<td>26°</td><td>refused</td>" in text
    assert "<td>26°</td><td>deferred for safety</td>" in text


def test_the_first_evaluation_says_that_there_is_nothing_yet(page, chiro, patient):
    assert "first evaluation" in page(evaluated(patient, chiro, days_ago=0, findings=[]))


def test_a_draft_is_compared_but_is_nobodys_baseline(page, chiro, patient):
    evaluated(patient, chiro, days_ago=60, findings=[("heart_rate", 111, {})], signed=False)
    evaluated(patient, chiro, days_ago=30, findings=[("heart_rate", 70, {})])
    text = page(evaluated(patient, chiro, days_ago=0, findings=[("heart_rate", 72, {})], signed=False))
    assert "(draft)" in text
    assert "111" not in text
    assert "70 per min" in text


def test_what_was_not_assessed_is_a_gap(page, chiro, patient):
    evaluated(patient, chiro, days_ago=30, findings=[("rom_flexion", 30, ACTIVE)])
    text = page(evaluated(patient, chiro, days_ago=0, findings=[]))
    assert "<td>30°</td><td>–</td>" in text
    assert "Flexion: baseline 30, now not assessed degrees" in text


def test_thirty_evaluations_take_no_more_queries_than_two(sign_in, chiro, patient, django_assert_max_num_queries):
    for days_ago in range(30, 0, -1):
        evaluated(patient, chiro, days_ago=days_ago, findings=[("heart_rate", 70, {})], hit6_total=60)
    now = patient.evaluations.latest("started_at")
    client = sign_in(chiro.user)
    client.get(reverse("evaluation-compare", args=[now.pk]))
    with django_assert_max_num_queries(8) as seen:
        client.get(reverse("evaluation-compare", args=[now.pk]))
    tables = [query["sql"] for query in seen if "evaluations_" in query["sql"] and "SELECT" in query["sql"]]
    assert len(tables) <= 3


def test_out_of_scope_is_like_missing(sign_in, chiro, patient, marietta):
    now = evaluated(patient, chiro, days_ago=0, findings=[])
    elsewhere = make.practitioner(marietta, name="Else Where")
    assert sign_in(elsewhere.user).get(reverse("evaluation-compare", args=[now.pk])).status_code == 404


def test_no_bar_invites_a_comparison_that_was_refused():
    measured = {"code": "rom_flexion", "place": {"mode": "active"}, "baseline": 40, "last": None, "now": 50}
    alike = Change(**measured, change=10, verdict=comparison.BETTER)
    otherwise = Change(**measured, change=None, verdict=comparison.METHOD)

    assert [(bar.baseline, bar.now) for bar in compare_page.bars([alike])] == [(40, 50)]
    assert [(bar.baseline, bar.now, bar.baseline_width) for bar in compare_page.bars([otherwise])] == [(None, 50, 0)]


def test_what_is_the_same_is_folded():
    same = Change("heart_rate", baseline=72, now=72, change=0, verdict=comparison.SAME)
    other = Change("respiratory_rate", baseline=14, now=18, change=4, verdict=comparison.CHANGED)

    (section,) = compare_page._sections(SimpleNamespace(findings=[same, other], taken=(None, None, None)))

    assert [line.label for line in section.lines] == ["Respiratory rate"]
    assert [line.label for line in section.same] == ["Pulse"]
