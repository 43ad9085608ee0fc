"""What the page says while it is filled in: the rules' own words, and unknown where an input is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluations import catalogue, results
from evaluations.checking import check
from evaluations.normals import Who
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

    assert found["bp"] == f"left {words}, right unknown"


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


def test_motion_names_what_is_reduced_and_what_is_unknown():
    found = says(at("rom_flexion", 40, mode="active"), at("rom_extension", 60, mode="active"))

    assert found["motion"] == "reduced: flexion; 4 unknown"


def test_a_listing_is_said_with_its_system():
    found = says(at("listing_system", "palmer_hio"), at("listing_c1", "ASRP"), at("listing_c2", ""))

    assert (found["listing_c1"], found["listing_c2"], found["listing_c0"]) == (
        "ASRP (palmer hio)",
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
