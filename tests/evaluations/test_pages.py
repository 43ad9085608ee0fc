import json
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import times
from clinic.models import AuditEntry
from evaluations import catalogue, recording, signing
from evaluations.models import Evaluation, RedFlagAnswer
from evaluations.safety import red_flags
from tests import make

PULSE = {"code": "heart_rate", "value": 70}


@pytest.fixture
def page(sign_in, chiro, evaluation):
    client = sign_in(chiro.user)

    def act(part="vitals", post=None, **more):
        address = f"{reverse('evaluation', args=[evaluation.pk])}?part={part}"
        if post is None:
            return client.get(address)
        evaluation.refresh_from_db()
        return client.post(address, {"version": evaluation.version, **post})

    act.client = client

    return act


def test_the_page_is_shown_within_ten_queries(sign_in, chiro, answered, save, sent, atlanta):
    answered.refresh_from_db()
    save(*sent, version=answered.version)
    answered.refresh_from_db()
    signing.sign(answered, by=chiro.user)
    again = recording.start(patient=answered.patient, location=atlanta, by=chiro.user)
    recording.save(again, findings=sent, version=0, by=chiro.user)
    client, address = sign_in(chiro.user), reverse("evaluation", args=[again.pk])
    client.get(address)

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)

    assert answer.status_code == 200
    assert len(queries) <= 10, [q["sql"][:120] for q in queries]


def test_last_times_values_are_grey_and_not_recorded(sign_in, chiro, answered, save, atlanta):
    answered.refresh_from_db()
    save({"code": "heart_rate", "value": 64}, {"code": "gait", "value": "antalgic"}, version=answered.version)
    answered.refresh_from_db()
    signing.sign(answered, by=chiro.user)
    again = recording.start(patient=answered.patient, location=atlanta, by=chiro.user)

    shown = sign_in(chiro.user).get(reverse("evaluation", args=[again.pk]))

    assert b'placeholder="64"' in shown.content
    assert b'<span class="last">antalgic</span>' in shown.content
    assert not again.findings.exists()
    assert shown.context["missing"] == 507


def test_what_was_typed_is_escaped(page, save):
    save({"code": "listing_c1", "value": '"><script>x</script>'}, {"code": "weight", "status": "refused",
                                                                 "value": None, "reason": "<b>no</b>"})  # fmt: skip
    content = page().content

    assert b"<script>x" not in content
    assert b"<b>no" not in content
    assert b"&lt;b&gt;no" in content


def test_a_save_takes_few_queries(sign_in, chiro, evaluation, save, sent):
    save(*sent)
    client, address = sign_in(chiro.user), reverse("evaluation-detail", args=[evaluation.pk])
    body = {
        "version": evaluation.version,
        "operation": str(uuid.uuid4()),
        "findings": [{"code": "heart_rate", "value": 61}],
    }

    with CaptureQueriesContext(connection) as queries:
        answer = client.patch(address, json.dumps(body), content_type="application/json")

    assert answer.status_code == 200
    assert len(queries) <= 16, [q["sql"][:120] for q in queries]


def test_viewing_is_audited(page, evaluation):
    page()

    assert AuditEntry.objects.filter(action="evaluation.viewed", about_id=evaluation.pk).count() == 1


def test_start_from_the_patient_page_begins_one(sign_in, chiro, patient):
    answer = sign_in(chiro.user).post(reverse("evaluation-start"), {"patient": patient.pk})

    assert answer.url == reverse("evaluation", args=[Evaluation.objects.get().pk])


@pytest.mark.parametrize("posted", [{}, {"patient": "x"}, {"patient": "9" * 30}])
def test_start_without_a_patient_says_so(sign_in, chiro, posted):
    answer = sign_in(chiro.user).post(reverse("evaluation-start"), posted)

    assert answer.status_code == 302
    assert not Evaluation.objects.exists()


def test_a_stranger_finds_no_page(sign_in, nashville, evaluation):
    client = sign_in(make.practitioner(nashville).user)

    for name in ("evaluation", "evaluation-print", "evaluation-sign"):
        assert client.get(reverse(name, args=[evaluation.pk])).status_code == 404


