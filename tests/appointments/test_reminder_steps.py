"""Which reminders are due when, by the steps of type and location; through the outbox where it matters."""

import re
from datetime import UTC, date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.http import Http404

from appointments import booking, visit_status
from appointments.mails import reminder_steps
from appointments.mails.reminder_steps import Step, timed
from appointments.models import Appointment
from clinic import delivery, outbox, times
from clinic.errors import RuleBroken
from clinic.models import Message, MessagePart
from locations.mail_hours import Calm
from patients import mail_choices
from patients import mails as patient_mails
from patients.models import Patient
from tests import make
from tests.smtp_sink import smtp_sink

EAST = "America/New_York"
NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
WEDNESDAY = make.MONDAY + timedelta(days=2)
START = make.at(10, day=WEDNESDAY)
ALWAYS = Calm(EAST, make.at(8).time(), make.at(8).time())
OFFICE = Calm(EAST, weekdays=frozenset(range(5)))


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def written_to(atlanta):
    def person(**fields):
        made = make.patient(atlanta, **fields)
        made.consents.create(scope="email_reminders", given_at=NOW)
        return made

    return person


@pytest.fixture
def book(clock, written_to, chiro, atlanta, adjustment, desk):
    """`book(start)` books a visit that the notice has told of already."""
    usual = written_to()

    def booked(starts_at=START, patient=usual, kind=adjustment):
        visit = booking.book(
            patient=patient, practitioner=chiro, location=atlanta, type=kind, starts_at=starts_at, by=desk
        )
        outbox.send_due(NOW + timedelta(minutes=3))
        return visit

    return booked


def reminders():
    return list(Message.objects.filter(kind="visit-reminder").order_by("due_at", "pk"))


def dues(steps, start, calm=ALWAYS):
    return {hours: (one.due_at, one.useless_after) for hours, one in timed(steps, start, calm).items()}


def test_each_step_is_of_use_until_the_next_shorter_one():
    found = dues([Step(72), Step(24), Step(2)], START)

    day, hour = timedelta(days=1), timedelta(hours=1)
    assert found == {
        72: (START - 3 * day, START - day), 24: (START - day, START - 2 * hour), 2: (START - 2 * hour, START)
    }  # fmt: skip


def test_a_step_for_the_unconfirmed_takes_nothing_over_from_the_longer_one():
    found = dues([Step(48), Step(24, only_unconfirmed=True)], START)

    assert found[48] == (START - timedelta(hours=48), START)


def test_a_reminder_on_a_day_off_goes_before_it():
    start = make.at(10, day=date(2027, 1, 12))  # a Tuesday: 48 hours before is Sunday

    assert dues([Step(48)], start, OFFICE)[48][0] == make.at(19, day=date(2027, 1, 8))


def test_steps_that_move_to_before_the_same_holiday_are_one():
    start = make.at(10, day=date(2027, 1, 11))  # a Monday

    assert list(dues([Step(48), Step(24), Step(1)], start, OFFICE)) == [1, 24]


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (make.at(10, day=date(2027, 3, 15)), make.at(10, day=date(2027, 3, 14))),
        (make.at(10, day=date(2027, 3, 14)), make.at(9, day=date(2027, 3, 13))),
        (make.at(8, day=date(2027, 3, 14)), make.at(19, day=date(2027, 3, 12))),
        (make.at(10, day=date(2027, 11, 7)), make.at(11, day=date(2027, 11, 6))),
        (make.at(20, day=date(2027, 11, 7)), make.at(19, day=date(2027, 11, 6))),
        (make.at(19, day=date(2027, 11, 7)), make.at(19, day=date(2027, 11, 6))),
    ],
    ids=["after_spring", "over_spring", "too_early_over_spring", "over_autumn", "too_late_over_autumn", "moved_or_not"],
)
def test_hours_are_hours_when_the_clock_changes_and_quiet_is_by_the_wall(start, due):
    assert dues([Step(24)], start.astimezone(UTC), Calm(EAST))[24][0] == due


def test_the_nearest_schedule_counts_whole(atlanta, marietta, adjustment, evaluation_type, owner):
    def put(hours, type=None, location=None):
        reminder_steps.set_steps([Step(one) for one in hours], type=type, location=location, by=owner)

    before = reminder_steps.Schedules().of(adjustment.pk, atlanta.pk)
    put([24])
    put([96, 24], type=evaluation_type)
    put([12], location=atlanta)
    put([], type=adjustment, location=marietta)
    found = reminder_steps.Schedules()

    hours = {
        (kind.slug, place.slug): [step.hours for step in found.of(kind.pk, place.pk)]
        for kind in (adjustment, evaluation_type)
        for place in (atlanta, marietta)
    }
    assert before == (Step(48), Step(2))
    assert hours == {
        ("adjustment", "atlanta"): [12], ("adjustment", "marietta"): [], ("evaluation", "atlanta"): [96, 24],
        ("evaluation", "marietta"): [96, 24],
    }  # fmt: skip
    assert found.hours() == [96, 24, 12]


