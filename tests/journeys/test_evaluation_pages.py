"""Every page of an evaluation, in every window it is used in: nothing that axe knows, nothing that sticks out, and
everything reached by the keyboard alone.
"""

import json

import pytest
from playwright.sync_api import expect

from clinic import chart_files
from evaluations import demo, recording
from evaluations.models import RedFlagEvent
from evaluations.safety import red_flags
from tests.journeys.walking import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# A screen, a tablet in portrait, the screen at 200 %, two telephones.
WINDOWS = {
    "screen": (1366, 768), "tablet": (820, 1180), "screen at 200 %": (683, 384), "telephone": (390, 844),
    "small telephone": (320, 640),
}  # fmt: skip
PAGES = {
    "entry": "/evaluations/{draft}/",
    "intake": "/evaluations/{draft}/intake/",
    "red flags": "/evaluations/{draft}/red-flags/",
    "emergency": "/evaluations/{draft}/emergency/",
    "signing": "/evaluations/{draft}/sign/",
    "comparison": "/evaluations/{signed}/compare/",
    "then and now": "/evaluations/{signed}/compare/patient/",
    "report for the patient": "/evaluations/{signed}/report/",
    "report for a clinician": "/evaluations/{signed}/print/",
    "signed": "/evaluations/{signed}/",
    "intake as signed": "/evaluations/{signed}/intake/",
    "resolving a flag": "/red-flags/{flag}/resolve/",
}
BY_KEYBOARD = ("intake", "red flags", "emergency", "comparison", "report for the patient", "signed", "resolving a flag")
# Whatever a person could use: of a group of radio buttons one, as the arrows reach the others.
USABLE = """() => {
  const groups = new Set(), found = [];
  for (const one of document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')) {
    const isSeen = one.checkVisibility({visibilityProperty: true});
    if (one.disabled || one.type === 'hidden' || one.tabIndex < 0 || !isSeen) continue;
    if (one.type === 'radio') {
      const group = `${one.form?.id} ${one.name}`;
      if (groups.has(group)) continue;
      groups.add(group);
    }
    found.push(one);
  }
  window.usable = found;
  return found.length;
}"""
REACHED = """() => {
  const at = document.activeElement;
  window.reached ??= new Set();
  const name = (one) => (one.type === 'radio' ? `${one.form?.id} ${one.name}` : one);
  window.reached.add(name(at));
  const unseen = window.usable.filter((one) => !window.reached.has(name(one)));
  return unseen.map((one) => one.outerHTML.slice(0, 120));
}"""


@pytest.fixture
def addresses(atlanta, chiro):
    """Two signed evaluations of a chart, and a third begun, with what stops care of the neck."""
    chart = json.loads((demo.CHARTS / "C01.json").read_text(encoding="utf-8"))
    patient = chart_files.bring_in(chart)
    draft = recording.start(patient=patient, location=atlanta, by=chiro.user)
    findings = [
        {"code": "bp_systolic", "qualifiers": {"side": "left"}, "value": 182},
        {"code": "seg_tenderness", "qualifiers": {"segment": "C1", "side": "right"}, "value": 3},
    ]
    recording.save(draft, findings=findings, version=draft.version, by=chiro.user)
    red_flags.answer(patient=patient, evaluation=draft, answers={"rf_diplopia": "yes"}, by=chiro.user)
    pages = {
        "draft": draft.pk,
        "signed": patient.evaluations.order_by("-started_at")[1].pk,
        "flag": RedFlagEvent.objects.get(code="rf_diplopia").pk,
    }
    return {name: address.format(**pages) for name, address in PAGES.items()}


@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_has_a_fault_that_axe_knows_or_sticks_out(opened, chiro, addresses, window):
    width, height = WINDOWS[window]
    page = opened(chiro.user, "/", viewport={"width": width, "height": height})
    wrong = {}
    for name, address in addresses.items():
        assert page.goto(address).status == 200, name
        much = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults = violations(page) + ([f"sticks out by {much} px"] if much > 0 else [])
        if faults:
            wrong[name] = faults
    assert wrong == {}


