from datetime import date

from clinic.models import AuditEntry
from patients import registering
from patients.models import Consent, Patient
from patients.views import staff
from tests import make

TYPED = {"given_name": "Avery", "family_name": "Stone", "birth_date": "1985-03-14", "sex": "unknown"}


def test_new_patient_is_registered(atlanta, desk, sign_in):
    answer = sign_in(desk).post(
        "/patients/new/", {**TYPED, "home_location": atlanta.pk, "email_reminders": "on", "phone": "(404) 555-0142"}
    )

    patient = Patient.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/patients/{patient.pk}/")
    assert (patient.name, str(patient.phone), patient.consents.count()) == ("Avery Stone", "+14045550142", 1)


def test_new_patient_known_already_is_shown_and_then_confirmed(atlanta, desk, sign_in):
    known = registering.register(
        given_name="avery", family_name="stone", birth_date=date(1985, 3, 14), home_location=atlanta, by=desk
    )
    client = sign_in(desk)
    typed = {**TYPED, "home_location": atlanta.pk}

    asked = client.post("/patients/new/", typed)

    assert (asked.status_code, list(asked.context["duplicates"])) == (200, [known])
    assert 'value="Avery"' in asked.content.decode()
    assert client.post("/patients/new/", {**typed, "confirm_duplicate": "on"}).status_code == 302
    assert Patient.objects.count() == 2


def test_new_patient_with_wrong_input_keeps_what_was_typed(atlanta, desk, sign_in):
    answer = sign_in(desk).post("/patients/new/", {**TYPED, "birth_date": "2999-01-01", "home_location": atlanta.pk})

    assert answer.context["form"].errors == {"birth_date": ["The birth date is in the future."]}
    assert 'value="Avery"' in answer.content.decode()
    assert Patient.objects.count() == 0


def test_new_patient_at_a_location_of_others_is_refused(atlanta, marietta, desk, sign_in):
    answer = sign_in(desk).post("/patients/new/", {**TYPED, "home_location": marietta.pk})

    assert list(answer.context["form"].errors) == ["home_location"]


def test_list_finds_and_keeps_to_the_scope(atlanta, marietta, desk, sign_in):
    mine = make.patient(atlanta)
    other = make.patient(marietta, given="Avril")
    registering.index_all([mine, other])
    client = sign_in(desk)

    whole = client.get("/patients/?q=av")
    fragment = client.get("/patients/?q=av", headers={"HX-Request": "true"})

    assert [one.pk for one in whole.context["found"]] == [mine.pk]
    assert "<html" in whole.content.decode()
    assert "<html" not in fragment.content.decode()


def test_list_goes_on_page_by_page(atlanta, desk, sign_in, monkeypatch):
    registering.index_all([make.patient(atlanta, given=name) for name in ("Ava", "Avi", "Avo")])
    monkeypatch.setattr(staff, "A_PAGE", 2)
    client = sign_in(desk)

    first = client.get("/patients/?q=av")
    second = client.get(f"/patients/?q=av&after={first.context['next_after']}")

    assert [one.given_name for one in first.context["found"]] == ["Ava", "Avi"]
    assert [one.given_name for one in second.context["found"]] == ["Avo"]
    assert "First page" in second.content.decode()


def test_list_shows_who_sounds_alike(patient, desk, sign_in):
    registering.index_all([patient])

    answer = sign_in(desk).get("/patients/?q=Tessterson")

    assert [one.pk for one in answer.context["found"]] == [patient.pk]
    assert "sound like it" in answer.content.decode()


def test_list_refuses_an_endless_search(desk, sign_in):
    assert sign_in(desk).get("/patients/", {"q": "x" * 300}).status_code == 400
    assert sign_in(desk).get("/patients/", {"q": "a\x00"}).context["found"] == []


def test_page_of_a_patient_is_recorded_as_read(patient, desk, sign_in):
    answer = sign_in(desk).get(f"/patients/{patient.pk}/")

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.by, entry.patient_id) == ("patient.read", desk, patient.pk)
    assert patient.name in answer.content.decode()


def test_page_of_a_patient_out_of_scope_is_like_a_missing_one(patient, marietta, sign_in):
    client = sign_in(make.user("desk", marietta))

    assert [client.get(f"/patients/{pk}/").status_code for pk in (patient.pk, 999_999)] == [404, 404]
    assert client.post(f"/patients/{patient.pk}/edit/", TYPED).status_code == 404
    assert client.post(f"/patients/{patient.pk}/consent/", {"given": "yes"}).status_code == 404
    assert AuditEntry.objects.count() == 0


def test_page_escapes_a_name(atlanta, desk, sign_in):
    patient = make.patient(atlanta, given="<script>alert(1)</script>")

    page = sign_in(desk).get(f"/patients/{patient.pk}/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_owner_reads_but_cannot_change(patient, owner, sign_in):
    client = sign_in(owner)

    page = client.get(f"/patients/{patient.pk}/").content.decode()

    assert "Patient agrees" not in page
    assert client.post(f"/patients/{patient.pk}/consent/", {"given": "yes"}).status_code == 403


def test_edit_saves_and_wrong_input_says_so(patient, desk, sign_in):
    client = sign_in(desk)
    typed = {**TYPED, "home_location": patient.home_location_id}

    refused = client.post(f"/patients/{patient.pk}/edit/", {**typed, "email": "nobody"})
    client.post(f"/patients/{patient.pk}/edit/", {**typed, "email": "some@example.org"})

    assert list(refused.context["form"].errors) == ["email"]
    assert list(client.get(f"/patients/{patient.pk}/edit/").context["form"].initial)[:1] == ["given_name"]
    patient.refresh_from_db()
    assert (patient.name, patient.email) == ("Avery Stone", "some@example.org")


def test_edit_keeps_a_home_clinic_elsewhere(atlanta, marietta, desk, sign_in):
    patient = make.patient(marietta)
    patient.locations.add(atlanta)

    answer = sign_in(desk).post(f"/patients/{patient.pk}/edit/", {**TYPED, "home_location": marietta.pk})

    assert answer.status_code == 302
    patient.refresh_from_db()
    assert (patient.home_location, patient.given_name) == (marietta, "Avery")


def test_consent_switch(patient, desk, sign_in):
    client = sign_in(desk)

    client.post(f"/patients/{patient.pk}/consent/", {"given": "yes"})
    assert patient.consents.get().scope == Consent.Scope.EMAIL_REMINDERS
    client.post(f"/patients/{patient.pk}/consent/", {"given": "no"})

    assert patient.consents.filter(withdrawn_at=None).count() == 0
