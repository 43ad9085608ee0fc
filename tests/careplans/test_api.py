import pytest

from appointments.models import Appointment
from careplans.models import CarePlan
from tests import make

URL = "/api/v1/care-plans/"


@pytest.fixture
def body(signed, chiro, atlanta):
    return {
        "evaluation": signed.pk,
        "practitioner": chiro.pk,
        "location": "atlanta",
        "starts_on": "2027-01-04",
        "phases": [{"kind": "relief", "visits_per_week": 2, "weeks": 4}],
        "goals": [{"metric": "migraine_days_28", "baseline": "10", "target": "5", "due_on": "2027-03-01"}],
        "interventions": [{"code": "nucca"}],
        "reevaluate_by": "2027-02-01",
    }


def test_create_then_begin_and_put_on_the_calendar(api, body, chiro, desk, adjustment):
    clinician = api(chiro.user)

    made = clinician.post(URL, body)
    plan = made.json()
    assert (made.status_code, plan["status"]) == (201, "draft")
    assert [b["code"] for b in plan["blocks"]] == ["consent_missing", "agreement_missing"]
    refused = clinician.post(f"{URL}{plan['id']}/activate/", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "consent_missing")
    shown = clinician.get(f"{URL}{plan['id']}/consent/").json()
    unread = clinician.post(f"{URL}{plan['id']}/consent/", {"name": "Avery Testerson"})
    assert (unread.status_code, unread.json()["code"]) == (400, "nothing_shown")
    digests = {f"{part}_digest": shown[part]["digest"] for part in ("consent", "plan")}
    clinician.post(f"{URL}{plan['id']}/consent/", {"name": "Avery Testerson"} | digests)
    begun = clinician.post(f"{URL}{plan['id']}/activate/", {}).json()
    assert (begun["status"], len(begun["phases"][0]["visits"])) == ("active", 8)
    placed = api(desk).post(f"{URL}{plan['id']}/schedule/", {"weekdays": [0, 2], "at_time": "10:00"}).json()

    assert (len(placed["booked"]), placed["owed"]) == (8, [])
    assert placed["booked"][0]["starts_at"] == "2027-01-04T10:00:00-05:00"
    assert Appointment.objects.count() == 8


def test_list_and_retrieve(api, draft, patient, chiro):
    plan = draft()

    listed = api(chiro.user).get(URL, {"patient": patient.pk}).json()
    assert [row["id"] for row in listed["results"]] == [plan.pk]
    assert api(chiro.user).get(URL, {"patient": patient.pk + 1}).json()["results"] == []
    shown = api(chiro.user).get(f"{URL}{plan.pk}/").json()
    assert (shown["patient"]["name"], shown["goals"][0]["unit"]) == ("Avery Testerson", "d")


def test_a_repeated_key_drafts_once(api, body, chiro):
    first, second = (api(chiro.user).post(URL, body, headers={"Idempotency-Key": "k1"}) for _ in range(2))

    assert (second.status_code, second.json()) == (201, first.json())
    assert CarePlan.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"evaluation": 999}, "evaluation"),
        ({"evaluation": "1"}, "evaluation"),
        ({"practitioner": 2**70}, "practitioner"),
        ({"location": "nowhere"}, "location"),
        ({"location": 5}, "location"),
        ({"starts_on": "soon"}, "starts_on"),
        ({"starts_on": "0001-01-01"}, "starts_on"),
        ({"reevaluate_by": "9999-12-31"}, "reevaluate_by"),
        ({"starts_on": "9999-12-31"}, "starts_on"),
        ({"phases": []}, "phases"),
        ({"phases": [{"kind": "relief", "visits_per_week": 4, "weeks": 4}]}, "phases"),
        ({"phases": [{"kind": "cure", "visits_per_week": 1, "weeks": 4}]}, "phases.0.kind"),
        ({"interventions": [{"code": "magic"}]}, "interventions.0.code"),
        ({"note": "a\u202eb"}, "note"),
        ({"status": "active"}, "status"),
    ],
)
def test_create_names_the_field(api, body, chiro, change, field):
    answer = api(chiro.user).post(URL, {**body, **change})

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


@pytest.mark.parametrize("step", ["hold", "resume", "complete", "discontinue"])
def test_steps(api, active, chiro, step):
    if step == "resume":
        api(chiro.user).post(f"{URL}{active.pk}/hold/", {})

    answer = api(chiro.user).post(f"{URL}{active.pk}/{step}/", {"reason": "As agreed."})

    expected = {"hold": "on_hold", "resume": "active", "complete": "completed", "discontinue": "discontinued"}
    assert (answer.status_code, answer.json()["status"]) == (200, expected[step])


def test_discontinue_without_a_reason(api, active, chiro):
    answer = api(chiro.user).post(f"{URL}{active.pk}/discontinue/", {})

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["reason"])


@pytest.mark.parametrize(
    "body", [{}, {"weekdays": [7], "at_time": "10:00"}, {"weekdays": [0], "at_time": "10:00"}, {"weekdays": "x"}]
)
def test_schedule_refuses_bad_input(api, active, desk, adjustment, body):
    assert api(desk).post(f"{URL}{active.pk}/schedule/", body).status_code == 400


def test_who_may(api, active, desk, owner, marietta):
    address = f"{URL}{active.pk}/"
    elsewhere = make.practitioner(marietta).user
    other_desk = make.user("desk", marietta)
    weekdays = {"weekdays": [0, 2], "at_time": "10:00"}

    assert [api(who).get(address).status_code for who in (desk, owner, elsewhere, None)] == [403, 403, 404, 401]
    assert [api(who).post(f"{address}hold/", {}).status_code for who in (desk, owner, elsewhere)] == [403, 403, 404]
    assert [api(who).post(f"{address}schedule/", weekdays).status_code for who in (owner, other_desk)] == [403, 404]
    assert api(elsewhere).get(URL).json()["results"] == []
    assert api(elsewhere).get(f"{URL}999999999999999999/").status_code == 404
