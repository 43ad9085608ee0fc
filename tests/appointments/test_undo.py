from datetime import timedelta

import pytest
import time_machine
from django.http import Http404

from appointments import booking, reminders, visit_status
from appointments.models import Appointment
from clinic import outbox
from clinic.errors import RuleBroken
from clinic.models import Message
from locations.models import Closure
from tests import make
from tests.make import at

NOW = make.at(8, 30)
GRACE = reminders.GRACE


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def visit(atlanta, chiro, patient, desk, adjustment):
    patient.consents.create(scope="email_reminders", given_at=NOW)
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9), by=desk
    )


def take(visit, *names, by):
    for name in names:
        visit_status.take(name, visit, by=by, reason="Asked")


def refused(visit, by, **more):
    with pytest.raises(RuleBroken) as broken:
        visit_status.undo(visit, by=by, **more)
    return broken.value


def steps(visit):
    return list(visit.history.values_list("step", flat=True))


@pytest.mark.parametrize(
    ("taken", "back_to"),
    [
        (["confirm"], "booked"),
        (["arrive"], "booked"),
        (["confirm", "arrive"], "confirmed"),
        (["arrive", "start"], "arrived"),
        (["arrive", "start", "complete"], "in_room"),
        (["confirm", "cancel"], "confirmed"),
    ],
)
def test_the_last_step_is_taken_back_and_both_are_kept(visit, desk, taken, back_to):
    take(visit, *taken, by=desk)
    last = visit.history.last()

    assert visit_status.undo(visit, by=desk).status == back_to

    undone = visit.history.last()
    assert Appointment.objects.get().status == back_to
    assert (undone.from_status, undone.to_status, undone.by) == (last.to_status, back_to, desk)
    assert undone.detail == {"undid": last.pk, "took_back": last.step}
    assert visit.history.filter(pk=last.pk, step=last.step, to_status=last.to_status).exists()


def test_a_missed_visit_that_came_after_all(visit, desk, clock):
    clock.move_to(at(9, 20))
    take(visit, "no-show", by=desk)

    assert visit_status.undo(visit, by=desk).status == "booked"

    take(visit, "arrive", by=desk)
    assert steps(visit) == ["booked", "missed", "undone", "arrived"]


def test_steps_are_taken_back_one_after_the_other_and_no_further_than_the_booking(visit, desk):
    take(visit, "confirm", "arrive", "start", by=desk)

    assert [visit_status.undo(visit, by=desk).status for _ in range(3)] == ["arrived", "confirmed", "booked"]
    assert refused(visit, desk).code == "nothing_to_undo"


def test_a_move_goes_back_to_the_place_the_length_and_the_word_of_the_patient(
    visit, desk, chiro, marietta, evaluation_type
):
    elsewhere = make.practitioner(marietta)
    both = make.user("desk", visit.location, marietta)
    before = {f: getattr(visit, f) for f in ("practitioner_id", "location_id", "room_id", "starts_at", "ends_at")}
    Appointment.objects.update(type=evaluation_type)
    visit.refresh_from_db()
    take(visit, "confirm", by=desk)
    booking.reschedule(visit, starts_at=at(11), practitioner=elsewhere, location=marietta, minutes=45, by=both)

    back = visit_status.undo(visit, by=both)

    assert back.status == "confirmed"
    assert {field: getattr(back, field) for field in before if field != "room_id"} == {
        field: value for field, value in before.items() if field != "room_id"
    }
    assert back.sequence == 2
    assert steps(visit) == ["booked", "confirmed", "rescheduled", "restored"]


def test_a_cancelled_visit_whose_time_was_taken_stays_cancelled(visit, desk, chiro, adjustment):
    take(visit, "cancel", by=desk)
    other = make.patient(visit.location)
    booking.book(patient=other, practitioner=chiro, location=visit.location, type=adjustment, starts_at=at(9), by=desk)

    broken = refused(visit, desk)

    assert broken.code == "slot_taken"
    assert [slot.starts_at for slot in broken.nearest][:1] == [at(9, 15)]
    assert Appointment.objects.get(pk=visit.pk).status == "cancelled"
    assert steps(visit) == ["booked", "cancelled"]


def test_another_room_is_found_when_the_old_one_was_taken(visit, desk, marietta, adjustment):
    take(visit, "cancel", by=desk)
    second = make.practitioner(visit.location)
    taken = booking.book(
        patient=make.patient(visit.location), practitioner=second, location=visit.location, type=adjustment,
        starts_at=at(9), by=desk, room=visit.room,
    )  # fmt: skip

    back = visit_status.undo(visit, by=desk)

    assert (taken.room, back.room != visit.room, back.status) == (visit.room, True, "booked")


def test_what_was_agreed_once_needs_no_opening_hours_again(visit, desk):
    take(visit, "cancel", by=desk)
    Closure.objects.create(location=visit.location, starts_on=make.MONDAY, ends_on=make.MONDAY, reason="Snow")

    assert visit_status.undo(visit, by=desk).status == "booked"


def test_a_slip_is_taken_back_soon_and_by_the_manager_within_a_week(visit, desk, chiro, clock):
    manager = make.user("manager", visit.location)
    colleague = make.user("clinician", visit.location)
    take(visit, "arrive", by=desk)

    clock.move_to(NOW + timedelta(minutes=31))
    assert [refused(visit, who).code for who in (desk, colleague)] == ["too_late", "too_late"]
    assert visit_status.undoable_step(visit, chiro.user) == visit.history.last()
    clock.move_to(NOW + timedelta(days=7, minutes=1))
    assert refused(visit, manager).code == "too_late"
    clock.move_to(NOW + timedelta(days=7))
    assert visit_status.undo(visit, by=manager).status == "booked"


