"""How a plan goes on: what counts, where each rule begins to hold, and how moved, missed and let-go visits are seen."""

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments import booking, visit_status
from appointments.models import Appointment
from appointments.recurring import series as visits
from careplans import planning, progress
from careplans.checkpoints import Checkpoint
from careplans.models import CarePlan
from careplans.progress import BEHIND, LOST, ON_PACE, Visits
from clinic import times
from evaluations.models import Evaluation
from tests import make
from tests.make import MONDAY

D = timedelta
DUE = Checkpoint(MONDAY + D(28), 12, 5)


TODAY = MONDAY + D(20)


def judged(due=DUE, *, today=TODAY, **numbers):
    return progress.judge(Visits(**numbers), due, starts_on=MONDAY, today=today)


@pytest.mark.parametrize(
    ("numbers", "pace"),
    [
        ({"booked": 3, "next_on": MONDAY + D(21)}, ON_PACE),
        ({"booked": 3, "next_on": MONDAY + D(21), "missed_in_a_row": 2}, ON_PACE),
        ({"booked": 3, "next_on": MONDAY + D(21), "missed_in_a_row": 3}, LOST),
        ({"fulfilled": 12, "missed_in_a_row": 3}, ON_PACE),
        ({"owed": 3, "last_on": MONDAY + D(7)}, ON_PACE),
        ({"owed": 3, "last_on": MONDAY + D(6)}, LOST),
        ({"owed": 3}, LOST),
        ({"owed": 3, "booked": 1, "next_on": MONDAY + D(60)}, ON_PACE),
        ({"booked": 1, "last_on": MONDAY}, LOST),
        ({"owed": 4, "overdue": 1, "last_on": MONDAY + D(19)}, ON_PACE),
        ({"owed": 4, "overdue": 2, "last_on": MONDAY + D(19)}, BEHIND),
        ({"fulfilled": 12, "last_on": MONDAY}, ON_PACE),
    ],
)
def test_the_rules_at_each_boundary(numbers, pace):
    assert judged(**numbers)[0] == pace


@pytest.mark.parametrize(("weeks_apart", "days", "pace"), [(2, 20, ON_PACE), (2, 21, LOST), (4, 34, ON_PACE)])
def test_where_visits_lie_further_apart_nobody_is_lost_before_a_week_more(weeks_apart, days, pace):
    seen = Visits(owed=3, last_on=TODAY - D(days))

    assert progress.judge(seen, DUE, starts_on=MONDAY - D(60), today=TODAY, weeks_apart=weeks_apart)[0] == pace


def test_an_overdue_re_evaluation_is_behind_from_the_day_after():
    today_due = Checkpoint(MONDAY, 0, 0)
    overdue = Checkpoint(MONDAY, 0, -1)
    numbers = {"booked": 1, "next_on": MONDAY + D(21)}

    assert judged(today_due, **numbers) == (ON_PACE, "")
    assert judged(overdue, **numbers) == (BEHIND, "The re-evaluation is 1 day overdue.")


def test_lost_goes_before_behind():
    assert judged(Checkpoint(MONDAY, 0, -9), owed=4, overdue=4)[0] == LOST


def test_a_plan_that_has_not_begun_is_not_lost():
    assert judged(owed=12, today=MONDAY - D(40)) == (ON_PACE, "")


@pytest.fixture
def begun(active, desk, adjustment):
    """Two a week for four weeks on the calendar, Mondays and Wednesdays at ten; four visits after them are owed."""
    planning.schedule(active, by=desk, weekdays=[0, 2], at_time=time(10))
    return active


@pytest.fixture
def came(chiro):
    def act(visit):
        with times.as_of(visit.starts_at):
            for step in (visit_status.arrive, visit_status.start, visit_status.complete):
                visit = step(visit, by=chiro.user)
        return visit

    return act


@pytest.fixture
def missed(desk):
    def act(visit):
        with times.as_of(visit.starts_at + D(hours=2)):
            return visit_status.no_show(visit, by=desk)

    return act


def booked():
    return list(Appointment.objects.order_by("starts_at").select_related("location"))


def evening(day):
    return make.at(20, day=day)


def seen(plan, at):
    with times.as_of(at):
        return progress.of_plan(plan)


def numbers(found):
    one = found.visits
    return {name: getattr(one, name) for name in ("planned", "fulfilled", "booked", "owed", "missed")}


