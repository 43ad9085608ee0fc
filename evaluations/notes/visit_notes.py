"""Writing the note of a visit: with note_signing the only writer of VisitNote.

A save is whole or not at all, is refused when somebody else saved in between, and is applied once however often it is
sent. Care of the neck that a restriction or an open red flag forbids is refused by name, whoever sends it.
"""

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.shortcuts import get_object_or_404

from appointments.models import Appointment
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from evaluations import interventions, running_plans
from evaluations.entry import drafts
from evaluations.models import NoteOperation, VisitNote
from evaluations.notes import note_fields
from evaluations.safety import incidents, red_flags, restrictions
from locations import access
from patients import guardian_rules, sight
from patients.models import Patient

LOOKED_BACK = 50  # notes, to find how the patient was treated
NEVER_TOOK_PLACE = {Appointment.Status.CANCELLED, Appointment.Status.NO_SHOW}


@transaction.atomic
def start(appointment: Appointment, *, by: User) -> VisitNote:
    """Begin the note of the visit, or give back the one that it has. Raises RuleBroken `wrong_status`, `too_early`."""
    access.require(by, "evaluation.write", appointment.location)
    sight.require(by, "evaluation.write", appointment.patient)
    visit = (
        Appointment.objects.select_for_update(of=("self",)).select_related("location", "patient").get(pk=appointment.pk)
    )
    if begun := VisitNote.objects.filter(appointment=visit).first():
        return begun
    if visit.status in NEVER_TOOK_PLACE:
        raise RuleBroken(f"The visit is {visit.get_status_display().lower()}.", code="wrong_status")
    if times.day_of(visit.starts_at, visit.location.time_zone) > visit.location.today():
        raise RuleBroken("The visit is not today yet: its note is written when it takes place.", code="too_early")
    note = VisitNote.objects.create(
        patient=visit.patient, appointment=visit, location=visit.location, started_by=by, started_at=times.now()
    )
    audit.record("visit_note.started", on=note, by=by)
    return note


@transaction.atomic
def save(note: VisitNote, *, content: dict, version: int, by: User, operation: uuid.UUID | str | None = None) -> dict:
    """Save fields of the note, None taking one back; returns {"version", "saved_at", "kept", …}.

    Raises RuleBroken: `invalid_note` (400) naming each field, `stale` when `version` is not the current one, `signed`,
    `red_flag_open`, `red_flags_unanswered` and `intervention_forbidden` for care that must not be given. The same
    `operation` again gives the first answer and changes nothing.
    """
    rows = VisitNote.objects.select_for_update(of=("self",)).select_related(
        "patient", "location", "appointment", "saved_by"
    )
    current = get_object_or_404(rows.select_for_update(of=("self",)), pk=note.pk)
    sight.require(by, "evaluation.write", current.patient)
    operation = drafts.operation_id(operation)
    if operation and (done := NoteOperation.objects.filter(operation=operation).first()):
        if done.note_id != current.pk:
            raise RuleBroken("This operation belongs to another note.", code="operation_reused", status=422)
        note.version = current.version
        return done.answer
    drafts.check_open(current, version, "note")
    if version != current.version:
        who = f" by {current.saved_by}" if current.saved_by_id not in {None, by.pk} else ""
        raise RuleBroken(
            f"The note was saved{who} after it was read.",
            code="stale",
            fields={"version": f"It is now {current.version}."},
        )
    kept, faults = note_fields.check(content, current.content)
    if faults:
        raise _invalid(faults)
    before = current.content
    current.content = note_fields.merged(before, kept)
    if answers := kept.get("safety"):
        red_flags.answer(
            patient=current.patient, evaluation=None, answers=answers, by=by, before=before.get("safety", {})
        )
    _refuse_forbidden(current.patient, before, current.content)
    _refuse_alone(current, before)
    if current.content != before:
        current.version, current.saved_by = current.version + 1, by
        current.save(update_fields=["content", "version", "saved_by"])
        audit.record("visit_note.saved", on=current, by=by, fields=sorted(kept))
    if not operation:  # what saved itself may be a slip: it opens one after a grace
        incidents.open_if_serious(current, by=by)
    for name in ("content", "version", "saved_by"):
        setattr(note, name, getattr(current, name))
    last = last_signed(current)
    answer = {
        "id": current.pk,
        "version": current.version,
        "saved_at": times.local(times.now(), current.location.time_zone).isoformat(),
        "kept": {code: current.content.get(code) for code in kept},
        "open_red_flags": [event.code for event in red_flags.open_events(current.patient)],
        "part": note_fields.letters(current.content, established=last is not None),
        "is_copied": note_fields.is_copied(current.content, last.content if last else {}),
    }
    if operation:
        NoteOperation.objects.create(note=current, operation=operation, answer=answer)
    return answer


