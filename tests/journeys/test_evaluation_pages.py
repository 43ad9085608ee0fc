"""Every page of an evaluation, in every window it is used in: nothing that axe knows, nothing that sticks out, and
everything reached by the keyboard alone.
"""

import json

import pytest

from clinic import chart_files
from evaluations import demo, recording
from evaluations.models import RedFlagEvent
from evaluations.safety import red_flags
from tests.journeys.walking import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# A screen, a tablet in portrait, the screen at 200 %, a telephone.
WINDOWS = {"screen": (1366, 768), "tablet": (820, 1180), "screen at 200 %": (683, 384), "telephone": (390, 844)}
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
