"""One day at the clinic, from the telephone call to the calendar of the next weeks."""

import email
import re
import time
from datetime import date, datetime, timedelta
from email import policy

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
FAMILY_NAME = "Morgenstern"


def test_a_day_at_the_clinic(clinic, browser, signed_in):
    desk = signed_in("desk")
    _register(desk, clinic)
    visit = _book_the_soonest_evaluation(desk)
    _confirm_from_the_mail(browser, clinic)
    _let_its_day_come(clinic, visit)
    _check_in(desk, visit)

    chiro = signed_in("chiro")
    _evaluate_and_sign(chiro, visit)
    first_visit = _write_the_plan(chiro)

    desk.goto(f"{clinic.address}/calendar/?day={first_visit.isoformat()}")
    expect(desk.get_by_text(FAMILY_NAME).first).to_be_visible()


def _register(desk, clinic):
    desk.goto(f"{clinic.address}/patients/new/")
    desk.get_by_label("Given name").fill("Maren")
    desk.get_by_label("Family name").fill(FAMILY_NAME)
    desk.get_by_label("Birth date").fill("1987-05-09")
    desk.get_by_label("Phone").fill("404 555 0177")
    desk.get_by_label("E-mail", exact=True).fill("maren.morgenstern@example.org")
    desk.get_by_label("Home clinic").select_option(label="Atlanta")
    desk.get_by_label("Agrees to e-mail about visits").check()
    desk.get_by_role("button", name="Register").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text(FAMILY_NAME)


def _book_the_soonest_evaluation(desk):
    """Returns the address of the visit."""
    desk.get_by_role("link", name="Book a visit").click()
    desk.get_by_label("Visit", exact=False).first.select_option(label="Evaluation")
    desk.get_by_label("Where").select_option(label="Atlanta")
    desk.get_by_label("Practitioner", exact=False).first.select_option(label="Robin Atlasby, DC")
    desk.get_by_role("button", name="Show times").click()
    desk.wait_for_url(re.compile("type=evaluation"))
    desk.wait_for_load_state("networkidle")  # each choice above asked for new times
    soonest = desk.get_by_role("radio").first
    expect(desk.locator("label.slot").first).to_contain_text("Robin Atlasby")
    soonest.check()
    desk.get_by_role("button", name="Book the visit").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text(f"Evaluation: Maren {FAMILY_NAME}")
    return desk.url


def _confirm_from_the_mail(browser, clinic):
    """The patient, on a phone: the mail that the worker sent, its link, the button."""
    mail = _mail_to("maren.morgenstern@example.org", clinic.mails)
    text = mail.get_body(("plain",)).get_content()
    assert "EST" in text or "EDT" in text  # the zone is named
    phone = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    phone.goto(re.search(r"http://\S+/my/visits/\S+", text).group())
    phone.get_by_role("button", name="Confirm").click()
    expect(phone.get_by_text("we expect you")).to_be_visible()


def _mail_to(address, folder, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for path in sorted(folder.glob("*.eml")):
            mail = email.message_from_bytes(path.read_bytes(), policy=policy.default)
            if address in mail["To"]:
                return mail
        time.sleep(0.5)
    raise AssertionError(f"No mail to {address} in {seconds} s.")


def _let_its_day_come(clinic, visit):
    """The soonest evaluation may be days ahead: put it on this evening, when nobody else has a visit."""
    clinic.python(
        f"""
from datetime import time
from appointments.models import Appointment
from clinic import times
visit = Appointment.objects.with_names().get(pk={re.search(r"[0-9]+", visit.partition("/appointments/")[2]).group()})
here = visit.location
starts_at = times.instant(here.today(), time(22, 30), here.time_zone)
start = times.to_minute(starts_at)
Appointment.objects.filter(pk=visit.pk).update(
    starts_at=starts_at, ends_at=times.from_minute(start + visit.lasts), start_minute=start,
    end_minute=start + visit.lasts, busy_from=start, busy_until=start + visit.lasts,
)
"""
    )


def _check_in(desk, visit):
    desk.goto(visit)
    expect(desk.get_by_text("Confirmed").first).to_be_visible()
    desk.get_by_role("button", name="Arrived").click()
    expect(desk.locator(".badge-status.is-arrived").first).to_be_visible()


def _evaluate_and_sign(chiro, visit):
    chiro.goto(visit)
    chiro.get_by_role("button", name="To the room").click()
    expect(chiro.locator(".badge-status.is-in_room").first).to_be_visible()
    chiro.get_by_role("button", name="Evaluation", exact=True).click()
    chiro.get_by_role("button", name="Answer no to all the rest").click()
    parts = chiro.get_by_role("navigation", name="Parts of the evaluation")
    expect(parts.get_by_role("link", name=re.compile("Red flags done"))).to_be_visible()
    parts.get_by_role("link", name=re.compile("Posture")).click()
    chiro.get_by_role("textbox", name="Craniovertebral angle (CVA)", exact=True).fill("46.5")
    chiro.get_by_role("button", name="Save", exact=True).click()
    expect(chiro.locator("#save-state")).to_have_text(re.compile(r"Saved \d"))
    chiro.get_by_role("link", name="Review and sign").click()
    chiro.get_by_role("button", name="Sign as Robin Atlasby").click()
    chiro.get_by_label("Password").fill("demo-clinic")  # asked again: an unlocked screen must not sign
    chiro.keyboard.press("Enter")
    expect(chiro.get_by_text("46.5").first).to_be_visible()


def _write_the_plan(chiro):
    """Returns the day of the plan's first visit."""
    chiro.get_by_role("link", name="Write care plan").click()
    phase = chiro.get_by_role("group", name="Phases, row 1")
    phase.get_by_label("Phase").select_option(label="Relief")
    phase.get_by_label("Visits a week").fill("2")
    phase.get_by_label("Weeks", exact=True).fill("3")
    goal = chiro.get_by_role("group", name="Goals, row 1")
    goal.get_by_label("Measured by").select_option(label="Migraine days in 28 days")
    goal.get_by_label("Now").fill("10")
    goal.get_by_label("By", exact=True).fill((date.today() + timedelta(days=60)).isoformat())  # noqa: DTZ011
    chiro.get_by_label("Re-evaluate by").fill((date.today() + timedelta(days=21)).isoformat())  # noqa: DTZ011
    chiro.get_by_label("Education about headache and neck").check()
    chiro.get_by_role("button", name="Save the draft").click()
    chiro.get_by_role("link", name="Let the patient sign").click()
    for box in chiro.get_by_role("checkbox").all():
        box.check()
    chiro.get_by_label("Full name of who signs").fill(f"Maren {FAMILY_NAME}")
    chiro.get_by_role("button", name="Sign", exact=True).click()
    chiro.get_by_role("button", name="Activate").click()
    chiro.get_by_role("link", name="Put on the calendar").click()
    for weekday in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        chiro.get_by_label(weekday).check()
    chiro.get_by_label("At about").fill("10:00")
    chiro.get_by_role("button", name="Propose anew").click()
    chiro.get_by_role("button", name=re.compile("Book the visits")).click()
    first = chiro.get_by_role("link", name=re.compile(r"^\w+day, |\d:\d\d")).first
    first.click()
    when = chiro.locator("dt:has-text('When') + dd").inner_text()
    return _day(when)


def _day(words):
    """`Monday, November 23, 2026, 10:00 AM to …` as a date."""
    return datetime.strptime(re.search(r"\w+ \d+, \d{4}", words).group(), "%B %d, %Y").date()  # noqa: DTZ007
