"""Charts of our own beside the six: unusual combinations, both sides of thresholds, and what nobody knows.

Each `expected` was worked out by hand from the reference, never taken from a run.
"""

import json
from pathlib import Path

import pytest

from tests.test_chart_files import bring_in, places, take_out, without_results  # noqa: F401 -- `places` is a fixture

CHARTS = {path.stem: path for path in sorted((Path(__file__).parent / "charts").glob("*.json"))}


@pytest.mark.parametrize("name", CHARTS)
def test_a_further_chart_comes_back_as_it_went_in(places, name):  # noqa: F811
    original = json.loads(CHARTS[name].read_text(encoding="utf-8"))
    exported = take_out(bring_in(CHARTS[name]))
    for part in without_results(original):
        assert without_results(exported[part]) == without_results(original[part]), part
    assert set(exported) - set(original) <= {"derived"}


@pytest.mark.parametrize("name", CHARTS)
def test_every_result_is_the_one_worked_out_by_hand(places, name):  # noqa: F811
    original = json.loads(CHARTS[name].read_text(encoding="utf-8"))
    assert take_out(bring_in(CHARTS[name]))["derived"] == original["expected"]


def test_there_are_seven_of_them():
    assert len(CHARTS) == 7
