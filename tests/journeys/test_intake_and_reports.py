"""Intake and red flags in a browser: saved while one types, by keyboard."""

import re

import pytest
from playwright.sync_api import expect

from evaluations import recording
from patients.models import Intake

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def evaluation(patient, atlanta, chiro):
    return recording.start(patient=patient, location=atlanta, by=chiro.user)


def test_what_is_typed_is_saved_by_itself_and_a_fault_is_told(opened, chiro, evaluation):
    page = opened(chiro.user, f"/evaluations/{evaluation.pk}/intake/")
    page.get_by_label("Attacks so far, in all").fill("7")
    page.keyboard.press("Tab")
    expect(page.locator("#intake-state")).to_contain_text("Saved")
    assert Intake.objects.get().answers == {"lifetime_attacks": 7}

    page.get_by_label("Shortest attack").fill("0")
    expect(page.locator("#intake-state")).to_contain_text("Shortest attack: Give 0.1 or more.")
    page.get_by_label("Shortest attack").fill("4")
    page.get_by_role("group", name="Throbbing or pulsating").get_by_label("Yes").press("Space")
    expect(page.locator("#intake-state")).to_contain_text("Saved")
    assert Intake.objects.get().answers == {"lifetime_attacks": 7, "attack_hours_min": 4, "pulsating": "yes"}


def test_an_emergency_found_while_typing_fills_the_screen_and_loses_nothing(opened, chiro, evaluation):
    page = opened(chiro.user, f"/evaluations/{evaluation.pk}/#part-neuro")
    page.get_by_label("Nystagmus", exact=True).select_option("positive")
    page.get_by_label("Tandem gait errors in 10 steps", exact=True).fill("3")
    urgent = page.get_by_role("heading", name="Call 911 or send to the emergency department now")
    expect(urgent).to_be_visible()
    assert page.get_by_text("Nystagmus on examination", exact=True).is_visible()

    page.get_by_role("link", name="Back to the evaluation").press("Enter")
    expect(page.get_by_label("Tandem gait errors in 10 steps", exact=True)).to_have_value("3")
    expect(page.locator("#part-neuro")).to_be_in_viewport()
    page.get_by_label("Romberg, eyes open", exact=True).fill("30")
    expect(page.locator("#save-state")).to_have_text(re.compile(r"^Saved \d"))
    assert "/emergency/" not in page.url  # it is said once; the notice stays above
    evaluation.refresh_from_db()
    assert {f.code for f in evaluation.findings.all()} >= {
        "nystagmus",
        "tandem_gait_errors",
        "romberg_eyes_open_seconds",
    }
    assert page.mistakes == []


def test_an_emergency_fills_the_screen_and_the_evaluation_is_stopped(opened, chiro, evaluation):
    page = opened(chiro.user, f"/evaluations/{evaluation.pk}/red-flags/")
    page.get_by_role("group", name="Slurred speech").get_by_label("Yes").press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Call 911 or send to the emergency department now")).to_be_visible()

    page.get_by_role("button", name="Stop the evaluation for safety").press("Enter")
    page.wait_for_url(f"**/evaluations/{evaluation.pk}/")
    evaluation.refresh_from_db()
    assert evaluation.status == "stopped_red_flag"
