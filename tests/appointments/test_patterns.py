from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.recurring import patterns
from appointments.recurring.patterns import Pattern, Stretch
from clinic.errors import RuleBroken

MO, TU, WE, TH, FR, SA = (date(2027, 1, d) for d in range(4, 10))
THREE_THEN_TWO = Pattern(MO, (Stretch(3, 4), Stretch(2, 6)), (0, 2, 4), time(17, 30), checkpoint_after=12)


@st.composite
def some_patterns(draw):
    weekly = st.builds(Stretch, st.integers(1, 7), st.integers(1, 12))
    seldom = st.builds(lambda every, times: Stretch(1, every * times, every), st.integers(2, 6), st.integers(1, 6))
    stretches = draw(st.lists(weekly | seldom, min_size=1, max_size=4))
    most = max(s.visits_per_week for s in stretches)
    return Pattern(
        starts_on=draw(st.dates(date(2026, 1, 1), date(2028, 12, 31))),
        stretches=tuple(stretches),
        weekdays=tuple(draw(st.sets(st.integers(0, 6), min_size=most))),
        at_time=draw(st.times()).replace(second=0, microsecond=0),
        checkpoint_after=draw(st.none() | st.integers(1, 60)),
        checkpoint_by=draw(st.none() | st.dates(date(2026, 1, 1), date(2029, 12, 31))),
    )


