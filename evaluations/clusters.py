"""What several findings say together: bands, side comparisons, the clusters of the reference. Pure.

Every function answers None where an input that would decide is missing. Sources are the reference's (L…, K: common
clinical knowledge, C: our convention, to be shown to clinicians only).
"""

from dataclasses import dataclass
from decimal import Decimal

from clinic.unknowns import any_of
from evaluations import catalogue
from evaluations.readings import SIDES, Readings

ADULT = 18
MOTIONS = ("flexion", "extension", "left_lateral_flexion", "right_lateral_flexion", "left_rotation", "right_rotation")
# Degrees, AMA Guides 5th edition (K).
NORMAL_MOTION = {
    "flexion": 50, "extension": 60,
    "left_lateral_flexion": 45, "right_lateral_flexion": 45,
    "left_rotation": 80, "right_rotation": 80,
}  # fmt: skip
ROMBERG_SECONDS = 30
VALID_READINGS, MOST_READINGS = 3, 6
REPEAT_FROM = {"bp_systolic": 140, "bp_diastolic": 90}
REDUCED_BELOW_NORMAL, INCREASED_FACTOR, ASYMMETRY = 10, Decimal("1.2"), 10


# --- vitals and posture


def bp_class(systolic: int | None, diastolic: int | None) -> str | None:
    """ACC/AHA 2017 (K), from 180/120 on a crisis: normal, elevated, stage_1, stage_2, crisis."""
    if systolic is None or diastolic is None:
        return None
    for name, from_systolic, from_diastolic in (("crisis", 180, 120), ("stage_2", 140, 90), ("stage_1", 130, 80)):
        if systolic >= from_systolic or diastolic >= from_diastolic:
            return name
    return "elevated" if systolic >= 120 else "normal"


def bp_classes(readings: Readings) -> dict[str, str | None]:
    return {
        side: bp_class(readings.value("bp_systolic", side=side), readings.value("bp_diastolic", side=side))
        for side in SIDES
    }


def cva_band(degrees: Decimal | None) -> str | None:
    """Forward head by the craniovertebral angle: normal from 50, mild from 45, moderate from 40, else marked (C)."""
    if degrees is None:
        return None
    return next(
        (name for least, name in ((50, "normal"), (45, "mild"), (40, "moderate")) if degrees >= least), "marked"
    )


def lli_flag(millimetres: Decimal | None, *, established: bool) -> bool | None:
    """Leg-length inequality: 6 mm (1/4 in) or more at the first visit, 3 mm (1/8 in) once established (L16)."""
    return None if millimetres is None else millimetres >= (3 if established else 6)


def leg_length_to_refer(millimetres: Decimal | None) -> bool | None:
    """An anatomical inequality of 20 mm or more is for somebody else to look at (L16)."""
    return None if millimetres is None else millimetres >= 20


def trunk_rotation_step(degrees: int | None) -> str | None:
    """Scoliometer: from 5° on monitor, from 7° on consider imaging for scoliosis (K)."""
    if degrees is None:
        return None
    return "imaging" if degrees >= 7 else "monitor" if degrees >= 5 else "within"


# --- range of motion


def motion_flag(motion: str, degrees: int | None) -> str | None:
    """within, reduced (10° or more below the normal) or increased (1.2 times the normal or more) (K)."""
    if degrees is None:
        return None
    normal = NORMAL_MOTION[motion]
    if degrees <= normal - REDUCED_BELOW_NORMAL:
        return "reduced"
    return "increased" if degrees >= normal * INCREASED_FACTOR else "within"


def motion_flags(readings: Readings, mode: str = "active") -> dict[str, str | None]:
    return {motion: motion_flag(motion, readings.value(f"rom_{motion}", mode=mode)) for motion in MOTIONS}


def asymmetric_motions(readings: Readings, mode: str = "active") -> dict[str, bool | None]:
    """Left against right of each paired motion: a difference of 10° or more."""
    found = {}
    for pair in ("lateral_flexion", "rotation"):
        left, right = (readings.value(f"rom_{side}_{pair}", mode=mode) for side in SIDES)
        found[pair] = None if None in (left, right) else abs(left - right) >= ASYMMETRY
    return found


def is_motion(code: str) -> bool:
    """One of the six motions, which are measured up to six times."""
    return code.startswith("rom_") and code.removeprefix("rom_") in NORMAL_MOTION


def takes_readings(code: str) -> bool:
    """Measured several times: the motions by their method, a pressure because a high one is repeated."""
    return is_motion(code) or code in REPEAT_FROM


