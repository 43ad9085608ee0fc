"""The pages and the API of a visit note: opened from the visit, prefilled, signed, read, printed."""

from datetime import time, timedelta

import pytest
from django.urls import reverse

from clinic import times
from clinic.models import AuditEntry
from evaluations import running_plans
from evaluations.models import VisitNote
from evaluations.notes import note_page, note_signing, visit_notes
from evaluations.running_plans import RunningPlan
from patients.models import DiaryEntry
from tests import make

LIST = "/api/v1/visit-notes/"


@pytest.fixture
def page(sign_in, chiro):
    return sign_in(chiro.user)


@pytest.fixture
def address(note):
    return reverse("visit-note", args=[note.pk])


@pytest.fixture
def plan(monkeypatch):
    """`plan(phase=…)` is what the package above tells."""

    def act(**said):
        monkeypatch.setattr(running_plans, "_tellers", [lambda patient: RunningPlan(**said)])

    return act


# --- opened


def test_it_opens_from_the_visit(page, visit_today):
    assert "Visit note" in page.get(reverse("appointment", args=[visit_today.pk])).content.decode()

    answer = page.post(reverse("visit-note-start"), {"appointment": visit_today.pk})

    note = VisitNote.objects.get()
    assert answer["Location"] == reverse("visit-note", args=[note.pk])


def test_a_cancelled_visit_says_why_not(page, visit_today):
    type(visit_today).objects.filter(pk=visit_today.pk).update(status="cancelled")

    answer = page.post(reverse("visit-note-start"), {"appointment": visit_today.pk}, follow=True)

    assert "The visit is cancelled." in answer.content.decode()
    assert page.post(reverse("visit-note-start"), {"appointment": "x"})["Location"] == reverse("patients")


def test_the_desk_neither_reads_nor_writes(sign_in, desk, note, address):
    client = sign_in(desk)

    assert client.get(address).status_code == 403
    assert client.post(address, {"version": 0}).status_code == 403


# --- prefilled


def test_the_plan_says_phase_and_technique_where_no_note_was(page, note, address, plan):
    plan(phase="corrective", techniques=("activator", "heat", "chin_tucks"), goals=("HIT-6: 60 → 54",), url="/x/")

    shown = page.get(address).content.decode()

    suggested = note_page.suggestions(note, None)
    assert {code: (one.value, one.source) for code, one in suggested.items()} == {
        "phase": ("corrective", "plan"), "technique": ("activator", "plan"), "adjuncts": (["heat"], "plan"),
    }  # fmt: skip
    assert "HIT-6: 60 → 54" in shown


def test_a_restriction_of_the_plan_forbids_as_one_of_a_flag(page, note, address, write, no_flags, plan):
    plan(restrictions=("instrument_only",), url="/x/")

    shown = page.get(address).content.decode()
    answer = page.post(address, {"version": 0, "content.technique": "nucca"})

    assert "Adjust by instrument only" in shown
    assert answer.status_code == 409
    assert answer.context["broken"].code == "intervention_forbidden"


def headache(patient, day, hours=5):
    onset = times.instant(day, time(9), "America/New_York")
    return DiaryEntry.objects.create(
        patient=patient, local_date=day, time_zone="America/New_York", entered_at=onset, onset_at=onset,
        ended_at=onset + timedelta(hours=hours),
    )  # fmt: skip


def test_headache_days_are_counted_in_the_diary_since_the_last_visit(signed_before, note):
    since = signed_before.day
    for n in (-2, 0, 2, 3):  # before, on the day of the last visit, and today
        headache(note.patient, since + timedelta(days=n))

    assert note_page.headache_days_since(note, signed_before) == 2


def test_without_an_entry_since_nothing_is_suggested(signed_before, note):
    headache(note.patient, signed_before.day - timedelta(days=2))

    assert note_page.headache_days_since(note, signed_before) is None
    assert note_page.headache_days_since(note, None) is None


# --- the form


def test_what_is_typed_wrong_stays_and_is_named(page, address):
    answer = page.post(address, {"version": 0, "content.pain": "12", "content.segments": "L5R", "content.contact": "A"})

    shown = answer.content.decode()
    assert answer.status_code == 400
    assert 'value="L5R"' in shown
    assert "is no place" in shown
    assert VisitNote.objects.get().content == {}


