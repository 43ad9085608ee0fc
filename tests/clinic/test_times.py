from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from django.template import Context, Template

from clinic import times
from clinic.errors import RuleBroken

EASTERN, CENTRAL, SANTIAGO = "America/New_York", "America/Chicago", "America/Santiago"
SPRING, AUTUMN = date(2027, 3, 14), date(2027, 11, 7)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "wall", "zone", "expected"),
    [
        pytest.param(date(2027, 1, 4), time(9), EASTERN, utc(2027, 1, 4, 14), id="winter, eastern"),
        pytest.param(date(2027, 1, 4), time(9), CENTRAL, utc(2027, 1, 4, 15), id="winter, central"),
        pytest.param(date(2027, 7, 1), time(9), EASTERN, utc(2027, 7, 1, 13), id="summer, eastern"),
        pytest.param(date(2027, 7, 1), time(9), CENTRAL, utc(2027, 7, 1, 14), id="summer, central"),
        pytest.param(SPRING, time(1, 59), EASTERN, utc(2027, 3, 14, 6, 59), id="last minute before the gap, eastern"),
        pytest.param(SPRING, time(2), EASTERN, utc(2027, 3, 14, 7), id="first minute of the gap, eastern"),
        pytest.param(SPRING, time(2, 30), EASTERN, utc(2027, 3, 14, 7), id="in the gap, eastern"),
        pytest.param(SPRING, time(2, 30), CENTRAL, utc(2027, 3, 14, 8), id="in the gap, central"),
        pytest.param(SPRING, time(3), EASTERN, utc(2027, 3, 14, 7), id="first minute after the gap, eastern"),
        pytest.param(AUTUMN, time(0, 59), EASTERN, utc(2027, 11, 7, 4, 59), id="before the repeated hour"),
        pytest.param(AUTUMN, time(1, 30), EASTERN, utc(2027, 11, 7, 5, 30), id="repeated hour means its first pass"),
        pytest.param(AUTUMN, time(1, 30), CENTRAL, utc(2027, 11, 7, 6, 30), id="repeated hour, central"),
        pytest.param(AUTUMN, time(2), EASTERN, utc(2027, 11, 7, 7), id="after the repeated hour"),
        pytest.param(date(2026, 9, 6), time.min, SANTIAGO, utc(2026, 9, 6, 4), id="a midnight that does not exist"),
    ],
)
def test_instant(day, wall, zone, expected):
    assert times.instant(day, wall, zone) == expected


def test_instant_of_the_second_pass_is_an_hour_later():
    first, second = (times.instant(AUTUMN, time(1, 30), EASTERN, fold=fold) for fold in (0, 1))

    assert second - first == timedelta(hours=1)


@pytest.mark.parametrize(
    ("wall", "zone", "exists", "twice"),
    [
        pytest.param("2027-01-04 09:00", EASTERN, True, False, id="ordinary"),
        pytest.param("2027-03-14 02:00", EASTERN, False, False, id="start of the gap"),
        pytest.param("2027-03-14 02:59", EASTERN, False, False, id="end of the gap"),
        pytest.param("2027-03-14 03:00", EASTERN, True, False, id="after the gap"),
        pytest.param("2027-03-14 02:30", CENTRAL, False, False, id="gap, central"),
        pytest.param("2027-03-14 02:30", "America/Phoenix", True, False, id="a zone without a gap"),
        pytest.param("2027-11-07 01:00", EASTERN, True, True, id="start of the repeated hour"),
        pytest.param("2027-11-07 01:59", CENTRAL, True, True, id="end of the repeated hour"),
        pytest.param("2027-11-07 02:00", EASTERN, True, False, id="after the repeated hour"),
        pytest.param("2026-09-06 00:00", SANTIAGO, False, False, id="midnight in the gap"),
        pytest.param("2026-04-04 23:30", SANTIAGO, True, True, id="repeated hour before midnight"),
    ],
)
def test_walls_that_exist_and_that_happen_twice(wall, zone, exists, twice):
    wall = datetime.fromisoformat(wall)

    assert times.exists(wall, zone) is exists
    assert times.happens_twice(wall, zone) is twice


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2027, 1, 4), EASTERN, 24),
        (SPRING, EASTERN, 23),
        (SPRING, CENTRAL, 23),
        (AUTUMN, EASTERN, 25),
        (AUTUMN, CENTRAL, 25),
        (date(2026, 9, 6), SANTIAGO, 23),
        (date(2026, 4, 4), SANTIAGO, 25),
    ],
)
def test_a_day_has_23_24_or_25_hours(day, zone, hours):
    first, next_first = times.day_bounds(day, zone)

    assert next_first - first == timedelta(hours=hours)
    assert times.day_of(first, zone) == day
    assert times.day_of(next_first - timedelta(seconds=1), zone) == day
    assert times.day_of(next_first, zone) == day + timedelta(days=1)


