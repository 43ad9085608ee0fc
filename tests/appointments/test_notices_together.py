"""What happens to several visits of a patient at once is one mail, as true as one about a single visit."""

from datetime import UTC, time, timedelta

import pytest
import time_machine
from icalendar import Calendar

from appointments import booking, reminders, visit_status
from appointments.recurring import series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from clinic import delivery, outbox
from clinic.models import Link, Message, MessagePart
from tests import make
from tests.make import MONDAY, at
from tests.smtp_sink import smtp_sink

NOW = at(9, day=MONDAY - timedelta(days=4))
GRACE = reminders.GRACE
DAYS = [MONDAY + timedelta(n) for n in range(5)]


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
    def booked(day=MONDAY, hour=10, **changes):
        usual = {"patient": patient, "practitioner": chiro, "location": atlanta, "type": adjustment}
        return booking.book(**usual | changes, starts_at=at(hour, day=day), by=desk)

    return booked


@pytest.fixture
def three(book):
    return [book(day) for day in DAYS[:3]]


def told():
    return list(Message.objects.order_by("pk").values_list("kind", "status"))


def entries(mail):
    """(method, entry) of each calendar file: one each, since a request may hold one visit only."""
    found = []
    for part in [part for part in mail.message().walk() if part.get_content_type() == "text/calendar"]:
        calendar = Calendar.from_ical(part.get_payload(decode=True))
        assert part.get_param("method") == str(calendar["METHOD"])
        (entry,) = calendar.walk("VEVENT")
        found.append((part.get_param("method"), entry))
    return found


def test_a_series_of_24_visits_is_one_mail_with_a_request_for_each(
    patient, adjustment, chiro, atlanta, desk, mailoutbox
):
    begun = series.begin(
        patient=patient, type=adjustment, practitioner=chiro, location=atlanta, by=desk,
        pattern=Pattern(MONDAY, (Stretch(3, 8),), (0, 2, 4), time(10)),
    )  # fmt: skip
    days = [MONDAY + timedelta(weeks=week, days=day) for week in range(8) for day in (0, 2, 4)]
    visits = series.place(begun, {n: Choice(at(10, day=day), chiro) for n, day in enumerate(days, 1)}, by=desk)

    outbox.send_due(NOW + GRACE)
    outbox.send_due(NOW + GRACE)

    (mail,) = mailoutbox
    assert mail.subject == "Your 24 visits, the first on Monday, January 4 at 10:00 AM EST"
    assert mail.body.count(" at 10:00 AM EST\n") == 24
    assert mail.body.count("/my/visits/") == 24
    methods, events = zip(*entries(mail), strict=True)
    assert set(methods) == {"REQUEST"}
    assert [event.start.astimezone(UTC) for event in events] == [visit.starts_at for visit in visits]
    assert [str(event["UID"]) for event in events] == [f"{visit.uid}@atlas" for visit in visits]
    assert {str(event["ATTENDEE"]) for event in events} == {f"mailto:{patient.email}"}
    names = [part.get_filename() for part in mail.message().walk() if part.get_filename()]
    assert (names[0], names[-1], len(set(names))) == ("visit-01.ics", "visit-24.ics", 24)
    assert "/my/" not in Message.objects.get().text
    assert MessagePart.objects.filter(left_out="").count() == 24


def test_each_time_names_its_zone_over_the_change_of_the_clock(book, mailoutbox):
    book(MONDAY)
    book(MONDAY + timedelta(weeks=26))

    outbox.send_due(NOW + GRACE)

    assert "Monday, January 4, 2027 at 10:00 AM EST" in mailoutbox[0].body
    assert "Monday, July 5, 2027 at 10:00 AM EDT" in mailoutbox[0].body


def test_each_patient_gets_a_mail_of_their_own(three, book, atlanta, mailoutbox):
    other = make.patient(atlanta, given="Bo")
    other.consents.create(scope="email_reminders", given_at=NOW)
    book(DAYS[3], patient=other)

    outbox.send_due(NOW + GRACE)

    assert sorted(mail.subject[:12] for mail in mailoutbox) == ["Your 3 visit", "Your visit o"]


