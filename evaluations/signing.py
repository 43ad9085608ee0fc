"""Signing an evaluation: what is missing, the fingerprint of what was signed, and what is added afterwards.

A signed evaluation never changes; the database refuses it too (`protection.py`).
"""

import hashlib
import json
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import clean_line, clean_note
from evaluations import catalogue, imaging, measures
from evaluations.entry import both_sides
from evaluations.models import Addendum, Evaluation
from evaluations.safety import red_flags
from locations import access
from locations.models import Location
from patients import sight

LONGEST_ADDENDUM, LONGEST_REASON = 10_000, 500


@dataclass(frozen=True)
class Missing:
    """Something not recorded; what `blocks` has to be done before signing."""

    part: str
    text: str
    blocks: bool = False


def missing(evaluation: Evaluation) -> list[Missing]:
    """Unanswered red flags first; they block, unless the evaluation was stopped. Findings only inform, but for films
    that were repeated without a word why."""
    unanswered = red_flags.unanswered(evaluation)
    stopped = evaluation.status == Evaluation.Status.STOPPED
    found = []
    if unanswered:
        text = f"{len(unanswered)} red-flag questions are not answered"
        found.append(Missing("red_flags", text, blocks=not stopped))
    if evaluation.intake is None:
        found.append(Missing("intake", "Intake: not gone through with the patient"))
    rows = list(evaluation.findings.all())
    found += _of_films(evaluation, rows, is_stopped=stopped)
    # Readings that do not agree yet are no value: named here, so that nobody signs over them unawares.
    recorded = {f.key for f in rows if f.status != "not_assessed" or not f.readings}
    for part in catalogue.PARTS:
        entries = [entry for section in part.sections for entry in catalogue.entries_of(section)]
        absent = [entry.label for entry in entries if _is_missing(entry, recorded)]
        if absent:
            found.append(Missing(part.code, f"{part.label}: {', '.join(absent)}"))
    unasked = measures.missing(evaluation.measures, is_first=evaluation.kind == Evaluation.Kind.INITIAL)
    if scores := [measures.label_of(code) for code in unasked]:
        found.append(Missing("outcomes", f"Outcomes: {', '.join(scores)}"))
    if not evaluation.conclusion.strip():
        found.append(Missing("summary", "Summary: no conclusion"))
    return found


def _of_films(evaluation, rows, *, is_stopped) -> list[Missing]:
    """A film without words beside it; one that repeats another is not signed so."""
    is_repeat = evaluation.kind == Evaluation.Kind.REEVALUATION
    films = [one for one in rows if imaging.is_film(one.code, one.value)]
    words = [text for one in films if (text := imaging.words_missing(one.note, is_repeat=is_repeat))]
    found = [Missing("alignment", f"Imaging: {text}", blocks=is_repeat and not is_stopped) for text in words]
    if films and (text := imaging.pregnancy_open(evaluation)):
        found.append(Missing("alignment", f"Imaging: {text}"))
    return found


def _is_missing(entry, recorded):
    for place in entry.places():
        if entry.is_expected(place) and not both_sides.keys_at(entry.code, place) & recorded:
            return True
    return False


_SIGNED = ("status", "signed_by", "signed_at", "ended_at", "age_when_signed", "version", "digest")
FORM = 2  # of the text that is signed; what was signed in an earlier form is checked in that form


def canonical(evaluation: Evaluation, form: int = FORM) -> str:
    """Everything that is signed as one text that is the same on every machine: sorted keys, numbers as digits.

    Since form 2 also when it ended, how old the patient was (results depend on it), and who recorded what when.
    """
    findings = [
        [f.code, f.qualifier_key, f.status, _plain(f.value), f.direction, f.reason, f.note, f.readings]
        + ([f.by_id, _instant(f.at)] if form > 1 else [])
        for f in evaluation.findings.order_by("code", "qualifier_key")
    ]
    answers = evaluation.red_flag_answers.order_by("at", "pk")
    record = {
        "evaluation": evaluation.pk,
        "patient": evaluation.patient_id,
        "appointment": evaluation.appointment_id,
        "location": evaluation.location_id,
        "kind": evaluation.kind,
        "status": evaluation.status,
        "version": evaluation.version,
        "started_at": _instant(evaluation.started_at),
        "started_by": evaluation.started_by_id,
        "signed_at": _instant(evaluation.signed_at),
        "signed_by": evaluation.signed_by_id,
        "measures": evaluation.measures,
        "conclusion": evaluation.conclusion,
        "section_seconds": evaluation.section_seconds,
        "red_flags": [[a.code, a.answer, a.is_automatic] for a in answers],
        "findings": findings,
    }
    if evaluation.intake is not None:
        record["intake"] = evaluation.intake
    if form > 1:
        ended_at = _instant(evaluation.ended_at) if evaluation.ended_at else None
        record |= {"form": form, "ended_at": ended_at, "age": evaluation.age_when_signed}
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _instant(moment):
    return times.local(moment, "UTC").isoformat()


