"""Lengths, weights and temperatures as people type them, in the unit of the field. Pure.

`1/4 in`, `3/8"`, `2 cm`, `5 ft 4 in`, `150 lb`, `98.6 F`: a number alone is in the field's own unit and not for here.
"""

import re
from decimal import ROUND_HALF_UP, Decimal

_TO = {
    "mm": {"in": Decimal("25.4"), "cm": Decimal(10), "mm": Decimal(1)},
    "cm": {"in": Decimal("2.54"), "ft": Decimal("30.48"), "m": Decimal(100), "mm": Decimal("0.1"), "cm": Decimal(1)},
    "kg": {"lb": Decimal("0.45359237"), "oz": Decimal("0.028349523125"), "kg": Decimal(1), "g": Decimal("0.001")},
}
_NAMES = {'"': "in", "″": "in", "inch": "in", "inches": "in", "'": "ft", "′": "ft", "feet": "ft", "lbs": "lb",
          "pounds": "lb", "°f": "f", "°c": "c"}  # fmt: skip
_NUMBER = r"(?:(\d{1,4}) +)?(\d{1,4})/(\d{1,3})|(\d{1,5}(?:\.\d{1,4})?)"
_AMOUNT = re.compile(rf"(-?)(?:{_NUMBER})\s*([a-z°\"'′″]+)\s*", re.IGNORECASE)


def converted(text: str, unit: str, step: Decimal) -> Decimal | None:
    """The amount in `unit`, rounded to `step`; None when the text is no amount with a unit of the same kind."""
    position, total = 0, Decimal(0)
    text = text.strip()
    if not text:
        return None
    while position < len(text):
        found = _AMOUNT.match(text, position)
        amount = _in(unit, found) if found else None
        if amount is None:
            return None
        total += amount
        position = found.end()
    return (total / step).quantize(Decimal(1), ROUND_HALF_UP) * step


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
