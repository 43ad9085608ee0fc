"""Desks in processes of their own bring plans back in step at once: every visit is kept, and none is booked twice."""

import collections
import os
from datetime import time, timedelta

import pytest
from django.db import connection

from appointments import visit_status
from appointments.models import Appointment, TimeOff
from careplans import planning, progress
from clinic import times
from clinic.models import AuditEntry
from evaluations.catalogue import RED_FLAGS
from evaluations.safety import red_flags
from tests import make
from tests.appointments.processes import together
from tests.appointments.test_races import overlapping
from tests.make import MONDAY, at

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
ROUNDS = 30 if os.environ.get("LONG_RACES") else 5
PATIENTS, RIVALS, TREATMENTS = 2, 3, 8


def standing():
    return Appointment.objects.holding_time()


@pytest.fixture
def plans(transactional_db, atlanta, adjustment, evaluated, said):
    """Two plans with one chiropractor, who has few times for both and is away on a day of the second week;
    the first visits were missed this morning.
    """
    chiro = make.practitioner(atlanta, name="Robin Sample", starts=time(9), ends=time(10))
    desk = make.user("desk", atlanta, email="rival@example.org")
    make.appointment_type("re-evaluation", 30, room_kind="evaluation")
    found = []
    for n in range(PATIENTS):
        patient = make.patient(atlanta, given=f"Rival{n}")
        red_flags.answer(patient=patient, evaluation=None, answers=dict.fromkeys(RED_FLAGS, "no"), by=chiro.user)
        plan = planning.draft(
            evaluation=evaluated(patient), by=chiro.user, practitioner=chiro, location=atlanta,
            **said | {"phases": said["phases"][:1]},
        )  # fmt: skip
        planning.sign_consent(plan, name=patient.name, by=chiro.user)
        found.append(planning.activate(plan, by=chiro.user))
        planning.schedule(found[-1], by=desk, weekdays=[0, 2], at_time=time(9), phase=1)
        first = standing().with_names().get(series_visit__series=found[-1].series, series_visit__number=1)
        with times.as_of(first.ends_at):
            visit_status.no_show(first, by=desk)
    away = MONDAY + timedelta(days=9)
    TimeOff.objects.create(practitioner=chiro, starts_at=at(0, day=away), ends_at=at(0, day=away + timedelta(days=1)))
    return found


def fight(rounds, *extra):
    answers = together("tests.careplans.rearranging_rivals", rivals=RIVALS, arguments=[str(rounds), *extra])
    return [tuple(one) for of_one in answers for one in of_one]


def double_booked():
    return {
        resource: pairs
        for resource in ("practitioner_id", "room_id", "patient_id")
        if (pairs := overlapping(standing().values_list(resource, "start_minute", "end_minute")))
    }


def placed_twice():
    counted = collections.Counter(standing().values_list("series_visit", flat=True))
    return [visit for visit, count in counted.items() if count > 1]


def total(plan):
    """Treatment visits on the calendar and those owed, counted apart."""
    owed = plan.series.visits.owed().filter(type=plan.series.type)
    return standing().filter(series_visit__series=plan.series, type=plan.series.type).count() + owed.count()


def test_plans_brought_in_step_at_once_keep_every_visit_and_meet_nobody(plans):
    answers = fight(ROUNDS)

    assert {(status, code) for _, status, code, _ in answers if status not in (200, 204)} <= {
        (409, "changed_meanwhile"), (409, "slot_taken"), (409, "room_taken"), (409, "two_on_a_day"),
    }  # fmt: skip
    done = collections.Counter(status for _, status, *_ in answers)
    assert min(done[200], done[409]) > 0
    assert AuditEntry.objects.filter(action="series.rearranged").count() == done[200]
    assert (double_booked(), placed_twice()) == ({}, [])
    with times.as_of(at(12)):
        for plan in plans:
            visits = progress.of_plan(plan).visits
            assert (total(plan), visits.planned, visits.missed, visits.let_go) == (TREATMENTS, TREATMENTS, 1, 0)
            assert plan.series.visits.count() == TREATMENTS + 1  # and the re-evaluation
            mine = standing().filter(series_visit__series=plan.series).with_names()
            days = [visit.local_start.date() for visit in mine]
            assert len(days) == len(set(days))


@pytest.fixture
def without_safeguards(plans):
    """The constraints that refuse an overlap, and a visit of a series placed twice, are off."""
    overlaps = [c for c in Appointment._meta.constraints if c.name.startswith("no_overlap")]
    once = next(c for c in Appointment._meta.constraints if c.name == "a_series_visit_placed_once")
    lite = connection.vendor == "sqlite"
    with connection.schema_editor() as editor:
        editor.execute(f'DROP INDEX "{once.name}"')
        for constraint in overlaps:
            for verb in ("insert", "update") if lite else ():
                editor.execute(f'DROP TRIGGER "{constraint.name}_{verb}"')
            if not lite:
                editor.execute(constraint.remove_sql(Appointment, editor))
    yield
    Appointment.objects.all().delete()
    with connection.schema_editor() as editor:
        editor.execute(once.create_sql(Appointment, editor))
        for constraint in overlaps:
            sql = constraint.triggers(Appointment, editor) if lite else [constraint.create_sql(Appointment, editor)]
            for statement in sql:
                editor.execute(statement)


def test_the_control_without_safeguards_books_twice_and_loses_the_count(plans, without_safeguards):
    fight(PATIENTS, "--unguarded")

    assert double_booked()["practitioner_id"] != []
    assert placed_twice() != []
    assert max(total(plan) for plan in plans) > TREATMENTS
