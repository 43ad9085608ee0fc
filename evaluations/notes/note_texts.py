"""The values of a visit note as people read and type them. Pure.

Places of the spine are typed short: `C1L C2R`; what was found there `C1L t2 m1 h, C2R t1 fmoderate` (t tenderness, m
muscle tone, h headache reproduced or h- not, f joint play).
"""

import re
from collections.abc import Mapping

from evaluations import catalogue
from evaluations.entry.checking import Wrong
from evaluations.notes.note_fields import ANSWERS, FIELDS, SAFETY, Field

YES_NO = {"yes": True, "no": False}
PLAYS = catalogue.FINDINGS["seg_fixation"].choices
_PLACE = re.compile(r"([CT]\d)\s*(L|R|LEFT|RIGHT)", re.IGNORECASE)
_SIDES = {"l": "left", "r": "right"}


def read(field: Field, text: str):
    """The value that was typed, None for nothing; a number that is none stays text, for the rule to name it.

    Raises Wrong.
    """
    text = text.strip() if field.kind != "note" else text.replace("\r\n", "\n").strip()
    if not text:
        return None
    match field.kind:
        case "pain" | "days" | "degrees":
            return int(text) if len(text) < 6 and text.isascii() and text.isdigit() else text
        case "number":
            return float(text) if re.fullmatch(r"\d{1,4}(\.\d{1,3})?", text, re.ASCII) else text
        case "yes_no":
            return YES_NO.get(text, text)
        case "places":
            return places(text)
        case "findings":
            return findings(text)
    return text


def places(text: str) -> list[str]:
    return [_place(word) for word in re.split(r"[\s,;]+", text) if word]


def _place(word: str) -> str:
    found = _PLACE.fullmatch(word)
    if not found:
        raise Wrong("", f"“{word[:20]}” is no place: type C1L or C2R.")
    return f"{found[1].upper()} {_SIDES[found[2][0].lower()]}"


def findings(text: str) -> list[dict]:
    found = []
    for one in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
        at, *marks = one.split()
        entry = {"at": _place(at)}
        for mark in marks:
            entry |= _mark(mark.lower())
        found.append(entry)
    return found


def _mark(mark: str) -> dict:
    if number := re.fullmatch(r"([tm])(-?\d)", mark, re.ASCII):
        return {{"t": "tenderness", "m": "tone"}[number[1]]: int(number[2])}
    if mark in {"h", "h-"}:
        return {"headache": mark == "h"}
    meant = [play for play in PLAYS if mark[:1] == "f" and len(mark) > 2 and play.startswith(mark[1:])]
    if len(meant) != 1:
        raise Wrong("", f"“{mark[:20]}” is not understood: type t0–t4, m-1–m3, h or h-, f with {', '.join(PLAYS)}.")
    return {"play": meant[0]}


def typed(field: Field, value) -> str:
    """The value as it would be typed; `read` gives it back."""
    if value is None:
        return ""
    match field.kind:
        case "yes_no":
            return "yes" if value else "no"
        case "places":
            return " ".join(_short(one) for one in value)
        case "findings":
            return ", ".join(_finding_short(one) for one in value)
        case "codes":
            return ",".join(value)
        case "number":
            return f"{value:g}"
    return str(value)


def _short(place: str) -> str:
    segment, side = place.split()
    return f"{segment}{side[0].upper()}"


def _finding_short(one: Mapping) -> str:
    marks = [
        f"t{one['tenderness']}" if "tenderness" in one else "",
        f"m{one['tone']}" if "tone" in one else "",
        {True: "h", False: "h-"}.get(one.get("headache"), ""),
        f"f{one['play']}" if "play" in one else "",
    ]
    return " ".join([_short(one["at"]), *filter(None, marks)])


def in_words(field: Field, value) -> str:
    """The value for a reader who does not know the codes; empty for nothing."""
    if value is None:
        return ""
    match field.kind:
        case "choice":
            return field.choices[value]
        case "yes_no":
            return "Yes" if value else "No"
        case "codes":
            return ", ".join(field.choices[one] for one in value) or "none"
        case "places":
            return ", ".join(value) or "none"
        case "findings":
            return "; ".join(_finding(one) for one in value) or "none"
        case "answers":
            return _answers(value)
    unit = f" {field.unit}" if field.unit in {"mm", "days"} else "°" if field.unit == "°" else ""
    return f"{typed(field, value)}{unit}"


def _finding(one: Mapping) -> str:
    said = {
        "tenderness": "tenderness {}", "tone": "tone {}", "headache": "reproduces the headache: {}",
        "play": "joint play {}",
    }  # fmt: skip
    parts = [text.format(_word(one[name])) for name, text in said.items() if name in one]
    return f"{one['at']}: {', '.join(parts)}"


def _word(value) -> str:
    """A yes or no in words; a grade is a number, though 1 equals True."""
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"


def _answers(value: Mapping) -> str:
    """The noes together, whatever else by itself."""
    noes = [SAFETY[code].lower() for code, answer in value.items() if answer == "no"]
    others = [f"{SAFETY[code]}: {ANSWERS[answer].lower()}" for code, answer in value.items() if answer != "no"]
    return "; ".join([*others, *([f"no: {', '.join(noes)}"] if noes else [])])


def change_in_words(content: Mapping, code: str, change) -> str:
    """`−4 mm`, `no change`, or from which word to which."""
    field = FIELDS[code]
    before, now = content.get(field.after), content.get(code)
    if before is None or now is None:
        return ""
    if field.kind == "choice":
        return "no change" if before == now else f"was {field.choices[before].lower()}"
    sign = "+" if change > 0 else "−"
    unit = "" if field.kind == "pain" else "°" if field.unit == "°" else f" {field.unit}"
    return f"{sign}{abs(change):g}{unit}" if change else "no change"
