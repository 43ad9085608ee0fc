"""Findings as rows and back as they were sent: the only writer of Finding."""

import json
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from clinic import plain_sql, times
from clinic.models import User
from evaluations import catalogue
from evaluations.entry import both_sides
from evaluations.entry.checking import Checked
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


class Recorded(NamedTuple):
    """What a row of Finding says, without the weight of a model: an autosave reads hundreds of them."""

    pk: int
    version: int
    key: tuple[str, str]
    code: str
    qualifier_key: str
    status: str
    value: object
    direction: str
    readings: list[int] | None = None

    @property
    def qualifiers(self) -> dict[str, str]:
        return _place(self.qualifier_key)


_READ = (
    "SELECT id, version, code, qualifier_key, status, number, text, choices, direction, readings"
    " FROM evaluations_finding WHERE evaluation_id = %s ORDER BY id"
)


def recorded(evaluation: Evaluation) -> list[Recorded]:
    """Everything recorded in the evaluation; one query."""
    found, rows = [], plain_sql.rows(_READ, evaluation.pk)
    for pk, version, code, key, status, number, text, choices, direction, readings in rows:
        value = None
        if status == "assessed":
            value = value_of(catalogue.FINDINGS[code], number, text, choices and json.loads(choices))
        tries = json.loads(readings) if readings else None
        found.append(Recorded(pk, version, (code, key), code, key, status, value, direction, tries))
    return found


def last_known(evaluation: Evaluation, code: str, places: Iterable[str]) -> dict[str, str]:
    """The choice last assessed at each of these places, by its key, in signed evaluations before this one."""
    earlier = Finding.objects.filter(
        evaluation__in=Evaluation.objects.in_force().filter(
            patient=evaluation.patient_id, started_at__lt=evaluation.started_at
        ),
        code=code,
        qualifier_key__in=places,
        status=Finding.Status.ASSESSED,
    )
    return dict(earlier.order_by("evaluation__started_at", "evaluation").values_list("qualifier_key", "text"))


@cache
def _place(qualifier_key: str) -> dict[str, str]:
    """`catalogue.key_of` back; not to be changed by whoever gets it."""
    return dict(pair.split("=") for pair in qualifier_key.split(",")) if qualifier_key else {}


def with_changes(stored: Iterable[Recorded], checked: list[Checked]) -> list[Recorded | Checked]:
    """What is recorded once `checked` is written."""
    found = {one.key: one for one in stored}
    for gone in both_sides.replaced(checked):
        found.pop(gone, None)
    return [*(found | {one.key: one for one in checked}).values()]


def other_sides(checked: list[Checked], stored: Iterable[Recorded]) -> list[Checked]:
    """Of what stands for both sides and is now told for one: the same for the other side, as it was recorded."""
    there, told, found = {row.key: row for row in stored}, {one.key for one in checked}, []
    for one in checked:
        if (both := both_sides.key(one)) not in there:
            continue
        other = both_sides.on_the_other_side(one)
        if (one.code, catalogue.key_of(other)) not in told:
            status, reason, note = Finding.objects.values_list("status", "reason", "note").get(pk=there[both].pk)
            found.append(Checked(one.code, status, other, reason=reason, note=note))
    return found


def unrecorded(evaluation: Evaluation, codes: Iterable[str], *, reason: str) -> list[Checked]:
    """Every place of these findings that has no status yet, as deferred for safety."""
    recorded = set(evaluation.findings.values_list("code", "qualifier_key"))
    return [
        Checked(code, "deferred_unsafe", place, reason=reason)
        for code in codes
        for place in catalogue.FINDINGS[code].places()
        if not recorded & both_sides.keys_at(code, place)
    ]


def write(evaluation: Evaluation, checked: list[Checked], *, by: User, stored: Iterable[Recorded] = ()) -> None:
    """Add or replace. `stored` are the rows that are there; call it with the evaluation locked."""
    if not checked:
        return
    now = times.now()
    known = {row.key: row for row in stored}
    if gone := [known[key].pk for key in both_sides.replaced(checked) if key in known]:
        Finding.objects.filter(pk__in=gone).delete()
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
