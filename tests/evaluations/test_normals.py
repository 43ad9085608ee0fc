from decimal import Decimal

import pytest

from evaluations import catalogue, clusters, recording
from evaluations.entry import normals, units
from evaluations.entry.checking import Checked, Wrong, check
from evaluations.entry.normals import Who
from evaluations.readings import Readings

GROWN, CHILD = Who(40), Who(12)


def entry(code):
    return catalogue.FINDINGS[code]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("heart_rate", "60 to 100 per min"),
        ("oxygen_saturation", "95 % or more"),
        ("bp_systolic", "up to 119 mmHg"),
        ("craniovertebral_angle", "50° or more"),
        ("weight_bearing", "left and right within 2.5 kg"),
        ("reflex", "2, left and right the same"),
        ("rom_flexion", "usually 50°, 41° or more"),
        ("leg_length_inequality", "up to 5.9 mm, once established up to 2.9 mm"),
        ("atlas_laterality", "no norm: watch the trend"),
        ("hoffmann", "negative"),
        ("gait", "normal"),
        ("scapular_position", "normal"),
        ("seg_edema", "no"),
        ("seg_fixation_directions", "none"),
        ("listing_c1", "no listing"),
        ("height", ""),
    ],
)
def test_norms_are_said_in_words(code, words):
    assert normals.words(entry(code)) == words


@pytest.mark.parametrize(
    ("code", "within", "outside"),
    [
        ("heart_rate", (60, 100), (59, 101)),
        ("body_temperature", ("36.1", "37.2"), ("36.0", "37.3")),
        ("craniovertebral_angle", ("50.0",), ("49.9",)),
        ("head_tilt", ("2.0", "0"), ("2.1",)),
        ("trunk_rotation", (4,), (5,)),
        ("seg_tone", (0,), (-1, 1)),
        ("rom_extension", (51,), (50,)),
        ("joint_position_error", ("4.4",), ("4.5",)),
        ("ankle_clonus_beats", (2,), (3,)),
        ("grip_release_10s", (20,), (19,)),
        ("tandem_gait_errors", (1,), (2,)),
        ("lateral_mass_overhang", ("6.9",), ("7.0",)),
        ("thermography_delta", ("0.4",), ("0.5",)),
        ("c2_c7_sva", ("20.1", "40.0"), ("40.1",)),
        ("c2_c7_lordosis", ("20.0", "30.0", "43.0"), ("19.9", "-0.1")),
        ("leg_length_inequality", ("5.9",), ("6.0",)),
        ("atlantodental_interval", ("3.0",), ("3.1",)),
    ],
)
def test_both_sides_of_each_limit(code, within, outside):
    for number in within:
        assert normals.departs(entry(code), Decimal(number), GROWN) is False, number
    for number in outside:
        assert normals.departs(entry(code), Decimal(number), GROWN) is True, number


def test_norms_that_depend_on_who_it_is():
    assert normals.departs(entry("atlantodental_interval"), Decimal("5.0"), CHILD) is False
    assert normals.departs(entry("leg_length_inequality"), Decimal("3.0"), Who(40, established=True)) is True
    assert normals.departs(entry("leg_length_inequality"), Decimal("2.9"), Who(40, established=True)) is False


def test_sides_are_compared():
    assert normals.departs(entry("weight_bearing"), Decimal(40), GROWN, beside=Decimal("42.5")) is False
    assert normals.departs(entry("weight_bearing"), Decimal(40), GROWN, beside=Decimal("42.6")) is True
    assert normals.departs(entry("weight_bearing"), Decimal(40), GROWN) is None
    assert normals.departs(entry("reflex"), 2, GROWN, beside=3) is True


@pytest.mark.parametrize(
    ("own", "other", "said"),
    [
        (44, 30, False),
        (30, 44, True),
        (50, 39, False),
        (39, 50, True),
        (40, 50, False),
        (33, None, None),
        (32, None, True),
    ],
)
def test_only_the_lower_side_of_the_flexion_rotation_test_stands_out(own, other, said):
    assert normals.departs(entry("frt"), own, GROWN, beside=other) is said


