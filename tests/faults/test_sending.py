"""Between the database and the mail server: a sender that is killed, and a server that misbehaves. Real processes."""

import pytest
from django.db import connection

from appointments import booking, visit_status
from clinic.models import Message
from tests import make
from tests.faults import owed
from tests.faults.parts import kill
from tests.faults.sink import AFTER, BEFORE, DURING

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
MAILS = 8
OVER = {"sent", "sent_maybe_twice", "bounced", "failed", "skipped", "missed"}


def all_over():
    return sum(owed.statuses().values()) >= MAILS and set(owed.statuses()) <= OVER


@pytest.mark.parametrize(("stage", "copies"), [(BEFORE, MAILS), (DURING, MAILS), (AFTER, MAILS + 1)])
def test_a_killed_sender_loses_nothing_and_doubles_only_what_was_taken_untold(sink, parts, stage, copies):
    owed.book(MAILS)
    victim = parts.sender()
    gone = "451 4.3.0 Nobody is there any more" if stage == DURING else None
    sink.when = lambda now, number: (lambda: kill(victim) or gone) if (now, number) == (stage, 4) else None
    victim.wait()
    parts.send_until(all_over)

    assert (owed.lost(sink), owed.untold(sink)) == (set(), set())
    assert sink.copies == copies
    assert owed.statuses() == {"sent": MAILS - 1, "sent_maybe_twice": 1}


def test_control_a_sender_without_marks_doubles_untold(sink, parts):
    owed.book(MAILS)
    victim = parts.sender("naive")
    sink.when = lambda now, number: (lambda: kill(victim)) if (now, number) == (AFTER, 4) else None
    victim.wait()
    parts.sender("naive").wait()

    assert len(owed.untold(sink)) == 1
    assert owed.statuses() == {"sent": MAILS}


def test_two_senders_at_once_send_each_mail_once(sink, parts):
    owed.book(MAILS)
    sink.when = lambda now, number: 0.05 if now == BEFORE else None
    for sender in [parts.sender(), parts.sender()]:
        assert sender.wait() == 0

    assert (owed.statuses(), sink.copies, sink.doubled) == ({"sent": MAILS}, MAILS, {})
    assert sink.connections <= 2


def test_control_two_senders_without_a_lease_send_twice(sink, parts):
    owed.book(MAILS)
    parts.sender("naive").wait()  # finds and sends them; then both begin with the same rows
    Message.objects.update(status="waiting")
    sink.when = lambda now, number: 0.1 if now == BEFORE else None
    for sender in [parts.sender("naive"), parts.sender("naive")]:
        sender.wait()

    assert max(sink.taken.values()) > 2


@pytest.mark.parametrize("sender", [(), ("stale",)], ids=["ours", "control"])
def test_what_moves_or_is_cancelled_once_the_mails_are_written_is_not_told_as_it_was(sink, parts, sender):
    """The last two of the batch, while its second is handed over; the control tells both of what is no longer so."""
    visits = owed.book(MAILS)
    desk = make.user("desk", visits[0].location)
    parts.environment["EMAIL_URL"] = parts.environment["EMAIL_URL"].replace("timeout=1", "timeout=10")
    parts.environment["MAIL_LEASE_SECONDS"] = "60"
    moved, cancelled = visits[-2:]

    def happens():
        booking.reschedule(moved, starts_at=moved.starts_at.replace(hour=15), by=desk)
        visit_status.take("cancel", cancelled, by=desk)
        connection.close()  # of the thread that the server asks in

    sink.when = lambda now, number: happens if (now, number) == (AFTER, 2) else None
    parts.sender(*sender).wait()

    to_both = {one.patient.email for one in (moved, cancelled)} & set(sink.to.values())
    if sender:
        assert (sink.copies, len(to_both)) == (MAILS, 2)
    else:
        assert (sink.copies, to_both) == (MAILS - 2, set())
        assert owed.statuses() == {"sent": MAILS - 2, "skipped": 2}


MISBEHAVING = {
    "later_at_first": (BEFORE, "451 4.3.2 Try later", {"sent": MAILS}, MAILS),
    "later_after_data": (DURING, "451 4.3.0 Try later", {"sent": MAILS}, MAILS),
    "refused": (DURING, "554 5.6.0 Never", {"sent": MAILS - 1, "failed": 1}, MAILS - 1),
    "hangs_up_before": (BEFORE, "hang up", {"sent": MAILS}, MAILS),
    "hangs_up_in_data": (DURING, "hang up", {"sent": MAILS - 1, "sent_maybe_twice": 1}, MAILS),
    "hangs_up_after_data": (AFTER, "hang up", {"sent": MAILS - 1, "sent_maybe_twice": 1}, MAILS + 1),
    "slow_after_data": (AFTER, 1.6, {"sent": MAILS - 1, "sent_maybe_twice": 1}, MAILS + 1),
}


@pytest.mark.parametrize("fault", MISBEHAVING)
def test_a_server_that_misbehaves_once(sink, parts, fault):
    stage, answer, ended, copies = MISBEHAVING[fault]
    owed.book(MAILS)
    sink.when = lambda now, number: answer if (now, number) == (stage, 4) else None
    parts.send_until(all_over)

    assert (owed.statuses(), sink.copies) == (ended, copies)
    assert owed.untold(sink) == set()
    assert len(owed.lost(sink)) == ended.get("failed", 0)


def test_a_server_that_refuses_tls_stops_the_sweep_and_loses_nothing(sink, parts):
    owed.book(MAILS)
    plain = parts.environment["EMAIL_URL"]
    parts.environment["EMAIL_URL"] = f"{plain}&tls=1"
    parts.sender().wait()
    put_off, reasons = owed.statuses(), set(Message.objects.values_list("reason", "attempts"))
    parts.environment["EMAIL_URL"] = plain
    parts.send_until(all_over)

    assert (put_off, len(reasons)) == ({"retry": MAILS}, 1)
    assert "refuses our settings" in str(reasons)
    assert (owed.statuses(), sink.copies) == ({"sent": MAILS}, MAILS)
