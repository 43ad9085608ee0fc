"""Several people give a practitioner hours at several clinics at the same moment, by real processes.

Nobody is at two clinics at once afterwards, and of each round one was told that it is done. The controls must fail.
"""

import os
from collections import Counter

import pytest
from django.db import connection

from appointments.models import ExtraHours, WeeklyHours
from tests import make
from tests.appointments import processes

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
RIVALS = 3
ROUNDS = 60 if os.environ.get("LONG_RACES") else 10


@pytest.fixture
def people(transactional_db):
    """A practitioner without hours for each round, and a clinic for each rival."""
    places = [make.location(f"c{n}") for n in range(RIVALS)]
    make.user("owner", email="owner@example.org")
    return [make.practitioner(*places, days=[]) for _ in range(ROUNDS)]


def fight(*extra) -> Counter:
    said = processes.together("tests.appointments.hours_rivals", rivals=RIVALS, arguments=extra)
    return sum(map(Counter, said), Counter())


def at_two_places(people) -> int:
    """Practitioners with more than one of those hours, which are all the same ones of the same Monday."""
    written = [
        ExtraHours.objects.filter(practitioner=person).count() + WeeklyHours.objects.filter(practitioner=person).count()
        for person in people
    ]
    return sum(count > 1 for count in written)


def test_one_of_several_writers_has_the_hours_and_the_others_are_told(people):
    answers = fight()

    assert answers == {"written": ROUNDS, "overlapping_hours": ROUNDS * (RIVALS - 1)}
    assert at_two_places(people) == 0
    assert ExtraHours.objects.count() + WeeklyHours.objects.count() == ROUNDS


def test_control_that_looks_first_and_writes_later_has_people_at_two_places(people):
    fight("--unguarded")

    assert at_two_places(people) > 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="On SQLite a writing transaction is alone as it is.")
def test_control_without_the_locks_has_people_at_two_places(people):
    fight("--without-locks")

    assert at_two_places(people) > 0
