"""Whatever is signed raises the version: nobody signs over, or writes over, what they did not read."""

import os

import pytest
from django.urls import reverse

from clinic.errors import RuleBroken
from evaluations import catalogue, recording, signing
from evaluations.intake import history_taking
from evaluations.models import Evaluation, RedFlagAnswer
from evaluations.safety import deferring, red_flags
from patients import intake
from patients.models import Intake
from tests import make
from tests.appointments.processes import together
from tests.evaluations.test_intake import form_of

ROUNDS = 60 if os.environ.get("LONG_RACES") else 20


def answer(evaluation, by, **answers):
    return red_flags.answer(patient=evaluation.patient, evaluation=evaluation, answers=answers, by=by)


def save(evaluation, by, **said):
    recording.save(evaluation, findings=said.pop("findings", []), version=evaluation.version, by=by, **said)


@pytest.fixture
def colleague(atlanta):
    return make.practitioner(atlanta, name="Sam Colleague").user


SIGNED_PARTS = {
    "an answer": lambda e, by: answer(e, by, rf_chiari="unknown"),
    "an answer with a save": lambda e, by: save(e, by, answers={"rf_chiari": "unknown"}),
    "the intake": lambda e, by: history_taking.confirm(e, {"lifetime_attacks": 5}, version=0, by=by),
    "a flag that the intake raises": lambda e, by: history_taking.confirm(
        e, {"acute_medication_days_month": {"simple": 15}}, version=0, by=by
    ),
    "a finding": lambda e, by: save(e, by, findings=[{"code": "heart_rate", "value": 70}]),
    "a flag that a finding raises": lambda e, by: save(e, by, findings=[{"code": "nystagmus", "value": "positive"}]),
    "a clock": lambda e, by: save(e, by, section_seconds={"rom": 9}),
    "a score": lambda e, by: save(e, by, outcomes={"nprs_neck": 4}),
    "the conclusion": lambda e, by: save(e, by, conclusion="Fine."),
    "tests deferred": lambda e, by: deferring.defer(e, by=by),
    "a stop": lambda e, by: red_flags.stop(e, by=by),
}


@pytest.mark.parametrize("part", SIGNED_PARTS)
def test_what_was_read_before_it_is_not_signed(answered, chiro, colleague, part):
    answer(answered, chiro.user, rf_myelopathy="yes")  # something to defer tests for
    read = answered.version

    SIGNED_PARTS[part](Evaluation.objects.get(), colleague)

    with pytest.raises(RuleBroken) as refused:
        signing.sign(answered, by=chiro.user, version=read)
    assert refused.value.code == "stale"
    signing.sign(answered, by=chiro.user, version=Evaluation.objects.get().version)
    assert signing.is_intact(Evaluation.objects.get())


@pytest.mark.parametrize("version", ["", "x", None])
def test_the_page_signs_no_version_that_nobody_read(answered, password_asked, version):
    posted = {} if version is None else {"version": version}

    refused = password_asked.post(reverse("evaluation-sign", args=[answered.pk]), posted)

    assert (refused.status_code, refused.context["broken"].code) == (409, "stale")
    assert not Evaluation.objects.get().is_signed


def test_an_answer_of_somebody_else_is_not_written_over_unseen(evaluation, chiro, colleague, sign_in):
    client, address = sign_in(chiro.user), reverse("evaluation-screening", args=[evaluation.pk])
    read = client.get(address).context["evaluation"].version
    answer(evaluation, colleague, rf_ataxia="yes", rf_chiari="no")

    typed = {"rf_ataxia": "no", "rf_chiari": "no", "rf_dysphagia": "no"}
    refused = client.post(address, {"version": read, **typed})

    assert refused.status_code == 409
    assert refused.context["broken"].message.startswith("Sam Colleague saved this evaluation on ")
    [row] = refused.context["both_versions"]
    assert (row["label"], row["yours"], row["theirs"]) == (catalogue.RED_FLAGS["rf_ataxia"].label, "no", "yes")
    assert 'name="rf_dysphagia" value="no" checked' in refused.content.decode()  # what was typed is still there
    assert red_flags.answers_of(evaluation) == {"rf_ataxia": "yes", "rf_chiari": "no"}

    again = client.post(address, {"version": refused.context["evaluation"].version, **typed})

    assert again.status_code == 302
    assert red_flags.answers_of(evaluation) == typed
    assert list(evaluation.red_flag_answers.filter(code="rf_ataxia").values_list("answer", flat=True)) == ["yes", "no"]
    assert [event.code for event in red_flags.open_events(evaluation.patient)] == ["rf_ataxia"]