def to_repeat(code: str, value: int | None, tries: list[int] | None) -> str:
    """What is asked of a pressure from 140/90 on that was measured once (K); empty otherwise."""
    if code not in REPEAT_FROM or value is None or value < REPEAT_FROM[code] or len(tries or ()) > 1:
        return ""
    return f"{REPEAT_FROM[code]} or more: repeat after 5 min and type both, as in {value} {value - 8}."


def pressures_to_repeat(readings: Readings) -> list[str]:
    """The sides on which a pressure from 140/90 on was not repeated yet."""
    return [
        side
        for side in SIDES
        if any(
            to_repeat(code, readings.value(code, side=side), readings.tries(code, side=side)) for code in REPEAT_FROM
        )
    ]


def still_needed(code: str, tries: list[int]) -> str:
    """What is to be done before these readings come to a value; empty when they do, or when there are none."""
    if not tries or settled(code, tries) is not None:
        return ""
    if len(tries) < VALID_READINGS:
        return f"{len(tries)} of {VALID_READINGS} readings."
    if len(tries) < MOST_READINGS:
        return f"No three in a row agree yet; take another ({len(tries)} of at most {MOST_READINGS})."
    return f"No three in a row of {MOST_READINGS} agree: there is no valid value. Begin again, or say why not."


def settled(code: str, tries: list[int]) -> int | None:
    """What the readings come to: of a motion by `valid_set`, of a pressure the one that was taken last."""
    return valid_set(tries)[1] if is_motion(code) else tries[-1]


def valid_set(tries: list[int]) -> tuple[list[int], int | None]:
    """The first three consecutive of up to six readings that agree, and their largest; ([], None) if none do.

    They agree within 5° of their mean when it is below 50°, else within 10 % of it (AMA inclinometer method, K).
    """
    for first in range(min(len(tries), MOST_READINGS) - 2):
        three = tries[first : first + 3]
        total = sum(three)
        # Compared times three and times thirty, so that the mean is never rounded.
        if total < 150:
            agree = all(abs(3 * one - total) <= 15 for one in three)
        else:
            agree = all(abs(30 * one - 10 * total) <= total for one in three)
        if agree:
            return three, max(three)
    return [], None


def frt_positive(left: int | None, right: int | None) -> dict[str, bool | None]:
    """Flexion-rotation test, side by side: 32° or less, or more than 10° less than the other side (L9, L10, K)."""

    def side(own, other):
        if own is None:
            return None
        if own <= 32:
            return True
        return None if other is None else other - own > 10

    return {"left": side(left, right), "right": side(right, left)}


def romberg_positive(closed: int | None, open_: int | None) -> bool | None:
    """Eyes closed for less than 30 s, where they held the 30 s open; who sways with open eyes is not told by it (K)."""
    if closed is None:
        return None
    if closed >= ROMBERG_SECONDS:
        return False
    return True if open_ is not None and open_ >= ROMBERG_SECONDS else None


def beighton_positive(score: int | None, *, age: int) -> bool | None:
    """From 6 of 9 before puberty (taken as 12), from 5 up to 50, from 4 after (L41)."""
    if score is None:
        return None
    return score >= (6 if age < 12 else 5 if age <= 50 else 4)


def adi_over_limit(millimetres: Decimal | None, *, age: int) -> bool | None:
    """Atlantodental interval above 3 mm, under 18 above 5 mm (L36)."""
    return None if millimetres is None else millimetres > (5 if age < ADULT else 3)


# --- clusters


def _sign(readings: Readings, code: str, positive: str) -> bool | None:
    """A sign of either side; absent only where no side is left to be looked at: one may be impossible to assess."""
    values = readings.sides(code)
    if positive in values.values():
        return True
    looked_at = [side for side, value in values.items() if value is not None]
    open_ = [side for side in SIDES if side not in looked_at and readings.status(code, side=side) != "not_assessable"]
    return False if looked_at and not open_ else None


@dataclass(frozen=True)
class Cluster:
    """So many of the items are present, and some may be unknown: "1 of 4, 1 unknown"."""

    items: dict[str, bool | None]
    is_examined: bool

    @property
    def unknown(self) -> list[str]:
        return [name for name, present in self.items.items() if present is None]

    @property
    def count(self) -> int | None:
        """How many are there; None when nothing was examined (age alone is no examination)."""
        return list(self.items.values()).count(True) if self.is_examined else None


GAIT_DEVIATIONS = {"spastic", "ataxic", "wide_based"}  # antalgic and prosthetic gait do not count


