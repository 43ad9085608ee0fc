"""The comparison in words for the patient: their own numbers, then and now, and what a change can be taken for.

Only what the patient reports and the motion of the neck is shown here. Positions of bones, listings, legs and whatever
is a convention of ours are recorded for clinicians and never grade a patient (reference, Evidence guard).
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from evaluations import catalogue, compare_page, comparison, normals, scoring
from evaluations.comparison import Change

SCORES = {
    "migraine_days_28": "Days with migraine in 28 days",
    "headache_days_28": "Days with headache in 28 days",
    "acute_med_days_28": "Days with medicine for attacks in 28 days",
    "hit6_total": "How much headache gets in your way (HIT-6, from 36 to 78)",
    "midas_total": "Days lost or halved by headache in three months (MIDAS)",
    "ndi_percent": "How much your neck limits you (Neck Disability Index)",
    "nprs_neck": "Neck pain in the last week, 0 to 10",
    "nprs_headache_usual": "Usual headache in the last week, 0 to 10",
    "nprs_headache_worst": "Worst headache in the last week, 0 to 10",
    "eq_vas": "How well you feel, 0 to 100",
}
MOTIONS = {
    "rom_flexion": "Bending your head forward",
    "rom_extension": "Bending your head back",
    "rom_left_lateral_flexion": "Tilting your head to the left",
    "rom_right_lateral_flexion": "Tilting your head to the right",
    "rom_left_rotation": "Turning your head to the left",
    "rom_right_rotation": "Turning your head to the right",
}
# The same as a bar is labelled, by the motion as it is spoken.
SHORT = {
    "Flexion": "Bending forward",
    "Extension": "Bending back",
    "Left lateral flexion": "Tilting to the left",
    "Right lateral flexion": "Tilting to the right",
    "Left rotation": "Turning to the left",
    "Right rotation": "Turning to the right",
}
DAYS = {"migraine_days_28", "headache_days_28", "acute_med_days_28"}
# Counted days go up and down from month to month: half fewer counts (reference 3.2), and a third more is never hidden.
FEWER, MORE = Decimal(-50), Decimal(30)
BETTER, WORSE, WITHIN = "Better", "Worse", "Within what the measurement can tell"
SAME, METHOD, DAYS_WITHIN = (
    "The same",
    "Measured in another way: not compared",
    "Within what changes from month to month",
)
_WORDS = {
    comparison.BETTER: BETTER,
    comparison.WORSE: WORSE,
    comparison.WITHIN: WITHIN,
    comparison.SAME: SAME,
    comparison.METHOD: METHOD,
    comparison.CHANGED: "Changed",
    "": "",
}
# Red flags whose label is written for clinicians.
FLAGS = {
    "rf_papilloedema": "Swelling at the back of the eye, moments of black vision, or a pulsing sound in the ear",
    "rf_valsalva": "Headache brought on by coughing, sneezing, straining or exercise",
    "rf_neuro_deficit": "New weakness, numbness, or a change of speech, vision, balance or alertness",
    "rf_nystagmus": "Eyes that move by themselves",
    "rf_horner": "A drooping lid with a small pupil",
    "rf_vascular_history": "An earlier stroke or torn artery, or an illness of the connective tissue",
    "rf_bp_crisis": "Very high blood pressure",
    "rf_fracture": "A neck bone that may be broken",
    "rf_instability": "A neck that may be unstable at the top",
    "rf_myelopathy": "Signs that the spinal cord should be looked at",
    "rf_multilevel_root": "Weakness or lost reflexes that should be looked at",
    "rf_chiari": "A known change where head and neck meet",
    "rf_infection_meningism": "A stiff neck with fever, a rash or pain from light",
    "rf_nausea_neuro": "New nausea together with neck pain or dizziness",
}
IMPRESSIONS = {
    1: "very much improved", 2: "much improved", 3: "a little improved", 4: "no change", 5: "a little worse",
    6: "much worse", 7: "very much worse",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    label: str
    baseline: str
    last: str
    now: str
    change: str
    meaning: str


def scores(found: compare_page.Compared) -> list[Line]:
    return [_score(line, found) for line in found.scores if line.code in SCORES]


def motions(found: compare_page.Compared) -> list[Line]:
    """Active motion only: how far the patient turns by themselves."""
    wanted = [line for line in found.findings if line.code in MOTIONS and line.place == {"mode": "active"}]
    unit = normals.UNITS[catalogue.FINDINGS["rom_flexion"].unit]
    return [_line(MOTIONS[line.code], line, unit, _WORDS[line.verdict]) for line in wanted]


def bars(found: compare_page.Compared) -> list[compare_page.Bar]:
    return [replace(bar, motion=SHORT[bar.motion]) for bar in compare_page.bars(found.findings)]


def impression(found: compare_page.Compared) -> str:
    """What the patient said of the change; empty where nobody asked."""
    return IMPRESSIONS.get(found.now.outcomes.get("pgic_1_to_7"), "")


def _score(line: Change, found) -> Line:
    score = comparison.SCORES[line.code]
    if line.code in DAYS:
        return _line(SCORES[line.code], line, "", _of_days(line, found), noun=("fewer", "more"))
    return _line(SCORES[line.code], line, "%" if score.unit == "%" else "", _WORDS[line.verdict])


def _of_days(line: Change, found) -> str:
    if line.change is None:
        return ""
    origins = {one.get("counts_origin") for one in (found.first.measures, found.now.outcomes)} - {None}
    if len(origins) > 1:
        return METHOD
    if line.change == 0:
        return SAME
    if not line.baseline:
        return WORSE
    percent = scoring.responder(line.now, line.baseline)["pct"]
    return BETTER if percent <= FEWER else WORSE if percent >= MORE else DAYS_WITHIN


def _line(label, line: Change, unit, meaning, noun=("less", "more")) -> Line:
    values = ["" if value is None else _number(value, unit) for value in (line.baseline, line.last, line.now)]
    change = "" if line.change is None or meaning == METHOD else _plain(line.change, unit, noun)
    return Line(label, *values, change, meaning)


def _plain(change, unit, noun) -> str:
    if change == 0:
        return "none"
    return f"{_number(abs(change), unit)} {noun[change > 0]}"


def _number(value, unit) -> str:
    """`20 %` rather than `20.0 %`."""
    return compare_page.with_unit(int(value) if value == int(value) else value, unit)
