"""The rows of the evaluation's form, made from the catalogue, and what was typed in them as findings."""

import json
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from evaluations import catalogue, normals, summary

STATUSES = (
    ("", "not recorded"),
    ("assessed", "assessed"),
    ("not_assessed", "not assessed"),
    ("refused", "refused"),
    ("not_assessable", "not assessable"),
    ("deferred_unsafe", "deferred for safety"),
)
_YES_NO = (("yes", "yes"), ("no", "no"))


@dataclass
class Cell:
    """The controls of one finding."""

    entry: catalogue.Entry
    qualifiers: dict
    side: str = ""
    status: str = ""
    value: object = None
    typed: object = ""  # what the value control shows: text, or a list for checkboxes
    direction: str = ""
    reason: str = ""
    error: str = ""
    saved_meanwhile: str = ""

    @property
    def code(self):
        return self.entry.code

    @property
    def qualifier_key(self):
        return catalogue.key_of(self.qualifiers)

    @property
    def name(self):
        return f"{self.code}[{self.qualifier_key}]"

    @property
    def qualifiers_json(self):
        return json.dumps(self.qualifiers)

    @property
    def label(self):
        names = [summary.spoken(self.qualifiers[n]) for n in self.entry.allowed if n in self.qualifiers]
        return ", ".join([self.entry.label, *names])

    @property
    def options(self):
        """(value, words) of a select or of checkboxes; empty for text."""
        if self.entry.kind == "yes_no":
            return _YES_NO
        choices = ("negative", "positive") if self.entry.kind == "positive_negative" else self.entry.choices
        return tuple((c, summary.spoken(c)) for c in choices)

    @property
    def directions(self):
        return (*self.entry.directions, "none") if self.entry.directions else ()

    @property
    def statuses(self):
        return STATUSES

    def show(self, finding):
        """Take over what is stored."""
        self.status, self.value, self.direction = finding.status, finding.value, finding.direction
        self.reason = finding.reason
        match self.value:
            case None:
                self.typed = ""
            case bool():
                self.typed = "yes" if self.value else "no"
            case list():
                self.typed = self.value
            case _:
                self.typed = str(self.value)

    def read(self, post):
        """Take over what was typed."""
        many = self.entry.kind == "choices"
        self.typed = post.getlist(f"{self.name}value") if many else post.get(f"{self.name}value", "").strip()
        self.status = post.get(f"{self.name}status", "")
        self.direction = post.get(f"{self.name}direction", "")
        self.reason = post.get(f"{self.name}reason", "").strip()
        if self.typed and not self.status:
            self.status = "assessed"

    def as_sent(self):
        """What was typed as a finding. What is no number stays text, so that the rule names it."""
        value = self.typed
        if self.status != "assessed" and not value:
            value = None
        elif self.entry.is_numeric:
            value = _number(value)
        elif self.entry.kind == "yes_no":
            value = {"yes": True, "no": False}.get(value, value)
        sent = {"code": self.code, "qualifiers": self.qualifiers, "status": self.status or "not_assessed"}
        sent |= {"value": value, "reason": self.reason}
        if self.directions and self.direction and value is not None:
            sent["direction"] = self.direction
        elif self.directions and value == 0:
            sent["direction"] = "none"
        return sent


def _number(text):
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text or None
    if not number.is_finite():
        return text
    return int(number) if number == number.to_integral_value() and "." not in text and len(text) < 20 else number


@dataclass
class Row:
    entry: catalogue.Entry
    place: str
    cells: list[Cell]

    @property
    def unit(self):
        return summary.unit_of(self.entry)

    @property
    def helps(self):
        """What is said under the label: the norm, what the grades mean, which way a sign or a direction goes."""
        entry = self.entry
        direction = f"direction: {entry.direction_means}" if entry.direction_means else ""
        return [words for words in (normals.words(entry), entry.scale, entry.sign_means, direction) if words]


@dataclass
class Group:
    heading: str
    rows: list[Row] = field(default_factory=list)


@dataclass
class Section:
    code: str
    label: str
    groups: list[Group]

    @property
    def rows(self):
        return [row for group in self.groups for row in group.rows]


def _heading(entry, place):
    if "mode" in place:
        motion = place.get("motion") or entry.code.removeprefix("rom_")
        return f"{summary.spoken(motion)}, {place['mode']}".capitalize()
    return summary.spoken(place.get("segment") or place.get("muscle") or "").capitalize()


def _cells(entry, place, stored):
    """One cell, or left and right; and one for both sides when something was recorded for both at once."""
    cells = [Cell(entry, {**place, "side": side}, side) for side in ("left", "right")]
    if entry.side != "left_right":
        cells = [Cell(entry, place)]
    elif (entry.code, catalogue.key_of(place)) in stored:
        cells.insert(0, Cell(entry, place, "both sides"))
    for cell in cells:
        if finding := stored.get((cell.code, cell.qualifier_key)):
            cell.show(finding)
    return cells


def sections_of(part: catalogue.Part, findings) -> list[Section]:
    """The form of one part of the evaluation, filled with what is stored."""
    stored = {(f.code, f.qualifier_key): f for f in findings}
    sections = []
    for code in part.sections:
        groups = {}
        for entry in catalogue.entries_of(code):
            places = [{n: v for n, v in p.items() if n != "side"} for p in entry.places()]
            for place in {catalogue.key_of(p): p for p in places}.values():
                heading = _heading(entry, place)
                words = "" if heading else ", ".join(place.values())
                row = Row(entry, summary.spoken(words), _cells(entry, place, stored))
                groups.setdefault(heading, Group(heading)).rows.append(row)
        sections.append(Section(code, catalogue.SECTIONS[code], list(groups.values())))
    return sections


def read(sections: list[Section], post) -> tuple[list[Cell], list[dict]]:
    """The cells in which something else was typed than is stored, and their findings."""
    changed, findings = [], []
    for row in (row for section in sections for row in section.rows):
        for cell in row.cells:
            if f"{cell.name}status" not in post:
                continue
            before = _comparable(cell.as_sent())
            was_recorded = bool(cell.status)
            stored_words = cell.typed
            cell.read(post)
            sent = cell.as_sent()
            if _comparable(sent) == before and (was_recorded or not cell.status):
                continue
            cell.saved_meanwhile = stored_words if was_recorded else ""
            changed.append(cell)
            findings.append(sent)
    return changed, findings


def _comparable(sent):
    value = sent["value"]
    value = Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
    return {**sent, "value": value}


def place_faults(cells: list[Cell], fields: dict[str, str]) -> None:
    """Put the rule's sentences at their cells: `findings.3.value` belongs to the fourth."""
    for where, text in fields.items():
        position = where.split(".")[1] if where.startswith("findings.") else ""
        if position.isdigit() and int(position) < len(cells):
            cells[int(position)].error = text
