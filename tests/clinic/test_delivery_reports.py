"""What became of a mail after it was taken: by webhook, by mail, and in any order."""

import base64
import io
import json
import mailbox
import sys
from datetime import timedelta
from itertools import permutations

import pytest
from django.core.management import CommandError, call_command

from clinic import bounce_mails, delivery_reports, times, undeliverable
from clinic.delivery_reports import Report, Said
from clinic.models import AddressFault, AuditEntry, Message

ID = "<5f0c@clinic.example.org>"
DSN = """\
From: MAILER-DAEMON@mx.example.net
To: clinic@example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="AB"

--AB
Content-Type: text/plain

I could not deliver your mail.

--AB
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: Mon, 4 Jan 2027 10:00:00 -0500

Final-Recipient: rfc822; {final}
Original-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {told}

--AB
Content-Type: {kind}

Message-ID: {message_id}
Subject: Your visit
{body}
--AB--
"""


@pytest.fixture
def sent(patient):
    """A mail that the server took an hour ago."""
    at = times.now() - timedelta(hours=1)
    return Message.objects.create(
        key="k", kind="visit-booked", patient_id=patient.pk, to="Avery@example.org", status="sent", message_id=ID,
        due_at=at, try_after=at, useless_after=at + timedelta(days=1), sent_at=at,
    )  # fmt: skip


def dsn(recipient="avery@example.org", action="failed", status="5.1.1", told="550 5.1.1 No such user", **more):
    told_of = {"final": recipient, "kind": "message/rfc822", "message_id": ID, "body": "\nHello.\n", **more}
    return DSN.format(recipient=recipient, action=action, status=status, told=told, **told_of).encode()


def bounced(**more):
    return Report(Said.BOUNCED, "avery@example.org", ID, "550 5.1.1 No such user", is_hard=True, **more)


def state(message):
    message.refresh_from_db()
    return message.status, message.reason


def test_a_mail_that_comes_back_is_written_to_it_and_to_the_address(sent):
    delivery_reports.record(bounced(), is_trusted=True)
    delivery_reports.record(bounced(), is_trusted=True)

    assert state(sent) == ("bounced", "550 5.1.1 No such user")
    fault = AddressFault.objects.get()
    assert (fault.address, fault.kind, fault.message) == ("avery@example.org", "bounced", sent)
    assert list(AuditEntry.objects.values_list("action", "patient_id")) == [("address.flagged", sent.patient_id)]


def test_reports_in_any_order_end_the_same(sent):
    reports = [bounced(), *(Report(said, sent.to, ID, "4.4.1") for said in (Said.DELIVERED, Said.DELAYED))]
    ends = set()
    for order in permutations(reports):
        Message.objects.update(status="sent", reason="", delivered_at=None)
        for report in order:
            delivery_reports.record(report, is_trusted=True)
        ends.add(state(sent))

    assert ends == {("bounced", "550 5.1.1 No such user")}


def test_a_full_mailbox_bounces_the_mail_and_leaves_the_address(sent):
    delivery_reports.record(Report(Said.BOUNCED, sent.to, ID, "552 5.2.2 Full"), is_trusted=True)

    assert state(sent)[0] == "bounced"
    assert not AddressFault.objects.exists()


def test_delivered_is_told_once(sent):
    for _ in range(2):
        delivery_reports.record(Report(Said.DELIVERED, sent.to, ID), is_trusted=True)
    first = Message.objects.get().delivered_at
    delivery_reports.record(Report(Said.DELIVERED, sent.to, ID), is_trusted=True)

    assert first is not None
    assert Message.objects.get().delivered_at == first
    assert state(sent) == ("sent", "")


def test_a_complaint_stops_all_mail_to_the_address(sent):
    delivery_reports.record(Report(Said.COMPLAINED, sent.to), is_trusted=True)

    assert undeliverable.among(["avery@EXAMPLE.org"]) == {
        "avery@example.org": "Mail to this address was reported as unwanted: reported to the mail service"
    }


@pytest.mark.parametrize(
    "report",
    [
        Report(Said.BOUNCED, "avery@example.org", "", "gone", is_hard=True),
        Report(Said.BOUNCED, "avery@example.org", "<guessed@clinic.example.org>", "gone", is_hard=True),
        Report(Said.BOUNCED, "victim@example.org", ID, "gone", is_hard=True),
    ],
    ids=["no_id", "wrong_id", "other_address"],
)
def test_a_mail_from_anybody_that_does_not_know_ours_flags_nothing(sent, report):
    assert delivery_reports.record(report, is_trusted=False) is None
    assert state(sent) == ("sent", "")
    assert not AddressFault.objects.exists()


def test_a_notification_is_read_as_the_standard_has_it():
    assert bounce_mails.read(dsn()) == [
        Report(Said.BOUNCED, "avery@example.org", ID, "550 5.1.1 No such user", is_hard=True)
    ]


@pytest.mark.parametrize(
    ("given", "said", "hard"),
    [
        ({"action": "Failed"}, Said.BOUNCED, True),
        ({"action": "delayed", "status": "4.4.1", "told": "timed out"}, Said.DELAYED, False),
        ({"action": "failed", "status": "4.4.7", "told": "expired"}, Said.BOUNCED, False),
        ({"action": "failed", "status": "5.2.2", "told": "552 full"}, Said.BOUNCED, False),
        ({"action": "failed", "status": "5.0.0", "told": "550 5.1.1 unknown"}, Said.BOUNCED, True),
        ({"action": "delivered", "status": "2.0.0", "told": "250 ok"}, Said.DELIVERED, False),
        ({"kind": "text/rfc822-headers", "body": ""}, Said.BOUNCED, True),
        ({"final": "forwarded@elsewhere.example.org"}, Said.BOUNCED, True),
    ],
)
def test_what_a_notification_says(given, said, hard):
    (report,) = bounce_mails.read(dsn(**given))

    assert (report.said, report.is_hard, report.recipient, report.message_id) == (said, hard, "avery@example.org", ID)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"Subject: Hello\n\nHow are you?", dsn(action="expanded"), dsn(recipient=" "),
     dsn().replace(b"Final-Recipient", b"X-A").replace(b"Original-Recipient", b"X-B"),
     dsn()[: len(dsn()) // 2], b"Content-Type: message/delivery-status\n\n\n\n"],
)  # fmt: skip
def test_what_is_no_notification_says_nothing(content):
    assert [one.message_id for one in bounce_mails.read(content) if one.message_id] == []


