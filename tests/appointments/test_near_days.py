from datetime import date, timedelta

from appointments import near_days
from tests.make import MONDAY

THURSDAY = MONDAY + timedelta(3)


def days(*numbers):
    return [MONDAY + timedelta(n) for n in numbers]


def test_within():
    assert near_days.within(THURSDAY, 2) == days(1, 2, 3, 4, 5)
    assert near_days.within(THURSDAY, 2, earlier=False) == days(3, 4, 5)


def test_a_week_is_from_monday_to_sunday():
    for n in range(7):
        assert near_days.week_of(MONDAY + timedelta(n)) == days(*range(7))
    assert near_days.week_of(date(2026, 12, 31))[-1] == date(2027, 1, 3)


def test_between_ends_before_the_neighbours_and_never_further_than_asked():
    assert near_days.between(THURSDAY, days(0, 7, 20), 21) == days(1, 2, 3, 4, 5, 6)
    assert near_days.between(THURSDAY, days(3), 2) == days(1, 2, 3, 4, 5)  # its own day is nobody else's
    assert near_days.between(THURSDAY, [], 1) == days(2, 3, 4)
