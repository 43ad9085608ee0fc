"""The outbox against a real mail server on the loopback; what falls due is real visits."""

import io
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from appointments import booking, reminders
from clinic import delivery, heartbeats, outbox, times, tokens, undeliverable
from clinic.models import Heartbeat, Message
from clinic.post import Post
from tests import make
from tests.smtp_sink import smtp_sink

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
DUE = NOW + timedelta(minutes=3)


@pytest.fixture(autouse=True)
def clock(request):
    if "processes" in request.keywords:
        yield None
        return
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def visits(atlanta, chiro, adjustment, desk):
    """`visits(3)` books three patients who agreed to mails, one after the other on one day."""

    def book(number, **fields):
        made = []
        for n in range(number):
            patient = make.patient(atlanta, **fields)
            patient.consents.create(scope="email_reminders", given_at=NOW)
            starts_at = make.at(9) + timedelta(minutes=15 * (n + len(made)))
            made.append(
                booking.book(
                    patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=starts_at, by=desk
                )
            )
        return made

    return book


@pytest.fixture
def one(visits):
    """The row of one mail, found and not yet sent."""
    visits(1)
    outbox._owe(outbox._find(DUE))
    return Message.objects.get()


def outcome(message):
    message.refresh_from_db()
    return message.status, message.attempts, message.in_data


def test_mail_is_taken_once(settings, one):
    with smtp_sink(settings) as sink:
        outbox.send_due(DUE)
        outbox.send_due(DUE)

    assert [c["Message-ID"] for c in sink.copies] == [one.message_id]
    assert outcome(one) == ("sent", 0, False)
    assert one.sent_at == NOW


@pytest.mark.parametrize(("mode", "said"), [("greylist", "450 4.2.0 Greylisted"), ("later", "451 4.3.0 Try later")])
def test_mail_put_off_is_tried_again_later_and_not_at_once(settings, one, mode, said):
    with smtp_sink(settings, mode) as sink:
        outbox.send_due(DUE)
        outbox.send_due(DUE + timedelta(minutes=4))
        put_off = outcome(one), one.reason
        sink.mode = "take"
        outbox.send_due(DUE + timedelta(minutes=5))

    assert put_off == (("retry", 1, False), said)
    assert outcome(one) == ("sent", 1, False)
    assert len(sink.copies) == 1


def test_mail_put_off_five_times_has_failed(settings, one):
    at = DUE
    with smtp_sink(settings, "greylist"):
        for wait in (0, 5, 15, 60, 60, 60, 60):
            at += timedelta(minutes=wait)
            outbox.send_due(at)

    assert outcome(one) == ("failed", 5, False)
    assert one.reason == "450 4.2.0 Greylisted. Given up after 5 attempts."


def test_refused_address_bounces_and_is_not_tried_again(settings, one):
    with smtp_sink(settings, "refuse") as sink:
        outbox.send_due(DUE)
        sink.mode = "take"
        outbox.send_due(DUE + timedelta(hours=1))

    assert outcome(one) == ("bounced", 0, False)
    assert one.reason == "550 5.1.1 No such user"
    assert sink.copies == []


def test_refused_address_does_not_stop_the_others(settings, visits, atlanta):
    first, *_ = visits(3)
    type(first.patient).objects.filter(pk=first.patient_id).update(email="gone@example.org")

    with smtp_sink(settings) as sink:
        outbox.send_due(DUE)

    assert list(Message.objects.order_by("pk").values_list("status", flat=True)) == ["bounced", "sent", "sent"]
    assert len(sink.copies) == 2


def test_connection_lost_after_the_content_is_repeated_once_and_flagged(settings, one):
    with smtp_sink(settings, "drop") as sink:
        outbox.send_due(DUE)
        doubt = outcome(one)
        sink.mode = "take"
        outbox.send_due(DUE + timedelta(minutes=5))

    assert doubt == ("retry", 1, True)
    assert outcome(one) == ("sent_maybe_twice", 1, False)
    assert [c["Message-ID"] for c in sink.copies] == [one.message_id] * 2


