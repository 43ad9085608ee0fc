"""Nothing typed into an evaluation is lost: the server dies, the tab is closed, somebody else saves."""

import os
import re
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from evaluations import recording

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
API = re.compile(r"/api/v1/evaluations/\d+/$")
VITALS = {"Pulse": "72", "Respiratory rate": "14", "Height": "172.5", "Weight": "70.0"}


def write(page, **values):
    for label, text in values.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(text)


def at_rest(page):
    expect(page.locator("#save-state")).to_have_text(re.compile(r"^Saved \d"))


def drafts(page):
    return page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('atlas.draft.'))")


# --- the server dies (the processes of `make run`)


def web_process(clinic):
    """The process that answers: a child of the clinic that these journeys started."""
    listening = f":{urlsplit(clinic.address).port}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"waitress" in command and listening in command:
            return int(folder.name)
    pytest.skip("The web process is not to be found on this system.")


@pytest.mark.parametrize("answer", ["never asked", "lost"])
def test_the_server_is_killed_during_a_save(signed_in, clinic, answer):
    page = signed_in("chiro")
    number = clinic.python(
        "from clinic.models import User\nfrom patients.models import Patient\nfrom evaluations import recording\n"
        "by = User.objects.get(email='chiro@demo.test')\n"
        "patient = Patient.objects.visible_to(by, 'evaluation.write').first()\n"
        "print(recording.start(patient=patient, location=patient.home_location, by=by).pk)"
    ).strip()
    page.goto(f"{clinic.address}/evaluations/{number}/")
    killed = []

    def kill(route):
        if killed:
            return route.continue_()
        if answer == "lost":
            route.fetch()  # applied, and nobody hears of it
        killed.append(web_process(clinic))
        os.kill(killed[0], signal.SIGKILL)
        return route.abort()

    page.route(API, kill)
    (first, text), *others = VITALS.items()
    write(page, **{first: text})
    expect(page.locator("#save-state")).to_contain_text("does not answer")
    for label, text in others:
        write(page, **{label: text})
    assert len(drafts(page)) == 1
    at_rest(page)

    assert web_process(clinic) != killed[0]
    found = clinic.python(
        f"from evaluations.models import Evaluation\nevaluation = Evaluation.objects.get(pk={number})\n"
        "print(sorted(str(f.value) for f in evaluation.findings.all()), evaluation.version)"
    ).strip()
    assert found == f"{sorted(VITALS.values())} 2"  # each save once
    assert drafts(page) == []


# --- this device keeps what is not acknowledged


@pytest.fixture
def evaluation(patient, atlanta, chiro):
    return recording.start(patient=patient, location=atlanta, by=chiro.user)


@pytest.fixture
def page(opened, chiro, evaluation):
    return opened(chiro.user, f"/evaluations/{evaluation.pk}/")


def values(evaluation):
    return {f.code: str(f.value) for f in evaluation.findings.all()}


def cut_off(page):
    page.route(API, lambda route: route.abort())


def test_a_closed_tab_gives_it_back(page, evaluation):
    cut_off(page)
    write(page, Pulse="72")
    page.get_by_label("Conclusion").fill("Better.")
    expect(page.locator("#save-state")).to_contain_text("does not answer")
    context, address = page.context, page.url
    page.close(run_before_unload=False)

    again = context.new_page()
    again.goto(address)

    expect(again.get_by_label("Pulse", exact=True)).to_have_value("72")
    at_rest(again)
    assert values(evaluation) == {"heart_rate": "72"}
    evaluation.refresh_from_db()
    assert evaluation.conclusion == "Better."
    assert drafts(again) == []


def test_what_somebody_else_changed_meanwhile_is_asked_about(page, evaluation, chiro):
    cut_off(page)
    write(page, Pulse="72")
    expect(page.locator("#save-state")).to_contain_text("does not answer")
    recording.save(evaluation, findings=[{"code": "heart_rate", "value": 90}], version=0, by=chiro.user)
    page.unroute_all()
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()

    row = page.get_by_role("dialog").get_by_role("row", name=re.compile("Pulse"))
    expect(row).to_contain_text("72")
    expect(row).to_contain_text("90")
    assert values(evaluation) == {"heart_rate": "90"}


