from datetime import date, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse

from appointments import booking
from appointments.models import ExtraHours, WeeklyHours
from appointments.timetable import working_hours
from appointments.timetable.hours import applies
from appointments.timetable.working_hours import Shift
from clinic import times
from clinic.errors import RuleBroken
from locations import opening, places
from locations.models import Closure
from locations.spans import Span
from tests import make

SUNDAY = make.MONDAY - timedelta(1)


@pytest.fixture(autouse=True)
def on_sunday():
    with times.as_of(make.at(12, day=SUNDAY)):
        yield


def shift(day, starts, ends, *, every=1, first=1, **more):
    return Shift(Span(day, time(starts), time(ends), **more), every, first)


@pytest.fixture
def new(atlanta):
    """A practitioner without hours."""
    return make.practitioner(atlanta, days=())


def days_of(person, location, day):
    rows = WeeklyHours.objects.filter(practitioner=person, location=location)
    return [(row.starts.hour, row.ends.hour) for row in rows if applies(row, day)]


def test_hours_hold_from_a_day_on_and_the_old_ones_until_then(atlanta, chiro, owner):
    change = make.MONDAY + timedelta(7)

    working_hours.set_week(chiro, atlanta, [shift(0, 12, 18)], from_day=change, by=owner)

    assert days_of(chiro, atlanta, change - timedelta(7)) == [(9, 17)]
    assert days_of(chiro, atlanta, change) == [(12, 18)]
    assert days_of(chiro, atlanta, change + timedelta(1)) == []


def test_no_hours_at_all_end_the_work_at_a_location(atlanta, chiro, owner):
    working_hours.set_week(chiro, atlanta, [], from_day=make.MONDAY, by=owner)

    assert days_of(chiro, atlanta, make.MONDAY) == []
    assert days_of(chiro, atlanta, make.MONDAY - timedelta(7)) == [(9, 17)]


def test_two_fortnights_take_turns(atlanta, new, owner):
    turns = [shift(0, 8, 12, every=2), shift(0, 10, 16, every=2, first=2)]

    working_hours.set_week(new, atlanta, turns, from_day=make.MONDAY + timedelta(2), by=owner)

    found = [days_of(new, atlanta, make.MONDAY + timedelta(weeks=n)) for n in range(1, 5)]
    assert found == [[(10, 16)], [(8, 12)], [(10, 16)], [(8, 12)]]


@pytest.mark.parametrize(
    ("shifts", "code"),
    [
        ([shift(0, 17, 9)], "ends_before_start"),
        ([shift(0, 9, 13), shift(0, 12, 17)], "overlapping_hours"),
        ([shift(0, 9, 13, every=2), shift(0, 12, 17, every=3, first=2)], "overlapping_hours"),
        ([shift(0, 9, 13, every=9)], "invalid"),
        ([shift(0, 9, 13, every=2, first=3)], "invalid"),
    ],
)
def test_hours_that_make_no_sense_are_refused_and_change_nothing(atlanta, chiro, owner, shifts, code):
    with pytest.raises(RuleBroken) as refused:
        working_hours.set_week(chiro, atlanta, shifts, from_day=make.MONDAY, by=owner)

    assert (refused.value.code, list(refused.value.fields)) == (code, ["shifts"])
    assert days_of(chiro, atlanta, make.MONDAY) == [(9, 17)]


def test_nobody_works_at_two_locations_at_once(atlanta, marietta, chiro, owner):
    with pytest.raises(RuleBroken, match="Monday 4:00 PM to 6:00 PM overlaps Monday 9:00 AM to 5:00 PM at Atlanta"):
        working_hours.set_week(chiro, marietta, [shift(0, 16, 18)], from_day=make.MONDAY, by=owner)

    assert working_hours.set_week(chiro, marietta, [shift(0, 17, 18)], from_day=make.MONDAY, by=owner)


def test_each_location_has_its_own_clock(atlanta, nashville, chiro, owner):
    with pytest.raises(RuleBroken, match="at Atlanta"):  # 16:00 in Nashville is 17:00 in Atlanta, 15:59 is not
        working_hours.set_week(
            chiro, nashville, [Shift(Span(0, time(15, 59), time(18)))], from_day=make.MONDAY, by=owner
        )

    assert working_hours.set_week(chiro, nashville, [shift(0, 16, 18)], from_day=make.MONDAY, by=owner)


def test_hours_elsewhere_that_have_ended_are_no_obstacle(atlanta, marietta, chiro, owner):
    WeeklyHours.objects.filter(practitioner=chiro).update(valid_until=SUNDAY)

    assert working_hours.set_week(chiro, marietta, [shift(0, 9, 17)], from_day=make.MONDAY, by=owner)


def test_a_day_far_away_is_refused(atlanta, chiro, owner):
    with pytest.raises(RuleBroken, match="within a year"):
        working_hours.set_week(chiro, atlanta, [], from_day=date(2037, 1, 1), by=owner)


