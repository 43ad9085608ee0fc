"""What an open red flag stops, and what opens it again: answers over the API, resolutions on the page, then the plan.

Every branch of reference 1.4. The block is the rule's: page and API meet the same one.
"""

import pytest
from django.urls import reverse

from careplans import further_visits, planning
from careplans.models import CarePlan
from clinic.errors import RuleBroken
from evaluations import recording, signing
from evaluations.safety import red_flags, restrictions
from tests import make

EMERGENCY, URGENT, CAUTION = "rf_thunderclap", "rf_chiari", "rf_osteoporosis"
LETTER = {"detail.name": "Dr. Outside", "detail.date": "2026-11-04", "detail.document": "Letter of the hospital"}
REFERRAL = {"detail.destination": "Neurology", "detail.reason": "Signs", "detail.date": "2026-11-04",
            "detail.how_sent": "fax"}  # fmt: skip
WHY = {"rationale": "Spoken about with the patient at length."}


@pytest.fixture
def answer(api, chiro, patient, atlanta):
    """`answer(code, given)` answers over the API in a new evaluation; gives back the event that is open."""

    def act(code, given, by=None):
        evaluation = recording.start(patient=patient, location=atlanta, by=chiro.user)
        sent = {"version": evaluation.version, "red_flags": {code: given}}
        done = api(by or chiro.user).patch(f"/api/v1/evaluations/{evaluation.pk}/", sent, format="json")
        assert done.status_code == 200
        return next((event for event in red_flags.open_events(patient) if event.code == code), None)

    return act


@pytest.fixture
def resolve(client, chiro):
    """`resolve(event, resolution, …)` on the page; gives back its status."""

    def act(event, resolution, by=None, **fields):
        client.force_login((by or chiro).user)
        return client.post(
            reverse("red-flag-resolve", args=[event.pk]), {"resolution": resolution, **fields}
        ).status_code

    return act


@pytest.fixture
def activate(api, client, chiro, ready, adjustment):
    """Tries the API and, where that refuses, the page too; gives the code of the refusal, or "" when it began."""

    def act():
        answer = api(chiro.user).post(f"/api/v1/care-plans/{ready.pk}/activate/")
        ready.refresh_from_db()
        if answer.status_code < 400:
            assert ready.status == CarePlan.Status.ACTIVE
            return ""
        client.force_login(chiro.user)
        client.post(reverse("plan-step", args=[ready.pk]), {"step": "activate"})
        ready.refresh_from_db()
        assert ready.status == CarePlan.Status.DRAFT
        return answer.json()["code"]

    return act


@pytest.mark.parametrize("code", [EMERGENCY, URGENT, CAUTION])
@pytest.mark.parametrize("given", ["yes", "unknown", "declined"])
def test_every_answer_but_no_stops_the_plan(answer, activate, code, given):
    answer(code, given)

    assert activate() == "red_flag_open"


def test_a_no_stops_nothing(answer, activate):
    answer(EMERGENCY, "no")

    assert activate() == ""


CLOSED = [
    (EMERGENCY, "yes", "cleared_external", {**WHY, **LETTER}),
    (URGENT, "yes", "cleared_external", {**WHY, **LETTER}),
    (URGENT, "yes", "corrected", WHY),
    (CAUTION, "yes", "cleared_external", {**WHY, **LETTER}),
    (CAUTION, "yes", "corrected", WHY),
    (CAUTION, "yes", "acknowledged_modified", {**WHY, "restrictions": "no_hvla"}),
    (CAUTION, "yes", "acknowledged_no_change", WHY),
    (URGENT, "unknown", "acknowledged_unanswered", WHY),
    (CAUTION, "declined", "acknowledged_unanswered", WHY),
]


@pytest.mark.parametrize(("code", "given", "resolution", "fields"), CLOSED)
def test_what_its_tier_allows_opens_the_way(answer, resolve, activate, code, given, resolution, fields):
    event = answer(code, given)

    assert resolve(event, resolution, **fields) == 302
    assert activate() == ""


