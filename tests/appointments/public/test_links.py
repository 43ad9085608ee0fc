"""The link in the mail: opened, pressed, pressed again, too late, or never."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from appointments import visit_status
from appointments.models import Appointment, BookingRequest, Hold
from appointments.online import public_booking, public_times
from clinic import tokens
from clinic.models import Link, Message
from patients.models import Patient
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
WHEN = make.at(10)


def rows():
    models = (BookingRequest, Patient, Appointment, Hold, Link, Message)
    return [model.objects.count() for model in models]


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_any_page_changes_nothing(client, link, slot, method):
    url = link()
    before = rows()

    pages = [url, reverse("book"), f"{reverse('book')}?at=atlanta", reverse("book-check"),
             f"{reverse('book-time')}?type=evaluation&slot={slot.replace('|', '%7C')}"]  # fmt: skip
    answers = [getattr(client, method)(address) for address in pages]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert answers[0]["Referrer-Policy"] == "no-referrer"
    assert rows() == before


def test_links_that_are_no_good_look_all_the_same(client, link, clock, robin, patient):
    url = link()
    visit = tokens.issue_link(purpose="visit", on=patient, expires_at=NOW + timedelta(days=9))
    pages = [client.get(reverse("book-confirm", args=[token])) for token in ("x", "a" * 43, "%00", visit)]
    client.post(url, {"step": "book"})
    pages += [client.get(url), client.post(url, {"step": "drop"})]
    clock.shift(tokens.AGAIN_FOR)
    pages += [client.get(url), client.post(url, {"step": "book"})]

    assert {page.status_code for page in pages} == {410}
    assert len({re.sub(rb"<p class=.book-language.*", b"", page.content) for page in pages}) == 1
    assert Appointment.objects.count() == 1
    assert "Avery" not in pages[-1].content.decode()


def test_a_button_pressed_twice_shows_what_the_first_press_booked(client, link, desk, clock):
    url = link()
    first = client.post(url, {"step": "book"}).content.decode()
    again = client.post(url, {"step": "book"}).content.decode()
    visit = Appointment.objects.get()

    assert "Your visit is booked" in first
    assert re.sub("/my/visits/[^/]+/", "", again) == re.sub("/my/visits/[^/]+/", "", first)
    visit_status.take("cancel", visit, by=desk, reason="Ill")
    assert client.post(url, {"step": "book"}).status_code == 410


def test_a_link_ends_after_a_day(client, link, clock):
    url = link()
    clock.shift(timedelta(days=1))

    assert client.post(url, {"step": "book"}).status_code == 410
    assert not Appointment.objects.exists()


def test_after_the_hold_ran_out_the_time_is_booked_if_it_is_free(client, link, clock):
    url = link()
    clock.shift(timedelta(hours=2))

    assert client.post(url, {"step": "book"}).status_code == 200
    assert Appointment.objects.get().starts_at == WHEN


def test_a_time_that_is_gone_by_then_is_answered_with_the_nearest(client, link, clock, taken, patient):
    url = link()
    clock.shift(timedelta(hours=2))
    taken()

    seen, pressed = client.get(url), client.post(url, {"step": "book"})
    chosen = re.findall(r'name="slot"[^>]*value="([^"]+)"', pressed.content.decode())
    done = client.post(url, {"step": "book", "slot": chosen[0]})

    assert (seen.status_code, pressed.status_code, done.status_code) == (200, 409, 200)
    assert len(chosen) == public_times.NEAREST
    assert Appointment.objects.exclude(patient=patient).get().starts_at == make.at(9)


def test_it_was_not_me_gives_the_time_back_and_forgets(client, link):
    url = link()

    first, again = (client.post(url, {"step": "drop"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert "Nothing is booked" in again.content.decode()
    assert (Hold.objects.count(), BookingRequest.objects.count()) == (0, 0)
    assert Message.objects.values_list("status", "to", "subject", "text", "html").get() == ("sent", "", "", "", "")
    assert client.get(url).status_code == 410


def test_what_nobody_verified_is_forgotten(link, clock):
    link()
    clock.shift(timedelta(days=3))

    assert public_booking.forget() == 1
    assert not BookingRequest.objects.exists()
    assert not Message.objects.exclude(to="").exists()
