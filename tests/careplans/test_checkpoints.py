"""When the re-evaluation is due, by the kind of care, and what an overdue one stops."""

from datetime import date, time, timedelta

import pytest

from appointments import visit_status
from appointments.recurring import gates, placing
from appointments.recurring import series as visits
from appointments.recurring.proposals import Choice
from careplans import checkpoints, planning, progress
from careplans.checkpoints import Checkpoint, Limit
from careplans.models import CarePlan
from clinic import times
from clinic.errors import RuleBroken
from evaluations.models import Evaluation
from tests import make
from tests.make import MONDAY

D = timedelta
ACTIVE, SUPPORTIVE = Limit(30, 12), Limit(90, 6)


def point(**given):
    given = {"starts_on": MONDAY, "within": Limit(28, 12), "evaluated_on": None, "nth_on": None, "since": 0,
             "today": MONDAY + D(10), **given}  # fmt: skip
    found = checkpoints.due(**given)
    return found.due_on - MONDAY, found.visits_left, found.days_left


def test_it_is_due_on_its_day_or_with_the_nth_visit():
    assert point() == (D(28), 12, 18)
    assert point(since=11) == (D(28), 1, 18)
    assert point(since=12, nth_on=MONDAY + D(9)) == (D(9), 0, -1)
    assert point(since=14, nth_on=MONDAY + D(40), today=MONDAY + D(41)) == (D(28), 0, -13)


def test_an_evaluation_begins_it_anew():
    assert point(evaluated_on=MONDAY + D(25), today=MONDAY + D(26)) == (D(53), 12, 27)


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        (["relief"], ACTIVE), (["corrective"], ACTIVE), (["corrective", "stabilisation"], ACTIVE),
        (["stabilisation"], SUPPORTIVE), ([], ACTIVE),
    ],
)  # fmt: skip
def test_the_limit_of_a_plan_at_its_start(kinds, found):
    assert checkpoints.limit_of(kinds) == found


def test_a_plan_may_be_stricter_and_never_laxer():
    assert ACTIVE.stricter(28, 8) == Limit(28, 8)
    assert ACTIVE.stricter(90, 20) == ACTIVE
    assert ACTIVE.stricter(None, 12) == ACTIVE


def test_the_group_can_set_the_limits(settings):
    settings.REEVALUATE_SUPPORTIVE = (60, 4)

    assert checkpoints.limit(is_supportive=True) == Limit(60, 4)


@pytest.mark.parametrize(("days_left", "seen"), [(1, (0, 0, 0)), (0, (1, 0, 0)), (-1, (1, 1, 0)), (-7, (1, 1, 0)),
                                                 (-8, (1, 1, 1))])  # fmt: skip
def test_due_then_overdue_then_it_stops_more(days_left, seen):
    found = Checkpoint(MONDAY, 0, days_left)

    assert (found.is_due, found.is_overdue, found.stops_more) == seen


def test_the_words_of_a_day():
    said = [Checkpoint(MONDAY, 0, days).words for days in (-2, -1, 0, 1, 2)]

    assert said == ["2 days overdue", "1 day overdue", "today", "in 1 day", "in 2 days"]


@pytest.mark.parametrize(
    ("kind", "days", "visits", "is_refused"),
    [
        ("corrective", 30, 12, False), ("corrective", 31, 12, True), ("corrective", 30, 13, True),
        ("stabilisation", 90, 6, False), ("stabilisation", 91, 6, True), ("stabilisation", 90, 7, True),
    ],
)  # fmt: skip
def test_a_draft_within_its_limits(draft, kind, days, visits, is_refused):
    said = {"phases": [{"kind": kind, "visits_per_week": 1, "weeks": 4}], "reevaluate_by": MONDAY + D(days),
            "reevaluate_after_visits": visits}  # fmt: skip
    if not is_refused:
        assert draft(**said).reevaluate_after_visits == visits
        return
    with pytest.raises(RuleBroken) as caught:
        draft(**said)
    assert caught.value.status == 400