def test_signing_out_takes_the_draft_away(page, evaluation):
    cut_off(page)
    write(page, Pulse="72")
    expect(page.locator("#save-state")).to_contain_text("does not answer")
    assert len(drafts(page)) == 1

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_label(re.compile("^Signed in as")).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("login"))

    assert drafts(page) == []


def test_the_draft_of_another_stays_theirs(page, evaluation):
    theirs = "atlas.draft.999999.1"
    page.evaluate(f"localStorage.setItem('{theirs}', '{{}}')")
    page.reload()
    write(page, Pulse="72")
    at_rest(page)
    assert drafts(page) == [theirs]

    page.get_by_label(re.compile("^Signed in as")).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("login"))
    assert drafts(page) == [theirs]


# --- what is said beside a finding


def test_a_reason_and_a_note_are_several_words(page, evaluation):
    page.get_by_label("Pulse", exact=True).press_sequentially("72")
    page.keyboard.press("Alt+Shift+E")
    page.get_by_label("Note", exact=True).press_sequentially("with shoes on today", delay=60)
    page.keyboard.press("Escape")
    at_rest(page)

    assert evaluation.findings.get().note == "with shoes on today"


def test_what_was_refused_is_not_forgotten(page, evaluation):
    total, state = page.locator("#missing-total"), page.locator("#save-state")
    before = int(total.inner_text())
    write(page, Height="999")
    expect(state).to_contain_text("Not saved")
    write(page, Weight="70")
    expect(state).to_have_text("Not saved: Height")
    expect(total).to_have_text(str(before - 1))
    assert values(evaluation) == {"weight": "70.0"}

    write(page, Height="172.5")
    at_rest(page)
    expect(total).to_have_text(str(before - 2))
    assert values(evaluation) == {"height": "172.5", "weight": "70.0"}


def test_readings_that_do_not_agree_are_still_missing(page, evaluation):
    total = page.locator("#missing-total")
    before = int(total.inner_text())
    field = page.get_by_label("Flexion, active", exact=True)
    field.fill("30 50")
    at_rest(page)
    expect(total).to_have_text(str(before))

    page.reload()
    expect(total).to_have_text(str(before))
    field.fill("30 31 32")
    at_rest(page)
    expect(total).to_have_text(str(before - 1))


# --- two tabs, two people


@pytest.fixture
def two_tabs(page, evaluation):
    other = page.context.new_page()
    other.goto(page.url)
    return page, other


@pytest.mark.parametrize(("choice", "kept"), [("mine", "80"), ("theirs", "72")])
def test_two_tabs_choose_for_each_finding(two_tabs, evaluation, choice, kept):
    first, second = two_tabs
    write(first, Pulse="72", Temperature="36.8")
    at_rest(first)

    write(second, Pulse="80", Respiratory_rate="14")
    dialog = second.get_by_role("dialog", name="Saved meanwhile from elsewhere")
    expect(dialog).to_contain_text(re.compile(r"You yourself, .* saved this evaluation on .* at \d+:\d\d [AP]M E[SD]T"))
    row = dialog.get_by_role("row", name=re.compile("Pulse"))
    expect(row).to_contain_text(re.compile(r"Robin Sample, \d\d:\d\d"))
    expect(row.get_by_role("radio", name="80")).to_be_checked()
    expect(row.get_by_role("radio", name="72")).to_be_visible()
    expect(dialog.get_by_role("row")).to_have_count(2)  # the heading, and only what both changed
    expect(second.get_by_label("Temperature", exact=True)).to_have_value("36.8")
    row.locator(f"[value={choice}]").check()
    dialog.get_by_role("button", name="Save the choice").click()
    expect(dialog).to_be_hidden()
    expect(second.locator("#save-state")).to_have_text(re.compile("^Saved"))
    expect(second.get_by_label("Pulse", exact=True)).to_have_value(kept)
    second.wait_for_timeout(1500)

    assert values(evaluation) == {"heart_rate": kept, "body_temperature": "36.8", "respiratory_rate": "14"}


def test_a_conflict_leaves_the_keyboard_where_it_is(two_tabs, evaluation):
    first, second = two_tabs
    write(first, Pulse="72")
    at_rest(first)

    write(second, Pulse="80")
    second.get_by_label("Weight", exact=True).focus()
    expect(second.get_by_role("dialog", name="Saved meanwhile from elsewhere")).to_be_visible()
    second.keyboard.type("70")

    expect(second.get_by_label("Weight", exact=True)).to_have_value("70")
