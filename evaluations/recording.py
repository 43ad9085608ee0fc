"""Starting an evaluation and saving what was found: with finding_rows the only writer of what is not yet signed.

A save is whole or not at all, is refused when somebody else saved in between, and is applied once however often it
is sent.
"""

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404

from appointments.models import Appointment
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from evaluations import catalogue, clusters, consistency, finding_rows, imaging, listings, measures, results, summary
from evaluations.entry import checking, drafts, normals, saved_meanwhile
from evaluations.entry.checking import Checked
from evaluations.models import Evaluation, SaveOperation
from evaluations.readings import Readings
from evaluations.safety import automatic_flags, deferring, red_flags
from locations import access
from locations.models import Location
from patients import intake, sight, treatment
from patients.models import Patient

LONGEST_DAY = 86_400
PRESSED_TWICE = timedelta(seconds=30)


@transaction.atomic
def start(
    *,
    patient: Patient,
    location: Location,
    by: User,
    appointment: Appointment | None = None,
    kind: str | None = None,
) -> Evaluation:
    """Begin, or give back the one that the visit already has. A re-evaluation when one was signed before.

    Without a visit, a second press of the button gives back what the first one began.
    """
    access.require(by, "evaluation.write", location)
    sight.require(by, "evaluation.write", patient)
    # The patient's row is the lock: two starts of one visit at once become one evaluation.
    Patient.objects.select_for_update().get(pk=patient.pk)
    if appointment is not None:
        if appointment.patient_id != patient.pk:
            message = "The visit is another patient's."
            raise RuleBroken(message, code="other_patient", fields={"appointment": message}, status=400)
        begun = Evaluation.objects.filter(appointment=appointment).select_related("withdrawal").first()
        if begun is not None and not begun.is_entered_in_error:
            return begun
        if begun is not None:
            appointment = None  # what was signed keeps its visit, also in error
            if instead := _begun_instead(begun):
                return instead
    elif pressed := _just_begun(patient, location, by):
        return pressed
    if kind is None:
        before = patient.evaluations.in_force().exists()
        kind = Evaluation.Kind.REEVALUATION if before else Evaluation.Kind.INITIAL
    evaluation = Evaluation.objects.create(
        patient=patient, appointment=appointment, location=location, kind=kind, started_by=by, started_at=times.now()
    )
    audit.record("evaluation.started", on=evaluation, by=by)
    flags = automatic_flags.flags_of([], age=evaluation.age, strengths_before={})
    flags |= automatic_flags.flags_of_intake(intake.answers_of(patient))
    red_flags.raise_automatic(evaluation, flags, by=by)
    return evaluation


def _begun_instead(wrong: Evaluation) -> Evaluation | None:
    """The evaluation that was begun for the same visit after the first was entered in error."""
    since = wrong.patient.evaluations.filter(appointment=None, location=wrong.location_id, withdrawal=None)
    return since.filter(started_at__gte=wrong.withdrawal.at).order_by("started_at", "pk").first()


