"""The 46 red flags as the reference gives them (1.4): code, tier, group and words; and what raises one by itself."""

from pathlib import Path

import pytest

from evaluations import catalogue
from evaluations.entry import checking
from evaluations.safety import automatic_flags

TABLE = Path(__file__).with_name("red_flags.txt").read_text(encoding="utf-8").splitlines()


def test_the_table_is_that_of_the_reference():
    found = [" | ".join((flag.code, flag.tier, flag.group, flag.label)) for flag in catalogue.RED_FLAGS.values()]

    assert found == TABLE
    assert len(found) == 46


def test_the_words_follow_the_age_that_is_set(settings):
    settings.OLDER_ONSET_AGE = 65
    raw = {"code": "rf_x", "label": "At age {older_onset}", "tier": "urgent", "group": "x", "source": "K"}

    assert catalogue.read_red_flags([raw])["rf_x"].label == "At age 65"


def one(code, value, **more):
    readings = {"readings": more.pop("readings")} if "readings" in more else {}
    return {"code": code, "value": value, "qualifiers": more, **readings}


LEFT = {"side": "left"}
CRISIS, HIGH = "rf_bp_crisis", "rf_hypertension"
# Both sides of each limit of the reference, "Auto-raised".
RAISED = [
    ([one("bp_systolic", 139, **LEFT)], set()), ([one("bp_systolic", 140, **LEFT)], {HIGH}),
    ([one("bp_systolic", 179, **LEFT)], {HIGH}), ([one("bp_systolic", 180, **LEFT)], {HIGH, CRISIS}),
    ([one("bp_diastolic", 89, **LEFT)], set()), ([one("bp_diastolic", 90, **LEFT)], {HIGH}),
    ([one("bp_diastolic", 119, **LEFT)], {HIGH}), ([one("bp_diastolic", 120, **LEFT)], {HIGH, CRISIS}),
    ([one("bp_systolic", 138, readings=[180, 138], **LEFT)], {CRISIS}),
    ([one("bp_systolic", 138, readings=[179, 138], **LEFT)], set()),
    ([one("bp_systolic", 142, readings=[150, 200, 142], **LEFT)], {HIGH, CRISIS}),
    ([one("bp_diastolic", 80, readings=[120, 80], side="right")], {CRISIS}),
    ([one("body_temperature", 37.9)], set()), ([one("body_temperature", 38.0)], {"rf_systemic"}),
    ([one("atlantodental_interval", 3.0)], set()), ([one("atlantodental_interval", 3.1)], {"rf_instability"}),
    ([one("lateral_mass_overhang", 6.9)], set()), ([one("lateral_mass_overhang", 7.0)], {"rf_fracture"}),
    ([one("sharp_purser", "positive")], {"rf_instability"}), ([one("sharp_purser", "negative")], set()),
    ([one("hoffmann", "positive", **LEFT)], {"rf_myelopathy"}), ([one("hoffmann", "negative", **LEFT)], set()),
    ([one("babinski", "extensor", **LEFT)], {"rf_myelopathy"}), ([one("gait", "spastic")], {"rf_myelopathy"}),
    ([one("ankle_clonus_beats", 2, **LEFT)], set()), ([one("ankle_clonus_beats", 3, **LEFT)], {"rf_myelopathy"}),
    ([one("inverted_supinator", "positive", **LEFT)], {"rf_myelopathy"}),
    ([one("nystagmus", "positive")], {"rf_nystagmus"}), ([one("horner", "positive", **LEFT)], {"rf_horner"}),
    ([one("reflex", 0, reflex="biceps", **LEFT)], set()),
    ([one("reflex", 0, reflex="biceps", **LEFT), one("reflex", 0, reflex="triceps", **LEFT)], {"rf_multilevel_root"}),
    ([one("reflex", 1, reflex="biceps", **LEFT), one("reflex", 1, reflex="triceps", **LEFT)], set()),
    ([one("myotome_strength", "4-", level="C7", **LEFT)], set()),
    ([one("myotome_strength", "3", level="C7", **LEFT)], {"rf_multilevel_root"}),  # new
    ([one("beighton_score", 4)], set()), ([one("beighton_score", 5)], {"rf_hypermobility"}),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "raised"), RAISED)
def test_what_is_measured_raises_its_flag(sent, raised):
    checked, faults = checking.check_all(sent)

    assert not faults
    assert automatic_flags.flags_of(checked, age=40, strengths_before={}) == raised


@pytest.mark.parametrize(("age", "raised"), [(17, {"rf_minor"}), (18, set())])
def test_a_minor_is_flagged(age, raised):
    assert automatic_flags.flags_of([], age=age, strengths_before={}) == raised


@pytest.mark.parametrize(
    ("answers", "raised"),
    [
        ({"headache_onset_age": 49}, set()), ({"headache_onset_age": 50}, {"rf_older_onset"}),
        ({"acute_medication_days_month": {"simple": 14}}, set()),
        ({"acute_medication_days_month": {"simple": 15}}, {"rf_painkiller"}),
        ({"acute_medication_days_month": {"triptan": 9}}, set()),
        ({"acute_medication_days_month": {"triptan": 10}}, {"rf_painkiller"}),
    ],
)  # fmt: skip
def test_what_is_told_raises_its_flag(answers, raised):
    assert automatic_flags.flags_of_intake(answers) == raised


def test_the_reading_in_crisis_is_named_and_the_flag_raised(save, patient):
    answer = save(one("bp_systolic", 138, readings=[190, 138], **LEFT))

    assert answer["open_red_flags"] == ["rf_bp_crisis"]
    assert answer["warnings"]["findings.0.value"].startswith("190 among the readings is 180 or more")
