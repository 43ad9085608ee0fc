"""Whether somebody is a patient is said in the mail alone, which only the owner of the address reads."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments import visit_status
from appointments.models import Appointment, BookingRequest, Hold
from clinic import outbox, undeliverable
from patients import intake, mail_choices, mails, registering
from patients.models import Patient
from tests import make
from tests.access.addresses import nothing_stays


@pytest.fixture
def avery(atlanta):
    """A patient of many years, whose name is typed by others in another way."""
    person = make.patient(atlanta, given="Ávery", family="TESTERSON", email="Avery@Example.org")
    registering.index_all([person])
    return person


def test_known_and_unknown_get_the_same_answer_in_the_same_queries(form, avery):
    answers = []
    for email in ("stranger@example.org", "avery@example.org"):
        sent = form(email=email)
        with CaptureQueriesContext(connection) as asked:
            answer = Client(REMOTE_ADDR=f"198.51.100.{len(answers)}").post(reverse("book-time"), sent)
            page = Client().get(answer["Location"])
        statements = [re.sub(r"\d+|'[^']*'", "?", one["sql"]) for one in asked]
        answers.append((answer.status_code, re.sub(r"s=.*", "", answer["Location"]), page.content, statements))
        BookingRequest.objects.all().delete()
        Hold.objects.all().delete()

    assert shown(answers[0][2]) == shown(answers[1][2])
    assert answers[0][:2] == answers[1][:2] == (302, "/book/sent/?")
    assert answers[0][3] == answers[1][3]


def shown(page):
    """What is read of a page; the clock has moved on by some seconds between two of them."""
    return re.sub(rb"\?[^\"]*|\d+:\d\d [AP]M", b"", page)


def _is_not_known(avery, taken):
    Patient.objects.filter(pk=avery.pk).update(email="other@example.org")


def _bounced(avery, taken):
    undeliverable.flag(avery.email, kind="bounced", reason="550 5.1.1 No such user")


def _stopped(avery, taken):
    for topic in mail_choices.Topic:
        mail_choices.stop(avery, topic, by=None, by_whom="patient")


def _has_a_visit(avery, taken):
    taken(14, avery)


def test_whoever_it_is_the_answer_is_the_same_and_one_mail_goes_out(send, avery, taken, mailoutbox):
    """Status, headers, cookies, the page, the number of mails."""
    told = []
    for happened in (_is_not_known, lambda *_: None, _bounced, _stopped, _has_a_visit):
        with nothing_stays():
            happened(avery, taken)
            outbox.begin()
            mailoutbox.clear()
            answer = send()
            page = Client().get(answer["Location"])
            outbox.send_due()
            heads = {**answer.headers, "Location": re.sub(r"s=.*", "", answer["Location"])}
            told.append((answer.status_code, heads, answer.cookies.output(), shown(page.content), len(mailoutbox)))

    assert [one for one in told if one != told[0]] == []
    assert (told[0][0], told[0][-1]) == (302, 1)


def test_no_page_says_whether_somebody_is_known(client, form, avery):
    pages = {}
    for email in ("stranger@example.org", "avery@example.org"):
        wrong = client.post(reverse("book-time"), form(email=email, phone="1"))
        pages[email] = re.sub(r'value="[^"]*"', "", wrong.content.decode())

    assert pages["stranger@example.org"] == pages["avery@example.org"]


def test_the_mail_alone_says_that_the_patient_is_known(client, link, avery, mailoutbox):
    url = link()
    client.post(url, {"step": "book"})

    assert "You are our patient already" in mailoutbox[0].body
    assert "Avery" not in mailoutbox[0].body  # nothing that was typed
    assert Appointment.objects.get().patient == avery
    assert Patient.objects.count() == 1
    assert BookingRequest.objects.get().was_known is True


@pytest.mark.parametrize(
    "changes", [{"birth_date": "1991-11-15"}, {"given_name": "Ava"}, {"email": "stranger@example.org"}]
)
def test_who_differs_in_anything_is_somebody_new_and_listed_for_the_desk(
    client, link, avery, desk, sign_in, mailoutbox, changes
):
    client.post(link(**changes), {"step": "book"})

    assert "already" not in mailoutbox[0].body
    assert Patient.objects.count() == 2
    listed = sign_in(desk).get(reverse("worklists"), {"list": "online"}).content.decode()
    assert "New patient" in listed
    assert "May be the same" in listed
    assert reverse("patient", args=[avery.pk]) in listed


def test_of_a_known_patient_nothing_said_before_is_overwritten(client, link, avery):
    intake.record(avery, {"neck_indicators": {"neck_stiff_before": "no"}}, by=None, by_whom="patient")
    client.post(link(phone="404 555 0199"), {"step": "book"})

    avery.refresh_from_db()
    assert (avery.given_name, str(avery.phone)) == ("Ávery", "")
    assert avery.intake.answers["neck_indicators"] == {"neck_stiff_before": "no", "after_load_or_bag": "no"}


def test_a_second_visit_of_the_kind_is_not_booked(client, link, avery, taken):
    taken(14, avery)
    url = link()
    refused = client.post(url, {"step": "book"})

    assert refused.status_code == 409
    assert "You have such a visit already: Monday, January 4, 2027 at 2:00 PM EST" in refused.content.decode()
    assert Appointment.objects.count() == 1


def test_the_mail_of_a_request_stands_with_the_patient_once_that_is_known(client, link, avery):
    client.post(link(), {"step": "book"})

    assert mails.to_patient(avery).get(kind="booking-asked").status == "sent"


def test_yes_takes_up_what_was_stopped_and_no_ends_it(client, link, avery, clock):
    for topic in mail_choices.Topic:
        mail_choices.stop(avery, topic, by=None, by_whom="patient")
    client.post(link(), {"step": "book"})
    resumed = mail_choices.stopped_by(avery)
    visit_status.take("cancel", Appointment.objects.get(), by=None, by_whom="patient", reason="Ill")
    agreed = avery.consents.filter(withdrawn_at=None).count()
    client.post(link(wants_mails="no"), {"step": "book"})

    assert resumed == [mail_choices.Topic.FOLLOW_UPS, mail_choices.Topic.OFFERS]
    assert (agreed, avery.consents.filter(withdrawn_at=None).count()) == (1, 0)


def test_an_address_that_failed_gets_the_mail_it_asked_for_and_works_again_once_it_is_read(
    client, link, avery, mailoutbox
):
    undeliverable.flag(avery.email, kind="bounced", reason="550 5.1.1 No such user")
    url = link()
    before = undeliverable.among([avery.email])
    client.post(url, {"step": "book"})

    assert len(mailoutbox) == 1
    assert (len(before), undeliverable.among([avery.email])) == (1, {})


def test_who_reported_our_mails_gets_none_whoever_types_the_address(send, avery, mailoutbox):
    undeliverable.flag(avery.email, kind="complained", reason="reported")
    answer = send()
    outbox.send_due()

    assert (answer.status_code, mailoutbox) == (302, [])
