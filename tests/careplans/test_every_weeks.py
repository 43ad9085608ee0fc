"""Phases with a visit every two weeks or more: from the form to the calendar, and back in step."""

from datetime import date, time, timedelta
from itertools import pairwise

import pytest

from appointments import visit_status
from appointments.models import Appointment
from appointments.recurring import rearranging, series
from appointments.recurring.patterns import Stretch
from appointments.recurring.proposals import Choice
from careplans import plan_documents, planning, progress, revising
from careplans.models import CarePlan
from clinic import times
from clinic.errors import RuleBroken
from tests.careplans.test_pages import rows
from tests.make import MONDAY, at

D = timedelta
SELDOM = {"kind": "stabilisation", "visits_per_week": 1, "every_weeks": 2, "weeks": 8}
WEEKLY = {"kind": "corrective", "visits_per_week": 1, "weeks": 2}


@pytest.fixture
def seldom(draft, chiro, adjustment):
    """`seldom(*phases)` is a plan with these phases that runs."""

    def begin(*phases, **more):
        plan = draft(phases=phases or [SELDOM], reevaluate_after_visits=4, **more)
        planning.sign_consent(plan, name="Avery Testerson", by=chiro.user)
        return planning.activate(plan, by=chiro.user)

    return begin


def wanted(plan):
    rows = plan.series.visits.filter(type=plan.series.type).order_by("number")
    return list(rows.values_list("wanted_on", flat=True))


def weeks_of(days):
    return [(day - MONDAY).days // 7 for day in days]


def test_from_the_form_to_the_calendar(sign_in, signed, chiro, atlanta, adjustment, desk):
    typed = {
        "practitioner": chiro.pk, "location": atlanta.pk, "starts_on": "2027-01-04", "reevaluate_by": "2027-03-01",
        "reevaluate_after_visits": "4", "note": "",
        **rows("phases", {"kind": "corrective", "visits_per_week": "1", "every_weeks": "", "weeks": "2"},
               {"kind": "stabilisation", "visits_per_week": "1", "every_weeks": "2", "weeks": "8"}),
        **rows("goals", {"metric": "migraine_days_28", "baseline": "10", "target": "", "due_on": "2027-04-01"}),
    }  # fmt: skip
    client = sign_in(chiro.user)

    client.post(f"/care-plans/new/?evaluation={signed.pk}", typed | {"reevaluate_by": "2027-02-01"})

    plan = CarePlan.objects.get()
    assert [phase.visit_count for phase in plan.phases.all()] == [2, 4]
    page = client.get(f"/care-plans/{plan.pk}/").content.decode()
    assert "1 visit every 2 weeks, 8 weeks" in page
    assert page.count("Wanted on") == 7  # and the re-evaluation
    assert 'value="2"' in client.get(f"/care-plans/{plan.pk}/edit/").content.decode()
    assert "Stabilisation, to keep what was gained: 1 visit every 2 weeks for 8 weeks" in str(plan_documents.of(plan))
    planning.sign_consent(plan, name="Avery Testerson", by=chiro.user)
    plan = planning.activate(plan, by=chiro.user)
    placed = planning.schedule(plan, by=desk, weekdays=[0], at_time=time(10), phase=2)
    # The re-evaluation takes one of the days, and what comes after it moves on.
    assert len(placed.debts) == 0
    days = [one.appointment.local_start.date() for one in placed.booked]
    assert all(b - a >= D(14) for a, b in pairwise(days))
    assert progress.of_plan(plan).visits.planned == 6


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"visits_per_week": "2", "every_weeks": "2", "weeks": "8"}, "visits_per_week"),
        ({"visits_per_week": "1", "every_weeks": "2", "weeks": "7"}, "weeks"),
        ({"visits_per_week": "1", "every_weeks": "13", "weeks": "26"}, "every_weeks"),
    ],
)
def test_what_cannot_be_is_said_where_it_was_typed(sign_in, signed, chiro, atlanta, row, field):
    typed = {
        "practitioner": chiro.pk, "location": atlanta.pk, "starts_on": "2027-01-04", "reevaluate_by": "2027-02-01",
        **rows("phases", {"kind": "stabilisation", **row}), **rows("goals"),
    }  # fmt: skip

    answer = sign_in(chiro.user).post(f"/care-plans/new/?evaluation={signed.pk}", typed)

    assert list(answer.context["phases"][0].errors) == [field]
    assert not CarePlan.objects.exists()


