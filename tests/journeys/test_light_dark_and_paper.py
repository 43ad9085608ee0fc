"""Pages of patients in the dark, and what comes out of a printer."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments import booking
from clinic import times, tokens
from evaluations import recording
from tests import make
from tests.journeys import walking

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def luminance(page, selector, what):
    """From 0 (black) to 255 (white) of a computed colour."""
    colour = page.locator(selector).first.evaluate(f"element => getComputedStyle(element).{what}")
    red, green, blue = (float(n) for n in colour.strip("rgba()").split(",")[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.fixture
def link(atlanta, chiro, patient, desk, adjustment):
    day = atlanta.today() + timedelta(days=14 - atlanta.today().weekday())
    visit = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(10, day=day), by=desk
    )
    return f"/my/visits/{tokens.issue_link(purpose='visit', on=visit, expires_at=times.now() + timedelta(days=30))}/"


@pytest.mark.parametrize("address", ["the link", "/my/nowhere/"])
def test_a_patients_page_is_dark_where_the_device_is(browser, live_server, link, address):
    window = {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}, "base_url": live_server.url}
    page = browser.new_context(**window).new_page()

    page.goto(link if address == "the link" else address)

    assert luminance(page, "body", "backgroundColor") < 60 < 180 < luminance(page, "h1", "color")
    assert walking.violations(page) == []


def test_a_staff_page_stays_light(opened, desk):
    page = opened(desk, "/patients/", color_scheme="dark")

    assert luminance(page, "body", "backgroundColor") > 200


@pytest.mark.parametrize("part", ["print/", "?part=posture"])
def test_paper_has_the_record_and_not_the_frame(opened, chiro, patient, atlanta, part):
    evaluation = recording.start(patient=patient, location=atlanta, by=chiro.user)
    findings = [{"code": "craniovertebral_angle", "value": 46.5}]
    recording.save(evaluation, findings=findings, version=evaluation.version, by=chiro.user)
    page = opened(chiro.user, f"/evaluations/{evaluation.pk}/{part}")

    page.emulate_media(media="print")

    for frame in (".rail", ".topbar", ".no-print", ".page-actions", ".entry-bar"):
        for piece in page.locator(frame).all():
            expect(piece).to_be_hidden()
    expect(page.get_by_text("Craniovertebral angle (CVA)").first).to_be_visible()
    assert luminance(page, "body", "backgroundColor") > 254
    assert len(page.pdf(format="Letter")) > 1000