def test_connection_always_lost_is_given_up_and_never_called_sent(settings, one):
    with smtp_sink(settings, "drop") as sink:
        for hours in range(8):
            outbox.send_due(DUE + timedelta(hours=6 * hours))

    assert [copy["Message-ID"] for copy in sink.copies].count(one.message_id) == 5
    assert outcome(one) == ("failed", 5, False)
    assert "It may have reached the patient." in one.reason


def test_mail_that_kills_each_of_its_senders_is_given_up(settings, one):
    with smtp_sink(settings) as sink:
        long_ago = NOW - timedelta(hours=1)
        Message.objects.update(status="claimed", lease="dead", in_data=True, attempts=4, leased_until=long_ago)
        outbox.send_due(DUE)

    assert outcome(one) == ("failed", 5, False)
    assert sink.copies == []


def test_sender_that_died_while_sending_is_succeeded_and_the_mail_flagged(settings, one):
    Message.objects.update(status="claimed", lease="dead", in_data=True, leased_until=NOW - timedelta(seconds=1))

    with smtp_sink(settings) as sink:
        outbox.send_due(DUE)

    assert len(sink.copies) == 1
    assert outcome(one) == ("sent_maybe_twice", 1, False)


def test_sender_that_died_before_sending_leaves_no_doubt(settings, one):
    Message.objects.update(status="claimed", lease="dead", leased_until=NOW - timedelta(seconds=1))

    with smtp_sink(settings) as sink:
        outbox.send_due(DUE)

    assert len(sink.copies) == 1
    assert outcome(one) == ("sent", 0, False)


def test_row_under_lease_is_left_alone(settings, one):
    Message.objects.update(status="claimed", lease="alive", leased_until=NOW + timedelta(seconds=1))

    with smtp_sink(settings) as sink:
        outbox.send_due(DUE)

    assert sink.copies == []


def test_sender_whose_lease_ran_out_sends_nothing_more(settings, one):
    mine = delivery.claim(DUE)[0]
    Message.objects.update(lease="another")

    with smtp_sink(settings) as sink:
        delivery.settle(mine, Post(), DUE)

    assert sink.copies == []
    assert Message.objects.get().lease == "another"


def test_unreachable_server_counts_no_attempt_and_loses_nothing(settings, one):
    with smtp_sink(settings) as sink:
        pass
    settings.EMAIL_PORT = sink.port

    outbox.send_due(DUE)
    away = outcome(one)
    with smtp_sink(settings) as sink:
        outbox.send_due(DUE + timedelta(minutes=5))

    assert away == ("retry", 0, False)
    assert outcome(one) == ("sent", 0, False)


def test_revoked_password_stops_the_batch_with_one_alarm(settings, visits, caplog):
    visits(5)

    with smtp_sink(settings, "locked") as sink:
        outbox.send_due(DUE)

    assert sink.copies == []
    assert set(Message.objects.values_list("status", "attempts")) == {("retry", 0)}
    assert [r.levelname for r in caplog.records if r.name == "clinic.delivery"] == ["ERROR"]


def test_mail_that_cannot_be_written_fails_alone(settings, visits):
    visits(3)
    rows = outbox._find(DUE)
    rows[1].message.about_id = 0
    outbox._owe(rows)

    with smtp_sink(settings) as sink:
        outbox.send_due(DUE)

    assert list(Message.objects.order_by("pk").values_list("status", flat=True)) == ["sent", "retry", "sent"]
    assert Message.objects.get(status="retry").reason == "It could not be written: KeyError."
    assert len(sink.copies) == 2


def test_address_that_the_protocol_cannot_carry_fails_alone(settings, visits):
    first, _ = visits(2)
    type(first.patient).objects.filter(pk=first.patient_id).update(email="a\r\nBcc: x@example.org")

    with smtp_sink(settings) as sink:
        outbox.send_due(DUE)

    assert list(Message.objects.order_by("pk").values_list("status", flat=True)) == ["retry", "sent"]
    assert len(sink.copies) == 1


def test_clock_that_went_back_stops_everything(settings, visits, clock):
    visits(1)
    clock.move_to(DUE)
    outbox.send_due()
    visits_sent = Message.objects.filter(status="sent").count()
    clock.move_to(NOW - timedelta(hours=1))

    assert visits_sent == 1
    assert outbox.send_due() == []


