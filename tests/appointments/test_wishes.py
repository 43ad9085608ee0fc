from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments import availability
from appointments.wishes import MIDNIGHT, MOST_WINDOWS, PARTS, Wishes
from clinic import times
from clinic.errors import RuleBroken
from tests import make
from tests.make import MONDAY

NEW_YORK, CHICAGO = "America/New_York", "America/Chicago"
SPRING, FALL = date(2027, 3, 14), date(2027, 11, 7)  # Sundays on which the clocks change
MORNINGS, EVENINGS = PARTS["mornings"], PARTS["evenings"]


def hours(wishes, first, last, zone=NEW_YORK):
    """[(`Mon 09:00`, `Mon 12:00`), …] by the clock of the zone."""
    return [
        tuple(f"{times.local(times.from_minute(minute), zone):%a %H:%M}" for minute in span)
        for span in wishes.minutes(first, last, zone)
    ]


def test_weekdays_and_windows_together():
    wishes = Wishes((0, 2), ((time(8), time(10)), (time(16), time(18))))

    assert hours(wishes, MONDAY, MONDAY + timedelta(days=3)) == [
        ("Mon 08:00", "Mon 10:00"), ("Mon 16:00", "Mon 18:00"), ("Wed 08:00", "Wed 10:00"), ("Wed 16:00", "Wed 18:00"),
    ]  # fmt: skip


def test_windows_that_touch_are_one():
    wishes = Wishes((0,), (MORNINGS, PARTS["afternoons"]))

    assert hours(wishes, MONDAY, MONDAY) == [("Mon 00:00", "Mon 17:00")]


def test_no_wishes_are_every_minute():
    assert not Wishes()
    assert hours(Wishes(), MONDAY, MONDAY + timedelta(days=1)) == [("Mon 00:00", "Wed 00:00")]


@pytest.mark.parametrize(("day", "length"), [(SPRING, 11 * 60), (FALL, 13 * 60), (MONDAY, 12 * 60)])
@pytest.mark.parametrize("zone", [NEW_YORK, CHICAGO])
def test_mornings_are_as_long_as_the_clock_makes_them(day, length, zone):
    ((start, end),) = Wishes(windows=(MORNINGS,)).minutes(day, day, zone)

    assert end - start == length
    assert hours(Wishes(windows=(MORNINGS,)), day, day, zone)[0][1].endswith("12:00")


def test_a_visit_has_to_lie_in_them_wholly():
    wishes = Wishes((0,), ((time(9), time(10)),))
    nine = datetime.combine(MONDAY, time(9), tzinfo=ZoneInfo(CHICAGO))
    hour = timedelta(hours=1)

    assert wishes.allow(nine, nine + hour, CHICAGO)
    assert not wishes.allow(nine, nine + hour * 1.25, CHICAGO)
    assert not wishes.allow(nine, nine + hour, NEW_YORK)  # where it is ten by then
    assert not wishes.allow(nine + hour * 24, nine + hour * 25, CHICAGO)


def test_a_visit_may_pass_midnight_when_any_hour_will_do():
    late = datetime.combine(MONDAY, time(23, 30), tzinfo=ZoneInfo(NEW_YORK))

    assert Wishes().allow(late, late + timedelta(hours=1), NEW_YORK)
    assert not Wishes(windows=(EVENINGS,)).allow(late, late + timedelta(hours=1), NEW_YORK)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (Wishes(), ""),
        (Wishes((0,)), "Mondays"),
        (Wishes((0, 2, 4), (MORNINGS,)), "Mondays, Wednesdays and Fridays, mornings"),
        (Wishes((0, 1, 2, 3, 4), (MORNINGS, EVENINGS)), "working days, mornings and evenings"),
        (Wishes((), ((time(8, 30), time(10)),)), "8:30 AM to 10:00 AM"),
        (Wishes((), ((MIDNIGHT, time(10)),)), "until 10:00 AM"),
        (Wishes((5,), ((time(15), MIDNIGHT),)), "Saturdays, from 3:00 PM"),
    ],
)
def test_wishes_in_words(wishes, words):
    assert str(wishes) == words


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        (Wishes((7,)), "weekdays"),
        (Wishes((-1,)), "weekdays"),
        (Wishes((), ((time(10), time(9)),)), "windows"),
        (Wishes((), ((time(10), time(10)),)), "windows"),
        (Wishes((), (MORNINGS,) * (MOST_WINDOWS + 1)), "windows"),
    ],
)
def test_impossible_wishes_are_refused(wishes, field):
    with pytest.raises(RuleBroken) as refused:
        wishes.check()

    assert (refused.value.status, list(refused.value.fields)) == (400, [field])


def test_what_is_kept_is_what_was_given():
    wishes = Wishes((1, 3), ((time(8, 5), time(9)), EVENINGS))
    wishes.check()

    assert Wishes.from_json(wishes.as_json()) == wishes


windows = st.tuples(st.times(), st.times()).map(lambda pair: tuple(t.replace(second=0, microsecond=0) for t in pair))
some_wishes = st.builds(
    Wishes,
    st.sets(st.integers(0, 6)).map(sorted).map(tuple),
    st.lists(windows.filter(lambda w: w[0] < w[1]), max_size=2).map(tuple),
)


@given(wishes=some_wishes, day=st.sampled_from([MONDAY, SPRING, FALL]), zone=st.sampled_from([NEW_YORK, CHICAGO]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.django_db
def test_the_engine_finds_exactly_the_free_times_that_are_wished_for(wide_open, wishes, day, zone):
    type, places = wide_open
    question = {"type": type, "locations": [places[zone]], "from_day": day, "to_day": day + timedelta(days=3),
                "now": make.at(0) - timedelta(days=1)}  # fmt: skip

    every = availability.find(**question, limit=500).slots

    assert len(every) > 90
    assert availability.find(**question, limit=500, wishes=wishes).slots == [
        slot for slot in every if wishes.allow(slot.starts_at, slot.ends_at, zone)
    ]


@pytest.fixture
def wide_open(db):
    """Two clinics, one a zone, where somebody works from morning to night every day of the week."""
    places = {}
    for slug, zone in (("atlanta", NEW_YORK), ("nashville", CHICAGO)):
        place = make.location(slug, zone, opens=time(0), closes=time(23))
        place.opening_hours.create(weekday=5, opens=time(0), closes=time(23))
        place.opening_hours.create(weekday=6, opens=time(0), closes=time(23))
        make.practitioner(place, starts=time(0), ends=time(23), days=range(7))
        places[zone] = place
    return make.appointment_type("evaluation-long", 45), places
