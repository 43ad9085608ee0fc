from datetime import time, timedelta

import pytest
import time_machine

from appointments import booking, reminders, visit_status
from appointments.models import Appointment
from clinic import delivery, outbox
from clinic.models import Link, Message
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
START = make.at(10)
GRACE = reminders.GRACE


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def patient(atlanta):
    person = make.patient(atlanta)
    person.consents.create(scope="email_reminders", given_at=NOW)
    return person


@pytest.fixture
def book(patient, chiro, atlanta, adjustment, desk):
    def booked(starts_at=START):
        return booking.book(
            patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=starts_at, by=desk
        )

    return booked


def kinds():
    return list(Message.objects.order_by("due_at", "pk").values_list("kind", "status"))


def test_notice_of_a_booking_waits_for_the_grace(book, mailoutbox):
    book()

    outbox.send_due(NOW + GRACE - timedelta(seconds=1))
    before = len(mailoutbox)
    outbox.send_due(NOW + GRACE)

    assert before == 0
    assert [m.subject for m in mailoutbox] == ["Your visit on Monday, January 4 at 10:00 AM EST"]


def test_sweep_run_twice_sends_once(book, mailoutbox):
    book()

    outbox.send_due(NOW + GRACE)
    outbox.send_due(NOW + GRACE)

    assert len(mailoutbox) == 1


def test_booking_cancelled_within_the_grace_is_never_mailed(book, desk, clock):
    visit = book()
    clock.shift(timedelta(minutes=2))
    visit_status.cancel(visit, by=desk)

    outbox.send_due(NOW + timedelta(hours=1))

    assert kinds() == []


def test_two_moves_in_a_row_are_one_mail_with_the_last_time(book, desk, clock, mailoutbox):
    visit = book()
    outbox.send_due(NOW + GRACE)
    clock.shift(timedelta(hours=1))
    booking.reschedule(visit, starts_at=make.at(11), by=desk)
    clock.shift(timedelta(minutes=2))
    booking.reschedule(visit, starts_at=make.at(14), by=desk)

    outbox.send_due(NOW + timedelta(hours=1, minutes=4))
    too_soon = len(mailoutbox)
    outbox.send_due(NOW + timedelta(hours=1, minutes=5))

    assert too_soon == 1
    assert mailoutbox[1].subject == "Your visit is now on Monday, January 4 at 2:00 PM EST"
    assert "Was: Monday, January 4, 2027 at 10:00 AM EST" in mailoutbox[1].body


def test_booked_and_moved_during_an_outage_is_one_booking_mail(book, desk, clock, mailoutbox):
    visit = book()
    clock.shift(timedelta(hours=1))
    booking.reschedule(visit, starts_at=make.at(11), by=desk)

    outbox.send_due(NOW + timedelta(hours=2))

    assert [m.subject for m in mailoutbox] == ["Your visit on Monday, January 4 at 11:00 AM EST"]
    assert kinds() == [("visit-booked", "sent")]


def test_cancelled_visit_is_mailed_and_not_reminded(book, desk, clock, mailoutbox):
    visit = book()
    outbox.send_due(NOW + GRACE)
    clock.shift(timedelta(hours=1))
    visit_status.cancel(visit, by=desk)

    outbox.send_due(NOW + timedelta(hours=2))
    outbox.send_due(START - timedelta(hours=1))

    assert kinds() == [("visit-booked", "sent"), ("visit-cancelled", "sent")]
    assert "Confirm or cancel" not in mailoutbox[1].body


def test_reminders_go_48_and_2_hours_ahead(book, mailoutbox):
    start = START + timedelta(days=3)
    book(start)
    outbox.send_due(NOW + GRACE)

    outbox.send_due(start - timedelta(hours=48, seconds=1))
    early = len(mailoutbox)
    outbox.send_due(start - timedelta(hours=48))
    outbox.send_due(start - timedelta(hours=2))

    assert early == 1
    assert kinds() == [("visit-booked", "sent"), ("visit-reminder", "sent"), ("visit-reminder", "sent")]


