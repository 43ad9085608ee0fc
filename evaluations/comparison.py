"""Baseline, last and now of every finding and score, and whether the change is more than error. Pure.

A change is better or worse by the finding's own direction, and only from its own detectable change on; below it is
"within error". Where position, instrument, listing system, scale, reinforcement or the origin of a count differ
nothing is compared: "method changed"; where only one of the two says it, "method unknown". A missing side is a gap,
never a zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from evaluations import catalogue, clusters, listings, measures, scoring
from evaluations.readings import Readings

BETTER, WORSE, WITHIN, CHANGED, SAME = "better", "worse", "within error", "changed", "same"
METHOD, METHOD_UNKNOWN = "method changed", "method unknown"
NOT_COMPARED = {METHOD, METHOD_UNKNOWN}
_LEGS = ("leg_length_inequality", "leg_change_head_rotation_left", "leg_change_head_rotation_right")
# What has to be the same for two values to be compared, by their code or by the catalogue section they stand in. Pain,
# endurance, scores and temperatures are not taken with what measures the angles or the legs.
METHOD_OF = {
    "weight_bearing": ("posture_position", "posture_method"),
    **dict.fromkeys(listings.LEVELS, ("listing_system",)),
    "posture_sagittal": ("posture_position", "posture_method"),
    "posture_coronal": ("posture_position", "posture_method"),
    "posture_transverse": ("posture_position", "posture_method"),
    **dict.fromkeys(_LEGS, ("leg_check_position",)),
    **dict.fromkeys([f"rom_{motion}" for motion in clusters.MOTIONS], ("rom_instrument",)),
    "frt": ("rom_instrument",),
    "reflex": ("reflex_scale",),
}
# The same of findings whose method is recorded at their own place.
METHOD_AT = {"reflex": ("reflex_reinforced",)}
# What a method is where nothing was said.
_USUAL = {"reflex_scale": "clinic_0_4", "reflex_reinforced": False}
METHODS = {code for codes in METHOD_OF.values() for code in codes}
# Choices from the worst to the best; what is not among them only changes.
_RANKS = {
    "myotome_strength": ("0", "1", "2", "3", "4-", "4", "4+", "5"),
    "dermatome_light_touch": ("0", "1", "2"),
    "dermatome_pin_prick": ("0", "1", "2"),
    "seg_fixation": ("marked", "moderate", "mild", "normal"),
}
DAYS = {"migraine_days_28", "headache_days_28", "acute_med_days_28"}
# Counted days go up and down from month to month: half fewer counts (reference 3.2), and a third more is never hidden.
FEWER, MORE = Decimal(scoring.RESPONDER_STEPS["r50"]), Decimal(30)


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
    is_last_comparable: bool = True  # the last value was taken as now, so that the two may be read side by side


@dataclass(frozen=True)
class Score:
    """A number made from the outcome measures. A fall is better but for `higher`; of a sum `greatest` ends the plot."""

    code: str
    label: str
    unit: str
    higher: bool = False
    greatest: int | None = None

    @property
    def mic(self) -> Decimal:
        """The change that matters; of counted days, where it is a share (`_of_days`), only the drawn step."""
        return scoring.MEANINGFUL.get(self.code, Decimal(1))

    @property
    def least(self) -> int:
        return measures.MEASURES[self.code].least if self.greatest is None else 0

    @property
    def most(self) -> int:
        return measures.MEASURES[self.code].most if self.greatest is None else self.greatest

    def of(self, outcomes: dict):
        if self.code == "ndi_percent":
            return (scoring.ndi(outcomes.get("ndi_items")) or {}).get("percent")
        if self.code == "midas_total":
            return scoring.midas_total(outcomes.get("midas_items"))
        return outcomes.get(self.code)


SCORES = {
    score.code: score
    for score in (
        Score("migraine_days_28", "Migraine days in 28", "d"),
        Score("headache_days_28", "Headache days in 28", "d"),
        Score("acute_med_days_28", "Acute medication days in 28", "d"),
        Score("hit6_total", "HIT-6", ""),
        Score("midas_total", "MIDAS", "d", greatest=42),
        Score("ndi_percent", "Neck Disability Index", "%", greatest=100),
        Score("nprs_neck", "Neck pain", ""),
        Score("nprs_headache_usual", "Usual headache", ""),
        Score("nprs_headache_worst", "Worst headache", ""),
        Score("eq_vas", "EQ VAS", "", higher=True),
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
    since_last = _methods(entry, place, last.readings, now.readings) if None not in (then, here) else ""
    if None not in (before, here) and (said := _methods(entry, place, baseline.readings, now.readings)):
        return Change(entry.code, place, before, then, here, None, said, not since_last)
    return Change(entry.code, place, before, then, here, *judged(entry, before, here), not since_last)


def signed(entry, readings: Readings, place: dict):
    """The value; a magnitude to the left (or in front) counts below zero, so that a change of side is a change."""
    found = readings.value(entry.code, **place)
    if found is None or not entry.directions:
        return found
    return -found if readings.direction(entry.code, **place) == entry.directions[0] else found


def _methods(entry, place: dict, before: Readings, now: Readings) -> str:
    """METHOD or METHOD_UNKNOWN where the two were not, or not surely, taken in one way; empty where they were."""
    codes = METHOD_OF.get(entry.code) or METHOD_OF.get(entry.section, ())
    looked_up = [(code, {}) for code in codes] + [(code, place) for code in METHOD_AT.get(entry.code, ())]
    return _one_way([tuple(_way(one, code, where) for one in (before, now)) for code, where in looked_up])


def _way(readings: Readings, code: str, place: dict):
    said = readings.value(code, **place)
    return _USUAL.get(code) if said is None else said


def _one_way(pairs) -> str:
    if any(a != b for a, b in pairs if a is not None and b is not None):
        return METHOD
    return METHOD_UNKNOWN if any((a is None) != (b is None) for a, b in pairs) else ""


def judged(entry, before, now) -> tuple[Decimal | int | None, str]:
    if before is None or now is None or catalogue.NOT_TESTABLE in (before, now):
        return None, ""
    if not entry.is_numeric:
        return None, _categories(entry, before, now)
    change = now - before
    if change == 0:
        return change, SAME
    # A magnitude gets better toward zero whichever side it is on.
    gain = (abs(now) - abs(before)) if entry.directions else change
    is_judged = bool(entry.better) and gain != 0  # as far to the other side is a change, and neither better nor worse
    return change, verdict(gain, higher=entry.better == "higher", judged=is_judged, least=_least(entry))


def _least(entry) -> Decimal | None:
    """From which change on it is more than error: the published one, or one grade of a graded finding."""
    if entry.detectable_change is not None:
        return entry.detectable_change
    return entry.step if entry.unit == "{score}" else None


def verdict(gain, *, higher: bool, judged: bool = True, least: Decimal | None) -> str:
    """Better or worse from `least` on; below it within error; without a direction or a least, only changed or same."""
    if not judged or least is None:
        return CHANGED
    if gain == 0:
        return SAME
    if abs(gain) < least:
        return WITHIN
    return BETTER if (gain > 0) == higher else WORSE


def _categories(entry, before, now) -> str:
    if before == now:
        return SAME
    if not entry.judged or entry.kind == "listing":
        return CHANGED
    ranks = _RANKS.get(entry.code, ())
    if before in ranks and now in ranks:
        return BETTER if ranks.index(now) > ranks.index(before) else WORSE
    normal = entry.normal_value if entry.kind != "positive_negative" else "negative"
    if normal is None:
        return CHANGED
    return BETTER if now == normal else WORSE if before == normal else CHANGED


def scores(baseline: Taken, last: Taken | None, now: Taken) -> list[Change]:
    """A line for every score that one of the three has."""
    taken, lines = (baseline, last, now), []
    for score in SCORES.values():
        before, then, here = (score.of(one.outcomes) if one else None for one in taken)
        if before is None and then is None and here is None:
            continue
        change = scoring.change(here, before)
        if score.code in DAYS:
            before_by, last_by, now_by = (one.outcomes.get("counts_origin") if one else None for one in taken)
            change, said = _of_days(before, here, before_by, now_by)
            by_last = then is None or here is None or not _one_way([(last_by, now_by)])
            lines.append(Change(score.code, {}, before, then, here, change, said, by_last))
            continue
        said = "" if change is None else verdict(change, higher=score.higher, least=score.mic)
        lines.append(Change(score.code, {}, before, then, here, change, said))
    return lines


def _of_days(before, now, origin_before, origin_now) -> tuple[int | None, str]:
    """Of days counted in 28, by their share and never recall against diary (reference 3.2 and 5.3)."""
    change = scoring.change(now, before)
    if change is None:
        return None, ""
    if said := _one_way([(origin_before, origin_now)]):
        return None, said
    if change == 0:
        return change, SAME
    if before == 0:
        return change, WORSE
    percent = scoring.responder(now, before)["pct"]
    return change, BETTER if percent <= FEWER else WORSE if percent >= MORE else WITHIN


def trend(score: Score, taken: Sequence[Taken]) -> list:
    """The score at each evaluation in order; None is a gap."""
    return [score.of(one.outcomes) for one in taken]
