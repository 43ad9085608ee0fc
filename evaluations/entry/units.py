"""Lengths, weights and temperatures as people type them, in the unit of the field. Pure.

`1/4 in`, `3/8"`, `1-1/4 in`, `½"`, `.25 in`, `2 cm`, `5 ft 4 in`, `150 lb`, `98.6 F`. A fraction alone in a field of
millimetres is in inches, since nobody has quarters of a millimetre; `6,4` and `.5` are in the field's own unit. Any
other number alone is in that unit too and not for here.
"""

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

_TO = {
    "mm": {"in": Decimal("25.4"), "cm": Decimal(10), "mm": Decimal(1)},
    "cm": {"in": Decimal("2.54"), "ft": Decimal("30.48"), "m": Decimal(100), "mm": Decimal("0.1"), "cm": Decimal(1)},
    "kg": {"lb": Decimal("0.45359237"), "oz": Decimal("0.028349523125"), "kg": Decimal(1), "g": Decimal("0.001")},
}
_NAMES = {'"': "in", "″": "in", "”": "in", "’": "ft", "inch": "in", "inches": "in",
          "'": "ft", "′": "ft", "feet": "ft", "lbs": "lb", "pounds": "lb", "°f": "f", "°c": "c"}  # fmt: skip
_NUMBER = r"(?:(\d{1,4}) +)?(\d{1,4})/(\d{1,3})|(\d{1,5}(?:\.\d{1,4})?|\.\d{1,4})"
_AMOUNT = re.compile(rf"(-?)(?:{_NUMBER})\s*([a-z°\"'′″’”]+)\s*", re.IGNORECASE | re.ASCII)
_FRACTION = re.compile(r"(?:\d{1,4} +)?\d{1,4}/\d{1,3}", re.ASCII)
_OWN = re.compile(r"-?(?:\d{1,5},\d{1,2}|\.\d{1,4})", re.ASCII)
_GLYPH = "[¼-¾⅐-⅞]"


def converted(text: str, unit: str, step: Decimal) -> Decimal | None:
    """The amount in `unit`; None when the text is none of these. What was typed with a unit is rounded to `step`."""
    position, total = 0, Decimal(0)
    text = _spelled_out(text.strip())
    if not text:
        return None
    if _OWN.fullmatch(text):
        return Decimal(text.replace(",", "."))
    if unit == "mm" and _FRACTION.fullmatch(text):
        text = f"{text} in"
    text = re.sub(r"(?<=\d),(?=\d{1,2}(?!\d))", ".", text)
    while position < len(text):
        found = _AMOUNT.match(text, position)
        amount = _in(unit, found) if found else None
        if amount is None:
            return None
        total += amount
        position = found.end()
    return (total / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def _spelled_out(text: str) -> str:
    """`1½` and `1-1/2` as `1 1/2`."""
    text = re.sub(rf"(?<=\d)(?={_GLYPH})", " ", text)
    text = re.sub(_GLYPH, lambda found: unicodedata.normalize("NFKC", found[0]).replace("\u2044", "/"), text)
    return re.sub(r"(?<=\d)-(?=\d{1,4}/)", " ", text)


def _in(unit, found) -> Decimal | None:
    sign, whole, over, under, plain, typed = found.groups()
    if plain is not None:
        number = Decimal(plain)
    elif int(under) == 0:
        return None
    else:
        number = Decimal(whole or 0) + Decimal(over) / Decimal(under)
    number = -number if sign else number
    typed = _NAMES.get(typed.lower(), typed.lower())
    if unit == "Cel":
        return {"f": (number - 32) * 5 / 9, "c": number}.get(typed)
    factor = _TO.get(unit, {}).get(typed)
    return None if factor is None else number * factor
