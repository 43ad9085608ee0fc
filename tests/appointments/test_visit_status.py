import pytest
import time_machine
from django.http import Http404

from appointments import booking, visit_status
from appointments.models import Appointment
from clinic.errors import RuleBroken
from tests import make
from tests.make import at

WAYS = [
    ("confirm", "booked", "confirmed"),
    ("arrive", "booked", "arrived"),
    ("arrive", "confirmed", "arrived"),
    ("start", "arrived", "in_room"),
    ("complete", "in_room", "completed"),
    ("cancel", "booked", "cancelled"),
    ("cancel", "confirmed", "cancelled"),
    ("cancel", "arrived", "cancelled"),
    ("no-show", "booked", "no_show"),
    ("no-show", "confirmed", "no_show"),
]


@pytest.fixture
def visit(atlanta, chiro, patient, desk, adjustment):
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9), by=desk
    )


@pytest.mark.parametrize("name", visit_status.STEPS)
@pytest.mark.parametrize("status", [s for s in Appointment.Status.values if s != "held"])
def test_only_the_ways_of_the_table_are_open(visit, desk, name, status):
    Appointment.objects.update(status=status)
    expected = {(step, source): target for step, source, target in WAYS}

    with time_machine.travel(at(9, 20), tick=False):
        if (name, status) in expected:
            assert visit_status.take(name, visit, by=desk).status == expected[name, status]
            assert visit.history.last().from_status == status
        else:
            with pytest.raises(RuleBroken) as refused:
                visit_status.take(name, visit, by=desk)
            assert refused.value.code == "wrong_status"
            assert visit.history.count() == 1


def test_no_one_misses_a_visit_before_it_begins(visit, desk):
    with pytest.raises(RuleBroken) as refused:
        visit_status.no_show(visit, by=desk)

    assert refused.value.code == "too_early"


def test_a_second_click_is_seen(visit, desk):
    visit_status.confirm(visit, by=desk)

    with pytest.raises(RuleBroken):
        visit_status.confirm(visit, by=desk)

    assert list(visit.history.values_list("step", flat=True)) == ["booked", "confirmed"]


def test_patient_confirms_without_an_account(visit):
    visit_status.confirm(visit, by=None, by_whom="patient")

    assert visit.history.last().by_whom == "patient"


def test_out_of_scope_cannot_step(visit, marietta):
    with pytest.raises(Http404):
        visit_status.confirm(visit, by=make.user("desk", marietta))


def test_allowed_steps_are_those_of_the_day(visit):
    assert [step.name for step in visit_status.allowed(visit)] == ["confirm", "arrive", "cancel"]


def test_who_cancels_sees_where_the_visit_was_moved_meanwhile(visit, desk):
    seen_before = Appointment.objects.with_names().get(pk=visit.pk)
    booking.reschedule(visit, starts_at=at(15), by=desk)

    cancelled = visit_status.cancel(seen_before, by=desk)

    assert (cancelled.status, cancelled.starts_at) == ("cancelled", at(15))


def test_a_visit_that_was_moved_out_of_sight_meanwhile_is_not_cancelled(visit, desk, chiro, marietta):
    seen_before = Appointment.objects.with_names().get(pk=visit.pk)
    Appointment.objects.filter(pk=visit.pk).update(location=marietta)

    with pytest.raises(Http404):
        visit_status.cancel(seen_before, by=desk)

    assert Appointment.objects.get().status == "booked"