def test_that_nothing_is_sent_by_the_clock_is_said_and_can_be_ended(visits, clock, client, mailoutbox):
    visits(1)
    Message.objects.all().delete()
    outbox.send_due(DUE)
    Message.objects.update(sent_at=NOW + timedelta(hours=5))
    for name in (heartbeats.BEAT, heartbeats.WORKER):
        heartbeats.note(name)
    health, ready = outbox.health(), client.get("/readyz")
    call_command("send_due_messages", "--clock-is-right")

    assert (health.is_late, health.waits_until) == (True, NOW + timedelta(hours=5))
    assert (ready.status_code, ready.json()["clock"]) == (503, False)
    assert outbox.health().is_late is False


def test_after_a_week_without_sweeps_what_was_missed_is_listed(visits, clock, mailoutbox):
    outbox.send_due()
    visits(2)
    clock.shift(timedelta(days=7))

    outbox.send_due()

    assert mailoutbox == []
    assert set(Message.objects.values_list("kind", "status")) == {
        ("visit-booked", "missed"), ("visit-reminder", "missed"), ("visit-reminder", "missed"),
    }  # fmt: skip


def test_clinic_that_begins_owes_nothing_from_before(visits):
    visits(2)
    outbox.begin(DUE)

    assert outbox.send_due(DUE + timedelta(minutes=1)) == []


@pytest.mark.parametrize(("mode", "mails"), [("locked", 1), ("greylist", 3), ("later", 3), ("refuse", 3)])
def test_a_server_that_takes_nothing_is_told_until_it_takes_a_mail(settings, visits, clock, mode, mails):
    visits(mails)
    clock.move_to(DUE)
    with smtp_sink(settings, mode):
        outbox.send_due()
    refused = outbox.health().refused
    Message.objects.update(status="retry", attempts=1, try_after=DUE)
    undeliverable.standing().delete()
    with smtp_sink(settings):
        outbox.send_due()

    assert (refused, outbox.health().refused) == (mails, 0)


def test_a_bounced_mail_can_be_tried_again_by_hand_once_its_address_is_mended(settings, one, desk):
    with smtp_sink(settings, "refuse") as sink:
        outbox.send_due(DUE)
        sink.mode = "take"
        again = outbox.try_again(one)
        outbox.send_due(DUE)
        unmended = outcome(one)
        Message.objects.update(status="bounced")
        outbox.try_again(one)
        undeliverable.mend(one.to, by=desk)
        outbox.send_due(DUE)

    assert (again, outbox.try_again(one)) == (True, False)
    assert unmended == ("skipped", 0, False)
    assert outcome(one) == ("sent", 0, False)


@pytest.mark.parametrize(
    ("answer", "hard"),
    [
        ("550 5.1.1 No such user", True), ("550 No such user", True), ("553 sorry", True), ("5.1.10 null MX", True),
        ("550 5.2.1 disabled", True), ("552 5.2.2 Mailbox full", False), ("550 5.7.1 Relaying denied", False),
        ("554 5.7.1 Blocked", False), ("521 no mail here", False), ("450 4.2.0 Greylisted", False),
    ],
)  # fmt: skip
def test_a_refusal_about_us_or_a_full_mailbox_is_nothing_against_the_address(answer, hard):
    assert undeliverable.is_hard(answer) is hard


def test_health_tells_backlog_beat_and_worker(one, clock):
    clock.move_to(DUE + timedelta(minutes=1))
    silent = outbox.health()
    heartbeats.hold(heartbeats.BEAT, "one", lasts=timedelta(minutes=3))
    half = outbox.health()
    heartbeats.note(heartbeats.WORKER)

    assert (silent.backlog, silent.oldest_due_at, silent.last_beat_at) == (1, DUE, None)
    assert (silent.is_late, half.is_late, outbox.health().is_late) == (True, True, False)
    assert (half.is_beat_silent, half.is_worker_silent) == (False, True)
    assert Heartbeat.objects.count() == 2


