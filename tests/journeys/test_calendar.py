"""The calendar in a real browser: what a hand, a finger, a key and a second person do to it."""

import re
from datetime import time, timedelta
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import expect

from appointments import booking, holds, visit_status
from appointments.models import Appointment
from clinic import times
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AXE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
WIDE = {"width": 1366, "height": 768}


@pytest.fixture(autouse=True, scope="module")
def orm_beside_a_browser():
    """Playwright runs a loop in this thread; Django would take the tests for asynchronous code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def day(atlanta):
    """A Monday ahead of the real clock: the browser's own runs too."""
    today = atlanta.today()
    return today + timedelta(days=14 - today.weekday())


@pytest.fixture
def at(day):
    return lambda hour, minute=0, zone="America/New_York": make.at(hour, minute, day=day, zone=zone)


@pytest.fixture
def visit(atlanta, chiro, patient, desk, adjustment, at):
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), by=desk
    )


@pytest.fixture
def opened(orm_beside_a_browser, browser, live_server):
    """`opened(user, address)` is a page of a person who is signed in, each in a browser of their own."""
    expect.set_options(timeout=60_000)  # on a busy machine everything takes its time

    def open_(user, address, **options):
        client = Client()
        client.force_login(user)
        context = browser.new_context(**{"viewport": WIDE, "base_url": live_server.url, **options})
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.mistakes = []
        page.on("pageerror", lambda error: page.mistakes.append(str(error)))
        page.goto(address)
        return page

    return open_


def card(page, name="Avery Testerson"):
    return page.get_by_role("button", name=re.compile(f"^{name}, "))


def says(page):
    return page.locator("#calendar-says")


def drag(page, source, x, y):
    """By so many pixels, in steps, as a hand does."""
    box = source.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 30 + x / 2, box["y"] + box["height"] / 2 + y / 2, steps=4)
    page.mouse.move(box["x"] + 30 + x, box["y"] + box["height"] / 2 + y, steps=4)
    page.mouse.up()


def minutes(page, count):
    """Pixels of so many minutes."""
    return page.locator(".column").first.evaluate(
        "(column, count) => column.offsetHeight / ((last - first) * 60) * count".replace(
            "last - first", "JSON.parse(document.getElementById('calendar-data').textContent).last_hour"
            " - JSON.parse(document.getElementById('calendar-data').textContent).first_hour"
        ),
        count,
    )  # fmt: skip


def test_drag_moves_a_visit_and_undo_brings_it_back(opened, desk, visit, day, at):
    page = opened(desk, f"/calendar/?day={day}")

    drag(page, card(page), 0, minutes(page, 75))
    expect(says(page)).to_contain_text("Avery Testerson moved to")
    visit.refresh_from_db()
    moved = visit.starts_at
    says(page).get_by_role("button", name="Undo").click()
    expect(says(page)).to_contain_text("Taken back. Avery Testerson: booked")

    visit.refresh_from_db()
    assert (moved, visit.starts_at) == (at(11, 15), at(10))
    expect(card(page)).to_have_attribute("aria-label", re.compile("10:00 AM – 10:15 AM"))
    assert page.mistakes == []


def test_a_held_time_says_for_when_and_until_when(opened, desk, day, at, chiro, atlanta, adjustment):
    until = times.now() + timedelta(minutes=50)
    holds.place(practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(11), until=until)

    page = opened(desk, f"/calendar/?day={day}")

    expect(page.locator(".is-kept")).to_have_text(re.compile(r"^Held until .+ [AP]M for 11:00 AM$"))
    assert page.mistakes == []


def test_drag_to_another_practitioner_at_another_location(opened, atlanta, nashville, visit, day, at):
    there = make.practitioner(nashville, name="Kai Elsewhere")
    both = make.user("desk", atlanta, nashville)
    page = opened(both, f"/calendar/?day={day}&location=atlanta&location=nashville")
    expect(page.get_by_role("heading", name="Nashville CST")).to_be_visible()

    step = page.locator(".column").nth(1).bounding_box()["x"] - page.locator(".column").nth(0).bounding_box()["x"]
    drag(page, card(page), step, 0)
    expect(says(page)).to_contain_text("10:00 AM CST, Kai Elsewhere, DC")

    visit.refresh_from_db()
    assert (visit.practitioner, visit.location, visit.starts_at) == (there, nashville, at(10, zone="America/Chicago"))


