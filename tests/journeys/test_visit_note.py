"""The note of a routine visit in a browser: written by keyboard with the keys counted, saved while one types."""

import re
import time
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments.models import Appointment
from clinic import times
from evaluations import catalogue
from evaluations.models import VisitNote
from evaluations.notes import note_fields, note_signing, visit_notes
from evaluations.safety import red_flags
from tests.journeys.walking import sideways, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_KEYS, LONGEST, SAVED_WITHIN = 60, 60, 2000
LAST = {
    "change": "same", "pain": 5, "safety": dict.fromkeys(note_fields.SAFETY, "no"), "leg": "left", "leg_mm": 6,
    "segments_found": [{"at": "C1 left", "tenderness": 2, "tone": 1}], "motion": "left_rotation", "degrees": 62,
    "response": "partly", "phase": "relief", "diagnosis": "M99.01, G44.86", "technique": "nucca",
    "segments": ["C1 left"], "contact": "Atlas transverse process", "side": "left", "position": "side_lying_right",
    "leg_after": "even", "leg_mm_after": 0, "degrees_after": 70, "pain_after": 3, "reaction": "none",
    "next_visit": "Thursday",
}  # fmt: skip


def visit_at(at, patient, chiro, place, kind):
    start = times.to_minute(at)
    return Appointment.objects.create(
        patient=patient, practitioner=chiro, location=place, type=kind, room=place.rooms.first(), status="in_room",
        starts_at=at, ends_at=at + timedelta(minutes=15), start_minute=start, end_minute=start + 15, busy_from=start,
        busy_until=start + 15,
    )  # fmt: skip


@pytest.fixture
def note(patient, chiro, atlanta, adjustment):
    """Of a visit now, three days after one whose note is signed."""
    red_flags.answer(patient=patient, evaluation=None, answers=dict.fromkeys(catalogue.RED_FLAGS, "no"), by=chiro.user)
    now = times.now().replace(second=0, microsecond=0)
    with times.as_of(now - timedelta(days=3)):
        before = visit_notes.start(visit_at(times.now(), patient, chiro, atlanta, adjustment), by=chiro.user)
        visit_notes.save(before, content=LAST, version=0, by=chiro.user)
        note_signing.sign(before, by=chiro.user)
    return visit_notes.start(visit_at(now, patient, chiro, atlanta, adjustment), by=chiro.user)


@pytest.fixture
def page(opened, chiro, note):
    return opened(chiro.user, f"/visit-notes/{note.pk}/")


class Hands:
    """Hands on the keyboard; every key that goes down counts, a shift that is held as well."""

    def __init__(self, page):
        self.page, self.keys = page, 0

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += len(key.split("+")) if len(key) > 1 else 1

    @property
    def at(self):
        return self.page.evaluate(
            "document.activeElement.closest('[data-field], [data-flag]')?.dataset.field ?? document.activeElement.href"
        )


def content(note):
    return VisitNote.objects.get(pk=note.pk).content


def at_rest(page):
    expect(page.locator("#save-state")).to_have_text(re.compile(r"^Saved \d"))


def test_a_routine_visit_by_keyboard(page, note):
    hands = Hands(page)
    began = time.monotonic()
    expect(page.locator("#field-change")).to_be_focused()

    hands.press("b", "Enter", "4", "Enter")  # better, pain 4
    hands.press("Shift+N")  # no to all the questions
    assert hands.at == "leg"
    hands.press("l", "Enter", "5", "Enter", "Shift+Equal")  # left, 5 mm, the rest as last time
    assert hands.at == "response"
    hands.press("i", "Enter", "=")  # improved, the phase as last time
    assert hands.at == "technique"
    hands.press("Shift+Equal")  # the treatment as last time
    assert hands.at == "leg_after"
    hands.press("e", "Enter", "0", "Enter", "2", "Enter", "n", "Enter", "=")  # even, 0 mm, pain 2, no reaction
    assert hands.at.endswith("/sign/")
    at_rest(page)
    seconds = time.monotonic() - began

    said = content(note)
    assert page.mistakes == []
    assert {code: said[code] for code in ("change", "pain", "leg", "leg_mm", "pain_after", "reaction")} == {
        "change": "better", "pain": 4, "leg": "left", "leg_mm": 5, "pain_after": 2, "reaction": "none",
    }  # fmt: skip
    assert {code: said[code] for code in ("technique", "segments", "contact", "next_visit", "degrees")} == {
        code: LAST[code] for code in ("technique", "segments", "contact", "next_visit", "degrees")
    }
    assert [one.text for one in note_signing.missing(VisitNote.objects.get(pk=note.pk))] == []
    expect(page.locator("[data-before=leg_mm]")).to_have_text(re.compile("before: 5 mm.*−5 mm"))
    assert hands.keys <= MOST_KEYS, hands.keys
    assert seconds <= LONGEST


