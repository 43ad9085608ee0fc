"""Declaring an evaluation entered in error: recorded about the wrong patient, or not about what it says.

What was signed stays as it was signed and can be read; the declaration stands beside it, and from then on nothing is
compared with the evaluation, planned from it or carried forward. A draft is closed as it stands.
"""

from django.db import transaction

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import clean_line
from evaluations import signing
from evaluations.models import Evaluation, Withdrawal
from patients import sight

LEAST_REASON = 10
_CLOSED = (
    "status", "appointment", "signed_by", "signed_at", "ended_at", "age_when_signed", "version", "digest",
)  # fmt: skip


@transaction.atomic
def withdraw(evaluation: Evaluation, *, reason: str, confirmed: bool, version: int, by: User) -> Withdrawal:
    """Declare it entered in error for good, as a clinician of its location.

    `confirmed` says that somebody looked a second time, at the `version` that was read.

    Flags that it raised stay open until each is resolved. Raises RuleBroken `entered_in_error`, `not_a_clinician`,
    `stale`, or `invalid` (400) naming `reason`, `confirmed` or `version`.
    """
    current = Evaluation.objects.select_for_update().select_related("location", "patient").get(pk=evaluation.pk)
    sight.require(by, "evaluation.write", current.patient)
    if current.is_entered_in_error:
        raise RuleBroken("It was entered in error already.", code="entered_in_error")
    signing.check_clinician(by, current.location)
    _check(reason, confirmed, version)
    if version != current.version:
        raise RuleBroken("The evaluation was changed after you read it. Look again.", code="stale")
    visit = current.appointment_id
    if not current.is_signed:
        _close(current, by)
    withdrawal = Withdrawal.objects.create(evaluation=current, reason=reason.strip(), by=by, at=times.now())
    audit.record("evaluation.entered_in_error", on=current, by=by, reason=withdrawal.reason, appointment=visit)
    evaluation.refresh_from_db(fields=_CLOSED)
    return withdrawal


def _check(reason, confirmed, version):
    faults = {}
    if not isinstance(reason, str) or len(reason.strip()) < LEAST_REASON:
        faults["reason"] = f"Say why, in at least {LEAST_REASON} characters."
    elif fault := signing.fault_of(reason, signing.LONGEST_REASON, clean_line):
        faults["reason"] = fault
    if confirmed is not True:
        faults["confirmed"] = "Look again, and confirm that it is not about this patient or not true."
    if isinstance(version, bool) or not isinstance(version, int):
        faults["version"] = "Give the version that was read."
    if faults:
        raise RuleBroken(" ".join(faults.values()), code="invalid", fields=faults, status=400)


def _close(draft: Evaluation, by: User) -> None:
    """As it stands, unfinished; its visit is free for the evaluation that belongs there."""
    draft.status, draft.appointment = Evaluation.Status.ENTERED_IN_ERROR, None
    draft.age_when_signed = draft.age
    draft.signed_by, draft.signed_at = by, times.now()
    draft.ended_at = draft.ended_at or draft.signed_at
    draft.version += 1
    draft.digest = signing.digest_of(draft)
    draft.save(update_fields=_CLOSED)
