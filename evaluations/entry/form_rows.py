"""The rows of the evaluation's form, made from the catalogue, and what was typed in them as findings."""

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.utils.safestring import SafeString

from evaluations import catalogue, clusters, field_words, summary
from evaluations.entry import cell_html, normals
from evaluations.safety import automatic_flags

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
    note: str = ""
    error: str = ""
    saved_meanwhile: str = ""
    readings: list = field(default_factory=list)
    last: object = None  # what was recorded here last time
    departs: bool = False
    is_covered: bool = False  # something was recorded for both sides at once

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
    def label(self):
        names = [field_words.spoken(self.qualifiers[n]) for n in self.entry.allowed if n in self.qualifiers]
        return ", ".join([self.entry.label, *names])

    @property
    def options(self):
        """(value, words) of a select or of checkboxes; empty for text."""
        if self.entry.kind == "yes_no":
            return _YES_NO
        choices = ("negative", "positive") if self.entry.kind == "positive_negative" else self.entry.choices
        return tuple((c, field_words.spoken(c)) for c in choices)

    @property
    def directions(self):
        return (*self.entry.directions, "none") if self.entry.directions else ()

    @property
    def html(self) -> SafeString:
        return cell_html.of(self)

    @property
    def is_expected(self):
        return self.side != "both sides" and not self.is_covered and self.entry.is_expected(self.qualifiers)

    @property
    def is_unsettled(self) -> bool:
        """Readings that come to no value yet."""
        return bool(self.readings) and self.status != "assessed"

    @property
    def is_said(self) -> bool:
        return bool(self.status) and not self.is_unsettled and not self.error

    @property
    def status_words(self) -> str:
        if self.is_unsettled:
            return clusters.still_needed(self.code, self.readings)
        return "" if self.status in {"", "assessed"} else dict(cell_html.STATUSES)[self.status]

    @property
    def choices_words(self) -> str:
        if self.status == "assessed" or self.typed:
            return ", ".join(field_words.spoken(one) for one in self.typed) or "none"
        return ""

    @property
    def last_typed(self) -> str:
        """Last time's value as it would be typed; empty when there is none."""
        if self.last is None:
            return ""
        words = cell_html.typed(self.last.value)
        return ",".join(words) if isinstance(words, list) else words

    @property
    def last_words(self) -> str:
        if self.last is None:
            return ""
        words = ", ".join(map(field_words.spoken, self.last_typed.split(","))) or "none"
        direction = self.last.direction
        return f"{words} {direction}" if direction and direction != "none" else words

    @property
    def warning(self) -> str:
        return (
            normals.warning(self.entry, self.value)
            or clusters.to_repeat(self.code, self.value, self.readings)
            or automatic_flags.warning(self)
        )

    def show(self, finding):
        """Take over what is stored."""
        self.status, self.value, self.direction = finding.status, finding.value, finding.direction
        self.reason, self.note, self.readings = finding.reason, finding.note, finding.readings
        self.typed = " ".join(map(str, finding.readings)) if finding.readings else cell_html.typed(self.value)

    def read(self, post):
        """Take over what was typed."""
        many = self.entry.kind == "choices"
        self.typed = post.getlist(f"{self.name}value") if many else post.get(f"{self.name}value", "").strip()
        self.status = post.get(f"{self.name}status", "")
        self.direction = post.get(f"{self.name}direction", "")
        self.reason = post.get(f"{self.name}reason", "").strip()
        if self.typed and not self.status:
            self.status = "assessed"
        elif not self.typed and not many and f"{self.name}status" not in post:
            self.status = "not_assessed"  # a page whose scripts did not come: what was emptied is not recorded

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
        sent |= {"value": value, "reason": self.reason, "note": self.note}
        if readings := _readings(self.code, self.typed):
            return {**sent, "status": "assessed", "value": None, "readings": readings}
        if self.directions and self.direction and value is not None:
            sent["direction"] = self.direction
        elif self.directions and value == 0:
            sent["direction"] = "none"
        return sent


def _readings(code, text) -> list | None:
    """Several numbers in the field of a motion or a pressure are its readings."""
    if not isinstance(text, str) or not clusters.takes_readings(code):
        return None
    words = re.split(r"[\s,;/]+", text.strip())
    return [_number(word) for word in words] if len(words) > 1 and all(_NUMBER.fullmatch(w) for w in words) else None


_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,4})?", re.ASCII)


