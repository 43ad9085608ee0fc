"""Findings as rows and back as they were sent: the only writer of Finding."""

from decimal import Decimal

from clinic import times
from clinic.models import User
from evaluations.checking import Checked
from evaluations.models import Evaluation, Finding

_COLUMNS = ["qualifiers", "status", "number", "text", "choices", "direction", "reason", "note", "version", "by", "at"]


def _row(evaluation, one: Checked, by, now) -> Finding:
    value = one.value
    row = Finding(
        evaluation=evaluation,
        code=one.code,
        qualifiers=one.qualifiers,
        qualifier_key=one.key[1],
        status=one.status,
        direction=one.direction,
        reason=one.reason,
        note=one.note,
        by=by,
        at=now,
    )
    if isinstance(value, bool):
        row.text = "yes" if value else "no"
    elif isinstance(value, Decimal):
        row.number = value
    elif isinstance(value, list):
        row.choices = value
    elif value is not None:
        row.text = value
    return row


def write(evaluation: Evaluation, checked: list[Checked], *, by: User, stored: list[Finding] = ()) -> None:
    """Add or replace. `stored` are the rows that are there; call it with the evaluation locked."""
    now = times.now()
    known = {(row.code, row.qualifier_key): row for row in stored}
    new, changed = [], []
    for one in checked:
        row = _row(evaluation, one, by, now)
        if before := known.get(one.key):
            row.pk, row.version = before.pk, before.version + 1
            changed.append(row)
        else:
            new.append(row)
    Finding.objects.bulk_create(new, batch_size=50)
    Finding.objects.bulk_update(changed, _COLUMNS, batch_size=50)


def as_sent(finding: Finding) -> dict:
    """The finding in the shape of the API. A decimal has its places again: 168.0 comes back as 168.0."""
    value = finding.value
    sent = {
        "code": finding.code,
        "qualifiers": finding.qualifiers,
        "status": finding.status,
        # A float here prints the very digits of the Decimal: all steps have at most two places.
        "value": float(value) if isinstance(value, Decimal) else value,
        "reason": finding.reason,
        "note": finding.note,
    }
    if finding.direction:
        sent["direction"] = finding.direction
    return sent
