"""Whether a finding as it was sent fits the catalogue. Plain values in, plain values out; no database.

Zero, an empty list and an empty listing are values. Numbers are Decimal from here on.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from django.core.exceptions import ValidationError

from clinic.text import clean_line, clean_note
from evaluations import catalogue, clusters
from evaluations.entry import both_sides, normals, units

STATUSES = ("assessed", "not_assessed", "refused", "not_assessable", "deferred_unsafe")
WITH_REASON = {"refused", "not_assessable", "deferred_unsafe"}
FIELDS = {"code", "qualifiers", "status", "value", "reason", "note", "direction", "readings"}
LONGEST_LISTING, LONGEST_REASON, LONGEST_NOTE, MOST_FINDINGS = 64, 500, 5000, 1000
_MISSING = object()


class Wrong(Exception):  # noqa: N818 -- reads as the sentence it is
    """One field of a finding is wrong."""

    def __init__(self, field_name, message):
        super().__init__(message)
        self.field_name = field_name
        self.message = message


@dataclass(frozen=True)
class Checked:
    """A finding that fits the catalogue."""

    code: str
    status: str
    qualifiers: dict[str, str] = field(default_factory=dict)
    value: object = None
    direction: str = ""
    reason: str = ""
    note: str = ""
    readings: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.code, catalogue.key_of(self.qualifiers)


def check_all(findings: list) -> tuple[list[Checked], dict[str, str]]:
    """The findings that fit, and the faults of the others as {"3.value": sentence}."""
    checked, faults, seen = [], {}, set()
    for position, raw in enumerate(findings):
        try:
            one = check(raw)
            if one.key in seen:
                raise Wrong("code", "This finding is given twice.")
            if not seen.isdisjoint(both_sides.replaced([one])):
                raise Wrong("qualifiers", "This finding is given for both sides and for one of them.")
        except Wrong as wrong:
            faults[f"{position}.{wrong.field_name}"] = wrong.message
        else:
            seen.add(one.key)
            checked.append(one)
    return checked, faults


def check(raw: object) -> Checked:
    """Raises Wrong with the name of the field and a sentence."""
    if not isinstance(raw, dict):
        raise Wrong("code", "Give an object with a code, a status and a value.")
    for name in raw:
        if name not in FIELDS:
            raise Wrong(str(name)[:60], "Unknown field.")
    code = raw.get("code")
    if not isinstance(code, str) or code not in catalogue.FINDINGS:
        raise Wrong("code", "There is no such finding.")
    entry = catalogue.FINDINGS[code]
    status = raw.get("status", "assessed")
    if not isinstance(status, str) or status not in STATUSES:
        raise Wrong("status", f"Give one of {', '.join(STATUSES)}.")
    reason = _text(raw, "reason", LONGEST_REASON, clean_line)
    if status in WITH_REASON and not reason.strip():
        raise Wrong("reason", "Say why it could not be assessed.")
    readings = _readings(entry, raw.get("readings"))
    if readings and status == "assessed":
        status, given = _settled(code, readings, raw.get("value"))
    else:
        given = raw.get("value")
    value = _value(entry, given, status)
    return Checked(
        code=code,
        status=status,
        qualifiers=_qualifiers(entry, raw.get("qualifiers"), status),
        value=value,
        direction=_direction(entry, raw.get("direction"), value),
        reason=reason,
        note=_text(raw, "note", LONGEST_NOTE, clean_note),
        readings=readings,
    )


def _readings(entry, given) -> tuple[int, ...]:
    """The tries of a motion or a pressure, each within its range."""
    if given in (None, []):
        return ()
    if not clusters.takes_readings(entry.code):
        raise Wrong("readings", "Only a motion or a blood pressure is measured several times.")
    if not isinstance(given, list) or len(given) > clusters.MOST_READINGS:
        raise Wrong("readings", f"Give a list of at most {clusters.MOST_READINGS} readings.")
    try:
        return tuple(int(_number(entry, one)) for one in given)
    except Wrong as wrong:
        raise Wrong("readings", wrong.message) from None


def _settled(code, readings, value):
    """The status and the value that the tries come to, or nothing yet."""
    come_to = clusters.settled(code, list(readings))
    if value not in (None, come_to):
        raise Wrong("value", f"The readings come to {'no value yet' if come_to is None else come_to}.")
    return ("assessed", come_to) if come_to is not None else ("not_assessed", None)


def _text(raw, name, longest, clean):
    text = raw.get(name)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise Wrong(name, "Give text.")
    if len(text) > longest:
        raise Wrong(name, f"At most {longest} characters.")
    try:
        clean(text)
    except ValidationError as error:
        raise Wrong(name, error.messages[0]) from None
    return text


def _qualifiers(entry, given, status):
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise Wrong("qualifiers", "Give an object of names and values.")
    for name, value in given.items():
        if name not in entry.allowed:
            raise Wrong("qualifiers", f"{entry.label} has no {str(name)[:40]}.")
        if not isinstance(value, str) or value not in entry.allowed[name]:
            raise Wrong("qualifiers", f"{name} is one of {', '.join(entry.allowed[name])}.")
    missing = set(entry.allowed) - set(given)
    if missing == {"side"} and status != "assessed":
        return dict(given)  # both sides at once: "refused" needs no left and right
    if missing:
        raise Wrong("qualifiers", f"{', '.join(sorted(missing))} is missing.")
    return dict(given)


def _value(entry, value, status):
    if status != "assessed":
        if value is not None:
            raise Wrong("value", "Only an assessed finding has a value.")
        return None
    if value is None:
        raise Wrong("value", "An assessed finding needs a value.")
    return _READ[entry.kind](entry, value)


def _number(entry, value):
    if isinstance(value, str) and len(value) <= LONGEST_LISTING:
        amount = units.converted(value, entry.unit, entry.step)
        if amount is not None:
            value = int(amount) if entry.kind == "integer" and amount == int(amount) else amount
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Wrong("value", "Give a number.")
    if isinstance(value, float) and entry.kind == "integer" and value.is_integer():
        value = int(value)  # JSON has one kind of number: 70.0 is 70
    if entry.kind == "integer" and not isinstance(value, int):
        raise Wrong("value", "Give a whole number.")
    # Compared before turning into text: an integer of ten thousand digits cannot be printed.
    if value != value or not entry.min <= value <= entry.max:
        raise Wrong("value", f"Give a number from {entry.min} to {normals.amount(entry, entry.max)}.")
    number = Decimal(str(value))
    if number % entry.step:
        raise Wrong("value", f"Give a number in steps of {entry.step}.")
    return number


def _choice(entry, value):
    if not isinstance(value, str) or value not in entry.choices:
        raise Wrong("value", f"Give one of {', '.join(entry.choices)}.")
    return value


def _choices(entry, value):
    if not isinstance(value, list) or not all(isinstance(v, str) and v in entry.choices for v in value):
        raise Wrong("value", f"Give a list of {', '.join(entry.choices)}.")
    if len(set(value)) < len(value):
        raise Wrong("value", "Give each choice once.")
    if "normal" in value and len(value) > 1:
        raise Wrong("value", "Normal stands alone.")
    if not value and entry.normal_value:  # nothing chosen says nothing where there is a word for normal
        raise Wrong("value", f"Give {', '.join(entry.normal_value)}, or what was found.")
    return list(value)


def _yes_no(entry, value):
    if not isinstance(value, bool):
        raise Wrong("value", "Give true or false.")
    return value


def _positive_negative(entry, value):
    if value not in ("negative", "positive"):
        raise Wrong("value", "Give negative or positive.")
    return value


def _listing(entry, value):
    return _text({"value": value}, "value", LONGEST_LISTING, clean_line)


_READ = {
    "integer": _number,
    "decimal": _number,
    "choice": _choice,
    "choices": _choices,
    "yes_no": _yes_no,
    "positive_negative": _positive_negative,
    "listing": _listing,
}


def _direction(entry, direction, value):
    if entry.side != "direction" or value is None:
        if direction not in (None, ""):
            raise Wrong("direction", "This finding has no direction.")
        return ""
    names = (*entry.directions, "none")
    if not isinstance(direction, str) or direction not in names:
        raise Wrong("direction", f"Give one of {', '.join(names)}.")
    if (value == 0) != (direction == "none"):
        raise Wrong("direction", "A value of 0 has the direction none, any other value a side.")
    return direction
