"""Every derived result of the six charts, against the values worked out with them."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from evaluations import derived, finding_paths
from evaluations.entry import checking
from evaluations.readings import Readings

CHARTS = sorted((Path(finding_paths.__file__).parent / "demo_charts").glob("*.json"))


def plain(result):
    if isinstance(result, dict):
        return {name: plain(value) for name, value in result.items()}
    return float(result) if isinstance(result, Decimal) else result


def age_on(chart, day):
    born = date.fromisoformat(chart["patient"]["birth_date"])
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def of_time(chart, time):
    checked, faults = checking.check_all(finding_paths.read_findings(chart[time]["evaluation"]))
    assert not faults
    day = date.fromisoformat(chart[time]["evaluation"]["started_at"][:10])
    return derived.of_evaluation(
        Readings(checked), chart[time]["outcomes"], age=age_on(chart, day), established=time == "reevaluation"
    )


@pytest.mark.parametrize("path", CHARTS, ids=lambda path: path.stem)
def test_every_derived_result_of_the_chart(path):
    chart = json.loads(path.read_text(encoding="utf-8"))
    flags = chart["red_flags"]
    found = {
        **derived.of_intake(chart["intake"], age=chart["age_at_baseline"]),
        **derived.of_red_flags(flags["answers"], flags["resolutions"]),
        "baseline": of_time(chart, "baseline"),
        "reevaluation": of_time(chart, "reevaluation"),
        "change": derived.of_change(chart["baseline"]["outcomes"], chart["reevaluation"]["outcomes"]),
    }
    assert plain(found) == chart["expected"]


def test_there_are_six_charts():
    assert len(CHARTS) == 6