def test_who_may_set_hours(atlanta, marietta, chiro, desk):
    manager, colleague = make.user("manager", atlanta), make.practitioner(atlanta)
    week = {"shifts": [shift(5, 9, 12)], "from_day": make.MONDAY}

    working_hours.set_week(chiro, atlanta, by=manager, **week)
    working_hours.set_week(chiro, atlanta, by=chiro.user, **week)
    for stranger in (desk, colleague.user):
        with pytest.raises(PermissionDenied):
            working_hours.set_week(chiro, atlanta, by=stranger, **week)
    with pytest.raises(Http404):
        working_hours.set_week(chiro, marietta, by=manager, **week)


def test_extra_hours_are_added_once(atlanta, chiro, owner):
    saturday = make.MONDAY + timedelta(5)
    given = {"day": saturday, "span": Span(5, time(9), time(12)), "by": owner}

    extra = working_hours.add_extra(chiro, atlanta, reason=" Screening ", **given)

    assert extra.reason == "Screening"
    with pytest.raises(RuleBroken, match="extra hours at Atlanta then already"):
        working_hours.add_extra(chiro, atlanta, **given)
    with pytest.raises(RuleBroken, match="from today on"):
        working_hours.add_extra(chiro, atlanta, **given | {"day": SUNDAY - timedelta(1)})
    with pytest.raises(RuleBroken, match="ends before it starts"):
        working_hours.add_extra(chiro, atlanta, **given | {"span": Span(5, time(9), time(8))})
    working_hours.remove_extra(extra, by=owner)
    assert not chiro.extra_hours.exists()


def test_extra_hours_are_refused_where_they_meet_weekly_hours_elsewhere(atlanta, marietta, chiro, owner):
    given = {"day": make.MONDAY, "span": Span(0, time(16), time(19)), "by": owner}

    with pytest.raises(RuleBroken, match="Robin Sample, DC works at Atlanta then: Monday") as refused:
        working_hours.add_extra(chiro, marietta, **given)

    assert (refused.value.code, list(refused.value.fields)) == ("overlapping_hours", ["starts"])
    assert not chiro.extra_hours.exists()
    working_hours.add_extra(chiro, marietta, **given | {"span": Span(0, time(17), time(19))})
    working_hours.add_extra(chiro, atlanta, **given | {"span": Span(0, time(16), time(17))})  # here it is no matter


def test_who_is_off_because_a_clinic_is_closed_may_work_elsewhere(atlanta, marietta, chiro, owner):
    Closure.objects.create(location=atlanta, starts_on=make.MONDAY, ends_on=make.MONDAY, reason="Snow")

    working_hours.add_extra(chiro, marietta, day=make.MONDAY, span=Span(0, time(9), time(12)), by=owner)

    assert chiro.extra_hours.get().location == marietta


def test_weekly_hours_are_refused_where_they_meet_extra_hours_elsewhere(atlanta, marietta, chiro, owner):
    day = make.MONDAY + timedelta(5)
    working_hours.add_extra(chiro, marietta, day=day, span=Span(5, time(9), time(12)), by=owner)
    saturdays = [Shift(Span(5, time(8), time(10)))]

    with pytest.raises(RuleBroken, match=r"overlaps the extra hours at Marietta on Saturday, January 9") as refused:
        working_hours.set_week(chiro, atlanta, saturdays, from_day=make.MONDAY, by=owner)

    assert (refused.value.code, list(refused.value.fields)) == ("overlapping_hours", ["shifts"])
    assert chiro.weekly_hours.filter(weekday=0, valid_until=None).exists()  # nothing was replaced
    assert working_hours.set_week(chiro, atlanta, saturdays, from_day=day + timedelta(1), by=owner)


def test_two_managers_at_once_do_not_both_add_hours(atlanta, marietta, chiro, owner, monkeypatch):
    """Who waits for the calendar decides by what the other one wrote meanwhile."""
    saturday = make.MONDAY + timedelta(5)

    def the_other_was_first(people):
        chiro.extra_hours.create(location=atlanta, day=saturday, starts=time(9), ends=time(12))

    monkeypatch.setattr(working_hours.standstill, "stand_still", the_other_was_first)
    span = Span(5, time(11), time(13))

    with pytest.raises(RuleBroken, match="extra hours at Atlanta then already"):
        working_hours.add_extra(chiro, marietta, day=saturday, span=span, by=owner)


def test_time_off_is_taken_once_and_taken_back(atlanta, chiro):
    span = {"starts_at": make.at(0), "ends_at": make.at(0, day=make.MONDAY + timedelta(7)), "by": chiro.user}

    away = working_hours.take_off(chiro, reason="Course", **span)

    with pytest.raises(RuleBroken, match="is away then already"):
        working_hours.take_off(chiro, **span)
    working_hours.take_back(away, by=chiro.user)
    assert not chiro.time_off.exists()


@pytest.mark.parametrize(("starts", "ends", "field"), [(1, 1, "ends_at"), (-9, -8, "starts_at"), (1, 500, "starts_at")])
def test_an_absence_that_makes_no_sense_is_refused(chiro, starts, ends, field):
    at = [make.at(9, day=SUNDAY + timedelta(days)) for days in (starts, ends)]

    with pytest.raises(RuleBroken) as refused:
        working_hours.take_off(chiro, starts_at=at[0], ends_at=at[1], by=chiro.user)

    assert list(refused.value.fields) == [field]


