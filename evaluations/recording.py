"""Starting an evaluation and saving what was found: with finding_rows the only writer of what is not yet signed.

A save is whole or not at all, is refused when somebody else saved in between, and is applied once however often it
is sent.
"""

import uuid

from django.db import transaction
from django.shortcuts import get_object_or_404

from appointments.models import Appointment
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from evaluations import (
    automatic_flags,
    catalogue,
    checking,
    clusters,
    consistency,
    finding_rows,
    measures,
    normals,
    red_flags,
    results,
    summary,
)
from evaluations.checking import Checked
from evaluations.models import Evaluation, SaveOperation
from locations import access
from locations.models import Location
from patients import intake, sight, treatment
from patients.models import Patient

LONGEST_DAY = 86_400


@transaction.atomic
def start(
    *,
    patient: Patient,
    location: Location,
    by: User,
    appointment: Appointment | None = None,
    kind: str | None = None,
) -> Evaluation:
    """Begin, or give back the one that the visit already has. A re-evaluation when one was signed before."""
    access.require(by, "evaluation.write", location)
    sight.require(by, "evaluation.write", patient)
    # The patient's row is the lock: two starts of one visit at once become one evaluation.
    Patient.objects.select_for_update().get(pk=patient.pk)
    if appointment is not None:
        if appointment.patient_id != patient.pk:
            message = "The visit is another patient's."
            raise RuleBroken(message, code="other_patient", fields={"appointment": message}, status=400)
        if begun := Evaluation.objects.filter(appointment=appointment).first():
            return begun
    if kind is None:
        before = patient.evaluations.filter(signed_at__isnull=False).exists()
        kind = Evaluation.Kind.REEVALUATION if before else Evaluation.Kind.INITIAL
    evaluation = Evaluation.objects.create(
        patient=patient, appointment=appointment, location=location, kind=kind, started_by=by, started_at=times.now()
    )
    audit.record("evaluation.started", on=evaluation, by=by)
    flags = automatic_flags.flags_of([], age=evaluation.age)
    flags |= automatic_flags.flags_of_intake(intake.answers_of(patient))
    red_flags.raise_automatic(evaluation, flags, by=by)
    return evaluation


@transaction.atomic
def save(
    evaluation: Evaluation,
    *,
    findings: list[dict],
    version: int,
    by: User,
    operation: uuid.UUID | str | None = None,
    section_seconds: dict | None = None,
    answers: dict | None = None,
    outcomes: dict | None = None,
    conclusion: str | None = None,
) -> dict:
    """Save findings, red-flag answers, outcome measures and clocks; returns the answer {"version", "saved_at", …} with
    the findings as they are `kept` and what follows from the whole evaluation now (`results.of`).

    Raises RuleBroken: `invalid_finding` (400) naming each field, `stale` when `version` is not the current one,
    `signed`. The same `operation` again gives the first answer and changes nothing.
    """
    rows = Evaluation.objects.select_for_update().select_related("patient", "location")
    current = get_object_or_404(rows, pk=evaluation.pk)
    _require_sight(by, current)
    operation = _operation(operation)
    if operation and (done := SaveOperation.objects.filter(operation=operation).first()):
        if done.evaluation_id != current.pk:
            raise RuleBroken("This operation belongs to another evaluation.", code="operation_reused", status=422)
        evaluation.version = current.version
        return done.answer
    _check_open(current, version)
    stored = finding_rows.recorded(current)
    checked = _checked(findings, stored)
    now = finding_rows.with_changes(stored, checked)
    current.measures = {**current.measures, **measures.check(outcomes or {})}
    if conclusion is not None:
        current.conclusion = measures.check_conclusion(conclusion)
    current.section_seconds = _clocks(current.section_seconds, section_seconds)
    if checked or answers or outcomes or conclusion is not None:
        current.version += 1
    current.save(update_fields=["measures", "conclusion", "section_seconds", "version"])
    finding_rows.write(current, checked, by=by, stored=stored)
    if checked:
        red_flags.raise_automatic(current, automatic_flags.flags_of(now, age=current.age), by=by)
        audit.record("evaluation.saved", on=current, by=by, codes=sorted({one.code for one in checked}))
    if answers is not None:
        red_flags.answer(patient=current.patient, evaluation=current, answers=answers, by=by)
    for name in ("version", "measures", "conclusion", "section_seconds"):
        setattr(evaluation, name, getattr(current, name))
    answer = {
        "id": current.pk,
        "version": current.version,
        "saved_at": times.local(times.now(), current.location.time_zone).isoformat(),
        "saved": len(checked),
        "kept": [finding_rows.as_sent(one) for one in checked],
        "open_red_flags": [event.code for event in red_flags.open_events(current.patient)],
        "warnings": _warnings(checked),
        **results.of(now, current.measures, summary.who(current)),
    }
    if operation:
        SaveOperation.objects.create(evaluation=current, operation=operation, answer=answer)
    return answer


