"""A serious reaction opens an incident: who is told, who looks into it, and how it ends."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404
from django.urls import reverse

from clinic import times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry, Message
from evaluations import reminders
from evaluations.models import Incident
from evaluations.notes import note_signing
from evaluations.safety import incidents
from tests import make

TOLD = {"reaction_what": "Fainted", "reaction_when": "At once", "reaction_action": "Ambulance called"}


@pytest.fixture
def incident(note, write):
    write(reaction="serious", **TOLD)
    return Incident.objects.get()


@pytest.fixture
def manager(atlanta):
    return make.user("manager", atlanta)


@pytest.mark.parametrize("reaction", ["none", "mild", "moderate"])
def test_less_than_serious_opens_none(note, write, reaction):
    write(reaction=reaction)

    assert not Incident.objects.exists()


def test_a_serious_one_opens_one_and_it_stays(note, write, chiro):
    write(reaction="serious")
    write(**TOLD)
    write(reaction="mild")
    write(reaction="serious")

    incident = Incident.objects.get()
    assert (incident.status, incident.note, incident.opened_by) == ("open", note, chiro.user)
    assert [step.step for step in incident.steps.all()] == ["opened"]


def test_what_saved_itself_opens_one_after_a_grace(note, write, time_machine, chiro):
    write(operation=str(uuid4()), reaction="serious")
    write(operation=str(uuid4()), **TOLD)
    assert (incidents.open_due(), Incident.objects.count()) == ([], 0)

    time_machine.move_to(times.now() + incidents.GRACE + timedelta(seconds=1))
    (found,) = incidents.open_due()

    assert (found.note, found.opened_by, incidents.open_due()) == (note, chiro.user, [])


def test_a_slip_within_the_grace_opens_none(note, write, time_machine):
    write(operation=str(uuid4()), reaction="serious")
    write(operation=str(uuid4()), reaction="mild")

    time_machine.move_to(times.now() + incidents.GRACE + timedelta(seconds=1))

    assert (incidents.open_due(), Incident.objects.count()) == ([], 0)


def test_the_signature_opens_it_at_the_latest(note, write, whole, no_flags, chiro):
    write(operation=str(uuid4()), **(whole | TOLD | {"reaction": "serious"}))

    note_signing.sign(note, by=chiro.user)

    assert Incident.objects.get().note == note


def test_a_serious_one_that_shows_after_the_signature_opens_one(signed_note, chiro, client):
    said = {"text": "Slurred speech an hour after.", "reason": "Called by the family."}
    client.force_login(chiro.user)
    address = reverse("visit-note-addendum", args=[signed_note.pk])

    client.post(address, said)
    assert not Incident.objects.exists()
    client.post(address, said | {"serious_reaction": "on"})

    incident = Incident.objects.get()
    assert (incident.note, incident.status, incident.opened_by) == (signed_note, "open", chiro.user)
    assert incident.steps.get().text == said["text"]


def test_over_the_api(api, incident, manager, desk, marietta):
    client, address = api(manager), f"/api/v1/incidents/{incident.pk}/"
    assert [one["id"] for one in client.get("/api/v1/incidents/").json()["results"]] == [incident.pk]
    found = client.get(address).json()
    assert (found["status"], found["told"]["reaction_what"], found["next_steps"]) == (
        "open", "Fainted", ["take_up", "remark", "close"],
    )  # fmt: skip

    assert client.post(f"{address}steps/", {"step": "take_up"}, format="json").json()["status"] == "in_review"
    wordless = client.post(f"{address}steps/", {"step": "close"}, format="json")
    assert (wordless.status_code, list(wordless.json()["fields"])) == (400, ["text"])
    unknown = client.post(f"{address}steps/", {"step": "forget", "text": "It."}, format="json")
    assert (unknown.status_code, list(unknown.json()["fields"])) == (400, ["step"])
    closed = client.post(f"{address}steps/", {"step": "close", "text": "Vasovagal."}, format="json")
    assert (closed.status_code, closed.json()["status"]) == (201, "closed")
    assert [one["step"] for one in closed.json()["steps"]] == ["opened", "take_up", "close"]
    again = client.post(f"{address}steps/", {"step": "take_up"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_status")

    assert client.get("/api/v1/incidents/?status=open").json()["results"] == []
    assert client.get("/api/v1/incidents/?status=lost").status_code == 400
    assert api(make.user("manager", marietta)).get(address).status_code == 404
    assert api(desk).get(address).status_code == 403
    assert AuditEntry.objects.filter(action="incident.viewed").count() == 1


def test_what_is_added_goes_on_with_the_incident_there_is(signed_note, chiro, manager):
    for text in ("Fainted at home.", "In hospital since."):
        note_signing.add(signed_note, text=text, reason="A call.", by=chiro.user, serious_reaction=True)
    incident = Incident.objects.get()
    incidents.take("close", incident, by=manager, text="Well again.")
    note_signing.add(signed_note, text="Again.", reason="A call.", by=chiro.user, serious_reaction=True)

    incident.refresh_from_db()
    assert (incident.status, [step.step for step in incident.steps.all()]) == (
        "in_review", ["opened", "remark", "close", "reopen"],
    )  # fmt: skip


def test_it_is_looked_into_and_closed(incident, manager):
    incidents.take("take_up", incident, by=manager)
    incidents.take("remark", incident, by=manager, text="The patient is well.")
    incidents.take("close", incident, by=manager, text="Vasovagal; no change needed.")

    incident.refresh_from_db()
    assert incident.status == "closed"
    assert [step.step for step in incident.steps.all()] == ["opened", "take_up", "remark", "close"]
    assert not incidents.not_closed(manager).exists()


@pytest.mark.parametrize(
    ("before", "step", "code"),
    [
        ([], "reopen", "wrong_status"),
        ([("take_up", "")], "take_up", "wrong_status"),
        ([("close", "Well.")], "close", "wrong_status"),
        ([("close", "Well.")], "remark", "wrong_status"),
    ],
)
def test_steps_out_of_turn_are_refused(incident, manager, before, step, code):
    for name, text in before:
        incidents.take(name, incident, by=manager, text=text)

    with pytest.raises(RuleBroken) as refused:
        incidents.take(step, incident, by=manager, text="Again.")

    assert refused.value.code == code


@pytest.mark.parametrize("text", ["", "  ", "x" * 5001, "a\u202eb"])
def test_a_step_needs_its_words(incident, manager, text):
    with pytest.raises(RuleBroken) as refused:
        incidents.take("close", incident, by=manager, text=text)

    assert refused.value.fields.keys() == {"text"}
    assert Incident.objects.get().status == "open"


def test_its_steps_never_change(incident):
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        incident.steps.update(text="Else")


def test_a_manager_of_elsewhere_does_not_know_of_it(incident, nashville):
    far = make.user("manager", nashville)

    assert not Incident.objects.visible_to(far).exists()
    with pytest.raises(Http404):
        incidents.take("take_up", incident, by=far)


def test_who_opened_it_reads_it_and_a_colleague_does_not(sign_in, incident, chiro, atlanta):
    address = reverse("incident", args=[incident.pk])

    assert b"Ambulance called" in sign_in(chiro.user).get(address).content
    assert sign_in(make.practitioner(atlanta).user).get(address).status_code == 404


def test_the_manager_reads_what_happened_and_not_the_note(sign_in, note, write, incident, manager):
    write(complaint="Quarrel at home")
    client = sign_in(manager)

    page = client.get(reverse("incident", args=[incident.pk])).content.decode()

    assert "Fainted" in page
    assert "Quarrel" not in page
    assert reverse("visit-note", args=[note.pk]) not in page
    assert client.get(reverse("visit-note", args=[note.pk])).status_code == 403


def test_the_page_takes_the_steps(sign_in, incident, manager):
    address = reverse("incident", args=[incident.pk])
    client = sign_in(manager)

    refused = client.post(address, {"step": "close", "text": ""})
    client.post(address, {"step": "close", "text": "Well\r\nagain."})

    assert refused.status_code == 400
    assert incident.steps.last().text == "Well\nagain."
    assert client.post(address, {"step": "devour"}).status_code == 400
    assert b"Nothing waits" in client.get(reverse("incidents")).content
    assert client.get(reverse("incidents"), {"state": "closed"}).context["lines"][0]["incident"] == incident


def test_it_is_on_the_worklists_until_it_is_closed(sign_in, incident, manager):
    client = sign_in(manager)
    assert client.get(reverse("worklists")).context["incidents"] == 1

    incidents.take("close", incident, by=manager, text="Well again.")

    assert client.get(reverse("worklists")).context["incidents"] == 0


# --- the mail


def due():
    return reminders.due(times.now(), times.EARLIEST)


def test_owner_and_managers_are_told_once_and_who_opened_it_is_not(incident, manager, owner, nashville, chiro):
    make.user("manager", nashville)
    make.user("desk", incident.location)

    told = {one.detail["user"] for one in due()}

    assert told == {manager.pk, owner.pk}
    one = due()[0]
    Message.objects.create(
        key=one.key, kind=one.kind, about=one.about, about_id=one.about_id, to="a@example.org", message_id="<1@x>",
        due_at=times.now(), try_after=times.now(), useless_after=times.now(),
    )  # fmt: skip
    assert len(due()) == 1


def test_the_mail_says_no_clinical_word(incident, manager, patient):
    message = Message(kind="incident-opened", about_id=incident.pk, detail={"user": manager.pk})

    mail = reminders.compose(message)

    assert mail.subject == "An incident was opened"
    for text in (mail.subject, mail.text, mail.html):
        for word in (patient.given_name, patient.family_name, "Fainted", "serious", "reaction", "treatment"):
            assert word not in text
    assert f"/incidents/{incident.pk}/" in mail.text


def test_who_may_no_longer_look_is_not_told(incident, manager):
    manager.assignments.all().delete()

    skipped = reminders.compose(Message(kind="incident-opened", about_id=incident.pk, detail={"user": manager.pk}))

    assert skipped.reason == "They may no longer look at it."
