"""The page of an evaluation in a browser: filled in by keyboard with the keys counted, saved while one types."""

import re
import time

import pytest
from playwright.sync_api import expect

from evaluations import recording, results, signing, summary

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_KEYS, LONGEST = 220, 90


@pytest.fixture
def evaluation(patient, atlanta, chiro):
    return recording.start(patient=patient, location=atlanta, by=chiro.user)


@pytest.fixture
def page(opened, chiro, evaluation):
    return opened(chiro.user, f"/evaluations/{evaluation.pk}/")


class Hands:
    """Hands on the keyboard; every key that goes down counts, the shift and the alt that are held as well."""

    def __init__(self, page):
        self.page, self.keys = page, 0

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += len(key.split("+"))

    def type(self, *texts):
        """Each text and Enter after it."""
        for text in texts:
            self.page.keyboard.type(text, delay=1)
            self.keys += len(text)
            self.press("Enter")

    @property
    def at(self):
        return self.page.evaluate("document.activeElement.getAttribute('aria-label')")


def at_rest(page):
    expect(page.locator("#save-state")).to_have_text(re.compile(r"^Saved \d"))


def fill_in(hands):
    """A whole evaluation, normal but for ten findings."""
    hands.press("Shift+N", "Enter")  # red flags
    assert hands.at == "Systolic blood pressure, left"
    hands.press("Shift+N")
    hands.type("138", "118", "78", "76", "72", "14", "36.8", "98", "172", "70")  # one: elevated on the left
    hands.press("Shift+N")
    hands.type("p", "35", "35")
    hands.press("Shift+N")
    hands.type("46", "9", "0", "35", "40", "5", "5", "9", "9")  # two: the head is forward
    hands.press("Shift+N")
    hands.type("3r", *"0000000")  # three: a tilt of the head
    hands.type("0", "0", "0")
    hands.press("Shift+N")
    hands.type("8l", "0")  # four: leg length
    hands.press("Alt+Shift+X", "Enter", "Shift+N", "Alt+Shift+X", "Enter")  # no listing, no imaging
    assert hands.at == "Tenderness grade, C0, left"
    hands.press("Shift+N", "Alt+ArrowDown", "2", "Alt+ArrowRight", "1")  # five and six: C1 is tender
    hands.press("Enter", "Shift+N", "Enter", "Shift+N")
    hands.type("d", "41", "31", "0")  # seven: the flexion-rotation test to the right
    hands.type("50", "60", "45", "45", "80", "62")  # eight: rotation to the right
    hands.type("50", "60", "45", "45", "80", "80")
    for _ in range(4):  # cranial nerves, sensation, strength, reflexes
        hands.press("Shift+N", "Enter")
    hands.press("p", "Shift+N")  # nine: a positive Hoffmann sign
    hands.type("0", "0", "22", "14")  # ten: grip on the right
    hands.press("Shift+N")
    hands.type("30", "30", "0")
    hands.press("Shift+N")


def test_a_normal_evaluation_with_ten_exceptions(page, evaluation):
    hands = Hands(page)
    began = time.monotonic()

    fill_in(hands)
    at_rest(page)
    seconds = time.monotonic() - began

    assert page.mistakes == []
    assert [m.text for m in signing.missing(evaluation) if m.part != "intake"] == []
    outside = results.of(evaluation.findings.all(), {}, summary.who(evaluation))["outside"]
    assert len(outside) == 10, outside
    expect(page.locator("#missing-total")).to_have_text("0")
    assert hands.keys <= MOST_KEYS, hands.keys
    assert seconds <= LONGEST


def test_what_is_missing_is_the_sum_of_the_parts(page, evaluation):
    total = page.locator("#missing-total")
    before = int(total.inner_text())

    page.locator("[data-flag] input[value=no]").first.check()

    expect(total).to_have_text(str(before - 1))