def test_a_visit_cancelled_meanwhile_is_not_told_as_booked(three, desk, mailoutbox):
    outbox._owe(outbox._find(NOW + GRACE))
    visit_status.cancel(three[1], by=desk)

    delivery.send_claimed(NOW + GRACE)

    (mail,) = mailoutbox
    assert mail.subject == "Your 2 visits, the first on Monday, January 4 at 10:00 AM EST"
    assert "January 5" not in mail.body
    assert [method for method, _ in entries(mail)] == ["REQUEST", "REQUEST"]
    assert [p.left_out for p in MessagePart.objects.order_by("pk")] == ["", "The visit was changed again since.", ""]


def test_one_that_is_left_of_several_is_told_like_one(three, desk, mailoutbox):
    outbox._owe(outbox._find(NOW + GRACE))
    for visit in three[:2]:
        visit_status.cancel(visit, by=desk)

    delivery.send_claimed(NOW + GRACE)

    assert [mail.subject for mail in mailoutbox] == ["Your visit on Wednesday, January 6 at 10:00 AM EST"]
    assert [method for method, _ in entries(mailoutbox[0])] == ["REQUEST"]


def test_when_none_is_left_nothing_is_sent_and_the_reason_is_kept(three, desk, mailoutbox):
    outbox._owe(outbox._find(NOW + GRACE))
    for visit in three:
        visit_status.cancel(visit, by=desk)

    delivery.send_claimed(NOW + GRACE)

    assert mailoutbox == []
    assert list(Message.objects.values_list("status", "reason")) == [("skipped", "The visit was changed again since.")]


def test_booked_moved_and_cancelled_at_once_is_one_mail_in_parts(three, book, desk, clock, mailoutbox):
    outbox.send_due(NOW + GRACE)
    clock.shift(timedelta(hours=1))
    visit_status.cancel(three[0], by=desk)
    booking.reschedule(three[1], starts_at=at(14, day=DAYS[1]), by=desk)
    book(DAYS[4])

    clock.shift(GRACE)
    outbox.send_due()

    mail = mailoutbox[1]
    assert mail.subject == "3 of your visits have changed"
    assert [line for line in mail.body.splitlines() if line.startswith(("These", "Mon", "Tue", "Fri", "  Was"))] == [
        "These visits are booked.",
        "Friday, January 8, 2027 at 10:00 AM EST",
        "These visits have changed. This is how they stand now.",
        "Tuesday, January 5, 2027 at 2:00 PM EST",
        "  Was: Tuesday, January 5, 2027 at 10:00 AM EST",
        "These visits are cancelled. You do not need to do anything.",
        "Monday, January 4, 2027 at 10:00 AM EST",
    ]
    first = {str(entry["UID"]): entry["SEQUENCE"] for _, entry in entries(mailoutbox[0])}
    assert [(method, str(entry["STATUS"])) for method, entry in entries(mail)] == [
        ("REQUEST", "CONFIRMED"),
        ("REQUEST", "CONFIRMED"),
        ("CANCEL", "CANCELLED"),
    ]
    again = [entry for _, entry in entries(mail) if str(entry["UID"]) in first]
    assert len(again) == 2  # the same entries, changed: a phone's calendar follows
    assert all(entry["SEQUENCE"] > first[str(entry["UID"])] for entry in again)
    assert told() == [("visits-changed", "sent")] * 2


def test_cancelling_all_says_so_and_gives_no_link_to_confirm(three, desk, clock, mailoutbox):
    outbox.send_due(NOW + GRACE)
    clock.shift(timedelta(hours=1))
    for visit in three:
        visit_status.cancel(visit, by=desk)

    clock.shift(GRACE)
    outbox.send_due()

    assert mailoutbox[1].subject == "3 of your visits are cancelled"
    assert "/my/visits/" not in mailoutbox[1].body


