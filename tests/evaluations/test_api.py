import uuid
from datetime import timedelta

import pytest

from clinic import times
from clinic.models import AuditEntry
from evaluations import recording
from evaluations.models import Evaluation, Finding, SaveOperation
from tests import make

PULSE = {"code": "heart_rate", "qualifiers": {}, "status": "assessed", "value": 70}


def url(evaluation, tail=""):
    return f"/api/v1/evaluations/{evaluation.pk}/{tail}"


def patch(client, evaluation, **body):
    return client.patch(url(evaluation), {"version": evaluation.version, **body}, format="json")


def test_an_evaluation_is_begun_for_a_patient(api, chiro, patient):
    answer = api(chiro.user).post("/api/v1/evaluations/", {"patient": patient.pk}, format="json")

    assert answer.status_code == 201
    assert answer.json()["location"] == "atlanta"
    assert Evaluation.objects.get().started_by == chiro.user


def test_the_list_holds_the_evaluations_of_the_patient(api, chiro, atlanta, evaluation):
    other = make.patient(atlanta, given="Other")
    api(chiro.user).post("/api/v1/evaluations/", {"patient": other.pk}, format="json")

    answer = api(chiro.user).get("/api/v1/evaluations/", {"patient": evaluation.patient_id})

    assert [e["id"] for e in answer.json()["results"]] == [evaluation.pk]


def test_a_clinician_elsewhere_does_not_find_it(api, nashville, evaluation):
    stranger = make.practitioner(nashville).user

    assert api(stranger).get(url(evaluation)).status_code == 404
    assert patch(api(stranger), evaluation, findings=[PULSE]).status_code == 404


def test_the_desk_may_not_read_it(api, desk, evaluation):
    assert api(desk).get(url(evaluation)).status_code == 403


def test_reading_is_audited(api, chiro, evaluation):
    api(chiro.user).get(url(evaluation))

    assert AuditEntry.objects.filter(action="evaluation.viewed", about_id=evaluation.pk).count() == 1


