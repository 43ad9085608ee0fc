"""Plans that are behind or lost, for the desk: who is on the list, in which order, and what takes a line off."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments import visit_status
from appointments.mails import follow_ups
from appointments.models import Appointment, FollowUp
from appointments.recurring import placing, proposals
from appointments.recurring import series as visits
from appointments.recurring.patterns import Pattern, Stretch
from careplans.models import CarePlan
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from dashboard import pace
from evaluations.catalogue import RED_FLAGS
from evaluations.models import Evaluation
from evaluations.safety import red_flags
from tests import make

ADDRESS = reverse("pace")
THURSDAY = make.at(20, day=make.MONDAY + timedelta(3))


@pytest.fixture
def running(atlanta, chiro, adjustment, desk):
    """A running plan of a new patient: two visits a week for four weeks, Mondays and Wednesdays about `hour`."""

    def act(hour=9, *, at=atlanta, by=desk, with_=chiro, booked=True, **person):
        patient, now = make.patient(at, **person), times.now()
        evaluation = Evaluation.objects.create(
            patient=patient, location=at, started_by=with_.user, started_at=now - timedelta(1)
        )
        red_flags.answer(patient=patient, evaluation=None, answers=dict.fromkeys(RED_FLAGS, "no"), by=with_.user)
        pattern = Pattern(make.MONDAY, (Stretch(2, 4),), (0, 2), time(hour))
        begun = visits.begin(
            patient=patient, type=adjustment, practitioner=with_, location=at, pattern=pattern, by=by, title="Care plan"
        )
        if booked:
            asked = placing.owed(begun, weekdays=[0, 2], at_time=time(hour), stretch=1)
            visits.place(begun, proposals.accept(asked.propose()), pattern=asked.pattern, days=asked.days, by=by)
        return CarePlan.objects.create(
            patient=patient, evaluation=evaluation, location=at, practitioner=with_, starts_on=make.MONDAY,
            status=CarePlan.Status.ACTIVE, series=begun, created_by=with_.user, created_at=now, activated_at=now,
            reevaluate_by=date(2027, 2, 1),
        )  # fmt: skip

    return act


def miss(plan, count, by):
    for visit in Appointment.objects.filter(patient=plan.patient).order_by("starts_at")[:count]:
        with times.as_of(visit.starts_at + timedelta(hours=2)):
            visit_status.no_show(visit, by=by)


def listed(places, user, now=THURSDAY):
    with times.as_of(now):
        return [(line.row, line.progress.pace) for line in pace.lines(places, user)[0]]


def test_the_lost_before_those_behind_and_nobody_on_pace(running, atlanta, desk):
    behind, fine, lost = running(9), running(10), running(11)
    miss(behind, 2, desk)
    miss(fine, 1, desk)
    miss(lost, 3, desk)

    assert listed([atlanta], desk, make.at(20, day=date(2027, 1, 12))) == [(lost, "lost"), (behind, "behind")]


def test_a_new_time_takes_the_line_off(running, atlanta, desk, chiro):
    plan = running(9)
    miss(plan, 2, desk)
    assert listed([atlanta], desk) == [(plan, "behind")]

    with times.as_of(THURSDAY):
        asked = placing.owed(plan.series, weekdays=[0, 2], at_time=time(9), stretch=1)
        visits.place(plan.series, proposals.accept(asked.propose()), pattern=asked.pattern, days=asked.days, by=desk)

    assert listed([atlanta], desk) == []


def test_a_call_takes_it_away_until_its_day(running, atlanta, desk, sign_in):
    plan = running(9)
    miss(plan, 2, desk)
    with times.as_of(THURSDAY):
        follow_ups.record(
            patient=plan.patient, location=atlanta, about=pace.ABOUT, result=FollowUp.Result.NO_ANSWER, by=desk
        )

    assert listed([atlanta], desk) == []
    tomorrow = THURSDAY + timedelta(1)
    assert listed([atlanta], desk, tomorrow) == [(plan, "behind")]
    with times.as_of(tomorrow):
        assert "Last call: no answer" in sign_in(desk).get(ADDRESS).content.decode()


def test_no_call_settles_it(running, atlanta, desk):
    plan = running(9)

    with pytest.raises(RuleBroken, match="Book the next visit"):
        follow_ups.record(
            patient=plan.patient, location=atlanta, about=pace.ABOUT, result=FollowUp.Result.SETTLED, by=desk
        )


@pytest.mark.parametrize("status", ["draft", "on_hold", "completed", "discontinued"])
def test_only_plans_that_run_are_judged(running, atlanta, desk, status):
    plan = running(9)
    miss(plan, 2, desk)
    CarePlan.objects.update(status=status)

    assert listed([atlanta], desk) == []


def test_other_clinics_are_not_shown(running, atlanta, nashville, desk):
    theirs = make.practitioner(nashville)
    both = make.user("desk", atlanta, nashville)
    here, there = running(9), running(9, at=nashville, by=both, with_=theirs)
    miss(here, 2, desk)
    miss(there, 2, both)

    assert listed([atlanta], both) == [(here, "behind")]
    assert listed([atlanta, nashville], both) == [(here, "behind"), (there, "behind")]
    assert listed([atlanta, nashville], desk) == [(here, "behind")]


def test_a_day_is_over_by_the_clock_of_each_clinic(running, atlanta, nashville, desk):
    theirs = make.practitioner(nashville)
    both = make.user("desk", atlanta, nashville)
    here, there = running(9, booked=False), running(9, at=nashville, by=both, with_=theirs, booked=False)

    just_thursday_in_atlanta = make.at(0, 30, day=date(2027, 1, 7))  # still Wednesday in Nashville
    assert listed([atlanta, nashville], both, just_thursday_in_atlanta) == [(here, "behind")]
    assert len(listed([atlanta, nashville], both, just_thursday_in_atlanta + timedelta(hours=1))) == 2
    assert there.location == nashville


def test_the_page_of_the_desk(running, desk, sign_in):
    plan = running(9, given="Noor", phone="+14045550111")
    miss(plan, 2, desk)
    client = sign_in(desk)

    with times.as_of(THURSDAY):
        page = client.get(ADDRESS).content.decode()

    for shown in ("Noor", "(404) 555-0111", "Behind", "2 visits whose day has passed have no new time.",
                  "0 of 8 visits took place, 6 booked, 2 owed", reverse("series-place", args=[plan.series_id]),
                  f"patient={plan.patient_id}&amp;location=atlanta", 'value="no_answer"'):  # fmt: skip
        assert shown in page
    assert f'href="{reverse("plan", args=[plan.pk])}"' not in page
    assert 'value="settled"' not in page
    assert AuditEntry.objects.filter(action="care_plan.listed", patient_id=plan.patient_id).exists()
    assert ADDRESS in client.get(reverse("worklists")).content.decode()


def test_a_call_is_recorded_from_the_page(running, atlanta, desk, sign_in):
    plan = running(9)
    miss(plan, 2, desk)
    said = {"about": "pace", "patient": plan.patient_id, "location": atlanta.pk, "result": "no_answer", "next": ADDRESS}

    answer = sign_in(desk).post(reverse("follow-up"), said)

    assert answer.url == ADDRESS
    assert FollowUp.objects.get().about == "pace"


def test_nobody_is_behind(desk, sign_in):
    assert "Every plan that runs is on pace." in sign_in(desk).get(ADDRESS).content.decode()


def test_four_queries_however_many_plans(running, atlanta, desk):
    counts = []
    for hours in ((9,), (10, 11, 12)):
        for hour in hours:
            miss(running(hour), 2, desk)
        CarePlan.objects.update(reevaluate_after_visits=0)  # so that the nth visit is asked for too
        with times.as_of(THURSDAY), CaptureQueriesContext(connection) as asked:
            found, total = pace.lines([atlanta], desk)
        assert len(found) == total
        counts.append((total, len(asked)))

    assert counts == [(1, 4), (4, 4)]
