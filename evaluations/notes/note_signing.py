"""Signing the note of a visit: what is missing, the fingerprint of what was signed, and what is added afterwards.

As with an evaluation (`signing.py`): a signed note never changes, the database refuses it too (`protection.py`).
"""

import hashlib
import json

from django.core.exceptions import PermissionDenied
from django.db import transaction

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from evaluations import signing
from evaluations.models import NoteAddendum, VisitNote
from evaluations.notes import note_facts, note_fields, visit_notes
from evaluations.safety import incidents
from evaluations.signing import Missing
from patients import sight

# What a note usually says; leaving it out is told, and does not keep one from signing.
USUAL = ("change", "pain", "leg", "response", "phase", "next_visit")
OF_A_REACTION = ("reaction_what", "reaction_when", "reaction_action")


def missing(note: VisitNote) -> list[Missing]:
    """What has to be said before signing first, then what is usually said."""
    said = note.content
    unasked = [label for code, label in note_fields.SAFETY.items() if code not in said.get("safety", {})]
    found = [
        _needed("safety", f"What is new was not asked: {', '.join(unasked)}.", unasked),
        _needed("technique", "Say what was done, or that nothing was adjusted.", not _says_what_was_done(said)),
        _needed(
            "not_adjusted_reason", "Say why it was not adjusted.",
            said.get("not_adjusted") and "not_adjusted_reason" not in said,
        ),
        _needed("reaction", "Say whether there was a reaction to the treatment.", "reaction" not in said),
    ]  # fmt: skip
    if "guardian" not in said and _says_what_was_done(said) and visit_notes.needs_guardian(note):
        found.append(_needed("guardian", "Say whether a guardian was present.", True))
    if said.get("reaction", "none") != "none":
        labels = {code: note_fields.FIELDS[code].label.lower() for code in OF_A_REACTION}
        found += [_needed(code, f"Of the reaction: {labels[code]}?", code not in said) for code in OF_A_REACTION]
    expected = [*USUAL, *(["segments"] if "technique" in said else [])]
    found += [Missing(code, f"{note_fields.FIELDS[code].label}: not said.") for code in expected if code not in said]
    return [one for one in found if one]


def _needed(field, text, is_missing):
    return Missing(field, text, blocks=True) if is_missing else None


def _says_what_was_done(said):
    return said.get("not_adjusted") or said.get("technique") or said.get("adjuncts")


def canonical(note: VisitNote) -> str:
    """Everything that is signed as one text that is the same on every machine."""
    record = {
        "note": note.pk,
        "patient": note.patient_id,
        "appointment": note.appointment_id,
        "location": note.location_id,
        "version": note.version,
        "content": note.content,
        "facts": note.facts,
        "started_at": times.local(note.started_at, "UTC").isoformat(),
        "started_by": note.started_by_id,
        "signed_at": times.local(note.signed_at, "UTC").isoformat(),
        "signed_by": note.signed_by_id,
    }
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(note: VisitNote) -> str:
    return hashlib.sha256(canonical(note).encode()).hexdigest()


def is_intact(note: VisitNote) -> bool:
    """Whether what stands in the database is still what was signed."""
    return note.is_signed and digest_of(note) == note.digest


@transaction.atomic
def sign(note: VisitNote, *, by: User, version: int | None = None) -> VisitNote:
    """Sign as the clinician `by`, who gave the treatment or wrote the note. `version` is the one that was reviewed.

    Raises RuleBroken `signed`, `not_a_clinician`, `not_the_examiner`, `stale` or `note_incomplete`.
    """
    rows = VisitNote.objects.select_related("location", "patient", "appointment__practitioner__user")
    current = rows.select_for_update(of=("self",)).get(pk=note.pk)
    sight.require(by, "evaluation.write", current.patient)
    if current.is_signed:
        raise RuleBroken("The note is signed already.", code="signed")
    signing.check_clinician(by, current.location)
    if by.pk not in {current.started_by_id, current.saved_by_id, current.appointment.practitioner.user_id}:
        raise RuleBroken("Only who gave the treatment or wrote the note signs.", code="not_the_examiner", status=403)
    if current.appointment.status in visit_notes.NEVER_TOOK_PLACE:
        said = current.appointment.get_status_display().lower()
        message = f"The visit is recorded as “{said}”: correct that first, or leave the note unsigned."
        raise RuleBroken(message, code="wrong_status", fields={"appointment": message})
    if version is not None and version != current.version:
        raise RuleBroken("The note was changed after you read it. Look again, then sign.", code="stale")
    if blocking := [one for one in missing(current) if one.blocks]:
        fields = {f"content.{one.part}": one.text for one in blocking}
        raise RuleBroken(" ".join(one.text for one in blocking), code="note_incomplete", fields=fields)
    current.facts = note_facts.of(current, visit_notes.last_signed(current))
    current.signed_by, current.signed_at = by, times.now()
    current.version += 1
    current.digest = digest_of(current)
    columns = ["facts", "signed_by", "signed_at", "version", "digest"]
    current.save(update_fields=columns)
    audit.record("visit_note.signed", on=current, by=by, digest=current.digest)
    incidents.open_if_serious(current, by=by)
    for name in columns:
        setattr(note, name, getattr(current, name))
    return note


@transaction.atomic
def add(note: VisitNote, *, text: str, reason: str, by: User, serious_reaction: bool = False) -> NoteAddendum:
    """Add to a signed note; the original stays as it was. A serious reaction that showed later opens an incident."""
    if not note.is_signed:
        raise RuleBroken("A note that is not signed is changed, not added to.", code="not_signed")
    sight.require(by, "evaluation.amend", note.patient)
    if not hasattr(by, "practitioner"):
        raise PermissionDenied
    signing.check_addendum(text, reason)
    addendum = NoteAddendum.objects.create(note=note, text=text, reason=reason, by=by, at=times.now())
    audit.record("visit_note.added_to", on=note, by=by, addendum=addendum.pk)
    if serious_reaction:
        incidents.open_later(note, text, by=by)
    return addendum
