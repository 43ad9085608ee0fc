"""Clinicians in processes of their own change one running plan at once: nobody's version is lost or written over."""

import collections
import os

import pytest

from careplans import planning
from careplans.models import CarePlan
from clinic.models import User
from evaluations.catalogue import RED_FLAGS
from evaluations.safety import red_flags
from tests import make
from tests.appointments.processes import together

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
ROUNDS = 60 if os.environ.get("LONG_RACES") else 25


@pytest.fixture
def plan(transactional_db, atlanta, adjustment, chiro, evaluated, said):
    User.objects.filter(pk=chiro.user_id).update(email="rival@example.org")
    patient = make.patient(atlanta)
    red_flags.answer(patient=patient, evaluation=None, answers=dict.fromkeys(RED_FLAGS, "no"), by=chiro.user)
    written = planning.draft(
        evaluation=evaluated(patient), by=chiro.user, practitioner=chiro, location=atlanta, **said
    )  # fmt: skip
    planning.sign_consent(written, name=patient.name, by=chiro.user)
    return planning.activate(written, by=chiro.user)


def fight(*extra):
    answers = together("tests.careplans.revising_rivals", rivals=4, arguments=[str(ROUNDS), *extra])
    return [tuple(one) for of_one in answers for one in of_one]


def test_of_those_who_read_one_version_only_the_first_writes_the_next(plan):
    answers = fight()

    assert {status for _, status, _, _ in answers} == {200, 409}
    written = [one for one in answers if one[1] == 200]
    assert all(version == seen + 1 for seen, _, version, _ in written)
    assert len({seen for seen, *_ in written}) == len(written)
    assert all(version > seen for seen, status, version, _ in answers if status == 409)
    plan.refresh_from_db()
    assert plan.version == 1 + len(written)
    kept = dict(plan.versions.values_list("number", "reason"))
    assert kept == {1: ""} | {version: note for _, _, version, note in written}
    assert plan.note == kept[plan.version]
    assert (plan.phases.count(), plan.goals.count(), plan.interventions.count()) == (1, 1, 1)
    assert plan.series.visits.filter(type=plan.series.type).count() == 8


def test_the_control_without_the_lock_loses_versions(plan):
    answers = fight("--unguarded")

    written = collections.Counter(seen for seen, status, *_ in answers if status == 200)
    assert max(written.values()) > 1
    assert CarePlan.objects.get().version < 1 + sum(written.values())
