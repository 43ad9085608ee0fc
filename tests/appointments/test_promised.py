"""A time that is held for a patient, wanted for this very patient: by whatever way it is asked, it is theirs."""

from datetime import timedelta

import pytest
import time_machine

from appointments import booking, promised
from appointments.availability import Slot
from appointments.models import Appointment, Hold, Offer
from appointments.waiting import offers
from clinic.errors import RuleBroken
from locations.models import Closure, Room
from tests import make
from tests.make import MONDAY, at

NOW = at(9, day=MONDAY - timedelta(days=4))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def where(chiro, atlanta):
    return {"practitioner": chiro, "location": atlanta, "starts_at": at(10)}


@pytest.fixture
def ann(waits):
    return waits("Ann")


@pytest.fixture
def offer(chiro, atlanta):
    def make_(*entries):
        starts_at, ends_at = at(10), at(10) + timedelta(minutes=entries[0].type.minutes)
        return offers.make(entries, Slot(starts_at, ends_at, atlanta, chiro), minutes=60, by_whom="waitlist")[0]

    return make_


def refused(call, *args, **wanted):
    with pytest.raises(RuleBroken) as broken:
        call(*args, **wanted)
    return broken.value


def test_booking_for_whom_it_is_held_accepts_the_offer(ann, offer, where, desk):
    made = offer(ann)

    visit = promised.book(patient=ann.patient, type=ann.type, by=desk, **where)

    made.refresh_from_db()
    ann.refresh_from_db()
    assert (made.answer, made.visit, made.answered_by) == ("accepted", visit, str(desk))
    assert (ann.outcome, ann.visit) == ("booked", visit)
    assert (visit.starts_at, Hold.objects.count()) == (at(10), 0)
    assert [(one.step, one.by) for one in visit.history.all()] == [("booked", desk)]


def test_the_others_who_were_asked_have_it_no_more(ann, waits, offer, where, desk):
    ben = waits("Ben")
    offer(ann, ben)

    promised.book(patient=ben.patient, type=ben.type, by=desk, **where)

    assert dict(Offer.objects.values_list("entry__patient__given_name", "answer")) == {
        "Ann": "taken",
        "Ben": "accepted",
    }


def test_somebody_else_does_not_get_it(ann, offer, where, patient, desk):
    offer(ann)

    assert "is held for somebody" in refused(promised.book, patient=patient, type=ann.type, by=desk, **where).message
    assert Hold.objects.count() == 1


@pytest.mark.parametrize("change", ["type", "minutes", "start", "room"])
def test_another_visit_than_the_offered_one_is_not_taken_for_it(ann, offer, where, desk, change, atlanta):
    kind = make.appointment_type("report", 15, least_minutes=15, most_minutes=30)
    ann.type.most_minutes = 30
    ann.type.save()
    offer(ann)
    free = Room.objects.filter(kind="adjusting").exclude(pk=Hold.objects.get().room_id).first()
    changes = {"type": {"type": kind}, "minutes": {"minutes": 20}, "start": {"starts_at": at(9, 55)},
               "room": {"room": free}}  # fmt: skip

    broken = refused(
        promised.book, **{"patient": ann.patient, "type": ann.type, "by": desk, **where, **changes[change]}
    )

    assert (broken.code, Appointment.objects.count()) == ("slot_taken", 0)
    assert f"held for {ann.patient} until" in broken.message


def test_the_usual_length_and_the_held_room_may_be_named(ann, offer, where, desk):
    offer(ann)
    room = Hold.objects.get().room

    visit = promised.book(patient=ann.patient, type=ann.type, by=desk, minutes=15, room=room, **where)

    assert (visit.room, visit.lasts) == (room, 15)