@pytest.mark.parametrize(
    ("closed", "open_", "said"),
    [(30, 30, False), (29, 30, True), (20, 29, None), (20, None, None), (30, None, False), (0, 30, True)],
)
def test_romberg_is_told_by_the_closed_eyes_only_where_the_open_ones_held(closed, open_, said):
    assert normals.departs(entry("romberg_seconds"), closed, GROWN, beside=open_) is said


def test_what_a_value_is_judged_beside():
    def beside(code, place, *found):
        return normals.beside(entry(code), place, Readings([Checked(c, "assessed", p, v) for c, p, v in found]))

    left, right = {"side": "left"}, {"side": "right"}
    assert beside("frt", left, ("frt", right, 40), ("frt", left, 30)) == 40
    assert beside("seg_pain", left, ("seg_pain", right, 4)) is None  # sides that are not compared
    assert beside("romberg_seconds", {}, ("romberg_eyes_open_seconds", {}, 25)) == 25


def test_a_mean_of_healthy_people_is_no_limit():
    assert normals.departs(entry("deep_neck_flexor_endurance"), 24, GROWN) is None
    assert normals.words(entry("deep_neck_flexor_endurance")) == "usually 39 s"


@pytest.mark.parametrize("code", ["dermatome_light_touch", "dermatome_pin_prick", "myotome_strength"])
def test_not_testable_departs_from_nothing(code):
    assert normals.departs(entry(code), "NT", GROWN) is None
    assert normals.departs(entry(code), "1", GROWN) is True


def test_what_was_not_assessed_or_has_no_norm_departs_from_nothing():
    assert normals.departs(entry("heart_rate"), None, GROWN) is None
    assert normals.departs(entry("height"), Decimal(170), GROWN) is None
    assert normals.departs(entry("atlas_laterality"), Decimal(3), GROWN) is None


@pytest.mark.parametrize("motion", clusters.MOTIONS)
def test_the_catalogue_and_the_motion_rule_agree(motion):
    found = entry(f"rom_{motion}")
    assert found.usual == clusters.NORMAL_MOTION[motion]
    for degrees in (found.normal_from - 1, found.normal_from):
        is_reduced = clusters.motion_flag(motion, int(degrees)) == "reduced"
        assert normals.departs(found, degrees, GROWN) is is_reduced


def test_a_measured_number_is_never_filled_in_as_normal():
    filled = {code for code, one in catalogue.FINDINGS.items() if one.is_numeric and normals.value(one) is not None}
    assert filled == {
        "seg_tenderness", "seg_pain", "seg_tone", "muscle_tone", "muscle_tenderness", "rom_pain", "frt_pain", "reflex",
    }  # fmt: skip


def test_a_soft_limit_asks_and_keeps(db, chiro, patient, atlanta):
    assert normals.warning(entry("rom_flexion"), 80) == ""
    assert "above 80°" in normals.warning(entry("rom_flexion"), 81)
    assert "below 40 per min" in normals.warning(entry("heart_rate"), 39)
    evaluation = recording.start(patient=patient, location=atlanta, by=chiro.user)
    sent = {"code": "heart_rate", "qualifiers": {}, "status": "assessed", "value": 160}
    answer = recording.save(evaluation, findings=[sent], version=0, by=chiro.user)
    assert answer["warnings"] == {"findings.0.value": "Unusually high: above 150 per min. Is it right?"}
    assert evaluation.findings.get().value == 160


