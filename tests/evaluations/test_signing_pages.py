"""Signing on the page: what is missing first, the password again, and the very version that was read."""

import pytest
from django.urls import reverse

from evaluations import signing


@pytest.fixture
def address(answered):
    return reverse("evaluation-sign", args=[answered.pk])


@pytest.fixture
def page(client, chiro):
    """Signed in as at the desk in the morning: the password was not asked again since."""
    client.login(email=chiro.user.email, password="demo-clinic")
    return client


def test_what_is_missing_is_listed_before_signing(page, address):
    shown = page.get(address).content.decode()

    assert "Not recorded" in shown
    assert "Intake: not gone through with the patient" in shown
    assert "Vitals: Systolic blood pressure" in shown
    assert "Your password is asked again." in shown


def test_the_password_is_asked_again_and_then_it_is_signed(page, address, answered):
    asked = page.post(address, {"version": answered.version})
    answered.refresh_from_db()
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert not answered.is_signed

    wrong = page.post(asked["Location"], {"password": "not-it"})
    answered.refresh_from_db()
    assert wrong.status_code == 200
    assert not answered.is_signed

    page.post(asked["Location"], {"password": "demo-clinic"})
    answered.refresh_from_db()
    assert signing.is_intact(answered)


def test_what_was_changed_after_it_was_read_is_not_signed(password_asked, address, answered, save):
    seen = answered.version
    save({"code": "heart_rate", "value": 70}, version=seen)

    refused = password_asked.post(address, {"version": seen})

    answered.refresh_from_db()
    assert refused.status_code == 409
    assert "changed after you read it" in refused.content.decode()
    assert not answered.is_signed


def test_the_api_asks_a_browser_for_the_password_and_a_token_for_nothing(page, api, chiro, answered):
    address = f"/api/v1/evaluations/{answered.pk}/sign/"

    in_browser = page.post(address)
    by_token = api(chiro.user).post(address)

    assert (in_browser.status_code, in_browser.json()["code"]) == (403, "password_needed")
    assert by_token.status_code == 200