def last_signed(note: VisitNote) -> VisitNote | None:
    """The signed note of the visit before: what values are carried over from."""
    earlier = VisitNote.objects.filter(
        patient=note.patient_id, signed_at__isnull=False, appointment__starts_at__lt=note.appointment.starts_at
    )
    return earlier.select_related("appointment", "location").order_by("-appointment__starts_at", "-pk").first()


def last_treated(note: VisitNote) -> VisitNote | None:
    """The signed note of the last visit before at which something was done, and not only checked."""
    earlier = VisitNote.objects.filter(
        patient=note.patient_id, signed_at__isnull=False, appointment__starts_at__lt=note.appointment.starts_at
    ).select_related("appointment", "location")
    rows = earlier.order_by("-appointment__starts_at", "-pk")
    return next((row for row in rows[:LOOKED_BACK] if not row.content.get("not_adjusted")), None)


def standing_restrictions(patient: Patient) -> list[str]:
    """Those of resolved red flags and those of the plan that runs."""
    return sorted({*restrictions.of(patient), *running_plans.of(patient).restrictions})


def needs_guardian(note: VisitNote) -> bool:
    """Whether a guardian has to be there: by the rule of the state, or as a restriction (reference 4.5, 4.7)."""
    rule = guardian_rules.of(note.location.state)
    is_minor = rule.needs_guardian(note.patient.age_on(note.day))
    return is_minor or "guardian_present" in standing_restrictions(note.patient)


def care_in(content: dict) -> list[str]:
    """The interventions that the note names."""
    return [code for code in (content.get("technique"), *content.get("adjuncts", ())) if code]


def forbidden(codes: Iterable[str], standing: Iterable[str]) -> dict[str, str]:
    """The sentence that refuses it, by intervention."""
    held = list(standing)
    return {
        code: f"{interventions.label_of(code)} is forbidden: {interventions.restriction_label(name)}."
        for code in codes
        if (name := interventions.forbidding(code, held))
    }


def _refuse_forbidden(patient, before, now):
    """Only what is new: a flag that is raised later does not undo what was done before it."""
    new = sorted(code for code in care_in(now) if code not in care_in(before))
    told = [code for code in note_fields.OF_AN_ADJUSTMENT if now.get(code) and now[code] != before.get(code)]
    if not new and not told:
        return
    where = {code: "content.technique" if code == now.get("technique") else "content.adjuncts" for code in new}
    touching = [code for code in new if interventions.KNOWN[code].force in interventions.NECK_CARE]
    neck = {where[code]: interventions.label_of(code) for code in touching}
    neck |= {f"content.{code}": note_fields.FIELDS[code].label for code in told}
    if neck and (flags := red_flags.blocks_care(patient)):
        raise _blocked(flags, neck)
    standing = standing_restrictions(patient)
    refused = {where[code]: text for code, text in forbidden(new, standing).items()}
    if restrictions.NO_MANUAL_CARE in standing:
        why = interventions.restriction_label(restrictions.NO_MANUAL_CARE)
        refused |= {f"content.{code}": f"{note_fields.FIELDS[code].label} is forbidden: {why}." for code in told}
    if refused:
        raise RuleBroken(" ".join(refused.values()), code="intervention_forbidden", fields=refused)


def _blocked(flags, neck) -> RuleBroken:
    """Names each field that tells of care of the neck, and the flag that stands against it, the gravest first."""
    asked = [flag for flag in flags if flag.answer != red_flags.NOT_ASKED]
    if asked:
        gravest = min(asked, key=lambda flag: list(red_flags.RESOLUTIONS).index(flag.tier))
        code, why = "red_flag_open", f"“{gravest.label}” is not resolved."
    else:
        code, why = "red_flags_unanswered", f"{len(flags)} safety questions were never asked. Evaluate first."
    fields = {field: f"No {label}: {why}" for field, label in neck.items()}
    return RuleBroken(f"No {', '.join(neck.values())}: {why}", code=code, fields=fields)


def _refuse_alone(note: VisitNote, before: dict) -> None:
    """Of a child whose guardian is said not to be there the neck is not treated."""
    if note.content.get("guardian") is not False or not needs_guardian(note):
        return
    new = [code for code in care_in(note.content) if code not in care_in(before)]
    if touching := [code for code in new if interventions.KNOWN[code].force in interventions.NECK_CARE]:
        message = f"No {interventions.label_of(touching[0])}: no guardian is present."
        raise RuleBroken(message, code="guardian_missing", fields={"content.guardian": message})


def _invalid(faults):
    fields = {f"content.{code}" if code else "content": text for code, text in faults.items()}
    labels = {code: note_fields.FIELDS[code].label for code in faults if code in note_fields.FIELDS}
    detail = " ".join(f"{labels.get(code, code or 'content')}: {text}" for code, text in list(faults.items())[:5])
    return RuleBroken(detail, code="invalid_note", fields=fields, status=400)