def test_visits_left_out_are_as_many_as_the_phases_allow(draft):
    supportive = [{"kind": "stabilisation", "visits_per_week": 1, "weeks": 4}]

    assert draft(reevaluate_after_visits=None).reevaluate_after_visits == 12
    assert draft(phases=supportive, reevaluate_after_visits=None).reevaluate_after_visits == 6


@pytest.fixture
def running(draft, chiro, desk, adjustment):
    """`running(phases)` begins a plan with its first phase on the calendar, Mondays and Wednesdays at ten."""

    def begin(**said):
        ready = planning.sign_consent(draft(**said), name="Avery Testerson", by=chiro.user)
        plan = planning.activate(ready, by=chiro.user)
        planning.schedule(plan, by=desk, weekdays=[0, 2], at_time=time(10))
        return plan

    return begin


def come(visits, chiro):
    for visit in visits:
        with times.as_of(visit.starts_at):
            for step in (visit_status.arrive, visit_status.start, visit_status.complete):
                visit = step(visit, by=chiro.user)


def evaluate(plan, at):
    return Evaluation.objects.create(
        patient=plan.patient, location=plan.location, started_by=plan.created_by, started_at=at, kind="reevaluation",
        status="signed", signed_by=plan.created_by, signed_at=at, digest="0" * 64,
    )  # fmt: skip


def due(plan, at):
    with times.as_of(at):
        return progress.of_plan(plan).checkpoint


def evening(day):
    return make.at(20, day=day)


CHANGE = [
    {"kind": "relief", "visits_per_week": 2, "weeks": 1},
    {"kind": "stabilisation", "visits_per_week": 1, "weeks": 8},
]


def booked(plan):
    rows = plan.patient.appointments.filter(series_visit__series=plan.series)
    return list(rows.order_by("starts_at").select_related("location"))


@pytest.mark.django_db
def test_supportive_care_is_looked_at_after_ninety_days_or_six_visits(running, chiro):
    plan = running(phases=CHANGE, reevaluate_by=MONDAY + D(14), reevaluate_after_visits=2)
    come(booked(plan), chiro)  # both visits of the active phase
    assert due(plan, evening(MONDAY + D(8))).due_on == MONDAY + D(2)

    evaluate(plan, evening(MONDAY + D(8)))

    found = due(plan, evening(MONDAY + D(9)))
    assert (found.due_on, found.visits_left) == (MONDAY + D(8 + 90), 6)


def test_until_the_active_visits_are_over_the_shorter_time_holds(running, chiro):
    plan = running(phases=CHANGE, reevaluate_by=MONDAY + D(14), reevaluate_after_visits=2)
    come(booked(plan)[:1], chiro)
    evaluate(plan, evening(MONDAY + D(1)))

    found = due(plan, evening(MONDAY + D(2)))

    assert (found.due_on, found.visits_left) == (MONDAY + D(1 + 14), 2)


def test_a_visit_let_go_is_over(running, chiro, desk):
    plan = running(phases=CHANGE, reevaluate_by=MONDAY + D(14), reevaluate_after_visits=2)
    first, second = booked(plan)
    come([first], chiro)
    visits.cancel(second, by=desk, reason="Moved.", still_wanted=False)
    evaluate(plan, evening(MONDAY + D(3)))

    assert due(plan, evening(MONDAY + D(3))).due_on == MONDAY + D(3 + 90)


def test_a_plan_brought_in_with_a_later_day_is_due_by_the_limit(running):
    plan = running()
    CarePlan.objects.update(reevaluate_by=MONDAY + D(56))

    assert due(plan, evening(MONDAY)).due_on == MONDAY + D(30)


def test_only_fulfilled_visits_count(running, chiro, desk):
    plan = running(reevaluate_after_visits=3)
    first, second, third, *_ = booked(plan)
    come([first], chiro)
    with times.as_of(second.ends_at):
        visit_status.no_show(second, by=desk)
    visit_status.cancel(third, by=desk, reason="Flu.")

    assert due(plan, evening(MONDAY + D(8))).visits_left == 2


LATE = MONDAY + D(28 + 8)


def test_a_week_overdue_is_still_in_time(running, desk):
    plan = running()

    with times.as_of(evening(LATE - D(1))):
        assert gates.refusal(plan.series) is None