def _require_sight(by, evaluation):
    """As `sight.require`. The examination itself ties the patient to its place for a year (`ties.py`): that is asked
    first, since a page saves every few seconds.
    """
    places = access.location_ids(by, "evaluation.write")
    here = places is None or evaluation.location_id in places
    if here and times.now() - evaluation.started_at < treatment.REACH:
        known = evaluation.patient.locations.through.objects.filter(patient=evaluation.patient_id)
        if places is None or known.filter(location__in=places).exists():
            return
    sight.require(by, "evaluation.write", evaluation.patient)


def _operation(operation):
    try:
        return uuid.UUID(str(operation)) if operation is not None else None
    except ValueError:
        message = "Give a UUID."
        raise RuleBroken(message, code="invalid", fields={"operation": message}, status=400) from None


def _check_open(evaluation, version):
    if evaluation.is_signed:
        raise RuleBroken("The evaluation is signed; write an addendum.", code="signed")
    if isinstance(version, bool) or not isinstance(version, int):
        message = "Give the version that was read."
        raise RuleBroken(message, code="invalid", fields={"version": message}, status=400)
    if version != evaluation.version:
        message = "Somebody saved this evaluation after it was read."
        fields = {"version": f"It is now {evaluation.version}."}
        raise RuleBroken(message, code="stale", fields=fields)


def _warnings(checked) -> dict[str, str]:
    """Values beyond a soft limit and readings that do not agree yet, by their position; they are kept."""
    asked = {
        n: normals.warning(catalogue.FINDINGS[one.code], one.value) or clusters.still_needed(one.readings)
        for n, one in enumerate(checked)
    }
    return {f"findings.{n}.value": text for n, text in asked.items() if text}


def _invalid(faults, findings):
    fields = {f"findings.{where}": text for where, text in faults.items()}
    detail = " ".join(f"{_label(findings, where)}: {text}" for where, text in list(faults.items())[:5])
    return RuleBroken(detail, code="invalid_finding", fields=fields, status=400)


def _label(findings, where):
    """What `3.value` speaks of, in the words of the catalogue."""
    position = where.split(".")[0]
    raw = findings[int(position)] if position.isdecimal() else None
    code = raw.get("code") if isinstance(raw, dict) else None
    return catalogue.FINDINGS[code].label if isinstance(code, str) and code in catalogue.FINDINGS else where


def _checked(findings, stored) -> list[Checked]:
    if not isinstance(findings, list) or len(findings) > checking.MOST_FINDINGS:
        message = f"Give a list of at most {checking.MOST_FINDINGS} findings."
        raise RuleBroken(message, code="invalid_finding", fields={"findings": message}, status=400)
    checked, faults = checking.check_all(findings)
    if not faults:
        checked, faults = consistency.settle(checked, stored)
    if faults:
        raise _invalid(faults, findings)
    return checked


def _clocks(stored, sent):
    if sent is None:
        return stored
    message = "Give whole seconds for each part of the evaluation."
    good = isinstance(sent, dict) and all(
        part in catalogue.PART_BY_CODE and type(seconds) is int and 0 <= seconds <= LONGEST_DAY
        for part, seconds in sent.items()
    )
    if not good:
        raise RuleBroken(message, code="invalid", fields={"section_seconds": message}, status=400)
    # A clock only runs forward, also when an older page reports late.
    return {**stored, **{part: max(seconds, stored.get(part, 0)) for part, seconds in sent.items()}}
