"""Two desks decide by the same page at the same moment, as real processes: one of them moves the visit."""

import os
from datetime import datetime, timedelta

import pytest

from appointments import booking
from appointments.models import Appointment
from tests import make
from tests.appointments.processes import together
from tests.make import MONDAY, at

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
ROUNDS = 60 if os.environ.get("LONG_RACES") else 5
CONTROLS = 3


@pytest.fixture
def visits(transactional_db, atlanta, chiro, adjustment):
    desk = make.user("desk", atlanta, email="rival@example.org")
    return [
        booking.book(
            patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, by=desk,
            starts_at=at(9, 15 * (n % 4), day=MONDAY + timedelta(days=n // 4 * 7)),
        )
        for n in range(ROUNDS + CONTROLS)
    ]  # fmt: skip


def test_of_two_who_saw_the_same_visit_one_moves_it_and_the_other_is_told(visits, tmp_path):
    said = together("tests.appointments.moving_rivals", rivals=2, arguments=[str(ROUNDS), str(tmp_path)])
    rounds = list(zip(*said, strict=True))
    answers, without_safeguard = rounds[:ROUNDS], rounds[ROUNDS:]

    assert [sorted((status, code) for status, code, _ in answer) for answer in answers] == [
        [(200, ""), (409, "changed_meanwhile")]
    ] * ROUNDS
    told = [datetime.fromisoformat(starts_at) for answer in answers for status, _, starts_at in answer if status == 200]
    standing = Appointment.objects.filter(pk__in=[visit.pk for visit in visits[:ROUNDS]]).order_by("pk")
    assert [(visit.starts_at, visit.sequence) for visit in standing] == [(starts_at, 1) for starts_at in told]
    assert {visit.history.filter(step="rescheduled").count() for visit in standing} == {1}
    # The control: compared with what was read before the lock the fight has two winners.
    assert [200, 200] in [[status for status, _, _ in answer] for answer in without_safeguard]