@pytest.mark.parametrize(
    ("text", "unit", "step", "amount"),
    [
        ("1/4 in", "mm", "0.1", "6.4"),
        ('1/8"', "mm", "0.1", "3.2"),
        ("1 1/2 in", "mm", "1", "38"),
        ("2 cm", "mm", "1", "20"),
        ("5 ft 4 in", "cm", "0.1", "162.6"),
        ("5' 4\"", "cm", "0.1", "162.6"),
        ("150 lb", "kg", "0.1", "68.0"),
        ("98.6 F", "Cel", "0.1", "37.0"),
        ("37 °C", "Cel", "0.1", "37.0"),
        ("0 in", "mm", "0.1", "0.0"),
        ("1/4", "mm", "0.1", "6.4"),
        ("3/8", "mm", "0.1", "9.5"),
        ("1 1/4", "mm", "0.1", "31.8"),
        ("1-1/4 in", "mm", "0.1", "31.8"),
        ("1-1/4", "mm", "0.1", "31.8"),
        (".25 in", "mm", "0.1", "6.4"),
        ("¼ in", "mm", "0.1", "6.4"),
        ('½"', "mm", "0.1", "12.7"),
        ("1½ in", "mm", "0.1", "38.1"),
        ("⅛", "mm", "0.1", "3.2"),
        ("1/8”", "mm", "0.1", "3.2"),
        ("6,4", "mm", "0.1", "6.4"),
        ("6,4 mm", "mm", "0.1", "6.4"),
        ("-,5", "mm", "0.1", None),
        (".5", "Cel", "0.1", "0.5"),
        ("37,5", "Cel", "0.1", "37.5"),
        ("1/4", "kg", "0.1", None),  # of what?
        ("1/4", "Cel", "0.1", None),
        ("1/0", "mm", "0.1", None),
        ("1,234", "mm", "1", None),  # a thousand, or one and a bit
        ("1//4", "mm", "0.1", None),
        ("٣/٨", "mm", "0.1", None),
        ("120", "mm", "1", None),
        ("12.5", "mm", "1", None),
        ("1/0 in", "mm", "1", None),
        ("3 lb", "mm", "1", None),
        ("5 in tall", "cm", "1", None),
        ("", "mm", "1", None),
        ("12 deg", "deg", "1", None),
    ],
)
def test_amounts_with_a_unit_are_converted(text, unit, step, amount):
    found = units.converted(text, unit, Decimal(step))
    assert found == (amount and Decimal(amount))


@pytest.mark.parametrize(
    ("code", "typed", "kept"),
    [
        ("leg_length_inequality", "1/4", Decimal("6.4")),
        ("leg_length_inequality", "6,4", Decimal("6.4")),
        ("leg_length_inequality", "6,45", None),  # finer than the step: asked, never rounded
        ("head_lateral_shift", "1/4", Decimal(6)),
        ("head_lateral_shift", "6,5", None),
        ("head_lateral_shift", "6,0", Decimal(6)),
    ],
)
def test_fractions_and_commas_are_kept_or_asked_about(code, typed, kept):
    sent = {"code": code, "value": typed, "direction": "left"}
    if kept is None:
        with pytest.raises(Wrong):
            check(sent)
    else:
        assert check(sent).value == kept


def test_an_eighth_of_an_inch_goes_in_as_millimetres(db, chiro, patient, atlanta):
    evaluation = recording.start(patient=patient, location=atlanta, by=chiro.user)
    sent = {"code": "leg_length_inequality", "status": "assessed", "value": '1/8"', "direction": "left"}
    recording.save(evaluation, findings=[sent], version=0, by=chiro.user)
    assert evaluation.findings.get().value == Decimal("3.2")


@pytest.mark.parametrize(
    ("scale", "grade", "stands_out"),
    [("", 2, False), ("", 3, True), ("clinic_0_4", 3, True), ("ninds", 3, False), ("ninds", 1, True),
     ("ninds", 4, True)],
)  # fmt: skip
def test_a_reflex_is_judged_by_its_scale(scale, grade, stands_out):
    place = {"reflex": "biceps", "side": "left"}
    sent = [{"code": "reflex", "qualifiers": place, "value": grade}]
    sent += [{"code": "reflex_scale", "value": scale}] if scale else []
    readings = Readings([check(one) for one in sent])
    assert normals.stands_out(entry("reflex"), place, Decimal(grade), readings, Who(40)) is stands_out