def test_who_is_looked_at_again_is_here_and_not_lost(begun, came, chiro):
    """Four visits came, nothing but the re-evaluation is on the calendar."""
    for visit in booked()[:4]:
        came(visit)
    for visit in booked()[4:]:
        visit_status.cancel(visit, by=chiro.user, reason="Away.")
    last, day = MONDAY + D(9), MONDAY + D(24)
    assert seen(begun, evening(last + D(14))).pace == LOST

    kind = make.appointment_type("re-evaluation", 45, room_kind="evaluation")
    begun.series.checkpoint_type = kind
    begun.series.save()
    row = begun.series.visits.create(number=99, stretch=1, type=kind, wanted_on=day, wanted_at=time(10))
    visit = booking.book(patient=begun.patient, practitioner=chiro, location=begun.location, type=kind, by=chiro.user,
                         starts_at=make.at(14, day=day))  # fmt: skip
    Appointment.objects.filter(pk=visit.pk).update(series_visit=row)
    found = seen(begun, make.at(8, day=day))
    assert (found.pace == LOST, found.visits.next_on, numbers(found)["booked"]) == (False, day, 0)

    came(Appointment.objects.select_related("location").get(pk=visit.pk))
    found = seen(begun, evening(day + D(13)))
    assert (found.pace == LOST, found.visits.last_on, found.visits.fulfilled) == (False, day, 4)
    assert seen(begun, evening(day + D(14))).pace == LOST


def test_at_the_start(begun):
    found = seen(begun, make.at(8))

    assert numbers(found) == {"planned": 12, "fulfilled": 0, "booked": 8, "owed": 4, "missed": 0}
    assert (found.pace, found.visits.next_on, found.share) == (ON_PACE, MONDAY, 0)


def test_only_what_took_place_is_fulfilled(begun, came, missed):
    first, second, *_ = booked()
    came(first)
    missed(second)

    found = seen(begun, evening(MONDAY + D(3)))

    assert numbers(found) == {"planned": 12, "fulfilled": 1, "booked": 6, "owed": 5, "missed": 1}
    assert (found.visits.overdue, found.visits.missed_in_a_row, found.visits.last_on) == (1, 1, MONDAY)
    assert (found.pace, found.share) == (ON_PACE, 8)


def test_two_missed_visits_without_a_new_time_are_behind_and_three_lost(begun, missed):
    first, second, third, *_ = booked()
    missed(first)
    missed(second)
    found = seen(begun, evening(MONDAY + D(3)))
    assert (found.pace, found.reason) == (BEHIND, "2 visits whose day has passed have no new time.")

    missed(third)
    found = seen(begun, evening(MONDAY + D(8)))
    assert (found.pace, found.reason) == (LOST, "3 visits missed in a row.")


def test_a_visit_that_took_place_ends_the_row_of_missed_ones(begun, missed, came):
    first, second, third, fourth, *_ = booked()
    for one in (first, second, third):
        missed(one)
    came(fourth)

    found = seen(begun, evening(MONDAY + D(9)))

    assert (found.visits.missed, found.visits.missed_in_a_row, found.pace) == (3, 0, BEHIND)


def test_a_visit_wanted_today_is_not_overdue_before_the_day_is_over(begun, desk):
    visit_status.cancel(booked()[0], by=desk, reason="Flu.")

    assert seen(begun, evening(MONDAY)).visits.overdue == 0
    assert seen(begun, make.at(0, 1, day=MONDAY + D(1))).visits.overdue == 1


def test_a_cancelled_visit_is_owed_and_not_missed(begun, desk):
    visit_status.cancel(booked()[0], by=desk, reason="Flu.")

    assert numbers(seen(begun, make.at(8))) == {"planned": 12, "fulfilled": 0, "booked": 7, "owed": 5, "missed": 0}


def test_a_moved_visit_is_one_visit(begun, desk):
    first = booked()[0]
    booking.reschedule(first, starts_at=make.at(15, day=MONDAY + D(1)), by=desk)

    found = seen(begun, evening(MONDAY))

    assert numbers(found) == {"planned": 12, "fulfilled": 0, "booked": 8, "owed": 4, "missed": 0}
    assert (found.visits.overdue, found.visits.next_on) == (0, MONDAY + D(1))


def test_a_visit_let_go_is_not_planned_any_more(begun, desk):
    last = begun.series.visits.order_by("-number").first()
    visits.waive(last, by=desk, reason="Enough.")

    found = seen(begun, make.at(8))

    assert (found.visits.planned, found.visits.owed, found.visits.let_go) == (11, 3, 1)


def test_a_visit_nobody_closed_still_counts_for_a_day(begun, desk):
    for visit in booked()[1:]:
        visit_status.cancel(visit, by=desk, reason="Away.")

    assert seen(begun, evening(MONDAY)).visits.next_on == MONDAY
    assert seen(begun, evening(MONDAY + D(2))).visits.next_on is None


