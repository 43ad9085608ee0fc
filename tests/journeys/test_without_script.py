"""Pages do their work where scripts do not run: blocked, broken, or not fetched yet."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments import booking
from appointments.models import Appointment
from clinic import times, tokens
from evaluations.models import Finding
from patients import registering
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def visit(atlanta, chiro, patient, desk, adjustment):
    day = atlanta.today() + timedelta(days=14 - atlanta.today().weekday())
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(10, day=day), by=desk
    )


def test_a_visit_is_found_booked_and_confirmed(opened, desk, chiro, patient, adjustment):
    registering.index_all([patient])
    page = opened(desk, "/appointments/new/", java_script_enabled=False)

    page.get_by_label("Find the patient").fill("testerson")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("link", name=re.compile("Avery Testerson")).click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Book the visit").click()
    expect(page.get_by_text("Booked for Avery Testerson")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()

    expect(page.locator(".badge-status.is-confirmed").first).to_be_visible()
    assert Appointment.objects.get().status == "confirmed"


def test_an_evaluation_is_saved(opened, chiro, patient):
    page = opened(chiro.user, f"/patients/{patient.pk}/", java_script_enabled=False)

    page.get_by_role("button", name="Start evaluation").click()
    page.get_by_role("button", name="Answer no to all the rest").click()
    expect(page.get_by_role("link", name=re.compile("^Red flags done"))).to_be_visible()
    page.get_by_role("textbox", name="Pulse", exact=True).fill("72")
    page.get_by_label("Status of Weight", exact=True).select_option(label="refused")
    page.get_by_label("Reason for Weight", exact=True).fill("declined")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".notice", has_text="Saved")).to_be_visible()

    assert [(f.code, f.status, f.value) for f in Finding.objects.order_by("code")] == [
        ("heart_rate", "assessed", 72), ("weight", "refused", None)
    ]  # fmt: skip


def test_enter_in_a_field_saves_and_answers_nothing(opened, chiro, patient):
    page = opened(chiro.user, f"/patients/{patient.pk}/", java_script_enabled=False)
    page.get_by_role("button", name="Start evaluation").click()

    page.get_by_role("textbox", name="Pulse", exact=True).fill("72")
    page.get_by_role("textbox", name="Pulse", exact=True).press("Enter")
    expect(page.locator(".notice", has_text="Saved")).to_be_visible()

    assert Finding.objects.get().value == 72
    assert not patient.red_flag_answers.exists()


def test_a_patient_confirms_and_then_cancels_from_the_mail(browser, live_server, visit):
    link = tokens.issue_link(purpose="visit", on=visit, expires_at=times.now() + timedelta(days=30))
    page = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640}).new_page()

    page.goto(f"{live_server.url}/my/visits/{link}/")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("we expect you")).to_be_visible()
    page.get_by_label("Your birth date").fill("1991-11-13")
    page.get_by_role("button", name="Cancel this visit").click()
    expect(page.get_by_text("This is not the birth date we have. 4 tries left.")).to_be_visible()
    page.get_by_label("Your birth date").fill("1991-11-14")
    page.get_by_role("button", name="Cancel this visit").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("cancelled")

    visit.refresh_from_db()
    assert visit.status == "cancelled"
