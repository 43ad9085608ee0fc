"""Notes of the visits of the last week: signed but for the newest of each chiropractor, one of which nobody has begun.

Written in bulk, as the visits are; each patient's pain goes down a little from visit to visit.
"""

from datetime import timedelta
from random import Random

from appointments.models import Appointment
from clinic.demo import World
from evaluations.models import RedFlagEvent, VisitNote
from evaluations.notes import note_fields, note_signing

LOOKS_BACK = timedelta(days=7)
TREATMENTS = (
    {"technique": "activator", "segments": ["C1 left"], "side": "left", "contact": "Posterior arch",
     "position": "prone"},
    {"technique": "orthospinology", "segments": ["C1 right"], "side": "right", "contact": "Transverse process",
     "position": "side_lying_left"},
    {"technique": "atlas_orthogonal", "segments": ["C1 left", "C2 left"], "side": "left",
     "contact": "Transverse process", "position": "side_lying_right"},
)  # fmt: skip
NO_ADJUSTMENT = {"not_adjusted": True, "not_adjusted_reason": "Legs even, no tenderness: the alignment holds."}


def load(world: World) -> None:
    rng = world.random("visit notes")
    done = Appointment.objects.filter(
        type=world.types["adjustment"], status=Appointment.Status.COMPLETED, visit_note=None,
        starts_at__gt=world.now - LOOKS_BACK,
    )  # fmt: skip
    visits = list(done.select_related("practitioner__user", "location").order_by("starts_at", "pk"))
    newest = {}
    for visit in visits:
        newest.setdefault(visit.practitioner_id, []).append(visit.pk)
    unbegun = {pks[-2] for n, pks in enumerate(newest.values()) if len(pks) > 2 and n % 3 == 0}
    drafts = {pks[-1] for pks in newest.values()}
    flagged = set(RedFlagEvent.objects.filter(resolved_at=None).values_list("patient", flat=True))
    last, notes = {}, []
    for visit in visits:
        if visit.pk not in unbegun:
            content = _content(last.get(visit.patient_id), visit.patient_id in flagged, rng)
            last[visit.patient_id] = content
            notes.append(_note(visit, content))
    VisitNote.objects.bulk_create(notes, batch_size=200)
    signed = [note for note in notes if note.appointment_id not in drafts]
    for note in signed:
        _sign(note)
    columns = ["facts", "signed_by", "signed_at", "version", "digest"]
    VisitNote.objects.bulk_update(signed, columns, batch_size=100)


def _note(visit, content) -> VisitNote:
    by = visit.practitioner.user
    return VisitNote(
        patient_id=visit.patient_id, appointment=visit, location=visit.location, content=content, version=1,
        started_by=by, saved_by=by, started_at=visit.starts_at + timedelta(minutes=4),
    )  # fmt: skip


def _content(before: dict | None, is_flagged: bool, rng: Random) -> dict:
    pain = max(0, before["pain"] - rng.choice((0, 0, 1))) if before else rng.randint(3, 7)
    done = NO_ADJUSTMENT if is_flagged or rng.random() < 0.1 else rng.choice(TREATMENTS)
    length = 0 if "not_adjusted" in done else rng.choice((3, 5, 6))
    side = done.get("side", "even") if length else "even"
    found = [{"at": place, "tenderness": rng.randint(1, 3)} for place in done.get("segments", ())]
    said = {
        "change": rng.choice(("better", "better", "same")), "pain": pain,
        "safety": dict.fromkeys(note_fields.SAFETY, "no"), "adherence": rng.choice(("yes", "partly")), "leg": side,
        "leg_mm": float(length), "segments_found": found, "response": rng.choice(("improved", "partly")),
        "phase": "relief", "diagnosis": "M99.01, G44.86", **done, "leg_after": "even", "leg_mm_after": 0.0,
        "pain_after": max(0, pain - 1), "reaction": "none", "next_visit": "As planned",
    }  # fmt: skip
    return {code: said[code] for code in note_fields.FIELDS if said.get(code) not in (None, [])}


def _sign(note: VisitNote) -> None:
    visit = note.appointment
    note.facts = {
        "provider": str(visit.practitioner), "restrictions": [], "against": [], "phase": "", "goals": [],
        "checkpoint": "", "is_copied": False, "part": note_fields.letters(note.content, established=True),
        "medicare": None,
    }  # fmt: skip
    note.signed_by, note.signed_at, note.version = visit.practitioner.user, visit.ends_at + timedelta(minutes=3), 2
    note.digest = note_signing.digest_of(note)