def test_visit_booked_later_than_the_point_gets_no_reminder_of_it(book, clock):
    clock.move_to(START - timedelta(hours=20))
    book()

    outbox.send_due(START - timedelta(hours=3))

    assert kinds() == [("visit-booked", "sent")]


def test_outage_over_the_start_lists_what_was_missed(book, mailoutbox):
    book()
    outbox.send_due()

    outbox.send_due(START + timedelta(days=3))

    assert mailoutbox == []
    assert kinds() == [("visit-booked", "missed"), ("visit-reminder", "missed"), ("visit-reminder", "missed")]


def test_moved_visit_is_reminded_of_its_new_time_only(book, desk, clock, mailoutbox):
    visit = book()
    clock.shift(timedelta(hours=1))
    booking.reschedule(visit, starts_at=START + timedelta(days=3), by=desk)
    outbox.send_due(NOW + timedelta(hours=2))

    outbox.send_due(START - timedelta(hours=47))
    between = len(mailoutbox)
    outbox.send_due(START + timedelta(hours=25))

    assert between == 1
    assert mailoutbox[1].subject == "Reminder: your visit on Thursday, January 7 at 10:00 AM EST"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p.consents.update(withdrawn_at=NOW), "The patient has not agreed to e-mails about visits."),
        (lambda p: type(p).objects.update(email=""), "The patient has no e-mail address."),
    ],
)
def test_patient_who_cannot_be_written_to_is_skipped_with_the_reason(book, patient, mailoutbox, change, reason):
    book()
    change(patient)

    outbox.send_due(NOW + GRACE)

    assert mailoutbox == []
    assert list(Message.objects.values_list("status", "reason")) == [("skipped", reason)]


def test_visit_cancelled_between_finding_and_sending_is_skipped(book, desk, mailoutbox):
    visit = book()
    outbox._owe(outbox._find(NOW + GRACE))
    message = Message.objects.get()
    visit_status.cancel(visit, by=desk)

    delivery.send_claimed(NOW + GRACE)

    message.refresh_from_db()
    assert (message.status, message.reason) == ("skipped", "The visit was changed again since.")
    assert mailoutbox == []


def test_mail_says_all_in_two_forms_and_keeps_no_link(book, mailoutbox, atlanta):
    book()

    outbox.send_due(NOW + GRACE)

    mail = mailoutbox[0].message()
    content = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    assert content == ["text/plain", "text/html", "text/calendar"]
    assert "Monday, January 4, 2027 at 10:00 AM EST" in mailoutbox[0].body
    assert atlanta.phone in mailoutbox[0].body
    assert "/my/visits/" in mailoutbox[0].body
    assert "/my/" not in Message.objects.get().text


@pytest.mark.parametrize(
    ("base", "one_click"), [("https://clinic.example.org", ["List-Unsubscribe-Post"]), ("http://127.0.0.1:8000", [])]
)
def test_mail_headers_are_these_and_no_others(book, mailoutbox, settings, base, one_click):
    """One click is promised where the address is https alone (RFC 8058)."""
    settings.BASE_URL = base
    book()

    outbox.send_due(NOW + GRACE)

    mail = mailoutbox[0].message()
    assert sorted(mail.keys()) == [
        "Auto-Submitted", "Content-Type", "Date", "From", "List-Unsubscribe", *one_click, "MIME-Version",
        "Message-ID", "Subject", "To",
    ]  # fmt: skip
    assert mail["List-Unsubscribe"].startswith(f"<{base}/my/unsubscribe/")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == Message.objects.get().message_id


def test_mail_names_neither_the_patient_nor_the_kind_of_visit(book, mailoutbox, patient, adjustment):
    book()

    outbox.send_due(NOW + GRACE)

    written = mailoutbox[0].subject + mailoutbox[0].body + str(mailoutbox[0].attachments[0].get_payload(decode=True))
    assert [word for word in (patient.family_name, adjustment.name, "upper cervical") if word in written] == []


