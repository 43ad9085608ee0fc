"""The comparison in words for the patient: their own numbers, then and now, and what a change can be taken for.

Only what the patient reports and the motion of the neck is shown here. Positions of bones, listings, legs and whatever
is a convention of ours are recorded for clinicians and never grade a patient (reference, Evidence guard).
"""

from dataclasses import dataclass, replace

from django.utils.translation import gettext_lazy as _

from evaluations import catalogue, compare_page, comparison
from evaluations.comparison import Change
from evaluations.entry import normals

SCORES = {
    "migraine_days_28": _("Days with migraine in 28 days"),
    "headache_days_28": _("Days with headache in 28 days"),
    "acute_med_days_28": _("Days with medicine for attacks in 28 days"),
    "hit6_total": _("How much headache gets in your way (HIT-6, from 36 to 78)"),
    "midas_total": _("Days lost or halved by headache in three months (MIDAS)"),
    "ndi_percent": _("How much your neck limits you (Neck Disability Index)"),
    "nprs_neck": _("Neck pain in the last week, 0 to 10"),
    "nprs_headache_usual": _("Usual headache in the last week, 0 to 10"),
    "nprs_headache_worst": _("Worst headache in the last week, 0 to 10"),
    "eq_vas": _("How well you feel, 0 to 100"),
}
MOTIONS = {
    "rom_flexion": _("Bending your head forward"),
    "rom_extension": _("Bending your head back"),
    "rom_left_lateral_flexion": _("Tilting your head to the left"),
    "rom_right_lateral_flexion": _("Tilting your head to the right"),
    "rom_left_rotation": _("Turning your head to the left"),
    "rom_right_rotation": _("Turning your head to the right"),
}
# The same as a bar is labelled, by the motion as it is spoken.
SHORT = {
    "Flexion": _("Bending forward"),
    "Extension": _("Bending back"),
    "Left lateral flexion": _("Tilting to the left"),
    "Right lateral flexion": _("Tilting to the right"),
    "Left rotation": _("Turning to the left"),
    "Right rotation": _("Turning to the right"),
}
BETTER, WORSE, WITHIN = _("Better"), _("Worse"), _("Within what the measurement can tell")
SAME, METHOD, METHOD_UNKNOWN, DAYS_WITHIN = (
    _("The same"),
    _("Measured in another way: not compared"),
    _("Not known whether it was measured in the same way: not compared"),
    _("Within what changes from month to month"),
)
_WORDS = {
    comparison.BETTER: BETTER,
    comparison.WORSE: WORSE,
    comparison.WITHIN: WITHIN,
    comparison.SAME: SAME,
    comparison.METHOD: METHOD,
    comparison.METHOD_UNKNOWN: METHOD_UNKNOWN,
    comparison.CHANGED: _("Changed"),
    "": "",
}
_ABSENT = {
    "refused": _("declined"), "not_assessable": _("not possible"), "deferred_unsafe": _("left out for safety")
}  # fmt: skip
# What needs a medical check first, as a patient reads it: every red flag but the cautions.
FLAGS = {
    "rf_systemic": _("Fever, loss of weight, night sweats or another illness together with the headache"),
    "rf_neoplasm": _("A cancer, now or in the past"),
    "rf_thunderclap": _("A sudden headache, the worst ever, at its peak within a minute"),
    "rf_older_onset": _("A first headache of this kind at your age"),
    "rf_pattern_change": _("A headache that is new or has changed in the last three months"),
    "rf_positional": _("A headache that comes with standing up or with lying flat"),
    "rf_progressive": _("A headache that gets worse and worse, or is unusual"),
    "rf_pregnancy": _("A new headache in a pregnancy or in the six weeks after a birth"),
    "rf_painful_eye": _("A red and painful eye, or loss of vision"),
    "rf_post_trauma": _("A headache that began after a blow to the head or neck"),
    "rf_immune": _("A weak immune system"),
    "rf_dizziness": _("New dizziness together with neck pain"),
    "rf_diplopia": _("Double vision"),
    "rf_dysarthria": _("Slurred speech"),
    "rf_dysphagia": _("Trouble swallowing"),
    "rf_drop_attack": _("Sudden falls without losing consciousness"),
    "rf_ataxia": _("A new unsteady walk"),
    "rf_numb_face": _("Numbness of the face or of one side"),
    "rf_unusual_neck_pain": _("Sudden pain of head or neck unlike any other"),
    "rf_night_pain": _("Severe pain that does not let up, or that comes at night"),
    "rf_surgery": _("Surgery of the neck"),
    "rf_suicidality": _("Thoughts of harming yourself"),
    "rf_papilloedema": _("Swelling at the back of the eye, moments of black vision, or a pulsing sound in the ear"),
    "rf_valsalva": _("Headache brought on by coughing, sneezing, straining or exercise"),
    "rf_neuro_deficit": _("New weakness, numbness, or a change of speech, vision, balance or alertness"),
    "rf_nystagmus": _("Eyes that move by themselves"),
    "rf_horner": _("A drooping lid with a small pupil"),
    "rf_vascular_history": _("An earlier stroke or torn artery, or an illness of the connective tissue"),
    "rf_bp_crisis": _("Very high blood pressure"),
    "rf_fracture": _("A neck bone that may be broken"),
    "rf_instability": _("A neck that may be unstable at the top"),
    "rf_myelopathy": _("Signs that the spinal cord should be looked at"),
    "rf_multilevel_root": _("Weakness or lost reflexes that should be looked at"),
    "rf_chiari": _("A known change where head and neck meet"),
    "rf_infection_meningism": _("A stiff neck with fever, a rash or pain from light"),
    "rf_nausea_neuro": _("New nausea together with neck pain or dizziness"),
}
IMPRESSIONS = {
    1: _("very much improved"), 2: _("much improved"), 3: _("a little improved"), 4: _("no change"),
    5: _("a little worse"), 6: _("much worse"), 7: _("very much worse"),
}  # fmt: skip
NECK_SIGNS = {
    "starts_base_of_skull": _("The pain starts at the base of the skull or the back of the neck"),
    "radiates_forward": _("It begins at the back and spreads forward"),
    "neck_stiff_before": _("Your neck is stiff before attacks"),
    "neck_stiff_during": _("Your neck is stiff during attacks"),
    "triggered_head_position": _("Certain positions of the head bring it on"),
    "triggered_desk_posture": _("Long work at a desk brings it on"),
    "neck_injury_history": _("You hurt your neck in the past"),
    "pain_with_neck_movement": _("Moving your neck brings it on"),
    "neck_tenderness_with_headache": _("Your neck is tender along with the headache"),
    "after_sleep_position": _("It comes after sleeping in a bad position"),
    "after_load_or_bag": _("It comes after a heavy or uneven bag"),
    "after_exercise_or_travel": _("It comes after exercise or long travel"),
    "relief_from_manual_care": _("Treatment by hand eased it before"),
}
KINDS = {
    "initial": _("First evaluation"),
    "reevaluation": _("Re-evaluation"),
    "discharge": _("Final evaluation"),
}
PRESSURE = {
    "normal": _("in the usual range"),
    "elevated": _("a little above the usual range"),
    "stage_1": _("above the usual range"),
    "stage_2": _("high: please have it checked by your doctor"),
    "crisis": _("very high: please see a doctor today"),
}
_LESS = _("{number} less"), _("{number} more")
_FEWER = _("{number} fewer"), _("{number} more")
ARMS = {
    "left": _("Left arm {systolic} over {diastolic}, {meaning}"),
    "right": _("Right arm {systolic} over {diastolic}, {meaning}"),
}


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
    return [_line(MOTIONS[line.code], line, unit, _WORDS[line.verdict], absent=_absent(line, found)) for line in wanted]


