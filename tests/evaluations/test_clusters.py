"""Bands, flags and clusters at both sides of every threshold, worked by hand from the reference."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluations import catalogue, clusters, listings
from evaluations.entry.checking import Checked
from evaluations.readings import Readings


def readings(*findings):
    """From (code, value, {place}) triples."""
    return Readings(Checked(code, "assessed", dict(place), value) for code, value, place in findings)


@pytest.mark.parametrize(
    ("systolic", "diastolic", "expected"),
    [
        (119, 79, "normal"), (120, 79, "elevated"), (129, 79, "elevated"), (130, 79, "stage_1"), (119, 80, "stage_1"),
        (139, 89, "stage_1"), (140, 89, "stage_2"), (139, 90, "stage_2"), (179, 119, "stage_2"), (180, 90, "crisis"),
        (150, 120, "crisis"), (None, 70, None), (110, None, None),
    ],
)  # fmt: skip
def test_blood_pressure_class(systolic, diastolic, expected):
    assert clusters.bp_class(systolic, diastolic) == expected


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [("50.0", "normal"), ("49.9", "mild"), ("45.0", "mild"), ("44.9", "moderate"), ("40.0", "moderate"),
     ("39.9", "marked"), (None, None)],
)  # fmt: skip
def test_craniovertebral_angle(degrees, expected):
    assert clusters.cva_band(degrees and Decimal(degrees)) == expected


@pytest.mark.parametrize(
    ("millimetres", "established", "expected"),
    [("5.9", False, False), ("6.0", False, True), ("2.9", True, False), ("3.0", True, True), ("0", True, False),
     (None, True, None)],
)  # fmt: skip
def test_leg_length(millimetres, established, expected):
    assert clusters.lli_flag(millimetres and Decimal(millimetres), established=established) is expected


@pytest.mark.parametrize(
    ("motion", "reduced_to", "increased_from"),
    [("flexion", 40, 60), ("extension", 50, 72), ("left_lateral_flexion", 35, 54), ("right_lateral_flexion", 35, 54),
     ("left_rotation", 70, 96), ("right_rotation", 70, 96)],
)  # fmt: skip
def test_motion_flags(motion, reduced_to, increased_from):
    assert clusters.motion_flag(motion, reduced_to) == "reduced"
    assert clusters.motion_flag(motion, reduced_to + 1) == "within"
    assert clusters.motion_flag(motion, increased_from - 1) == "within"
    assert clusters.motion_flag(motion, increased_from) == "increased"
    assert clusters.motion_flag(motion, None) is None
    assert clusters.motion_flag(motion, 0) == "reduced"


def test_motions_are_compared_side_by_side():
    found = clusters.asymmetric_motions(
        readings(
            ("rom_left_rotation", 80, {"mode": "active"}),
            ("rom_right_rotation", 70, {"mode": "active"}),
            ("rom_left_lateral_flexion", 45, {"mode": "active"}),
        )
    )
    assert found == {"rotation": True, "lateral_flexion": None}


@pytest.mark.parametrize(
    ("tries", "valid", "value"),
    [
        ([40, 45, 50], [40, 45, 50], 50),  # mean 45: each within 5
        ([40, 46, 50], [], None),  # mean 45.3: 40 is 5.3 away
        ([40, 46, 50, 49], [46, 50, 49], 50),  # only the later three agree
        ([45, 50, 55], [45, 50, 55], 55),  # mean 50: within 10 %
        ([44, 50, 56], [], None),  # mean 50: 6 is more than 10 %
        ([72, 80, 88], [72, 80, 88], 88),  # mean 80: exactly 10 %
        ([71, 80, 89], [], None),
        ([0, 0, 0], [0, 0, 0], 0),
        ([60, 60], [], None),
        ([10, 30, 50, 10, 30, 50, 51, 52], [], None),  # more than six tries are not looked at
    ],
)
def test_three_consecutive_readings_make_a_valid_set(tries, valid, value):
    assert clusters.valid_set(tries) == (valid, value)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (33, 33, (False, False)),
        (32, 40, (True, False)),
        (34, 44, (False, False)),  # 10 less is not more than 10
        (33, 44, (True, False)),
        (44, 33, (False, True)),
        (None, 40, (None, None)),
        (None, 32, (None, True)),
        (None, None, (None, None)),
        (0, 44, (True, False)),
    ],
)
def test_flexion_rotation_test(left, right, expected):
    assert tuple(clusters.frt_positive(left, right).values()) == expected


@pytest.mark.parametrize(
    ("score", "age", "expected"),
    [(5, 11, False), (6, 11, True), (4, 12, False), (5, 12, True), (4, 50, False), (5, 50, True), (3, 51, False),
     (4, 51, True), (None, 30, None)],
)  # fmt: skip
def test_beighton(score, age, expected):
    assert clusters.beighton_positive(score, age=age) is expected


@pytest.mark.parametrize(
    ("millimetres", "age", "expected"),
    [("3.0", 18, False), ("3.1", 18, True), ("5.0", 17, False), ("5.1", 17, True), (None, 40, None)],
)
def test_atlantodental_interval(millimetres, age, expected):
    assert clusters.adi_over_limit(millimetres and Decimal(millimetres), age=age) is expected


NORMAL_CORD = [
    ("gait", "normal", {}),
    *(("hoffmann", "negative", {"side": side}) for side in ("left", "right")),
    *(("inverted_supinator", "negative", {"side": side}) for side in ("left", "right")),
    *(("babinski", "flexor", {"side": side}) for side in ("left", "right")),
]


def test_cook_counts_age_from_46_and_three_kinds_of_gait():
    assert clusters.cook(readings(*NORMAL_CORD), age=45).count == 0
    assert clusters.cook(readings(*NORMAL_CORD), age=46).count == 1
    for gait, counts in (("spastic", 1), ("ataxic", 1), ("wide_based", 1), ("antalgic", 0), ("assisted", 0)):
        assert clusters.cook(readings(("gait", gait, {}), *NORMAL_CORD[1:]), age=20).count == counts


def test_cook_tells_what_is_unknown():
    found = clusters.cook(readings(*NORMAL_CORD[:3]), age=60)
    assert found.count == 1
    assert found.unknown == ["inverted_supinator", "babinski"]
    assert clusters.cook(readings(), age=60).count is None


@pytest.mark.parametrize(
    ("left", "right", "sign"),
    [
        ("negative", "negative", False),
        ("negative", "positive", True),
        ("negative", "not_assessable", False),
        ("negative", "refused", None),
        ("negative", "deferred_unsafe", None),
        ("negative", "not_assessed", None),
        ("negative", None, None),
        ("positive", None, True),
        ("not_assessable", "not_assessable", None),
        (None, None, None),
    ],
)
def test_a_sign_is_absent_only_where_no_side_is_left(left, right, sign):
    for one, other in ((left, right), (right, left)):
        sides = {"left": one, "right": other}
        rows = [
            Checked("hoffmann", "assessed", {"side": side}, said)
            if said in ("negative", "positive")
            else Checked("hoffmann", said, {"side": side}, reason="Said")
            for side, said in sides.items()
            if said
        ]
        found = clusters.cook(Readings(rows), age=40)
        assert found.items["hoffmann"] is sign
        assert (found.count is None) == ("negative" not in sides.values() and "positive" not in sides.values())


def test_a_sign_refused_for_both_sides_is_unknown():
    rows = [Checked("hoffmann", "refused", {}, reason="Declined"), Checked("gait", "assessed", {}, "normal")]
    found = clusters.cook(Readings(rows), age=40)
    assert found.items["hoffmann"] is None
    assert found.count == 0


@pytest.mark.parametrize(("degrees", "step"), [(0, "within"), (4, "within"), (5, "monitor"), (6, "monitor"),
                                               (7, "imaging"), (None, None)])  # fmt: skip
def test_trunk_rotation(degrees, step):
    assert clusters.trunk_rotation_step(degrees) == step


@pytest.mark.parametrize(("millimetres", "refer"), [("19.9", False), ("20.0", True), (None, None)])
def test_a_leg_that_is_far_shorter_is_referred(millimetres, refer):
    assert clusters.leg_length_to_refer(millimetres and Decimal(millimetres)) is refer


def test_a_no_is_complete_when_every_row_is_assessed_or_cannot_be():
    places = [(code, place) for code in ("seg_tenderness", "seg_pain") for place in catalogue.FINDINGS[code].places()]
    rows = [Checked(code, "assessed", place, 0) for code, place in places[:-1]]
    code, place = places[-1]
    assert clusters.part_is_complete(Readings(rows), "P") is False
    for status, complete in (("not_assessable", True), ("refused", False), ("not_assessed", False)):
        rest = Checked(code, status, place, reason="Said")
        assert clusters.part_is_complete(Readings([*rows, rest]), "P") is complete


def test_wainner_takes_the_rotation_to_the_same_side():
    found = readings(
        ("spurling", "positive", {"side": "left"}),
        ("ultt_median", "positive", {"side": "left"}),
        ("cervical_distraction", "positive", {}),
        ("rom_left_rotation", 59, {"mode": "active"}),
        ("rom_right_rotation", 60, {"mode": "active"}),
    )
    assert clusters.wainner(found, "left").count == 4
    assert clusters.wainner(found, "right").count == 1
    assert clusters.wainner(found, "right").unknown == ["spurling", "ultt_median"]
    assert clusters.wainner(readings(), "left").count is None


def test_part_needs_two_of_which_one_is_alignment_or_motion():
    tender = ("seg_tenderness", 1, {"segment": "C1", "side": "left"})
    tense = ("muscle_tone", -1, {"muscle": "scm", "side": "right"})
    stiff = ("seg_fixation", "mild", {"segment": "C1"})
    straight = ("listing_c1", "", {})
    moving = ("seg_fixation", "normal", {"segment": "C1"})
    assert clusters.part(readings(tender, tense, straight, moving), established=False) == {
        "P": True, "A": False, "R": False, "T": True, "sufficient": False,
    }  # fmt: skip
    assert clusters.part(readings(tender, stiff), established=False)["sufficient"] is True
    assert clusters.part(readings(tender, tense), established=False)["sufficient"] is None
    assert clusters.part(readings(), established=False) == dict.fromkeys(["P", "A", "R", "T", "sufficient"])


# --- properties over whole records

SWAPPED = {"left": "right", "right": "left"}


def swap(word):
    return "_".join(SWAPPED.get(part, part) for part in word.split("_"))


def mirrored(found: Checked, system) -> Checked:
    """The same finding of the mirrored patient."""
    value = found.value
    if found.code in listings.LEVELS:
        value = listings.mirror(value, system=system, level=listings.LEVELS[found.code])
    elif isinstance(value, list):
        value = [swap(one) for one in value]
    qualifiers = {name: swap(value) for name, value in found.qualifiers.items()}
    return Checked(swap(found.code), found.status, qualifiers, value, swap(found.direction))


def mirrored_result(result):
    if isinstance(result, dict):
        return {swap(name): mirrored_result(value) for name, value in result.items()}
    return result


_USED = (
    "bp_systolic", "bp_diastolic", "gait", "leg_length_inequality", "listing_c1", "listing_c2", "seg_tenderness",
    "seg_fixation", "seg_tone", "muscle_tone", "seg_edema", "frt", "hoffmann", "babinski", "inverted_supinator",
    "spurling", "ultt_median", "cervical_distraction", *(f"rom_{motion}" for motion in clusters.MOTIONS),
)  # fmt: skip
_LISTINGS = {"listing_c1": ("", "ASRP", "AIL", "AR"), "listing_c2": ("", "PRI-BL", "BR", "ESL", "PL")}


_PLACES = [(code, place) for code in _USED for place in catalogue.FINDINGS[code].places()]


@st.composite
def record(draw):
    """Some forty findings at places of their own."""
    chosen = draw(st.sets(st.integers(0, len(_PLACES) - 1), max_size=40))
    found = []
    for code, place in (_PLACES[n] for n in sorted(chosen)):
        entry = catalogue.FINDINGS[code]
        found.append(Checked(code, "assessed", place, draw(_value(entry)), _direction(draw, entry)))
    return found


def _value(entry):
    if entry.code in _LISTINGS:
        return st.sampled_from(_LISTINGS[entry.code])
    if entry.is_numeric:
        steps = int((entry.max - entry.min) / entry.step)
        return st.integers(0, steps).map(lambda n: entry.min + n * entry.step)
    if entry.kind == "yes_no":
        return st.booleans()
    return st.sampled_from(entry.choices or ("negative", "positive"))


def _direction(draw, entry):
    return draw(st.sampled_from(entry.directions)) if entry.directions else ""


def results(readings_):
    return {
        "bp_class": clusters.bp_classes(readings_),
        "rom": clusters.motion_flags(readings_),
        "asymmetric": clusters.asymmetric_motions(readings_),
        "frt": clusters.frt_positive(*readings_.sides("frt").values()),
        "part": clusters.part(readings_, established=False),
        "cook": clusters.cook(readings_, age=40).items,
        "wainner": {side: clusters.wainner(readings_, side).items for side in ("left", "right")},
    }


@given(record())
def test_a_mirrored_record_gives_mirrored_results(found):
    other = [mirrored(one, "palmer_hio") for one in found]
    assert results(Readings(other)) == mirrored_result(results(Readings(found)))


@given(record())
def test_results_rest_on_what_is_assessed_alone(found):
    refused = [Checked(one.code, "refused", one.qualifiers, reason="declined") for one in found]
    nothing = results(Readings([]))
    assert results(Readings(refused)) == nothing
    assert all(value in (None, False) for value in _leaves({**nothing, "cook": {}}))
    assert None in set(_leaves(nothing["part"]))


def _leaves(result):
    if isinstance(result, dict):
        return [leaf for value in result.values() for leaf in _leaves(value)]
    return [result]


@given(record(), st.data())
def test_taking_a_reading_away_never_turns_a_no_into_a_yes(found, data):
    """An answer may become unknown, or a yes may fall away with what it rested on; a no stays no or unknown."""
    if not found:
        return
    gone = data.draw(st.integers(0, len(found) - 1))
    fewer = found[:gone] + found[gone + 1 :]
    whole, rest = results(Readings(found)), results(Readings(fewer))
    # Of letters: where a yes has gone with its reading, "unknown whether it is enough" may become "not enough".
    enough, still_enough = whole["part"].pop("sufficient"), rest["part"].pop("sufficient")
    assert still_enough in {True: (True, False, None), False: (False, None), None: (False, None)}[enough]
    for before, after in zip(_leaves(whole), _leaves(rest), strict=True):
        if before is False:
            assert after in (False, None)
        if before is None:
            assert after is None
