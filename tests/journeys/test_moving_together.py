"""A practitioner is ill: from the calendar to every patient told, by mouse, by keyboard, and without script."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments import booking
from appointments.models import Appointment
from clinic import times
from tests import make
from tests.journeys import walking

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def day(atlanta):
    return atlanta.today() + timedelta(days=14 - atlanta.today().weekday())


@pytest.fixture
def visits(atlanta, chiro, adjustment, desk, day):
    made = []
    for hour, given in ((10, "Ann"), (11, "Ben")):
        person = make.patient(atlanta, given=given)
        person.consents.create(scope="email_reminders", given_at=times.now())
        made.append(
            booking.book(
                patient=person, practitioner=chiro, location=atlanta, type=adjustment,
                starts_at=make.at(hour, day=day), by=desk,
            )
        )  # fmt: skip
    return made


@pytest.fixture
def colleague(atlanta):
    return make.practitioner(atlanta, name="Aaron Other")


def at_work():
    rows = Appointment.objects.order_by("starts_at").with_names()
    return [visit.practitioner.user.full_name for visit in rows]


def test_from_the_calendar_to_a_colleague_with_the_mails_seen(opened, desk, visits, colleague, day):
    page = opened(desk, f"/calendar/?day={day}")

    page.get_by_role("link", name="Move all visits of Robin Sample, DC").click()
    row = page.locator(f"#row-{visits[0].pk}")
    expect(row.get_by_role("radio", name=re.compile("Aaron Other")).first).to_be_checked()
    row.get_by_text("Change", exact=False).first.click()
    row.get_by_role("radio", name="Leave it for now").check()
    expect(page.locator("#mails .count")).to_have_text("1")  # told anew for what is chosen
    row.get_by_role("radio", name=re.compile("Aaron Other")).first.check()
    expect(page.locator("#mails .count")).to_have_text("2")
    page.locator("#mails summary", has_text="Ann").click()
    expect(page.locator("#mails pre").first).to_contain_text("With: Aaron Other")
    faults = [*walking.violations(page), *walking.sideways(page, 390)]
    page.get_by_label(re.compile("Why they move")).fill("Flu")
    page.get_by_role("button", name=re.compile("^Move the visits")).click()

    expect(page.get_by_text("2 visits moved.")).to_be_visible()
    assert at_work() == ["Aaron Other", "Aaron Other"]
    assert (faults, page.mistakes) == ([], [])


def test_it_works_without_script_too(opened, desk, visits, colleague, chiro, day):
    asked = f"/moves/?practitioner={chiro.pk}&first={day}&last={day}&which=all&to=same"
    page = opened(desk, asked, java_script_enabled=False)

    row = page.locator(f"#row-{visits[1].pk}")
    row.get_by_role("radio", name="Leave it for now").check()
    page.get_by_role("button", name="Show the mails for what is chosen").click()
    expect(page.locator("#mails .count")).to_have_text("1")
    page.get_by_role("button", name="Move the visits").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why the visits move")
    page.get_by_label(re.compile("Why they move")).fill("Flu")
    page.get_by_role("button", name="Move the visits").click()

    expect(page.get_by_text("1 visit moved.")).to_be_visible()
    expect(page.get_by_text("1 visit left where they are")).to_be_visible()
    moved, left = (visit.__class__.objects.get(pk=visit.pk) for visit in visits)
    assert moved.starts_at > visits[0].starts_at
    assert left.starts_at == visits[1].starts_at


def test_the_zone_page_shows_and_asks_before_it_changes(opened, owner, visits, atlanta):
    page = opened(owner, "/setup/clinics/atlanta/")

    page.get_by_role("link", name="Change the time zone").click()
    page.get_by_label("New time zone").select_option("America/Chicago")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_text(re.compile("then 10:00 AM C[SD]T"))).to_be_visible()
    faults = [*walking.violations(page), *walking.sideways(page, 390)]
    page.get_by_label("Why").fill("Entered wrongly")
    page.get_by_role("button", name="Change the time zone").click()

    expect(page.get_by_text("2 visits ahead keep their clock time.")).to_be_visible()
    atlanta.refresh_from_db()
    assert (atlanta.time_zone, faults, page.mistakes) == ("America/Chicago", [], [])