STAYS = [
    (EMERGENCY, "yes", "acknowledged_no_change", WHY),
    (EMERGENCY, "yes", "acknowledged_modified", WHY),
    (EMERGENCY, "yes", "corrected", WHY),
    (EMERGENCY, "yes", "referred_no_manual_care", {**WHY, **REFERRAL}),
    (EMERGENCY, "yes", "cleared_external", WHY),
    *((EMERGENCY, "yes", "cleared_external", {**WHY, **LETTER, gone: ""}) for gone in LETTER),
    (EMERGENCY, "unknown", "acknowledged_unanswered", WHY),
    (EMERGENCY, "declined", "acknowledged_unanswered", WHY),
    (EMERGENCY, "unknown", "cleared_external", {**WHY, **LETTER}),
    (URGENT, "yes", "acknowledged_no_change", WHY),
    (URGENT, "yes", "corrected_dual", WHY),
    *((URGENT, "yes", "referred_no_manual_care", {**WHY, **REFERRAL, gone: ""}) for gone in REFERRAL),
    (URGENT, "yes", "corrected", {"rationale": " "}),
    (CAUTION, "yes", "acknowledged_no_change", {"rationale": "x" * 19}),
    (CAUTION, "yes", "referred_no_manual_care", {**WHY, **REFERRAL}),
    (CAUTION, "yes", "", WHY),
]


@pytest.mark.parametrize(("code", "given", "resolution", "fields"), STAYS)
def test_nothing_less_opens_the_way(answer, resolve, activate, code, given, resolution, fields):
    event = answer(code, given)

    assert resolve(event, resolution, **fields) == 400
    assert activate() == "red_flag_open"


def test_an_entry_error_in_an_emergency_takes_a_second_clinician(answer, resolve, activate, atlanta):
    event = answer(EMERGENCY, "yes")

    assert resolve(event, "corrected_dual", **WHY) == 302
    assert activate() == "red_flag_open"
    assert resolve(event, "corrected_dual", **WHY) == 409  # the same one again
    assert activate() == "red_flag_open"
    assert resolve(event, "corrected_dual", by=make.practitioner(atlanta), **WHY) == 302
    assert activate() == ""


def test_an_answer_given_later_opens_the_way_of_an_unknown(answer, activate):
    answer(EMERGENCY, "unknown")

    assert answer(EMERGENCY, "no") is None
    assert activate() == ""


def test_a_later_no_does_not_open_the_way_of_a_yes(answer, activate):
    answer(EMERGENCY, "yes")
    answer(EMERGENCY, "no")

    assert activate() == "red_flag_open"


def test_a_referral_forbids_manual_care_of_the_neck_until_it_is_cleared_outside(answer, resolve, activate, patient):
    resolve(answer(URGENT, "yes"), "referred_no_manual_care", **WHY, **REFERRAL)
    assert activate() == "intervention_forbidden"

    resolve(answer(URGENT, "unknown"), "acknowledged_unanswered", **WHY)
    assert activate() == "intervention_forbidden"
    resolve(answer(URGENT, "yes"), "corrected", **WHY)
    assert restrictions.of(patient) == ["no_manual_neck_care"]

    resolve(answer(URGENT, "yes"), "cleared_external", **WHY, **LETTER)
    assert restrictions.of(patient) == []
    assert activate() == ""


def test_the_desk_resolves_nothing(answer, client, desk, activate):
    event = answer(CAUTION, "yes")
    client.force_login(desk)

    answer_ = client.post(reverse("red-flag-resolve", args=[event.pk]), {"resolution": "corrected", **WHY})

    assert answer_.status_code == 403
    assert activate() == "red_flag_open"


def test_a_new_yes_keeps_a_running_plan_from_being_resumed_and_placed(answer, active, chiro):
    planning.hold(active, by=chiro.user)
    answer(URGENT, "yes")

    with pytest.raises(RuleBroken) as refused:
        planning.resume(active, by=chiro.user)
    assert refused.value.code == "red_flag_open"
    assert further_visits.gate(active.series).code == "red_flag_open"


def test_it_blocks_at_every_location(answer, activate, patient, marietta):
    patient.locations.add(marietta)
    answer(URGENT, "yes")

    assert [event.code for event in red_flags.blocks_care(patient)] == [URGENT]
    assert activate() == "red_flag_open"


def test_stopped_for_safety_it_is_still_signed_and_still_blocks(client, answer, activate, patient, chiro):
    event = answer(EMERGENCY, "yes")
    client.force_login(chiro.user)
    client.post(reverse("evaluation-stop", args=[event.evaluation_id]))
    evaluation = event.evaluation
    evaluation.refresh_from_db()

    signing.sign(evaluation, by=chiro.user)

    assert (evaluation.status, signing.is_intact(evaluation)) == ("stopped_red_flag", True)
    assert activate() == "red_flag_open"
