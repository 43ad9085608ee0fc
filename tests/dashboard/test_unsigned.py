"""Evaluations that wait for a signature: mine, and as manager those of my clinics."""

from datetime import timedelta

import pytest
from django.urls import reverse

from clinic import times
from clinic.models import AuditEntry
from dashboard import unsigned
from evaluations import catalogue, recording, red_flags, signing
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
    return [line.evaluation for line in client.get(ADDRESS).context["lines"]]


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


def test_three_queries_however_many_wait(client, begin, chiro, django_assert_max_num_queries):
    for _ in range(4):
        begin()
    with django_assert_max_num_queries(3):
        assert len(unsigned.lines(chiro.user)) == 4
