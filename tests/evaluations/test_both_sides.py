"""What is recorded for both sides at once, and what is told for one of them: never the two beside each other."""

import pytest

from clinic import chart_files
from clinic.errors import RuleBroken
from evaluations import finding_paths
from evaluations.safety import red_flags

BOTH = {"code": "hoffmann", "status": "refused", "reason": "Does not want it", "note": "Asked twice"}


def hoffmann(side, value):
    return {"code": "hoffmann", "qualifiers": {"side": side}, "value": value}


def recorded(evaluation):
    rows = evaluation.findings.filter(code="hoffmann").order_by("qualifier_key")
    return [(row.qualifier_key, row.status, row.value, row.reason, row.note) for row in rows]


REFUSED = ("refused", None, "Does not want it", "Asked twice")


def test_refused_for_both_takes_the_place_of_either_side(evaluation, save):
    save(hoffmann("left", "positive"))
    save(hoffmann("right", "negative"))

    save(BOTH)

    assert recorded(evaluation) == [("", *REFUSED)]


def test_a_positive_sign_keeps_its_flag_when_the_rest_is_refused(save, patient):
    save(hoffmann("left", "positive"))
    save(BOTH)

    assert [event.code for event in red_flags.open_events(patient)] == ["rf_myelopathy"]


@pytest.mark.parametrize(("side", "other"), [("left", "right"), ("right", "left")])
def test_one_side_told_after_both_were_refused_leaves_the_other_refused(evaluation, save, side, other):
    save(BOTH)

    answer = save(hoffmann(side, "positive"))

    assert recorded(evaluation) == sorted(
        [(f"side={side}", "assessed", "positive", "", ""), (f"side={other}", *REFUSED)]
    )
    assert [one["qualifiers"]["side"] for one in answer["kept"]] == [side, other]


def test_both_sides_told_after_both_were_refused(evaluation, save):
    save(BOTH)
    save(hoffmann("left", "negative"), hoffmann("right", "positive"))

    assert [row[:3] for row in recorded(evaluation)] == [
        ("side=left", "assessed", "negative"),
        ("side=right", "assessed", "positive"),
    ]


def test_other_places_are_left_alone(evaluation, save):
    def reflex(which, **more):
        return {"code": "reflex", "qualifiers": {"reflex": which, **more.pop("place", {})}, **more}

    save(reflex("triceps", status="refused", reason="Pain"), reflex("biceps", status="refused", reason="Pain"))
    save(reflex("biceps", place={"side": "left"}, value=2))

    keys = evaluation.findings.order_by("qualifier_key").values_list("qualifier_key", flat=True)
    assert list(keys) == ["reflex=biceps,side=left", "reflex=biceps,side=right", "reflex=triceps"]


@pytest.mark.parametrize("order", [1, -1])
def test_both_and_one_in_one_save_is_a_contradiction(evaluation, save, order):
    with pytest.raises(RuleBroken) as refused:
        save(*[BOTH, hoffmann("left", "positive")][::order])

    assert set(refused.value.fields) == {"findings.1.qualifiers"}
    assert not evaluation.findings.exists()


@pytest.mark.parametrize("first", [BOTH, hoffmann("left", "positive")])
def test_either_order_goes_out_and_in_again(answered, save, patient, first):
    second = hoffmann("left", "positive") if first is BOTH else BOTH
    save(first, version=answered.version)
    save(second)

    chart = chart_files.take_out(patient)
    again = chart_files.take_out(chart_files.bring_in(chart))

    assert again["baseline"]["evaluation"]["neuro"] == chart["baseline"]["evaluation"]["neuro"]


def test_contradictions_of_old_keep_the_side_that_was_examined():
    """Charts that were signed before may hold both; the sign of one side goes out, the rest with the other side."""
    left = {**hoffmann("left", "positive"), "status": "assessed", "reason": "", "note": ""}
    both = {**BOTH, "qualifiers": {}, "value": None}
    for findings in ([left, both], [both, left]):
        written = finding_paths.write_findings(findings)["neuro"]["hoffmann"]
        assert set(written) == {"left", "right"}
        assert written["left"]["value"] == "positive"
        assert written["right"]["status"] == "refused"
        assert not finding_paths.read_with_paths({"neuro": {"hoffmann": written}})[1]
