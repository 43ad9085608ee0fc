from decimal import Decimal

import pytest

from careplans import metrics


@pytest.mark.parametrize(
    ("baseline", "target", "current", "reached"),
    [
        (10, 5, 10, 0), (10, 5, 5, 1), (10, 5, 0, 1), (10, 5, 12, 0), (12, 4, 10, "0.25"),
        (56, 70, 63, "0.5"), (56, 70, 50, 0), (5, 10, 0, 0), (10, 5, None, None),
    ],
)  # fmt: skip
def test_attainment(baseline, target, current, reached):
    current = None if current is None else Decimal(current)

    found = metrics.attainment(Decimal(baseline), Decimal(target), current)

    assert found == (None if reached is None else Decimal(reached))


@pytest.mark.parametrize(
    ("name", "baseline", "target"),
    [
        ("migraine_days_28", 10, 5), ("hit6_total", 64, 58), ("hit6_total", 38, 36), ("ndi_percent", 34, 24),
        ("nprs_neck", 4, 2), ("nprs_neck", 1, 0), ("rom_active_right_rotation", 56, 66), ("midas_total", 20, None),
    ],
)  # fmt: skip
def test_usual_target(name, baseline, target):
    assert metrics.METRICS[name].usual_target(Decimal(baseline)) == target


@pytest.mark.parametrize(
    ("name", "baseline", "target", "message"),
    [
        ("migraine_days_28", 10, 5, None),
        ("migraine_days_28", 10, 10, "The target must differ from the baseline."),
        ("migraine_days_28", 5, 10, "Migraine days in 28 days gets better when it falls."),
        ("rom_active_flexion", 50, 40, "Active flexion gets better when it rises."),
        ("migraine_days_28", 29, 5, "Migraine days in 28 days lies between 0 and 28."),
        ("hit6_total", 64, 35, "HIT-6 total lies between 36 and 78."),
    ],
)
def test_faults_of_a_goal(name, baseline, target, message):
    assert metrics.fault(metrics.METRICS[name], Decimal(baseline), Decimal(target)) == message