def test_visits_are_wanted_every_other_week(seldom):
    assert weeks_of(wanted(seldom(WEEKLY, SELDOM | {"weeks": 4}))) == [0, 1, 2, 4]


def test_a_missed_visit_is_made_good_two_weeks_after_the_others(seldom, desk, chiro):
    plan = seldom()
    numbers = list(plan.series.visits.filter(type=plan.series.type).values_list("number", flat=True))
    choices = {n: Choice(at(10, day=MONDAY + D(14 * k)), chiro) for k, n in enumerate(numbers)}
    series.place(plan.series, choices, by=desk)
    first = Appointment.objects.holding_time().with_names().order_by("starts_at").first()
    with times.as_of(first.ends_at):
        visit_status.no_show(first, by=desk)

    def proposed(way, day):
        with times.as_of(at(12, day=day)):
            lines = rearranging.of(plan.series, way=way).propose()
        return {int(line.wish.key): line.slot.local_start.date() for line in lines}

    in_its_week, later = (proposed("keep", MONDAY + D(days))[numbers[0]] for days in (0, 7))
    moved = [day for number, day in proposed("shift", MONDAY).items() if number in numbers]

    assert (in_its_week, weeks_of([later])) == (MONDAY + D(2), [8])
    assert all(weeks_of([b])[0] - weeks_of([a])[0] >= 2 for a, b in pairwise(moved))
    assert len(moved) == 4


def test_an_extension_goes_on_in_the_rhythm(seldom, chiro):
    plan = seldom()
    before = wanted(plan)
    planning.extend(plan, by=chiro.user, reason="Better, not there yet.")

    after = wanted(plan)
    assert after[:4] == before
    assert [phase.stretch for phase in plan.phases.all()] == [Stretch(1, 8, 2)] * 2
    assert all(weeks_of([b])[0] - weeks_of([a])[0] >= 2 for a, b in pairwise(after))
    assert CarePlan.objects.get().series.as_pattern.visits == 8


def test_a_plan_that_runs_goes_over_to_every_two_weeks(seldom, chiro, atlanta, said):
    plan = seldom({"kind": "corrective", "visits_per_week": 1, "weeks": 6})

    revising.revise(
        plan, seen=1, by=chiro.user, practitioner=chiro, location=atlanta, reason="Seldom is enough.",
        **said | {"phases": [{**SELDOM, "kind": "corrective", "weeks": 12}], "reevaluate_after_visits": 4},
    )  # fmt: skip

    assert weeks_of(wanted(plan)) == [0, 2, 4, 6, 8, 10]
    before, after = (one.document["sections"][0]["items"][0] for one in plan.versions.all())
    assert ("1 visit a week for 6 weeks" in before, "1 visit every 2 weeks for 12 weeks" in after) == (True, True)


def test_by_the_api(api, signed, chiro):
    body = {
        "evaluation": signed.pk, "practitioner": chiro.pk, "location": "atlanta", "starts_on": "2027-01-04",
        "phases": [SELDOM],
    }  # fmt: skip

    made = api(chiro.user).post("/api/v1/care-plans/", body, format="json")
    wrong = api(chiro.user).post(
        "/api/v1/care-plans/", body | {"phases": [SELDOM | {"visits_per_week": 3}]}, format="json"
    )

    assert (made.status_code, made.json()["phases"][0]["every_weeks"]) == (201, 2)
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["phases.0.visits_per_week"])


def test_nobody_on_a_monthly_rhythm_is_lost_after_two_weeks(seldom, desk):
    plan = seldom(SELDOM | {"every_weeks": 4, "weeks": 24}, reevaluate_by=date(2027, 4, 1))

    for days, pace in ((28, "on_pace"), (34, "behind"), (35, "lost")):
        with times.as_of(at(12, day=MONDAY + D(days))):
            assert progress.of_plan(plan).pace == pace


def test_the_database_refuses_two_visits_every_two_weeks(draft):
    plan = draft(phases=[SELDOM])
    with pytest.raises(Exception, match="one_visit_where_weeks_lie_between"):
        plan.phases.update(visits_per_week=2)


def test_a_phase_of_such_a_rhythm_needs_whole_rounds(draft):
    with pytest.raises(RuleBroken) as refused:
        draft(phases=[SELDOM | {"weeks": 9}])

    assert list(refused.value.fields) == ["phases.0.weeks"]
