"""A visit keeps its length when its type is made shorter or longer: what is offered for it is what it can have."""

from datetime import time, timedelta

import pytest
import time_machine

from appointments import booking
from appointments.models import AppointmentType
from appointments.online import times_to_move
from appointments.recurring.proposals import Question, Wish
from clinic.errors import RuleBroken
from tests import make
from tests.make import MONDAY, at

NOW = at(9, day=MONDAY - timedelta(days=4))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def visit(patient, chiro, atlanta, desk):
    """Half an hour at ten, of a type that now takes a quarter; the next patient comes at 11:15."""
    kind = make.appointment_type("checkup", 30)
    made = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=kind, starts_at=at(10), by=desk
    )  # fmt: skip
    AppointmentType.objects.filter(pk=kind.pk).update(minutes=15, least_minutes=15, most_minutes=15)
    kind.refresh_from_db()
    booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=kind, starts_at=at(11, 15), by=desk
    )
    made.type = kind
    return made


def test_the_page_of_the_link_offers_what_can_be_had(visit, desk):
    [day] = times_to_move.page(visit, MONDAY, anybody=False).days[:1]
    offered = [slot.starts_at for slot in day.slots]

    assert at(11) not in offered
    assert at(16, 45) not in offered
    assert at(16, 30) in offered
    for starts_at in offered:
        visit = booking.reschedule(visit, starts_at=starts_at, by=desk)


def test_a_refused_move_names_times_that_can_be_had(visit, desk):
    with pytest.raises(RuleBroken) as refused:
        booking.reschedule(visit, starts_at=at(11), by=desk)

    for slot in refused.value.nearest:
        visit = booking.reschedule(visit, starts_at=slot.starts_at, by=desk)
    assert at(11) not in [slot.starts_at for slot in refused.value.nearest]


def test_what_is_taken_is_not_proposed(visit, chiro, atlanta):
    wish = Wish("1", visit.patient, visit.type, atlanta, chiro, MONDAY, time(11), moving=visit)

    [line] = Question(wishes=[wish]).propose()

    assert line.why
    assert line.slot.starts_at != at(11)
    assert line.slot.ends_at - line.slot.starts_at == timedelta(minutes=30)