def options_of(code: str) -> SafeString:
    """The options of a finding's select with nothing chosen."""
    return cell_html.options(Cell(catalogue.FINDINGS[code], {}).options, "")


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
class Column:
    """Of a table: one finding, with a place for each of its sides. `name` is what its cells share."""

    row: Row
    name: str
    sides: tuple[str, ...]

    @property
    def label(self):
        return "Degrees" if self.name == "degrees" else self.row.entry.label

    @property
    def norm(self) -> str:
        """Of one finding; the motions, which have one each, say theirs in the first column."""
        return "" if self.name == "degrees" else normals.words(self.row.entry)

    @property
    def more(self) -> str:
        """What the grades mean: for the bar at the foot and for who listens."""
        return "" if self.name == "degrees" else self.row.entry.scale


@dataclass
class Table:
    """Findings looked at in many places: a line for each place, a column for each finding. A slot holds its cells."""

    columns: list[Column]
    lines: list[tuple[str, list[list[Cell]]]]

    @property
    def has_sides(self):
        return any(column.sides for column in self.columns)


@dataclass
class Section:
    code: str
    label: str
    groups: list[Group]

    @property
    def rows(self):
        return [row for group in self.groups for row in group.rows]

    @property
    def cells(self):
        return [cell for row in self.rows for cell in row.cells]

    @property
    def plain(self) -> list[Row]:
        return [row for group in self.groups if not group.heading for row in group.rows]

    @property
    def table(self) -> Table | None:
        groups = sorted((group for group in self.groups if group.heading), key=lambda g: g.heading.endswith("passive"))
        if not groups:
            return None
        columns = {}
        for row in (row for group in groups for row in group.rows):
            sides = ("left", "right") if row.entry.side == "left_right" else ()
            columns.setdefault(_column(row), Column(row, _column(row), sides))
        return Table(list(columns.values()), [(g.heading, _slots(g, columns.values())) for g in groups])


def _column(row):
    return "degrees" if clusters.is_motion(row.entry.code) else row.entry.code


def _slots(group, columns):
    """What stands in each column of the group's line; what was recorded for both sides stands with the left."""
    rows, slots = {_column(row): row for row in group.rows}, []
    for column in columns:
        cells = rows[column.name].cells if column.name in rows else []
        if column.sides:
            slots += [[c for c in cells if c.side != "right"], [c for c in cells if c.side == "right"]]
        else:
            slots.append(cells)
    return slots


def _heading(entry, place):
    if "mode" in place:
        motion = place.get("motion") or entry.code.removeprefix("rom_")
        return f"{field_words.heading(motion)}, {place['mode']}"
    return field_words.heading(next((place[name] for name in _PLACES if name in place), ""))


_PLACES = ("segment", "muscle", "level", "nerve", "reflex")


def _cells(entry, place, stored, last):
    """One cell, or left and right; and one for both sides when something was recorded for both at once."""
    cells = [Cell(entry, {**place, "side": side}, side) for side in ("left", "right")]
    if entry.side != "left_right":
        cells = [Cell(entry, place)]
    elif (entry.code, catalogue.key_of(place)) in stored:
        cells.insert(0, Cell(entry, place, "both sides"))
    for cell in cells:
        key = cell.code, cell.qualifier_key
        if finding := stored.get(key):
            cell.show(finding)
        cell.last = last.get(key)
        cell.is_covered = cells[0].side == "both sides" and cell is not cells[0]
    return cells


def sections_of(part: catalogue.Part, findings, last=()) -> list[Section]:
    """The form of one part of the evaluation, filled with what is stored; `last` is what was assessed last time."""
    stored = {(f.code, f.qualifier_key): f for f in findings}
    before = {(one.code, one.qualifier_key): one for one in last if one.status == "assessed"}
    sections = []
    for code in part.sections:
        groups = {}
        for entry in catalogue.entries_of(code):
            places = [{n: v for n, v in p.items() if n != "side"} for p in entry.places()]
            for place in {catalogue.key_of(p): p for p in places}.values():
                heading = _heading(entry, place)
                words = "" if heading else ", ".join(map(field_words.spoken, place.values()))
                row = Row(entry, words, _cells(entry, place, stored, before))
                groups.setdefault(heading, Group(heading)).rows.append(row)
        sections.append(Section(code, catalogue.SECTIONS[code], list(groups.values())))
    return sections


def read(sections: list[Section], post) -> tuple[list[Cell], list[dict]]:
    """The cells in which something else was typed than is stored, and their findings."""
    changed, findings = [], []
    for row in (row for section in sections for row in section.rows):
        for cell in row.cells:
            if f"{cell.name}status" not in post and f"{cell.name}value" not in post:
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
