"""Better, worse, within error: by each finding's own direction and detectable change, at both sides of the limit."""

from decimal import Decimal

import pytest

from evaluations import comparison, measures, scoring
from evaluations.comparison import Taken
from evaluations.entry.checking import Checked
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
        ("dermatome_light_touch", "2", "1", {"level": "C5", "side": "left"}, "worse"),
        ("dermatome_light_touch", "2", "NT", {"level": "C5", "side": "left"}, ""),
        ("dermatome_pin_prick", "NT", "2", {"level": "C5", "side": "left"}, ""),
        ("myotome_strength", "NT", "5", {"level": "C5", "side": "left"}, ""),
        ("myotome_strength", "NT", "NT", {"level": "C5", "side": "left"}, ""),
        ("imaging_modality", "none", "xray", {}, "changed"),
        ("imaging_modality", "xray", "none", {}, "changed"),
        ("thermography_pattern", "persistent", "adapting", {}, "changed"),
        ("leg_change_head_rotation_left", "no_change", "shortens", {}, "changed"),
        ("leg_change_head_rotation_right", "shortens", "no_change", {}, "changed"),
        ("seg_fixation", "mild", "marked", {"segment": "C1"}, "worse"),
        ("seg_fixation", "marked", "moderate", {"segment": "C1"}, "better"),
        ("seg_fixation", "moderate", "normal", {"segment": "C1"}, "better"),
        ("seg_fixation", "normal", "mild", {"segment": "C1"}, "worse"),
        ("seg_fixation", "marked", "hypermobile", {"segment": "C1"}, "changed"),
        ("seg_fixation", "hypermobile", "normal", {"segment": "C1"}, "better"),
        ("grip_release_10s", 20, 21, {"side": "left"}, "changed"),  # one count is no detectable change
        ("tandem_gait_errors", 1, 0, {}, "changed"),
        ("ankle_clonus_beats", 3, 2, {"side": "left"}, "changed"),
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


@pytest.mark.parametrize(
    ("code", "before", "now", "change", "said"),
    [
        ("head_tilt", ("3.0", "left"), ("3.0", "right"), "6.0", "changed"),
        ("head_tilt", ("5.0", "right"), ("5.0", "left"), "-10.0", "changed"),
        ("atlas_rotation", ("2.00", "anterior"), ("2.00", "posterior"), "4.00", "changed"),
        ("head_tilt", ("3.0", "left"), ("3.0", "left"), "0.0", "same"),
        ("head_tilt", ("0.0", "none"), ("0.0", "none"), "0.0", "same"),
        ("head_tilt", ("3.0", "left"), ("2.9", "left"), "0.1", "changed"),
    ],
)
def test_a_change_of_side_is_a_change(code, before, now, change, said):
    one = line(*(taken((code, Decimal(size), {}, side)) for size, side in (before, now)))
    assert (one.change, one.verdict) == (Decimal(change), said)


def test_another_instrument_is_not_compared():
    before = taken(("rom_flexion", 30, ACTIVE), ("rom_instrument", "crom", {}))
    now = taken(("rom_flexion", 50, ACTIVE), ("rom_instrument", "goniometer", {}))
    assert line(before, now).verdict == "method changed"
    same = taken(("rom_flexion", 50, ACTIVE), ("rom_instrument", "crom", {}))
    assert line(before, same).verdict == "better"


def test_an_instrument_that_only_one_of_the_two_names_is_not_compared_either():
    named = taken(("rom_flexion", 30, ACTIVE), ("rom_instrument", "crom", {}))
    unnamed = taken(("rom_flexion", 50, ACTIVE))
    for before, now in ((named, unnamed), (unnamed, named)):
        assert (line(before, now).change, line(before, now).verdict) == (None, "method unknown")
    assert line(taken(("rom_flexion", 30, ACTIVE)), unnamed).verdict == "better"


@pytest.mark.parametrize(
    ("found", "method", "other"),
    [
        (("listing_c1", "ASR", {}), ("listing_system", "palmer_hio", {}), ("listing_system", "nucca", {})),
        (
            ("weight_bearing", Decimal("40.0"), {"side": "left"}),
            ("posture_position", "standing", {}),
            ("posture_position", "sitting", {}),
        ),
    ],
)
def test_listings_and_loads_have_their_method_too(found, method, other):
    assert line(taken(found, method), taken(found, other)).verdict == "method changed"
    assert line(taken(found, method), taken(found, method)).verdict == "same"


