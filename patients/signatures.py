"""Signing on the screen: who signed, for whom, and what was drawn. Checks; writes nothing.

The typed name alone is a signature. A drawing may come with it: strokes of whole numbers in a field of WIDTH × HEIGHT,
stored as such and turned into a path here, so that nothing of what a browser sent reaches a page as markup.
"""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError

from clinic.errors import RuleBroken
from clinic.text import clean_line
from locations.models import Location
from patients import guardian_rules
from patients.models import Patient

WIDTH, HEIGHT = 600, 200
MOST_STROKES, MOST_POINTS, LEAST_POINTS = 80, 4000, 3
Strokes = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Signature:
    """`drawing` is a list of strokes, each x, y, x, y, …; `assent` is the word of the patient when a guardian signs."""

    name: str
    is_guardian: bool = False
    relationship: str = ""
    authority_document: str = ""
    assent: bool | None = None
    drawing: Strokes = ()

    def checked(self, patient: Patient, place: Location) -> "Signature":
        """Without blanks round the words. Raises RuleBroken naming every field that is wrong."""
        words = {
            name: unicodedata.normalize("NFC", getattr(self, name)).strip()
            for name in ("name", "relationship", "authority_document")
        }
        faults = {name: text for name, value in words.items() if (text := _word_fault(name, value))}
        if not words["name"]:
            faults["name"] = "Type the full name of who signs."
        elif self.is_guardian and words["name"].casefold() == patient.name.casefold():
            faults["name"] = "This is the patient's name: type the guardian's, with what tells two of one name apart."
        faults |= self._authority_faults(words, patient.age_on(place.today()), guardian_rules.of(place.state))
        if message := drawing_fault(self.drawing):
            faults["drawing"] = message
        if faults:
            raise RuleBroken(next(iter(faults.values())), code="invalid", fields=faults, status=400)
        return replace(self, **words, assent=self.assent if self.is_guardian else None)

    def _authority_faults(self, words, age, rule) -> dict[str, str]:
        if not self.is_guardian:
            if rule.needs_guardian(age):
                return {"signer": f"The patient is {age}: below {rule.guardian_below} a guardian signs."}
            return {}
        faults = {}
        if not words["relationship"]:
            faults["relationship"] = "Say how the guardian is related to the patient."
        if not words["authority_document"]:
            faults["authority_document"] = "Name the document that shows who may sign, such as a court order."
        if rule.needs_assent(age) and self.assent is not True:
            faults["assent"] = "Nothing is done against the will of the patient: without assent this is not signed."
        return faults


def _word_fault(name: str, value: str) -> str:
    longest = {"name": 200, "relationship": 60, "authority_document": 100}[name]
    try:
        clean_line(value)
    except ValidationError as error:
        return error.messages[0]
    return f"At most {longest} characters." if len(value) > longest else ""


def drawing_fault(strokes) -> str:
    """Why this is no drawing; empty for none drawn and for a sound one."""
    if not isinstance(strokes, list | tuple):
        return "This is no drawing."
    if not strokes:
        return ""
    if len(strokes) > MOST_STROKES or not all(isinstance(one, list | tuple) for one in strokes):
        return "This is no drawing."
    points = sum(len(one) for one in strokes) // 2
    sound = all(
        len(one) >= 2 and len(one) % 2 == 0 and all(map(_inside, one, (WIDTH, HEIGHT) * (len(one) // 2)))
        for one in strokes
    )
    if not sound or points > MOST_POINTS:
        return "This is no drawing."
    return "" if points >= LEAST_POINTS else "Draw more than a dot, or leave the field empty."


def _inside(value, most) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def read_drawing(text: str) -> list:
    """Strokes as a form carries them, in JSON. Raises ValueError."""
    if not text:
        return []
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def path(strokes: Strokes) -> str:
    """The `d` of an SVG path: letters and whole numbers only."""
    parts = []
    for stroke in strokes:
        pairs = [f"{int(x)} {int(y)}" for x, y in zip(stroke[::2], stroke[1::2], strict=True)]
        parts.append(f"M{pairs[0]}" + "".join(f"L{pair}" for pair in pairs[1:] or pairs))
    return "".join(parts)
