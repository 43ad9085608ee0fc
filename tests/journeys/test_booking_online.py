"""Somebody who is no patient yet books on a phone without scripts, and meets each page of `/book/` on the way."""

import re

import pytest
from playwright.sync_api import expect

from appointments import booking
from appointments.models import Appointment, BookingRequest, Hold
from appointments.online import public_forms
from clinic import outbox, times
from tests import make
from tests.journeys import walking

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WHO = {"given_name": "Morgan", "family_name": "Newcomer", "birth_date": "1980-02-03", "email": "morgan@example.org",
       "phone": "404 555 0123"}  # fmt: skip
LINK = re.compile(r"/book/confirm/[\w-]+/")


@pytest.fixture(autouse=True)
def robin(atlanta, chiro, evaluation_type, monkeypatch):
    """Whom anybody may book; and a program may fill in the form, for here it does."""
    monkeypatch.setattr(public_forms, "QUICKEST", public_forms.QUICKEST * 0)
    chiro.is_bookable_online = True
    chiro.save()
    return chiro


@pytest.fixture
def phone(browser, live_server):
    """`phone(locale)` is a page without scripts; `page.seen(heading)` looks at it as a reader and a small screen do."""

    def open_(locale="en-US", width=320):
        window = {"viewport": {"width": width, "height": 640}, "locale": locale, "base_url": live_server.url}
        page = browser.new_context(java_script_enabled=False, **window).new_page()
        mirror = browser.new_context(**window).new_page()  # axe is a script itself

        def seen(heading):
            expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(heading))
            walking.show(mirror, page.content())
            assert walking.violations(mirror) == []
            assert [one for wide in (320, 390) for one in walking.sideways(mirror, wide)] == []

        page.seen = seen
        page.set_default_timeout(15000)
        return page

    return open_


def fill_in(page, **fields):
    for name, typed in {**WHO, **fields}.items():
        page.locator(f"[name={name}]").fill(typed)


def mailed(live_server, mailoutbox):
    outbox.send_due()
    return live_server.url + LINK.search(mailoutbox[-1].body)[0]


def test_a_stranger_books_a_visit(phone, live_server, mailoutbox, robin):
    page = phone()
    page.goto("/book/")
    page.seen("Book a visit")
    page.get_by_role("link", name="More times at").click()
    page.seen("Book a visit")
    page.get_by_role("link", name="Later times").click()
    page.locator(".book-times a").first.click()
    page.seen("Your visit")
    page.get_by_role("button", name="Keep this time").click()
    page.seen("Your visit")
    expect(page.locator(".invalid-feedback, .book-error")).to_have_count(8)
    fill_in(page)
    page.get_by_label("Sudden").first.check()
    page.get_by_label("Yes: confirmations").check()
    page.get_by_label("The clinic may keep").check()
    page.get_by_text("Is it my neck? Thirteen questions").click()
    page.locator(".book-question").nth(1).get_by_label("Yes").check()
    page.get_by_role("button", name="Keep this time").click()
    page.seen("Call 911")
    page.get_by_label("Sudden").first.uncheck()
    page.get_by_label("None of these").check()
    page.get_by_role("button", name="Keep this time").click()
    page.seen("look into your mail")
    url = mailed(live_server, mailoutbox)
    page.goto(url)
    page.seen("Book this visit")
    page.get_by_role("button", name="Book this visit").click()
    page.seen("Your visit is booked")
    page.goto(url)
    page.seen("no longer good")
    page.go_back()

    visit = Appointment.objects.get()
    assert (visit.patient.name, visit.practitioner) == ("Morgan Newcomer", robin)


def test_somebody_who_comes_late_takes_another_time_in_spanish(phone, live_server, mailoutbox, robin, atlanta, desk):
    page = phone("es-US", width=390)
    page.goto("/book/")
    page.seen("Reservar una visita")
    page.locator(".book-places a").first.click()
    fill_in(page)
    page.locator("[name=now][value=none]").check()
    page.locator("[name=wants_mails][value=no]").check()
    page.locator("[name=agrees]").check()
    page.locator("form .btn-primary").click()
    page.seen("mire su correo")
    url = mailed(live_server, mailoutbox)
    asked = BookingRequest.objects.get()
    Hold.objects.update(held_until=times.now())
    booking.book(
        patient=make.patient(atlanta), practitioner=robin, location=atlanta, type=asked.type, starts_at=asked.starts_at,
        by=desk,
    )  # fmt: skip
    page.goto(url)
    page.seen("ya no está libre")
    page.get_by_role("radio").last.check()
    BookingRequest.objects.update(expires_at=times.now())  # it lay there for a day
    page.get_by_role("button", name="Reservar esta visita").click()
    page.seen("ya no sirve")
    page.go_back()
    BookingRequest.objects.update(expires_at=asked.expires_at)
    page.reload()
    page.get_by_role("radio").last.check()
    page.get_by_role("button", name="Reservar esta visita").click()
    page.seen("reservada")

    assert Appointment.objects.get(patient__given_name="Morgan").starts_at != asked.starts_at
