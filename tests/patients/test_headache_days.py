"""Headache days at each boundary of the reference, across midnight and across both clock changes."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients import headache_days as diary
from patients.headache_days import Attack

NEW_YORK, CHICAGO = "America/New_York", "America/Chicago"


def at(text, zone=NEW_YORK, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def attack(onset, end=None, zone=NEW_YORK, **features):
    return Attack(at(onset, zone), end and at(end, zone), **features)


def test_an_attack_in_the_night_of_the_spring_change():
    one = attack("2026-03-07T22:30", "2026-03-08T05:30", CHICAGO)
    assert diary.elapsed_minutes(one) == 360
    assert diary.local_days(one, CHICAGO) == [date(2026, 3, 7), date(2026, 3, 8)]
    assert diary.minutes_by_day(one, CHICAGO) == {date(2026, 3, 7): 90, date(2026, 3, 8): 270}
    assert len(diary.headache_days(one, CHICAGO)) == 2


def test_an_attack_in_the_night_of_the_autumn_change():
    one = attack("2026-11-01T00:30", "2026-11-01T03:30", CHICAGO)
    assert diary.elapsed_minutes(one) == 240
    assert diary.headache_days(one, CHICAGO) == {date(2026, 11, 1)}


def test_the_repeated_hour_counts_twice():
    one = Attack(at("2026-11-01T01:30", fold=0), at("2026-11-01T01:30", fold=1))
    assert diary.elapsed_minutes(one) == 60


@pytest.mark.parametrize(
    ("onset", "end", "days"),
    [
        ("2026-06-01T10:00", "2026-06-01T10:29", []),
        ("2026-06-01T10:00", "2026-06-01T10:30", [1]),
        ("2026-06-01T23:30", "2026-06-02T00:30", [1, 2]),
        ("2026-06-01T23:31", "2026-06-02T00:30", [2]),
        ("2026-06-01T23:30", "2026-06-02T00:29", [1]),
        ("2026-06-01T23:40", "2026-06-02T00:15", [1]),  # 35 minutes, neither date reaches 30: the date it began
        ("2026-06-01T23:45", "2026-06-02T00:10", []),
        ("2026-06-01T23:00", "2026-06-02T00:00", [1]),
        ("2026-06-01T22:00", "2026-06-04T08:00", [1, 2, 3, 4]),
    ],
)
def test_which_dates_count(onset, end, days):
    assert diary.headache_days(attack(onset, end), NEW_YORK) == {date(2026, 6, day) for day in days}


def test_an_end_at_midnight_touches_no_new_date():
    assert diary.local_days(attack("2026-06-01T23:00", "2026-06-02T00:00"), NEW_YORK) == [date(2026, 6, 1)]


def test_one_that_goes_on_counts_until_a_day_without():
    one = attack("2026-06-01T20:00")
    assert diary.headache_days(one, NEW_YORK) == {date(2026, 6, 1)}
    counted = diary.headache_days(one, NEW_YORK, today=date(2026, 6, 5), free_days={date(2026, 6, 4)})
    assert counted == {date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)}


FEATURES = {"unilateral": True, "pulsating": True, "nausea": True, "aura_minutes": 0}


def migraine(minutes=60, definition="vdArend2023", **changes):
    onset = at("2026-06-01T10:00")
    one = Attack(onset, None if minutes is None else onset + timedelta(minutes=minutes), **{**FEATURES, **changes})
    return diary.is_migraine(one, definition=definition)


def test_migraine_by_its_features():
    no = {"peak": 3, "worse_with_activity": False, "vomiting": False, "photophobia": False, "phonophobia": False}
    assert migraine(**no) is True
    assert migraine(29, **no) is False
    assert migraine(30, **no) is True
    assert migraine(239, "IHS_4h", **no) is False
    assert migraine(240, "IHS_4h", **no) is True
    assert migraine(**{**no, "pulsating": False}) is False
    assert migraine(**{**no, "pulsating": False, "peak": 4}) is True
    assert migraine(**{**no, "nausea": False}) is False
    assert migraine(**{**no, "nausea": False, "photophobia": True}) is False
    assert migraine(**{**no, "nausea": False, "photophobia": True, "phonophobia": True}) is True


def test_what_was_not_answered_is_unknown():
    assert migraine(pulsating=None, peak=None, worse_with_activity=None) is None
    assert migraine(pulsating=None, peak=5) is True
    assert migraine(nausea=None, vomiting=False, photophobia=False) is None
    assert migraine(None) is None
    assert migraine(unilateral=False, pulsating=False, peak=2, aura_minutes=None) is None


@pytest.mark.parametrize(("minutes", "expected"), [(4, False), (5, True), (60, True), (61, False)])
def test_migraine_by_aura(minutes, expected):
    assert migraine(10, unilateral=False, pulsating=False, peak=0, worse_with_activity=False, aura_minutes=minutes) is (
        expected
    )


def test_a_migraine_drug_makes_a_migraine_whatever_it_did():
    plain = {"unilateral": False, "pulsating": False, "peak": 1, "worse_with_activity": False}
    assert migraine(**plain, medication=(("triptan", 1),)) is True
    assert migraine(**plain, medication=(("triptan", 0),)) is False
    assert migraine(**plain, medication=(("simple", 3),)) is False


def test_a_short_migraine_counts_the_date_it_began():
    one = attack("2026-06-01T10:00", "2026-06-01T10:10", aura_minutes=20)
    assert diary.headache_days(one, NEW_YORK) == set()
    assert diary.migraine_days(one, NEW_YORK) == {date(2026, 6, 1)}


def test_entries_within_a_day_of_each_other_are_one_attack():
    first = attack("2026-06-01T08:00", "2026-06-01T12:00")
    again = attack("2026-06-02T11:59", "2026-06-02T18:00")
    later = attack("2026-06-03T18:00", "2026-06-03T19:00")
    assert diary.chains([later, again, first]) == [[first, again], [later]]


def test_a_window_is_28_days_and_says_how_many_were_recorded():
    last = date(2026, 6, 28)
    free = {date(2026, 6, day) for day in range(1, 13)} | {date(2026, 5, 31)}
    attacks = [
        attack("2026-06-20T10:00", "2026-06-20T14:00", **FEATURES, medication=(("simple", 1),)),
        attack("2026-06-27T10:00", "2026-06-27T10:10", aura_minutes=0),
    ]
    found = diary.window(last, attacks, free, NEW_YORK)
    assert (found.first, found.last) == (date(2026, 6, 1), last)
    assert (found.recorded_days, found.headache_days, found.migraine_days, found.acute_med_days) == (14, 1, 1, 1)
    assert found.definition == "vdArend2023"
    assert found.monthly(found.headache_days) == Decimal("2.0")


@pytest.mark.parametrize(
    ("count", "recorded", "monthly"), [(3, 16, "5.3"), (1, 16, "1.8"), (5, 16, "8.8"), (1, 18, "1.6")]
)
def test_a_monthly_value_is_rounded_half_up(count, recorded, monthly):
    free = {date(2026, 6, day) for day in range(1, recorded + 1)}
    assert diary.window(date(2026, 6, 28), [], free, NEW_YORK).monthly(count) == Decimal(monthly)


def test_thirteen_recorded_days_make_no_monthly_value():
    free = {date(2026, 6, day) for day in range(1, 14)}
    found = diary.window(date(2026, 6, 28), [], free, NEW_YORK)
    assert found.recorded_days == 13
    assert found.monthly(0) is None


instants = st.integers(0, 280 * 24 * 60).map(lambda minutes: at("2026-02-20T00:00", "UTC") + timedelta(minutes=minutes))


@given(instants, st.integers(0, 72 * 60), st.sampled_from([NEW_YORK, CHICAGO]))
def test_the_minutes_of_the_days_are_the_minutes_of_the_attack(onset, minutes, zone):
    one = Attack(onset, onset + timedelta(minutes=minutes))
    assert sum(diary.minutes_by_day(one, zone).values()) == minutes == diary.elapsed_minutes(one)
    counted = diary.headache_days(one, zone)
    assert counted <= set(diary.local_days(one, zone))
    assert bool(counted) == (minutes >= 30)