def test_command_lists_who_would_get_what_and_why(visits):
    visit = visits(1)[0]
    out = io.StringIO()

    call_command("send_due_messages", "--dry-run", "--at", DUE.isoformat(), stdout=out)

    assert out.getvalue().splitlines() == [
        f"would be sent: {visit.patient.email}: Your visit on Monday, January 4 at 9:00 AM EST (a visit was booked)",
        "1 due.",
    ]


def test_command_lists_what_cannot_be_written_with_the_reason_and_goes_on(visits, monkeypatch):
    broken, sound = visits(2)
    compose = reminders.compose

    def stumble(message):
        if message.about_id == broken.pk:
            raise KeyError("a template's mistake")
        return compose(message)

    monkeypatch.setattr(reminders, "compose", stumble)
    out = io.StringIO()

    call_command("send_due_messages", "--dry-run", "--at", DUE.isoformat(), stdout=out)

    first, second, last = out.getvalue().splitlines()
    assert first.startswith("would be waiting to be tried again: nobody: visit-booked (a visit was booked)")
    assert first.endswith("It could not be written: KeyError.")
    assert second.startswith(f"would be sent: {sound.patient.email}: ")
    assert last == "2 due."
    assert not Message.objects.exists()


@pytest.mark.parametrize("at", ["soon", "2027-01-04T09:00"])
def test_command_refuses_an_instant_that_is_none(db, at):
    with pytest.raises(CommandError, match="--at must"):
        call_command("send_due_messages", "--at", at)


def test_token_command_prints_a_token_of_that_user(desk):
    out = io.StringIO()

    call_command("create_api_token", desk.email.upper(), stdout=out)

    assert tokens.find_api_token(out.getvalue().strip()).user == desk


def test_token_command_refuses_an_unknown_address(db):
    with pytest.raises(CommandError, match="No active user"):
        call_command("create_api_token", "nobody@example.org")


BOOK_FIFTY = """
import django; django.setup()
from datetime import timedelta
from appointments import booking
from clinic import times
from clinic.models import Message
from tests import make
place = make.location("atlanta", rooms=6)
desk, kind = make.user("desk", place), make.appointment_type()
chiros = [make.practitioner(place) for _ in range(5)]
day = place.today() + timedelta(days=7)
day += timedelta(days=-day.weekday() % 7)
for n in range(50):
    patient = make.patient(place)
    patient.consents.create(scope="email_reminders", given_at=times.now())
    booking.book(patient=patient, practitioner=chiros[n % 5], location=place, type=kind, by=desk,
                 starts_at=make.at(9, day=day) + timedelta(minutes=15 * (n // 5)))
"""
COUNT = """
import django; django.setup()
from collections import Counter
from clinic.models import Message
print(dict(Counter(Message.objects.values_list("status", flat=True))))
"""


def environment(folder, port):
    """Of processes with a database of their own: SQLite in the folder, or one on the PostgreSQL of the suite."""
    found = {**os.environ, "ATLAS_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "clinic.settings"}
    found["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    database = django_settings.DATABASES["default"]
    if database["ENGINE"].endswith("postgresql"):
        found["DATABASE_URL"] = (
            f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT'] or 5432}"
            f"/{database['NAME']}"
        )
    else:
        found.pop("DATABASE_URL", None)
    return found


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_two_senders_send_each_of_fifty_mails_once(settings, tmp_path):
    with smtp_sink(settings) as sink:
        env = environment(tmp_path, sink.port)

        def run(*arguments):
            return subprocess.run(
                [sys.executable, *arguments], cwd=ROOT, env=env, check=True, capture_output=True, text=True
            ).stdout

        run("manage.py", "migrate", "-v0")
        run("-c", BOOK_FIFTY)
        at = (times.now() + timedelta(minutes=5)).isoformat()
        senders = [
            subprocess.Popen(
                [sys.executable, "manage.py", "send_due_messages", "--at", at],
                cwd=ROOT, env=env, stdout=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]  # fmt: skip
        codes = [sender.wait(timeout=60) for sender in senders]

        assert codes == [0, 0]
        assert run("-c", COUNT).strip() == "{'sent': 50}"
    assert len(sink.copies) == len({c["Message-ID"] for c in sink.copies}) == len({c["To"] for c in sink.copies}) == 50