BP = {"code": "bp_systolic", "qualifiers": {"side": "left"}, "value": 118}
BAD = {
    "an unknown code": ({**PULSE, "code": "aura"}, "code"),
    "a code that is a number": ({**PULSE, "code": 7}, "code"),
    "no object": ("heart_rate", "code"),
    "an unknown field": ({**PULSE, "colour": "red"}, "colour"),
    "a wrong qualifier": ({**PULSE, "qualifiers": {"side": "left"}}, "qualifiers"),
    "a wrong qualifier value": ({**BP, "qualifiers": {"side": "top"}}, "qualifiers"),
    "a qualifier that is a list": ({**BP, "qualifiers": {"side": ["left"]}}, "qualifiers"),
    "qualifiers that are a list": ({**BP, "qualifiers": ["left"]}, "qualifiers"),
    "no side": ({**BP, "qualifiers": {}}, "qualifiers"),
    "below the range": ({**PULSE, "value": 19}, "value"),
    "above the range": ({**PULSE, "value": 251}, "value"),
    "far above the range": ({**PULSE, "value": 10**4000}, "value"),
    "a boolean for a number": ({**PULSE, "value": True}, "value"),
    "text for a number": ({**PULSE, "value": "70"}, "value"),
    "a fraction for a whole number": ({**PULSE, "value": 70.5}, "value"),
    "too many places": ({"code": "weight", "value": 68.05}, "value"),
    "a wrong step": ({"code": "lower_angle", "value": 1.3, "direction": "left"}, "value"),
    "a wrong choice": ({"code": "gait", "value": "limping"}, "value"),
    "a list for a choice": ({"code": "gait", "value": ["normal"]}, "value"),
    "a choice for a list": ({"code": "imaging_views", "value": "vertex"}, "value"),
    "a list of lists": ({"code": "imaging_views", "value": [["vertex"]]}, "value"),
    "a choice twice": ({"code": "imaging_views", "value": ["vertex", "vertex"]}, "value"),
    "normal with others": (
        {"code": "scapular_position", "qualifiers": {"side": "left"}, "value": ["normal", "winging"]}, "value"),
    "nothing where normal is a choice": (
        {"code": "scapular_position", "qualifiers": {"side": "left"}, "value": []}, "value"),
    "text for yes or no": ({"code": "trigger_point", "qualifiers": {"muscle": "scm", "side": "left"}, "value": "yes"},
                           "value"),
    "a number for positive": ({"code": "lhermitte", "value": 1}, "value"),
    "a listing too long": ({"code": "listing_c1", "value": "A" * 65}, "value"),
    "an invisible listing": ({"code": "listing_c1", "value": "A\u202eS"}, "value"),
    "no value": ({**PULSE, "value": None}, "value"),
    "a value though refused": ({**PULSE, "status": "refused", "reason": "no"}, "value"),
    "no reason though refused": ({**PULSE, "status": "refused", "value": None}, "reason"),
    "a blank reason": ({**PULSE, "status": "refused", "value": None, "reason": "  "}, "reason"),
    "a reason too long": ({**PULSE, "reason": "x" * 501}, "reason"),
    "a reason that is a number": ({**PULSE, "reason": 5}, "reason"),
    "a note too long": ({**PULSE, "note": "x" * 5001}, "note"),
    "a note with a control character": ({**PULSE, "note": "x\x07"}, "note"),
    "an unknown status": ({**PULSE, "status": "done"}, "status"),
    "a status that is a list": ({**PULSE, "status": []}, "status"),
    "a side for zero": ({"code": "head_tilt", "value": 0, "direction": "left"}, "direction"),
    "none for a tilt": ({"code": "head_tilt", "value": 2, "direction": "none"}, "direction"),
    "no direction": ({"code": "head_tilt", "value": 2}, "direction"),
    "a direction that is a list": ({"code": "head_tilt", "value": 2, "direction": []}, "direction"),
    "a direction where there is none": ({**PULSE, "direction": "left"}, "direction"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_finding_is_refused_and_its_field_named(api, chiro, evaluation, name):
    finding, field = BAD[name]

    answer = patch(api(chiro.user), evaluation, findings=[PULSE, finding])

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_finding"
    assert list(answer.json()["fields"]) == [f"findings.1.{field}"]
    assert not Finding.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"findings": {}}, "findings"),
        ({"findings": None}, "findings"),
        ({"findings": [PULSE] * 1001}, "findings"),
        ({"version": "0"}, "version"),
        ({"version": True}, "version"),
        ({"version": None}, "version"),
        ({"operation": "again"}, "operation"),
        ({"red_flags": []}, "red_flags"),
        ({"red_flags": {"rf_moon": "no"}}, "red_flags.rf_moon"),
        ({"red_flags": {"rf_ataxia": "maybe"}}, "red_flags.rf_ataxia"),
        ({"red_flags": {"rf_ataxia": []}}, "red_flags.rf_ataxia"),
        ({"section_seconds": {"lunch": 1}}, "section_seconds"),
        ({"section_seconds": {"rom": -1}}, "section_seconds"),
        ({"section_seconds": {"rom": True}}, "section_seconds"),
        ({"section_seconds": 5}, "section_seconds"),
        ({"measures": 5}, "measures"),
        ({"measures": {"hit6_total": 37}}, "measures.hit6_total"),
        ({"measures": {"ndi_items": [6] * 10}}, "measures.ndi_items"),
        ({"measures": {"eq5d5l_state": "11119"}}, "measures.eq5d5l_state"),
        ({"measures": {"mood": 5}}, "measures.mood"),
        ({"conclusion": 5}, "conclusion"),
        ({"colour": 5}, "colour"),
    ],
)
def test_a_bad_save_is_refused_and_its_field_named(api, chiro, evaluation, body, field):
    answer = patch(api(chiro.user), evaluation, **body)

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]


@pytest.mark.parametrize("body", [b'{"version": NaN}', b'{"version": 0, "findings": [{"value": 1e999}]}', b"[]", b"{"])
def test_what_is_not_json_is_refused(api, chiro, evaluation, body):
    answer = api(chiro.user).patch(url(evaluation), body, content_type="application/json")

    assert answer.status_code == 400


def test_zero_false_and_nothing_are_values(api, chiro, evaluation):
    findings = [
        {"code": "head_tilt", "qualifiers": {}, "status": "assessed", "value": 0.0, "direction": "none"},
        {"code": "listing_c0", "qualifiers": {}, "status": "assessed", "value": ""},
        {"code": "imaging_views", "qualifiers": {}, "status": "assessed", "value": []},
        {"code": "tandem_gait_errors", "qualifiers": {}, "status": "assessed", "value": 0},
    ]

    patch(api(chiro.user), evaluation, findings=findings)

    kept = api(chiro.user).get(url(evaluation)).json()["findings"]
    assert kept == [{"reason": "", "note": "", **finding} for finding in findings]


def test_systolic_is_above_diastolic_also_when_one_came_before(api, chiro, evaluation):
    patch(api(chiro.user), evaluation, findings=[BP])
    evaluation.refresh_from_db()

    answer = patch(api(chiro.user), evaluation, findings=[PULSE, {**BP, "code": "bp_diastolic", "value": 118}])

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["findings.1.value"]
    assert Finding.objects.count() == 1


def test_a_stale_version_is_a_conflict(api, chiro, evaluation):
    patch(api(chiro.user), evaluation, findings=[PULSE])

    answer = patch(api(chiro.user), evaluation, findings=[{**PULSE, "value": 71}])

    assert answer.status_code == 409
    assert answer.json()["code"] == "stale"
    assert Finding.objects.get().value == 70