def test_an_earlier_day_for_a_visit_is_taken_by_moving_it_and_not_by_booking_another(
    waits, offer, where, patient, adjustment, desk
):
    later = at(15, day=MONDAY + timedelta(days=7))
    visit = booking.book(patient=patient, type=adjustment, by=desk, **{**where, "starts_at": later})
    entry = waits(patient=patient, sooner_than=visit)
    made = offer(entry)

    broken = refused(promised.book, patient=patient, type=adjustment, by=desk, **where)
    assert "accept the offer for them on the waitlist" in broken.message

    moved = promised.reschedule(
        visit, starts_at=at(10), by=desk, expected_sequence=visit.sequence, reason="Can come on Monday after all"
    )
    made.refresh_from_db()
    assert moved.history.last().reason == "Can come on Monday after all"
    assert (moved.pk, moved.starts_at, made.answer, Appointment.objects.count()) == (visit.pk, at(10), "accepted", 1)


def test_a_move_decided_by_an_old_page_does_not_take_it(waits, offer, where, patient, adjustment, desk):
    later = at(15, day=MONDAY + timedelta(days=7))
    visit = booking.book(patient=patient, type=adjustment, by=desk, **{**where, "starts_at": later})
    made = offer(waits(patient=patient, sooner_than=visit))

    broken = refused(promised.reschedule, visit, starts_at=at(10), by=desk, expected_sequence=visit.sequence + 1)

    made.refresh_from_db()
    assert (broken.code, made.answer) == (booking.CHANGED, "")


def test_what_keeps_an_offer_from_being_accepted_keeps_it_here_too(ann, offer, where, atlanta, desk):
    offer(ann)
    Closure.objects.create(location=atlanta, starts_on=MONDAY, ends_on=MONDAY, reason="Holiday")
    manager = make.user("manager", atlanta)
    wanted = {"patient": ann.patient, "type": ann.type, **where}

    assert refused(promised.book, by=desk, **wanted).code == "outside_hours"
    assert Hold.objects.count() == 1
    assert promised.book(by=manager, override_reason="Emergency", **wanted).starts_at == at(10)
    assert Offer.objects.get().answer == "accepted"


def test_a_hold_that_ran_out_is_simply_booked_over(ann, offer, where, desk, clock):
    made = offer(ann)
    clock.move_to(made.expires_at)

    visit = promised.book(patient=ann.patient, type=ann.type, by=desk, **where)

    made.refresh_from_db()
    assert (visit.starts_at, made.answer) == (at(10), "")


def test_the_booking_page_takes_it(ann, offer, sign_in, desk, chiro):
    offer(ann)
    exact = {"patient": ann.patient.pk, "type": "adjustment", "at": "atlanta", "practitioner_at": chiro.pk,
             "day": MONDAY, "time": "10:00"}  # fmt: skip

    assert sign_in(desk).post("/appointments/new/?type=adjustment", exact).status_code == 302
    assert Offer.objects.get().visit == Appointment.objects.get()


def test_a_drag_on_the_calendar_takes_it(waits, offer, where, patient, adjustment, sign_in, desk, chiro):
    later = at(15, day=MONDAY + timedelta(days=7))
    visit = booking.book(patient=patient, type=adjustment, by=desk, **{**where, "starts_at": later})
    offer(waits(patient=patient, sooner_than=visit))
    dropped = {
        "location": "atlanta",
        "practitioner": chiro.pk,
        "day": MONDAY,
        "time": "10:00",
        "minutes": 15,
        "seen": 0,
    }

    answer = sign_in(desk).post(f"/appointments/{visit.pk}/move/", dropped, headers={"Accept": "application/json"})

    assert (answer.status_code, Offer.objects.get().answer) == (200, "accepted")
    assert answer.json()["undo"]["event"] == visit.history.last().pk


def test_the_api_takes_it_once(ann, offer, api, desk, chiro):
    offer(ann)
    body = {"patient": ann.patient.pk, "practitioner": chiro.pk, "location": "atlanta", "type": "adjustment",
            "starts_at": at(10).isoformat()}  # fmt: skip

    answers = [
        api(desk).post("/api/v1/appointments/", body, format="json", headers={"Idempotency-Key": "one"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Offer.objects.get().visit == Appointment.objects.get()
