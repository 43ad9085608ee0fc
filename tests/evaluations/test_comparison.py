"""Better, worse, within error: by each finding's own direction and detectable change, at both sides of the limit."""

from decimal import Decimal

import pytest

from evaluations import comparison
from evaluations.checking import Checked
from evaluations.comparison import Taken
from evaluations.readings import Readings


def taken(*found, **outcomes):
    """From (code, value, {place}, direction) tuples."""
    rows = [
        Checked(code, "assessed", dict(place), value, rest[0] if rest else "") for code, value, place, *rest in found
    ]
    return Taken(Readings(rows), outcomes)


def line(before, now, last=None):
    lines = comparison.findings(before, last, now)
    return next(one for one in lines if one.code not in comparison.METHODS)


def verdict(code, before, now, place=None, directions=("", "")):
    return line(
        taken((code, before, place or {}, directions[0])), taken((code, now, place or {}, directions[1]))
    ).verdict


ACTIVE = {"mode": "active"}
C1 = {"segment": "C1", "side": "left"}


@pytest.mark.parametrize(
    ("code", "before", "now", "place", "said"),
    [
        ("rom_left_rotation", 60, 70, ACTIVE, "better"),
        ("rom_left_rotation", 60, 69, ACTIVE, "within error"),
        ("rom_left_rotation", 70, 60, ACTIVE, "worse"),
        ("rom_left_rotation", 60, 60, ACTIVE, "same"),
        ("frt", 30, 37, {"side": "left"}, "better"),
        ("frt", 30, 36, {"side": "left"}, "within error"),
        ("craniovertebral_angle", Decimal("45.0"), Decimal("50.0"), {}, "better"),
        ("craniovertebral_angle", Decimal("45.0"), Decimal("49.9"), {}, "within error"),
        ("seg_pain", 5, 3, C1, "better"),
        ("seg_pain", 5, 4, C1, "within error"),
        ("seg_tenderness", 1, 2, C1, "worse"),
        ("seg_tone", 1, -1, C1, "changed"),
        ("heart_rate", 60, 90, {}, "changed"),
        ("forward_head_distance", 40, 20, {}, "changed"),  # no published error: nothing is judged
        ("hoffmann", "positive", "negative", {"side": "left"}, "better"),
        ("hoffmann", "negative", "positive", {"side": "left"}, "worse"),
        ("gait", "antalgic", "assisted", {}, "changed"),
        ("gait", "antalgic", "normal", {}, "better"),
        ("myotome_strength", "4-", "4+", {"level": "C5", "side": "left"}, "better"),
        ("myotome_strength", "5", "4", {"level": "C5", "side": "left"}, "worse"),
        ("dermatome_light_touch", "1", "2", {"level": "C5", "side": "left"}, "better"),
        ("dermatome_light_touch", "2", "NT", {"level": "C5", "side": "left"}, "worse"),
        ("listing_c1", "ASR", "ASL", {}, "changed"),
        ("listing_c1", "", "ASL", {}, "changed"),
    ],
)
def test_verdict(code, before, now, place, said):
    assert verdict(code, before, now, place) == said


def test_a_missing_side_is_a_gap():
    one = line(taken(("frt", 30, {"side": "left"})), taken())
    assert (one.baseline, one.now, one.change, one.verdict) == (30, None, None, "")


def test_zero_is_a_value():
    one = line(taken(("seg_tenderness", 0, C1)), taken(("seg_tenderness", 0, C1)))
    assert (one.baseline, one.now, one.change, one.verdict) == (0, 0, 0, "same")


def test_a_change_of_side_is_a_change_and_is_judged_by_its_size():
    one = line(taken(("head_tilt", Decimal("3.0"), {}, "left")), taken(("head_tilt", Decimal("3.0"), {}, "right")))
    assert one.change == Decimal("6.0")
    assert one.verdict == "same"


def test_another_instrument_is_not_compared():
    before = taken(("rom_flexion", 30, ACTIVE), ("rom_instrument", "crom", {}))
    now = taken(("rom_flexion", 50, ACTIVE), ("rom_instrument", "goniometer", {}))
    assert line(before, now).verdict == "method changed"
    same = taken(("rom_flexion", 50, ACTIVE), ("rom_instrument", "crom", {}))
    assert line(before, same).verdict == "better"
    unnamed = taken(("rom_flexion", 50, ACTIVE))
    assert line(before, unnamed).verdict == "better"


def test_three_evaluations_make_one_line():
    before, last, now = (taken(("rom_flexion", n, ACTIVE)) for n in (30, 45, 50))
    one = line(before, now, last)
    assert (one.baseline, one.last, one.now, one.change) == (30, 45, 50, 20)


@pytest.mark.parametrize(
    ("outcomes", "later", "code", "change", "said"),
    [
        ({"hit6_total": 64}, {"hit6_total": 58}, "hit6_total", -6, "better"),
        ({"hit6_total": 64}, {"hit6_total": 59}, "hit6_total", -5, "within error"),
        ({"hit6_total": 58}, {"hit6_total": 64}, "hit6_total", 6, "worse"),
        ({"nprs_neck": 5}, {"nprs_neck": 3}, "nprs_neck", -2, "better"),
        ({"eq_vas": 60}, {"eq_vas": 68}, "eq_vas", 8, "better"),
        ({"eq_vas": 60}, {"eq_vas": 67}, "eq_vas", 7, "within error"),
        ({"ndi_items": [2] * 10}, {"ndi_items": [1] * 10}, "ndi_percent", Decimal("-20.0"), "better"),
        ({"midas_items": [4] * 5}, {"midas_items": [3] * 5}, "midas_total", -5, "better"),
        ({"midas_items": [4] * 5}, {"midas_items": [3, 3, 3, 3, None]}, "midas_total", None, ""),
    ],
)
def test_scores(outcomes, later, code, change, said):
    one = next(one for one in comparison.scores(taken(**outcomes), None, taken(**later)) if one.code == code)
    assert (one.change, one.verdict) == (change, said)


def test_a_score_nobody_took_makes_no_line():
    assert comparison.scores(taken(), None, taken()) == []


def test_a_trend_has_gaps():
    score = comparison.SCORES["hit6_total"]
    assert comparison.trend(score, [taken(hit6_total=60), taken(), taken(hit6_total=50)]) == [60, None, 50]
