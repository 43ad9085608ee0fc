import pytest
from django.urls import reverse

from clinic import audit, times
from patients.models import Patient
from tests import make


@pytest.fixture
def look(sign_in):
    def at(user, **query):
        return sign_in(user).get(reverse("audit"), query)

    return at


def said(answer):
    return [row["said"] for row in answer.context["rows"]]


def test_owner_reads_who_saw_what_latest_first(look, owner, patient, chiro):
    audit.record("patient.read", on=patient, by=owner)
    audit.record("evaluation.viewed", on=patient, by=chiro.user)

    answer = look(owner)

    assert said(answer) == ["Evaluation viewed", "Patient read"]
    assert patient.name in answer.content.decode()


def test_the_auditor_gets_a_number_for_a_name_and_no_detail(look, patient, chiro):
    audit.record("red_flags.answered", on=patient, by=chiro.user, answers={"rf_thunderclap": "yes"})

    shown = look(make.user("auditor")).content.decode()

    assert "Red flags answered" in shown
    assert f"patient={patient.pk}" in shown
    assert patient.name not in shown
    assert "thunderclap" not in shown


def test_a_manager_reads_about_patients_and_people_of_her_clinics(look, patient, marietta, nashville, chiro):
    stranger = make.patient(nashville)
    patient.locations.add(marietta)
    manager, desk, other = make.user("manager", marietta), make.user("desk", marietta), make.user("desk", nashville)
    for person in (patient, stranger):
        audit.record("patient.read", on=person, by=chiro.user)
    for user in (desk, other):
        audit.record("user.accepted", on=user, by=user)

    rows = look(manager).context["rows"]

    assert [(row["said"], row["patient_id"]) for row in rows] == [("User accepted", None), ("Patient read", patient.pk)]


@pytest.mark.parametrize("role", ["clinician", "desk"])
def test_others_are_kept_out(look, atlanta, role):
    assert look(make.user(role, atlanta)).status_code == 403


def test_it_is_narrowed_by_patient_person_and_day(look, owner, patient, atlanta, chiro, desk):
    other = make.patient(atlanta)
    early = make.at(23, day=make.MONDAY)  # still Monday in Atlanta, Tuesday in UTC
    with times.as_of(early):
        audit.record("patient.read", on=patient, by=desk)
    audit.record("patient.amended", on=patient, by=chiro.user)
    audit.record("consent.given", on=other, by=desk)

    assert said(look(owner, patient=patient.pk)) == ["Patient amended", "Patient read"]
    assert said(look(owner, by=desk.pk)) == ["Consent given", "Patient read"]
    assert said(look(owner, by=desk.pk, day=make.MONDAY.isoformat())) == ["Patient read"]
    assert said(look(owner, patient=987654)) == []


@pytest.mark.parametrize("query", [{"patient": "x"}, {"patient": 2**70}, {"day": "0001-01-01"}, {"by": "9" * 40}])
def test_a_wrong_question_is_said_at_its_field(look, owner, query):
    answer = look(owner, **query)

    assert (answer.status_code, answer.context["filter"].errors.keys()) == (400, query.keys())


def test_older_pages_follow_the_last_entry(look, owner, sign_in, patient, django_assert_num_queries):
    for n in range(120):
        audit.record(f"patient.read{n:03}", on=patient, by=owner)
    client = sign_in(owner)

    with django_assert_num_queries(8):  # however many entries there are
        first = client.get(reverse("audit"), {"patient": patient.pk})
    second = look(owner, **dict(pair.split("=") for pair in first.context["older"].split("&")))
    third = look(owner, **dict(pair.split("=") for pair in second.context["older"].split("&")))

    pages = [said(page) for page in (first, second, third)]
    assert [len(page) for page in pages] == [50, 50, 20]
    assert len({one for page in pages for one in page}) == 120
    assert third.context["older"] == ""


def test_lists_keep_one_entry_a_patient(patient, chiro, atlanta, django_assert_num_queries):
    other = make.patient(atlanta)
    with django_assert_num_queries(1):
        audit.record_all("evaluation.listed", [patient, other, patient], by=chiro.user)
    audit.record_all("evaluation.listed", [], by=chiro.user)

    assert sorted(chiro.user.audit_entries.values_list("patient_id", flat=True)) == [patient.pk, other.pk]
    assert Patient.objects.count() == 2
