"""What follows from a note, worked out and never typed: restrictions respected, copied findings, the Medicare papers.

At the signature it becomes part of what is signed.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from evaluations import interventions, running_plans
from evaluations.models import VisitNote
from evaluations.notes import note_fields, visit_notes
from evaluations.safety import red_flags

# An X-ray counts from a year before to three months after the first treatment (reference 4.9, L29).
XRAY_BEFORE, XRAY_AFTER = timedelta(days=365), timedelta(days=91)
MEDICARE = ("medicare_active", "medicare_level", "medicare_xray_on", "medicare_at", "medicare_abn")


def of(note: VisitNote, last: VisitNote | None) -> dict:
    """The facts as plain values; `last` is the signed note before."""
    plan = running_plans.of(note.patient)
    standing = visit_notes.standing_restrictions(note.patient)
    against = [*visit_notes.forbidden(visit_notes.care_in(note.content), standing).values(), *_flags(note)]
    if note.content.get("guardian") is False and _treats_neck(note) and visit_notes.needs_guardian(note):
        against.append("No guardian was present.")
    first = _first_day(note)
    letters = note_fields.letters(note.content, established=last is not None)
    return {
        "provider": str(note.appointment.practitioner),
        "restrictions": [interventions.restriction_label(code) for code in standing],
        "against": against,
        "phase": plan.phase,
        "goals": list(plan.goals),
        "checkpoint": plan.checkpoint,
        "is_copied": note_fields.is_copied(note.content, last.content if last else {}),
        "part": letters,
        "medicare": medicare(note.content, letters, first) if _is_medicare(note.content) else None,
    }


def _flags(note):
    """What is open while the note says that the neck was treated."""
    if not _treats_neck(note):
        return []
    return [f"“{event.label}” is not resolved." for event in red_flags.open_events(note.patient)]


def _treats_neck(note):
    return any(interventions.KNOWN[code].force in interventions.NECK_CARE for code in visit_notes.care_in(note.content))


def _is_medicare(content):
    return any(code in content for code in MEDICARE)


def _first_day(note) -> date:
    notes = VisitNote.objects.filter(patient=note.patient_id).select_related("appointment", "location")
    first = notes.order_by("appointment__starts_at").first()
    return min(first.day, note.day) if first else note.day


def medicare(content: Mapping, letters: Mapping, first: date) -> dict:
    """What the subluxation rests on, and what the papers still lack, each in a sentence (reference 4.9)."""
    taken = date.fromisoformat(content["medicare_xray_on"]) if "medicare_xray_on" in content else None
    by_xray = taken is not None and first - XRAY_BEFORE <= taken <= first + XRAY_AFTER
    lacking = []
    if not by_xray and not letters["sufficient"]:
        old = " The X-ray is too old or too late." if taken else ""
        lacking.append(f"Neither an X-ray nor two of P.A.R.T., one of them A or R, show the subluxation.{old}")
    if not content.get("medicare_level"):
        lacking.append("The level of the subluxation is not named.")
    if content.get("medicare_active") and not content.get("medicare_at"):
        lacking.append("Active treatment carries the modifier AT.")
    if content.get("medicare_active") is False and not content.get("medicare_abn"):
        lacking.append("Maintenance is not covered: an ABN is to be on file.")
    if content.get("medicare_active") and "change" not in content:
        lacking.append("The change since the last visit is not said.")
    return {"rests_on": "xray" if by_xray else "part" if letters["sufficient"] else "", "lacking": lacking}