def test_longer_overdue_the_plan_gets_no_further_visits(running, desk):
    plan = running()
    with times.as_of(evening(LATE)):
        with pytest.raises(RuleBroken) as caught:
            planning.schedule(plan, by=desk, weekdays=[0, 2], at_time=time(10), phase=2)
        chosen = {9: Choice(make.at(10, day=LATE + D(1)), plan.practitioner)}
        with pytest.raises(RuleBroken) as placed:
            visits.place(plan.series, chosen, by=desk)

    assert (caught.value.code, placed.value.code) == ("reevaluation_overdue",) * 2
    assert caught.value.message == "The re-evaluation is 8 days overdue: the plan gets no further visits."


def test_what_is_booked_can_still_take_place_and_move(running, desk, chiro):
    plan = running()
    with times.as_of(evening(MONDAY)):
        moved = visits.members(booked(plan)[0], visits.ALL)[-1]
    late = make.at(10, day=LATE + D(1))

    with times.as_of(evening(LATE)):
        visits.move(moved, {str(moved.pk): Choice(late, chiro)}, seen={str(moved.pk): moved.sequence}, by=desk)

    come([booked(plan)[-1]], chiro)
    assert booked(plan)[-1].starts_at == late


def test_the_re_evaluation_itself_can_be_placed(running, desk):
    make.appointment_type("re-evaluation", 45, room_kind="evaluation", is_evaluation=True)
    plan = running()
    visit_status.cancel(booked(plan)[7], by=desk, reason="Away.")
    checkpoint = plan.series.visits.get(type__slug="re-evaluation")

    with times.as_of(evening(LATE)):
        asked = placing.owed(plan.series, weekdays=[0, 2], at_time=time(10), only_checkpoint=True)
        assert [wish.key for wish in asked.wishes] == [f"{checkpoint.number}"]
        choices = {checkpoint.number: Choice(make.at(10, day=LATE + D(1)), plan.practitioner)}
        visits.place(plan.series, choices, by=desk)

    assert checkpoint.appointments.filter(status="booked").get().local_start.date() == LATE + D(1)


def test_the_pages_say_so(running, sign_in, desk, chiro):
    make.appointment_type("re-evaluation", 45, room_kind="evaluation", is_evaluation=True)
    plan = running()
    visit_status.cancel(booked(plan)[7], by=desk, reason="Away.")
    said = "The re-evaluation is 8 days overdue: the plan gets no further visits."

    with times.as_of(evening(LATE)):
        shown = sign_in(chiro.user).get(f"/care-plans/{plan.pk}/").content.decode()
        place = sign_in(desk).get(f"/series/{plan.series_id}/place/")

    assert said in shown
    link = shown[shown.index(f'href="/series/{plan.series_id}/place/"') :]
    assert link[: link.index("</a>")].endswith("Put the re-evaluation on the calendar")
    assert f"{said} The re-evaluation can be placed." in place.content.decode()
    assert [row.line.wish.label for row in place.context["rows"]] == ["Re Evaluation"]


def test_the_api_refuses(running, client, desk):
    plan = running()
    client.force_login(desk)

    with times.as_of(evening(LATE)):
        body = {"weekdays": [0, 2], "at_time": "10:00", "phase": 2}
        answer = client.post(f"/api/v1/care-plans/{plan.pk}/schedule/", body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (409, "reevaluation_overdue")


def test_a_day_that_a_plan_was_brought_in_with_does_not_move_its_visit(draft, chiro, adjustment):
    make.appointment_type("re-evaluation", 45, room_kind="evaluation", is_evaluation=True)
    plan = draft(phases=[{"kind": "corrective", "visits_per_week": 1, "weeks": 8}])
    CarePlan.objects.update(reevaluate_by=date(2027, 3, 15))
    plan.refresh_from_db()

    plan = planning.activate(planning.sign_consent(plan, name="A. T.", by=chiro.user), by=chiro.user)

    assert plan.series.visits.get(type__slug="re-evaluation").wanted_on <= MONDAY + D(30)
