"""The clinician's list of re-evaluations: due, overdue, and waiting for the decision."""

from datetime import date, timedelta

import pytest

from careplans import planning
from dashboard import checkpoints
from evaluations.catalogue import RED_FLAGS
from evaluations.models import Evaluation
from evaluations.safety import red_flags
from tests import make
from tests.make import MONDAY, at


@pytest.fixture
def plan(atlanta, chiro, patient, adjustment):
    red_flags.answer(patient=patient, evaluation=None, answers=dict.fromkeys(RED_FLAGS, "no"), by=chiro.user)
    signed = evaluation(patient, atlanta, chiro.user, at(9, day=MONDAY - timedelta(days=5)))
    written = planning.draft(
        evaluation=signed, by=chiro.user, practitioner=chiro, location=atlanta, starts_on=MONDAY,
        phases=[{"kind": "relief", "visits_per_week": 2, "weeks": 4}], interventions=["nucca"],
        goals=[{"metric": "migraine_days_28", "baseline": 10, "target": 5, "due_on": date(2027, 3, 1)}],
        reevaluate_by=date(2027, 2, 1),
    )  # fmt: skip
    return planning.activate(planning.sign_consent(written, name=patient.name, by=chiro.user), by=chiro.user)


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to(at(9, day=MONDAY - timedelta(days=4)))
    return time_machine


def evaluation(patient, place, by, when, kind="initial"):
    return Evaluation.objects.create(
        patient=patient, location=place, started_by=by, started_at=when, status="signed", signed_by=by, signed_at=when,
        digest="0" * 64, kind=kind,
    )  # fmt: skip


def shown(user, **options):
    return [
        (line.row.pk, line.progress.checkpoint.days_left, line.waits) for line in checkpoints.lines(user, **options)[0]
    ]


def test_seven_days_before_and_not_earlier(plan, chiro, clock):
    clock.move_to(at(9, day=date(2027, 1, 24)))
    assert shown(chiro.user, mine_only=True) == []
    clock.move_to(at(9, day=date(2027, 1, 25)))
    assert shown(chiro.user, mine_only=True) == [(plan.pk, 7, False)]
    clock.move_to(at(9, day=date(2027, 2, 12)))
    assert shown(chiro.user, mine_only=True) == [(plan.pk, -11, False)]


def test_an_evaluation_waits_for_the_decision(plan, chiro, atlanta, clock):
    evaluation(plan.patient, atlanta, chiro.user, at(9, day=MONDAY + timedelta(days=7)), "reevaluation")
    clock.move_to(at(12, day=MONDAY + timedelta(days=7)))

    assert [(pk, waits) for pk, _, waits in shown(chiro.user, mine_only=True)] == [(plan.pk, True)]


def test_mine_or_all_in_sight(plan, chiro, atlanta, clock):
    colleague = make.practitioner(atlanta)
    clock.move_to(at(9, day=date(2027, 2, 12)))

    assert shown(colleague.user, mine_only=True) == []
    assert [pk for pk, *_ in shown(chiro.user, mine_only=False)] == [plan.pk]


def test_a_plan_that_is_over_is_not_listed(plan, chiro, clock):
    planning.complete(plan, by=chiro.user)
    clock.move_to(at(9, day=date(2027, 2, 12)))

    assert shown(chiro.user, mine_only=True) == []


def test_the_page(client, plan, chiro, clock, django_assert_max_num_queries):
    client.force_login(chiro.user)
    assert "No re-evaluation is due." in client.get("/worklists/checkpoints/").content.decode()
    clock.move_to(at(9, day=date(2027, 2, 12)))
    client.force_login(chiro.user)

    with django_assert_max_num_queries(25):
        text = client.get("/worklists/checkpoints/").content.decode()

    assert "Book the re-evaluation" in text
    assert "no evaluation is booked" in text
    assert "the plan gets no further visits" in text


def test_its_queries_do_not_grow_with_the_plans(chiro, plan, clock, django_assert_max_num_queries):
    clock.move_to(at(9, day=date(2027, 2, 12)))
    with django_assert_max_num_queries(9):
        checkpoints.lines(chiro.user, mine_only=True)