@pytest.mark.parametrize(
    ("weekdays", "visits", "chosen"),
    [
        (range(5), 1, [2]),
        (range(5), 2, [1, 3]),
        (range(5), 3, [0, 2, 4]),
        (range(5), 4, [0, 1, 3, 4]),
        (range(5), 5, [0, 1, 2, 3, 4]),
        ([4, 0], 2, [0, 4]),
        ([0, 2, 4], 2, [0, 4]),
        ([3, 3, 1], 2, [1, 3]),
        (range(7), 7, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_spread_keeps_visits_far_apart(weekdays, visits, chosen):
    assert patterns.spread(weekdays, visits) == chosen


@pytest.mark.parametrize(("weekdays", "visits"), [([], 1), ([0], 2), ([0, 0], 2), ([0], 0)])
def test_spread_of_too_few_weekdays(weekdays, visits):
    with pytest.raises(ValueError, match="fewer weekdays"):
        patterns.spread(weekdays, visits)


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
def test_wanted_days_of_a_stretch(starts_on, visits, weeks, weekdays, days):
    assert patterns.wanted_days(starts_on, Stretch(visits, weeks), weekdays) == days


def test_every_other_week_is_one_visit_in_the_first_of_two():
    stretch = Stretch(1, 6, 2)

    assert (stretch.visits, str(stretch)) == (3, "once every 2 weeks for 6 weeks")
    assert patterns.wanted_days(WE, stretch, [0, 2]) == [WE, date(2027, 1, 20), date(2027, 2, 3)]


@pytest.mark.parametrize(
    ("stretch", "field"),
    [
        (Stretch(1, 8, 2), None), (Stretch(1, 12, 12), None), (Stretch(7, 52, 1), None),
        (Stretch(2, 8, 2), "visits_per_week"), (Stretch(1, 7, 2), "weeks"), (Stretch(1, 1, 2), "weeks"),
        (Stretch(1, 13, 13), "every_weeks"), (Stretch(1, 4, 0), "every_weeks"), (Stretch(8, 4), "visits_per_week"),
        (Stretch(1, 53), "weeks"),
    ],
)  # fmt: skip
def test_a_frequency_that_cannot_be_is_named_by_its_field(stretch, field):
    assert [name for name, _ in stretch.faults()] == ([field] if field else [])
    pattern = Pattern(MO, (stretch,), range(7), time(9))
    if field:
        with pytest.raises(RuleBroken):
            pattern.check(today=MO)
    else:
        pattern.check(today=MO)
        assert Pattern.from_json(pattern.as_json()).stretches == (stretch,)


def test_three_a_week_then_two_with_the_re_evaluation_after_the_twelfth():
    visits = patterns.wanted(THREE_THEN_TWO)

    assert len(visits) == 25
    assert [v.number for v in visits if v.is_checkpoint] == [13]
    assert [v.day for v in visits[10:15]] == [date(2027, 1, d) for d in (27, 29)] + [
        date(2027, 2, d) for d in (1, 5, 8)
    ]
    assert {v.day.weekday() for v in visits} == {0, 2, 4}
    assert [v.stretch for v in visits] == [1] * 12 + [2] * 13


@pytest.mark.parametrize(
    ("after", "by", "number"),
    [
        (12, None, 13),
        (12, date(2027, 1, 30), 12),  # the day comes before the twelfth visit is done
        (12, date(2027, 6, 1), 13),
        (None, date(2027, 1, 31), 12),
        (400, None, 25),  # fewer visits than that: at the end
        (12, date(2027, 1, 1), 2),  # too early a day: never before a first visit
        (None, None, None),
    ],
)
def test_the_checkpoint_comes_after_so_many_visits_or_by_its_day(after, by, number):
    pattern = Pattern(MO, THREE_THEN_TWO.stretches, (0, 2, 4), time(9), checkpoint_after=after, checkpoint_by=by)

    assert next((v.number for v in patterns.wanted(pattern) if v.is_checkpoint), None) == number


@given(some_patterns())
def test_a_pattern_keeps_its_total_its_weekdays_and_its_order(pattern):
    visits = patterns.wanted(pattern)

    assert sum(not v.is_checkpoint for v in visits) == pattern.visits
    assert sum(v.is_checkpoint for v in visits) == pattern.has_checkpoint
    assert [v.number for v in visits] == list(range(1, len(visits) + 1))
    days = [v.day for v in visits]
    assert days == sorted(set(days))
    assert {day.weekday() for day in days} <= set(pattern.weekdays)
    assert days[0] >= pattern.starts_on
    assert [v.stretch for v in visits] == sorted(v.stretch for v in visits)


@given(some_patterns())
def test_every_week_of_a_stretch_has_as_many_visits_as_it_says(pattern):
    without = Pattern(pattern.starts_on, pattern.stretches, pattern.weekdays, pattern.at_time)
    weeks = {}
    for visit in patterns.wanted(without):
        week = (visit.day - pattern.starts_on).days // 7
        weeks[week] = weeks.get(week, 0) + 1

    said = [s.visits_per_week * (n % s.every_weeks == 0) for s in pattern.stretches for n in range(s.weeks)]
    assert [weeks.get(n, 0) for n in range(len(said))] == said


@given(some_patterns())
def test_a_pattern_is_kept_as_it_is(pattern):
    assert Pattern.from_json(pattern.as_json()) == pattern


@given(
    owed=st.lists(st.integers(0, 60), unique=True, max_size=20).map(sorted),
    taken=st.sets(st.integers(0, 60)),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    earliest=st.integers(0, 60),
)
def test_redate_gives_every_owed_visit_a_day_of_its_own(owed, taken, weekdays, earliest):
    days = [MO + timedelta(n) for n in owed]
    busy = {MO + timedelta(n) for n in taken}
    first = MO + timedelta(earliest)

    found = patterns.redate(days, weekdays=weekdays, taken=busy, earliest=first)

    assert len(set(found)) == len(days)
    assert not set(found) & busy
    assert all(day >= first for day in found)
    assert all(new.weekday() in weekdays for new, old in zip(found, days, strict=True) if new != old)
    assert all(new == old for new, old in zip(found, days, strict=True) if old >= first and old not in busy)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"starts_on": date(2029, 1, 1)}, ["starts_on"]),
        ({"stretches": ()}, ["stretches"]),
        ({"stretches": (Stretch(8, 1),)}, ["stretches"]),
        ({"stretches": (Stretch(1, 53),)}, ["stretches"]),
        ({"stretches": (Stretch(7, 52), Stretch(7, 52)), "weekdays": range(7)}, ["stretches"]),
        ({"weekdays": (0, 2)}, ["weekdays"]),
        ({"weekdays": (0, 2, 7)}, ["weekdays"]),
        ({"weekdays": (0, 0, 0)}, ["weekdays"]),
        ({"checkpoint_after": 0}, ["checkpoint_after"]),
        ({"checkpoint_by": MO}, ["checkpoint_by"]),
    ],
)
def test_a_pattern_names_what_is_wrong(changes, fields):
    said = {**THREE_THEN_TWO.__dict__, **changes}
    said["weekdays"] = tuple(said["weekdays"])

    with pytest.raises(RuleBroken) as caught:
        Pattern(**said).check(today=date(2026, 12, 1))

    assert (list(caught.value.fields), caught.value.status) == (fields, 400)


def test_a_sound_pattern_is_left_alone():
    THREE_THEN_TWO.check(today=date(2026, 12, 1))


@pytest.mark.parametrize(
    ("stretches", "words"),
    [
        ([(3, 4), (2, 6)], "3 a week for 4 weeks, then 2 a week for 6 weeks"),
        ([(1, 1)], "once a week for 1 week"),
    ],
)
def test_a_pattern_in_words(stretches, words):
    assert str(Pattern(MO, tuple(Stretch(*s) for s in stretches), (0, 2, 4), time(9))) == words