def _absent(line: Change, found) -> list[str]:
    """What stands for baseline, last and now where that motion was not measured, and why."""
    return [_ABSENT.get(one.readings.status(line.code, **line.place), "") if one else "" for one in found.taken]


def bars(found: compare_page.Compared) -> list[compare_page.Bar]:
    return [replace(bar, motion=SHORT[bar.motion]) for bar in compare_page.bars(found.findings)]


def impression(found: compare_page.Compared) -> str:
    """What the patient said of the change; empty where nobody asked."""
    return IMPRESSIONS.get(found.now.outcomes.get("pgic_1_to_7"), "")


def _score(line: Change, found) -> Line:
    score = comparison.SCORES[line.code]
    if line.code in comparison.DAYS:
        words = DAYS_WITHIN if line.verdict == comparison.WITHIN else _WORDS[line.verdict]
        return _line(SCORES[line.code], line, "", words, forms=_FEWER)
    return _line(SCORES[line.code], line, "%" if score.unit == "%" else "", _WORDS[line.verdict])


def _line(label, line: Change, unit, meaning, forms=_LESS, absent=("", "", "")) -> Line:
    values = [
        words if value is None else _number(value, unit)
        for value, words in zip((line.baseline, line.last, line.now), absent, strict=True)
    ]
    change = "" if line.change is None else _plain(line.change, unit, forms)
    return Line(label, *values, change, meaning)


def _plain(change, unit, forms) -> str:
    if change == 0:
        return _("none")
    return forms[change > 0].format(number=_number(abs(change), unit))


def _number(value, unit) -> str:
    """`20 %` rather than `20.0 %`."""
    return compare_page.with_unit(int(value) if value == int(value) else value, unit)
