"""The page of an evaluation in a browser: filled in by keyboard with the keys counted, saved while one types."""

import re
import time
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from dashboard.management.typed_evaluation import fill_in
from evaluations import catalogue, recording, results, signing, summary
from tests.journeys.walking import sideways, violations

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


def test_a_normal_evaluation_with_ten_exceptions(page, evaluation):
    hands = Hands(page)
    began = time.monotonic()

    fill_in(hands)
    at_rest(page)
    seconds = time.monotonic() - began

    assert page.mistakes == []
    evaluation.refresh_from_db()
    assert [m.text for m in signing.missing(evaluation) if m.part != "intake"] == []
    outside = results.of(evaluation.findings.all(), {}, summary.who(evaluation))["outside"]
    assert len(outside) == 10, outside
    expect(page.locator("#missing-total")).to_have_text("1")  # the intake, which has a page of its own
    assert hands.keys <= MOST_KEYS, hands.keys
    assert seconds <= LONGEST


def test_what_is_missing_is_the_sum_of_the_parts(page, evaluation):
    total = page.locator("#missing-total")
    before = int(total.inner_text())

    page.locator("[data-flag] input[value=no]").first.check()

    expect(total).to_have_text(str(before - 1))


def go(page, name):
    page.get_by_label(name, exact=True).focus()


def cell(page, name):
    return page.locator(f'[data-cell="{name}"]')


def recorded(evaluation, code):
    return [(f.qualifiers.get("side", ""), f.status, f.value) for f in evaluation.findings.filter(code=code)]


def test_a_list_of_which_nothing_is_chosen_is_missing_where_normal_is_a_choice(page, evaluation):
    missing = page.locator("#missing-total")
    before = missing.inner_text()
    several = page.locator('[data-cell="scapular_position[side=left]"] .several')
    several.locator("summary").click()
    several.get_by_label("winging").check()
    at_rest(page)
    assert evaluation.findings.get().choices == ["winging"]

    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        several.get_by_label("winging").uncheck()

    expect(missing).to_have_text(before)
    assert evaluation.findings.get().status == "not_assessed"


def test_letters_typed_into_text_stay_text(page, evaluation):
    go(page, "Atlas listing")
    page.keyboard.type("asrn")
    page.get_by_label("Conclusion").focus()
    page.keyboard.type("Nothing new? N = [none]")
    at_rest(page)

    evaluation.refresh_from_db()
    assert evaluation.conclusion == "Nothing new? N = [none]"
    assert recorded(evaluation, "listing_c1") == [("", "assessed", "asrn")]
    assert evaluation.findings.count() == 1


