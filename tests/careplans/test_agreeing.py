"""A running plan that was changed in what is done or how often gets no further visits before the patient agrees."""

from datetime import time, timedelta

import pytest

from appointments import booking
from appointments.recurring import gates
from careplans import agreeing, blocks, planning, revising
from careplans.models import CarePlan
from clinic.errors import RuleBroken
from dashboard import checkpoints
from tests.make import MONDAY, at

FEWER = [{"kind": "relief", "visits_per_week": 1, "weeks": 4}]


@pytest.fixture
def change(active, said, atlanta, chiro):
    """`change(**changes)` revises the running plan and gives it back."""

    def revise(**changes):
        who = {"by": chiro.user, "practitioner": chiro, "location": atlanta, "reason": "As talked over."}
        now = CarePlan.objects.with_names().get(pk=active.pk)
        revising.revise(now, seen=now.version, **(who | said | changes))
        return CarePlan.objects.with_names().get(pk=active.pk)

    return revise


def sign(plan, chiro):
    return planning.sign_consent(plan, name="Avery Testerson", by=chiro.user)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"phases": FEWER}, ["Visits"]),
        ({"interventions": ["nucca", "chin_tucks"]}, ["Technique"]),
        ({"interventions": ["palmer_toggle_recoil", "massage", "chin_tucks"]}, ["With the adjustment"]),
        ({"interventions": ["palmer_toggle_recoil", "exercise_dnf", "chin_tucks"]}, ["Active care"]),
        ({"interventions": ["palmer_toggle_recoil"]}, []),  # what is done at home keeps nothing back
        ({"note": "Prefers mornings.", "diagnoses": ["M99.01"], "reevaluate_by": MONDAY + timedelta(21)}, []),
    ],
)
def test_what_waits_for_the_patient(change, changes, what):
    plan = change(**changes)

    assert agreeing.open_changes(plan) == what
    assert [block.code for block in blocks.now(plan)] == ["agreement_missing"] * bool(what)


def test_nothing_further_is_placed_until_it_is_agreed_to(change, chiro, desk, patient, atlanta, adjustment):
    plan = change(phases=FEWER)
    with pytest.raises(RuleBroken) as by_the_series:
        planning.schedule(plan, by=desk, weekdays=[0], at_time=time(10))
    with pytest.raises(RuleBroken) as beside_it:
        booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, by=desk, starts_at=at(10))
    codes = (by_the_series.value.code, beside_it.value.code)

    assert codes == ("agreement_missing", "held_back")
    assert gates.refusal(plan.series, for_checkpoint=True) is None
    sign(plan, chiro)
    assert len(planning.schedule(plan, by=desk, weekdays=[0], at_time=time(10)).booked) == 4


def test_it_is_compared_with_what_was_agreed_to_last(change, chiro):
    softer = {"interventions": ["nucca", "chin_tucks"]}
    change(**softer)
    assert agreeing.open_changes(change(**softer, note="Mornings.")) == ["Technique"]
    back = change(note="Mornings.")

    assert agreeing.open_changes(back) == []
    assert agreeing.open_changes(sign(change(**softer), chiro)) == []


def test_a_draft_and_a_plan_that_is_over_wait_for_nobody(change, chiro):
    plan = change(phases=FEWER)

    planning.discontinue(plan, by=chiro.user, reason="Moves away.")

    assert agreeing.open_changes(CarePlan.objects.get(pk=plan.pk)) == []


def test_page_and_worklist_say_so(change, chiro, sign_in):
    client = sign_in(chiro.user)
    plan = change(phases=FEWER)

    page = client.get(f"/care-plans/{plan.pk}/").content.decode()
    listed = client.get("/worklists/checkpoints/").content.decode()

    assert "The patient has not agreed to what was changed (visits)" in page
    assert "Let the patient sign" in page
    assert "Put on the calendar" not in page
    assert "Changed and not agreed to yet (visits)" in listed
    sign(plan, chiro)
    assert checkpoints.lines(chiro.user, mine_only=True) == ([], 0)


def test_many_plans_ask_once(change, draft, django_assert_num_queries):
    plan, other = change(phases=FEWER), draft()

    with django_assert_num_queries(1):
        assert agreeing.among([plan, other] * 5) == {plan.pk: ["Visits"]}
