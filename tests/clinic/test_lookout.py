"""While nothing can have fallen due, a sweep costs one statement; a change or the time ends that."""

from datetime import timedelta

import pytest
import time_machine

from appointments.models import AppointmentEvent
from clinic import audit, outbox, times
from clinic.lookout import LOOKS_AHEAD, Lookout
from clinic.models import Message
from tests import make
from tests.faults import owed

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))


@pytest.fixture
def clock(db):
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def quiet(clock):
    lookout = Lookout()
    lookout.sweep()
    return lookout


def test_the_second_sweep_asks_once(quiet, clock, django_assert_num_queries):
    clock.shift(timedelta(minutes=1))

    with django_assert_num_queries(1):
        assert quiet.sweep() == []


def test_after_five_minutes_it_looks_at_everything(quiet, clock, monkeypatch):
    looks = []
    monkeypatch.setattr(outbox, "send_due", lambda **options: looks.append(1) or [])
    for _ in range(11):
        clock.shift(timedelta(minutes=1))
        quiet.sweep()

    assert timedelta(minutes=5) == LOOKS_AHEAD
    assert len(looks) == 2


def test_what_falls_due_meanwhile_is_sent_in_its_minute(clock, mailoutbox):
    owed.book(2, ago=timedelta(minutes=1))  # due when the grace of three minutes is over
    lookout = Lookout()
    sent = []
    for _ in range(4):
        lookout.sweep()
        sent.append(len(mailoutbox))
        clock.shift(timedelta(minutes=1))

    assert sent == [0, 0, 2, 2]


def test_a_change_is_seen_at_once(quiet, clock, mailoutbox, monkeypatch):
    owed.book(1)
    quiet.sweep()

    assert len(mailoutbox) == 1


@pytest.mark.parametrize("what", ["audit", "waiting", "clock"])
def test_whatever_may_matter_ends_the_quiet(quiet, clock, monkeypatch, what):
    looks = []
    monkeypatch.setattr(outbox, "send_due", lambda **options: looks.append(1) or [])
    if what == "audit":
        audit.record("mail_hours.set", by_whom="a test")
    elif what == "waiting":
        Message.objects.create(key="k", kind="visit-booked", message_id="<k>", due_at=NOW, try_after=NOW,
                               useless_after=NOW)  # fmt: skip
    else:
        clock.shift(timedelta(hours=-1))
    quiet.sweep()

    assert looks == [1]
    assert not AppointmentEvent.objects.exists()
    assert times.now() <= NOW
