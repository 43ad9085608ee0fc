from datetime import date

import pytest

from clinic.models import AuditEntry
from patients import registering
from patients.models import Patient
from tests import make

AVERY = {"given_name": "Avery", "family_name": "Stone", "birth_date": "1985-03-14"}


def test_create_at_the_first_location_of_the_user(atlanta, desk, api):
    answer = api(desk).post("/api/v1/patients/", {**AVERY, "email": "a@example.org", "email_reminders": True})

    patient = Patient.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": patient.pk, "given_name": "Avery", "family_name": "Stone", "name": "Avery Stone",
        "birth_date": "1985-03-14", "sex": "unknown", "email": "a@example.org", "phone": "",
        "home_location": "atlanta", "email_reminders": True, "language": "en", "has_joint_mails": False,
    }  # fmt: skip


def test_create_a_known_person_names_the_ids(atlanta, desk, api):
    known = registering.register(
        given_name="Avery", family_name="Stone", birth_date=date(1985, 3, 14), home_location=atlanta, by=desk
    )
    client = api(desk)

    refused = client.post("/api/v1/patients/", AVERY)
    accepted = client.post("/api/v1/patients/", {**AVERY, "confirm_duplicate": True})

    assert (refused.status_code, refused.json()["code"]) == (409, "possible_duplicate")
    assert refused.json()["fields"] == {"duplicates": [known.pk]}
    assert accepted.status_code == 201


def test_create_repeated_with_its_key_registers_once(atlanta, desk, api):
    client = api(desk)

    answers = [client.post("/api/v1/patients/", AVERY, headers={"Idempotency-Key": "k1"}) for _ in range(2)]

    assert [a.status_code for a in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"birth_date": "1985-02-30"}, "birth_date"),
        ({"birth_date": "1700-01-01"}, "birth_date"),
        ({"given_name": 5}, "given_name"),
        ({"given_name": "a\u2028b"}, "given_name"),
        ({"phone": "abc"}, "phone"),
        ({"email": "x"}, "email"),
        ({"home_location": "nowhere"}, "home_location"),
        ({"home_location": "marietta"}, "home_location"),
        ({"role": "owner"}, "role"),
    ],
)
def test_create_with_wrong_input_names_the_field(atlanta, marietta, desk, api, wrong, field):
    answer = api(desk).post("/api/v1/patients/", {**AVERY, **wrong})

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert Patient.objects.count() == 0


def test_list_searches_in_scope(atlanta, marietta, desk, api):
    mine, other = make.patient(atlanta), make.patient(marietta)
    registering.index_all([mine, other])
    client = api(desk)

    found = client.get("/api/v1/patients/?search=avery").json()["results"]

    assert [row["id"] for row in found] == [mine.pk]
    assert client.get("/api/v1/patients/?search=nobody").json()["results"] == []
    assert client.get("/api/v1/patients/", {"search": "x" * 201}).status_code == 400
    assert client.get("/api/v1/patients/?ordering=email").status_code == 400


def test_list_goes_on_after_the_last(atlanta, desk, api):
    people = [make.patient(atlanta) for _ in range(3)]
    registering.index_all(people)
    client = api(desk)

    first = client.get("/api/v1/patients/?search=avery&page_size=2").json()
    second = client.get(first["next"]).json()

    assert [[row["id"] for row in page["results"]] for page in (first, second)] == [
        [people[0].pk, people[1].pk],
        [people[2].pk],
    ]
    assert second["next"] is None


@pytest.mark.parametrize("wrong", [{"after": "x"}, {"after": "0"}, {"page_size": "201"}, {"after": "9" * 19}])
def test_list_refuses_what_is_no_page(desk, api, wrong):
    answer = api(desk).get("/api/v1/patients/", wrong)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(wrong))


def test_retrieve_is_recorded_and_stays_in_scope(patient, marietta, desk, api):
    stranger = make.patient(marietta)
    client = api(desk)

    assert client.get(f"/api/v1/patients/{patient.pk}/").json()["name"] == "Avery Testerson"
    assert client.get(f"/api/v1/patients/{stranger.pk}/").status_code == 404
    assert list(AuditEntry.objects.values_list("action", "patient_id")) == [("patient.read", patient.pk)]


def test_auditor_gets_no_patients(patient, api):
    assert api(make.user("auditor")).get("/api/v1/patients/").status_code == 403
    assert api().get("/api/v1/patients/").status_code == 401
