"""A proposal in a real browser: a row that is asked for more times, and what Enter does."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from appointments.models import Appointment
from locations.models import Closure
from tests.journeys import walking

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1366, 390])
def test_more_times_for_a_row(opened, desk, patient, adjustment, chiro, atlanta, width):
    today = atlanta.today()
    monday = today + timedelta(days=14 - today.weekday())
    Closure.objects.create(location=atlanta, starts_on=monday, ends_on=monday + timedelta(9), reason="Flood")
    asked = {
        "patient": patient.pk, "type": "adjustment", "location": "atlanta", "practitioner": chiro.pk,
        "starts_on": monday, "weekdays": [0, 3], "at_time": "10:00", "per_week_1": 2, "weeks_1": 2,
    }  # fmt: skip
    page = opened(desk, f"/series/new/?{urlencode(asked, doseq=True)}", viewport={"width": width, "height": 768})
    first = page.locator("#row-1")
    expect(first).to_contain_text("Nothing else is free in this week and until the next visit.")

    first.get_by_role("button", name="More times for Visit 1").click()

    expect(first.get_by_role("radio")).not_to_have_count(1)
    expect(first).to_be_focused()
    expect(first.get_by_role("radio").first).to_be_checked()
    expect(first.get_by_role("button")).to_have_count(0)
    assert walking.violations(page) == []
    page.get_by_label("Why visits are left out").fill("Away")
    page.keyboard.press("Enter")  # books: it does not ask for more times
    expect(page.get_by_text("visits on the calendar.")).to_be_visible()
    assert Appointment.objects.count() == 3
    assert page.mistakes == []
