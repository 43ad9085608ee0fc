"""What findings have to say to each other: a listing fits its system, a systolic pressure is above the diastolic.

Looked at with what was saved before, since one may come later than the other. Pure.
"""

from collections.abc import Iterable
from dataclasses import replace

from evaluations import listings
from evaluations.entry.checking import Checked
from evaluations.listings import WrongListing
from evaluations.readings import SIDES, HasReading


def settle(checked: list[Checked], stored: Iterable[HasReading]) -> tuple[list[Checked], dict[str, str]]:
    """The findings as they are to be kept, listings in one form, and the faults as {"3.value": sentence}."""
    values = {(row.code, _side(row)): row.value for row in [*stored, *checked] if row.code in _LOOKED_AT}
    settled, faults = _listings(checked, values)
    return settled, faults | _pressures(checked, values)


_LOOKED_AT = {"bp_systolic", "bp_diastolic", "listing_system", *listings.LEVELS}


def _side(row):
    return row.qualifiers.get("side", "")


def _pressures(checked, values):
    for side in SIDES:
        systolic, diastolic = values.get(("bp_systolic", side)), values.get(("bp_diastolic", side))
        sent = [
            n for n, one in enumerate(checked) if one.code in {"bp_systolic", "bp_diastolic"} and _side(one) == side
        ]
        if sent and systolic is not None and diastolic is not None and systolic <= diastolic:
            return {f"{sent[-1]}.value": "Systolic must be above diastolic."}
    return {}


def _listings(checked, values):
    system = values.get(("listing_system", ""))
    settled, faults = list(checked), {}
    positions = {one.code: position for position, one in enumerate(checked)}
    for code, level in listings.LEVELS.items():
        text = values.get((code, ""))
        if text is None or not {code, "listing_system"} & set(positions):
            continue
        try:
            kept = listings.normal(text, system=system, level=level)
        except WrongListing as wrong:
            named = code if code in positions else "listing_system"
            sentence = str(wrong) if named == code else f"The {level} listing is {text}. {wrong}"
            faults[f"{positions[named]}.value"] = sentence
            continue
        if code in positions:
            settled[positions[code]] = replace(settled[positions[code]], value=kept)
        elif kept != text:
            settled.append(Checked(code, "assessed", value=kept))
    return settled, faults
