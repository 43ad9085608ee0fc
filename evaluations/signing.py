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
from evaluations import catalogue, red_flags
from evaluations.models import Addendum, Evaluation
from locations import access
from patients import sight

LONGEST_ADDENDUM, LONGEST_REASON = 10_000, 500


@dataclass(frozen=True)
class Missing:
    """Something not recorded; what `blocks` has to be done before signing."""

    part: str
    text: str
    blocks: bool = False


def missing(evaluation: Evaluation) -> list[Missing]:
    """Unanswered red flags first; they block, unless the evaluation was stopped. Findings only inform."""
    unanswered = red_flags.unanswered(evaluation)
    stopped = evaluation.status == Evaluation.Status.STOPPED
    found = []
    if unanswered:
        text = f"{len(unanswered)} red-flag questions are not answered"
        found.append(Missing("red_flags", text, blocks=not stopped))
    if evaluation.intake is None:
        found.append(Missing("intake", "Intake: not gone through with the patient"))
    recorded = {(finding.code, finding.qualifier_key) for finding in evaluation.findings.all()}
    for part in catalogue.PARTS:
        entries = [entry for section in part.sections for entry in catalogue.entries_of(section)]
        absent = [entry.label for entry in entries if _is_missing(entry, recorded)]
        if absent:
            found.append(Missing(part.code, f"{part.label}: {', '.join(absent)}"))
    return found


def _is_missing(entry, recorded):
    for place in entry.places():
        both_sides = {name: value for name, value in place.items() if name != "side"}
        keys = {(entry.code, catalogue.key_of(place)), (entry.code, catalogue.key_of(both_sides))}
        if entry.is_expected(place) and not keys & recorded:
            return True
    return False


def canonical(evaluation: Evaluation) -> str:
    """Everything that is signed as one text that is the same on every machine: sorted keys, numbers as digits."""
    findings = [
        [f.code, f.qualifier_key, f.status, _plain(f.value), f.direction, f.reason, f.note, f.readings]
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
        "started_at": times.local(evaluation.started_at, "UTC").isoformat(),
        "started_by": evaluation.started_by_id,
        "signed_at": times.local(evaluation.signed_at, "UTC").isoformat(),
        "signed_by": evaluation.signed_by_id,
        "measures": evaluation.measures,
        "conclusion": evaluation.conclusion,
        "section_seconds": evaluation.section_seconds,
        "red_flags": [[a.code, a.answer, a.is_automatic] for a in answers],
        "findings": findings,
    }
    if evaluation.intake is not None:
        record["intake"] = evaluation.intake
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(value):
    return value if value is None or isinstance(value, bool | int | list) else str(value)


def digest_of(evaluation: Evaluation) -> str:
    return hashlib.sha256(canonical(evaluation).encode()).hexdigest()


def is_intact(evaluation: Evaluation) -> bool:
    """Whether what stands in the database is still what was signed."""
    return evaluation.is_signed and digest_of(evaluation) == evaluation.digest


@transaction.atomic
def sign(evaluation: Evaluation, *, by: User, version: int | None = None) -> Evaluation:
    """Sign as the clinician `by`, who examined. `version` is the one that was reviewed, where somebody reviewed it.

    Raises RuleBroken `signed`, `not_a_clinician`, `not_the_examiner`, `stale` or `red_flags_unanswered`.
    """
    current = Evaluation.objects.select_for_update().select_related("location", "patient").get(pk=evaluation.pk)
    sight.require(by, "evaluation.write", current.patient)
    if current.is_signed:
        raise RuleBroken("The evaluation is signed already.", code="signed")
    if not hasattr(by, "practitioner") or not access.can(by, "evaluation.sign", current.location):
        raise RuleBroken("Only a clinician of this location signs.", code="not_a_clinician", status=403)
    if current.started_by_id != by.pk and not current.findings.filter(by=by).exists():
        raise RuleBroken("Only who examined the patient signs.", code="not_the_examiner", status=403)
    if version is not None and version != current.version:
        raise RuleBroken("The evaluation was changed after you read it. Look again, then sign.", code="stale")
    blocking = [m.text for m in missing(current) if m.blocks]
    if blocking:
        raise RuleBroken(f"{'; '.join(blocking)}.", code="red_flags_unanswered")
    if current.status != Evaluation.Status.STOPPED:
        current.status = Evaluation.Status.SIGNED
    current.signed_by, current.signed_at = by, times.now()
    current.ended_at = current.ended_at or current.signed_at
    current.version += 1
    current.digest = digest_of(current)
    current.save(update_fields=["status", "signed_by", "signed_at", "ended_at", "version", "digest"])
    audit.record("evaluation.signed", on=current, by=by, digest=current.digest)
    for name in ("status", "signed_by", "signed_at", "ended_at", "version", "digest"):
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
    faults = {
        name: fault
        for name, value, longest, clean in (
            ("text", text, LONGEST_ADDENDUM, clean_note),
            ("reason", reason, LONGEST_REASON, clean_line),
        )
        if (fault := _fault(value, longest, clean))
    }
    if faults:
        raise RuleBroken("; ".join(faults.values()), code="invalid", fields=faults, status=400)
    addendum = Addendum.objects.create(evaluation=evaluation, text=text, reason=reason, by=by, at=times.now())
    audit.record("evaluation.added_to", on=evaluation, by=by, addendum=addendum.pk)
    return addendum


def _fault(value, longest, clean):
    if not isinstance(value, str) or not value.strip():
        return "This is needed."
    if len(value) > longest:
        return f"At most {longest} characters."
    try:
        clean(value)
    except ValidationError as error:
        return error.messages[0]
    return ""
