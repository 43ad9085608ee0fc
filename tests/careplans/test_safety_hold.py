"""A running plan is on hold for safety at once when a red flag is raised, by an answer or by a measurement."""

from datetime import time, timedelta

import pytest
from django.urls import reverse

from appointments.models import Appointment
from careplans import planning, safety_hold
from careplans.models import CarePlan
from clinic import times
from clinic.errors import RuleBroken
from evaluations import recording
from evaluations.safety import red_flags
from tests import make

WHY = "Spoken about with the patient at length."
LETTER = {"name": "Dr. Outside", "date": "2026-11-04", "document": "Letter of the hospital"}
REFERRAL = {"destination": "Neurology", "reason": "Signs", "date": "2026-11-04", "how_sent": "fax"}


@pytest.fixture
def examine(patient, atlanta, chiro):
    """`examine(**sent)` saves on a new evaluation of the patient, as the page does."""

    def act(**sent):
        one = recording.start(patient=patient, location=atlanta, by=chiro.user)
        recording.save(one, version=one.version, by=chiro.user, **{"findings": [], **sent})
        return one

    return act


@pytest.fixture
def shown(api, chiro, active):
    return lambda: api(chiro.user).get(f"/api/v1/care-plans/{active.pk}/").json()


def event(patient):
    return red_flags.open_events(patient)[0]


def test_a_plan_runs_while_nothing_is_open(active, shown):
    assert safety_hold.of_plan(active) is None
    assert (shown()["status"], shown()["safety_hold"], shown()["blocks"]) == ("active", None, [])


RAISED = [
    pytest.param({"answers": {"rf_thunderclap": "yes"}}, "Sudden worst-ever headache", id="a yes"),
    pytest.param({"answers": {"rf_diplopia": "unknown"}}, "Double vision", id="an unknown"),
    pytest.param(
        {"findings": [{"code": "bp_systolic", "qualifiers": {"side": "left"}, "value": 180}]},
        "Blood pressure ≥ 180", id="a measurement",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "label"), RAISED)
def test_it_is_on_hold_at_once_and_says_since_when_and_why(active, shown, examine, sign_in, chiro, sent, label):
    now = times.now()
    with times.as_of(now + timedelta(minutes=5)):
        examine(**sent)

    hold = safety_hold.of_plan(active)
    found = shown()
    assert (hold.since, found["status"]) == (now + timedelta(minutes=5), "on_hold")
    assert any(reason.startswith(label) for reason in found["safety_hold"]["because"])
    assert found["safety_hold"]["since"] == times.local(hold.since, "America/New_York").isoformat()
    assert [block["code"] for block in found["blocks"]] == ["red_flag_open"]
    assert found["next_steps"] == planning.allowed(active)
    client = sign_in(chiro.user)
    for address in ("plan", "plan-print"):
        assert "On hold for safety since" in client.get(reverse(address, args=[active.pk])).content.decode()
    chart = client.get(reverse("patient", args=[active.patient_id])).content.decode()
    assert "On hold for safety" in chart


def test_nothing_of_it_is_placed_until_it_is_resolved(active, examine, chiro, api, patient):
    examine(answers={"rf_chiari": "yes"})
    sent = {"weekdays": [0, 2], "at_time": "09:00"}

    refused = api(chiro.user).post(f"/api/v1/care-plans/{active.pk}/schedule/", sent, format="json")

    assert (refused.status_code, refused.json()["code"]) == (409, "red_flag_open")
    with pytest.raises(RuleBroken) as broken:
        planning.resume(active, by=chiro.user)
    assert broken.value.code == "red_flag_open"
    assert not Appointment.objects.exists()
    red_flags.resolve(event(patient), resolution="corrected", by=chiro.user, rationale=WHY)
    assert safety_hold.of_plan(active) is None
    assert planning.schedule(active, by=chiro.user, weekdays=[0, 2], at_time=time(9)).booked


def test_the_page_of_placing_refuses_too(active, examine, sign_in, chiro):
    client = sign_in(chiro.user)
    place = reverse("series-place", args=[active.series_id])
    assert place in client.get(reverse("plan", args=[active.pk])).content.decode()

    examine(answers={"rf_chiari": "yes"})

    assert place not in client.get(reverse("plan", args=[active.pk])).content.decode()
    assert "A red flag is not resolved." in client.get(place).content.decode()
    assert client.post(place, {"weekdays": [0, 2], "at_time": "09:00"}).status_code == 409
    assert not Appointment.objects.exists()


def test_a_referral_keeps_it_on_hold_since_then_until_it_is_cleared_outside(active, examine, chiro, patient):
    examine(answers={"rf_chiari": "yes"})
    later = times.now() + timedelta(hours=1)
    with times.as_of(later):
        red_flags.resolve(
            event(patient), resolution="referred_no_manual_care", by=chiro.user, rationale=WHY, detail=REFERRAL
        )

    hold = safety_hold.of_plan(active)
    assert hold.since == later
    assert hold.because == ("Toggle-recoil, side-lying drop piece is forbidden: No manual care of the neck",)
    with times.as_of(later + timedelta(hours=1)):
        examine(answers={"rf_chiari": "yes"})
        red_flags.resolve(event(patient), resolution="cleared_external", by=chiro.user, rationale=WHY, detail=LETTER)
    assert safety_hold.of_plan(active) is None


def test_one_on_hold_by_hand_says_it_too_and_a_draft_or_an_ended_one_does_not(active, draft, examine, chiro):
    examine(answers={"rf_chiari": "yes"})

    assert safety_hold.of_plan(planning.hold(active, by=chiro.user)) is not None
    assert safety_hold.of_plan(draft()) is None
    assert safety_hold.of_plan(planning.discontinue(active, by=chiro.user, reason="Moved.")) is None


def test_a_list_asks_twice_however_many_plans(active, examine, api, chiro, atlanta, django_assert_max_num_queries):
    examine(answers={"rf_chiari": "yes"})
    for _ in range(3):
        other = make.patient(atlanta)
        CarePlan.objects.create(
            patient=other, evaluation=active.evaluation, location=atlanta, practitioner=chiro, status="active",
            starts_on=active.starts_on, created_by=chiro.user, created_at=times.now(),
        )  # fmt: skip

    with django_assert_max_num_queries(3):
        held = safety_hold.of(CarePlan.objects.all())  # the plans themselves are one
        assert list(held) == [active.pk]
