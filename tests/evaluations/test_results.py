"""What the page says while it is filled in: the rules' own words, and unknown where an input is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluations import catalogue, results
from evaluations.entry.checking import check
from evaluations.entry.normals import Who
from evaluations.readings import Readings

WHO = Who(age=40)


def says(*findings, outcomes=None, who=WHO):
    """{code of the result: its words}."""
    found = Readings([check(finding) for finding in findings])
    return {one.code: one.says for one in results.lines(found, outcomes or {}, who)}


def at(code, value, **qualifiers):
    return {"code": code, "qualifiers": qualifiers, "value": value}


def test_nothing_recorded_is_unknown_throughout():
    letters = "unknown (P unknown, A unknown, R unknown, T unknown)"
    assert set(says().values()) == {"unknown", "left unknown, right unknown", letters}


@pytest.mark.parametrize(
    ("systolic", "diastolic", "words"),
    [(119, 79, "normal"), (120, 79, "elevated"), (129, 79, "elevated"), (130, 79, "stage 1"), (119, 80, "stage 1"),
     (139, 89, "stage 1"), (140, 89, "stage 2"), (119, 90, "stage 2"), (179, 119, "stage 2"), (180, 119, "crisis"),
     (179, 120, "crisis")],
)  # fmt: skip
def test_blood_pressure_on_both_sides_of_each_limit(systolic, diastolic, words):
    found = says(at("bp_systolic", systolic, side="left"), at("bp_diastolic", diastolic, side="left"))

    again = "; repeat after 5 min: left" if systolic >= 140 or diastolic >= 90 else ""
    assert found["bp"] == f"left {words}, right unknown{again}"


def test_half_a_blood_pressure_is_unknown():
    assert says(at("bp_systolic", 190, side="left"))["bp"] == "unknown"


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [(44, 44, "left negative, right negative"), (32, 44, "left positive, right negative"),
     (33, 44, "left positive, right negative"), (34, 44, "left negative, right negative"),
     (32, None, "left positive, right unknown"), (44, None, "left unknown, right unknown")],
)  # fmt: skip
def test_flexion_rotation(left, right, words):
    given = [at("frt", value, side=side) for side, value in (("left", left), ("right", right)) if value is not None]

    assert says(*given)["frt"] == words


@pytest.mark.parametrize(
    ("items", "words"),
    [([2] * 10, "40.0 %, moderate"), ([2] * 8 + [None] * 2, "40.0 %, moderate (8 of 10 answered)"),
     ([2] * 7 + [None] * 3, "unknown (7 of 10 answered)"), (None, "unknown")],
)  # fmt: skip
def test_the_ndi_is_prorated_from_eight_answers(items, words):
    assert says(outcomes={"ndi_items": items})["ndi"] == words


@pytest.mark.parametrize(
    ("outcomes", "code", "words"),
    [({"midas_items": [5, 0, 0, 0, 0]}, "midas", "5, grade I"),
     ({"midas_items": [6, 0, 0, 0, 0]}, "midas", "6, grade II"),
     ({"midas_items": [6, 0, None, 0, 0]}, "midas", "unknown"), ({"hit6_total": 59}, "hit6", "59, substantial"),
     ({"hit6_total": 60}, "hit6", "60, severe"), ({"nprs_neck": 0}, "nprs_neck", "0, none"),
     ({"pgic_1_to_7": 2}, "pgic", "response (1 or 2)"), ({"pgic_1_to_7": 3}, "pgic", "no response")],
)  # fmt: skip
def test_scores(outcomes, code, words):
    assert says(outcomes=outcomes)[code] == words


def test_clusters_count_and_say_what_is_unknown():
    found = says(
        at("gait", "spastic"), at("hoffmann", "positive", side="left"), at("spurling", "positive", side="left")
    )

    assert found["cook"] == "2 of 5, 2 unknown"
    assert found["wainner_left"] == "1 of 4, 3 unknown"
    assert found["wainner_right"] == "unknown"


def test_a_letter_of_part_is_no_only_so_far_while_rows_are_left():
    found = says(at("seg_fixation", "normal", segment="C1"), at("seg_tenderness", 1, segment="C1", side="left"))

    assert found["part"] == "unknown (P yes, A unknown, R no so far, T unknown)"


def test_the_sides_of_the_flexion_rotation_test_do_not_stand_out_together():
    found = Readings([check(at("frt", 44, side="left")), check(at("frt", 30, side="right"))])

    assert results.outside(found, WHO) == ["frt[side=right]"]


@pytest.mark.parametrize(
    ("degrees", "words"),
    [(4, "within"), (5, "monitor"), (6, "monitor"), (7, "consider imaging for scoliosis")],
)
def test_the_rotation_of_the_trunk_has_its_steps(degrees, words):
    assert says({**at("trunk_rotation", degrees), "direction": "left"})["trunk_rotation"] == words


@pytest.mark.parametrize(
    ("millimetres", "words"),
    [(5.9, "no"), (6.0, "yes"), (19.9, "yes"), (20.0, "yes; 20 mm or more: refer if it is anatomical")],
)
def test_a_leg_that_is_far_shorter_is_referred(millimetres, words):
    assert says({**at("leg_length_inequality", millimetres), "direction": "left"})["lli"] == words


@pytest.mark.parametrize(("usual", "worst", "asked"), [(6, 6, False), (7, 6, True), (7, None, False)])
def test_a_usual_headache_above_the_worst_is_asked_about(usual, worst, asked):
    found = says(outcomes={"nprs_headache_usual": usual, "nprs_headache_worst": worst})

    assert found["nprs_headache_usual"].endswith("is it right?") is asked


def test_motion_names_what_is_reduced_and_what_is_unknown():
    found = says(at("rom_flexion", 40, mode="active"), at("rom_extension", 60, mode="active"))

    assert found["motion"] == "reduced: flexion; 4 unknown"


def test_a_listing_is_said_with_its_system():
    found = says(at("listing_system", "palmer_hio"), at("listing_c1", "ASRP"), at("listing_c2", ""))

    assert (found["listing_c1"], found["listing_c2"], found["listing_c0"]) == (
        "ASRP (Palmer HIO)",
        "no listing",
        "unknown",
    )


def test_a_value_beyond_its_norm_is_outside_and_one_within_is_not():
    found = Readings([check(at("heart_rate", 101)), check(at("respiratory_rate", 12))])

    assert results.outside(found, WHO) == ["heart_rate[]"]


SIDED = [
    entry for entry in catalogue.FINDINGS.values() if entry.kind == "positive_negative" and entry.side == "left_right"
]


@given(st.sets(st.sampled_from([e.code for e in SIDED]), min_size=1), st.sampled_from(["negative", "positive"]))
def test_left_mirrors_right(codes, value):
    left, right = (says(*(at(code, value, side=side) for code in codes)) for side in ("left", "right"))

    assert left["wainner_left"] == right["wainner_right"]
    assert left["cook"] == right["cook"]


@given(st.sampled_from(["refused", "not_assessable", "deferred_unsafe", "not_assessed"]))
def test_what_was_not_assessed_says_nothing(status):
    given = [
        {"code": entry.code, "qualifiers": place, "status": status, "reason": "why"}
        for entry in catalogue.FINDINGS.values()
        for place in entry.places()
    ]

    assert says(*given) == says()


def twice(code, *tries, side="left"):
    return {"code": code, "qualifiers": {"side": side}, "readings": list(tries)}


def test_a_high_pressure_is_repeated_and_the_last_counts():
    once = says(at("bp_systolic", 182, side="right"), at("bp_diastolic", 88, side="right"))
    assert once["bp"] == "left unknown, right crisis; repeat after 5 min: right"
    again = says(twice("bp_systolic", 182, 128, side="right"), twice("bp_diastolic", 88, 78, side="right"))
    assert again["bp"] == "left unknown, right elevated"
    still = says(twice("bp_systolic", 150, 148), at("bp_diastolic", 88, side="left"))
    assert still["bp"] == "left stage 2, right unknown"  # it was repeated
    only_one = says(twice("bp_systolic", 150, 148), at("bp_diastolic", 90, side="left"))
    assert only_one["bp"].endswith("; repeat after 5 min: left")


@pytest.mark.parametrize(("degrees", "asked"), [(95, False), (96, True)])
@pytest.mark.parametrize("mode", ["active", "passive"])
def test_an_increased_motion_asks_for_the_beighton_score(mode, degrees, asked):
    motion = at("rom_left_rotation", degrees, mode=mode)
    said = "unknown: a motion is increased, do the nine manoeuvres" if asked else "unknown"
    assert says(motion)["beighton"] == said
    assert says(motion, at("beighton_score", 0))["beighton"] == "no"
    refused = {"code": "beighton_score", "status": "refused", "reason": "Declined."}
    assert says(motion, refused)["beighton"] == "unknown"


def turned(code, value, direction):
    return {"code": code, "value": value, "direction": direction}


NUCCA = [{"code": "listing_system", "value": "nucca"}, {"code": "listing_c1", "value": "L1.25 A0.50"}]


@pytest.mark.parametrize(
    ("angles", "against"),
    [
        ([], ""),
        ([turned("atlas_laterality", 1.25, "left"), turned("atlas_rotation", 0.5, "anterior")], ""),
        ([turned("atlas_laterality", 1.5, "left")], "Atlas laterality was measured as 1.50° left"),
        ([turned("atlas_laterality", 1.25, "right")], "Atlas laterality was measured as 1.25° right"),
        ([turned("atlas_rotation", 0, "none")], "Atlas rotation was measured as 0.00°"),
    ],
)
def test_a_numeric_listing_is_held_against_its_angles(angles, against):
    said = says(*NUCCA, *angles)["listing_c1"]
    expected = f"The listing is L1.25 A0.50, but {against}. Which is right?" if against else "L1.25 A0.50 (NUCCA)"
    assert said == expected
    free = [{"code": "listing_system", "value": "other"}, NUCCA[1]]
    assert says(*free, *angles)["listing_c1"] == "L1.25 A0.50"
