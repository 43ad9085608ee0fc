from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.errors import RuleBroken
from locations import spans
from locations.spans import Span

DAYS, CLOCK = st.integers(0, 6), st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))


def span(day, starts, ends, **more):
    return Span(day, time(starts), time(ends), **more)


def minutes_of(one):
    """The minutes of the week, counted one by one: what `overlaps` must agree with."""
    start, end = one.minutes
    return {minute % spans.WEEK for minute in range(start, end, 15)}


@given(*(st.builds(Span, DAYS, CLOCK, CLOCK, st.booleans()) for _ in range(2)))
def test_overlap_is_a_minute_in_common(one, other):
    fine = all(a < b <= a + spans.DAY for a, b in (one.minutes, other.minutes))

    if fine:
        assert one.overlaps(other) == other.overlaps(one) == bool(minutes_of(one) & minutes_of(other))


SPANS = st.builds(Span, DAYS, CLOCK, CLOCK, st.booleans()).filter(
    lambda one: one.minutes[0] < one.minutes[1] <= one.minutes[0] + spans.DAY
)


@given(SPANS, st.lists(SPANS, max_size=5))
def test_outside_is_every_minute_that_is_in_none_of_the_others(one, others):
    found = list(spans.outside(one, others))

    left = [minutes_of(piece) for piece in found]
    assert set().union(*left) == minutes_of(one) - set().union(*map(minutes_of, others))
    assert sum(map(len, left)) == len(set().union(*left))


@pytest.mark.parametrize(
    ("one", "others", "said"),
    [
        (span(0, 7, 19), [span(0, 8, 18)], ["Monday 7:00 AM to 8:00 AM", "Monday 6:00 PM to 7:00 PM"]),
        (span(6, 22, 2, ends_next_day=True), [span(0, 1, 9)], ["Sunday 10:00 PM to 1:00 AM on the next day"]),
        (span(0, 1, 9), [span(6, 22, 2, ends_next_day=True)], ["Monday 2:00 AM to 9:00 AM"]),
        (span(0, 22, 2, ends_next_day=True), [span(0, 8, 22)], ["Monday 10:00 PM to 2:00 AM on the next day"]),
        (span(0, 9, 17), [span(0, 8, 12), span(0, 12, 18)], []),
    ],
)
def test_what_lies_outside_is_said_by_its_own_day(one, others, said):
    assert [str(piece) for piece in spans.outside(one, others)] == said


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ([span(0, 17, 9)], "ends_before_start", "Monday 5:00 PM to 9:00 AM ends before it starts"),
        ([span(1, 9, 9)], "ends_before_start", "does it end on the next day?"),
        ([span(1, 9, 17, ends_next_day=True)], "ends_before_start", "longer than a day"),
        ([span(2, 9, 13), span(2, 12, 17)], "overlapping_hours", "Wednesday 9:00 AM to 1:00 PM and Wednesday 12:00 PM"),
        ([span(6, 22, 2, ends_next_day=True), span(0, 1, 9)], "overlapping_hours", "on the next day"),
    ],
)
def test_hours_that_make_no_sense_are_named(given, code, said):
    with pytest.raises(RuleBroken) as refused:
        spans.check(given, "hours")

    assert (refused.value.code, list(refused.value.fields)) == (code, ["hours"])
    assert said in refused.value.message


def test_hours_that_touch_are_fine_and_come_in_order():
    late, early = span(3, 13, 17), span(3, 9, 13)

    assert spans.check([late, early], "hours") == [early, late]
