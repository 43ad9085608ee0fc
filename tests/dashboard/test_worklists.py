import html
import re
from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments import booking, visit_status
from appointments.mails import follow_ups
from appointments.models import FollowUp, TimeOff
from appointments.moving import bulk_moves
from appointments.moving.bulk_moves import Span as Days
from appointments.recurring import series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from careplans import planning
from careplans.models import CarePlan
from clinic import times
from dashboard import worklists
from evaluations.catalogue import RED_FLAGS
from evaluations.models import Evaluation
from evaluations.safety import red_flags
from locations import opening
from locations.models import Closure
from locations.spans import Span
from tests import make

A, R = FollowUp.About, FollowUp.Result
SUNDAY_NOON = make.at(12, day=date(2027, 1, 3))
MONDAY_EVENING = make.at(19)


@pytest.fixture
def book(atlanta, chiro, adjustment, desk):
    def at(hour, *, day=make.MONDAY, patient=None, **person):
        return booking.book(
            patient=patient or make.patient(atlanta, **person), practitioner=chiro, location=atlanta, type=adjustment,
            starts_at=make.at(hour, day=day), by=desk,
        )  # fmt: skip

    return at


def on(about, places, user, now):
    with times.as_of(now):
        return list(worklists.LISTS[about].lines(places, user))


def call(visit, desk, about, result, now, **given):
    with times.as_of(now):
        return follow_ups.record(
            patient=visit.patient, location=visit.location, appointment=visit, about=about, result=result, by=desk,
            **given,
        )  # fmt: skip


def test_unconfirmed_are_those_of_the_next_day_with_visits(atlanta, desk, book):
    first, confirmed, second, later = book(9), book(10), book(11), book(9, day=date(2027, 1, 5))
    visit_status.confirm(confirmed, by=desk)

    assert on(A.UNCONFIRMED, [atlanta], desk, SUNDAY_NOON) == [first, second]
    assert on(A.UNCONFIRMED, [atlanta], desk, SUNDAY_NOON - timedelta(2)) == [first, second]  # on Friday: Monday's
    assert on(A.UNCONFIRMED, [atlanta], desk, make.at(8)) == [later]


def test_tomorrow_is_that_of_each_location(atlanta, nashville, book, adjustment):
    theirs = make.practitioner(nashville)
    both = make.user("desk", atlanta, nashville)
    here = book(9)
    there = booking.book(
        patient=make.patient(nashville), practitioner=theirs, location=nashville, type=adjustment,
        starts_at=make.at(9, zone="America/Chicago"), by=both,
    )  # fmt: skip
    just_monday_in_atlanta = make.at(0, 30)  # still Sunday in Nashville

    assert on(A.UNCONFIRMED, [atlanta, nashville], both, just_monday_in_atlanta) == [there]
    assert on(A.UNCONFIRMED, [atlanta, nashville], both, SUNDAY_NOON) == [here, there]


def test_a_missed_visit_waits_until_it_is_made_good(atlanta, desk, book):
    visit, other = book(9), book(10)
    with times.as_of(MONDAY_EVENING):
        visit_status.no_show(visit, by=desk)
        visit_status.no_show(other, by=desk)

    assert on(A.MISSED, [atlanta], desk, MONDAY_EVENING) == [other, visit]
    book(9, day=date(2027, 1, 6), patient=visit.patient)
    assert on(A.MISSED, [atlanta], desk, MONDAY_EVENING) == [other]
    assert on(A.MISSED, [atlanta], desk, MONDAY_EVENING + timedelta(15)) == []


def test_a_line_comes_back_on_its_day_and_leaves_when_settled(atlanta, desk, book):
    visit = book(9)
    with times.as_of(MONDAY_EVENING):
        visit_status.no_show(visit, by=desk)

    call(visit, desk, A.MISSED, R.CALL_AGAIN, MONDAY_EVENING, again_on=date(2027, 1, 7))
    assert on(A.MISSED, [atlanta], desk, MONDAY_EVENING + timedelta(2)) == []
    assert on(A.MISSED, [atlanta], desk, MONDAY_EVENING + timedelta(3)) == [visit]
    call(visit, desk, A.MISSED, R.DECLINED, MONDAY_EVENING + timedelta(3), note="Too far to drive")
    assert on(A.MISSED, [atlanta], desk, MONDAY_EVENING + timedelta(9)) == []


