"""What a goal may be measured by: the closed list, and how far a goal is reached. Plain values in and out."""

from dataclasses import dataclass
from decimal import Decimal

FALL, RISE = "decrease", "increase"


@dataclass(frozen=True)
class Metric:
    """`change` is the usual aim: a share of the baseline when `is_share`, else an amount in the unit."""

    name: str
    label: str
    unit: str
    direction: str
    is_patient_reported: bool
    lowest: Decimal
    highest: Decimal
    change: Decimal | None = None
    is_share: bool = False

    def usual_target(self, baseline: Decimal) -> Decimal | None:
        """The target to propose for a baseline, within what can be measured; None where nothing is usual."""
        if self.change is None:
            return None
        step = baseline * self.change if self.is_share else self.change
        wanted = baseline - step if self.direction == FALL else baseline + step
        return min(max(wanted, self.lowest), self.highest)


def _reported(name, label, unit, highest, change=None, *, lowest=0, is_share=False, direction=FALL):
    change = None if change is None else Decimal(change)
    return Metric(name, label, unit, direction, True, Decimal(lowest), Decimal(highest), change, is_share)


def _measured(name, label, unit, highest, change=None):
    return Metric(
        name, label, unit, RISE, False, Decimal(0), Decimal(highest), None if change is None else Decimal(change)
    )


KEPT_AT_HOME = "home_program_adherence_pct"
_MOTIONS = {
    "flexion": 90, "extension": 110, "left_rotation": 110, "right_rotation": 110,
    "left_lateral_flexion": 80, "right_lateral_flexion": 80,
}  # fmt: skip
_ALL = (
    _reported("migraine_days_28", "Migraine days in 28 days", "d", 28, "0.5", is_share=True),
    _reported("headache_days_28", "Headache days in 28 days", "d", 28, "0.5", is_share=True),
    _reported("acute_med_days_28", "Days with acute medicine in 28 days", "d", 28),
    _reported("hit6_total", "HIT-6 total", "{score}", 78, 6, lowest=36),
    _reported("midas_total", "MIDAS total", "{score}", 276),
    _reported("ndi_percent", "Neck Disability Index", "%", 100, 10),
    _reported("nprs_neck", "Neck pain, 0 to 10", "{score}", 10, 2),
    _reported("nprs_headache_usual", "Usual headache, 0 to 10", "{score}", 10, 2),
    *(
        _measured(f"rom_active_{motion}", f"Active {motion.replace('_', ' ')}", "deg", most, 10)
        for motion, most in _MOTIONS.items()
    ),
    _measured("frt_left", "Flexion-rotation test, left", "deg", 90, 10),
    _measured("frt_right", "Flexion-rotation test, right", "deg", 90, 10),
    _measured("craniovertebral_angle", "Craniovertebral angle", "deg", 90),
    _measured("deep_neck_flexor_endurance", "Deep neck flexor endurance", "s", 600),
    # Kept by the patient, but not a complaint: no plan stands on it alone.
    Metric(KEPT_AT_HOME, "Home programme kept", "%", RISE, False, Decimal(0), Decimal(100)),
)
METRICS: dict[str, Metric] = {one.name: one for one in _ALL}
_SHOWN_UNITS = {"d": "days", "{score}": "points", "deg": "°", "%": "%", "s": "s"}


def shown_unit(unit: str, number: Decimal) -> str:
    """As it is read after the number: `1 day`, `2 days`."""
    shown = _SHOWN_UNITS.get(unit, unit)
    return shown.removesuffix("s") if number == 1 and shown in {"days", "points"} else shown


def shown(number: Decimal) -> str:
    """As it is read: `10`, not `1E+1`, and `6.5`, not `6.50`."""
    return f"{number.normalize():f}"


def fault(metric: Metric, baseline: Decimal, target: Decimal) -> str | None:
    """Why the two numbers are no goal for the metric, or None."""
    for value in (baseline, target):
        if not metric.lowest <= value <= metric.highest:
            return f"{metric.label} lies between {metric.lowest} and {metric.highest}."
    if target == baseline:
        return "The target must differ from the baseline."
    if (target < baseline) != (metric.direction == FALL):
        return f"{metric.label} gets better when it {'falls' if metric.direction == FALL else 'rises'}."
    return None


def attainment(baseline: Decimal, target: Decimal, current: Decimal | None) -> Decimal | None:
    """How much of the way to the target is done, 0 to 1; None while there is no current value."""
    if current is None:
        return None
    return min(max((baseline - current) / (baseline - target), Decimal(0)), Decimal(1))
