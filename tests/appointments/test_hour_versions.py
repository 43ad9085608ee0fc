"""What holds when, after hours were set for some days only: the days outside these stay as they were."""

from datetime import date, time, timedelta

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from appointments.models import WeeklyHours
from appointments.timetable import hour_versions, working_hours
from appointments.timetable.hours import applies
from appointments.timetable.working_hours import Shift
from clinic import times
from clinic.errors import RuleBroken
from locations.spans import Span
from tests import make
from tests.make import MONDAY

JUNE = date(2027, 6, 7)  # a Monday
WEEK = timedelta(weeks=1)
SUNDAY = MONDAY - timedelta(1)


@pytest.fixture(autouse=True)
def on_sunday():
    with times.as_of(make.at(12, day=SUNDAY)):
        yield


def week(starts, *, every=1, first=1):
    return [Shift(Span(0, time(starts), time(18)), every, first)]


@pytest.fixture
def sets(atlanta, chiro, owner):
    """Set the Mondays of the chiropractor, who works from 9 on before, at Atlanta."""

    def done(shifts, from_day, **options):
        return working_hours.set_week(chiro, atlanta, shifts, from_day=from_day, by=owner, **options)

    return done


def mondays(*days):
    """At which hour work begins on the days; None: not at all."""
    rows = list(WeeklyHours.objects.filter(weekday=0))
    return [next((row.starts.hour for row in rows if applies(row, day)), None) for day in days]


def test_hours_entered_for_later_are_kept_and_the_new_ones_end_the_day_before(sets):
    sets(week(12), JUNE)

    made = sets(week(10), MONDAY)

    assert mondays(SUNDAY - timedelta(6), MONDAY, JUNE - WEEK, JUNE, JUNE + 50 * WEEK) == [9, 10, 10, 12, 12]
    assert [row.valid_until for row in made] == [JUNE - timedelta(1)]


def test_hours_until_a_day_leave_what_held_before_as_it_was_after_it(sets):
    sets(week(12), JUNE, until=JUNE + 2 * WEEK)

    assert mondays(*(JUNE + n * WEEK for n in range(-1, 5))) == [9, 12, 12, 12, 9, 9]


def test_hours_of_every_second_week_go_on_in_their_weeks_after_a_break(sets):
    sets(week(8, every=2) + week(10, every=2, first=2), MONDAY)
    before = mondays(*(JUNE + n * WEEK for n in range(10)))

    sets([], JUNE, until=JUNE + 2 * WEEK + timedelta(3))

    assert before == [8, 10] * 5 or before == [10, 8] * 5
    assert mondays(*(JUNE + n * WEEK for n in range(10))) == [None] * 3 + before[3:]


def test_later_hours_are_replaced_when_that_is_asked(sets):
    sets(week(12), JUNE)
    sets(week(13), JUNE + 8 * WEEK)

    sets(week(10), MONDAY, replacing=[JUNE])

    assert mondays(MONDAY, JUNE, JUNE + 7 * WEEK, JUNE + 8 * WEEK) == [10, 10, 10, 13]


def test_a_script_that_replaces_them_need_not_name_them(sets):
    sets(week(12), JUNE)

    sets(week(10), MONDAY, replacing=None)

    assert mondays(MONDAY, JUNE) == [10, 10]


def test_hours_that_reach_into_later_ones_are_refused_by_name_and_change_nothing(sets):
    sets(week(12), JUNE)

    with pytest.raises(RuleBroken, match=r"Other hours are entered from Monday, June 7, 2027 on") as refused:
        sets(week(10), MONDAY, until=JUNE)

    assert (refused.value.code, [*refused.value.fields], refused.value.status) == ("later_hours", ["until"], 409)
    assert mondays(MONDAY, JUNE) == [9, 12]
    assert sets(week(10), MONDAY, until=JUNE - timedelta(1))
    assert sets(week(11), MONDAY, until=JUNE, replacing=[JUNE])
    assert mondays(MONDAY, JUNE, JUNE + WEEK) == [11, 11, 12]