def test_what_the_patient_did_is_not_taken_back(visit, desk):
    visit_status.cancel(visit, by=None, by_whom="patient")

    broken = refused(visit, desk)

    assert broken.code == "nothing_to_undo"
    assert "The patient did this" in broken.message


def test_a_step_that_came_between_is_seen(visit, desk):
    take(visit, "confirm", by=desk)
    seen = visit.history.last().pk
    take(visit, "arrive", by=desk)

    assert refused(visit, desk, expected=seen).code == "wrong_status"
    assert Appointment.objects.get().status == "arrived"


def test_out_of_scope_takes_nothing_back(visit, desk, marietta, owner):
    take(visit, "confirm", by=desk)

    with pytest.raises(Http404):
        visit_status.undo(visit, by=make.user("desk", marietta))
    with pytest.raises(visit_status.access.PermissionDenied):
        visit_status.undo(visit, by=owner)


# ---- What the patient is told


def subjects(mailoutbox):
    return [mail.subject.split(" Monday")[0] for mail in mailoutbox]


@pytest.fixture
def told(visit, clock):
    """The patient has the notice of the booking."""
    clock.move_to(NOW + GRACE)
    outbox.send_due()
    return visit


def test_a_slip_put_right_at_once_is_never_mailed(told, desk, clock, mailoutbox):
    take(told, "cancel", by=desk)
    clock.shift(timedelta(minutes=1))
    visit_status.undo(told, by=desk)
    clock.shift(timedelta(minutes=10))

    outbox.send_due()

    assert subjects(mailoutbox) == ["Your visit on"]


def test_a_move_put_right_at_once_is_never_mailed(told, desk, clock, mailoutbox):
    booking.reschedule(told, starts_at=at(11), by=desk)
    clock.shift(timedelta(minutes=1))
    visit_status.undo(told, by=desk)
    clock.shift(timedelta(minutes=10))

    outbox.send_due()

    assert subjects(mailoutbox) == ["Your visit on"]


def test_a_booking_with_a_slip_in_it_is_one_mail_about_the_booking(visit, desk, mailoutbox):
    take(visit, "cancel", by=desk)
    visit_status.undo(visit, by=desk)

    outbox.send_due(NOW + timedelta(minutes=10))

    assert subjects(mailoutbox) == ["Your visit on"]


def test_a_move_with_a_slip_after_it_is_one_mail_about_the_move(told, desk, clock, mailoutbox):
    booking.reschedule(told, starts_at=at(11), by=desk)
    take(told, "cancel", by=desk)
    visit_status.undo(told, by=desk)
    clock.shift(GRACE)
    outbox.send_due()

    assert subjects(mailoutbox) == ["Your visit on", "Your visit is now on"]


def test_who_was_told_of_the_cancellation_is_told_that_the_visit_stands(told, desk, clock, mailoutbox):
    take(told, "cancel", by=desk)
    clock.shift(GRACE)
    outbox.send_due()
    visit_status.undo(told, by=desk)
    clock.shift(GRACE)
    outbox.send_due()

    assert len(mailoutbox) == 3
    assert mailoutbox[2].subject == "Your visit on Monday, January 4 at 9:00 AM EST stands"
    assert "That was our mistake: we expect you as before." in mailoutbox[2].body
    invitation = mailoutbox[2].attachments[0].get_payload(decode=True).decode()
    assert "METHOD:REQUEST" in invitation
    assert "SEQUENCE:2" in invitation


def test_who_was_told_of_the_move_is_told_of_the_way_back(told, desk, clock, mailoutbox):
    booking.reschedule(told, starts_at=at(11), by=desk)
    clock.shift(GRACE)
    outbox.send_due()
    visit_status.undo(told, by=desk)
    clock.shift(GRACE)
    outbox.send_due()

    assert mailoutbox[2].subject == "Your visit is now on Monday, January 4 at 9:00 AM EST"
    assert "Was: Monday, January 4, 2027 at 11:00 AM EST" in mailoutbox[2].body


def test_nobody_is_told_of_a_mistake_that_no_mail_reported(told, desk, clock, mailoutbox):
    take(told, "cancel", by=desk)
    clock.shift(GRACE)
    outbox.send_due()
    Message.objects.filter(kind="visit-cancelled").update(status="failed")
    visit_status.undo(told, by=desk)
    clock.shift(GRACE)
    outbox.send_due()

    last = Message.objects.get(kind="visit-restored")
    assert (last.status, len(mailoutbox)) == ("skipped", 2)


# ---- The API


def test_undo_over_the_api(api, visit, desk):
    take(visit, "arrive", by=desk)
    client, address = api(desk), f"/api/v1/appointments/{visit.pk}/"
    seen = client.get(address + "events/").json()[-1]

    answer = client.post(address + "undo/", {"event": seen["id"]}, format="json")

    assert (answer.status_code, answer.json()["status"]) == (200, "booked")
    assert client.get(address + "events/").json()[-1]["undid"] == seen["id"]
    again = client.post(address + "undo/", {}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_undo")
    assert client.post(address + "undo/", {"event": "x"}, format="json").status_code == 400
