"""A visit was missed: the desk sees the rest of the series before and after, and approves it once."""

import os
import re
from datetime import time, timedelta

import pytest
from playwright.sync_api import expect

from appointments import visit_status
from appointments.models import Appointment
from appointments.recurring import rearranging, series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from clinic import times
from tests import make
from tests.journeys import walking

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def monday(atlanta):
    return atlanta.today() + timedelta(days=7 - atlanta.today().weekday())


@pytest.fixture
def begun(atlanta, chiro, adjustment, desk, patient, monday):
    """Two a week for three weeks at ten, of which the first was cancelled and the practitioner is away on the third."""
    patient.consents.create(scope="email_reminders", given_at=times.now())
    pattern = Pattern(monday, (Stretch(2, 3),), (0, 2), time(10))
    found = series.begin(
        patient=patient, type=adjustment, practitioner=chiro, location=atlanta, pattern=pattern, by=desk
    )
    rest = rearranging.of(found)
    choices = {int(line.wish.key): Choice(line.slot.starts_at, line.slot.practitioner) for line in rest.propose()}
    placed = series.place(found, choices, by=desk)
    visit_status.cancel(placed[0], by=desk, reason="Flu.")
    away = make.at(0, day=monday + timedelta(7))
    chiro.time_off.create(starts_at=away, ends_at=away + timedelta(days=1))
    return found


def test_before_beside_after_and_approved_once(opened, desk, begun):
    page = opened(desk, f"/series/{begun.pk}/")

    page.get_by_role("link", name="Arrange the rest anew").click()
    expect(page.get_by_text("6 visits to come")).to_be_visible()
    page.get_by_role("radio", name="Move everything on").check()
    page.get_by_role("button", name="Propose anew").click()
    expect(page.locator("#row-3 .moves-stuck")).to_be_visible()
    page.locator("#mails summary").first.click()
    expect(page.locator("#mails pre").first).to_contain_text("These visits have changed.")
    faults = [*walking.violations(page), *walking.sideways(page, 390), *walking.sideways(page, 820)]
    if folder := os.environ.get("PICTURES"):
        for width in (1366, 820, 390):
            page.set_viewport_size({"width": width, "height": 844})
            page.screenshot(path=f"{folder}/rearrange-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1366, "height": 768})
    page.get_by_label(re.compile("^Why")).fill("Missed the first")
    page.get_by_role("button", name=re.compile("^Approve")).click()

    expect(page.get_by_text("arranged anew.")).to_be_visible()
    assert Appointment.objects.holding_time().count() == 6
    assert begun.visits.owed().count() == 0
    assert (faults, page.mistakes) == ([], [])


def test_it_works_without_script(opened, desk, begun):
    page = opened(desk, f"/series/{begun.pk}/rearrange/", java_script_enabled=False)

    page.locator("#row-1 summary").click()
    page.locator("#row-1").get_by_role("radio", name="Leave out, stays owed").check()
    page.get_by_role("button", name="Show the mails for what is chosen").click()
    expect(page.locator("#row-1").get_by_role("radio", name="Leave out, stays owed")).to_be_checked()
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_text("1 visit left out: listed as owed until placed.")).to_be_visible()
    assert begun.visits.owed().count() == 1
