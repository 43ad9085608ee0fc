"""The time of a visit: budgets in proportion to what was booked, and what is left of it."""

from datetime import UTC, datetime, timedelta

import pytest

from evaluations import catalogue
from evaluations.entry import pacing

BEGUN = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POSTURE, VITALS = catalogue.PART_BY_CODE["posture"], catalogue.PART_BY_CODE["vitals"]


def pace(clocks, booked=60, after=0):
    return pacing.of(clocks, starts_at=BEGUN, booked=booked, now=BEGUN + after * MINUTE)


@pytest.mark.parametrize(
    ("part", "booked", "seconds", "words"),
    [(POSTURE, 60, 480, "8"), (POSTURE, 45, 360, "6"), (VITALS, 45, 90, "1:30"), (POSTURE, 30, 240, "4")],
)
def test_budgets_are_in_proportion_to_the_visit(part, booked, seconds, words):
    assert pacing.budget(part, booked) == seconds
    assert pacing.budget_words(seconds) == words


@pytest.mark.parametrize("booked", [30, 45, 60])
def test_the_parts_with_the_history_are_the_visit(booked):
    assert sum(pacing.budget(part, booked) for part in catalogue.PARTS) == booked * 60


def test_the_history_is_paced_like_every_part():
    assert catalogue.PARTS[0].code == "history"
    assert pacing.budget(catalogue.PARTS[0], 45) == 9 * 60
    assert pace({"history": 11 * 60}, 45).words == "2 min over the plan"
    assert pace({"history": 11 * 60}, 60).words == "on pace"


def test_what_is_left_counts_to_the_end_of_the_visit_and_talking_counts():
    assert pace({}, 45, after=15).left_words == "30 min left"
    assert pace({}, 45, after=45).left_words == "0 min left"
    assert pace({}, 45, after=52).left_words == "7 min past the end"
    assert pace({}, 45, after=15).share == 33


def test_whoever_writes_on_later_sees_what_the_clocks_leave():
    late = pace({"posture": 600}, 45, after=45 + 61)
    assert (late.is_under_way, late.left_words, late.share) == (False, "35 min left", 22)
    early = pace({}, after=-31)
    assert (early.is_under_way, early.left) == (False, 3600)
    assert pace({}, after=-30).is_under_way


def test_a_part_is_over_by_the_plan_of_its_own_visit():
    clocks = {"posture": 6 * 60 + 119}
    assert pace(clocks, 45).words == "on pace"
    assert pace({"posture": 6 * 60 + 120}, 45).words == "2 min over the plan"
    assert pace({"posture": 6 * 60 + 120}, 60).words == "on pace"


def test_an_evaluation_without_a_visit_has_an_hour():
    assert pacing.booked_minutes(None, None) == 60
    assert pacing.booked_minutes(BEGUN, BEGUN + 45 * MINUTE) == 45
