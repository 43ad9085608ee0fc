"""Mails of a batch are written together; what changes before the moment of each is seen all the same."""

from datetime import timedelta

import pytest
from django.db import connection

from appointments import booking, visit_status
from appointments.mails import as_decided
from appointments.models import Appointment
from clinic import delivery, outbox, times
from clinic.models import AddressFault, Link, Message
from patients.models import Consent, Patient
from tests import make
from tests.faults import owed
from tests.faults.sink import BEFORE, open_sink

MAILS = 7


@pytest.fixture
def server(settings):
    with open_sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", sink.port, 10
        yield sink


def meanwhile(server, *changes):
    """Done while the second mail is handed over, by somebody else with a connection of his own."""

    def act():
        try:
            for change in changes:
                change()
        finally:
            connection.close()

    server.when = lambda stage, number: act if (stage, number) == (BEFORE, 2) else None


def changes(visits):
    desk = make.user("desk", visits[0].location)
    moved, new_address, withdrawn, faulty, cancelled = visits[2:]
    return [
        lambda: booking.reschedule(
            Appointment.objects.get(pk=moved.pk), starts_at=moved.starts_at + timedelta(days=7), by=desk
        ),
        lambda: Patient.objects.filter(pk=new_address.patient_id).update(email="new@example.org"),
        lambda: Consent.objects.filter(patient=withdrawn.patient_id).update(withdrawn_at=times.now()),
        lambda: AddressFault.objects.create(address=faulty.patient.email, kind="bounced", reason="550", at=times.now()),
        lambda: visit_status.cancel(Appointment.objects.get(pk=cancelled.pk), by=desk),
    ]


@pytest.mark.django_db(transaction=True)
def test_what_changes_between_writing_and_sending_is_seen(server):
    visits = owed.book(MAILS)
    meanwhile(server, *changes(visits))

    outbox.send_due()

    ended = dict(Message.objects.values_list("about_id", "status"))
    assert [ended[visit.pk] for visit in visits] == ["sent", "sent", "skipped", "sent", *["skipped"] * 3]
    assert sorted(server.to.values()) == ["new@example.org", "owed0@example.org", "owed1@example.org"]
    assert set(Message.objects.filter(status="skipped").values_list("html", flat=True)) == {""}


@pytest.mark.django_db(transaction=True)
def test_control_without_the_second_look_all_of_them_are_told_what_is_no_longer_so(server, monkeypatch):
    visits = owed.book(MAILS)
    meanwhile(server, *changes(visits))
    monkeypatch.setattr(as_decided.Decided, "__call__", lambda self: True)

    outbox.send_due()

    assert server.copies == MAILS


def test_a_mail_written_ahead_says_the_same_as_one_written_alone(db):
    visits = owed.book(2)
    outbox._owe(outbox._find(times.now()))
    rows = delivery.claim(times.now())

    ahead = delivery._write_ahead(rows)

    assert Link.objects.count() == 4
    for row, visit in zip(rows, visits, strict=True):
        alone = delivery._prepare(Message.objects.get(pk=row.pk), None).mail
        together = ahead[row.pk].letter.mail
        assert (together.to, together.subject) == (alone.to, alone.subject) == (visit.patient.email, alone.subject)
        same = [delivery.without_secrets(mail, mail.text) for mail in (alone, together)]
        assert same[0] == same[1]


def test_a_batch_is_written_with_as_many_statements_as_a_pair(db, django_assert_max_num_queries):
    owed.book(40)
    outbox._owe(outbox._find(times.now()))
    rows = delivery.claim(times.now())

    with django_assert_max_num_queries(16):
        ahead = delivery._write_ahead(rows)

    assert len(ahead) == 40


def test_a_patient_at_a_shared_address_is_named_in_a_batch_too(db):
    visits = owed.book(3)
    Patient.objects.filter(pk__in=[visit.patient_id for visit in visits[:2]]).update(email="Family@example.org")
    outbox._owe(outbox._find(times.now()))

    ahead = delivery._write_ahead(delivery.claim(times.now()))

    assert sorted("For: Avery" in one.letter.mail.text for one in ahead.values()) == [False, True, True]
