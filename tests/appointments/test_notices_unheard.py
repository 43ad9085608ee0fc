"""Nobody is told that something changed which they were never told of: the mail then reads as a booking."""

from datetime import timedelta

import pytest
import time_machine

from appointments import booking, reminders, visit_status
from clinic import outbox
from clinic.models import Message
from tests import make
from tests.make import at

NOW = at(9, day=make.MONDAY - timedelta(days=14))
GRACE = reminders.GRACE


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def patient(atlanta):
    person = make.patient(atlanta, email="")
    person.consents.create(scope="email_reminders", given_at=NOW)
    return person


@pytest.fixture
def visit(patient, chiro, atlanta, adjustment, desk):
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), by=desk
    )


@pytest.fixture
def sweep(clock):
    def later(**gap):
        clock.shift(timedelta(**gap))
        return outbox.send_due()

    return later


def give_address(patient):
    patient.email = "avery@example.org"
    patient.save(update_fields=["email"])


def test_moved_after_an_address_was_given_reads_as_a_booking(visit, patient, sweep, desk, mailoutbox):
    sweep(hours=1)
    give_address(patient)
    booking.reschedule(visit, starts_at=at(11), by=desk)
    sweep(hours=1)

    assert [mail.subject for mail in mailoutbox] == ["Your visit on Monday, January 4 at 11:00 AM EST"]
    assert "Your visit is booked." in mailoutbox[0].body
    assert "Was:" not in mailoutbox[0].body


def test_moved_while_its_booking_waited_for_the_mail_server_is_one_booking(visit, patient, sweep, desk, mailoutbox):
    give_address(patient)
    outbox._owe(outbox._find(NOW + GRACE))  # owed, and not sent before it moves
    sweep(seconds=GRACE.total_seconds())
    Message.objects.update(status="waiting")
    mailoutbox.clear()
    booking.reschedule(visit, starts_at=at(11), by=desk)
    sweep(hours=1)

    assert [mail.subject for mail in mailoutbox] == ["Your visit on Monday, January 4 at 11:00 AM EST"]
    assert list(Message.objects.order_by("pk").values_list("kind", "status")) == [
        ("visit-booked", "skipped"),
        ("visit-booked", "sent"),
    ]


def test_moved_and_moved_back_before_anybody_heard_is_told_as_booked(visit, patient, sweep, desk, mailoutbox):
    sweep(hours=1)
    give_address(patient)
    moved = booking.reschedule(visit, starts_at=at(11), by=desk)
    booking.reschedule(moved, starts_at=at(10), by=desk)
    sweep(hours=1)

    assert [mail.subject for mail in mailoutbox] == ["Your visit on Monday, January 4 at 10:00 AM EST"]


def test_moved_after_a_reminder_went_out_says_what_it_was(visit, patient, sweep, desk, mailoutbox):
    sweep(hours=1)
    give_address(patient)
    sweep(days=11, hours=9)  # the 48 hours, on the last open day before
    booking.reschedule(visit, starts_at=at(11), by=desk)
    sweep(hours=1)

    assert [mail.subject for mail in mailoutbox] == [
        "Reminder: your visit on Monday, January 4 at 10:00 AM EST",
        "Your visit is now on Monday, January 4 at 11:00 AM EST",
    ]
    assert "Was: Monday, January 4, 2027 at 10:00 AM EST" in mailoutbox[1].body


def test_several_moved_of_which_one_was_never_told_of_say_each_its_own(
    visit, patient, chiro, atlanta, adjustment, sweep, desk, mailoutbox
):
    sweep(hours=1)
    give_address(patient)
    other = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(14), by=desk
    )
    sweep(hours=1)
    booking.reschedule(visit, starts_at=at(11), by=desk)
    booking.reschedule(other, starts_at=at(15), by=desk)
    sweep(hours=1)

    body = mailoutbox[-1].body
    assert body.index("These visits are booked.") < body.index("11:00 AM") < body.index("These visits have changed.")
    assert "Was: Monday, January 4, 2027 at 2:00 PM EST" in body
    assert "at 10:00 AM" not in body


def test_cancelled_is_told_also_to_who_had_no_address_when_it_was_booked(visit, patient, sweep, desk, mailoutbox):
    sweep(hours=1)
    give_address(patient)
    visit_status.cancel(visit, by=desk)
    sweep(hours=1)

    assert [mail.subject for mail in mailoutbox] == ["Your visit on Monday, January 4 at 10:00 AM EST is cancelled"]