def test_the_mail_server_pipes_a_notification_in(sent, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(dsn())))

    call_command("read_bounces")

    assert capsys.readouterr().out == "1 mails, 1 reports, 1 about mails of ours.\n"
    assert state(sent)[0] == "bounced"


@pytest.mark.parametrize("kind", ["maildir", "mbox"])
def test_a_mailbox_is_read_once_and_what_is_not_understood_stays(sent, tmp_path, capsys, kind):
    path = tmp_path / "box"
    box = mailbox.Maildir(path) if kind == "maildir" else mailbox.mbox(path)
    for content in (dsn(), b"Subject: A question\n\nWhen are you open?\n"):
        box.add(content)
    box.flush()

    call_command("read_bounces", f"--{kind}={path}")
    call_command("read_bounces", f"--{kind}={path}")

    assert capsys.readouterr().out.splitlines() == [
        "2 mails, 1 reports, 1 about mails of ours.", "1 mails, 0 reports, 0 about mails of ours."
    ]  # fmt: skip
    assert state(sent)[0] == "bounced"


@pytest.mark.parametrize("kind", ["maildir", "mbox"])
def test_a_mailbox_that_is_not_there_is_named(tmp_path, db, kind):
    with pytest.raises(CommandError, match="There is no mailbox"):
        call_command("read_bounces", f"--{kind}={tmp_path / 'nowhere'}")


@pytest.fixture
def service(settings):
    settings.MAIL_SERVICE = "postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": "atlas:secret"}


def tell(client, body, given="atlas:secret", service="postmark"):
    headers = {"Authorization": "Basic " + base64.b64encode(given.encode()).decode()} if given else {}
    content = body if isinstance(body, str) else json.dumps(body)
    return client.post(f"/mail-events/{service}/", content, content_type="application/json", headers=headers)


GONE = {
    "RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "MessageID": "883953f4", "Email": "avery@example.org",
    "Description": "The server was unable to deliver your message", "Details": "smtp;550 5.1.1 No such user",
    "BouncedAt": "2027-01-04T15:00:00Z", "ID": 42, "Inactive": True, "CanActivate": True,
}  # fmt: skip


def test_the_mail_service_reports_what_came_back(service, client, sent):
    answers = [tell(client, GONE).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert state(sent) == ("bounced", "smtp;550 5.1.1 No such user")
    assert AddressFault.objects.get().address == "avery@example.org"


def test_what_is_opened_or_clicked_is_nobodys_business(service, client, sent):
    answer = tell(
        client, {"RecordType": "Open", "MessageID": "1", "Recipient": sent.to, "ReceivedAt": "2027-01-04T15:00:00Z"}
    )

    assert (answer.status_code, state(sent)) == (200, ("sent", ""))


@pytest.mark.parametrize("secret", ["", "atlas:guessed"])
def test_a_report_without_the_secret_is_refused(service, client, sent, secret):
    assert tell(client, GONE, secret).status_code == 400
    assert state(sent) == ("sent", "")


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"RecordType": 1}', "\x00"])
def test_a_report_that_is_none_is_refused_and_never_an_error(service, client, db, body):
    assert tell(client, body).status_code in {200, 400}
    assert not AddressFault.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"Email": "a\0b@example.org"}, {"Email": "a" * 400}, {"Email": ["a@example.org"]}, {"Email": "\ud800"},
                {"Description": "\ud800", "Details": ""}, {"Details": "550 5.1.1 \0 no"}],
)  # fmt: skip
def test_a_report_with_odd_words_is_answered_and_told_no_more(service, client, sent, changes):
    assert tell(client, {**GONE, **changes}).status_code == 200
    assert AddressFault.objects.count() == (0 if "Email" in changes else 1)


@pytest.mark.parametrize("kind", ["maildir", "mbox"])
def test_a_notification_that_holds_a_nul_does_not_stop_the_others(sent, tmp_path, kind):
    path = tmp_path / "box"
    box = mailbox.Maildir(path) if kind == "maildir" else mailbox.mbox(path)
    for content in (dsn(recipient="a\0@example.org"), dsn()):
        box.add(content)
    box.flush()

    call_command("read_bounces", f"--{kind}={path}")

    assert state(sent)[0] == "bounced"


def test_only_the_service_that_carries_our_mails_is_listened_to(service, client, settings, sent):
    assert tell(client, GONE, service="sendgrid").status_code == 404
    settings.MAIL_SERVICE = ""
    assert tell(client, GONE).status_code == 404
    assert state(sent) == ("sent", "")


def test_a_mail_found_by_its_address_is_the_latest_to_it(service, client, sent, patient):
    old = Message.objects.create(
        key="old", kind="visit-booked", to=sent.to, status="sent", message_id="<old>", due_at=times.now(),
        try_after=times.now(), useless_after=times.now(), sent_at=times.now() - timedelta(days=2),
    )  # fmt: skip

    tell(client, GONE)

    assert (state(sent)[0], state(old)[0]) == ("bounced", "sent")
