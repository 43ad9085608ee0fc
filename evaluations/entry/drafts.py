"""What every draft of a clinical record keeps to: a save names the version it was made on, and is applied once however
often it is sent; whatever is signed later moves the version, so that nobody signs what they did not read. Reads only.
"""

import uuid

from clinic.errors import RuleBroken
from clinic.models import User
from evaluations.models import Evaluation, VisitNote
from patients import sight


def operation_id(operation: uuid.UUID | str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(operation)) if operation is not None else None
    except ValueError:
        message = "Give a UUID."
        raise RuleBroken(message, code="invalid", fields={"operation": message}, status=400) from None


def held(evaluation: Evaluation, *, by: User) -> Evaluation:
    """The evaluation as it is now, locked until COMMIT, for somebody who may change it. Raises RuleBroken `signed`.

    The evaluation is locked before its patient, whoever needs both.
    """
    rows = Evaluation.objects.select_for_update(of=("self",)).select_related("patient", "location")
    current = rows.get(pk=evaluation.pk)
    sight.require(by, "evaluation.write", current.patient)
    refuse_signed(current, "evaluation")
    return current


def refuse_signed(record: Evaluation | VisitNote, what: str) -> None:
    if record.is_signed:
        raise RuleBroken(f"The {what} is signed; write an addendum.", code="signed")


def check_open(record: Evaluation | VisitNote, version: int, what: str) -> None:
    """Raises RuleBroken `signed`, or `invalid` (400) where `version` is no number; `what` is the record in a word."""
    refuse_signed(record, what)
    if isinstance(version, bool) or not isinstance(version, int):
        message = "Give the version that was read."
        raise RuleBroken(message, code="invalid", fields={"version": message}, status=400)
