"""Each row of the table on both sides, and what is unknown."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from careplans import decision_table
from careplans.decision_table import Decision, Measure, Result, Situation

FALLS = Measure("hit6_total", "HIT-6 total", "{score}", Decimal(64), Decimal(58), Decimal(6), False)
RISES = Measure("rom_active_flexion", "Flexion", "deg", Decimal(40), Decimal(60), Decimal(10), True)
NO_MIC = Measure("home_program_adherence_pct", "Kept", "%", Decimal(20), Decimal(80), None, True)
OPEN = Situation()


def at(measure, now):
    return replace(measure, now=None if now is None else Decimal(now), on=date(2027, 2, 1))


def judged(hit6, flexion=60, *, deficit=False):
    return decision_table.result([at(FALLS, hit6), at(RISES, flexion)], deficit)


@pytest.mark.parametrize(
    ("hit6", "flexion", "found"),
    [
        (58, 60, Result.IMPROVED),
        (59, 60, Result.PARTLY),  # flexion is better by 20, HIT-6 one short of its target
        (58, 59, Result.PARTLY),
        (58, 31, Result.PARTLY),
        (59, 49, Result.UNCHANGED),
        (59, 50, Result.PARTLY),
        (58, 49, Result.PARTLY),
        (69, 49, Result.UNCHANGED),
        (70, 60, Result.WORSE),
        (58, 30, Result.WORSE),
        (64, 40, Result.UNCHANGED),
    ],
)
def test_the_result_at_each_boundary(hit6, flexion, found):
    assert judged(hit6, flexion) == found


def test_a_new_deficit_is_worse_whatever_else_is_reached():
    assert judged(58, 60, deficit=True) == Result.WORSE
    assert judged(None, 60, deficit=True) == Result.WORSE


@pytest.mark.parametrize(
    ("hit6", "flexion", "deficit", "found"),
    [
        (None, 60, False, None),
        (58, None, False, None),
        (58, 60, None, None),
        (70, None, False, Result.WORSE),  # one that is worse decides
        (70, 60, None, Result.WORSE),
    ],
)
def test_missing_data_is_unknown_unless_what_is_there_decides(hit6, flexion, deficit, found):
    assert judged(hit6, flexion, deficit=deficit) == found


def test_nothing_measurable_is_unknown():
    assert decision_table.result([], False) is None
    assert decision_table.result([at(NO_MIC, 80)], False) is None


def test_a_goal_without_a_known_change_has_to_be_reached_all_the_same():
    assert decision_table.result([at(FALLS, 58), at(NO_MIC, 79)], False) == Result.PARTLY
    assert decision_table.result([at(FALLS, 58), at(NO_MIC, 80)], False) == Result.IMPROVED
    assert decision_table.result([at(FALLS, 58), at(NO_MIC, None)], False) is None


def test_what_is_missing_is_named():
    assert decision_table.missing([at(FALLS, None), at(RISES, 60)], None) == [
        "HIT-6 total: not measured", "Neurological findings: not examined as at the start",
    ]  # fmt: skip
    assert decision_table.missing([at(FALLS, 58)], False) == []


def test_zero_is_a_value():
    pain = Measure("nprs_neck", "Neck pain", "{score}", Decimal(2), Decimal(0), Decimal(2), False)

    assert decision_table.result([at(pain, 0)], False) == Result.IMPROVED


@pytest.mark.parametrize(
    ("now", "words"), [(58, "better"), (59, "within its meaningful change"), (70, "worse"), (None, "not measured")]
)
def test_the_words_of_a_measure(now, words):
    assert at(FALLS, now).verdict == words


@pytest.mark.parametrize(
    ("found", "now", "proposed"),
    [
        (Result.IMPROVED, OPEN, [Decision.DISCHARGE, Decision.SUPPORTIVE]),
        (Result.PARTLY, OPEN, [Decision.EXTEND]),
        (Result.PARTLY, Situation(has_visits_left=True), [Decision.GO_ON, Decision.EXTEND]),
        (Result.PARTLY, Situation(is_extended=True), [Decision.SUPPORTIVE, Decision.CHANGE]),
        (Result.UNCHANGED, OPEN, [Decision.CHANGE, Decision.REFER]),
        (Result.UNCHANGED, Situation(unchanged_before=1), [Decision.CHANGE, Decision.REFER, Decision.DISCHARGE]),
        (Result.WORSE, OPEN, [Decision.STOP]),
        (None, OPEN, []),
    ],
)
def test_what_the_table_proposes(found, now, proposed):
    assert decision_table.decisions(found, now) == proposed


@pytest.mark.parametrize(
    ("found", "decision", "now", "code"),
    [
        (Result.WORSE, Decision.GO_ON, OPEN, "worse_stops"),
        (Result.WORSE, Decision.STOP, OPEN, None),
        (Result.UNCHANGED, Decision.EXTEND, OPEN, "extension_needs_partly"),
        (Result.IMPROVED, Decision.EXTEND, OPEN, "extension_needs_partly"),
        (Result.PARTLY, Decision.EXTEND, OPEN, None),
        (Result.PARTLY, Decision.EXTEND, Situation(is_extended=True), "extended_before"),
        (Result.UNCHANGED, Decision.GO_ON, OPEN, None),
        (Result.UNCHANGED, Decision.GO_ON, Situation(unchanged_before=1), "third_identical_trial"),
        (Result.UNCHANGED, Decision.CHANGE, Situation(unchanged_before=5), None),
        (Result.PARTLY, Decision.GO_ON, Situation(unchanged_before=5), None),
    ],
)
def test_what_nobody_may_decide(found, decision, now, code):
    wrong = decision_table.fault(found, decision, now, by_the_data=found)

    assert (wrong and wrong[0]) == code


@pytest.mark.parametrize("decision", Decision)
@pytest.mark.parametrize("found", [Result.IMPROVED, Result.PARTLY, Result.UNCHANGED])
def test_unknown_in_is_unknown_out(found, decision):
    assert decision_table.fault(found, decision, OPEN, by_the_data=None)[0] == "unknown_by_the_data"


def test_where_data_are_missing_the_patient_may_still_be_seen_to_be_worse():
    assert decision_table.fault(Result.WORSE, Decision.STOP, OPEN, by_the_data=None) is None
    assert decision_table.fault(Result.WORSE, Decision.GO_ON, OPEN, by_the_data=None)[0] == "worse_stops"


def test_an_unknown_result_extends_nothing_and_hides_nothing():
    assert decision_table.fault(Result.UNKNOWN, Decision.GO_ON, OPEN, by_the_data=None) is None
    assert decision_table.fault(Result.UNKNOWN, Decision.EXTEND, OPEN, by_the_data=None)[0] == "extension_needs_partly"
    wrong = decision_table.fault(Result.UNKNOWN, Decision.GO_ON, OPEN, by_the_data=Result.UNCHANGED)
    assert wrong[0] == "known_by_the_data"
