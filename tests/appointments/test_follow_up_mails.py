"""Mails that nobody asked for at the moment: after a missed visit, before a first one, by the rules of the clinic."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.http import Http404

from appointments import booking, visit_status
from clinic import delivery, outbox
from clinic.errors import RuleBroken
from clinic.models import Message
from locations import mail_rules
from patients import intake
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
START = make.at(10)


@pytest.fixture(autouse=True)
def clock(db):
    with time_machine.travel(NOW, tick=False) as travel:
        outbox.begin(NOW - timedelta(hours=1))
        yield travel


@pytest.fixture
def patient(atlanta):
    person = make.patient(atlanta)
    person.consents.create(scope="email_reminders", given_at=NOW)
    return person


@pytest.fixture
def book(patient, chiro, atlanta, desk):
    def booked(kind, starts_at=START):
        return booking.book(
            patient=patient, practitioner=chiro, location=atlanta, type=kind, starts_at=starts_at, by=desk
        )

    return booked


@pytest.fixture
def missed(book, adjustment, desk, clock):
    """A visit on Monday at ten that was closed as missed at eleven."""
    visit = book(adjustment)
    clock.move_to(make.at(11))
    return visit_status.no_show(visit, by=desk)


def told(kind="missed-visit"):
    return list(Message.objects.filter(kind=kind).values_list("status", "reason"))


def test_who_missed_a_visit_is_written_to_some_hours_later(missed, clock, mailoutbox):
    outbox.send_due(make.at(12, 59))
    before = told()
    outbox.send_due(make.at(13))
    outbox.send_due(make.at(14))

    assert (before, told()) == ([], [("sent", "")])
    assert mailoutbox[-1].subject == "We missed you"
    assert "We expected you on Monday, January 4 at 10:00 AM EST" in mailoutbox[-1].body
    assert "Questions? Call +1 404 555 0100" in mailoutbox[-1].body


def test_missed_late_in_the_day_is_told_the_next_morning(book, adjustment, desk, clock, mailoutbox):
    visit = book(adjustment, make.at(16, 45))
    clock.move_to(make.at(18, 30))
    visit_status.no_show(visit, by=desk)

    outbox.send_due(make.at(23))
    before = told()
    outbox.send_due(make.at(8, day=make.MONDAY + timedelta(days=1)))

    assert (before, told()) == ([], [("sent", "")])


def test_who_has_another_visit_is_not_written_to(missed, book, adjustment):
    book(adjustment, START + timedelta(days=2))

    outbox.send_due(make.at(13))

    assert told() == []


def test_what_changes_between_finding_and_sending_is_seen(missed, book, adjustment, desk):
    outbox._owe(outbox._find(make.at(13)))
    book(adjustment, START + timedelta(days=2))

    delivery.send_claimed(make.at(13))

    assert told() == [("skipped", "The patient has another visit.")]


def test_a_kind_that_is_off_is_not_sent_there_and_is_elsewhere(missed, atlanta, marietta, owner):
    mail_rules.set_rule("missed-visit", atlanta, is_on=False, number=2, by=owner)
    rules = mail_rules.Rules()

    outbox.send_due(make.at(13))

    assert told() == []
    assert [rules.of("missed-visit", place.pk).is_on for place in (atlanta, marietta)] == [False, True]


def test_switched_off_between_finding_and_sending_is_not_sent(missed, owner):
    outbox._owe(outbox._find(make.at(13)))
    mail_rules.set_rule("missed-visit", None, is_on=False, number=2, by=owner)

    delivery.send_claimed(make.at(13))

    assert told() == [("skipped", "These mails were switched off since.")]


def test_who_has_told_nothing_is_asked_before_an_evaluation(book, evaluation_type, patient, clock, mailoutbox):
    book(evaluation_type, START + timedelta(days=8))

    outbox.send_due(START + timedelta(days=4))
    before = told("intake-request")
    outbox.send_due(START + timedelta(days=5))

    assert (before, told("intake-request")) == ([], [("sent", "")])
    assert mailoutbox[-1].subject == "Before your first visit"


def test_who_told_of_the_neck_on_the_public_page_is_asked_all_the_same(book, evaluation_type, patient):
    """It is asked there before the visit is booked; the questions of the intake are others."""
    intake.record(patient, {"neck_indicators": {"neck_stiff_before": "yes"}}, by=None, by_whom="patient")
    book(evaluation_type, START + timedelta(days=3))

    outbox.send_due(START)

    assert told("intake-request") == [("sent", "")]


def test_the_forecast_knows_of_it_although_the_visit_comes_before_the_end_of_tomorrow(book, evaluation_type, clock):
    clock.move_to(make.at(9, day=make.MONDAY - timedelta(days=3)))
    book(evaluation_type, START)
    clock.move_to(make.at(9, 5, day=make.MONDAY - timedelta(days=3)))

    found = outbox.upcoming(make.at(12))

    assert "intake-request" in {one.kind for one in found}


def test_who_books_at_short_notice_is_asked_after_the_notice(book, evaluation_type, clock):
    clock.move_to(START - timedelta(days=3, hours=1))
    book(evaluation_type)

    outbox.send_due(START - timedelta(days=3))

    assert list(Message.objects.order_by("due_at").values_list("kind", flat=True)) == ["visit-booked", "intake-request"]


@pytest.mark.parametrize("kind", ["told", "known", "adjustment"])
def test_who_needs_not_be_asked_is_not(book, evaluation_type, adjustment, patient, kind):
    if kind == "told":
        intake.record(patient, {"lifetime_attacks": 5}, by=None, by_whom="patient")
    if kind == "known":
        book(adjustment, make.at(9)).__class__.objects.update(status="completed")
    book(adjustment if kind == "adjustment" else evaluation_type, START + timedelta(days=3))

    outbox.send_due(START)

    assert told("intake-request") == []


@pytest.mark.parametrize(("name", "number"), [("missed-visit", 0), ("missed-visit", 73), ("no-such", 2)])
def test_rules_that_make_no_sense_are_refused(owner, db, name, number):
    with pytest.raises(RuleBroken):
        mail_rules.set_rule(name, None, is_on=True, number=number, by=owner)


def test_who_may_set_them(atlanta, marietta, desk):
    manager = make.user("manager", atlanta)
    mail_rules.set_rule("missed-visit", atlanta, is_on=True, number=5, by=manager)

    for place, by, refusal in ((atlanta, desk, PermissionDenied), (marietta, manager, Http404),
                               (None, manager, PermissionDenied)):  # fmt: skip
        with pytest.raises(refusal):
            mail_rules.set_rule("missed-visit", place, is_on=True, number=2, by=by)


def test_a_forgotten_rule_is_that_of_the_group(atlanta, owner):
    mail_rules.set_rule("missed-visit", None, is_on=True, number=9, by=owner)
    mail_rules.set_rule("missed-visit", atlanta, is_on=False, number=5, by=owner)

    own = mail_rules.Rules().of("missed-visit", atlanta.pk)
    mail_rules.forget("missed-visit", atlanta, by=owner)
    after = mail_rules.Rules().of("missed-visit", atlanta.pk)

    assert (own.is_on, own.number, own.is_own) == (False, 5, True)
    assert (after.is_on, after.number, after.is_own) == (True, 9, False)
    assert after.words == "9 hours after a visit that was missed, when no other is booked."