def test_another_version_is_refused_and_nothing_typed_is_lost(page, address, write):
    write(pain=3)

    answer = page.post(address, {"version": 0, "content.contact": "Atlas"})

    assert answer.status_code == 409
    assert 'value="Atlas"' in answer.content.decode()
    assert VisitNote.objects.get().content == {"pain": 3}


def test_one_button_takes_over_a_field_or_a_part(page, signed_before, note, address):
    page.post(address, {"version": 0, "same": "technique"})
    assert VisitNote.objects.get(pk=note.pk).content == {"technique": "nucca"}

    page.post(address, {"version": 1, "content.technique": "activator", "same": "plan"})

    said = VisitNote.objects.get(pk=note.pk).content
    assert (said["technique"], said["segments"]) == ("activator", ["C1 left"])
    assert "pain" not in said


def test_the_page_takes_few_queries(page, signed_before, note, address, django_assert_max_num_queries):
    with django_assert_max_num_queries(32):
        page.get(address)


# --- signed


def test_it_is_signed_with_the_password_and_then_only_added_to(
    page, password_asked, note, address, write, whole, no_flags
):
    write(**whole)
    page.logout()
    page.login(email=note.started_by.email, password="demo-clinic")
    asked = page.post(reverse("visit-note-sign", args=[note.pk]), {"version": note.version})
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    page.post(asked["Location"], {"password": "demo-clinic"})
    note.refresh_from_db()
    assert note_signing.is_intact(note)

    page.post(address, {"version": note.version, "content.pain": "9"})
    page.post(reverse("visit-note-addendum", args=[note.pk]), {"text": "Slept well.", "reason": "Called"})

    shown = page.get(address).content.decode()
    assert "Slept well." in shown
    assert "(checked: unchanged)" in shown
    assert "−6 mm" in shown
    assert VisitNote.objects.get().content["pain"] == 4
    assert page.get(reverse("visit-note-print", args=[note.pk])).status_code == 200
    assert AuditEntry.objects.filter(action="visit_note.printed", patient_id=note.patient_id).exists()


def test_it_stands_on_the_time_line(page, note, write, no_flags):
    write(technique="nucca", segments=["C1 left"])

    shown = page.get(reverse("patient", args=[note.patient_id])).content.decode()

    assert "Visit note: draft" in shown
    assert "NUCCA, triceps-pull, side-lying C1 left" in shown


# --- the API


def test_the_api_goes_the_whole_way(api, chiro, visit_today, whole, no_flags):
    client = api(chiro.user)
    made = client.post(LIST, {"appointment": visit_today.pk}, format="json")
    address = f"{LIST}{made.json()['id']}/"

    saved = client.patch(address, {"version": 0, "content": whole}, format="json")
    signed = client.post(f"{address}sign/")
    added = client.post(f"{address}addenda/", {"text": "More.", "reason": "Called"}, format="json")

    assert (made.status_code, saved.status_code, signed.status_code, added.status_code) == (201, 200, 200, 201)
    assert saved.json()["part"] == {"P": True, "A": True, "R": None, "T": True, "sufficient": True}
    assert signed.json()["content"] == whole
    assert added.json()["addenda"][0]["text"] == "More."
    assert (
        client.get(LIST, {"patient": visit_today.patient_id}).json()["results"][0]["digest"] == signed.json()["digest"]
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version": 0, "colour": 1}, 400, "invalid"), ({"content": {}}, 400, "invalid"),
        ({"version": "0", "content": {"pain": 1}}, 400, "invalid"),
        ({"version": 0, "content": {"pain": "1"}}, 400, "invalid_note"),
        ({"version": 0, "content": "pain"}, 400, "invalid_note"),
        ({"version": 7, "content": {"pain": 1}}, 409, "stale"),
        ({"version": 0, "content": {"pain": 1}, "operation": "x"}, 400, "invalid"),
    ],
)  # fmt: skip
def test_the_api_refuses_by_name(api, chiro, note, body, status, code):
    answer = api(chiro.user).patch(f"{LIST}{note.pk}/", body, format="json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert VisitNote.objects.get().version == 0


def test_who_treats_elsewhere_finds_no_note(api, nashville, note):
    client = api(make.practitioner(nashville).user)

    assert client.get(f"{LIST}{note.pk}/").status_code == 404
    assert client.get(LIST).json()["results"] == []
    assert visit_notes.last_signed(note) is None
