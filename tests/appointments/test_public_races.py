"""Two strangers for one time, and one link pressed twice: in processes of their own, on the engine under test."""

import collections
from datetime import date, timedelta

import pytest

from appointments import availability
from appointments.models import Appointment, AppointmentType, BookingRequest, Hold
from appointments.online import public_booking
from clinic import tokens
from patients.models import Patient
from tests import make
from tests.appointments.processes import together
from tests.appointments.test_races import overlapping, without_constraints  # noqa: F401 -- a fixture

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
ROUNDS = 10


@pytest.fixture
def arena(transactional_db):
    """One chiropractor whom anybody may book, with rooms enough."""
    place = make.location("atlanta")
    person = make.practitioner(place)
    person.is_bookable_online = True
    person.save()
    make.evaluation_type()
    return place


@pytest.fixture
def links(arena):
    """What stands in the mails of as many people as there are rounds, an hour each."""
    kind = AppointmentType.objects.get()
    free = availability.find(
        type=kind, locations=[arena], from_day=make.MONDAY, to_day=make.MONDAY + timedelta(days=4), limit=200
    ).slots
    on_the_hour = [slot for slot in free if slot.starts_at.minute == 0][:ROUNDS]
    asked = [
        public_booking.ask(public_booking.Asked(
            form_key=str(n), type=kind, slot=slot, given_name=f"Stranger {n}", family_name="Row",
            birth_date=date(1980, 2, 3), email=f"s{n}@example.org", phone="+14045550123", language="en",
            wants_mails=True, network=str(n),
        ))
        for n, slot in enumerate(on_the_hour)
    ]  # fmt: skip
    return [tokens.issue_link(purpose=public_booking.PURPOSE, on=one, expires_at=one.expires_at) for one in asked]


def fight(*arguments, rivals=4):
    total = collections.Counter()
    for answers in together("tests.appointments.public_rivals", rivals=rivals, arguments=arguments or [str(ROUNDS)]):
        total.update(answers)
    return total


def test_of_strangers_who_want_one_time_one_has_it(arena):
    answers = fight()

    assert answers == {"302": ROUNDS, "409": 3 * ROUNDS}
    assert BookingRequest.objects.count() == Hold.objects.count() == ROUNDS
    assert overlapping(Hold.objects.values_list("practitioner", "busy_from", "busy_until")) == []


def test_control_without_the_safeguard_both_have_it(arena, without_constraints):  # noqa: F811 -- the fixture
    for _ in range(5):
        fight(str(ROUNDS), "--unguarded")
        met = overlapping(Hold.objects.values_list("practitioner", "busy_from", "busy_until"))
        Hold.objects.all().delete()  # before the constraints return
        if met:
            return

    pytest.fail("The rivals never met: the race shows nothing.")


def test_a_link_pressed_twice_books_one_visit_and_shows_it_to_both_presses(links):
    answers = fight("--press", ",".join(links), rivals=2)

    assert answers == {"booked": 2 * ROUNDS}
    assert Appointment.objects.count() == Patient.objects.count() == ROUNDS
    assert BookingRequest.objects.filter(visit__isnull=False).count() == ROUNDS
    assert not Hold.objects.exists()


def test_control_of_a_link_pressed_twice_without_the_safeguard(links, without_constraints):  # noqa: F811
    fight("--press", ",".join(links), "--unguarded", rivals=2)
    booked = Appointment.objects.count()
    BookingRequest.objects.all().delete()  # before the visits
    Hold.objects.all().delete()

    assert booked > ROUNDS


def test_limits_leave_room_for_the_race():
    assert ROUNDS < public_booking.HELD_AT_ONCE