def test_a_call_about_another_list_takes_nothing_off(atlanta, desk, book):
    visit = book(9)
    call(visit, desk, A.IN_THE_WAY, R.SETTLED, SUNDAY_NOON)

    assert on(A.UNCONFIRMED, [atlanta], desk, SUNDAY_NOON) == [visit]


@pytest.fixture
def plan(atlanta, chiro):
    def active(patient):
        evaluation = Evaluation.objects.create(
            patient=patient, location=atlanta, started_by=chiro.user, started_at=SUNDAY_NOON
        )
        return CarePlan.objects.create(
            patient=patient, evaluation=evaluation, location=atlanta, practitioner=chiro, starts_on=make.MONDAY,
            status=CarePlan.Status.ACTIVE, created_by=chiro.user, created_at=SUNDAY_NOON, activated_at=SUNDAY_NOON,
        )  # fmt: skip

    return active


def test_a_plan_without_a_visit_ahead_waits(atlanta, desk, book, plan):
    visit = book(9)
    owed, seen = plan(make.patient(atlanta)), plan(visit.patient)

    assert on(A.NO_VISIT, [atlanta], desk, SUNDAY_NOON) == [owed]
    assert on(A.NO_VISIT, [atlanta], desk, MONDAY_EVENING) == [owed, seen]


def test_a_settled_plan_comes_back_after_the_next_visit(atlanta, desk, book, plan):
    visit = book(9)
    mine = plan(visit.patient)
    with times.as_of(SUNDAY_NOON + timedelta(minutes=1)):
        follow_ups.record(patient=visit.patient, location=atlanta, about=A.NO_VISIT, result=R.SETTLED, by=desk)

    assert on(A.NO_VISIT, [atlanta], desk, MONDAY_EVENING) == [mine]


def test_visits_on_days_off_are_in_the_way(atlanta, chiro, desk, book):
    tuesday = date(2027, 1, 5)
    free, hit, away = book(9), book(9, day=tuesday), book(13)
    Closure.objects.create(location=atlanta, starts_on=tuesday, ends_on=tuesday, reason="Floor being renewed")
    TimeOff.objects.create(practitioner=chiro, starts_at=make.at(13), ends_at=make.at(14))

    assert on(A.IN_THE_WAY, [atlanta], desk, SUNDAY_NOON) == [away, hit]
    call(away, desk, A.IN_THE_WAY, R.SETTLED, SUNDAY_NOON)
    assert on(A.IN_THE_WAY, [atlanta], desk, SUNDAY_NOON) == [hit]
    type(chiro).objects.filter(pk=chiro.pk).update(is_active=False)
    assert on(A.IN_THE_WAY, [atlanta], desk, SUNDAY_NOON) == [free, hit]


def test_a_holiday_of_the_group_is_a_day_of_each_location(atlanta, nashville, desk, book, adjustment):
    evening = make.practitioner(nashville, ends=time(23, 45))
    late = make.at(23, zone="America/Chicago")  # Tuesday already in Atlanta
    both = make.user("desk", atlanta, nashville)
    make.OpeningHours.objects.filter(location=nashville).update(closes=time(23, 59))
    visit = booking.book(
        patient=make.patient(nashville), practitioner=evening, location=nashville, type=adjustment, starts_at=late,
        by=both,
    )  # fmt: skip

    for day, hit in ((date(2027, 1, 5), []), (make.MONDAY, [visit])):
        Closure.objects.all().delete()
        Closure.objects.create(starts_on=day, ends_on=day, reason="Holiday")
        assert on(A.IN_THE_WAY, [atlanta, nashville], both, SUNDAY_NOON) == hit


def test_the_lists_of_other_locations_are_not_shown(atlanta, marietta, book):
    book(9)
    elsewhere = make.user("desk", marietta)

    assert on(A.UNCONFIRMED, [atlanta], elsewhere, SUNDAY_NOON) == []