@pytest.fixture
def colleague(atlanta):
    return make.practitioner(atlanta, name="Sam Colleague").user


def test_a_conflict_names_who_saved_and_when_and_shows_both_versions(api, chiro, colleague, evaluation):
    at = times.now() + timedelta(minutes=3)
    with times.as_of(at):
        theirs = {"findings": [PULSE, BP], "red_flags": {"rf_chiari": "no"}, "measures": {"nprs_neck": 3}}
        assert patch(api(colleague), evaluation, **theirs, conclusion="Theirs.").status_code == 200

    mine = {"findings": [{**PULSE, "value": 75}, BP, {"code": "height", "value": 168.0}]}
    mine |= {"red_flags": {"rf_chiari": "yes", "rf_ataxia": "no"}, "measures": {"nprs_neck": 4}, "conclusion": "Mine."}
    answer = patch(api(chiro.user), evaluation, **mine)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "stale")
    assert body["detail"].startswith("Sam Colleague saved this evaluation on ")
    assert body["fields"] == {"version": "It is now 1."}
    conflict = body["conflict"]
    zoned = times.local(at, "America/New_York").isoformat()
    assert (conflict["version"], conflict["saved_by"], conflict["saved_at"]) == (1, "Sam Colleague", zoned)
    found = {one["name"]: one for one in conflict["items"]}
    # What is the same on both sides, or only on one, is named only where it differs from what is stored.
    assert set(found) == {"findings.0", "findings.2", "red_flags.rf_chiari", "measures.nprs_neck", "conclusion"}
    assert (found["findings.0"]["yours"]["value"], found["findings.0"]["theirs"]["value"]) == (75, 70)
    assert (found["findings.0"]["label"], found["findings.2"]["theirs"]) == ("Pulse", None)
    assert (found["red_flags.rf_chiari"]["yours"], found["red_flags.rf_chiari"]["theirs"]) == ("yes", "no")
    assert (found["conclusion"]["yours"], found["conclusion"]["theirs"]) == ("Mine.", "Theirs.")
    for name in set(found) - {"findings.2"}:
        assert (found[name]["by"], found[name]["at"]) == ("Sam Colleague", zoned), name


def test_a_conflict_with_oneself_says_so(api, chiro, evaluation):
    patch(api(chiro.user), evaluation, findings=[PULSE])

    answer = patch(api(chiro.user), evaluation, findings=[{**PULSE, "value": 75}])

    assert answer.json()["detail"].startswith("You yourself, in another tab or on another device, saved")


@pytest.mark.parametrize("findings", [["x"], [{"code": 7}], "x", [{**PULSE, "value": "x"}]])
def test_a_conflict_with_what_is_no_finding_is_still_a_conflict(api, chiro, evaluation, findings):
    patch(api(chiro.user), evaluation, findings=[PULSE])

    answer = patch(api(chiro.user), evaluation, findings=findings, red_flags="x", measures=["x"])

    assert (answer.status_code, answer.json()["conflict"]["items"]) == (409, [])


def test_every_kind_of_change_is_in_the_audit_log_without_its_value(api, chiro, evaluation):
    patch(api(chiro.user), evaluation, findings=[PULSE], measures={"nprs_neck": 3}, conclusion="Private words.")

    entry = AuditEntry.objects.get(action="evaluation.saved")
    assert entry.detail == {"codes": ["heart_rate"], "measures": ["nprs_neck"], "conclusion": True}


def test_an_operation_sent_again_is_applied_once(api, chiro, evaluation):
    body = {"findings": [PULSE], "operation": str(uuid.uuid4())}

    first, again = (patch(api(chiro.user), evaluation, **body) for _ in range(2))

    assert (first.status_code, again.json()) == (200, first.json())
    assert Finding.objects.get().version == 1


@pytest.mark.parametrize("body", [{"findings": [PULSE]}, {"section_seconds": {"rom": 5}}], ids=["findings", "clocks"])
def test_an_operation_sent_twice_at_the_same_time_is_applied_once(api, chiro, evaluation, monkeypatch, body):
    body = {**body, "operation": str(uuid.uuid4())}
    first = patch(api(chiro.user), evaluation, **body).json()
    held = recording._held

    def as_seen_before_the_lock(*args, **kwargs):
        row = held(*args, **kwargs)
        row.done = False
        return row

    monkeypatch.setattr(recording, "_held", as_seen_before_the_lock)
    again = patch(api(chiro.user), evaluation, **body)

    assert (again.status_code, again.json()["version"], SaveOperation.objects.count()) == (200, first["version"], 1)
    assert list(Finding.objects.values_list("version", flat=True)) in ([], [1])


