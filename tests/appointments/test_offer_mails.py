import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from appointments import booking, holds
from appointments.availability import Slot
from appointments.models import Appointment, Hold, Offer, WaitlistEntry
from appointments.waiting import offers
from clinic import outbox, tokens
from clinic.models import Link, Message
from patients import registering
from tests.make import MONDAY, at

NOW = at(9, day=MONDAY - timedelta(days=4))
WHEN = "Monday, January 4 at 10:00 AM EST"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def offer(waits, atlanta, chiro):
    def make_(*names, entries=()):
        entries = [*entries, *(waits(name) for name in names)]
        slot = Slot(at(10), at(10, 15), atlanta, chiro)
        return offers.make(entries, slot, minutes=60, by_whom="waitlist")

    return make_


@pytest.fixture
def url():
    def address(offer):
        token = tokens.issue_link(purpose="offer", on=offer, expires_at=offer.starts_at)
        return reverse("offer-link", args=[token])

    return address


def after_the_grace():
    return outbox.send_due(NOW + offers.GRACE)


def test_an_offer_is_mailed_after_the_grace_and_once(offer, mailoutbox):
    offer("Ann")

    outbox.send_due(NOW + offers.GRACE - timedelta(seconds=1))
    assert mailoutbox == []
    after_the_grace()
    after_the_grace()

    (mail,) = mailoutbox
    assert mail.subject == f"A time is free: {WHEN}"
    assert "We keep it for you until Thursday, December 31, 2026 at 10:03 AM EST." in mail.body
    assert "List-Unsubscribe" in mail.extra_headers


def test_no_word_about_health_or_names_in_the_subject(offer, mailoutbox, adjustment):
    offer("Ann", "Ben")
    offers.accept(Offer.objects.last(), by=None, by_whom="patient")
    after_the_grace()

    for mail in mailoutbox:
        assert not {"ann", "ben", "testerson", "adjustment", "chiro", "robin"} & set(
            re.findall(r"\w+", mail.subject.lower())
        )


def test_several_are_told_that_the_first_has_it(offer, mailoutbox):
    offer("Ann", "Ben")

    after_the_grace()

    assert len(mailoutbox) == 2
    assert all("We ask others too, and the first to answer has it." in mail.body for mail in mailoutbox)


def test_who_was_asked_in_vain_is_told(offer, mailoutbox, clock):
    first, second = offer("Ann", "Ben")
    clock.move_to(NOW + offers.GRACE)
    outbox.send_due()
    clock.shift(timedelta(minutes=5))
    offers.accept(second, by=None, by_whom="patient")

    outbox.send_due()
    outbox.send_due()

    taken = [mail for mail in mailoutbox if mail.subject.startswith("No longer free")]
    assert [(mail.subject, mail.to) for mail in taken] == [(f"No longer free: {WHEN}", [first.entry.patient.email])]
    assert "You keep your place on our list." in taken[0].body


def test_who_never_heard_of_the_time_hears_nothing(offer, mailoutbox):
    _, second = offer("Ann", "Ben")
    offers.accept(second, by=None, by_whom="patient")

    outbox.send_due(NOW + timedelta(hours=1))

    assert [mail.subject for mail in mailoutbox] == [f"Your visit on {WHEN}"]


@pytest.mark.parametrize("how", ["declined", "taken back", "held no more", "withdrawn", "no consent"])
def test_what_no_longer_stands_is_not_mailed(offer, mailoutbox, desk, how):
    (made,) = offer("Ann")
    outbox._owe(outbox._find(NOW + offers.GRACE))  # fell due, and then
    match how:
        case "declined":
            offers.decline(made, by=None, by_whom="patient")
        case "taken back":
            offers.take_back(made, by=desk)
        case "held no more":
            holds.release(made.hold)
        case "withdrawn":
            offers.take_off(made.entry, by=desk)
        case "no consent":
            registering.withdraw_consent(made.entry.patient, "email_reminders", by=desk)

    outbox.send_due(NOW + offers.GRACE)

    assert mailoutbox == []
    assert list(Message.objects.values_list("status", flat=True)) == ["skipped"]


def test_an_offer_too_late_to_send_is_missed(offer, mailoutbox, clock):
    (made,) = offer("Ann")
    clock.move_to(made.expires_at)

    outbox.send_due()

    assert mailoutbox == []
    assert Message.objects.get().status == "missed"


def test_the_link_of_the_mail_leads_to_the_offer(offer, mailoutbox, client):
    offer("Ann")
    after_the_grace()
    address = re.search(r"/my/offers/\S+", mailoutbox[0].body)[0]

    page = client.get(address).content.decode()

    assert "A time is free for you" in page
    assert address not in Message.objects.get().text  # the secret is not kept


