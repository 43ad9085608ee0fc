import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments import intervals

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda p: (min(p), max(p))), max_size=8)


def minutes(some):
    return {m for a, b in some for m in range(a, b)}


@pytest.mark.parametrize(
    ("many", "expected"),
    [
        ([[]], []),
        ([[(1, 1)]], []),
        ([[(1, 3)], [(3, 5)]], [(1, 5)]),
        ([[(4, 6), (1, 2)]], [(1, 2), (4, 6)]),
        ([[(1, 9)], [(2, 3)]], [(1, 9)]),
    ],
)
def test_union_of_tables(many, expected):
    assert intervals.union(*many) == expected


@pytest.mark.parametrize(
    ("whole", "holes", "expected"),
    [
        ([(0, 10)], [(3, 5)], [(0, 3), (5, 10)]),
        ([(0, 10)], [(0, 10)], []),
        ([(0, 10)], [(10, 12)], [(0, 10)]),
        ([(0, 4), (6, 10)], [(3, 7)], [(0, 3), (7, 10)]),
        ([(5, 10)], [(0, 6), (7, 8)], [(6, 7), (8, 10)]),
    ],
)
def test_subtraction_of_tables(whole, holes, expected):
    assert intervals.subtraction(whole, holes) == expected


@given(spans, spans)
def test_operations_agree_with_sets_of_minutes(one, other):
    a, b = intervals.union(one), intervals.union(other)

    assert minutes(intervals.union(one, other)) == minutes(one) | minutes(other)
    assert minutes(intervals.intersection(a, b)) == minutes(a) & minutes(b)
    assert minutes(intervals.subtraction(a, b)) == minutes(a) - minutes(b)


@given(spans, st.integers(1, 20), st.integers(0, 5), st.integers(0, 5))
def test_blocked_starts_are_those_that_touch_something_busy(busy, length, before, after):
    busy = intervals.union(busy)
    blocked = minutes(intervals.union(intervals.starts_blocked(busy, length, before, after)))

    for start in range(-10, 70):
        touches = any(a < start + length + after and b > start - before for a, b in busy)
        assert (start in blocked) == touches


def test_grid_starts_at_the_first_multiple():
    assert list(intervals.on_grid([(7, 31), (45, 46)], 15)) == [15, 30, 45]
    assert list(intervals.on_grid([(7, 31), (45, 46)], 20, 30)) == [10, 30]