def test_forgotten_steps_are_those_of_the_wider_schedule(adjustment, owner):
    own = reminder_steps.set_steps([Step(12)], type=adjustment, location=None, by=owner)

    reminder_steps.forget(own, by=owner)

    assert reminder_steps.Schedules().of(adjustment.pk, None) == reminder_steps.DEFAULT


@pytest.mark.parametrize("steps", [[Step(0)], [Step(721)], [Step(5), Step(5)], [Step(n) for n in range(1, 8)]])
def test_steps_that_make_no_sense_are_refused(owner, db, steps):
    with pytest.raises(RuleBroken) as refused:
        reminder_steps.set_steps(steps, type=None, location=None, by=owner)

    assert list(refused.value.fields) == ["steps"]


def test_who_may_set_them(atlanta, marietta, desk):
    manager = make.user("manager", atlanta)
    reminder_steps.set_steps([Step(24)], type=None, location=atlanta, by=manager)

    for place, by, refusal in ((atlanta, desk, PermissionDenied), (marietta, manager, Http404),
                               (None, manager, PermissionDenied)):  # fmt: skip
        with pytest.raises(refusal):
            reminder_steps.set_steps([Step(24)], type=None, location=place, by=by)


def test_a_change_of_the_steps_holds_for_visits_booked_before(book, owner, clock):
    book()
    reminder_steps.set_steps([Step(24)], type=None, location=None, by=owner)

    outbox.send_due(START - timedelta(hours=47))
    before = reminders()
    outbox.send_due(START - timedelta(hours=24))

    assert before == []
    assert [(one.status, one.due_at) for one in reminders()] == [("sent", START - timedelta(hours=24))]


@pytest.mark.parametrize("confirmed", [False, True])
def test_only_the_unconfirmed_are_reminded_where_the_step_says_so(book, owner, desk, clock, confirmed):
    reminder_steps.set_steps([Step(24, only_unconfirmed=True)], type=None, location=None, by=owner)
    visit = book()
    if confirmed:
        visit_status.confirm(visit, by=desk)

    outbox.send_due(START - timedelta(hours=23))

    assert [one.status for one in reminders()] == ([] if confirmed else ["sent"])


def test_confirmed_between_finding_and_sending_is_skipped(book, owner, desk, mailoutbox):
    reminder_steps.set_steps([Step(24, only_unconfirmed=True)], type=None, location=None, by=owner)
    visit = book()
    sent = len(mailoutbox)
    outbox._owe(outbox._find(START - timedelta(hours=24)))
    visit_status.confirm(visit, by=desk)

    delivery.send_claimed(START - timedelta(hours=24))

    assert [(one.status, one.reason) for one in reminders()] == [("skipped", "The patient has confirmed it.")]
    assert len(mailoutbox) == sent


def test_two_visits_of_a_day_are_one_reminder_with_the_first(book, mailoutbox):
    one, other = book(), book(START + timedelta(hours=2))
    sent = len(mailoutbox)

    for hours in (48, 46, 2, 0):
        outbox.send_due(START - timedelta(hours=hours, minutes=-1))

    assert [(m.subject, len(m.attachments)) for m in mailoutbox[sent:]] == [
        ("Reminder: 2 visits, the first on Wednesday, January 6 at 10:00 AM EST", 2)
    ] * 2
    assert MessagePart.objects.filter(message__kind="visit-reminder").count() == 4
    assert {one.pk, other.pk} == {told["visit"] for told in reminders()[0].detail["news"]}


def test_visits_of_two_days_and_of_two_patients_are_mails_of_their_own(book, written_to, mailoutbox):
    book()
    book(START + timedelta(days=1))
    book(START + timedelta(hours=1), patient=written_to())
    sent = len(mailoutbox)

    outbox.send_due(START - timedelta(hours=20))

    assert len(mailoutbox) - sent == 3


@pytest.mark.parametrize(("chose", "mails"), [((True, True), 1), ((True, False), 2), ((False, False), 2)])
def test_a_family_at_one_address_gets_a_mail_each_unless_they_chose_one(book, written_to, mailoutbox, chose, mails):
    ann, ben = (
        written_to(given=given, email=email, has_joint_mails=joint)
        for given, email, joint in (("Ann", "home@example.org", chose[0]), ("Ben", "Home@example.org", chose[1]))
    )
    book(patient=ann)
    book(START + timedelta(hours=1), patient=ben)
    sent = len(mailoutbox)

    outbox.send_due(START - timedelta(hours=48))
    outbox.send_due(START - timedelta(hours=47))

    names = [re.findall(r"For: (\w+)", mail.body) for mail in mailoutbox[sent:]]
    assert names == ([["Ann", "Ben"]] if mails == 1 else [["Ann"], ["Ben"]])
    told = {message for person in (ann, ben) for message in mails_of(person)}
    assert len(told) == mails


def mails_of(person):
    return patient_mails.to_patient(person).filter(kind="visit-reminder")


def test_one_of_a_family_who_stopped_reminders_is_left_out_of_theirs(book, written_to, desk, mailoutbox):
    ann, ben = (written_to(given=given, email="home@example.org", has_joint_mails=True) for given in ("Ann", "Ben"))
    book(patient=ann)
    book(START + timedelta(hours=1), patient=ben)
    mail_choices.stop(ann, mail_choices.Topic.REMINDERS, by=desk)

    outbox.send_due(START - timedelta(hours=48))

    assert re.findall(r"For: (\w+)", mailoutbox[-1].body) == ["Ben"]