def test_refused_drag_goes_back_and_offers_the_nearest(opened, desk, visit, chiro, adjustment, day, at):
    other = make.patient(visit.location, given="Kim")
    booking.book(patient=other, practitioner=chiro, location=visit.location, type=adjustment, starts_at=at(11), by=desk)
    page = opened(desk, f"/calendar/?day={day}")

    drag(page, card(page), 0, minutes(page, 60))
    refused = page.get_by_role("dialog", name="Not moved")
    expect(refused).to_contain_text("Robin Sample, DC already has a visit then.")
    expect(card(page)).to_have_attribute("aria-label", re.compile("10:00 AM – 10:15 AM"))
    refused.get_by_role("button", name=re.compile("9:00 AM|11:15 AM|10:45 AM|9:15")).first.click()
    expect(says(page)).to_contain_text("Avery Testerson moved to")

    visit.refresh_from_db()
    assert visit.starts_at != at(10)


def test_authorised_person_overrides_the_hours_with_a_reason(opened, visit, day, at):
    manager = make.user("manager", visit.location)
    page = opened(manager, f"/calendar/?day={day}")

    card(page).click()
    page.get_by_label("Time (EST)").or_(page.get_by_label("Time (EDT)")).fill("17:30")
    page.get_by_role("button", name="Move", exact=True).click()
    refused = page.get_by_role("dialog", name="Not moved")
    refused.get_by_label("Reason").fill("Acute attack")
    refused.get_by_role("button", name="Override").click()
    expect(says(page)).to_contain_text("5:30 PM")

    visit.refresh_from_db()
    assert (visit.starts_at, visit.history.last().reason) == (at(17, 30), "Acute attack")


def test_resize_within_the_range_of_the_type(opened, desk, visit, evaluation_type, day, at):
    booking.book(
        patient=make.patient(visit.location, given="Kim"), practitioner=visit.practitioner, location=visit.location,
        type=evaluation_type, starts_at=at(11), by=desk,
    )  # fmt: skip
    page = opened(desk, f"/calendar/?day={day}")
    long = card(page, "Kim Testerson")
    box = long.bounding_box()

    page.mouse.move(box["x"] + 40, box["y"] + box["height"] - 3)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 20, steps=5)
    page.mouse.up()
    expect(long).to_have_attribute("aria-label", re.compile("11:00 AM – 11:45 AM"))
    expect(says(page)).to_contain_text("moved to")

    kim = Appointment.objects.get(patient__given_name="Kim")
    assert kim.end_minute - kim.start_minute == 45


def test_keyboard_carries_a_visit_and_tells_where_it_is(opened, desk, visit, atlanta, day, at):
    second = make.practitioner(atlanta, name="Zoe Second")
    page = opened(desk, f"/calendar/?day={day}")
    tells = page.locator("#calendar-tells")

    card(page).focus()
    page.keyboard.press("m")
    expect(tells).to_contain_text("Avery Testerson picked up at 10:00 AM.")
    page.keyboard.press("ArrowDown")
    expect(tells).to_have_text("10:15 AM")
    page.keyboard.press("ArrowRight")
    expect(tells).to_contain_text("10:15 AM, Zoe Second, DC, Atlanta")
    page.keyboard.press("Enter")
    expect(says(page)).to_contain_text("Zoe Second, DC")

    visit.refresh_from_db()
    assert (visit.starts_at, visit.practitioner) == (at(10, 15), second)
    expect(card(page)).to_be_focused()
    page.keyboard.press("Control+z")
    expect(says(page)).to_contain_text("Taken back.")


def test_escape_leaves_a_carried_visit_where_it_was(opened, desk, visit, day, at):
    page = opened(desk, f"/calendar/?day={day}")

    card(page).focus()
    for key in ("m", "ArrowDown", "ArrowDown", "Escape"):
        page.keyboard.press(key)
    expect(page.locator("#calendar-tells")).to_have_text("Avery Testerson stays at 10:00 AM.")
    expect(card(page)).to_have_attribute("aria-label", re.compile("10:00 AM – 10:15 AM"))

    visit.refresh_from_db()
    assert (visit.starts_at, visit.history.count()) == (at(10), 1)