def _plain(value):
    return value if value is None or isinstance(value, bool | int | list) else str(value)


def digest_of(evaluation: Evaluation, form: int = FORM) -> str:
    return hashlib.sha256(canonical(evaluation, form).encode()).hexdigest()


def is_intact(evaluation: Evaluation) -> bool:
    """Whether what stands in the database is still what was signed."""
    if not evaluation.is_signed:
        return False
    return any(digest_of(evaluation, form) == evaluation.digest for form in range(FORM, 0, -1))


@transaction.atomic
def sign(evaluation: Evaluation, *, by: User, version: int | None = None) -> Evaluation:
    """Sign as the clinician `by`, who examined. `version` is the one that was reviewed, where somebody reviewed it.

    Raises RuleBroken `signed`, `not_a_clinician`, `not_the_examiner`, `stale`, `red_flags_unanswered` or
    `films_without_reason`.
    """
    current = Evaluation.objects.select_for_update().select_related("location", "patient").get(pk=evaluation.pk)
    sight.require(by, "evaluation.write", current.patient)
    if current.is_signed:
        raise RuleBroken("The evaluation is signed already.", code="signed")
    check_clinician(by, current.location)
    if current.started_by_id != by.pk and not current.findings.filter(by=by).exists():
        raise RuleBroken("Only who examined the patient signs.", code="not_the_examiner", status=403)
    if version is not None and version != current.version:
        raise RuleBroken("The evaluation was changed after you read it. Look again, then sign.", code="stale")
    if blocking := [m for m in missing(current) if m.blocks]:
        code = "red_flags_unanswered" if blocking[0].part == "red_flags" else "films_without_reason"
        raise RuleBroken(f"{'; '.join(m.text.rstrip('.') for m in blocking)}.", code=code)
    if current.status != Evaluation.Status.STOPPED:
        current.status = Evaluation.Status.SIGNED
    current.age_when_signed = current.age
    current.signed_by, current.signed_at = by, times.now()
    current.ended_at = current.ended_at or current.signed_at
    current.version += 1
    current.digest = digest_of(current)
    current.save(update_fields=_SIGNED)
    audit.record("evaluation.signed", on=current, by=by, digest=current.digest)
    for name in _SIGNED:
        setattr(evaluation, name, getattr(current, name))
    return evaluation


@transaction.atomic
def add(evaluation: Evaluation, *, text: str, reason: str, by: User) -> Addendum:
    """Add to a signed evaluation; the original stays as it was."""
    if not evaluation.is_signed:
        raise RuleBroken("An evaluation that is not signed is changed, not added to.", code="not_signed")
    sight.require(by, "evaluation.amend", evaluation.patient)
    if not hasattr(by, "practitioner"):
        raise PermissionDenied
    check_addendum(text, reason)
    addendum = Addendum.objects.create(evaluation=evaluation, text=text, reason=reason, by=by, at=times.now())
    audit.record("evaluation.added_to", on=evaluation, by=by, addendum=addendum.pk)
    return addendum


def check_clinician(by: User, location: Location) -> None:
    if not hasattr(by, "practitioner") or not access.can(by, "evaluation.sign", location):
        raise RuleBroken("Only a clinician of this location signs.", code="not_a_clinician", status=403)


def check_addendum(text: object, reason: object) -> None:
    """Raises RuleBroken `invalid` (400) naming what is wrong with either."""
    faults = {
        name: fault
        for name, value, longest, clean in (
            ("text", text, LONGEST_ADDENDUM, clean_note),
            ("reason", reason, LONGEST_REASON, clean_line),
        )
        if (fault := fault_of(value, longest, clean))
    }
    if faults:
        raise RuleBroken("; ".join(faults.values()), code="invalid", fields=faults, status=400)


def fault_of(value: object, longest: int, clean) -> str:
    if not isinstance(value, str) or not value.strip():
        return "This is needed."
    if len(value) > longest:
        return f"At most {longest} characters."
    try:
        clean(value)
    except ValidationError as error:
        return error.messages[0]
    return ""
