"""What every draft of a clinical record keeps to: a save names the version it was made on, and is applied once however
often it is sent. Reads only.
"""

import uuid

from clinic.errors import RuleBroken
from evaluations.models import Evaluation, VisitNote


def operation_id(operation: uuid.UUID | str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(operation)) if operation is not None else None
    except ValueError:
        message = "Give a UUID."
        raise RuleBroken(message, code="invalid", fields={"operation": message}, status=400) from None


def check_open(record: Evaluation | VisitNote, version: int, what: str) -> None:
    """Raises RuleBroken `signed`, or `invalid` (400) where `version` is no number; `what` is the record in a word."""
    if record.is_signed:
        raise RuleBroken(f"The {what} is signed; write an addendum.", code="signed")
    if isinstance(version, bool) or not isinstance(version, int):
        message = "Give the version that was read."
        raise RuleBroken(message, code="invalid", fields={"version": message}, status=400)