def test_n_marks_both_sides_and_arrows_step(page, evaluation):
    go(page, "Spurling, left")
    page.keyboard.press("n")
    go(page, "Pulse")
    page.keyboard.press("ArrowUp")
    expect(cell(page, "heart_rate[]")).to_contain_text("Type what was measured")  # nothing is there to be stepped
    go(page, "Temperature")
    page.keyboard.type("37.1")
    for key in ("ArrowUp", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    at_rest(page)

    assert recorded(evaluation, "spurling") == [("left", "assessed", "negative"), ("right", "assessed", "negative")]
    assert str(evaluation.findings.get(code="body_temperature").value) == "37.0"
    assert recorded(evaluation, "heart_rate") == []


@pytest.mark.parametrize(
    ("key", "status", "reason"),
    [("Shift+R", "refused", "Declined by the patient."), ("Shift+X", "not_assessed", ""),
     ("Shift+A", "not_assessable", "fused"), ("Shift+D", "deferred_unsafe", "fused")],
)  # fmt: skip
def test_a_status_by_one_key(page, evaluation, key, status, reason):
    go(page, "Pulse")
    page.keyboard.press(key)
    if reason == "fused":
        page.keyboard.type("fused")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Pulse", exact=True)).to_be_focused()
    at_rest(page)

    found = evaluation.findings.get()
    assert (found.status, found.reason, found.value) == (status, reason, None)


def test_inches_are_shown_as_they_are_kept(page, evaluation):
    go(page, "Leg-length inequality (functional)")
    page.keyboard.type("1/4 in")
    page.keyboard.press("Enter")  # to the direction, which is still to be said
    page.keyboard.press("l")
    at_rest(page)

    shown = cell(page, "leg_length_inequality[]")
    expect(shown.get_by_role("textbox")).to_have_value("6.4")
    expect(shown.locator(".says")).to_have_text("1/4 in left is 6.4 left")
    assert str(evaluation.findings.get().value) == "6.4"


def test_an_unusual_value_is_asked_about_and_kept(page, evaluation):
    go(page, "Pulse")
    page.keyboard.type("180")
    at_rest(page)

    expect(cell(page, "heart_rate[]").locator(".says")).to_contain_text("Is it right?")
    expect(cell(page, "heart_rate[]")).to_have_class(re.compile("is-outside"))
    assert evaluation.findings.get().value == 180


def test_an_impossible_value_is_named_and_stays_typed_while_the_rest_is_saved(page, evaluation):
    go(page, "Pulse")
    page.keyboard.type("999")
    page.keyboard.press("Tab")
    go(page, "Respiratory rate")
    page.keyboard.type("14")
    expect(cell(page, "heart_rate[]").locator(".says")).to_contain_text("from 20 to 250")
    expect(page.get_by_label("Pulse", exact=True)).to_have_attribute("aria-invalid", "true")

    expect(page.get_by_label("Pulse", exact=True)).to_have_value("999")
    expect(page.locator("#save-state")).to_have_text("Not saved: Pulse")
    assert [f.code for f in evaluation.findings.all()] == ["respiratory_rate"]


def test_readings_come_to_a_value_when_three_agree(page, evaluation):
    go(page, "Left rotation, active")
    page.keyboard.type("58 60")
    at_rest(page)
    says = cell(page, "rom_left_rotation[mode=active]").locator(".says")
    expect(says).to_have_text("2 of 3 readings.")
    page.keyboard.type(" 59")
    expect(page.locator('[data-result="motion"] dd')).to_have_text("reduced: left rotation; 5 unknown")

    found = evaluation.findings.get()
    assert (found.value, found.readings) == (60, [58, 60, 59])


def test_tab_goes_from_number_to_number(page, evaluation):
    """Through every finding in the order of the page; a direction is passed by unless it is still to be said."""
    fields = page.locator(".cell-value, .several > summary")
    fields.first.focus()
    for nth in range(1, fields.count()):
        page.keyboard.press("Tab")
        assert fields.nth(nth).evaluate("one => one === document.activeElement"), nth

    tilt = page.locator('[data-cell="head_tilt[]"]')
    tilt.locator(".cell-value").focus()
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    expect(tilt.locator(".direction")).to_be_focused()
    page.keyboard.press("l")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.cell-value')")
    page.keyboard.press("Shift+Tab")
    expect(tilt.locator(".cell-value")).to_be_focused()
    page.keyboard.type("4r")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.cell-value')")
    at_rest(page)
    assert [(one.number, one.direction) for one in evaluation.findings.all()] == [(Decimal(4), "right")]


def test_a_flag_that_a_value_raised_is_shown_as_it_is_typed(page, evaluation):
    """Over the "no" that was given, and counted among what is said; and nothing of it waits to be saved."""
    question = page.locator('[data-flag="rf_systemic"]')
    question.get_by_label("No", exact=True).check()
    at_rest(page)

    page.locator('[data-cell="body_temperature[]"] .cell-value').fill("39")

    expect(question.get_by_label("Yes")).to_be_checked()
    left = page.locator('.entry-rail [data-missing="red_flags"]').inner_text()
    page.reload()
    expect(question.get_by_label("Yes")).to_be_checked()
    expect(page.locator('.entry-rail [data-missing="red_flags"]')).to_have_text(left)


def test_results_follow_what_is_typed(page):
    for label, text in (("Flexion-rotation test, left", "44"), ("Flexion-rotation test, right", "30")):
        go(page, label)
        page.keyboard.type(text)
    page.get_by_label("HIT-6 total").fill("37")

    expect(page.locator('[data-result="frt"] dd')).to_have_text("left negative, right positive")
    expect(page.get_by_text("This total cannot come about.")).to_be_visible()
    page.get_by_label("HIT-6 total").fill("60")
    expect(page.locator('[data-result="hit6"] dd')).to_have_text("60, severe")
    for number in range(1, 9):
        page.get_by_label(f"Neck Disability Index, item {number}", exact=True).fill("2")
    expect(page.locator('[data-result="ndi"] dd')).to_have_text("40.0 %, moderate (8 of 10 answered)")


def test_the_total_of_hit6_follows_its_items_and_scores_may_be_not_asked(page, evaluation):
    total, boxes = (
        page.get_by_label("HIT-6 total"),
        [page.get_by_label(f"HIT-6, item {n}", exact=True) for n in range(1, 7)],
    )
    for box in boxes[:5]:
        box.fill("10")
    expect(total).to_have_value("")
    boxes[5].fill("13")
    expect(total).to_have_value("63")
    boxes[5].fill("7")
    expect(total).to_have_value("")
    boxes[5].fill("8")
    expect(total).to_have_value("58")
    page.get_by_label("EQ-5D-5L, five digits").fill("21113")
    page.get_by_label("MIDAS B, mean pain").fill("4")
    at_rest(page)
    left = page.locator('.entry-rail [data-missing="outcomes"]')
    expect(left).to_have_text("8 missing")

    go(page, "Neck pain, last 7 days")
    page.keyboard.press("Alt+Shift+X")
    expect(page.get_by_label("Conclusion")).to_be_focused()
    at_rest(page)
    expect(left).to_have_text("done")
    expect(page.get_by_label("Neck pain, last 7 days")).to_have_attribute("placeholder", "not asked")
    page.get_by_label("Neck pain, last 7 days").fill("2")
    at_rest(page)
    evaluation.refresh_from_db()
    found = evaluation.measures
    assert (found["hit6_total"], found["eq5d5l_state"], found["midas_mean_pain"]) == (58, "21113", 4)
    assert (found["nprs_neck"], found["ndi_items"], found["nprs_headache_worst"]) == (2, None, None)
    page.get_by_label("Neck pain, last 7 days").fill("")
    expect(left).to_have_text("1 missing")
    page.get_by_label("Headache days in 28").fill("4")
    expect(left).to_have_text("2 missing")  # and where they are counted from
    at_rest(page)
    page.reload()
    expect(left).to_have_text("2 missing")
    page.get_by_label("The days are counted from").select_option("paper")
    expect(left).to_have_text("1 missing")
    assert page.mistakes == []


def test_last_time_is_grey_until_one_key_takes_it_over(opened, chiro, patient, atlanta):
    before = recording.start(patient=patient, location=atlanta, by=chiro.user)
    findings = [{"code": "heart_rate", "value": 64}, {"code": "gait", "value": "antalgic"}]
    recording.save(
        before, findings=findings, version=0, by=chiro.user, answers=dict.fromkeys(catalogue.RED_FLAGS, "no")
    )
    signing.sign(before, by=chiro.user)
    evaluation = recording.start(patient=patient, location=atlanta, by=chiro.user)
    page = opened(chiro.user, f"/evaluations/{evaluation.pk}/")

    pulse = page.get_by_label("Pulse", exact=True)
    expect(pulse).to_have_value("")
    expect(pulse).to_have_attribute("placeholder", "64")
    expect(page.locator("#missing-total")).to_have_text("507")
    pulse.focus()
    page.keyboard.press("=")
    at_rest(page)

    expect(page.locator("#missing-total")).to_have_text("506")
    assert [(f.code, f.value) for f in evaluation.findings.all()] == [("heart_rate", 64)]


def test_the_spine_writes_findings(page, evaluation):
    page.locator('.half[data-segment="C1"][data-side="right"]').click()
    page.keyboard.press("2")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("h")
    page.get_by_role("group", name="Muscle tone").get_by_role("button", name="3").click()
    page.get_by_label("Listing", exact=True).fill("ASRP")
    at_rest(page)

    found = {(f.code, f.qualifiers.get("side")): f.value for f in evaluation.findings.all()}
    assert found == {("seg_tenderness", "right"): 2, ("seg_headache_reproduced", "left"): True,
                     ("seg_tone", "left"): 3, ("listing_c1", None): "ASRP"}  # fmt: skip
    expect(page.get_by_label("Tenderness grade, C1, right", exact=True)).to_have_value("2")
    expect(page.get_by_role("button", name="C1 right: tenderness 2, listing ASRP")).to_be_visible()


def test_the_muscles_write_findings(page, evaluation):
    page.get_by_role("button", name="Muscles", exact=True).click()
    page.locator('.belly[data-muscle="suboccipital"][data-side="right"]').click()
    page.keyboard.press("3")
    page.keyboard.press("t")
    page.keyboard.press("ArrowLeft")  # from behind the left is on the left
    page.keyboard.press("h")
    page.get_by_role("group", name="Tone of the muscle").get_by_role("button", name="-1").click()
    page.get_by_label("Pressure pain threshold in kPa").fill("250.5")
    at_rest(page)

    found = {(f.code, f.qualifiers["side"]): f.value for f in evaluation.findings.all()}
    assert {f.qualifiers["muscle"] for f in evaluation.findings.all()} == {"suboccipital"}
    assert found == {("muscle_tenderness", "right"): 3, ("trigger_point", "right"): True, ("muscle_tone", "left"): -1,
                     ("trigger_refers_to_head", "left"): True,
                     ("pressure_pain_threshold", "left"): Decimal("250.5")}  # fmt: skip
    expect(page.get_by_role("button", name="suboccipital right: tenderness 3, trigger point yes")).to_be_visible()
    page.get_by_label("Pressure pain threshold in kPa").fill("much")
    expect(page.locator("#muscle-says")).to_have_text("Give a number.")
    page.get_by_label("Pressure pain threshold in kPa").fill("")
    at_rest(page)
    assert not evaluation.findings.filter(code="pressure_pain_threshold", status="assessed").exists()


def test_muscles_by_keyboard_alone(page, evaluation):
    go(page, "Muscle tone, sternocleidomastoid, left")
    page.keyboard.press("Shift+S")
    expect(page.locator('.belly[data-muscle="scm"][data-side="left"]')).to_be_focused()
    page.keyboard.press("ArrowLeft")  # seen from the front the right is on the left
    page.keyboard.press("2")
    page.keyboard.press("Enter")  # into the grades below the drawing
    expect(page.get_by_role("group", name="Tenderness of the muscle").get_by_role("button").first).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Muscle tone, sternocleidomastoid, right", exact=True)).to_be_focused()
    page.keyboard.press("Shift+R")
    at_rest(page)
    expect(page.get_by_role("button", name="sternocleidomastoid right: tenderness 2, tone refused")).to_be_visible()
    assert violations(page) == []


def test_sections_by_key_and_the_list_of_keys(page):
    page.keyboard.press("]")
    assert Hands(page).at == "Systolic blood pressure, left"
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys of the evaluation")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("[")
    expect(page.locator(".question").first.get_by_role("radio").first).to_be_focused()


def test_the_page_is_for_everybody(page):
    assert violations(page) == []
    go(page, "Tenderness grade, C1, left")
    page.keyboard.press("Shift+E")
    page.locator('.half[data-segment="C2"][data-side="left"]').click()
    assert violations(page) == []
    for width in (390, 683, 768):  # a phone, the desk at 200 %, a tablet upright
        assert sideways(page, width) == []
    assert page.mistakes == []
