"""Totals, bands and changes at both sides of every threshold."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluations import scoring


@pytest.mark.parametrize(
    ("score", "band"),
    [(0, "none"), (1, "mild"), (3, "mild"), (4, "moderate"), (6, "moderate"), (7, "severe"), (10, "severe"),
     (None, None)],
)  # fmt: skip
def test_pain_bands(score, band):
    assert scoring.nprs_band(score) == band


@pytest.mark.parametrize(
    ("total", "band"),
    [(36, "little"), (49, "little"), (50, "some"), (55, "some"), (56, "substantial"), (59, "substantial"),
     (60, "severe"), (78, "severe"), (None, None)],
)  # fmt: skip
def test_hit6_bands(total, band):
    assert scoring.hit6_band(total) == band


def test_hit6_needs_all_six_of_the_five_item_scores():
    assert scoring.hit6_total([6, 8, 10, 11, 13, 6]) == 54
    assert scoring.hit6_total([6, 8, 10, 11, 13]) is None
    assert scoring.hit6_total([6, 8, 10, 11, 13, None]) is None
    assert scoring.hit6_total([6, 8, 10, 11, 13, 7]) is None
    assert scoring.hit6_total(None) is None


@given(st.lists(st.sampled_from(sorted(scoring.HIT6_ITEM_SCORES)), min_size=6, max_size=6))
def test_no_six_items_make_an_impossible_total(items):
    assert scoring.hit6_total(items) not in scoring.HIT6_IMPOSSIBLE


@pytest.mark.parametrize(
    ("total", "grade"),
    [(0, "I"), (5, "I"), (6, "II"), (10, "II"), (11, "III"), (20, "III"), (21, "IVA"), (40, "IVA"), (41, "IVB"),
     (276, "IVB"), (None, None)],
)  # fmt: skip
def test_midas_grades(total, grade):
    assert scoring.midas_grade(total) == grade


def test_midas_needs_all_five():
    assert scoring.midas_total([1, 2, 3, 4, 5]) == 15
    assert scoring.midas_total([0, 0, 0, 0, 0]) == 0
    assert scoring.midas_total([1, 2, None, 4, 5]) is None
    assert scoring.midas_total(None) is None


def test_midas_days_of_one_activity_are_not_more_than_three_months():
    assert scoring.midas_faults([46, 46, 92, 0, 92]) == ""
    assert "work" in scoring.midas_faults([46, 47, 0, 0, 0])
    assert "household" in scoring.midas_faults([0, 0, 90, 3, 0])
    assert scoring.midas_faults([92, None, 0, 0, 0]) == ""


@pytest.mark.parametrize(
    ("items", "raw", "answered", "percent"),
    [
        ([5] * 10, 50, 10, Decimal("100.0")),
        ([0] * 10, 0, 10, Decimal("0.0")),
        ([2, 2, 3, 2, 4, 2, 2, None, 2, 3], 22, 9, Decimal("48.9")),
        ([1, 1, 1, 1, 3, None, 1, 1, None, 1], 10, 8, Decimal("25.0")),
        ([1, 1, 1, 1, 3, None, None, 1, None, 1], 9, 7, None),
        ([None] * 10, None, 0, None),
    ],
)
def test_ndi_is_prorated_from_eight_answers(items, raw, answered, percent):
    assert scoring.ndi(items) == {"raw": raw, "answered": answered, "percent": percent}


def test_ndi_not_taken_is_unknown():
    assert scoring.ndi(None) is None
    assert scoring.ndi_band(None) is None


@pytest.mark.parametrize(
    ("percent", "band"),
    [("9.9", "none"), ("10", "mild"), ("29.9", "mild"), ("30", "moderate"), ("49.9", "moderate"), ("50", "severe"),
     ("69.9", "severe"), ("70", "complete"), ("100", "complete")],
)  # fmt: skip
def test_ndi_bands(percent, band):
    assert scoring.ndi_band(Decimal(percent)) == band


def test_change_needs_both_sides():
    assert scoring.change(54, 64) == -10
    assert scoring.change(None, 64) is None
    assert scoring.change(0, 0) == 0
    assert scoring.met(-6, scoring.HIT6_MIC) is True
    assert scoring.met(-5, scoring.HIT6_MIC) is False
    assert scoring.met(None, scoring.HIT6_MIC) is None


@pytest.mark.parametrize(
    ("now", "before", "pct", "reached"),
    [
        (7, 10, "-30.0", ["r30"]),
        (8, 10, "-20.0", []),
        (5, 10, "-50.0", ["r30", "r50"]),
        (6, 14, "-57.1", ["r30", "r50"]),
        (1, 4, "-75.0", ["r30", "r50", "r75"]),
        (0, 4, "-100.0", ["r30", "r50", "r75", "r100"]),
        (12, 10, "20.0", []),
        (7001, 10000, "-30.0", []),  # -29.99 is shown as -30.0 and is still no 30 %
    ],
)
def test_responders(now, before, pct, reached):
    found = scoring.responder(now, before)
    assert found["pct"] == Decimal(pct)
    assert [name for name in scoring.RESPONDER_STEPS if found[name]] == reached


@pytest.mark.parametrize(("now", "before"), [(None, 10), (4, None), (4, 0), (0, 0)])
def test_no_responder_without_a_baseline(now, before):
    assert set(scoring.responder(now, before).values()) == {None}


def test_impression_of_change_responds_at_one_and_two():
    assert {score: scoring.pgic_is_response(score) for score in (1, 2, 3, 7, None)} == {
        1: True, 2: True, 3: False, 7: False, None: None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "change", "before", "reached"),
    [
        ("nprs_neck", -1, 5, [False, False, False]), ("nprs_neck", -2, 5, [True, True, False]),
        ("nprs_neck", -4, 5, [True, True, True]), ("nprs_neck", 4, 5, [True, True, True]),
        ("ndi_percent", Decimal("-9.9"), 40, [False, False]), ("ndi_percent", -10, 40, [True, False]),
        ("ndi_percent", Decimal("-18.9"), 40, [True, False]), ("ndi_percent", -19, 40, [True, True]),
        ("midas_total", -5, 10, []), ("midas_total", -4, 11, [False]), ("midas_total", -5, 20, [True]),
        ("midas_total", -6, 21, [False]), ("midas_total", -7, 21, [True]), ("midas_total", -9, 30, [True]),
        ("midas_total", -8, 30, [False]), ("nprs_neck", None, 5, []), ("nprs_neck", -4, None, []),
        ("hit6_total", -6, 60, []),
    ],
)  # fmt: skip
def test_every_published_limit_of_a_change_is_told(code, change, before, reached):
    assert [yes for _, yes in scoring.limits(code, change, before)] == reached
