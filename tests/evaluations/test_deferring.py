"""Tests that bend or stress the neck are left out while an emergency or urgent flag is open."""

import pytest
from django.urls import reverse

from clinic.errors import RuleBroken
from evaluations import signing
from evaluations.safety import deferring, red_flags

FRT = {"code": "frt", "qualifiers": {"side": "left"}, "value": 44}
SHARP_PURSER = {"code": "sharp_purser", "value": "negative"}
PULSE = {"code": "heart_rate", "value": 70}


def ask(evaluation, chiro, **answers):
    red_flags.answer(patient=evaluation.patient, evaluation=evaluation, answers=answers, by=chiro.user)


def test_which_tests_they_are():
    assert set(deferring.TESTS) == {
        "frt", "frt_pain", "spurling", "cervical_distraction", "shoulder_abduction_relief", "ultt_median",
        "vbi_positional", "sharp_purser", "alar_ligament", "transverse_ligament",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "given", "left_out"),
    [
        ("rf_fracture", "unknown", True),  # an emergency that nobody knows of is none yet
        ("rf_chiari", "yes", True),  # urgent
        ("rf_minor", "yes", False),  # caution
        ("rf_chiari", "no", False),
    ],
)
@pytest.mark.parametrize("finding", [FRT, SHARP_PURSER])
def test_whoever_did_one_is_asked_and_it_is_kept(answered, save, chiro, code, given, left_out, finding):
    ask(answered, chiro, **{code: given})

    warnings = save(PULSE, finding, version=answered.version)["warnings"]

    assert set(warnings) == ({"findings.1.value"} if left_out else set())
    assert answered.findings.filter(code=finding["code"], status="assessed").exists()


@pytest.mark.parametrize("finding", [FRT, SHARP_PURSER])
def test_one_done_in_spite_of_an_emergency_is_refused_by_its_field(answered, save, chiro, finding):
    ask(answered, chiro, rf_fracture="yes")

    with pytest.raises(RuleBroken) as refused:
        save(PULSE, finding)

    assert (refused.value.code, set(refused.value.fields)) == ("red_flag_open", {"findings.1.value"})
    assert red_flags.catalogue.RED_FLAGS["rf_fracture"].label in refused.value.message
    assert not answered.findings.exists()
    save(PULSE, {**finding, "status": "deferred_unsafe", "value": None, "reason": "Fracture suspected"})


@pytest.mark.parametrize("finding", [FRT, SHARP_PURSER])
def test_one_done_after_the_evaluation_was_stopped_is_refused(answered, save, chiro, finding):
    red_flags.stop(answered, by=chiro.user)

    with pytest.raises(RuleBroken, match="stopped for safety") as refused:
        save(finding)

    assert set(refused.value.fields) == {"findings.0.value"}
    assert set(answered.findings.filter(code=finding["code"]).values_list("status", flat=True)) == {"deferred_unsafe"}
    assert save(PULSE)["saved"] == 1


def test_one_done_before_the_emergency_can_be_corrected(answered, save, chiro):
    save(SHARP_PURSER)
    ask(answered, chiro, rf_fracture="yes")

    save({**SHARP_PURSER, "value": "positive"})
    with pytest.raises(RuleBroken):
        save(FRT)

    assert answered.findings.get().value == "positive"


def test_what_was_typed_of_it_stays_on_the_page(answered, chiro, sign_in):
    ask(answered, chiro, rf_fracture="yes")
    typed = {"version": answered.version, "frt[side=left]status": "assessed", "frt[side=left]value": "44"}

    page = sign_in(chiro.user).post(reverse("evaluation", args=[answered.pk]), typed)

    assert page.status_code == 409
    assert 'value="44"' in page.content.decode()
    assert "Record it as deferred for safety." in page.content.decode()


def test_one_that_was_deferred_is_not_asked_about(answered, save, chiro):
    ask(answered, chiro, rf_chiari="yes")
    sent = {"code": "sharp_purser", "status": "deferred_unsafe", "reason": "Flag"}

    assert save(sent, version=answered.version)["warnings"] == {}


def test_a_flag_that_the_same_save_raises_counts(answered, save):
    found = save({"code": "nystagmus", "value": "positive"}, SHARP_PURSER, version=answered.version)

    assert set(found["warnings"]) == {"findings.1.value"}


def test_they_are_deferred_and_what_was_recorded_stays(answered, save, chiro):
    refused = {"code": "spurling", "status": "refused", "reason": "No"}
    save(FRT, refused, version=answered.version)
    ask(answered, chiro, rf_chiari="yes")

    deferring.defer(answered, by=chiro.user)

    status = dict(answered.findings.values_list("code", "status"))
    assert status["spurling"] == "refused"
    assert status["sharp_purser"] == "deferred_unsafe"
    frt = dict(answered.findings.filter(code="frt").values_list("qualifier_key", "status"))
    assert frt == {"side=left": "assessed", "side=right": "deferred_unsafe"}
    reason = answered.findings.get(code="sharp_purser").reason
    assert reason == f"Red flag open: {red_flags.catalogue.RED_FLAGS['rf_chiari'].label}"
    assert set(status) == set(deferring.TESTS)
    assert deferring.defer(answered, by=chiro.user) == 0


@pytest.mark.parametrize("answers", [{}, {"rf_minor": "yes"}])
def test_nothing_is_deferred_without_such_a_flag(answered, chiro, answers):
    ask(answered, chiro, **answers)

    with pytest.raises(RuleBroken) as refused:
        deferring.defer(answered, by=chiro.user)

    assert refused.value.code == "no_red_flag"
    assert not answered.findings.exists()


def test_a_signed_one_is_left_alone(answered, chiro):
    ask(answered, chiro, rf_chiari="yes")
    signing.sign(answered, by=chiro.user)

    with pytest.raises(RuleBroken) as refused:
        deferring.defer(answered, by=chiro.user)

    assert refused.value.code == "signed"


@pytest.mark.parametrize(("code", "shown"), [("rf_chiari", True), ("rf_minor", False)])
def test_the_page_proposes_it(answered, chiro, sign_in, code, shown):
    ask(answered, chiro, **{code: "yes"})
    client, address = sign_in(chiro.user), reverse("evaluation-defer", args=[answered.pk])

    assert (address in client.get(reverse("evaluation", args=[answered.pk])).content.decode()) is shown
    page = client.post(address, follow=True)
    assert ("tests are deferred for safety" in page.content.decode()) is shown
