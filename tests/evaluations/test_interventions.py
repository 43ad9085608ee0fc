import pytest

from evaluations import interventions
from evaluations.interventions import KNOWN, RESTRICTIONS, allowed, forbidding


@pytest.mark.parametrize(
    ("restriction", "forbidden"),
    [
        ("no_hvla", {"diversified"}),
        ("no_end_range_rotation", {"diversified", "slow_neck_rolls"}),
        ("instrument_only", {
            "nucca", "blair", "palmer_toggle_recoil", "knee_chest_toggle_recoil", "gonstead", "diversified",
            "thompson_drop", "mobilisation",
        }),
        ("no_manual_thrust", {
            "blair", "palmer_toggle_recoil", "knee_chest_toggle_recoil", "gonstead", "diversified",
        }),
        ("no_manual_neck_care", {
            "nucca", "atlas_orthogonal", "orthospinology", "blair", "palmer_toggle_recoil",
            "knee_chest_toggle_recoil", "gonstead", "diversified", "activator", "thompson_drop", "mobilisation",
            "soft_tissue", "trigger_point", "massage", "dry_needling", "traction",
        }),
        ("no_deep_pressure", {"trigger_point", "trigger_point_self", "dry_needling"}),
        ("no_xray", set()),
        ("guardian_present", set()),
    ],
)  # fmt: skip
def test_what_a_restriction_forbids(restriction, forbidden):
    assert {code for code in KNOWN if forbidding(code, [restriction])} == forbidden


def test_every_restriction_of_the_list_is_tried_above():
    assert len(RESTRICTIONS) == 8


def test_an_unknown_restriction_forbids_all_care_of_the_neck():
    assert forbidding("activator", ["something_new"]) == "something_new"
    assert forbidding("education", ["something_new"]) is None


def test_allowed_leaves_out_what_any_restriction_forbids():
    codes = [one.code for one in allowed(["no_hvla", "no_deep_pressure"])]

    assert codes == [
        c for c in KNOWN if c not in {"diversified", "trigger_point", "trigger_point_self", "dry_needling"}
    ]
    assert interventions.label_of("nucca") == "NUCCA, triceps-pull, side-lying"
    assert interventions.label_of("unlisted") == "unlisted"
    assert interventions.restriction_label("no_hvla") == "No high-velocity thrust (HVLA)"
    assert interventions.restriction_label("unlisted") == "unlisted"