@pytest.mark.parametrize(
    ("found", "later", "method", "other", "said"),
    [
        (("frt", 26, {"side": "left"}), 40, "crom", "goniometer", "method changed"),
        (("rom_pain", 6, {"mode": "active", "motion": "flexion"}), 1, "crom", "goniometer", "better"),
        (("deep_neck_flexor_endurance", 24, {}), 40, "crom", "goniometer", "changed"),
        (("beighton_score", 3, {}), 3, "crom", "goniometer", "same"),
        (("leg_length_inequality", 6, {}), 3, "supine", "prone", "method changed"),
        (("leg_change_head_rotation_left", "shortens", {}), "no_change", "supine", "prone", "method changed"),
        (("thermography_delta", 1, {}), 0, "supine", "prone", "changed"),
        (("thermography_pattern", "persistent", {}), "adapting", "supine", "prone", "changed"),
    ],
)
def test_a_method_is_of_what_is_measured_with_it(found, later, method, other, said):
    code, value, place = found
    how = "rom_instrument" if method == "crom" else "leg_check_position"
    before, now = taken((code, value, place), (how, method, {})), taken((code, later, place), (how, other, {}))
    assert line(before, now).verdict == said
    unnamed = line(before, taken((code, later, place))).verdict
    assert unnamed == ("method unknown" if said == "method changed" else said)


def test_two_scales_of_reflexes_are_never_mixed_and_the_usual_one_goes_without_saying():
    place = {"reflex": "biceps", "side": "left"}
    unsaid, usual, other = (
        taken(("reflex", Decimal(2), place), *scale)
        for scale in ([], [("reflex_scale", "clinic_0_4", {})], [("reflex_scale", "ninds", {})])
    )
    assert line(unsaid, usual).verdict == line(usual, unsaid).verdict == "same"
    assert line(unsaid, other).verdict == line(usual, other).verdict == "method changed"
    assert line(other, other).verdict == "same"


def test_a_reinforced_reflex_is_not_compared_with_one_that_was_not():
    place, elsewhere = ({"reflex": "biceps", "side": side} for side in ("left", "right"))

    def reflex(grade, *said):
        return taken(("reflex", Decimal(grade), place), *(("reflex_reinforced", yes, at) for yes, at in said))

    plain, denied = reflex(1), reflex(1, (False, place))
    helped, other_side = reflex(2, (True, place)), reflex(2, (True, elsewhere))
    for before, now in ((plain, helped), (denied, helped), (helped, plain), (helped, denied)):
        assert (line(before, now).change, line(before, now).verdict) == (None, "method changed")
    assert line(plain, reflex(2)).verdict == line(denied, reflex(2)).verdict == line(plain, other_side).verdict != ""
    assert line(plain, other_side).change == line(helped, reflex(3, (True, place))).change == 1
    assert line(plain, reflex(1), helped).is_last_comparable is False


def test_a_last_value_taken_in_another_way_says_so():
    crom, by_eye = ("rom_instrument", "crom", {}), ("rom_instrument", "visual_estimate", {})
    before, now = taken(("rom_flexion", 30, ACTIVE), crom), taken(("rom_flexion", 50, ACTIVE), crom)
    other = taken(("rom_flexion", 40, ACTIVE), by_eye)
    same = taken(("rom_flexion", 40, ACTIVE), crom)
    assert line(before, now, other).is_last_comparable is False
    assert line(before, now, same).is_last_comparable is True
    assert line(before, now, other).verdict == "better"  # against the baseline, which was measured as now


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


@pytest.mark.parametrize(
    ("before", "now", "change", "said"),
    [
        (10, 9, -1, "within error"),
        (10, 6, -4, "within error"),
        (10, 5, -5, "better"),
        (9, 5, -4, "within error"),  # 44 %
        (10, 12, 2, "within error"),
        (10, 13, 3, "worse"),
        (10, 10, 0, "same"),
        (0, 1, 1, "worse"),
        (0, 0, 0, "same"),
        (None, 3, None, ""),
    ],
)
@pytest.mark.parametrize("code", ["headache_days_28", "migraine_days_28", "acute_med_days_28"])
def test_counted_days_are_judged_by_their_share(code, before, now, change, said):
    [one] = comparison.scores(taken(**{code: before}), None, taken(**{code: now}))
    assert (one.change, one.verdict) == (change, said)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("recall", "diary", "method changed"),
        ("recall", None, "method unknown"),
        (None, "diary", "method unknown"),
        ("diary", "diary", "better"),
        (None, None, "better"),
    ],
)
def test_recall_and_diary_are_never_mixed(before, now, said):
    def counted(days, origin):
        return taken(headache_days_28=days, **({"counts_origin": origin} if origin else {}))

    [one] = comparison.scores(counted(10, before), counted(6, "paper"), counted(4, now))
    assert one.verdict == said
    assert (one.change is None) == (said != "better")
    assert one.is_last_comparable is False  # counted on paper, or nobody said how


def test_a_score_nobody_took_makes_no_line():
    assert comparison.scores(taken(), None, taken()) == []


def test_a_trend_has_gaps():
    score = comparison.SCORES["hit6_total"]
    assert comparison.trend(score, [taken(hit6_total=60), taken(), taken(hit6_total=50)]) == [60, None, 50]


def test_a_score_has_its_range_and_its_meaningful_change_from_where_they_are_told():
    for code, score in comparison.SCORES.items():
        if code in measures.MEASURES:
            assert (score.least, score.most) == (measures.MEASURES[code].least, measures.MEASURES[code].most)
        assert score.mic == scoring.MEANINGFUL.get(code, 1)
    assert {*scoring.MEANINGFUL} == {*comparison.SCORES} - comparison.DAYS