# Whether what is asked for is what one sees there, and whether all of the bar at the foot is inside the window.
IN_SIGHT = """(selector) => {
  const panel = document.querySelector(selector), { left, top } = panel.getBoundingClientRect();
  return panel.contains(document.elementFromPoint(left + 40, top + 20));
}"""
BAR = """() => {
  const bar = document.querySelector('.entry-bar'), { left, right, bottom } = bar.getBoundingClientRect();
  const out = [...bar.querySelectorAll('a, button, span, strong')].filter((one) => {
    const at = one.getBoundingClientRect();
    return one.checkVisibility() && (at.left < left || at.right > right || at.bottom > innerHeight);
  });
  const wide = document.documentElement.scrollWidth - innerWidth;
  return { out: out.map((one) => one.outerHTML), isInside: bottom <= innerHeight, wide };
}"""
PARTS_OUT = """all => all.filter((one) => {
  const { right } = one.closest('li').getBoundingClientRect();
  return one.getBoundingClientRect().right > Math.min(innerWidth, right) + 0.5;
}).map((one) => one.outerHTML)"""


# What of the page covers the field that is typed in; nothing where it is wholly to be seen.
COVERED_BY = """() => {
  const field = document.activeElement, { left, top, width, height } = field.getBoundingClientRect();
  const there = document.elementFromPoint(left + width / 2, top + height / 2);
  const isSeen = field.contains(there) || there?.closest('.cell') === field.closest('.cell');
  return isSeen ? null : there?.outerHTML.slice(0, 80);
}"""


@pytest.mark.parametrize("window", ["tablet", "telephone"])
def test_what_is_typed_in_is_seen(opened, chiro, addresses, window):
    """Not below the parts, the bar at the foot, or the head of a line in a table that is wider than the window."""
    width, height = WINDOWS[window]
    page = opened(chiro.user, addresses["entry"], viewport={"width": width, "height": height})
    fields = page.locator(".cell-value, .several > summary")
    fields.first.focus()
    covered = {}
    for nth in range(fields.count()):
        if by := page.evaluate(COVERED_BY):
            covered[nth] = by
        page.keyboard.press("Tab")
    assert covered == {}


@pytest.mark.parametrize("window", ["tablet", "telephone", "small telephone"])
def test_what_is_missing_the_drawing_and_the_results_are_at_hand(opened, chiro, addresses, window):
    width, height = WINDOWS[window]
    page = opened(chiro.user, addresses["entry"], viewport={"width": width, "height": height})
    place = page.locator('[data-cell="head_tilt[]"] .cell-value')
    place.focus()

    for way, panel in (("Drawing", "#drawing"), ("Results", "#results"), ("Drawing", "#drawing")):
        expect(page.locator("#missing-total")).to_be_in_viewport()
        page.locator(".bar-whole").get_by_role("link", name=way).click()
        page.wait_for_function(IN_SIGHT, arg=panel)
        assert page.evaluate(BAR) == {"out": [], "isInside": True, "wide": 0}
    page.locator("#bar-label").click()
    expect(place).to_be_focused()
    expect(place).to_be_in_viewport()


def test_the_parts_stand_in_full(opened, chiro, addresses):
    """Nothing of a part sticks out of its place, and on a tablet none is left to be looked for at the side."""
    page = opened(chiro.user, addresses["entry"])
    for width, height in WINDOWS.values():
        page.set_viewport_size({"width": width, "height": height})
        out = page.eval_on_selector_all(".entry-rail li a, .entry-rail li a > *", PARTS_OUT)
        assert out == []


@pytest.mark.parametrize("name", BY_KEYBOARD)
def test_everything_on_the_page_is_reached_by_keyboard(opened, chiro, addresses, name):
    page = opened(chiro.user, addresses[name])
    page.wait_for_load_state("networkidle")
    unseen = ["everything"]
    for _ in range(page.evaluate(USABLE) + 10):
        page.keyboard.press("Tab")
        unseen = page.evaluate(REACHED)
        if not unseen:
            break
    assert unseen == []
