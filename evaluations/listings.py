"""The grammars of atlas and axis listings (reference 2b; L14, L15, L17). Pure.

A listing belongs to its system: `ASRP` is Palmer, `L1.25 A0.50` is NUCCA. Where the system has no grammar for a level,
or none was chosen, the listing is free text.
"""

import re
from decimal import Decimal

from evaluations import catalogue
from evaluations.readings import Readings

LONGEST = 64
LEVELS = {"listing_c0": "C0", "listing_c1": "C1", "listing_c2": "C2"}
_PALMER = {"C1": r"A[SI]?[RL][AP]?", "C2": r"P[RL]?[SI]?(-B[RL])?|B[RL]|ES[RL]"}
_NUMERIC = {"C1": r"[RL](\d{1,2}(?:\.\d{1,2})?)(?: ?([AP])(\d{1,2}(?:\.\d{1,2})?))?"}
GRAMMARS = {
    "palmer_hio": _PALMER,
    "knee_chest": _PALMER,
    "gonstead": {"C1": r"A[SI][RL][AP]?", "C2": r"P[RL]?[SI]?(-(SP|LA|M|T))?"},
    "blair": {"C1": r"(AS|PI)[RL](/(AS|PI)[RL])?|DAS|DPI"},
    "nucca": _NUMERIC,
    "orthospinology": _NUMERIC,
    "atlas_orthogonal": _NUMERIC,
}
EXAMPLES = {
    ("palmer_hio", "C1"): "ASRP", ("palmer_hio", "C2"): "PRI-BL",
    ("knee_chest", "C1"): "ASRP", ("knee_chest", "C2"): "PRI-BL",
    ("gonstead", "C1"): "ASRA", ("gonstead", "C2"): "PRS-LA",
    ("blair", "C1"): "ASR/PIL",
    ("nucca", "C1"): "L1.25 A0.50", ("orthospinology", "C1"): "R2.00 P1.25", ("atlas_orthogonal", "C1"): "L0.75",
}  # fmt: skip
_STEP, _MOST_LATERALITY, _MOST_ROTATION = Decimal("0.25"), 10, 15
MADE_OF_EACH_OTHER = {"listing_system", "listing_c1", "atlas_laterality", "atlas_rotation"}
_SIDE, _TURN = {"L": "left", "R": "right"}, {"A": "anterior", "P": "posterior"}
_SWAP = str.maketrans("RL", "LR")


class WrongListing(Exception):  # noqa: N818 -- reads as the sentence it is
    """The text is no listing of its system; the message says what one looks like."""


def normal(text: str, *, system: str | None, level: str) -> str:
    """The listing as it is kept: trimmed, in capitals, without a leading `2C`, `AXIS` or `C2`; "" is no listing.

    `level` is C0, C1 or C2. Raises WrongListing.
    """
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise WrongListing(f"At most {LONGEST} characters.")
    grammar = GRAMMARS.get(system, {}).get(level)
    if not text or grammar is None:
        return text
    text = re.sub(r"^(2C|AXIS|C2)(?=.)[ -]?", "", text.upper())
    found = re.fullmatch(grammar, text)
    if not found:
        raise WrongListing(
            f"This is no {system.replace('_', ' ')} listing of {level}, such as {_example(system, level)}."
        )
    return _numeric(found) if GRAMMARS[system] is _NUMERIC else text


def _example(system, level):
    return EXAMPLES[system, level]


def _numeric(found: re.Match) -> str:
    laterality, toward, rotation = found.groups()
    parts = [found[0][0] + _degrees(laterality, _MOST_LATERALITY)]
    if toward:
        parts.append(toward + _degrees(rotation, _MOST_ROTATION))
    return " ".join(parts)


def angles(text: str) -> dict[str, tuple[Decimal, str]]:
    """What a numeric listing says, as the findings that measure it: {code: (degrees, direction)}."""
    found = re.fullmatch(_NUMERIC["C1"], text)
    if not found:
        return {}
    laterality, toward, rotation = found.groups()
    said = {"atlas_laterality": (laterality, _SIDE[found[0][0]])}
    if toward:
        said["atlas_rotation"] = (rotation, _TURN[toward])
    return {code: _measured(Decimal(degrees), direction) for code, (degrees, direction) in said.items()}


def _measured(degrees, direction) -> tuple[Decimal, str]:
    return degrees, direction if degrees else "none"


def contradiction(readings: Readings) -> str:
    """Which angles of the atlas were measured otherwise than its numeric listing says; empty when none."""
    text, system = readings.value("listing_c1"), readings.value("listing_system")
    if not text or GRAMMARS.get(system) is not _NUMERIC:
        return ""
    found = []
    for code, said in angles(text).items():
        measured = readings.value(code), readings.direction(code)
        if measured[0] is not None and measured != said:
            degrees = f"{measured[0]:.2f}° {measured[1]}".removesuffix(" none")
            found.append(f"{catalogue.FINDINGS[code].label} was measured as {degrees}")
    return f"The listing is {text}, but {' and '.join(found)}. Which is right?" if found else ""


def _degrees(text: str, most: int) -> str:
    degrees = Decimal(text)
    if degrees % _STEP or degrees > most:
        raise WrongListing(f"Give degrees in steps of {_STEP} up to {most}.")
    return f"{degrees:.2f}"


def mirror(text: str, *, system: str | None, level: str) -> str:
    """The listing of the mirrored patient: R and L change places in the letters, the contact stays. Free text stays."""
    if level not in GRAMMARS.get(system, {}):
        return text
    letters, dash, suffix = text.partition("-")
    return letters.translate(_SWAP) + dash + (suffix.translate(_SWAP) if suffix in {"BR", "BL"} else suffix)
