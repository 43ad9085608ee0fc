"""The keys of every staff page, and a booking without a hand on the mouse."""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from appointments.models import Appointment
from patients import registering

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def tab_to(page, locator, most=60):
    for _ in range(most):
        if locator.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{most} times Tab did not come to {locator}")


def test_keys_lead_to_the_pages_of_the_rail(opened, desk, chiro):
    page = opened(desk, "/")

    page.keyboard.type("gc")
    page.wait_for_url(re.compile("/calendar/"))
    page.keyboard.type("gp")
    page.wait_for_url(re.compile("/patients/"))
    page.keyboard.type("gt")
    page.wait_for_url(re.compile(r":\d+/$"))

    assert page.mistakes == []


def test_slash_goes_to_the_search_and_letters_stay_in_it(opened, desk, patient):
    page = opened(desk, "/patients/")

    page.keyboard.press("/")
    page.keyboard.type("gt n?")

    expect(page.locator("#finder")).to_be_focused()
    expect(page.locator("#finder")).to_have_value("gt n?")
    assert page.url.endswith("/patients/")


def test_question_mark_lists_the_keys_and_escape_closes_them(opened, desk):
    page = opened(desk, "/")
    keys = page.get_by_role("dialog", name="Keyboard")

    page.keyboard.press("?")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("New booking")
    page.keyboard.press("Escape")

    expect(keys).to_be_hidden()


def test_first_tab_offers_to_skip_to_the_content(opened, desk):
    page = opened(desk, "/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_a_visit_is_booked_without_a_mouse(opened, desk, chiro, adjustment, atlanta):
    registering.register(
        given_name="Noor", family_name="Keyes", birth_date=date(1990, 2, 3), home_location=atlanta, by=desk
    )
    page = opened(desk, "/")

    page.keyboard.press("n")
    page.wait_for_url(re.compile("/appointments/new/"))
    expect(page.locator("#id_q")).to_be_focused()
    page.keyboard.type("keyes")
    found = page.get_by_role("link", name=re.compile("Noor Keyes"))
    found.wait_for()
    tab_to(page, found)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("patient="))
    tab_to(page, page.get_by_role("radio").first)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    tab_to(page, page.get_by_role("button", name="Book the visit"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/appointments/\d+/"))

    expect(page.get_by_text("Booked for Noor Keyes")).to_be_visible()
    assert Appointment.objects.get().patient.family_name == "Keyes"
