"""Somebody forgot the password: the mail, the new one, and in."""

import re

import pytest
from django.core import mail
from playwright.sync_api import expect

from tests.journeys import walking

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_lost_password_is_replaced_from_the_mail(browser, live_server, desk):
    page = browser.new_context(base_url=live_server.url, viewport={"width": 1366, "height": 768}).new_page()
    wrong = []

    def look():
        wrong.extend(walking.violations(page) + walking.sideways(page, 390))

    page.goto("/accounts/login/")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill(desk.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look in your mail")
    look()
    page.goto(re.search(r"/accounts/password/reset/key/\S+", mail.outbox[0].body).group())
    look()
    page.get_by_label("New Password", exact=False).first.fill("plumb-line-and-level")
    page.get_by_label("New Password (again)").fill("plumb-line-and-level")
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Password saved")
    look()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Email").fill(desk.email)
    page.get_by_label("Password").first.fill("plumb-line-and-level")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    assert wrong == []