def test_dry_run_tells_and_changes_nothing(book, mailoutbox):
    book()

    found = outbox.send_due(NOW + GRACE, dry_run=True)

    assert [(m.status, m.kind) for m in found] == [("sent", "visit-booked")]
    assert (Message.objects.count(), Link.objects.count(), len(mailoutbox)) == (0, 0, 0)


def test_scan_asks_the_same_number_of_questions_however_many_visits(
    chiro, atlanta, adjustment, desk, django_assert_num_queries
):
    for hour in range(9, 17):
        booking.book(
            patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment,
            starts_at=make.at(hour), by=desk,
        )  # fmt: skip

    with django_assert_num_queries(16):
        found = reminders.due(NOW + GRACE, NOW - timedelta(days=1))

    assert len(found) == Appointment.objects.count() == 8


@pytest.fixture
def two_zones(atlanta, nashville, chiro, desk):
    """The chiropractor and the desk are at the clinics of both zones."""
    make.travel(atlanta, nashville, 0)
    for day in range(5):
        chiro.weekly_hours.create(location=nashville, weekday=day, starts=time(9), ends=time(17))
    for person, role in ((desk, "desk"), (chiro.user, "clinician")):
        person.assignments.create(role=role, location=nashville)
    return atlanta, nashville


@pytest.mark.parametrize("back", [False, True])
def test_the_old_time_is_told_by_the_clock_it_was_agreed_by(book, desk, clock, mailoutbox, two_zones, back):
    places = two_zones[::-1] if back else two_zones
    zones = [place.time_zone for place in places]
    visit = book()
    if back:
        visit = booking.reschedule(visit, location=places[0], starts_at=make.at(10, zone=zones[0]), by=desk)
    outbox.send_due(NOW + GRACE)
    clock.shift(timedelta(hours=1))

    booking.reschedule(visit, location=places[1], starts_at=make.at(14, zone=zones[1]), by=desk)
    outbox.send_due(NOW + timedelta(hours=1) + GRACE)

    told = mailoutbox[-1].body
    was, now = ("CST", "EST") if back else ("EST", "CST")
    assert f"Was: Monday, January 4, 2027 at 10:00 AM {was}" in told
    assert f"When: Monday, January 4, 2027 at 2:00 PM {now}" in told


def test_a_move_taken_back_after_its_mail_tells_the_old_time_by_its_own_clock(book, desk, clock, mailoutbox, two_zones):
    visit = book()
    outbox.send_due(NOW + GRACE)
    clock.shift(timedelta(minutes=15))
    there = two_zones[1]
    booking.reschedule(visit, location=there, starts_at=make.at(14, zone=there.time_zone), by=desk)
    clock.shift(GRACE)
    outbox.send_due(NOW + timedelta(minutes=15) + GRACE)
    assert len(mailoutbox) == 2

    visit_status.undo(Appointment.objects.get(), by=desk)
    clock.shift(GRACE)
    outbox.send_due(NOW + timedelta(minutes=15) + 2 * GRACE)

    told = mailoutbox[-1].body
    assert "Was: Monday, January 4, 2027 at 2:00 PM CST" in told
    assert "When: Monday, January 4, 2027 at 10:00 AM EST" in told


def test_the_history_tells_each_time_by_the_clock_of_its_place(book, desk, clock, sign_in, two_zones):
    there = two_zones[1]
    visit = book()
    booking.reschedule(visit, location=there, starts_at=make.at(14, zone=there.time_zone), by=desk)
    visit_status.undo(Appointment.objects.get(), by=desk)
    booking.reschedule(Appointment.objects.get(), location=there, starts_at=make.at(15, zone=there.time_zone), by=desk)

    page = sign_in(desk).get(f"/appointments/{visit.pk}/").content.decode()

    day = "Monday, January 4, 2027 at"
    assert f"From {day} 10:00 AM EST to {day} 2:00 PM CST" in page
    assert f"From {day} 2:00 PM CST to {day} 10:00 AM EST" in page
    assert f"From {day} 10:00 AM EST to {day} 3:00 PM CST" in page
