"""A motion measured several times: the first three in a row that agree decide, and every try is kept."""

import pytest

from clinic.errors import RuleBroken
from evaluations import clusters, finding_paths, signing
from evaluations.entry import checking

ROTATION = {"code": "rom_left_rotation", "qualifiers": {"mode": "active"}}


def tried(*readings, **more):
    return {**ROTATION, "readings": list(readings), **more}


@pytest.mark.parametrize(
    ("readings", "value"),
    [
        ([40, 45, 50], 50),  # mean 45: each within 5 of it
        ([39, 45, 51], None),  # 6 from the mean of 45
        ([30, 60, 61, 62], 62),  # the first three do not agree, the next three do
        ([63, 70, 77], 77),  # mean 70: within a tenth
        ([62, 70, 78], None),
        ([45, 50, 55], 55),  # mean of just 50 goes by the tenth
        ([0, 0, 0], 0),
    ],
)
def test_the_value_is_the_largest_of_three_that_agree(readings, value):
    checked = checking.check(tried(*readings))

    assert checked.value == value
    assert checked.status == ("not_assessed" if value is None else "assessed")
    assert checked.readings == tuple(readings)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (tried(40, 121), "readings"),
        (tried(*[40] * 7), "readings"),
        (tried(40, "x"), "readings"),
        (tried(40, 40, 40, value=41), "value"),
        (tried(40, 40, value=40), "value"),
        ({"code": "heart_rate", "value": 60, "readings": [60, 60, 60]}, "readings"),
        ({**ROTATION, "value": 40, "readings": "40 40 40"}, "readings"),
    ],
)
def test_wrong_readings_name_their_field(given, field):
    with pytest.raises(checking.Wrong) as refused:
        checking.check(given)

    assert refused.value.field_name == field


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        ([], ""),
        ([40, 41], "2 of 3"),
        ([40, 41, 42], ""),
        ([10, 40, 80], "take another"),
        ([10, 40, 80, 10, 40, 80], "no valid value"),
    ],
)
def test_what_is_still_needed_is_said(readings, said):
    assert said in clusters.still_needed("rom_flexion", readings)
    assert bool(said) == bool(clusters.still_needed("rom_flexion", readings))


def test_tries_are_stored_signed_and_given_back(save, answered, chiro):
    answer = save(tried(58, 60, 59))

    found = answered.findings.get()
    assert (found.value, found.readings) == (60, [58, 60, 59])
    assert answer["kept"][0]["readings"] == [58, 60, 59]
    answered.refresh_from_db()
    before = signing.canonical(signing.sign(answered, by=chiro.user))
    assert "[58,60,59]" in before


def test_two_tries_are_kept_without_a_value(save, evaluation):
    answer = save(tried(58, 60))

    assert answer["warnings"] == {"findings.0.value": "2 of 3 readings."}
    assert [(f.status, f.value, f.readings) for f in evaluation.findings.all()] == [("not_assessed", None, [58, 60])]
    assert next(r for r in answer["results"] if r["code"] == "motion")["says"] == "unknown"


def test_the_chart_file_has_the_tries(sent):
    found = {"code": "rom_flexion", "qualifiers": {"mode": "active"}, "status": "assessed", "value": 50,
             "reason": "", "note": "", "readings": [48, 50, 49]}  # fmt: skip

    again = finding_paths.read_findings(finding_paths.write_findings([found]))

    assert again == [{**{k: v for k, v in found.items() if v != ""}}]


def test_a_later_save_replaces_the_tries(save, evaluation):
    save(tried(58, 60, 59))
    save({**ROTATION, "value": 44})

    assert [(f.value, f.readings) for f in evaluation.findings.all()] == [(44, None)]


def test_a_signed_evaluation_takes_no_further_tries(save, answered, chiro):
    signing.sign(answered, by=chiro.user)

    with pytest.raises(RuleBroken):
        save(tried(58, 60, 59), version=answered.version)
