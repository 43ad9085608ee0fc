"""What stops care of the neck stops it for the patient: at every visit and in every plan, until it is cleared."""

from datetime import time, timedelta

import pytest

from appointments.models import Appointment
from careplans import asking_to_book, blocks, consent_rules, planning, revising
from careplans.decision_table import Decision, Result
from careplans.models import CarePlan
from clinic import times
from clinic.errors import RuleBroken
from dashboard import pace
from evaluations.notes import visit_notes
from evaluations.safety import red_flags, restrictions
from patients import consenting
from tests import signing
from tests.careplans.test_reevaluating import (  # noqa: F401 -- fixtures
    evaluated_again,
    fresh,
    judge,
    plan,
    refused,
    signed,
)

WORSE = {"migraine_days_28": 28, "hit6_total": 64}
REFERRED = {"destination": "Neurology", "reason": "Worse", "date": "2026-01-05", "how_sent": "Fax"}
CLEARED = {"name": "Dr. Example", "date": "2026-01-05", "document": "Letter"}


@pytest.fixture
def stopped(plan, evaluated_again, chiro):  # noqa: F811 -- the fixtures
    judge(plan, evaluated_again(plan, **WORSE), Result.WORSE, Decision.STOP, chiro.user)
    return fresh(plan)


def note_of(plan, by, *, number=0):  # noqa: F811
    """The note of one of the visits that stand, begun on its day."""
    visit = Appointment.objects.holding_time().filter(series_visit__series=plan.series).order_by("starts_at")[number]
    with times.as_of(visit.starts_at):
        return visit_notes.start(visit, by=by)


def treat(note, technique, by):
    with times.as_of(note.started_at):
        return visit_notes.save(note, content={"technique": technique}, version=note.version, by=by)


def refusal_of(note, technique, by):
    with pytest.raises(RuleBroken) as caught:
        treat(note, technique, by)
    return caught.value.code


def test_stopped_care_stops_the_visits_that_stand_and_the_next_plan(stopped, chiro, draft):
    note = note_of(stopped, chiro.user)

    assert (stopped.status, [one.code for one in red_flags.open_events(stopped.patient)]) == (
        "discontinued", ["rf_progressive"],
    )  # fmt: skip
    assert refusal_of(note, "diversified", chiro.user) == "red_flag_open"
    assert refusal_of(note, "nucca", chiro.user) == "red_flag_open"
    with times.as_of(times.now() + timedelta(hours=1)):
        anew = planning.sign_consent(draft(), name="Avery Testerson", by=chiro.user)
        with pytest.raises(RuleBroken) as caught:
            planning.activate(anew, by=chiro.user)
    assert caught.value.code == "red_flag_open"


def test_the_referral_leaves_the_neck_alone_until_somebody_outside_clears_it(stopped, chiro):
    event = stopped.patient.red_flag_events.get()
    red_flags.resolve(event, resolution="referred_no_manual_care", by=chiro.user, rationale="Sent on.", detail=REFERRED)

    assert restrictions.of(stopped.patient) == ["no_manual_neck_care"]
    assert refusal_of(note_of(stopped, chiro.user), "nucca", chiro.user) == "intervention_forbidden"

    again = red_flags.stop_care(stopped.patient, stopped.evaluation, "rf_progressive", by=chiro.user)
    red_flags.resolve(again, resolution="cleared_external", by=chiro.user, rationale="Seen, clear.", detail=CLEARED)
    assert restrictions.of(stopped.patient) == []
    assert treat(note_of(stopped, chiro.user), "nucca", chiro.user)["kept"] == {"technique": "nucca"}


def test_a_new_deficit_is_an_emergency(plan, evaluated_again, chiro):  # noqa: F811
    found = evaluated_again(plan, hoffmann="positive", migraine_days_28=5, hit6_total=58)

    judge(plan, found, Result.WORSE, Decision.STOP, chiro.user)

    assert [(event.code, event.tier) for event in red_flags.open_events(plan.patient)] == [
        ("rf_neuro_deficit", "emergency")
    ]


@pytest.mark.parametrize("decision", [Decision.GO_ON, Decision.EXTEND, Decision.SUPPORTIVE, Decision.STOP])
def test_what_the_data_prove_to_be_worse_is_not_recorded_as_better(plan, evaluated_again, chiro, decision):  # noqa: F811
    found = evaluated_again(plan, **WORSE)

    assert refused(plan, found, Result.PARTLY, decision, chiro.user).code == "worse_by_the_data"
    assert (fresh(plan).status, plan.reevaluations.count()) == ("active", 0)


def test_nobody_is_asked_to_book_while_care_is_stopped(plan, atlanta, chiro, desk):  # noqa: F811
    signing.may_be_written_to(plan.patient)
    with times.as_of(times.now() + timedelta(days=400)):
        assert [line.row for line in pace.lines([atlanta], desk)[0]] == [plan]
        red_flags.stop_care(plan.patient, plan.evaluation, "rf_progressive", by=chiro.user)

        assert pace.lines([atlanta], desk) == ([], 0)
        with pytest.raises(RuleBroken) as caught:
            asking_to_book.ask(plan, by=desk)
    assert caught.value.code == "red_flag_open"


@pytest.fixture
def gentle(draft, chiro, adjustment, desk):
    """A plan without a thrust that runs, with a consent that names none; two visits a week are on the calendar."""
    ready = planning.sign_consent(draft(interventions=["nucca"]), name="Avery Testerson", by=chiro.user)
    running = planning.activate(ready, by=chiro.user)
    planning.schedule(running, by=desk, weekdays=[0, 2], at_time=time(10))
    return running


def test_a_thrust_that_comes_into_a_running_plan_waits_for_its_consent(gentle, chiro, atlanta, said, desk):
    more = said | {"interventions": ["diversified"], "reason": "Firmer."}
    revising.revise(gentle, seen=1, by=chiro.user, practitioner=chiro, location=atlanta, **more)

    changed = fresh(gentle)
    assert [block.code for block in blocks.now(changed)] == ["consent_without_thrust", "agreement_missing"]
    with pytest.raises(RuleBroken) as caught:
        planning.schedule(changed, by=desk, weekdays=[0, 2], at_time=changed.series.as_pattern.at_time, phase=2)
    assert caught.value.code == "consent_without_thrust"
    note = note_of(changed, chiro.user)
    assert refusal_of(note, "diversified", chiro.user) == "intervention_forbidden"
    assert treat(note, "nucca", chiro.user)["kept"] == {"technique": "nucca"}

    planning.sign_consent(changed, name="Avery Testerson", by=chiro.user)
    assert (consent_rules.of_plan(fresh(gentle)), blocks.now(fresh(gentle))) == (None, [])
    assert treat(note, "diversified", chiro.user)["kept"] == {"technique": "diversified"}


def test_after_consent_was_taken_back_nothing_manual_is_done(gentle, chiro):
    note = note_of(gentle, chiro.user)
    consenting.withdraw(consenting.latest(gentle.patient), by=chiro.user, reason="Wants to wait.")

    assert refusal_of(note, "nucca", chiro.user) == "intervention_forbidden"
    assert treat(note, None, chiro.user)["version"] == note.version


def test_what_the_plan_itself_forbids_is_not_revised_into_it(gentle, chiro, atlanta, said):
    planning.restrict(gentle, "no_manual_thrust", by=chiro.user)

    with pytest.raises(RuleBroken) as caught:
        revising.revise(gentle, seen=1, by=chiro.user, practitioner=chiro, location=atlanta, reason="Firmer.", **said)

    assert (caught.value.code, CarePlan.objects.get().version) == ("intervention_forbidden", 1)