def page(client, about=A.UNCONFIRMED, now=SUNDAY_NOON, **query):
    with times.as_of(now):
        return client.get(reverse("worklists"), {"list": about, **query})


def test_the_page_shows_whom_to_call_and_the_calls_so_far(sign_in, atlanta, desk, book):
    visit = book(9, given="Noor", phone="+14045550111")
    call(visit, desk, A.UNCONFIRMED, R.LEFT_MESSAGE, SUNDAY_NOON - timedelta(1), note="with her son")

    shown = page(sign_in(desk)).content.decode()

    for expected in ("Noor", "(404) 555-0111", "9:00 AM EST", "left a message", "with her son", 'value="confirm"'):
        assert expected in shown
    assert 'value="settled"' not in shown


@pytest.mark.parametrize("about", worklists.LISTS)
def test_an_empty_list_says_so(sign_in, atlanta, desk, about):
    assert worklists.LISTS[about].empty in page(sign_in(desk), about).content.decode()


def test_owners_look_and_do_not_act(sign_in, atlanta, owner, book):
    visit = book(9)

    shown = page(sign_in(owner), location="all").content.decode()

    assert visit.patient.name in shown
    assert reverse("follow-up") not in shown


def test_unknown_lists_and_locations(sign_in, atlanta, marietta, desk, book):
    visit = book(9)
    client = sign_in(desk)

    assert page(client, about="nonsense").status_code == 400
    assert visit.patient.name in page(client, location="marietta").content.decode()  # not theirs: their own instead


def test_somebody_without_a_location_is_told_why(sign_in, db):
    assert "You have no location yet" in page(sign_in(make.user("owner"))).content.decode()


@pytest.mark.parametrize("about", worklists.LISTS)
def test_the_page_asks_the_same_number_of_queries_for_any_number_of_lines(sign_in, atlanta, desk, chiro, book, about):
    counts = []
    for hour in (9, 11):
        for n in range(2):
            visit = book(hour + n)
            call(visit, desk, about, R.NO_ANSWER, SUNDAY_NOON - timedelta(3))
        client = sign_in(desk)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page(client, about)
        counts.append(len(asked))

    assert counts[0] == counts[1] <= 22


@pytest.fixture
def begun(atlanta, chiro, adjustment, desk):
    """A series of three visits of a patient, with nothing of it on the calendar."""
    with times.as_of(SUNDAY_NOON):
        return series.begin(
            patient=make.patient(atlanta), type=adjustment, practitioner=chiro, location=atlanta, by=desk,
            pattern=Pattern(make.MONDAY, (Stretch(3, 1),), (0, 2, 4), time(10)),
        )  # fmt: skip


def place(begun, chiro, desk, *, left_out=()):
    choices = {
        n: Choice(skip_reason="Away") if n in left_out else Choice(make.at(10, day=date(2027, 1, day)), chiro)
        for n, day in enumerate((4, 6, 8), 1)
    }
    with times.as_of(SUNDAY_NOON):
        return series.place(begun, choices, by=desk)


def test_visits_that_a_series_owes_are_listed_until_placed_or_let_go(atlanta, chiro, desk, begun):
    before = on(A.OWED, [atlanta], desk, SUNDAY_NOON)
    visits = place(begun, chiro, desk, left_out=[3])
    left_out = on(A.OWED, [atlanta], desk, SUNDAY_NOON)
    with times.as_of(SUNDAY_NOON):
        visit_status.cancel(visits[0], by=desk)
    two = on(A.OWED, [atlanta], desk, SUNDAY_NOON)
    with times.as_of(SUNDAY_NOON):
        for visit in begun.visits.filter(number__in=[1, 3]):
            series.waive(visit, by=desk, reason="Feels well")

    assert (before, left_out) == ([], [begun])
    assert [(one.owed, one.owed_since) for one in two] == [(2, make.MONDAY)]
    assert on(A.OWED, [atlanta], desk, SUNDAY_NOON) == []


