"""The pages of setup that say what is in the way, in every window: nothing that axe knows, nothing that sticks out."""

import re

import pytest
from playwright.sync_api import expect

from appointments import booking
from appointments.availability import Slot
from appointments.waiting import offers, waitlist
from tests import make
from tests.journeys.walking import sideways, violations
from tests.make import MONDAY, at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WINDOWS = {"screen": (1366, 768), "tablet": (820, 1180), "telephone": (390, 844)}


@pytest.fixture
def offered(atlanta, marietta, chiro, adjustment, desk):
    """A time kept for a patient of the waitlist, and a visit, on one day; no way from one clinic to the other."""
    patient = make.patient(atlanta, given="Waits")
    entry = waitlist.add(patient, waitlist.Asked(adjustment, [atlanta]), by=None, by_whom="patient")
    slot = Slot(at(10), at(10, 15), atlanta, chiro)
    booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(11), by=desk
    )
    return offers.make([entry], slot, minutes=60, by_whom="waitlist")[0]


@pytest.mark.parametrize("window", WINDOWS)
def test_what_is_in_the_way_is_shown_without_a_fault_that_axe_knows(opened, owner, offered, chiro, window):
    width, height = WINDOWS[window]
    closing = f"/setup/closures/?reason=Flood&starts_on={MONDAY}&ends_on={MONDAY}&where=some&locations=atlanta"
    page = opened(owner, "/setup/ways/", viewport={"width": width, "height": height})
    wrong = {"ways": look(page, width)}
    expect(page.get_by_label("Atlanta – Marietta")).to_be_visible()

    page.goto(closing)
    expect(page.get_by_role("heading", name="1 offer to patients of the waitlist")).to_be_visible()
    wrong["closures"] = look(page, width)

    page.goto(f"/setup/practitioners/{chiro.pk}/")
    page.get_by_label("First day away").fill(f"{MONDAY}")
    page.locator("form:has([name=away-starts_on]) .btn-primary").click()
    expect(page.get_by_role("heading", name=re.compile("Times are kept"))).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("is kept for a patient of the waitlist.")
    wrong["kept times"] = look(page, width)

    assert wrong == {"ways": [], "closures": [], "kept times": []}
    assert page.mistakes == []


def look(page, width):
    return [*violations(page), *sideways(page, width)]