@pytest.mark.parametrize("change", [{"email": "ben.alone@example.org"}, {"has_joint_mails": False}])
def test_who_left_the_address_meanwhile_gets_a_mail_of_their_own(settings, book, written_to, desk, mailoutbox, change):
    ann, ben = (written_to(given=given, email="home@example.org", has_joint_mails=True) for given in ("Ann", "Ben"))
    book(patient=ann)
    book(START + timedelta(hours=1), patient=ben)
    outbox._owe(outbox._find(START - timedelta(hours=48)))
    Patient.objects.filter(pk=ben.pk).update(**change)
    sent = len(mailoutbox)

    delivery.send_claimed(START - timedelta(hours=48))
    outbox.send_due(START - timedelta(hours=47))

    now_at = Patient.objects.get(pk=ben.pk).email
    told = [(mail.to[0], mail.body.count("Confirm, move or cancel")) for mail in mailoutbox[sent:]]
    assert sorted(told) == sorted([("home@example.org", 1), (now_at, 1)])
    assert [len(mails_of(person)) for person in (ann, ben)] == [1, 1]


def test_a_visit_of_the_day_that_moves_is_reminded_of_anew_and_the_other_is_not(book, desk, clock, mailoutbox):
    book()
    other = book(START + timedelta(hours=2))
    outbox.send_due(START - timedelta(hours=48))
    clock.move_to(START - timedelta(hours=47))
    booking.reschedule(other, starts_at=START + timedelta(days=5), by=desk)
    sent = len(mailoutbox)

    outbox.send_due(START - timedelta(hours=46))
    outbox.send_due(START + timedelta(days=3))

    assert [m.subject.split(" on ")[0] for m in mailoutbox[sent:]] == ["Your visit is now", "Reminder: your visit"]


def test_one_of_two_cancelled_after_finding_leaves_a_mail_about_the_other(book, desk, mailoutbox):
    book()
    other = book(START + timedelta(hours=2))
    outbox._owe(outbox._find(START - timedelta(hours=48)))
    visit_status.cancel(other, by=desk)

    delivery.send_claimed(START - timedelta(hours=48))

    assert mailoutbox[-1].subject == "Reminder: your visit on Wednesday, January 6 at 10:00 AM EST"
    assert MessagePart.objects.exclude(left_out="").get().left_out == "The visit is cancelled."


def test_a_reminder_that_comes_late_waits_for_the_morning(settings, book, clock):
    book(START + timedelta(hours=6))
    due = START - timedelta(hours=42)
    clock.move_to(make.at(3, day=WEDNESDAY - timedelta(days=1)))

    with smtp_sink(settings) as sink:
        outbox.send_due()
        at_night = reminders()[0]
        clock.move_to(make.at(8, day=WEDNESDAY - timedelta(days=1)))
        outbox.send_due()

    assert (at_night.due_at, at_night.status) == (due, "waiting")
    assert at_night.try_after == make.at(8, day=WEDNESDAY - timedelta(days=1))
    assert at_night.reason == "It waits for the end of the quiet hours."
    assert (reminders()[0].status, reminders()[0].reason) == ("sent", "")
    assert len(sink.copies) == 1


@pytest.mark.parametrize(("start", "at_night"), [(10, 0), (9, 1)])
def test_a_late_reminder_goes_out_at_night_when_the_morning_is_too_late(
    book, owner, clock, mailoutbox, start, at_night
):
    reminder_steps.set_steps([Step(24)], type=None, location=None, by=owner)
    book(make.at(start, day=WEDNESDAY))
    sent = len(mailoutbox)

    clock.move_to(make.at(5, day=WEDNESDAY))
    outbox.send_due()
    before = len(mailoutbox) - sent
    clock.move_to(make.at(8, day=WEDNESDAY))
    outbox.send_due()

    assert (before, len(mailoutbox) - sent) == (at_night, 1)


def test_every_visit_of_a_month_is_reminded_of_once_each_step_whenever_the_sweeps_come(book, clock):
    visits = [book(make.at(hour, day=WEDNESDAY + timedelta(days=day))) for day in range(0, 28, 7) for hour in (9, 16)]
    at = NOW
    while at < make.at(18, day=WEDNESDAY + timedelta(days=22)):
        at += timedelta(minutes=97)
        clock.move_to(at)
        outbox.send_due()

    told = [(one["visit"], one["hours"]) for row in reminders() for one in row.detail["news"]]
    assert sorted(told) == sorted((visit.pk, hours) for visit in visits for hours in (48, 2))
    assert {row.status for row in reminders()} == {"sent"}
    firsts = {row.pk: Appointment.objects.get(pk=row.detail["news"][0]["visit"]) for row in reminders()}
    assert all(row.sent_at < firsts[row.pk].starts_at for row in reminders())
    assert {times.local(row.due_at, EAST).hour for row in reminders()} <= set(range(8, 20))
