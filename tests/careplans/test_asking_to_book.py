"""One click on the worklist asks the patient to book, by a mail without a word of health."""

from datetime import timedelta

import pytest

from appointments.models import FollowUp
from careplans import asking_to_book, planning
from clinic import outbox
from clinic.errors import RuleBroken
from clinic.models import Message
from tests import make, signing

HEALTH = ("plan", "care", "neck", "adjust", "migraine", "pain", "treatment", "evaluation", "health")


@pytest.fixture
def clock(time_machine):
    """A Monday morning on which mails go out."""
    time_machine.move_to(make.at(10), tick=False)
    return time_machine


@pytest.fixture
def written_to(active):
    signing.may_be_written_to(active.patient)
    return active


def test_the_mail_goes_out_and_says_nothing_of_health(clock, written_to, desk, mailoutbox):
    asking_to_book.ask(written_to, by=desk)
    clock.shift(timedelta(minutes=5))
    outbox.send_due()

    mail = mailoutbox[-1]
    assert (mail.to, mail.subject) == ([written_to.patient.email], "Please book your next visit")
    assert not any(word in mail.subject.lower() for word in HEALTH)
    assert "plan" not in mail.body.lower()


def test_in_spanish_for_who_reads_spanish(clock, written_to, desk, mailoutbox):
    type(written_to.patient).objects.update(language="es")
    asking_to_book.ask(written_to, by=desk)
    clock.shift(timedelta(minutes=5))
    outbox.send_due()

    assert "Reserve" in mailoutbox[-1].subject or "cita" in mailoutbox[-1].subject


def test_the_line_leaves_the_list_for_three_days(clock, written_to, desk):
    asking_to_book.ask(written_to, by=desk)

    call = FollowUp.objects.get()
    assert (call.about, call.again_on) == (FollowUp.About.PACE, make.MONDAY + timedelta(days=3))


def test_nobody_is_asked_twice_in_three_days(clock, written_to, desk):
    asking_to_book.ask(written_to, by=desk)
    with pytest.raises(RuleBroken) as refused:
        asking_to_book.ask(written_to, by=desk)
    assert refused.value.code == "asked_already"

    clock.shift(timedelta(days=3, minutes=1))
    asking_to_book.ask(written_to, by=desk)
    assert written_to.history.filter(step="asked_to_book").count() == 2


def test_without_a_way_to_write_nothing_is_asked(clock, active, desk):
    type(active.patient).objects.filter(pk=active.patient_id).update(email="")
    active.patient.refresh_from_db()
    with pytest.raises(RuleBroken) as refused:
        asking_to_book.ask(active, by=desk)

    assert refused.value.code == "unreachable"
    assert not FollowUp.objects.exists()


def test_a_plan_that_ended_meanwhile_is_not_written_about(clock, written_to, desk, chiro, mailoutbox):
    asking_to_book.ask(written_to, by=desk)
    planning.complete(written_to, by=chiro.user)
    before = len(mailoutbox)
    clock.shift(timedelta(minutes=5))
    outbox.send_due()

    assert len(mailoutbox) == before
    assert Message.objects.get(kind="please-book").status == "skipped"


def test_by_the_button_and_back_to_the_list(client, clock, written_to, desk):
    client.force_login(desk)
    answer = client.post(f"/care-plans/{written_to.pk}/ask-to-book/", {"next": "/worklists/pace/?location=all"})

    assert (answer.status_code, answer.url) == (302, "/worklists/pace/?location=all")
    again = client.post(f"/care-plans/{written_to.pk}/ask-to-book/", {"next": "//evil.example"}, follow=True)
    assert "already: call instead" in again.content.decode()
    assert again.redirect_chain[0][0] == "/worklists/"
