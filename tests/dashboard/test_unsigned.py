"""Evaluations that wait for a signature: mine, and as manager those of my clinics."""

from datetime import timedelta

import pytest
from django.urls import reverse

from appointments.models import Appointment
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from dashboard import unsigned
from evaluations import catalogue, recording, signing
from evaluations.notes import note_fields, note_signing, visit_notes
from evaluations.safety import red_flags
from tests import make

ADDRESS = reverse("unsigned")


@pytest.fixture
def begin(atlanta, chiro):
    def act(*, by=chiro, at=atlanta, ago=timedelta(0), **person):
        with times.as_of(times.now() - ago):
            return recording.start(patient=make.patient(at, **person), location=at, by=by.user)

    return act


def seen(client, user):
    client.force_login(user)
    return [line.record for line in client.get(ADDRESS).context["lines"]]


def test_mine_the_oldest_first_until_signed(client, begin, chiro):
    young, old = begin(), begin(ago=timedelta(days=2))
    assert seen(client, chiro.user) == [old, young]

    red_flags.answer(
        patient=old.patient, evaluation=old, answers=dict.fromkeys(catalogue.RED_FLAGS, "no"), by=chiro.user
    )
    signing.sign(old, by=chiro.user)

    assert seen(client, chiro.user) == [young]


def test_an_evaluation_stopped_for_safety_waits_too(client, begin, chiro):
    stopped = begin()
    red_flags.stop(stopped, by=chiro.user)

    assert seen(client, chiro.user) == [stopped]
    assert "Stopped for safety".lower() in client.get(ADDRESS).content.decode()


def test_a_colleague_sees_their_own_and_the_manager_all_of_the_clinic(client, begin, atlanta, nashville):
    other, away = make.practitioner(atlanta), make.practitioner(nashville)
    mine, theirs, far = begin(), begin(by=other), begin(by=away, at=nashville)

    assert seen(client, other.user) == [theirs]
    assert seen(client, make.user("manager", atlanta)) == [mine, theirs]
    assert seen(client, make.user("owner")) == [mine, theirs, far]


def test_the_manager_sees_that_it_waits_and_not_what_it_says(client, begin, atlanta):
    evaluation = begin(given="Noor")
    client.force_login(make.user("manager", atlanta))

    page = client.get(ADDRESS).content.decode()

    assert "Noor" in page
    assert reverse("evaluation", args=[evaluation.pk]) not in page
    assert AuditEntry.objects.filter(action="evaluation.listed", patient_id=evaluation.patient_id).exists()


def test_the_desk_has_no_such_list(client, begin, desk):
    begin()
    client.force_login(desk)

    assert client.get(ADDRESS).status_code == 403
    assert ADDRESS not in client.get(reverse("worklists")).content.decode()


@pytest.mark.parametrize(
    ("hours", "words", "late"),
    [(0, "under an hour", False), (1, "1 hour", False), (23, "23 hours", False), (25, "1 day", True),
     (50, "2 days", True)],
)  # fmt: skip
def test_its_age_is_told_and_after_a_day_it_is_late(begin, chiro, hours, words, late):
    begin(ago=timedelta(hours=hours, minutes=1))

    [line] = unsigned.lines(chiro.user)

    assert (line.age, line.is_late) == (words, late)


def test_the_number_is_on_the_worklists(client, begin, chiro):
    begin()
    client.force_login(chiro.user)

    assert client.get(reverse("worklists")).context["unsigned"] == 1


def test_nothing_waits(client, chiro):
    client.force_login(chiro.user)

    assert b"Everything is signed." in client.get(ADDRESS).content


def test_seven_queries_however_many_wait(client, begin, chiro, django_assert_max_num_queries):
    for _ in range(4):
        begin()
    with django_assert_max_num_queries(7):
        assert len(unsigned.lines(chiro.user)) == 4


# --- notes of visits


@pytest.fixture
def done(atlanta, chiro, patient, adjustment):
    """`done(ago)` is a visit for treatment that was completed so long ago."""

    def act(ago, kind=adjustment):
        at = times.now().replace(second=0, microsecond=0) - ago
        start = times.to_minute(at)
        return Appointment.objects.create(
            patient=patient, practitioner=chiro, location=atlanta, type=kind, room=atlanta.rooms.first(),
            starts_at=at, ends_at=at + timedelta(minutes=15), start_minute=start, end_minute=start + 15,
            busy_from=start, busy_until=start + 15, status="completed",
        )  # fmt: skip

    return act


def test_a_visit_waits_for_its_note_and_the_note_for_its_signature(done, chiro):
    visit = done(timedelta(hours=2))
    [before] = unsigned.lines(chiro.user)

    note = visit_notes.start(visit, by=chiro.user)
    [after] = unsigned.lines(chiro.user)
    said = {"safety": dict.fromkeys(note_fields.SAFETY, "no"), "adjuncts": ["heat"], "reaction": "none"}
    visit_notes.save(note, content=said, version=0, by=chiro.user)
    note_signing.sign(note, by=chiro.user)

    assert (before.record, before.what, before.sign_url, before.is_late) == (visit, "Visit without a note", "", False)
    assert (after.record, after.what, after.sign_url) == (note, "Visit note", f"/visit-notes/{note.pk}/sign/")
    assert unsigned.lines(chiro.user) == []
    assert unsigned.count(chiro.user) == 0


def test_a_visit_is_asked_after_for_a_week_and_only_when_it_was_for_treatment(done, chiro, evaluation_type):
    late = done(timedelta(days=6, hours=23))
    done(timedelta(days=7, hours=1))
    done(timedelta(hours=1), evaluation_type)

    assert [(line.record, line.is_late) for line in unsigned.lines(chiro.user)] == [(late, True)]


def test_where_notes_are_kept_no_visit_since_the_first_is_forgotten(done, chiro):
    visit_notes.start(done(timedelta(days=30)), by=chiro.user)
    forgotten = done(timedelta(days=29))
    done(timedelta(days=31))  # its note is on paper

    assert [line.record for line in unsigned.lines(chiro.user) if line.what == "Visit without a note"] == [forgotten]


@pytest.mark.parametrize("status", ["no_show", "cancelled"])
def test_the_note_of_a_visit_that_did_not_take_place_waits_for_nobody(done, chiro, status):
    visit = done(timedelta(hours=2))
    note = visit_notes.start(visit, by=chiro.user)
    Appointment.objects.update(status=status)

    assert unsigned.lines(chiro.user) == []
    with pytest.raises(RuleBroken) as refused:
        note_signing.sign(note, by=chiro.user)
    assert refused.value.code == "wrong_status"


def test_a_colleague_is_not_asked_and_the_manager_sees_that_it_waits(client, done, atlanta):
    visit = done(timedelta(hours=2))

    assert seen(client, make.practitioner(atlanta).user) == []
    assert seen(client, make.user("manager", atlanta)) == [visit]
    assert "Write the note" not in client.get(ADDRESS).content.decode()
