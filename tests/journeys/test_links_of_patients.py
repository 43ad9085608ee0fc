"""What patients do behind the links of mails, on a small phone without scripts; and the pages of mails for staff."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments import booking
from appointments.models import Appointment, WaitlistEntry
from clinic import times, tokens
from evaluations.intake import self_intake
from evaluations.intake.intake_questions import PARTS
from evaluations.models import RedFlagEvent, SelfIntake
from patients import intake, mail_choices
from tests import make
from tests.access import links, patient_pages, world
from tests.journeys import walking

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 320, "height": 640}


@pytest.fixture
def visit(atlanta, chiro, patient, desk, evaluation_type):
    day = atlanta.today() + timedelta(days=14 - atlanta.today().weekday())
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=evaluation_type, starts_at=make.at(10, day=day),
        by=desk,
    )  # fmt: skip


@pytest.fixture
def visit_url(live_server, visit):
    token = tokens.issue_link(purpose="visit", on=visit, expires_at=times.now() + timedelta(days=30))
    return f"{live_server.url}/my/visits/{token}/"


@pytest.fixture
def intake_url(live_server, visit):
    address = self_intake.address(visit)
    return live_server.url + address[address.index("/my/") :]


def without_script(browser):
    return browser.new_context(java_script_enabled=False, viewport=PHONE).new_page()


def test_a_visit_is_moved_and_an_earlier_day_asked_for(browser, visit, visit_url):
    page = without_script(browser)
    page.goto(visit_url)
    page.get_by_text("Tell me when an earlier day is free").click()
    page.get_by_label("Mornings").check()
    page.get_by_role("button", name="Put me on the list").click()
    expect(page.get_by_text("You are on our list for an earlier day")).to_be_visible()
    page.get_by_role("link", name="Choose another time").click()
    page.locator("details.day").nth(1).locator("summary").click()
    page.locator("details.day").nth(1).get_by_role("radio").first.check()
    page.get_by_label("Your birth date").fill("1991-11-14")
    page.get_by_role("button", name="Move my visit").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("moved")

    moved = Appointment.objects.get(pk=visit.pk)
    assert moved.starts_at != visit.starts_at
    assert WaitlistEntry.objects.get().sooner_than_id == visit.pk


def test_the_intake_is_answered_stopped_and_gone_on_with(browser, visit, intake_url):
    page = without_script(browser)
    page.goto(intake_url)
    page.get_by_label("Your birth date").fill("1991-11-14")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("link", name="Begin").click()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("group", name="Did you have surgery of the neck?").get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("How old were you when").fill("19")
    page.get_by_role("button", name="Save and stop for now").click()

    page.goto(intake_url)
    expect(page.get_by_role("listitem").filter(has_text="answered")).to_have_count(3)
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What an attack is like")
    assert intake.answers_of(visit.patient) == {"headache_onset_age": 19}
    assert SelfIntake.objects.get().parts == ["now", "before", "headache"]


def test_a_red_flag_says_at_once_what_to_do(browser, visit, intake_url):
    page = without_script(browser)
    page.goto(intake_url)
    page.get_by_label("Your birth date").fill("1991-11-14")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("link", name="Begin").click()
    page.get_by_role("group", name="Do you see double?").get_by_label("Yes").check()
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("heading", name="Call 911 now")).to_be_visible()

    assert RedFlagEvent.objects.get().code == "rf_diplopia"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_patients_are_clean_and_fit_a_small_phone(browser, visit, visit_url, intake_url, scheme):
    page = browser.new_context(viewport=PHONE, color_scheme=scheme).new_page()
    complaints = walking.watch(page)
    wrong = {}

    def look(address):
        page.goto(address)
        if found := [*walking.violations(page), *walking.sideways(page, 320)]:
            wrong[address] = found

    for address in (
        visit_url,
        f"{visit_url}move/",
        f"{visit_url}move/?with=anybody",
        f"{visit_url}subscribe/",
        intake_url,
    ):
        look(address)
    page.get_by_label("Your birth date").fill("1991-11-14")
    page.get_by_role("button", name="Go on").click()
    for address in (intake_url, *(f"{intake_url}{code}/" for code in PARTS)):
        look(address)
    page.goto(f"{intake_url}now/")
    page.get_by_role("group", name="Do you see double?").get_by_label("Yes").check()
    page.get_by_role("button", name="Save and go on").click()
    assert walking.violations(page) == []
    assert wrong == {}
    assert complaints == []


def test_every_page_of_patients_fits_a_small_phone_without_scripts(browser, live_server, transactional_db):
    side = world.build().here
    page = without_script(browser)
    measured = page.context.new_cdp_session(page)
    wrong = {}
    page.goto(f"{live_server.url}/my/intake/{side.links['intake']}/")
    page.get_by_label("Your birth date").fill(links.born(side))
    page.get_by_role("button", name="Go on").click()
    for path in (path for paths in patient_pages.opened(side).values() for path in paths if ".ics" not in path):
        answer = page.goto(live_server.url + path)
        wide = measured.send("Page.getLayoutMetrics")["cssContentSize"]["width"]
        if (answer.status, wide) != (200, PHONE["width"]):
            wrong[path] = (answer.status, wide)

    assert wrong == {}


def test_pages_of_mails_are_clean_on_screens_of_every_width(opened, owner, desk, chiro, patient):
    mail_choices.stop(patient, mail_choices.Topic.REMINDERS, by=None, by_whom="patient")
    wrong = {}
    for who, addresses in (
        (owner, ("/messages/", "/messages/tomorrow/", "/messages/addresses/", "/setup/mails/",
                 f"/setup/practitioners/{chiro.pk}/calendar/")),
        (desk, (f"/messages/patient/?patient={patient.pk}", f"/calendar/patient-feed/?patient={patient.pk}")),
    ):  # fmt: skip
        for address in addresses:
            page = opened(who, address)
            sticks_out = [one for width in (390, 820, 1366) for one in walking.sideways(page, width)]
            if found := [*walking.violations(page), *sticks_out]:
                wrong[address] = found

    assert wrong == {}
