"""What the pages of a visit note show: each field with what was said, what it was last time, and how it changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from clinic import times
from evaluations import interventions, running_plans
from evaluations.entry import spine
from evaluations.models import Evaluation, VisitNote
from evaluations.notes import note_facts, note_fields, note_signing, note_texts, visit_notes
from evaluations.notes.note_fields import Field
from evaluations.readings import Readings
from evaluations.safety import red_flags
from patients import headache_days
from patients.diary import attack_of, free_days

STOPS = {
    *note_signing.USUAL, *note_signing.OF_A_REACTION, "leg_mm", "segments_found", "not_adjusted_reason", "technique",
    "segments", "leg_after", "leg_mm_after", "pain_after", "reaction", "guardian",
}  # fmt: skip


@dataclass(frozen=True)
class Suggested:
    """A value that does not count until somebody takes it, and where it comes from."""

    value: object
    source: str


@dataclass
class Row:
    """One field on the page; `text` is what is in its control, typed or said."""

    field: Field
    value: object
    text: str
    suggested: Suggested | None = None
    error: str = ""
    forbidden: dict[str, str] = field(default_factory=dict)
    before: str = ""
    change: str = ""

    @property
    def is_usual(self):
        """Whether the keyboard stops here by itself; the other fields are a Tab away."""
        return self.field.code in STOPS

    @property
    def options(self):
        """(code, label, chosen, why it is forbidden) of each choice."""
        chosen = self.text.split(",") if self.field.kind == "codes" else [self.text]
        return [(c, label, c in chosen, self.forbidden.get(c, "")) for c, label in self.field.choices.items()]

    @property
    def questions(self):
        given = self.value or {}
        return [(code, label, given.get(code, "")) for code, label in self.field.choices.items()]

    @property
    def suggested_text(self):
        return note_texts.typed(self.field, self.suggested.value) if self.suggested else ""

    @property
    def suggested_words(self):
        return note_texts.in_words(self.field, self.suggested.value) if self.suggested else ""

    @property
    def words(self):
        return note_texts.in_words(self.field, self.value)


@dataclass(frozen=True)
class PartOfNote:
    code: str
    label: str
    rows: list[Row]

    @property
    def can_be_same(self):
        return any(row.suggested and row.value is None for row in self.rows)


def suggestions(note: VisitNote, last: VisitNote | None) -> dict[str, Suggested]:
    """By field: of the last signed note what is carried, else of the plan and of the evaluation; days of the diary.

    How the patient is treated is carried past visits at which nothing was adjusted.
    """
    found = _of_evaluation(note) | _of_plan(note)
    if last and last.content.get("not_adjusted") and (treated := visit_notes.last_treated(note)):
        found |= _carried(treated, {one.code for one in note_fields.of_part(note_fields.PLAN)})
    if last:
        found |= _carried(last, note_fields.FIELDS)
    days = headache_days_since(note, last)
    if days is not None:
        found["headache_days"] = Suggested(days, "diary")
    return found


def _carried(before: VisitNote, codes):
    source = f"{before.day:%b} {before.day.day}"
    found = [code for code in codes if note_fields.FIELDS[code].is_carried and code in before.content]
    return {code: Suggested(before.content[code], source) for code in found}


def _of_plan(note):
    plan = running_plans.of(note.patient)
    found = {"phase": plan.phase} if plan.phase else {}
    chosen = [code for code in plan.techniques if code in note_fields.TECHNIQUES]
    if len(chosen) == 1:
        found["technique"] = chosen[0]
    adjuncts = [code for code in note_fields.ADJUNCTS if code in plan.techniques]
    if adjuncts:
        found["adjuncts"] = adjuncts
    return {code: Suggested(value, "plan") for code, value in found.items()}


def _of_evaluation(note):
    """The listing that the last signed evaluation found, by its system."""
    signed = Evaluation.objects.filter(patient=note.patient_id, signed_at__lt=note.appointment.starts_at)
    latest = signed.order_by("started_at").last()
    if latest is None:
        return {}
    codes = [*note_fields.LEVELS.values(), "listing_system"]
    readings = Readings(latest.findings.filter(code__in=codes))
    levels = [level for level in ("C1", "C2", "C0") if readings.value(note_fields.LEVELS[level])]
    if not levels:
        return {}
    said = {
        "listing_system": readings.value("listing_system"),
        "listing_level": levels[0],
        "listing": readings.value(note_fields.LEVELS[levels[0]]),
    }
    return {code: Suggested(value, "evaluation") for code, value in said.items() if value}


def headache_days_since(note: VisitNote, last: VisitNote | None) -> int | None:
    """Counted in the diary from the day of the last visit to the day before this one; None where nothing is written."""
    if last is None:
        return None
    zone = note.patient.home_location.time_zone
    first, end = last.day, note.day
    entries = list(note.patient.diary_entries.filter(local_date__gte=first - timedelta(31), local_date__lt=end))
    if not any(one.local_date >= first for one in entries):
        return None
    free = free_days(entries)
    counted = set()
    for entry in entries:
        if not entry.no_headache:
            until = {"today": end - timedelta(1), "free_days": free}
            counted |= headache_days.headache_days(attack_of(entry), zone, **until)
    return len({day for day in counted if first <= day < end})


def parts(
    note: VisitNote, suggested: Mapping[str, Suggested], *, typed: Mapping | None = None, faults: Mapping | None = None
) -> list[PartOfNote]:
    """Every part with its rows; `typed` and `faults` are what was refused."""
    standing = visit_notes.standing_restrictions(note.patient)
    forbidden = visit_notes.forbidden([*note_fields.TECHNIQUES, *note_fields.ADJUNCTS], standing)
    asks_guardian = "guardian" in note.content or visit_notes.needs_guardian(note)
    made = []
    for code, label in note_fields.PARTS.items():
        asked = [one for one in note_fields.of_part(code) if one.code != "guardian" or asks_guardian]
        rows = [_row(note, one, suggested.get(one.code), forbidden) for one in asked]
        for row in rows:
            if typed is not None and row.field.code in typed:
                row.text = typed[row.field.code]
            row.error = (faults or {}).get(f"content.{row.field.code}", "")
        made.append(PartOfNote(code, label, rows))
    return made


def _row(note, one, suggested, forbidden):
    value = note.content.get(one.code)
    row = Row(one, value, note_texts.typed(one, value) if one.kind != "answers" else "", suggested)
    if one.code in {"technique", "adjuncts"}:
        row.forbidden = forbidden
    if one.after:
        row.before = note_texts.in_words(note_fields.FIELDS[one.after], note.content.get(one.after))
        row.change = note_texts.change_in_words(note.content, one.code, note_fields.change(note.content, one))
    return row


def about(note: VisitNote, last: VisitNote | None) -> dict:
    """What stands beside the form and above the signature."""
    plan = running_plans.of(note.patient)
    facts = note.facts if note.is_signed else note_facts.of(note, last)
    letters = facts["part"]
    return {
        "note": note,
        "last": last,
        "facts": facts,
        "plan": plan,
        "phase_label": note_fields.PHASES.get(facts["phase"], ""),
        "standing": [interventions.restriction_label(c) for c in visit_notes.standing_restrictions(note.patient)],
        "open_events": red_flags.open_events(note.patient),
        "letters": [(name, letters[name]) for name in "PART"],
        "visit_start": times.local(note.appointment.starts_at, note.location.time_zone),
        "visit_end": times.local(note.appointment.ends_at, note.location.time_zone),
    }


def form(note: VisitNote, *, typed=None, faults=None) -> dict:
    last = visit_notes.last_signed(note)
    suggested = suggestions(note, last)
    return {
        **about(note, last),
        "parts": parts(note, suggested, typed=typed, faults=faults),
        "answers": note_fields.ANSWERS,
        "missing": note_signing.missing(note),
        "spine": spine.drawing(),
    }


def record(note: VisitNote) -> dict:
    """The note to be read or printed: only what was said."""
    said = [(part.label, [row for row in part.rows if row.value is not None]) for part in parts(note, {})]
    return {
        **about(note, visit_notes.last_signed(note)),
        "said": [(label, rows) for label, rows in said if rows],
        "addenda": note.addenda.select_related("by"),
        "is_intact": note_signing.is_intact(note),
    }