def test_who_is_still_being_worked_at_waits_for_one_grace_more_and_no_longer(book, clock, mailoutbox):
    book(DAYS[0])
    clock.shift(GRACE - timedelta(seconds=30))
    book(DAYS[1])

    outbox.send_due(NOW + GRACE)
    waits = len(mailoutbox)
    clock.shift(GRACE)
    outbox.send_due()
    both = [mail.subject for mail in mailoutbox]
    for day in DAYS[2:]:
        book(day)
        clock.shift(GRACE - timedelta(seconds=30))
    outbox.send_due()

    assert waits == 0
    assert both == ["Your 2 visits, the first on Monday, January 4 at 10:00 AM EST"]
    assert len(mailoutbox) == 2  # the first of these three has waited long enough
    clock.shift(GRACE)
    outbox.send_due()
    assert set(MessagePart.objects.values_list("left_out", flat=True)) == {""}
    assert MessagePart.objects.count() == 5


def test_a_visit_of_today_waits_no_longer_than_it_can(book, clock, mailoutbox):
    clock.move_to(at(10) - 2.5 * GRACE)
    book(MONDAY, 10)
    clock.shift(GRACE)
    book(DAYS[1])

    outbox.send_due(at(10) - 1.4 * GRACE)
    waits = len(mailoutbox)
    outbox.send_due(at(10) - GRACE)

    assert waits == 0
    assert [mail.subject for mail in mailoutbox] == ["Your visit on Monday, January 4 at 10:00 AM EST"]


def test_rival_sweeps_tell_nothing_twice(three, book, clock, mailoutbox):
    """One found three visits, the other, a moment later, a fourth as well."""
    first = outbox._find(NOW + GRACE)
    book(DAYS[3])
    clock.shift(GRACE)
    second = outbox._find(NOW + 2 * GRACE)
    outbox._owe(first)
    outbox._owe(second)

    outbox.send_due()

    assert [mail.subject[:13] for mail in mailoutbox] == ["Your 3 visits", "Your visit on"]
    assert MessagePart.objects.count() == 4


def test_a_mail_that_fails_is_tried_again_whole(three, settings):
    with smtp_sink(settings, "greylist") as sink:
        outbox.send_due(NOW + GRACE)
        first = list(sink.copies)
        sink.mode = "take"
        outbox.send_due(NOW + GRACE + delivery.BACKOFF[0])

    assert (first, [copy["Subject"][:13] for copy in sink.copies]) == ([], ["Your 3 visits"])
    assert told() == [("visits-changed", "sent")]


def test_a_cancellation_taken_back_is_told_after_a_mail_about_several(three, desk, clock, mailoutbox):
    outbox.send_due(NOW + GRACE)
    clock.shift(timedelta(hours=1))
    for visit in three:
        visit_status.cancel(visit, by=desk)
    clock.shift(GRACE)
    outbox.send_due()
    clock.shift(timedelta(minutes=10))
    visit_status.undo(three[0], by=desk)
    clock.shift(GRACE)

    outbox.send_due()

    assert mailoutbox[2].subject == "Your visit on Monday, January 4 at 10:00 AM EST stands"


def test_a_dry_run_issues_no_links(three):
    found = outbox.send_due(NOW + GRACE, dry_run=True)

    assert [(m.status, m.kind) for m in found] == [("sent", "visits-changed")]
    assert (Message.objects.count(), MessagePart.objects.count(), Link.objects.count()) == (0, 0, 0)


def test_who_has_not_agreed_gets_none_of_it(three, patient, mailoutbox):
    patient.consents.update(withdrawn_at=NOW)

    outbox.send_due(NOW + GRACE)

    assert mailoutbox == []
    assert told() == [("visits-changed", "skipped")]


def test_the_mail_names_neither_the_patient_nor_the_kind_of_visit(three, patient, adjustment, mailoutbox):
    outbox.send_due(NOW + GRACE)

    mail = mailoutbox[0]
    written = mail.subject + mail.body + str(mail.attachments[0].get_payload(decode=True)) + mail.alternatives[0][0]
    assert [word for word in (patient.family_name, adjustment.name, "upper cervical") if word in written] == []