def test_the_save_button_saves_what_was_typed(page, evaluation):
    page("vitals", {"heart_rate[]status": "", "heart_rate[]value": "70", "weight[]status": "refused",
                    "weight[]value": "", "weight[]reason": "declined"})  # fmt: skip

    assert [(f.code, f.status, f.value) for f in evaluation.findings.all()] == [
        ("heart_rate", "assessed", 70), ("weight", "refused", None)
    ]  # fmt: skip


@pytest.mark.parametrize("typed", ["abc", "1e9", "NaN", "Infinity", "9" * 64, "70.5", "１２", "-1"])
def test_a_wrong_number_stays_on_the_form_with_its_reason(page, evaluation, typed):
    answer = page("vitals", {"heart_rate[]status": "assessed", "heart_rate[]value": typed})

    cell = next(row.cells[0] for row in answer.context["sections"][0].rows if row.entry.code == "heart_rate")
    assert (answer.status_code, cell.typed) == (400, typed)
    assert cell.error.startswith("Give a")
    assert not evaluation.findings.exists()


@pytest.mark.parametrize("version", ["", "x", "9" * 40, "-1"])
def test_a_wrong_version_saves_nothing(page, evaluation, version):
    answer = page("vitals", {"version": version, "heart_rate[]status": "assessed", "heart_rate[]value": "70"})

    assert answer.status_code in {400, 409}
    assert not evaluation.findings.exists()


def test_a_stale_form_shows_both_values(page, save, evaluation):
    save(PULSE)

    answer = page("vitals", {"version": 0, "heart_rate[]status": "assessed", "heart_rate[]value": "75"})

    assert answer.status_code == 409
    assert b'value="75"' in answer.content
    assert b"Saved meanwhile: 70" in answer.content
    [row] = answer.context["both_versions"]
    assert (row["label"], row["yours"], row["theirs"]) == ("Pulse", "75", "70")
    assert row["by"].startswith("Robin Sample, ")
    assert evaluation.findings.get().value == 70


def test_a_form_sent_back_as_it_is_changes_nothing(page, save, evaluation, sent):
    save(*sent)
    before = evaluation.version

    for part in catalogue.PARTS:
        posted = {}
        for section in page(part.code).context["sections"]:
            for cell in (cell for row in section.rows for cell in row.cells):
                posted |= {f"{cell.name}{kind}": getattr(cell, kind) for kind in ("status", "direction", "reason")}
                posted[f"{cell.name}value"] = cell.typed
        if part.sections:
            page(part.code, posted)

    evaluation.refresh_from_db()
    assert evaluation.version == before


def test_no_to_all_the_rest_leaves_what_was_answered(page, patient):
    page("red_flags", {"rf_ataxia": "yes", "rest": "no"})

    assert RedFlagAnswer.objects.count() == len(catalogue.RED_FLAGS)
    assert [e.code for e in red_flags.open_events(patient)] == ["rf_ataxia"]
    assert b"call 911" in page("red_flags").content


def test_nothing_is_answered_beforehand(page):
    assert b" checked" not in page("red_flags").content


@pytest.mark.parametrize(
    ("part", "posted"), [("red_flags", {"rf_ataxia": "perhaps"}), ("outcomes", {"hit6_total": "37"}),
                         ("outcomes", {"nprs_neck": "x"}), ("summary", {"conclusion": "a\u0007"})],
)  # fmt: skip
def test_other_bad_input_is_refused_with_its_reason(page, part, posted):
    answer = page(part, posted)

    assert answer.status_code == 400
    assert b"Not saved." in answer.content


def test_outcomes_and_conclusion_are_kept(page, evaluation):
    page("outcomes", {"nprs_neck": "0", "hit6_total": ""})
    page("summary", {"conclusion": "Two\r\nlines"})

    evaluation.refresh_from_db()
    assert (evaluation.measures["nprs_neck"], evaluation.conclusion) == (0, "Two\nlines")


