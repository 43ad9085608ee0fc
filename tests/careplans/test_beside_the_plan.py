"""What keeps the visits of a plan back keeps back those that are booked beside it: desk, patient, waitlist, series."""

from datetime import date, time, timedelta

import pytest

from appointments import booking, visit_status
from appointments.models import AppointmentEvent
from appointments.recurring import series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.waiting import matching, offers, waitlist
from careplans import further_visits, planning
from clinic import times
from clinic.errors import RuleBroken
from evaluations.safety import red_flags
from patients import consenting
from tests import make, signing
from tests.make import MONDAY, at

OVERDUE = date(2027, 2, 9)  # the re-evaluation was to be by the first of February
WHY = "In pain since the night"


@pytest.fixture
def book(active, patient, chiro, atlanta, adjustment, desk):
    """`book(day=…)` books an ordinary visit of the kind that the plan gives."""

    def act(**changes):
        day = changes.pop("day", MONDAY)
        wanted = {"patient": patient, "practitioner": chiro, "location": atlanta, "type": adjustment, "by": desk}
        return booking.book(starts_at=at(10, day=day), **wanted | changes)

    return act


def refusal(act, **changes):
    with pytest.raises(RuleBroken) as raised:
        act(**changes)
    return raised.value


def flagged(plan, chiro, desk):
    red_flags.stop_care(plan.patient, plan.evaluation, "rf_progressive", by=chiro.user)


def taken_back(plan, chiro, desk):
    consenting.withdraw(consenting.latest(plan.patient), by=chiro.user, reason="Wants to wait.")


def paused(plan, chiro, desk):
    planning.hold(plan, by=chiro.user, reason="Travels.")


HARD = [(flagged, "red_flag_open"), (taken_back, "consent_withdrawn")]


@pytest.mark.parametrize(("stop", "code"), [*HARD, (paused, "held_back")])
def test_what_holds_the_plan_up_refuses_the_visit(book, active, chiro, desk, stop, code):
    stop(active, chiro, desk)

    refused = refusal(book)

    assert (refused.code, list(refused.fields), refused.nearest) == (code, ["type"], [])


@pytest.mark.parametrize(("stop", "code"), HARD)
def test_no_reason_is_enough_against_safety_and_consent(book, active, chiro, desk, atlanta, stop, code):
    stop(active, chiro, desk)

    assert refusal(book, by=make.user("manager", atlanta), override_reason=WHY).code == code


def test_an_overdue_re_evaluation_holds_it_back_and_a_reason_lets_it_through_beside_the_plan(book, active, chiro, desk):
    with times.as_of(at(9, day=OVERDUE)):
        refused = refusal(book, day=OVERDUE)
        assert (refused.code, "The re-evaluation is 8 days overdue" in refused.message) == ("held_back", True)
        assert refusal(book, day=OVERDUE, override_reason=WHY).code == "held_back"  # the desk has no such right

        visit = book(day=OVERDUE, by=chiro.user, override_reason=WHY)

    assert visit.series_visit is None
    event = AppointmentEvent.objects.get(appointment=visit)
    assert (event.overridden, event.override_reason) == (["held_back"], WHY)


@pytest.mark.parametrize("stop", [flagged, taken_back, paused])
def test_the_patient_is_still_looked_at(book, active, chiro, desk, stop):
    stop(active, chiro, desk)

    assert book(type=make.appointment_type("re-evaluation", 45, is_evaluation=True, room_kind="evaluation")).pk
    assert book(day=MONDAY + timedelta(1), type=make.evaluation_type()).pk


def test_visits_on_the_calendar_take_place_and_can_be_moved(book, active, chiro, desk):
    visit = book()
    paused(active, chiro, desk)

    moved = booking.reschedule(visit, starts_at=at(11), by=desk)
    assert moved.starts_at == at(11)
    visit_status.cancel(moved, by=desk, reason="A slip.")
    assert visit_status.undo(moved, by=desk, expected=booking.last_step(moved).pk)


def test_patients_are_asked_to_call_and_told_no_reason(book, active, chiro, desk):
    flagged(active, chiro, desk)

    refused = refusal(book, by=None, by_whom="the patient")

    assert (refused.code, refused.message) == (
        "call_first", "We arrange this visit with you by phone: please call us.",
    )  # fmt: skip


def test_a_plan_that_is_over_or_of_others_holds_nothing_back(book, active, chiro, desk, atlanta):
    taken_back(active, chiro, desk)

    assert book(patient=make.patient(atlanta, given="Blake")).pk
    planning.discontinue(active, by=chiro.user, reason="Stops here.")
    assert book(day=MONDAY + timedelta(1)).pk


def test_an_old_plan_on_hold_does_not_stand_against_the_one_that_runs(book, active, draft, chiro, desk):
    paused(active, chiro, desk)
    planning.activate(planning.sign_consent(draft(), name="Avery Testerson", by=chiro.user), by=chiro.user)

    assert book().series_visit.series.care_plan.status == "active"


def test_a_series_beside_the_plan_is_no_way_round(active, chiro, atlanta, adjustment, desk, patient):
    beside = series.begin(
        patient=patient, type=adjustment, practitioner=chiro, location=atlanta, by=desk,
        pattern=Pattern(MONDAY, (Stretch(1, 2),), (0,), time(10)),
    )  # fmt: skip
    assert further_visits.gate(beside) is None
    paused(active, chiro, desk)

    assert further_visits.gate(beside).code == "held_back"
    assert further_visits.gate(beside, for_checkpoint=True) is None


def test_the_waitlist_offers_nothing_meanwhile(active, chiro, atlanta, adjustment, desk, patient):
    signing.may_be_written_to(patient)
    with times.as_of(at(9)):
        entry = waitlist.add(patient, waitlist.Asked(adjustment, [atlanta]), by=desk)
        paused(active, chiro, desk)
        assert matching.offer_free_times() == []
        planning.resume(active, by=chiro.user)
        (offer,) = matching.offer_free_times()
        paused(active, chiro, desk)

        with pytest.raises(RuleBroken) as refused:
            offers.accept(offer, by=None, by_whom="the patient")

    assert (refused.value.code, offer.entry) == ("call_first", entry)


def test_the_page_says_so_before_a_time_is_chosen(active, chiro, desk, sign_in, patient, adjustment):
    paused(active, chiro, desk)

    shown = sign_in(desk).get(f"/appointments/new/?patient={patient.pk}&type={adjustment.slug}").content.decode()

    assert "No further visit of this kind now: The care plan is on hold." in shown


def test_by_the_api(active, chiro, desk, api, patient, adjustment, atlanta):
    paused(active, chiro, desk)
    body = {"patient": patient.pk, "practitioner": chiro.pk, "location": atlanta.slug, "type": adjustment.slug,
            "starts_at": at(10).isoformat()}  # fmt: skip

    answer = api(desk).post("/api/v1/appointments/", body, format="json")

    assert (answer.status_code, answer.json()["code"], list(answer.json()["fields"])) == (409, "held_back", ["type"])