def cook(readings: Readings, *, age: int) -> Cluster:
    """Cervical myelopathy: 3 or more of 5 LR+ 30.9, 1 or none LR- 0.18 (L39, numbers K)."""
    gait = readings.value("gait")
    return Cluster(
        {
            "gait": None if gait is None else gait in GAIT_DEVIATIONS,
            "hoffmann": _sign(readings, "hoffmann", "positive"),
            "inverted_supinator": _sign(readings, "inverted_supinator", "positive"),
            "babinski": _sign(readings, "babinski", "extensor"),
            "over_45": age > 45,
        },
        is_examined=any(readings.all(code) for code in ("gait", "hoffmann", "inverted_supinator", "babinski")),
    )


def wainner(readings: Readings, side: str) -> Cluster:
    """Cervical radiculopathy of one side: 4 of 4 LR+ 30.3 (L38), 3 of 4 LR+ 6.1 (K)."""

    def positive(value):
        return None if value is None else value == "positive"

    rotation = readings.value(f"rom_{side}_rotation", mode="active")
    items = {
        "spurling": positive(readings.value("spurling", side=side)),
        "distraction_relief": positive(readings.value("cervical_distraction")),
        "ultt_median": positive(readings.value("ultt_median", side=side)),
        "rotation_below_60": None if rotation is None else rotation < 60,
    }
    return Cluster(items, is_examined=set(items.values()) != {None})


_TECHNIQUE_ANGLES = (
    "atlas_laterality", "atlas_rotation", "lower_angle", "head_tilt_radiographic", "axis_spinous_deviation",
    "odontoid_deviation",
)  # fmt: skip


def part(readings: Readings, *, established: bool) -> dict[str, bool | None]:
    """P.A.R.T., the Medicare documentation check (L29): at least two of four, one of them A or R. Not a diagnosis.

    Looks at what was assessed and ignores the rest (reference 0.1); a letter is None when nothing of it was. Whether a
    "no" may still become a yes is said by `part_is_complete`.
    """
    seen = part_evidence(readings, established=established)
    letters = {letter: any_of([speaks for *_, speaks in rows]) for letter, rows in seen.items()}
    return {**letters, "sufficient": _sufficient(letters)}


def part_evidence(readings: Readings, *, established: bool) -> dict[str, list[tuple[str, dict[str, str], bool]]]:
    """What was looked at for each letter: code, place, and whether it speaks for it."""

    def seen(codes, speaks):
        return [(code, place, speaks(value)) for code in codes for place, value in readings.all(code)]

    def is_there(value):
        return value > 0

    return {
        "P": seen(("seg_tenderness", "seg_pain"), is_there),
        "A": [
            *seen(("listing_c0", "listing_c1", "listing_c2"), bool),
            *seen(_TECHNIQUE_ANGLES, is_there),
            *seen(("leg_length_inequality",), lambda value: lli_flag(value, established=established)),
        ],
        "R": [
            *(
                (f"rom_{motion}", {"mode": "active"}, flag == "reduced")
                for motion, flag in motion_flags(readings).items()
                if flag
            ),
            *seen(("seg_fixation",), lambda value: value != "normal"),
        ],
        "T": [*seen(("seg_tone", "muscle_tone"), lambda value: value != 0), *seen(("seg_edema",), bool)],
    }


# What is asked for of each letter; whatever else was looked at counts too.
PART_ROWS = {
    "P": ("seg_tenderness", "seg_pain"),
    "A": ("listing_c0", "listing_c1", "listing_c2", "leg_length_inequality"),  # films are not asked for
    "R": (*(f"rom_{motion}" for motion in MOTIONS), "seg_fixation"),
    "T": ("seg_tone", "muscle_tone", "seg_edema"),
}


def part_is_complete(readings: Readings, letter: str) -> bool:
    """Whether nothing that could still make the letter a yes is left: every row is assessed or cannot be."""
    return all(
        readings.status(code, **place) in {"assessed", "not_assessable"}
        for code in PART_ROWS[letter]
        for place in catalogue.FINDINGS[code].places()
        if place.get("mode") != "passive"
    )


def _sufficient(letters: dict[str, bool | None]) -> bool | None:
    def enough(with_unknown_as):
        yes = {name for name, answer in letters.items() if (with_unknown_as if answer is None else answer)}
        return len(yes) >= 2 and bool(yes & {"A", "R"})

    least, most = enough(with_unknown_as=False), enough(with_unknown_as=True)
    return least if least == most else None