def test_signing_lists_what_is_missing(password_asked, evaluation):
    answer = password_asked.post(reverse("evaluation-sign", args=[evaluation.pk]))

    assert answer.status_code == 409
    assert b"46 red-flag questions are not answered" in answer.content


def test_a_signed_evaluation_is_read_and_added_to(sign_in, chiro, answered):
    signing.sign(answered, by=chiro.user)
    client = sign_in(chiro.user)

    refused = client.post(reverse("evaluation-addendum", args=[answered.pk]), {"text": "x", "reason": ""})
    client.post(reverse("evaluation-addendum", args=[answered.pk]), {"text": "The right arm.", "reason": "Wrong side"})

    assert refused.status_code == 400
    page = client.get(reverse("evaluation", args=[answered.pk])).content
    assert b"The right arm." in page
    assert b"evaluation-form" not in page


def test_a_flag_is_resolved_on_its_page(sign_in, chiro, evaluation, patient):
    [event] = red_flags.answer(patient=patient, evaluation=evaluation, answers={"rf_minor": "yes"}, by=chiro.user)
    client, address = sign_in(chiro.user), reverse("red-flag-resolve", args=[event.pk])

    short = client.post(address, {"resolution": "acknowledged_no_change", "rationale": "short"})
    client.post(address, {"resolution": "acknowledged_no_change", "rationale": "The mother consents in writing."})

    assert short.status_code == 400
    assert red_flags.open_events(patient) == []


def test_the_evaluation_is_stopped_for_safety(sign_in, chiro, evaluation):
    sign_in(chiro.user).post(reverse("evaluation-stop", args=[evaluation.pk]))

    evaluation.refresh_from_db()
    assert evaluation.status == Evaluation.Status.STOPPED


def test_a_button_pressed_twice_begins_one_evaluation(patient, atlanta, chiro):
    first = recording.start(patient=patient, location=atlanta, by=chiro.user)
    assert recording.start(patient=patient, location=atlanta, by=chiro.user) == first

    recording.save(first, findings=[{"code": "heart_rate", "value": 72}], version=0, by=chiro.user)
    assert recording.start(patient=patient, location=atlanta, by=chiro.user) != first


def test_another_evaluation_may_begin_later(patient, atlanta, chiro):
    with times.as_of(times.now() - timedelta(seconds=31)):
        first = recording.start(patient=patient, location=atlanta, by=chiro.user)

    assert recording.start(patient=patient, location=atlanta, by=chiro.user) != first


def test_a_new_emergency_leads_to_what_to_do_now_also_without_script(page, evaluation):
    nystagmus = {"nystagmus[]value": "positive", "nystagmus[]status": "assessed", "part": "neuro"}
    answer = page(post=nystagmus)
    assert answer.url == f"{reverse('evaluation-emergency', args=[evaluation.pk])}?back=neuro"
    shown = page.client.get(answer.url)
    assert f'href="{reverse("evaluation", args=[evaluation.pk])}#part-neuro"' in shown.content.decode()
    assert evaluation.findings.get().value == "positive"

    again = page(post={"rf_drop_attack": "unknown", "heart_rate[]value": "70", "heart_rate[]status": "assessed"})
    assert again.url.startswith(reverse("evaluation", args=[evaluation.pk]))  # nobody knows is no sign of it
    assert page(post={"rf_drop_attack": "yes"}).url.startswith(reverse("evaluation-emergency", args=[evaluation.pk]))


def test_a_save_says_which_emergencies_stand_open(save, answered):
    def said(**fields):
        answered.refresh_from_db()
        return save(version=answered.version, **fields)["emergencies"]

    assert said(answers={"rf_drop_attack": "unknown", "rf_systemic": "yes"}) == []
    assert said(answers={"rf_drop_attack": "yes"}) == ["rf_drop_attack"]
    answered.refresh_from_db()
    saved = save({"code": "nystagmus", "value": "positive"}, version=answered.version)
    assert sorted(saved["emergencies"]) == ["rf_drop_attack", "rf_nystagmus"]