def test_a_repeated_save_says_what_follows_now_and_what_was_kept_then(api, chiro, evaluation):
    body = {"findings": [PULSE], "operation": str(uuid.uuid4())}
    first = patch(api(chiro.user), evaluation, **body).json()
    fever = {"code": "body_temperature", "qualifiers": {}, "status": "assessed", "value": 38.0}
    evaluation.refresh_from_db()
    patch(api(chiro.user), evaluation, findings=[fever])

    again = patch(api(chiro.user), evaluation, **body).json()

    assert (again["version"], again["kept"]) == (first["version"], first["kept"])
    assert (first["open_red_flags"], again["open_red_flags"]) == ([], ["rf_systemic"])
    assert set(again) == set(first)


def test_a_save_says_what_a_value_raised(api, chiro, evaluation):
    fever = {"code": "body_temperature", "value": 39}
    asked = patch(api(chiro.user), evaluation, findings=[PULSE], red_flags={"rf_systemic": "no"}).json()
    evaluation.refresh_from_db()

    assert asked["raised"] == []
    assert patch(api(chiro.user), evaluation, findings=[fever]).json()["raised"] == ["rf_systemic"]


def test_a_save_asks_little_of_the_database(client, chiro, evaluation, django_assert_max_num_queries):
    client.force_login(chiro.user)
    client.get(url(evaluation))

    with django_assert_max_num_queries(
        12
    ):  # session, user, roles; then one each to read, write and tell, in savepoints
        body = {"version": evaluation.version, "findings": [PULSE], "operation": str(uuid.uuid4())}
        answer = client.patch(url(evaluation), body, content_type="application/json")
    assert answer.status_code == 200


def test_an_operation_of_another_evaluation_is_refused(api, chiro, atlanta, evaluation):
    client, operation = api(chiro.user), str(uuid.uuid4())
    patch(client, evaluation, operation=operation)
    other = client.post("/api/v1/evaluations/", {"patient": make.patient(atlanta).pk}, format="json").json()["id"]

    answer = client.patch(f"/api/v1/evaluations/{other}/", {"version": 0, "operation": operation}, format="json")

    assert answer.status_code == 422


def test_clocks_only_run_forward(api, chiro, evaluation):
    patch(api(chiro.user), evaluation, section_seconds={"rom": 90})
    evaluation.refresh_from_db()
    patch(api(chiro.user), evaluation, section_seconds={"rom": 30, "neuro": 5})

    evaluation.refresh_from_db()
    assert evaluation.section_seconds == {"rom": 90, "neuro": 5}


def test_signing_needs_the_red_flags(api, chiro, evaluation):
    answer = api(chiro.user).post(url(evaluation, "sign/"))

    assert (answer.status_code, answer.json()["code"]) == (409, "red_flags_unanswered")


def test_signing_what_was_read_is_refused_for_another_version(api, chiro, answered):
    client, address = api(chiro.user), url(answered, "sign/")
    stale = client.post(address, {"version": answered.version + 7}, format="json")
    unknown = client.post(address, {"versoin": 1}, format="json")

    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    assert (unknown.status_code, list(unknown.json()["fields"])) == (400, ["versoin"])


def test_what_is_signed_takes_no_more_findings_but_an_addendum(api, chiro, answered):
    client = api(chiro.user)
    signed = client.post(url(answered, "sign/")).json()
    answered.refresh_from_db()

    refused = patch(client, answered, findings=[PULSE])
    added = client.post(url(answered, "addenda/"), {"text": "The right arm.", "reason": "Wrong side"}, format="json")

    assert (signed["status"], len(signed["digest"])) == ("signed", 64)
    assert (refused.status_code, refused.json()["code"]) == (409, "signed")
    assert (added.status_code, added.json()["addenda"][0]["text"]) == (201, "The right arm.")


@pytest.mark.parametrize("body", [{}, {"text": "", "reason": "x"}, {"text": "x", "reason": "a\u0007"}, {"text": 5}])
def test_a_bad_addendum_is_refused(api, chiro, answered, body):
    api(chiro.user).post(url(answered, "sign/"))

    assert api(chiro.user).post(url(answered, "addenda/"), body, format="json").status_code == 400


def test_the_summary_lays_the_findings_out_by_section(api, chiro, evaluation, save):
    save({"code": "hoffmann", "qualifiers": {"side": "left"}, "value": "positive"}, PULSE)

    body = api(chiro.user).get(url(evaluation, "summary/")).json()

    assert [(s["section"], [f["stands_out"] for f in s["findings"]]) for s in body["sections"]] == [
        ("vitals", [False]), ("neuro_umn", [True])
    ]  # fmt: skip
    assert [e["code"] for e in body["open_red_flags"]] == ["rf_myelopathy"]
    assert len(body["red_flags_unanswered"]) == 45