@pytest.mark.parametrize(
    ("shifts", "until", "field", "said"),
    [
        (week(9), SUNDAY, "until", "The last day lies before the first."),
        (week(9, every=2, first=2), MONDAY + timedelta(6), "shifts", "would begin after Sunday, January 10, 2027"),
    ],
)
def test_hours_that_end_before_they_begin_are_refused(sets, shifts, until, field, said):
    with pytest.raises(RuleBroken, match=said) as refused:
        sets(shifts, MONDAY, until=until)

    assert [*refused.value.fields] == [field]


def test_they_may_begin_and_end_on_the_29th_of_february(sets):
    leap = date(2028, 2, 29)
    with times.as_of(make.at(12, day=date(2028, 1, 3))):
        sets([Shift(Span(leap.weekday(), time(10), time(18)))], leap, until=leap)

    rows = list(WeeklyHours.objects.filter(weekday=leap.weekday()))
    found = [[row.starts.hour for row in rows if applies(row, leap + n * WEEK)] for n in (-1, 0, 1)]
    assert found == [[9], [10], [9]]


def test_hours_elsewhere_after_the_last_day_are_no_obstacle(sets, chiro, marietta, owner):
    sets(week(9), MONDAY, until=MONDAY + 3 * WEEK)
    sets([], MONDAY + 3 * WEEK + timedelta(1))

    made = working_hours.set_week(chiro, marietta, week(9), from_day=MONDAY + 4 * WEEK, by=owner)

    assert made
    with pytest.raises(RuleBroken, match="at Atlanta"):
        working_hours.set_week(chiro, marietta, week(9), from_day=MONDAY + 3 * WEEK, by=owner)


DAYS = st.dates(date(2027, 1, 1), date(2027, 6, 30))


@given(
    first=st.none() | DAYS, length=st.none() | st.integers(0, 120), every=st.integers(1, 4), weekday=st.integers(0, 6),
    begin=DAYS, new_length=st.none() | st.integers(0, 90),
)  # fmt: skip
def test_outside_the_days_of_new_hours_everything_is_as_it_was(first, length, every, weekday, begin, new_length):
    first = first or (date(2027, 1, 1) if every > 1 else None)
    until = None if length is None else (first or date(2027, 1, 1)) + timedelta(length)
    end = None if new_length is None else begin + timedelta(new_length)
    row = WeeklyHours(weekday=weekday, every_weeks=every, valid_from=first, valid_until=until)

    left = hour_versions.left_of(row, begin, end)

    pieces = [row] if left is None else [
        WeeklyHours(weekday=weekday, every_weeks=every, valid_from=a, valid_until=b) for a, b in left
    ]  # fmt: skip
    assert all(one.valid_from is None or one.valid_until is None or one.valid_from <= one.valid_until for one in pieces)
    for day in (date(2026, 12, 1) + timedelta(n) for n in range(400)):
        is_new = begin <= day and (end is None or day <= end)
        assert sum(applies(one, day) for one in pieces) == (applies(row, day) and not is_new)


def page(chiro):
    return reverse("setup-practitioner", args=[chiro.pk])


def typed(**changes):
    return {
        "atlanta-from_day": f"{MONDAY}", "atlanta-until": "", "atlanta-hours-TOTAL_FORMS": 1,
        "atlanta-hours-INITIAL_FORMS": 0, "atlanta-hours-0-days": ["0"], "atlanta-hours-0-starts": "10:00",
        "atlanta-hours-0-ends": "18:00", **changes,
    }  # fmt: skip


