"""The three big jobs of setting up, each on its single page, by keyboard alone, with the keys counted.

Nothing is timed. An unpractised person is reckoned at half a second a key and at three seconds to read a field and
think about it; that has to stay under two minutes.
"""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments import booking
from clinic import times
from locations.models import Closure, Location, Practitioner
from tests import make
from tests.journeys.walking import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
A_KEY, A_FIELD, LONGEST = 0.5, 3, 120  # seconds


@dataclass
class Hands:
    """Hands on the keyboard: every key is counted, and every field that was filled."""

    page: object
    keys: int = 0
    fields: int = 0

    def press(self, key):
        self.page.keyboard.press(key)
        self.keys += 1

    def type(self, text):
        self.page.keyboard.type(text)
        self.keys += len(text)

    def to(self, locator, most=60):
        for _ in range(most):
            if locator.evaluate("element => element === document.activeElement"):
                return
            self.press("Tab")
        pytest.fail(f"{most} times Tab did not come to {locator}")

    def fill(self, locator, text):
        self.to(locator)
        self.type(text)
        self.fields += 1

    def tick(self, *locators):
        for locator in locators:
            self.to(locator)
            self.press("Space")
        self.fields += 1

    def open_setup(self, tab, heading):
        """From wherever one is: the page of a tab, past the frame."""
        self.type("gs")
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Clinics")
        if tab:
            self.past_the_frame()
            self.to(self.page.get_by_role("navigation", name="Setup").get_by_role("link", name=tab))
            self.press("Enter")
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)
        self.past_the_frame()

    def past_the_frame(self):
        self.press("Tab")
        self.press("Enter")

    @property
    def seconds(self):
        return self.keys * A_KEY + self.fields * A_FIELD


def test_a_clinic_like_another(opened, owner, atlanta, marietta):
    make.travel(atlanta, marietta, 35)
    page = opened(owner, "/patients/")
    hands = Hands(page)

    hands.open_setup("", "Clinics")
    hands.to(page.get_by_role("link", name="New clinic"))
    hands.press("Enter")
    expect(page.get_by_label("Set up like")).to_be_focused()
    hands.fill(page.get_by_label("Set up like"), "Atl")
    hands.fill(page.get_by_label("Minutes of driving"), "85")
    hands.fill(page.get_by_label("Name"), "Macon")
    hands.fill(page.get_by_label("Street"), "9 Example Street")
    hands.fill(page.get_by_label("City"), "Macon")
    hands.fill(page.get_by_label("State"), "GA")
    hands.fill(page.get_by_label("ZIP code"), "31201")
    hands.fill(page.get_by_label("Time zone"), "Eastern (N")
    hands.fill(page.get_by_label("Phone"), "478 555 0100")
    hands.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Macon")

    assert Location.objects.get(slug="macon").rooms.count() == atlanta.rooms.count()
    assert hands.seconds < LONGEST, hands
    assert violations(page) == []


def test_a_practitioner_at_two_clinics(opened, owner, atlanta, marietta):
    page = opened(owner, "/patients/")
    hands = Hands(page)
    first = times.today("America/New_York") + timedelta(14)

    hands.open_setup("Practitioners", "Practitioners")
    hands.to(page.get_by_role("link", name="New practitioner").first)
    hands.press("Enter")
    expect(page.get_by_label("Full name")).to_be_focused()
    hands.fill(page.get_by_label("Full name"), "Kim Newcomer")
    hands.fill(page.get_by_label("E-mail"), "kim@example.org")
    hands.fill(page.get_by_label("First day of work"), f"{first:%m%d%Y}")
    for number, clinic, days in ((1, "Atl", ("Mo", "Tu")), (2, "Mar", ("Th",))):
        block = page.get_by_role("region", name=f"Clinic {number}")
        hands.fill(block.get_by_label(f"Clinic {number}"), clinic)
        row = block.get_by_role("group", name="Hours 1")
        hands.tick(*(row.get_by_role("checkbox", name=day) for day in days))
        hands.fill(row.get_by_label("From"), "0900AM")
        hands.fill(row.get_by_label("To"), "0500PM")
    hands.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kim Newcomer, DC")

    kim = Practitioner.objects.get()
    worked = {(row.location.slug, row.weekday, row.starts.hour, row.ends.hour) for row in kim.weekly_hours.all()}
    assert worked == {("atlanta", 0, 9, 17), ("atlanta", 1, 9, 17), ("marietta", 3, 9, 17)}
    assert {row.valid_from for row in kim.weekly_hours.all()} == {first}
    assert hands.seconds < LONGEST, hands
    assert violations(page) == []


def test_a_holiday_over_all_clinics(opened, owner, atlanta, nashville, chiro, desk, patient, adjustment):
    day = times.today("America/New_York") + timedelta(7)
    day += timedelta(-day.weekday() % 7)  # a Monday: the practitioner works
    booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(9, day=day), by=desk
    )
    page = opened(owner, "/patients/")
    hands = Hands(page)

    hands.open_setup("Closures", "Closures")
    hands.fill(page.get_by_label("What for"), "Founders' day")
    hands.fill(page.get_by_label("First day"), f"{day:%m%d%Y}")
    hands.press("Tab")
    expect(page.get_by_text("1 visit on these days")).to_be_visible()
    hands.to(page.get_by_role("button", name="Close on these days"))
    hands.press("Enter")
    expect(page.get_by_text("1 visit to move")).to_be_visible()
    expect(page.get_by_role("link", name=f"{day:%a, %b} {day.day}, 9:00 AM")).to_be_visible()

    assert Closure.objects.get().location is None
    assert hands.seconds < LONGEST, hands
    assert violations(page) == []