def test_grey_values_count_for_nothing(page, note):
    expect(page.locator("[data-field=technique] .last")).to_contain_text("NUCCA")

    page.locator("#field-pain").fill("3")
    at_rest(page)

    assert content(note) == {"pain": 3}


def test_it_is_saved_within_two_seconds(page, note):
    page.locator("#field-pain").fill("3")

    with page.expect_response(lambda answer: answer.request.method == "PATCH", timeout=SAVED_WITHIN) as answer:
        pass

    assert answer.value.status == 200


def test_what_is_typed_survives_a_lost_server_and_a_closed_page(page, note, opened, chiro):
    page.route("**/api/v1/visit-notes/**", lambda route: route.abort())
    page.locator("#field-contact").fill("Atlas")
    expect(page.locator("#save-state")).to_contain_text("Kept on this device")
    assert content(note) == {}

    page.unroute("**/api/v1/visit-notes/**")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()

    expect(page.locator("#field-contact")).to_have_value("Atlas")
    at_rest(page)
    assert content(note) == {"contact": "Atlas"}


def test_what_two_tabs_change_is_chosen_and_the_rest_brought_together(page, note, chiro):
    fresh = VisitNote.objects.get(pk=note.pk)
    visit_notes.save(fresh, content={"pain": 8, "contact": "There"}, version=0, by=chiro.user)

    page.locator("#field-pain").fill("3")
    expect(page.locator("#conflict")).to_be_visible()
    expect(page.locator("#field-contact")).to_have_value("There")
    page.get_by_role("button", name="Save the choice").click()
    at_rest(page)

    assert content(note) == {"pain": 3, "contact": "There"}


def test_segments_are_chosen_on_the_spine(page, note):
    half = page.locator(".half[data-segment=C2][data-side=right]")
    half.focus()
    for key in ("3", "h", "t"):
        page.keyboard.press(key)

    expect(page.locator("#field-segments")).to_have_value("C2R")
    expect(page.locator("#field-segments_found")).to_have_value("C2R t3 h")
    expect(half).to_have_attribute("aria-label", "C2 right: tenderness 3, headache yes, treated")
    at_rest(page)
    assert content(note)["segments_found"] == [{"at": "C2 right", "tenderness": 3, "headache": True}]
    assert content(note)["segments"] == ["C2 right"]


def test_what_is_forbidden_is_said_at_its_field_and_the_rest_is_saved(page, note, chiro):
    red_flags.answer(patient=note.patient, evaluation=None, answers={"rf_dizziness": "yes"}, by=chiro.user)

    page.locator("#field-technique").select_option("activator")
    page.locator("#field-contact").fill("Atlas")
    page.locator("#field-pain").fill("3")

    expect(page.locator("[data-field=technique] .says")).to_contain_text("No Activator instrument")
    expect(page.locator("[data-field=contact] .says")).to_contain_text("No Contact")
    expect(page.locator("#save-state")).to_have_text("Not saved: Technique, Contact")
    expect(page.locator("#field-contact")).to_have_value("Atlas")
    assert content(note) == {"pain": 3}


def test_it_is_accessible_and_fits(page, note):
    page.locator("#field-pain").fill("3")
    at_rest(page)

    assert violations(page) == []
    assert sideways(page, 390) == []
    assert sideways(page, 820) == []


def test_without_script_it_is_written_and_signed(opened, chiro, note):
    page = opened(chiro.user, f"/visit-notes/{note.pk}/", java_script_enabled=False)

    page.locator("#field-pain").fill("12")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Give a whole number from 0 to 10.").first).to_be_visible()
    page.locator("#field-pain").fill("4")
    page.locator("#field-segments").fill("C1L")
    page.get_by_role("button", name="No to all the rest").click()
    page.locator("[data-part=plan] button[data-same-part]").click()
    page.locator("#field-reaction").select_option(label="None")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.get_by_role("link", name="Review and sign").click()

    expect(page.get_by_role("button", name=re.compile("^Sign as"))).to_be_enabled()
    assert content(note)["technique"] == "nucca"
    assert content(note)["safety"] == dict.fromkeys(note_fields.SAFETY, "no")