def test_arrows_go_from_visit_to_visit_and_enter_opens(opened, desk, visit, day, at):
    second = make.practitioner(visit.location, name="Zoe Second")
    for who, hour, given in ((visit.practitioner, 14, "Lou"), (second, 13, "Kim")):
        booking.book(
            patient=make.patient(visit.location, given=given), practitioner=who, location=visit.location,
            type=visit.type, starts_at=at(hour), by=desk,
        )  # fmt: skip
    page = opened(desk, f"/calendar/?day={day}")

    card(page).focus()
    page.keyboard.press("ArrowDown")
    expect(card(page, "Lou Testerson")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(card(page, "Kim Testerson")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("dialog", name="Kim Testerson")).to_be_visible()


def test_what_another_person_does_appears_by_itself(opened, desk, visit, day, at):
    first = opened(desk, f"/calendar/?day={day}")
    second = opened(make.user("desk", visit.location), f"/calendar/?day={day}")

    card(second).click()
    second.get_by_role("dialog", name="Avery Testerson").get_by_role("button", name="Confirm").click()
    expect(says(second)).to_contain_text("Avery Testerson: confirmed.")

    expect(card(first)).to_have_attribute("aria-label", re.compile("Confirmed"))
    expect(card(first)).to_have_class(re.compile("is-new"))


def test_a_finger_holds_a_visit_before_it_moves(opened, desk, visit, day):
    page = opened(desk, f"/calendar/?day={day}", viewport={"width": 820, "height": 1180}, has_touch=True)
    box = card(page).bounding_box()
    down = page.context.new_cdp_session(page)

    def touch(kind, y):
        points = [] if kind == "touchEnd" else [{"x": box["x"] + 30, "y": box["y"] + 10 + y}]
        down.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0)
    expect(card(page)).to_have_class(re.compile("is-moving"))
    for part in range(1, 5):
        touch("touchMove", minutes(page, 30) * part / 4)
    touch("touchEnd", 0)

    expect(says(page)).to_contain_text("10:30 AM")


def test_prints_the_day_without_the_frame(opened, desk, visit, day):
    page = opened(desk, f"/calendar/?day={day}")

    page.emulate_media(media="print")

    expect(card(page)).to_be_visible()
    for hidden in (page.locator(".rail"), page.locator(".topbar"), page.get_by_role("link", name="Week")):
        expect(hidden).to_be_hidden()
    body = page.locator(".calendar").bounding_box()
    assert body["height"] > 700  # the whole day, not what fits a screen
    assert body["width"] > 1000  # the whole sheet, not the column that the rail had


@pytest.mark.parametrize("width", [1366, 390])
def test_no_view_has_a_fault_that_axe_knows(opened, desk, visit, day, width):
    visit_status.confirm(visit, by=desk)
    page = opened(desk, "/", viewport={"width": width, "height": 800})

    found = {}
    for view in ("", "&view=week", "&by=room", "&view=list", "&view=list&days=7"):
        page.goto(f"/calendar/?day={day}{view}")
        found[view] = (faults(page), page.evaluate("document.documentElement.scrollWidth"))

    assert found == dict.fromkeys(found, ([], width))


def test_dialogs_have_no_fault_that_axe_knows(opened, visit, day):
    page = opened(make.user("manager", visit.location), f"/calendar/?day={day}")
    card(page).click()
    assert faults(page) == []

    page.get_by_label(re.compile("^Time")).fill("17:30")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("dialog", name="Not moved")).to_be_visible()
    assert faults(page) == []


def test_works_without_script(opened, desk, visit, day, at):
    page = opened(desk, f"/calendar/?day={day}", java_script_enabled=False)

    page.get_by_role("link", name="Avery Testerson").click()
    page.get_by_role("link", name="Move the visit").click()
    page.get_by_label("Time").fill("11:15")
    page.get_by_role("button", name="Move the visit").click()

    visit.refresh_from_db()
    assert visit.starts_at == at(11, 15)


def faults(page):
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run('main', {resultTypes: ['violations']})")
    return [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in found["violations"]]


def test_what_lasts_past_midnight_is_read_on_the_next_day_and_leads_to_the_visit(
    opened, atlanta, patient, desk, day, evaluation_type
):
    eve = day - timedelta(days=1)
    night = make.practitioner(atlanta, name="Nico Night", days=())
    span = {"weekday": eve.weekday(), "ends_next_day": True}
    night.weekly_hours.create(location=atlanta, starts=time(18), ends=time(5), **span)
    atlanta.opening_hours.create(opens=time(18), closes=time(5), **span)
    late = booking.book(
        patient=patient, practitioner=night, location=atlanta, type=evaluation_type, by=desk,
        starts_at=make.at(23, 30, day=eve),
    )  # fmt: skip
    page = opened(desk, f"/calendar/?day={day}")
    piece = page.get_by_role(
        "link",
        name=re.compile(r"^Avery Testerson until 12:30 AM, carried over since 11:30 PM on .+\. Evaluation, Booked, "),
    )

    drag(page, piece, 0, minutes(page, 75))
    page.goto(f"/calendar/?day={day}")
    piece.focus()
    piece.press("m")
    expect(page.locator(".is-moving")).to_have_count(0)
    piece.press("Enter")

    expect(page).to_have_url(re.compile(f"/appointments/{late.pk}/$"))
    late.refresh_from_db()
    assert late.starts_at == make.at(23, 30, day=eve)
    page.goto(f"/calendar/?day={eve}")
    expect(card(page)).to_have_attribute("aria-label", re.compile("11:30 PM – 12:30 AM next day"))
    assert page.mistakes == []