def facts():
    return (
        list(Offer.objects.values_list("answer", "answered_at")),
        list(WaitlistEntry.objects.values_list("outcome", flat=True)),
        list(Hold.objects.values_list("pk", flat=True)),
        Appointment.objects.count(),
        list(Link.objects.values_list("revoked_at", "used_at")),
    )


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_link_changes_nothing(offer, url, client, method):
    address = url(*offer("Ann"))
    before = facts()

    assert getattr(client, method)(address).status_code == 200
    assert getattr(client, method)(address + "?step=accept").status_code == 200

    assert facts() == before


def test_one_tap_takes_the_time(offer, url):
    (made,) = offer("Ann")
    client = Client(enforce_csrf_checks=True)  # posts of the mail's page carry no cookie

    answer = client.post(url(made), {"step": "accept"})
    again = client.post(url(made), {"step": "accept"})

    assert "The time is yours" in answer.content.decode()
    assert (again.status_code, Appointment.objects.count()) == (200, 1)
    assert "The time is yours" in again.content.decode()
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")


def test_declining_says_that_the_place_is_kept(offer, url, client):
    (made,) = offer("Ann")

    page = client.post(url(made), {"step": "decline"}).content.decode()

    assert "You declined this time" in page
    assert "You keep your place on our list" in page
    assert client.post(url(made), {"step": "accept"}).status_code == 409


def test_too_late_says_who_was_first_and_nothing_about_them(offer, url, client):
    first, second = offer("Ann", "Ben")
    offers.accept(second, by=None, by_whom="patient")

    answer = client.post(url(first), {"step": "accept"})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody else took this time first." in page
    assert "Ben" not in page
    assert Appointment.objects.count() == 1


def test_leaving_the_list_by_the_link(offer, url, client):
    (made,) = offer("Ann")

    page = client.post(url(made), {"step": "leave"}).content.decode()

    assert "You are no longer on our list" in page
    assert (WaitlistEntry.objects.get().outcome, Hold.objects.count()) == ("withdrawn", 0)
    assert client.post(url(made), {"step": "leave"}).status_code == 409


def test_an_earlier_day_names_the_visit_it_replaces(
    offer, url, client, waits, patient, chiro, atlanta, adjustment, desk, mailoutbox
):
    visit = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment,
        starts_at=at(15, day=MONDAY + timedelta(days=7)), by=desk,
    )  # fmt: skip
    (made,) = offer(entries=[waits(patient=patient, sooner_than=visit)])
    after_the_grace()

    assert "instead of your visit" not in mailoutbox[-1].subject
    assert "It would take the place of your visit on Monday, January 11, 2027 at 3:00 PM EST." in mailoutbox[-1].body
    assert "Monday, January 11, 2027 at 3:00 PM EST" in client.get(url(made)).content.decode()
    client.post(url(made), {"step": "accept"})
    visit.refresh_from_db()
    assert visit.starts_at == at(10)


@pytest.mark.parametrize("posted", [{}, {"step": "confirm"}, {"step": "accept\x00"}])
def test_an_unknown_step_is_shown_the_offer(offer, url, client, posted):
    answer = client.post(url(*offer("Ann")), posted)

    assert answer.status_code == 400
    assert Offer.objects.get().answer == ""


def test_a_wrong_foreign_or_expired_link_helps_and_tells_nothing(offer, url, client, clock):
    (made,) = offer("Ann")
    address = url(made)
    foreign = reverse("offer-link", args=[tokens.issue_link(purpose="visit", on=made, expires_at=made.starts_at)])
    wrong = reverse("offer-link", args=["x" * 43])
    gone = [client.get(a) for a in (foreign, wrong)] + [client.post(a, {"step": "accept"}) for a in (foreign, wrong)]
    clock.move_to(made.starts_at)
    gone += [client.get(address), client.post(address, {"step": "accept"})]

    assert {answer.status_code for answer in gone} == {410}
    assert len({answer.content for answer in gone}) == 1
    assert not Appointment.objects.exists()


def test_the_page_of_an_offer_asks_little(offer, url, client, django_assert_max_num_queries):
    address = url(*offer("Ann", "Ben")[:1])

    with django_assert_max_num_queries(4):
        client.get(address)


def test_who_was_told_of_a_time_is_told_that_the_clinic_took_it_back(offer, mailoutbox, clock, desk):
    (made,) = offer("Ann")
    clock.move_to(NOW + offers.GRACE)
    outbox.send_due()
    offers.take_back(made, by=desk)

    outbox.send_due()
    outbox.send_due()

    assert [mail.subject for mail in mailoutbox] == [f"A time is free: {WHEN}", f"No longer free: {WHEN}"]
    assert "The time we offered you is no longer free, and we are sorry for that." in mailoutbox[1].body