def test_a_call_puts_a_debt_off_and_cannot_settle_it(sign_in, atlanta, chiro, desk, begun):
    place(begun, chiro, desk, left_out=[2, 3])
    client = sign_in(desk)
    said = {"about": "owed", "patient": begun.patient.pk, "location": atlanta.pk, "next": "/worklists/?list=owed"}

    shown = page(client, A.OWED).content.decode()
    with times.as_of(SUNDAY_NOON + timedelta(minutes=1)):
        settled = client.post(reverse("follow-up"), {**said, "result": "settled"})
        later = client.post(reverse("follow-up"), {**said, "result": "left_message", "note": "with her son"})

    assert f'href="/series/{begun.pk}/place/"' in shown
    assert "2</strong> visits owed" in shown
    assert 'value="settled"' not in shown
    assert (settled.status_code, later.status_code) == (400, 302)
    assert on(A.OWED, [atlanta], desk, SUNDAY_NOON) == []
    assert "with her son" in page(client, A.OWED, SUNDAY_NOON + timedelta(1)).content.decode()


def test_visits_outside_changed_hours_are_in_the_way_and_those_on_purpose_are_not(
    atlanta, chiro, desk, owner, book, adjustment
):
    early, late = book(9), book(16)
    manager = make.user("manager", atlanta)
    with times.as_of(SUNDAY_NOON):
        on_purpose = booking.book(
            patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment,
            starts_at=make.at(17, 30), by=manager, override_reason="Works late for her",
        )  # fmt: skip
    before = on(A.IN_THE_WAY, [atlanta], desk, SUNDAY_NOON)
    with times.as_of(SUNDAY_NOON):
        opening.set_hours(atlanta, [Span(day, time(8), time(12)) for day in range(5)], by=owner)

    span = Days(locations=[atlanta], first=make.MONDAY, last=make.MONDAY, only_stuck=True)
    with times.as_of(SUNDAY_NOON):
        together = [one.visit for one in bulk_moves.affected(span, desk)]
    TimeOff.objects.create(practitioner=chiro, starts_at=make.at(17), ends_at=make.at(19))
    with times.as_of(SUNDAY_NOON):
        away = [one.visit for one in bulk_moves.affected(span, desk)]

    assert before == []
    assert on(A.IN_THE_WAY, [atlanta], desk, SUNDAY_NOON) == [late, on_purpose]  # on purpose, but now away
    assert (together, away) == ([late], [late, on_purpose])
    assert early not in away


def test_confirming_from_the_list_takes_the_line_off_and_comes_back_to_it(sign_in, atlanta, desk, book):
    visit = book(9)
    client = sign_in(desk)
    back = f"{reverse('worklists')}?list=unconfirmed"

    with times.as_of(SUNDAY_NOON):
        answer = client.post(reverse("appointment-step", args=[visit.pk]), {"step": "confirm", "next": back})

    assert answer.url == back
    assert on(A.UNCONFIRMED, [atlanta], desk, SUNDAY_NOON) == []


@pytest.mark.parametrize("about", [A.MISSED, A.NO_VISIT])
def test_booking_from_the_list_takes_the_line_off(sign_in, atlanta, desk, book, plan, about):
    """Call, result, book: the link of the line leads to times for that patient, and the booking ends it."""
    visit = book(9)
    kept = plan(visit.patient)
    answers = dict.fromkeys(RED_FLAGS, "no")
    red_flags.answer(patient=visit.patient, evaluation=None, answers=answers, by=kept.practitioner.user)
    planning.sign_consent(kept, name=visit.patient.name, by=kept.practitioner.user)
    with times.as_of(MONDAY_EVENING):
        visit_status.no_show(visit, by=desk)
    client = sign_in(desk)
    shown = page(client, about, MONDAY_EVENING).content.decode()
    way = re.search(r'href="(/appointments/new/\?patient=[^"]+)"', shown)

    with times.as_of(MONDAY_EVENING):
        times_shown = client.get(html.unescape(way[1]))
        slot = times_shown.context["days"][0][1][0]["value"]
        type_ = times_shown.context["find"].data["type"]
        booked = client.post("/appointments/new/", {"patient": visit.patient.pk, "type": type_, "slot": slot})

    assert booked.status_code == 302
    assert on(about, [atlanta], desk, MONDAY_EVENING) == []
