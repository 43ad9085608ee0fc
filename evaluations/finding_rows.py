"""Findings as rows and back as they were sent: the only writer of Finding."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from clinic import times
from clinic.models import User
from evaluations import catalogue
from evaluations.checking import Checked
from evaluations.models import Evaluation, Finding, value_of

_COLUMNS = [
    "qualifiers",
    "status",
    "number",
    "text",
    "choices",
    "readings",
    "direction",
    "reason",
    "note",
    "version",
    "by",
    "at",
]


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
        readings=list(one.readings) or None,
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


FEW = 4  # up to here single statements are faster than one for all


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a row of Finding says, without the weight of a model: an autosave reads hundreds of them."""

    pk: int
    version: int
    code: str
    qualifier_key: str
    status: str
    value: object
    direction: str

    @property
    def key(self) -> tuple[str, str]:
        return self.code, self.qualifier_key

    @property
    def qualifiers(self) -> dict[str, str]:
        return _place(self.qualifier_key)


def recorded(evaluation: Evaluation) -> list[Recorded]:
    """Everything recorded in the evaluation; one query."""
    columns = "pk", "version", "code", "qualifier_key", "status", "number", "text", "choices", "direction"
    found = []
    for pk, version, code, key, status, number, text, choices, direction in evaluation.findings.values_list(*columns):
        value = value_of(catalogue.FINDINGS[code], number, text, choices) if status == "assessed" else None
        found.append(Recorded(pk, version, code, key, status, value, direction))
    return found


@cache
def _place(qualifier_key: str) -> dict[str, str]:
    """`catalogue.key_of` back; not to be changed by whoever gets it."""
    return dict(pair.split("=") for pair in qualifier_key.split(",")) if qualifier_key else {}


def with_changes(stored: Iterable[Recorded], checked: list[Checked]) -> list[Recorded | Checked]:
    """What is recorded once `checked` is written."""
    return [*({one.key: one for one in stored} | {one.key: one for one in checked}).values()]


def write(evaluation: Evaluation, checked: list[Checked], *, by: User, stored: Iterable[Recorded] = ()) -> None:
    """Add or replace. `stored` are the rows that are there; call it with the evaluation locked."""
    if not checked:
        return
    now = times.now()
    known = {row.key: row for row in stored}
    new, changed = [], []
    for one in checked:
        row = _row(evaluation, one, by, now)
        if before := known.get(one.key):
            row.pk, row.version = before.pk, before.version + 1
            changed.append(row)
        else:
            new.append(row)
    if new:
        Finding.objects.bulk_create(new, batch_size=50)
    if len(changed) > FEW:
        Finding.objects.bulk_update(changed, _COLUMNS, batch_size=50)
    else:
        for row in changed:
            row.save(update_fields=_COLUMNS)


def as_sent(finding: Finding | Checked) -> dict:
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
    if finding.readings:
        sent["readings"] = list(finding.readings)
    return sent