@pytest.mark.parametrize("zone", [EASTERN, CENTRAL])
@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_every_minute_of_a_clock_change_day_comes_back(day, zone):
    minute, end = (times.to_minute(bound) for bound in times.day_bounds(day, zone))

    for m in range(minute, end):
        wall = times.local(times.from_minute(m), zone)
        assert times.instant(wall.date(), wall.time(), zone, fold=wall.fold) == times.from_minute(m)


def test_exact_refuses_a_time_in_the_gap_and_names_the_field():
    with pytest.raises(RuleBroken) as refused:
        times.exact(SPRING, time(2, 30), EASTERN)

    assert (refused.value.code, refused.value.status) == ("no_such_time", 400)
    assert refused.value.fields == {
        "starts_at": "02:30 does not exist on March 14: the clock is put forward in that hour."
    }


def test_exact_takes_the_first_pass_of_a_repeated_hour():
    assert times.exact(AUTUMN, time(1, 30), EASTERN) == utc(2027, 11, 7, 5, 30)


@pytest.mark.parametrize(
    "name", ["EST", "UTC", "+05:00", "../x", "/etc/passwd", "", "Etc/GMT+5", "America/Atlanta", "a\x00b"]
)
def test_zone_refuses_what_is_no_place(name):
    with pytest.raises(RuleBroken) as refused:
        times.zone(name)

    assert (refused.value.code, list(refused.value.fields)) == ("unknown_zone", ["time_zone"])


def test_zone_knows_the_places():
    assert [times.zone(name).key for name in (EASTERN, CENTRAL)] == [EASTERN, CENTRAL]


def test_today_is_the_day_of_the_place(time_machine):
    time_machine.move_to(utc(2027, 1, 5, 5, 30), tick=False)

    assert (times.today(EASTERN), times.today(CENTRAL)) == (date(2027, 1, 5), date(2027, 1, 4))


@pytest.mark.parametrize(
    ("instant", "minute"),
    [
        (utc(1970, 1, 1), 0),
        (utc(2027, 1, 4, 14), 29984520),
        (utc(2027, 1, 4, 14, 0, 59), 29984520),
        (utc(1969, 12, 31, 23, 59), -1),
    ],
)
def test_to_minute(instant, minute):
    assert times.to_minute(instant) == minute


def test_to_minute_does_not_depend_on_the_zone_of_the_instant():
    elsewhere = datetime(2027, 1, 4, 9, tzinfo=timezone(timedelta(hours=-5)))

    assert times.from_minute(times.to_minute(elsewhere)) == utc(2027, 1, 4, 14)


@pytest.mark.parametrize("instant", [utc(1999, 12, 31, 23, 59), utc(2100, 1, 1), utc(9999, 12, 31), utc(1, 1, 1)])
def test_check_range_refuses_far_away(instant):
    with pytest.raises(RuleBroken) as refused:
        times.check_range(instant, "starts_at")

    assert (refused.value.code, refused.value.status, list(refused.value.fields)) == (
        "out_of_range",
        400,
        ["starts_at"],
    )


def test_check_range_gives_back_what_is_near():
    assert times.check_range(utc(2000, 1, 1), "starts_at") == utc(2000, 1, 1)


@pytest.mark.parametrize(
    ("instant", "zone", "expected"),
    [
        (utc(2027, 1, 4, 14), EASTERN, "Monday, January 4, 2027 at 9:00 AM EST"),
        (utc(2027, 1, 4, 15), CENTRAL, "Monday, January 4, 2027 at 9:00 AM CST"),
        (utc(2027, 7, 1, 16, 5), EASTERN, "Thursday, July 1, 2027 at 12:05 PM EDT"),
        (utc(2027, 11, 7, 5, 30), EASTERN, "Sunday, November 7, 2027 at 1:30 AM EDT"),
        (utc(2027, 11, 7, 6, 30), EASTERN, "Sunday, November 7, 2027 at 1:30 AM EST"),
    ],
)
def test_spoken_names_the_zone(instant, zone, expected):
    assert times.spoken(instant, zone) == expected


@pytest.mark.parametrize("fold", [0, 1])
def test_local_time_is_shown_as_it_is(fold):
    instant = times.instant(date(2026, 11, 1), time(1, 30), "America/New_York", fold=fold)

    local = times.local(instant, "America/New_York")

    assert (
        Template("{{ at|date:'H:i' }} {{ at.tzname }}").render(Context({"at": local}))
        == f"01:30 {['EDT', 'EST'][fold]}"
    )
    assert local.astimezone(UTC) == instant
