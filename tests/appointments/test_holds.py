from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from appointments import availability, booking, calendar_page, holds, visit_status
from appointments.models import Appointment, AppointmentEvent, Hold, TimeOff
from clinic import times
from clinic.errors import RuleBroken
from tests import make
from tests.make import MONDAY, at

NOW = at(8, 0)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def place(atlanta, chiro, adjustment):
    def act(starts_at=None, *, lasts=30, **changes):
        usual = {"practitioner": chiro, "location": atlanta, "type": adjustment}
        return holds.place(**usual | changes, starts_at=starts_at or at(10), until=NOW + timedelta(minutes=lasts))

    return act


@pytest.fixture
def book(atlanta, chiro, patient, desk, adjustment):
    def act(starts_at=None, **changes):
        usual = {"patient": patient, "practitioner": chiro, "location": atlanta, "type": adjustment, "by": desk}
        return booking.book(**usual | changes, starts_at=starts_at or at(10))

    return act


def starts(atlanta, adjustment, **question):
    found = availability.find(
        type=adjustment, locations=[atlanta], from_day=MONDAY, to_day=MONDAY, limit=99, **question
    )
    return [slot.starts_at for slot in found.slots]


def test_a_held_time_is_neither_offered_nor_booked_until_it_runs_out(place, book, atlanta, adjustment, clock):
    place()

    assert at(10) not in starts(atlanta, adjustment)
    assert at(10, 15) in starts(atlanta, adjustment)
    with pytest.raises(RuleBroken) as refused:
        book()
    assert (refused.value.code, refused.value.message) == (
        "slot_taken", "This time is held for somebody until Monday, January 4 at 8:30 AM EST.",
    )  # fmt: skip

    clock.shift(timedelta(minutes=30))
    assert at(10) in starts(atlanta, adjustment)
    assert book().starts_at == at(10)
    assert not Hold.objects.exists()


def test_a_held_time_takes_its_room(place, book, atlanta, adjustment):
    atlanta.rooms.filter(kind="adjusting", name__endswith="2").update(is_open=False)
    other = make.practitioner(atlanta)
    place()

    assert at(10) not in starts(atlanta, adjustment, practitioners=[other])
    with pytest.raises(RuleBroken) as refused:
        book(practitioner=other)
    assert refused.value.code == "no_room"


def test_an_expired_hold_gives_way_to_the_room_alone(place, book, atlanta, clock):
    hold = place()
    clock.shift(timedelta(minutes=31))

    visit = book(practitioner=make.practitioner(atlanta))

    assert visit.room == hold.room
    assert not Hold.objects.exists()


@pytest.mark.parametrize("way", ["move", "undo"])
def test_an_expired_hold_gives_way_to_a_visit_that_moves_or_comes_back(place, book, desk, clock, way):
    if way == "move":
        place()
        visit = book(at(11))
    else:
        visit = visit_status.cancel(book(), by=desk, reason="A wrong click")
        place(lasts=5)
    clock.shift(timedelta(minutes=31 if way == "move" else 6))

    moved = booking.reschedule(visit, starts_at=at(10), by=desk) if way == "move" else visit_status.undo(visit, by=desk)

    assert (moved.starts_at, moved.status) == (at(10), "booked")
    assert not Hold.objects.exists()


def test_a_hold_with_buffers_blocks_as_the_visit_would(place, book, adjustment):
    adjustment.buffer_after = 10
    adjustment.save()
    place()

    with pytest.raises(RuleBroken, match="is held for somebody"):
        book(at(10, 20))
    assert book(at(10, 25)).start_minute == times.to_minute(at(10, 25))


def test_a_second_hold_of_the_time_is_refused_with_the_nearest(place):
    place()

    with pytest.raises(RuleBroken) as refused:
        place(at(10, 5))
    assert refused.value.code == "slot_taken"
    assert [slot.starts_at for slot in refused.value.nearest] == [at(9), at(9, 15), at(9, 30)]


@pytest.mark.parametrize(("hour", "code"), [(7, "in_the_past"), (20, "outside_hours")])
def test_only_a_time_that_could_be_booked_is_held(place, hour, code):
    with pytest.raises(RuleBroken) as refused:
        place(at(hour))

    assert refused.value.code == code
    assert not Hold.objects.exists()


@pytest.mark.parametrize("lasts", [-5, 0, 24 * 60 + 1])
def test_a_hold_ends_within_a_day(place, lasts):
    with pytest.raises(RuleBroken, match="a day at most"):
        place(lasts=lasts)


def test_to_be_asked_keeps_no_patient_from_booking(place, book, atlanta):
    place()

    assert book(practitioner=make.practitioner(atlanta)).status == "booked"


def test_releasing_frees_the_time_and_may_be_repeated(place, book):
    hold = place()

    assert holds.release(hold) is True
    assert holds.release(hold) is False
    assert book().status == "booked"