def test_visits_outside_the_new_hours_are_found(atlanta, chiro, adjustment, desk, owner, django_assert_max_num_queries):
    visits = [
        booking.book(patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment,
                     starts_at=make.at(hour), by=desk)
        for hour in (9, 11, 15)
    ]  # fmt: skip
    assert working_hours.outside(chiro, atlanta) == []

    working_hours.set_week(chiro, atlanta, [shift(0, 10, 17)], from_day=make.MONDAY, by=owner)
    working_hours.take_off(chiro, starts_at=make.at(14), ends_at=make.at(16), by=owner)

    with django_assert_max_num_queries(8):
        assert working_hours.outside(chiro, atlanta) == [visits[0], visits[2]]


@pytest.fixture
def between(atlanta, marietta):
    """A practitioner of both clinics, who works at Atlanta on Monday mornings."""
    person = make.practitioner(atlanta, marietta, days=[], name="Robin Sample")
    WeeklyHours.objects.create(practitioner=person, location=atlanta, weekday=0, starts=time(9), ends=time(12))
    return person


CLOSED_DAY = {"starts_on": make.MONDAY, "ends_on": make.MONDAY, "reason": "Flood"}


@pytest.fixture(params=["the clinic's", "the group's"])
def closure(request, atlanta, between):
    return Closure.objects.create(location=atlanta if request.param == "the clinic's" else None, **CLOSED_DAY)


def extra_at(person, place, by, day=make.MONDAY):
    span = Span(day.weekday(), time(9), time(12))
    return working_hours.add_extra(person, place, day=day, span=span, by=by)


def test_a_closure_is_not_taken_back_over_hours_elsewhere(closure, between, marietta, owner, sign_in):
    extra_at(between, marietta, owner)
    address = reverse("setup-closure-back", args=[closure.pk])

    with pytest.raises(RuleBroken) as refused:
        opening.reopen(closure, by=owner)

    assert (refused.value.code, [*refused.value.fields]) == ("overlapping_hours", ["closure"])
    assert "Robin Sample, DC: " in refused.value.message
    assert "the extra hours on Monday, January 4, 2027, 9:00 AM to 12:00 PM" in refused.value.message
    answer = sign_in(owner).post(address, follow=True)
    assert "Flood is not taken back. Robin Sample, DC: " in answer.content.decode()
    working_hours.remove_extra(ExtraHours.objects.get(), by=owner)
    opening.reopen(Closure.objects.get(), by=owner)


def test_hours_that_meet_on_other_days_are_no_matter_of_the_closure(closure, between, marietta, owner):
    ExtraHours.objects.create(
        practitioner=between, location=marietta, day=make.MONDAY + timedelta(7), starts=time(9), ends=time(12)
    )

    opening.reopen(closure, by=owner)

    assert not Closure.objects.exists()


def test_a_week_is_saved_unchanged_over_extra_hours_of_a_closed_day(between, atlanta, marietta, owner):
    Closure.objects.create(location=atlanta, **CLOSED_DAY)
    extra_at(between, marietta, owner)

    working_hours.set_week(between, atlanta, [shift(0, 9, 12)], from_day=SUNDAY, by=owner)

    assert days_of(between, atlanta, make.MONDAY) == [(9, 12)]
    Closure.objects.all().delete()
    with pytest.raises(RuleBroken) as refused:
        working_hours.set_week(between, atlanta, [shift(0, 9, 12)], from_day=SUNDAY, by=owner)
    assert refused.value.code == "overlapping_hours"


def elsewhere_weekly(person, place, by):
    working_hours.set_week(person, place, [shift(0, 9, 12)], from_day=SUNDAY, by=by)


@pytest.mark.parametrize("write", [elsewhere_weekly, extra_at])
@pytest.mark.parametrize("kept_here", ["weekly", "extra"])
def test_hours_at_a_clinic_that_is_closed_for_good_wait_until_it_opens(
    write, kept_here, between, atlanta, marietta, owner
):
    if kept_here == "extra":
        WeeklyHours.objects.all().delete()
        extra_at(between, atlanta, owner)
    places.set_open(atlanta, is_open=False, by=owner)

    write(between, marietta, owner)

    with pytest.raises(RuleBroken) as refused:
        places.set_open(atlanta, is_open=True, by=owner)
    assert (refused.value.code, [*refused.value.fields]) == ("overlapping_hours", ["is_open"])
    assert "at Marietta" in refused.value.message
    atlanta.refresh_from_db()
    assert not atlanta.is_open


def test_a_clinic_opens_again_where_nobody_is_elsewhere(between, atlanta, marietta, owner):
    places.set_open(atlanta, is_open=False, by=owner)
    working_hours.set_week(between, marietta, [shift(0, 12, 15)], from_day=SUNDAY, by=owner)

    assert places.set_open(atlanta, is_open=True, by=owner).is_open
