"""Incidents: who answers for the clinic looks into a serious reaction to treatment, and closes it with what came of it.

The only writer of Incident and IncidentStep. An incident opens by itself when a note says so, and never goes away: a
note that was wrong is a reason to close it. What was typed just now may be a slip, so a value that saved itself opens
one after a short grace (`open_due`), a note that is saved by somebody or signed at once.
"""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import clean_note
from evaluations.models import Incident, IncidentStep, NoteOperation, VisitNote
from locations import access

_S = Incident.Status
SERIOUS = "serious"
GRACE = timedelta(minutes=2)
# The verb, what it is called, from where, and to where it leads.
STEPS = {
    "take_up": ("Look into it", {_S.OPEN}, _S.IN_REVIEW),
    "remark": ("Add a remark", {_S.OPEN, _S.IN_REVIEW}, None),
    "close": ("Close", {_S.OPEN, _S.IN_REVIEW}, _S.CLOSED),
    "reopen": ("Open again", {_S.CLOSED}, _S.IN_REVIEW),
}
WITHOUT_WORDS = {"take_up"}
LONGEST = 5000


def not_closed(user: User) -> QuerySet:
    return Incident.objects.visible_to(user).exclude(status=_S.CLOSED)


def open_if_serious(note: VisitNote, *, by: User) -> Incident | None:
    """Called with the note locked, in the transaction that saved it; a note has one incident at most."""
    if note.content.get("reaction") != SERIOUS:
        return None
    if found := Incident.objects.filter(note=note).first():
        return found
    incident = Incident.objects.create(
        patient=note.patient, note=note, location=note.location, opened_by=by, opened_at=times.now()
    )
    _record(incident, "opened", "", by)
    return incident


def open_due() -> list[Incident]:
    """Open those of notes that have said so for the grace. Safe to run at any time and by several at once."""
    waiting = VisitNote.objects.filter(signed_at=None, incident=None, content__reaction=SERIOUS)
    return [found for pk in waiting.order_by("pk").values_list("pk", flat=True) if (found := _open_settled(pk))]


@transaction.atomic
def _open_settled(pk: int) -> Incident | None:
    note = VisitNote.objects.select_for_update(of=("self",)).select_related("patient", "location").get(pk=pk)
    typed = NoteOperation.objects.filter(note=note, answer__kept__has_key="reaction").order_by("-pk").first()
    if typed and typed.at > times.now() - GRACE:
        return None
    return open_if_serious(note, by=note.saved_by or note.started_by)


def open_later(note: VisitNote, text: str, *, by: User) -> Incident:
    """For a serious reaction that showed after the note was signed, in the words of its addendum; in its transaction.
    Where the note has an incident it goes on, also when that was closed.
    """
    found = Incident.objects.select_for_update().filter(note=note).first()
    if found is None:
        found = Incident.objects.create(
            patient=note.patient, note=note, location=note.location, opened_by=by, opened_at=times.now()
        )
        _record(found, "opened", text, by)
        return found
    step = "reopen" if found.is_closed else "remark"
    if found.is_closed:
        found.status = _S.IN_REVIEW
        found.save(update_fields=["status"])
    _record(found, step, text, by)
    return found


def steps_for(incident: Incident, user: User) -> list[tuple[str, str, bool]]:
    """(verb, label, whether words are needed) of what this person may do now."""
    if not access.can(user, "incident.change", incident.location):
        return []
    return [
        (name, label, name not in WITHOUT_WORDS)
        for name, (label, leads_from, _) in STEPS.items()
        if incident.status in leads_from
    ]


@transaction.atomic
def take(step: str, incident: Incident, *, by: User, text: str = "") -> Incident:
    """Take a step. Raises RuleBroken `wrong_status`, or `invalid` (400) where words are missing."""
    if not Incident.objects.visible_to(by).filter(pk=incident.pk).exists():
        raise Http404
    access.require(by, "incident.change", incident.location)
    fresh = Incident.objects.select_for_update().get(pk=incident.pk)
    _, leads_from, leads_to = STEPS[step]
    if fresh.status not in leads_from:
        raise RuleBroken(f"The incident is already {fresh.get_status_display().lower()}.", code="wrong_status")
    _check(text, needed=step not in WITHOUT_WORDS)
    if leads_to:
        fresh.status = leads_to
        fresh.save(update_fields=["status"])
    _record(fresh, step, text.strip(), by)
    incident.status = fresh.status
    return incident


def _record(incident, step, text, by):
    IncidentStep.objects.create(
        incident=incident, step=step, to_status=incident.status, text=text, by=by, at=times.now()
    )
    audit.record(f"incident.{step}", on=incident, by=by)


def _check(text, *, needed):
    fault = ""
    if not isinstance(text, str) or len(text) > LONGEST:
        fault = f"Give text of at most {LONGEST} characters."
    elif needed and not text.strip():
        fault = "Say it in words: this is kept."
    else:
        try:
            clean_note(text)
        except ValidationError as error:
            fault = error.messages[0]
    if fault:
        raise RuleBroken(fault, code="invalid", fields={"text": fault}, status=400)
