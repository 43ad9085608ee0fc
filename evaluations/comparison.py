"""Baseline, last and now of every finding and score, and whether the change is more than error. Pure.

A change is better or worse by the finding's own direction, and only from its own detectable change on; below it is
"within error". Where position or instrument differ nothing is compared: "method changed". A missing side is a gap,
never a zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from evaluations import catalogue, scoring
from evaluations.readings import Readings

BETTER, WORSE, WITHIN, CHANGED, SAME, METHOD = "better", "worse", "within error", "changed", "same", "method changed"
# What has to be the same for two values to be compared, by the catalogue section they stand in.
METHOD_OF = {
    "posture_sagittal": ("posture_position", "posture_method"),
    "posture_coronal": ("posture_position", "posture_method"),
    "posture_transverse": ("posture_position", "posture_method"),
    "alignment_screen": ("leg_check_position",),
    "rom": ("rom_instrument",),
}
METHODS = {code for codes in METHOD_OF.values() for code in codes}
STRENGTH = ("0", "1", "2", "3", "4-", "4", "4+", "5")
_SENSES = ("0", "1", "2")


@dataclass(frozen=True)
class Taken:
    """One evaluation as it is compared: what was assessed, and the raw outcome measures."""

    readings: Readings
    outcomes: dict


@dataclass(frozen=True)
class Change:
    """One line: three values (None is a gap), `change` is now minus baseline where both are numbers."""

    code: str
    place: dict = field(default_factory=dict)
    baseline: object = None
    last: object = None
    now: object = None
    change: Decimal | int | None = None
    verdict: str = ""


@dataclass(frozen=True)
class Score:
    """A number made from the outcome measures. A fall is better but for `higher`; `mic` is the change that matters."""

    code: str
    label: str
    unit: str
    mic: Decimal
    higher: bool = False
    least: int = 0
    most: int = 10

    def of(self, outcomes: dict):
        if self.code == "ndi_percent":
            return (scoring.ndi(outcomes.get("ndi_items")) or {}).get("percent")
        if self.code == "midas_total":
            return scoring.midas_total(outcomes.get("midas_items"))
        return outcomes.get(self.code)


# Meaningful change as in reference 3.2; of counted days half (3.2), which is a share and so is left to the responders.
SCORES = {
    score.code: score
    for score in (
        Score("migraine_days_28", "Migraine days in 28", "d", Decimal(1), most=28),
        Score("headache_days_28", "Headache days in 28", "d", Decimal(1), most=28),
        Score("acute_med_days_28", "Acute medication days in 28", "d", Decimal(1), most=28),
        Score("hit6_total", "HIT-6", "", Decimal(6), least=36, most=78),
        Score("midas_total", "MIDAS", "d", Decimal("4.5"), most=92),
        Score("ndi_percent", "Neck Disability Index", "%", Decimal(10), most=100),
        Score("nprs_neck", "Neck pain", "", Decimal(2)),
        Score("nprs_headache_usual", "Usual headache", "", Decimal(2)),
        Score("nprs_headache_worst", "Worst headache", "", Decimal(2)),
        Score("eq_vas", "EQ VAS", "", Decimal(8), higher=True, most=100),
    )
}


def findings(baseline: Taken, last: Taken | None, now: Taken) -> list[Change]:
    """A line for every place at which any of the three has a value, in the order of the catalogue."""
    taken = [baseline, last or baseline, now]
    lines = []
    for entry in catalogue.FINDINGS.values():
        if entry.code in METHODS:
            continue
        places = {}
        for one in taken:
            places |= {catalogue.key_of(place): place for place, _ in one.readings.all(entry.code)}
        order = {catalogue.key_of(place): n for n, place in enumerate(entry.places())}
        for key in sorted(places, key=lambda key: order.get(key, -1)):
            lines.append(_line(entry, places[key], baseline, last, now))
    return lines


def _line(entry, place, baseline, last, now) -> Change:
    before, then, here = (signed(entry, one.readings, place) if one else None for one in (baseline, last, now))
    if not _same_method(entry, baseline.readings, now.readings):
        return Change(entry.code, place, before, then, here, verdict=METHOD)
    return Change(entry.code, place, before, then, here, *_judged(entry, before, here))


def signed(entry, readings: Readings, place: dict):
    """The value; a magnitude to the left (or in front) counts below zero, so that a change of side is a change."""
    found = readings.value(entry.code, **place)
    if found is None or not entry.directions:
        return found
    return -found if readings.direction(entry.code, **place) == entry.directions[0] else found


def _same_method(entry, before: Readings, now: Readings) -> bool:
    pairs = [(before.value(code), now.value(code)) for code in METHOD_OF.get(entry.section, ())]
    return all(a == b for a, b in pairs if a is not None and b is not None)


def _judged(entry, before, now) -> tuple[Decimal | int | None, str]:
    if before is None or now is None:
        return None, ""
    if not entry.is_numeric:
        return None, _categories(entry, before, now)
    change = now - before
    # A magnitude gets better toward zero whichever side it is on.
    gain = (abs(now) - abs(before)) if entry.directions else change
    return change, verdict(gain, higher=entry.better == "higher", judged=bool(entry.better), least=_least(entry))


def _least(entry) -> Decimal | None:
    """From which change on it is more than error: the published one, or one grade of a graded finding."""
    if entry.detectable_change is not None:
        return entry.detectable_change
    return entry.step if entry.unit in {"{score}", "{count}", "{beats}"} else None


def verdict(gain, *, higher: bool, judged: bool = True, least: Decimal | None) -> str:
    """Better or worse from `least` on; below it within error; without a direction or a least, only changed or same."""
    if gain == 0:
        return SAME
    if not judged or least is None:
        return CHANGED
    if abs(gain) < least:
        return WITHIN
    return BETTER if (gain > 0) == higher else WORSE


def _categories(entry, before, now) -> str:
    if before == now:
        return SAME
    for ranks in (STRENGTH, _SENSES):
        if entry.better and before in ranks and now in ranks:
            return BETTER if ranks.index(now) > ranks.index(before) else WORSE
    normal = entry.normal_value if entry.kind != "positive_negative" else "negative"
    if normal is None or entry.kind == "listing":
        return CHANGED
    return BETTER if now == normal else WORSE if before == normal else CHANGED


def scores(baseline: Taken, last: Taken | None, now: Taken) -> list[Change]:
    """A line for every score that one of the three has."""
    lines = []
    for score in SCORES.values():
        before, then, here = (score.of(one.outcomes) if one else None for one in (baseline, last, now))
        if before is None and then is None and here is None:
            continue
        change = scoring.change(here, before)
        said = "" if change is None else verdict(change, higher=score.higher, least=score.mic)
        lines.append(Change(score.code, {}, before, then, here, change, said))
    return lines


def trend(score: Score, taken: Sequence[Taken]) -> list:
    """The score at each evaluation in order; None is a gap."""
    return [score.of(one.outcomes) for one in taken]