def test_the_page_shows_what_comes_later_and_saving_keeps_it(sign_in, sets, chiro, owner):
    sets(week(12), JUNE)
    client = sign_in(owner)

    shown = client.get(page(chiro)).content.decode()
    said = client.post(f"{page(chiro)}hours/atlanta/", typed(), follow=True).content.decode()

    assert "The hours below hold until <strong" in shown
    assert '<input type="date" name="atlanta-until" class' in shown
    assert 'name="atlanta-replacing" value="2027-06-07"> Replace these too' in shown
    assert "From Monday, June 7, 2027 on others hold, as entered before." in said
    assert mondays(MONDAY, JUNE) == [10, 12]


def test_the_page_replaces_later_hours_that_are_ticked(sign_in, sets, chiro, owner):
    sets(week(12), JUNE)

    sign_in(owner).post(f"{page(chiro)}hours/atlanta/", typed(**{"atlanta-replacing": ["2027-06-07"]}))

    assert mondays(MONDAY, JUNE, JUNE + 9 * WEEK) == [10, 10, 10]


def test_hours_that_came_in_between_are_not_replaced_unseen(sign_in, sets, chiro, owner):
    sets(week(12), JUNE)
    ticked = typed(**{"atlanta-replacing": ["2027-06-07"]})
    sets(week(13), JUNE - 4 * WEEK)  # a colleague

    sign_in(owner).post(f"{page(chiro)}hours/atlanta/", ticked)

    assert mondays(MONDAY, JUNE - 4 * WEEK, JUNE - WEEK, JUNE) == [10, 13, 13, 12]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"atlanta-until": "2027-06-07"}, "Other hours are entered from Monday, June 7, 2027 on."),
        ({"atlanta-until": "2027-01-03"}, "The last day lies before the first."),
        ({"atlanta-until": "soon"}, "Enter a valid date."),
        ({"atlanta-until": "9999-12-31"}, "too far in the past or the future"),
        ({"atlanta-until": "2027-06-06", "atlanta-replacing": ["2027-06-07"]}, "Leave it empty to replace them."),
        ({"atlanta-replacing": ["soon"]}, "Tick the hours that are to be replaced anew."),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_typed_is_lost(sign_in, sets, chiro, owner, wrong, said):
    sets(week(12), JUNE)

    answer = sign_in(owner).post(f"{page(chiro)}hours/atlanta/", typed(**wrong))
    shown = answer.content.decode()

    assert answer.status_code == 400
    assert said in shown
    assert 'value="10:00"' in shown
    assert mondays(MONDAY, JUNE) == [9, 12]


def test_a_box_that_was_ticked_stays_ticked(sign_in, sets, chiro, owner):
    sets(week(12), JUNE)
    ticked = typed(**{"atlanta-replacing": ["2027-06-07"], "atlanta-hours-0-ends": "09:00"})

    shown = sign_in(owner).post(f"{page(chiro)}hours/atlanta/", ticked).content.decode()

    assert 'value="2027-06-07" checked> Replace these too' in shown


def test_the_api_keeps_later_hours_or_replaces_them_when_asked(api, sets, chiro, owner):
    sets(week(12), JUNE)
    hours = [{"weekday": 0, "starts": "10:00", "ends": "18:00"}]
    asked = {"practitioner": chiro.pk, "location": "atlanta", "from_day": f"{MONDAY}", "hours": hours}

    def post(**more):
        answer = api(owner).post("/api/v1/working-hours/", asked | more, format="json")
        return answer.status_code, answer.json()

    kept = post()
    refused = post(until=f"{JUNE}")
    replaced = post(replace_later=True)

    assert (kept[0], kept[1]["hours"][0]["valid_until"]) == (201, "2027-06-06")
    assert [row["valid_from"] for row in kept[1]["kept_later"]] == ["2027-06-07"]
    assert (refused[0], refused[1]["code"], [*refused[1]["fields"]]) == (409, "later_hours", ["until"])
    assert (replaced[1]["hours"][0]["valid_until"], replaced[1]["kept_later"]) == (None, [])
    assert mondays(MONDAY, JUNE) == [10, 10]