def evaluate(plan, at, *, signed=True):
    signature = {"status": "signed", "signed_by": plan.created_by, "signed_at": at, "digest": "0" * 64}
    return Evaluation.objects.create(
        patient=plan.patient, location=plan.location, started_by=plan.created_by, started_at=at, kind="reevaluation",
        **(signature if signed else {}),
    )  # fmt: skip


def test_the_nth_visit_makes_the_re_evaluation_due_until_it_is_signed(begun, came):
    CarePlan.objects.update(reevaluate_after_visits=2)
    first, second, third, *_ = booked()
    came(first)
    assert seen(begun, evening(MONDAY)).checkpoint.due_on == begun.reevaluate_by
    came(second)
    came(third)

    found = seen(begun, evening(MONDAY + D(8)))
    assert (found.checkpoint.due_on, found.checkpoint.visits_left) == (MONDAY + D(2), 0)
    assert (found.pace, found.reason) == (BEHIND, "The re-evaluation is 6 days overdue.")

    evaluate(begun, evening(MONDAY + D(8)), signed=False)
    assert seen(begun, evening(MONDAY + D(8))).pace == BEHIND
    evaluate(begun, evening(MONDAY + D(7)))
    again = seen(begun, evening(MONDAY + D(8)))
    assert (again.pace, again.checkpoint.visits_left) == (ON_PACE, 2)
    assert again.checkpoint.due_on == MONDAY + D(7) + (begun.reevaluate_by - begun.starts_on)


def test_a_re_evaluation_visit_is_no_treatment_visit(draft, chiro, desk, adjustment, came):
    make.appointment_type("re-evaluation", 45, room_kind="evaluation", is_evaluation=True)
    ready = planning.sign_consent(draft(reevaluate_after_visits=4), name="Avery Testerson", by=chiro.user)
    plan = planning.activate(ready, by=chiro.user)
    assert plan.series.visits.count() == 13

    assert seen(plan, make.at(8)).visits.planned == 12


def test_the_phase_is_that_of_the_next_visit(begun):
    first, second = begun.phases.all()

    assert [progress.phase([first, second], done) for done in (0, 7, 8, 11, 12)] == [
        first,
        first,
        second,
        second,
        second,
    ]
    assert progress.phase([], 3) is None


def test_each_plan_by_itself_and_the_day_by_its_zone(begun, came):
    came(booked()[0])

    found = progress.of(CarePlan.objects.all())

    assert list(found) == [begun.pk]
    assert progress.of(CarePlan.objects.none()) == {}


def test_a_draft_has_no_progress(ready):
    assert progress.of_plan(ready) is None


def test_three_queries(begun, came):
    CarePlan.objects.update(reevaluate_after_visits=1)
    came(booked()[0])

    with CaptureQueriesContext(connection) as asked:
        progress.of(CarePlan.objects.all())

    assert len(asked) == 3


def test_the_pages_show_it(sign_in, begun, missed, chiro):
    missed(booked()[0])
    missed(booked()[1])
    client = sign_in(chiro.user)

    with times.as_of(evening(MONDAY + D(3))):
        page = client.get(f"/care-plans/{begun.pk}/").content.decode()
        chart = client.get(f"/patients/{begun.patient_id}/").content.decode()

    for shown in (page, chart):
        assert "Behind" in shown
        assert "2 visits whose day has passed have no new time." in shown
    assert "0 of 12 visits" in page
    assert "in 25 days" in page


def test_a_plan_on_hold_is_not_judged(sign_in, begun, chiro):
    client, badge = sign_in(chiro.user), '<span class="badge-status is-completed">On pace</span>'
    assert badge in client.get(f"/care-plans/{begun.pk}/").content.decode()
    planning.hold(begun, by=chiro.user)

    for page in (f"/care-plans/{begun.pk}/", f"/patients/{begun.patient_id}/"):
        assert badge not in client.get(page).content.decode()


def test_the_api_tells_it(client, begun, chiro):
    client.force_login(chiro.user)

    found = client.get(f"/api/v1/care-plans/{begun.pk}/").json()["progress"]

    assert found == {
        "planned": 12, "fulfilled": 0, "booked": 8, "owed": 4, "overdue": 0, "missed": 0, "next_on": "2027-01-04",
        "reevaluation_due_on": "2027-02-01",
        "reevaluation_visits_left": 12, "reevaluation_stops_more": False, "pace": "on_pace", "reason": "",
    }  # fmt: skip


def test_the_api_judges_only_a_plan_that_runs(client, begun, chiro):
    planning.hold(begun, by=chiro.user)
    client.force_login(chiro.user)

    assert client.get(f"/api/v1/care-plans/{begun.pk}/").json()["progress"]["pace"] is None
