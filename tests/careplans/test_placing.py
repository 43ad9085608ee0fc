from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from careplans import placing

MO, TU, WE, TH, FR, SA = (date(2027, 1, d) for d in range(4, 10))
NEW_YORK = ZoneInfo("America/New_York")


@dataclass
class Start:
    local_start: datetime


def at(day, hour, minute=0):
    return Start(datetime.combine(day, time(hour, minute), tzinfo=NEW_YORK))


@pytest.mark.parametrize(
    ("weekdays", "visits", "chosen"),
    [
        (range(5), 1, [2]),
        (range(5), 2, [1, 3]),
        (range(5), 3, [0, 2, 4]),
        (range(5), 4, [0, 1, 3, 4]),
        (range(5), 5, [0, 1, 2, 3, 4]),
        ([4, 0], 2, [0, 4]),
        ([3, 3, 1], 2, [1, 3]),
        (range(7), 7, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_spread_keeps_visits_far_apart(weekdays, visits, chosen):
    assert placing.spread(weekdays, visits) == chosen


@pytest.mark.parametrize(("weekdays", "visits"), [([], 1), ([0], 2), ([0, 0], 2), ([0], 0)])
def test_spread_of_too_few_weekdays(weekdays, visits):
    with pytest.raises(ValueError, match="fewer weekdays"):
        placing.spread(weekdays, visits)


@pytest.mark.parametrize(
    ("starts_on", "visits", "weeks", "weekdays", "days"),
    [
        (MO, 2, 2, [0, 2], [MO, WE, date(2027, 1, 11), date(2027, 1, 13)]),
        (WE, 2, 1, [0, 2], [WE, date(2027, 1, 11)]),
        (SA, 1, 2, [5], [SA, date(2027, 1, 16)]),
        (FR, 3, 1, range(5), [FR, date(2027, 1, 11), date(2027, 1, 13)]),
        (date(2027, 3, 12), 1, 2, [0], [date(2027, 3, 15), date(2027, 3, 22)]),
    ],
)
def test_wanted_days_of_a_phase(starts_on, visits, weeks, weekdays, days):
    assert placing.wanted_days(starts_on, visits_per_week=visits, weeks=weeks, weekdays=weekdays) == days


def test_phases_follow_each_other():
    assert placing.starts_of(MO, [4, 2, 1]) == [MO, date(2027, 2, 1), date(2027, 2, 15)]


@pytest.mark.parametrize(
    ("phases", "most"),
    [([], 0), ([(3, 4)], 12), ([(3, 8)], 12), ([(4, 2), (1, 4)], 10), ([(1, 2), (4, 4)], 16), ([(5, 2)], 10)],
)
def test_most_visits_in_four_weeks(phases, most):
    assert placing.most_in_28_days(phases) == most


def test_window_of_a_day_that_has_passed_begins_now():
    assert placing.Window.around(MO, earliest=WE) == placing.Window(WE, WE, FR)


@pytest.mark.parametrize(
    ("starts", "taken", "chosen"),
    [
        ([at(WE, 9), at(WE, 10), at(WE, 15)], [], at(WE, 10)),
        ([at(TU, 10), at(WE, 16)], [], at(WE, 16)),
        ([at(TU, 10), at(TH, 10)], [], at(TU, 10)),
        ([at(WE, 9, 30), at(WE, 10, 30)], [], at(WE, 9, 30)),
        ([at(WE, 10), at(TH, 10)], [WE], at(TH, 10)),
        ([at(SA, 10)], [], None),
        ([], [], None),
    ],
)
def test_nearest_free_start(starts, taken, chosen):
    window = placing.Window.around(WE, earliest=MO)

    assert placing.nearest(starts, window, time(10), taken=taken) == chosen
