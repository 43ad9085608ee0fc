"""Mails to patients under a plan, as the plan goes on: found by the hour, one in two weeks, and true when sent."""

from datetime import date, time, timedelta

import pytest
import time_machine

from appointments import booking
from appointments.models import Appointment
from appointments.recurring import placing, proposals
from appointments.recurring import series as visits
from appointments.recurring.patterns import Pattern, Stretch
from careplans import reminders
from careplans.models import CarePlan
from clinic import delivery, outbox, times
from clinic.models import Message
from evaluations.catalogue import RED_FLAGS
from evaluations.models import Evaluation
from evaluations.safety import red_flags
from locations import mail_rules
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
MORNING = make.at(10)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock(db):
    with time_machine.travel(NOW, tick=False) as travel:
        outbox.begin(NOW - timedelta(hours=1))
        outbox.send_due()
        yield travel


@pytest.fixture
def running(atlanta, chiro, adjustment, desk):
    """A plan of two visits a week for four weeks from Monday, of which so many are booked."""

    def act(booked=0, **person):
        patient = make.patient(atlanta, **person)
        patient.consents.create(scope="email_reminders", given_at=NOW)
        evaluation = Evaluation.objects.create(
            patient=patient, location=atlanta, started_by=chiro.user, started_at=times.now() - DAY
        )
        red_flags.answer(patient=patient, evaluation=None, answers=dict.fromkeys(RED_FLAGS, "no"), by=chiro.user)
        pattern = Pattern(make.MONDAY, (Stretch(2, 4),), (0, 2), time(10))
        begun = visits.begin(
            patient=patient, type=adjustment, practitioner=chiro, location=atlanta, pattern=pattern, by=desk
        )
        if booked:
            asked = placing.owed(begun, weekdays=[0, 2], at_time=time(10), stretch=1)
            visits.place(begun, proposals.accept(asked.propose()), pattern=asked.pattern, days=asked.days, by=desk)
            spare = Appointment.objects.order_by("starts_at").values_list("pk", flat=True)[booked:]
            Appointment.objects.filter(pk__in=list(spare)).update(status="cancelled")
        return CarePlan.objects.create(
            patient=patient, evaluation=evaluation, location=atlanta, practitioner=chiro, starts_on=make.MONDAY,
            status=CarePlan.Status.ACTIVE, series=begun, created_by=chiro.user, created_at=times.now(),
            activated_at=times.now(), reevaluate_by=date(2027, 2, 1),
        )  # fmt: skip

    return act


def told():
    return [row.kind for row in Message.objects.filter(kind__in=reminders.KINDS).order_by("due_at")]


def sweep(clock, at):
    clock.move_to(at)
    outbox.send_due()


def test_who_has_no_visit_for_a_week_is_written_to_once(running, clock, mailoutbox):
    running()

    sweep(clock, MORNING + 6 * DAY)
    before = told()
    for days in range(7, 12):
        sweep(clock, MORNING + days * DAY)

    assert (before, told()) == ([], ["no-future-visit"])
    assert mailoutbox[-1].subject == "Please book your next visit"
    assert "You have no visit booked with us at the moment." in mailoutbox[-1].body


def test_the_mail_goes_out_in_the_morning_of_an_open_day(running, clock):
    running()

    for hour in range(24 * 6, 24 * 9):
        sweep(clock, make.at(0) + timedelta(hours=hour))

    assert [times.local(row.due_at, "America/New_York").hour for row in Message.objects.all()] == [10]


def test_who_runs_out_of_visits_is_written_to(running, clock):
    running(booked=1)

    sweep(clock, MORNING - 3 * DAY)

    assert told() == ["plan-running-out"]


def test_a_re_evaluation_goes_before_all_else(running, clock, mailoutbox):
    running()

    sweep(clock, make.at(10, day=date(2027, 1, 25)))

    assert told() == ["re-evaluation-due"]
    assert "It is time for a longer visit" in mailoutbox[-1].body


def test_with_an_evaluation_ahead_nobody_is_written_to(running, clock, chiro, atlanta, evaluation_type, desk):
    plan = running()
    booking.book(
        patient=plan.patient, practitioner=chiro, location=atlanta, type=evaluation_type,
        starts_at=make.at(10, day=date(2027, 2, 8)), by=desk,
    )  # fmt: skip

    sweep(clock, make.at(10, day=date(2027, 1, 25)))

    assert told() == []


@pytest.mark.parametrize("name", ["no-future-visit", "re-evaluation-due"])
def test_a_kind_that_is_off_gives_way_to_the_next(running, clock, owner, name):
    running()
    mail_rules.set_rule(name, None, is_on=False, number=7, by=owner)

    sweep(clock, make.at(10, day=date(2027, 1, 25)))

    assert told() == [{"no-future-visit": "re-evaluation-due", "re-evaluation-due": "no-future-visit"}[name]]


def test_what_changes_between_finding_and_sending_is_seen(running, clock, chiro, atlanta, adjustment, desk):
    plan = running()
    at = MORNING + 8 * DAY
    clock.move_to(at)
    outbox._owe(outbox._find(at))
    CarePlan.objects.filter(pk=plan.pk).update(status="on_hold")

    delivery.send_claimed(at)

    row = Message.objects.get(kind="no-future-visit")
    assert (row.status, row.reason) == ("skipped", "It is no longer so: something was booked or changed.")


def test_within_an_hour_it_is_asked_once_and_nothing_is_lost(running, clock, django_assert_num_queries):
    running()
    at = MORNING + 8 * DAY

    with django_assert_num_queries(2):  # mailed pages and what the desk asked for, which do not wait for the hour
        again = reminders.due(at + timedelta(minutes=59), at - outbox.OVERLAP)
    clock.move_to(at)

    assert again == []
    assert len(reminders.due(at, at - outbox.OVERLAP - timedelta(minutes=1))) == 1


def test_the_number_of_questions_does_not_grow_with_the_plans(running, clock, django_assert_max_num_queries):
    for _ in range(3):
        running()
    at = MORNING + 8 * DAY
    clock.move_to(at)

    with django_assert_max_num_queries(14):
        found = reminders.due(at, at - 2 * DAY)

    assert len(found) == 3
