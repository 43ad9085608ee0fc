"""The questions before a visit, sent by hand from its page."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import booking, visit_status
from clinic import outbox, undeliverable
from clinic.errors import RuleBroken
from clinic.models import AddressFault, Message
from evaluations.intake import intake_asks, self_intake
from evaluations.models import IntakeAsk
from patients import mail_choices
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def visit(patient, chiro, atlanta, evaluation_type, desk):
    patient.consents.create(scope="email_reminders", given_at=NOW)
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=evaluation_type, starts_at=make.at(10), by=desk
    )


@pytest.fixture
def pressed(visit, desk, sign_in):
    """`pressed()` is the page of the visit after the desk pressed the button."""
    return lambda: sign_in(desk).post(reverse("intake-send", args=[visit.pk]), follow=True).content.decode()


def kinds():
    return list(Message.objects.filter(kind=intake_asks.KIND).values_list("status", flat=True))


def test_the_desk_sends_the_link_and_sees_that_it_went_out(pressed, visit, sign_in, desk, mailoutbox, client):
    asked = pressed()
    outbox.send_due()
    self_intake.keep_part(visit, "now", answers={}, flags={})
    page = sign_in(desk).get(reverse("appointment", args=[visit.pk])).content.decode()

    (mail,) = [one for one in mailoutbox if one.subject == "Before your visit"]
    assert f"on their way to {visit.patient.email}" in asked
    assert "on its way" in asked
    assert "Your visit is on Monday, January 4 at 10:00 AM EST." in mail.body
    url = next(word for word in mail.body.split() if "/my/intake/" in word)
    assert client.get(url[url.index("/my/") :]).status_code == 200
    assert f"Dec 31, 9:00 AM EST, asked for by {desk}: sent" in page
    assert "1 of 7 parts are answered, last on Dec 31, 9:00 AM EST." in page
    assert IntakeAsk.objects.get().by == desk


def test_the_mail_is_in_the_language_of_the_patient(pressed, visit, mailoutbox):
    visit.patient.__class__.objects.update(language="es")
    pressed()
    outbox.send_due()

    assert mailoutbox[0].subject == "Antes de su visita"


def test_it_is_not_sent_again_and_again(visit, desk, clock):
    refused = []
    for minutes in (0, 9, 1, 10, 10, 24 * 60 - 31, 1):
        clock.shift(timedelta(minutes=minutes))
        try:
            intake_asks.ask(visit, by=desk)
            refused.append("")
        except RuleBroken as broken:
            refused.append(broken.code)

    assert refused == ["", "too_many", "", "", "too_many", "too_many", ""]


def test_an_address_that_takes_no_mail_gets_none(pressed, visit):
    undeliverable.flag(visit.patient.email, kind=AddressFault.Kind.BOUNCED, reason="550 no such user")

    assert "Mail to this address comes back: 550 no such user" in pressed()
    assert not IntakeAsk.objects.exists()


@pytest.mark.parametrize("how", ["no consent", "stopped", "cancelled", "begun"])
def test_who_is_not_to_be_written_to_is_not(visit, desk, clock, how):
    patient = visit.patient
    if how == "no consent":
        patient.consents.all().delete()
    elif how == "stopped":
        mail_choices.stop(patient, intake_asks.TOPIC, by=None, by_whom="patient")
    elif how == "cancelled":
        visit_status.take("cancel", visit, by=desk, reason="Ill")
    else:
        clock.move_to(make.at(10))
    with pytest.raises(RuleBroken) as refused:
        intake_asks.ask(visit, by=desk)

    assert refused.value.code == ("wrong_status" if how in {"cancelled", "begun"} else "unreachable")


def test_a_visit_cancelled_meanwhile_is_not_asked_about(visit, desk):
    intake_asks.ask(visit, by=desk)
    visit_status.take("cancel", visit, by=desk, reason="Ill")
    outbox.send_due()

    assert kinds() == ["skipped"]


def test_visits_without_questions_have_no_panel(visit, adjustment, sign_in, desk):
    visit.__class__.objects.update(type=adjustment)

    assert "Questions before" not in sign_in(desk).get(reverse("appointment", args=[visit.pk])).content.decode()
