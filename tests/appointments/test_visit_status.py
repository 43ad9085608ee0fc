from datetime import time, timedelta

import pytest
import time_machine
from django.http import Http404

from appointments import booking, visit_status
from appointments.models import Appointment
from clinic import times
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


@pytest.mark.usefixtures("that_morning")
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


@pytest.fixture(params=[("atlanta", "America/New_York"), ("nashville", "America/Chicago")], ids=lambda one: one[0])
def early_visit(request, adjustment):
    """A visit at 0:15 in a zone, and somebody of its desk: by UTC its day has begun hours before."""
    place = make.location(*request.param)
    person = make.practitioner(place, starts=time(0), ends=time(23))
    desk = make.user("desk", place)
    with times.as_of(at(12, day=make.MONDAY - timedelta(7))):
        visit = booking.book(
            patient=make.patient(place), practitioner=person, location=place, type=adjustment,
            starts_at=at(0, 15, zone=place.time_zone), by=make.user("manager", place), override_reason="At night",
        )  # fmt: skip
    return visit, desk


@pytest.mark.parametrize("step", ["arrive", "start", "complete"])
def test_nobody_arrives_before_the_evening_before_the_day_by_the_clock_of_the_clinic(early_visit, step):
    visit, desk = early_visit
    Appointment.objects.filter(pk=visit.pk).update(status=min(visit_status.STEPS[step].leads_from))
    evening = at(20, day=make.MONDAY - timedelta(1), zone=visit.location.time_zone)

    with time_machine.travel(evening - timedelta(seconds=1)), pytest.raises(RuleBroken) as refused:
        visit_status.take(step, visit, by=desk)
    assert (refused.value.code, refused.value.status) == ("too_early", 409)
    assert "on the day of the visit, which is Monday, January 4, 2027 at 12:15 AM" in refused.value.message

    with time_machine.travel(evening):
        assert visit_status.take(step, visit, by=desk).status == visit_status.STEPS[step].leads_to


@pytest.mark.parametrize("days", [1, 30])
def test_what_nobody_closed_can_be_closed_on_a_later_day(visit, desk, days):
    with time_machine.travel(at(9) + timedelta(days)):
        for step in ("arrive", "start", "complete"):
            assert visit_status.take(step, visit, by=desk).status == visit_status.STEPS[step].leads_to


@pytest.mark.usefixtures("that_morning")
def test_a_visit_of_tomorrow_can_only_be_confirmed_and_cancelled(visit, desk):
    Appointment.objects.update(starts_at=at(9) + timedelta(1))
    visit.refresh_from_db()

    assert [step.name for step in visit_status.allowed(visit)] == ["confirm", "cancel"]
    assert visit_status.opens_later(visit)