def _just_begun(patient, location, by) -> Evaluation | None:
    """The same button pressed twice: begun a moment ago by the same person, and nothing in it yet."""
    since = times.now() - PRESSED_TWICE
    own = patient.evaluations.filter(location=location, started_by=by, appointment=None, started_at__gt=since)
    untouched = own.filter(version=0, signed_at=None, status=Evaluation.Status.IN_PROGRESS)
    return untouched.exclude(red_flag_answers__is_automatic=False).first()


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

    Raises RuleBroken: `invalid_finding` (400) naming each field, `stale` with both versions when `version` is not the
    current one (`saved_meanwhile`), `signed`. The same `operation` again gives the first answer and changes nothing.
    """
    operation = drafts.operation_id(operation)
    current = _held(evaluation, operation, by=by)
    if current.done or (operation and current.version != version and _was_done(operation)):
        return _again(evaluation, current, operation)
    drafts.check_open(current, version, "evaluation")
    if version != current.version:
        raise saved_meanwhile.refusal(
            current, by=by, findings=findings, answers=answers, outcomes=outcomes, conclusion=conclusion
        )
    stored = finding_rows.recorded(current)
    checked = _checked(current, findings, stored)
    now = finding_rows.with_changes(stored, checked)
    current.measures = measures.applied({} if outcomes is None else outcomes, current.measures)
    if conclusion is not None:
        current.conclusion = measures.check_conclusion(conclusion)
    seconds, current.section_seconds = current.section_seconds, clocks(current.section_seconds, section_seconds)
    if checked or answers or outcomes or conclusion is not None or seconds != current.section_seconds:
        current.version += 1
    current.save(update_fields=["measures", "conclusion", "section_seconds", "version"])
    finding_rows.write(current, checked, by=by, stored=stored)
    if checked:
        _raise_flags(current, stored, checked, now, by=by)
    if changed := _changed(checked, outcomes, conclusion):
        audit.record("evaluation.saved", on=current, by=by, **changed)
    if answers is not None:
        red_flags.answer_held(current, answers, by=by)
    for name in ("version", "measures", "conclusion", "section_seconds"):
        setattr(evaluation, name, getattr(current, name))
    saved = {
        "id": current.pk,
        "version": current.version,
        "saved_at": times.local(times.now(), current.location.time_zone).isoformat(),
        "saved": len(checked),
        "kept": [finding_rows.as_sent(one) for one in checked],
        "warnings": _warnings(current, checked, now),
    }
    if operation:
        # Who sends the same at the same time waits for the evaluation, and then has an old version.
        SaveOperation.objects.bulk_create(
            [SaveOperation(evaluation=current, operation=operation, answer=saved)], ignore_conflicts=True
        )
    return saved | _as_it_stands(current, now)


def _held(evaluation, operation, *, by) -> Evaluation:
    """The evaluation as it is now, locked until COMMIT; `done` says whether the operation was applied before.

    One query for all that a save asks first, since a page saves every few seconds. That the user may is asked as in
    `sight.require`: the examination itself ties the patient to its place for a year (`ties.py`).
    """
    places = access.location_ids(by, "evaluation.write")
    known = Patient.locations.through.objects.filter(patient=OuterRef("patient"))
    rows = Evaluation.objects.select_related("patient", "location").annotate(
        is_known=Exists(known if places is None else known.filter(location__in=places)),
        done=Exists(SaveOperation.objects.filter(operation=operation)),
    )
    current = get_object_or_404(rows.select_for_update(of=("self",)), pk=evaluation.pk)
    is_here = places is None or current.location_id in places
    if not (is_here and current.is_known and times.now() - current.started_at < treatment.REACH):
        sight.require(by, "evaluation.write", current.patient)
    return current


def _was_done(operation) -> bool:
    """Asked once more with the evaluation locked: the same may have been sent twice at the same time."""
    return SaveOperation.objects.filter(operation=operation).exists()


def _again(evaluation, current, operation) -> dict:
    """The answer of a save that was applied already, with what follows from the evaluation now."""
    done = SaveOperation.objects.get(operation=operation)
    if done.evaluation_id != current.pk:
        raise RuleBroken("This operation belongs to another evaluation.", code="operation_reused", status=422)
    evaluation.version = current.version
    return done.answer | _as_it_stands(current, finding_rows.recorded(current))


def _as_it_stands(current, findings) -> dict:
    events = red_flags.open_events(current.patient)
    return {
        "open_red_flags": [event.code for event in events],
        "raised": red_flags.raised_in(current) if events else [],
        "emergencies": red_flags.emergencies_of(events),
        **results.of(findings, current.measures, summary.who(current)),
    }


def _changed(checked, outcomes, conclusion) -> dict:
    """What a save was about, for the audit log: names, never values."""
    found = {"codes": sorted({one.code for one in checked}), "measures": sorted(outcomes or ())}
    return {name: some for name, some in found.items() if some} | ({} if conclusion is None else {"conclusion": True})


def _raise_flags(evaluation, stored, checked, now, *, by):
    """Raise what follows from the values now; what followed before this save only if it is told anew."""
    weak = automatic_flags.weak_places(now) | automatic_flags.weak_places(stored)
    known = finding_rows.last_known(evaluation, automatic_flags.STRENGTH, weak) if weak else {}

    def flags_of(findings):
        return automatic_flags.flags_of(findings, age=evaluation.age, strengths_before=known)

    if flags := flags_of(now):
        values = {one.key: one.value for one in stored}
        changed = [one for one in checked if values.get(one.key) != one.value]
        red_flags.raise_automatic(
            evaluation, flags, by=by, fresh=flags - flags_of(stored), changed=flags_of(changed) - flags_of([])
        )


def _warnings(evaluation, checked, now) -> dict[str, str]:
    """What is asked of values that are kept, by their position: beyond a soft limit, readings that do not agree yet,
    tests that are left out while a red flag is open, films, and a listing against the angles it is made of."""
    done = {one.code for one in checked if one.status == "assessed"}
    left_out = deferring.warning(evaluation, done)
    against = listings.contradiction(Readings(now)) if done & listings.MADE_OF_EACH_OTHER else ""
    asked = {
        n: normals.warning(catalogue.FINDINGS[one.code], one.value)
        or clusters.still_needed(one.code, one.readings)
        or clusters.to_repeat(one.code, one.value, one.readings)
        or automatic_flags.warning(one)
        or (left_out if one.code in deferring.TESTS and one.status == "assessed" else "")
        or (against if one.code in listings.MADE_OF_EACH_OTHER else "")
        or (imaging.warning(evaluation, note=one.note) if imaging.is_film(one.code, one.value) else "")
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


def _checked(evaluation, findings, stored) -> list[Checked]:
    if not isinstance(findings, list) or len(findings) > checking.MOST_FINDINGS:
        message = f"Give a list of at most {checking.MOST_FINDINGS} findings."
        raise RuleBroken(message, code="invalid_finding", fields={"findings": message}, status=400)
    checked, faults = checking.check_all(findings)
    if not faults:
        checked, faults = consistency.settle(checked, stored)
    if faults:
        raise _invalid(faults, findings)
    deferring.refuse(evaluation, checked, stored)
    return checked + finding_rows.other_sides(checked, stored)


def clocks(stored: dict, sent: object) -> dict:
    """The seconds spent on each part once these are told; raises RuleBroken `invalid` (400)."""
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