@pytest.mark.parametrize("version", ["", "x", "9" * 40, "-1"])
def test_answers_without_the_version_that_was_read_are_not_kept(evaluation, chiro, sign_in, version):
    address = reverse("evaluation-screening", args=[evaluation.pk])

    refused = sign_in(chiro.user).post(address, {"version": version, "rf_ataxia": "yes"})

    assert refused.status_code in {400, 409}
    assert 'name="rf_ataxia" value="yes" checked' in refused.content.decode()
    assert not RedFlagAnswer.objects.exists()


def test_the_intake_shows_both_versions(evaluation, patient, chiro, colleague, sign_in):
    client, address = sign_in(chiro.user), reverse("evaluation-intake", args=[evaluation.pk])
    prior = [{"type": "massage", "result": "helped"}]
    intake.record(patient, {"lifetime_attacks": 5, "unilateral": True, "prior_care": prior}, by=colleague)
    typed = form_of({"unilateral": True}, version=0, lifetime_attacks="7")

    page = client.post(address, typed)
    by_itself = client.post(address, typed, HTTP_X_SAVE="autosave").content.decode()

    assert page.status_code == 409
    assert page.context["broken"].message.startswith("Sam Colleague saved these answers on ")
    shown = {row["label"]: (row["yours"], row["theirs"]) for row in page.context["both_versions"]}
    assert shown["Attacks so far, in all"] == ("7", "5")
    assert shown["Care so far"] == ("none", "massage – helped")
    assert "On one side of the head" not in shown
    assert "Both versions" in by_itself
    assert "massage – helped" in by_itself
    assert Intake.objects.get().answers["lifetime_attacks"] == 5
    assert evaluation.version == Evaluation.objects.get().version


def test_the_api_gives_both_versions_of_the_intake(evaluation, patient, chiro, colleague, api):
    intake.record(patient, {"lifetime_attacks": 5, "aura": {"present": "no"}}, by=colleague)
    sent = {"lifetime_attacks": 7, "aura": {"present": "yes"}}

    refused = api(chiro.user).put(
        f"/api/v1/evaluations/{evaluation.pk}/intake/", {"version": 0, "answers": sent}, format="json"
    )

    body = refused.json()
    assert (refused.status_code, body["code"], body["fields"]) == (409, "stale", {"version": "It is now 1."})
    assert (body["conflict"]["version"], body["conflict"]["saved_by"]) == (1, "Sam Colleague")
    found = {one["name"]: (one["yours"], one["theirs"]) for one in body["conflict"]["items"]}
    assert found == {"lifetime_attacks": (7, 5), "aura.present": ("yes", "no")}


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_signing_and_answering_at_once_never_both_succeed(atlanta, chiro):
    """One signs what it read while the other answers a question: one of the two is refused, every time."""
    for _ in range(ROUNDS):
        begun = recording.start(patient=make.patient(atlanta), location=atlanta, by=chiro.user)
        answer(begun, chiro.user, **dict.fromkeys(catalogue.RED_FLAGS, "no"))

    signer, answerer = together("tests.evaluations.signing_rivals", rivals=2, arguments=[chiro.user.email])

    assert ("done", "done") not in set(zip(signer, answerer, strict=True))
    assert {*signer, *answerer} <= {"done", "stale", "signed"}
    assert all(signing.is_intact(one) for one in Evaluation.objects.exclude(signed_at=None))