def test_the_visit_takes_the_place_of_its_hold(place, patient, desk):
    hold = place()

    visit = holds.book(hold, patient=patient, by=desk)

    assert (visit.starts_at, visit.room, visit.practitioner) == (hold.starts_at, hold.room, hold.practitioner)
    assert list(visit.history.values_list("step", "by")) == [("booked", desk.pk)]
    assert not Hold.objects.exists()


def test_a_visit_moves_to_the_time_held_for_it(place, book):
    visit = book(at(15))
    hold = place()

    moved = holds.reschedule(hold, visit, by=None, by_whom="patient")

    assert (moved.pk, moved.starts_at, moved.room) == (visit.pk, at(10), hold.room)
    assert moved.history.last().by_whom == "patient"


def test_a_hold_that_ran_out_books_nothing(place, patient, clock):
    hold = place()
    clock.shift(timedelta(minutes=30))

    with pytest.raises(RuleBroken) as refused:
        holds.book(hold, patient=patient, by=None, by_whom="patient")
    assert refused.value.code == "hold_expired"
    assert not Appointment.objects.exists()


def test_a_hold_is_booked_once(place, patient, atlanta):
    hold = place()
    holds.book(hold, patient=patient, by=None, by_whom="patient")

    with pytest.raises(RuleBroken) as refused:
        holds.book(hold, patient=make.patient(atlanta), by=None, by_whom="patient")
    assert refused.value.code == "hold_expired"


def test_a_refused_booking_keeps_the_hold(place, patient, chiro):
    hold = place()
    TimeOff.objects.create(practitioner=chiro, starts_at=at(9), ends_at=at(12))

    with pytest.raises(RuleBroken) as refused:
        holds.book(hold, patient=patient, by=None, by_whom="patient")
    assert refused.value.code == "outside_hours"
    assert Hold.objects.filter(pk=hold.pk).exists()


def test_expired_rows_are_removed_and_others_stay(place, clock):
    place(lasts=10)
    kept = place(at(11), lasts=40)
    clock.shift(timedelta(minutes=10))

    assert holds.remove_expired() == 1
    assert list(Hold.objects.all()) == [kept]


def test_no_list_of_appointments_shows_a_hold(place, atlanta, chiro, desk, owner, api):
    hold = place()

    assert Appointment.with_holds.count() == 1
    assert not Appointment.objects.exists()
    assert not atlanta.appointments.exists()
    assert not chiro.appointments.exists()
    assert not AppointmentEvent.objects.exists()
    assert calendar_page.read(calendar_page.Asked([atlanta], MONDAY), owner).visits == []
    assert api(desk).get(f"/api/v1/appointments/?location=atlanta&date={MONDAY}").json()["results"] == []
    assert api(desk).get(f"/api/v1/appointments/{hold.pk}/").status_code == 404
    assert api(desk).post(f"/api/v1/appointments/{hold.pk}/cancel/", {}).status_code == 404
    with pytest.raises(Appointment.DoesNotExist):
        visit_status.cancel(hold, by=desk)


def test_the_database_keeps_a_hold_apart_from_a_visit(place, book):
    hold, visit = place(), book(at(11))

    for wrong in (
        Appointment.with_holds.filter(pk=hold.pk, status="held"),
        Appointment.with_holds.filter(pk=visit.pk),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong.update(patient=None, held_until=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Appointment.with_holds.filter(pk=hold.pk).update(patient=visit.patient)
    with pytest.raises(IntegrityError), transaction.atomic():
        Appointment.with_holds.filter(pk=visit.pk).update(held_until=NOW)


@pytest.mark.parametrize("shared", ["practitioner", "room"])
def test_the_database_refuses_a_visit_over_a_hold(place, book, atlanta, shared):
    hold = place()
    visit = book(at(11), practitioner=make.practitioner(atlanta))
    span = {name: getattr(hold, name) for name in ("start_minute", "end_minute", "busy_from", "busy_until")}

    other_room = atlanta.rooms.filter(kind="adjusting").exclude(pk=hold.room_id).first()
    taken = {"practitioner": {"practitioner": hold.practitioner, "room": other_room}, "room": {"room": hold.room}}

    with pytest.raises(IntegrityError, match=f"no_overlap_{shared}"), transaction.atomic():
        Appointment.objects.filter(pk=visit.pk).update(**span, **taken[shared])


def test_holds_elsewhere_cost_a_booking_nothing(place, book, atlanta, django_assert_num_queries):
    other = make.patient(atlanta)
    book(at(13))  # from here on the roles of the desk are known
    with CaptureQueriesContext(connection) as without:
        book(at(14))

    for hour in (9, 11, 12):
        place(at(hour))
    with django_assert_num_queries(len(without)):
        book(at(15), patient=other)
