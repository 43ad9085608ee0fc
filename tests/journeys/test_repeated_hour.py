"""The night on which the clock is put back, on the calendar: by the dialog and by the keys."""

import re
from datetime import time

import pytest
from playwright.sync_api import expect

from appointments import booking
from appointments.models import ExtraHours
from clinic import times
from tests import make
from tests.journeys import walking

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["America/New_York", "America/Chicago"])
def place(request):
    return make.location("atlanta", request.param)


@pytest.fixture
def twice(place):
    """The next hour that comes twice after the real clock."""
    today = place.today()
    years = (today.year, today.year + 1)
    return next(one for year in years for one in times.repeated_hours(year, place.time_zone) if one.day > today)


@pytest.fixture
def visit(place, twice, adjustment):
    """At three in that night."""
    chiro = make.practitioner(place)
    ExtraHours.objects.create(practitioner=chiro, location=place, day=twice.day, starts=time(0, 30), ends=time(5))
    return booking.book(
        patient=make.patient(place), practitioner=chiro, location=place, type=adjustment, by=None, by_whom="patient",
        starts_at=times.instant(twice.day, time(3), place.time_zone),
    )  # fmt: skip


def stands(visit):
    visit.refresh_from_db()
    return f"{visit.local_start:%H:%M %Z}"


def card(page, at):
    return page.get_by_role("button", name=re.compile(f"^Avery Testerson, .*, {at}"))


def test_dialog_and_keys_ask_which_of_the_two(opened, place, twice, visit):
    page = opened(make.user("desk", place), f"/calendar/?day={twice.day}")
    card(page, "3:00 AM").click()
    which = page.get_by_label("Which of the two", exact=True)
    expect(which).to_be_hidden()
    page.get_by_label(re.compile("^Time")).fill("01:30")
    page.get_by_label(re.compile("^Time")).blur()
    which.select_option(label=f"The second, 1:30 AM {twice.second}")
    assert walking.violations(page) == []
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator("#calendar-says")).to_contain_text(f"1:30 AM {twice.second}")
    assert stands(visit) == f"01:30 {twice.second}"

    card(page, f"1:30 AM – 1:45 AM {twice.second}").focus()
    for key in ("m", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    asked = page.get_by_role("dialog", name="Which of the two?")
    expect(asked).to_contain_text("1:15 AM comes twice on this day")
    assert walking.violations(page) == []
    asked.get_by_role("button", name=f"The first, 1:15 AM {twice.first}").click()
    expect(page.locator("#calendar-says")).to_contain_text(f"1:15 AM {twice.first}")
    assert stands(visit) == f"01:15 {twice.first}"

    card(page, f"1:15 AM – 1:30 AM {twice.first}").click()
    expect(which).to_have_value(twice.first)
    which.select_option(twice.second)
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator("#calendar-says")).to_contain_text(f"1:15 AM {twice.second}")
    assert stands(visit) == f"01:15 {twice.second}"
    assert page.mistakes == []
