"""Real processes fight for the same calendars on the engine under test; afterwards nothing overlaps."""

import collections
import os
from itertools import combinations

import pytest
from django.db import connection

from appointments.models import Appointment
from tests import make
from tests.appointments.processes import together

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def arena(transactional_db):
    """Three chiropractors with two rooms and six patients, in the test database on disk."""
    place = make.location("atlanta")
    for _ in range(3):
        make.practitioner(place)
    make.appointment_type()
    for _ in range(6):
        make.patient(place)
    make.user("desk", place, email="rival@example.org")
    return place


def fight(*, rivals, attempts, extra=()):
    """How often each answer came, over all rivals."""
    total = collections.Counter()
    for answers in together("tests.appointments.rivals", rivals=rivals, arguments=[str(attempts), *extra]):
        total.update(answers)
    return total


def overlapping(rows):
    """Pairs of (resource, start, end) rows of one resource that share a minute; by hand, not by the code under test."""
    by_resource = collections.defaultdict(list)
    for resource, start, end in rows:
        by_resource[resource].append((start, end))
    return [
        (one, other)
        for spans in by_resource.values()
        for one, other in combinations(spans, 2)
        if one[0] < other[1] and other[0] < one[1]
    ]


def test_rivals_never_double_book(arena):
    answers = fight(rivals=8, attempts=500 if os.environ.get("LONG_RACES") else 60)

    assert answers["201"] > 20
    assert {answer.split()[0] for answer in answers} == {"201", "409"}
    standing = Appointment.objects.holding_time()
    assert standing.count() > 0
    for resource in ("practitioner_id", "room_id", "patient_id"):
        assert overlapping(standing.values_list(resource, "start_minute", "end_minute")) == []
    assert all(visit.history.first().step == "booked" for visit in Appointment.objects.all())


@pytest.fixture
def without_constraints(arena):
    constraints = [c for c in Appointment._meta.constraints if c.name.startswith("no_overlap")]
    with connection.schema_editor() as editor:
        for constraint in constraints:
            if connection.vendor == "sqlite":
                for verb in ("insert", "update"):
                    editor.execute(f'DROP TRIGGER "{constraint.name}_{verb}"')
            else:
                editor.execute(constraint.remove_sql(Appointment, editor))
    yield
    Appointment.objects.all().delete()
    with connection.schema_editor() as editor:
        for constraint in constraints:
            if connection.vendor == "sqlite":
                for trigger in constraint.triggers(Appointment, editor):
                    editor.execute(trigger)
            else:
                editor.execute(constraint.create_sql(Appointment, editor))


def test_control_without_the_guard_double_books(without_constraints):
    fight(rivals=8, attempts=60, extra=["--unguarded"])

    assert overlapping(Appointment.objects.values_list("practitioner_id", "start_minute", "end_minute")) != []
