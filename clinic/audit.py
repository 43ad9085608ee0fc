"""Who saw or changed what. Called by the rule or the view that did it, never by a signal (signals miss bulk writes)."""

from collections.abc import Iterable

from django.db.models import Model

from clinic import times
from clinic.models import AuditEntry


def record(action: str, *, on=None, by=None, patient_id: int | None = None, by_whom: str = "", **detail) -> AuditEntry:
    """Write one entry. `by` is the user; a patient or the system itself is named in `by_whom`."""
    entry = _entry(action, on=on, by=by, patient_id=patient_id, by_whom=by_whom, **detail)
    entry.save(force_insert=True)
    return entry


def record_each(entries: Iterable[tuple[str, Model, dict]], *, by) -> None:
    """An entry for each (action, what it is about, detail), in one statement."""
    AuditEntry.objects.bulk_create(_entry(action, on=on, by=by, **detail) for action, on, detail in entries)


def _entry(action: str, *, on=None, by=None, patient_id: int | None = None, by_whom: str = "", **detail) -> AuditEntry:
    if by is None and not by_whom:
        raise ValueError("An audit entry needs somebody: pass by= or by_whom=.")
    if patient_id is None and on is not None:
        patient_id = on.pk if on._meta.label_lower == "patients.patient" else getattr(on, "patient_id", None)
    return AuditEntry(
        at=times.now(),
        by=by,
        by_whom=by_whom or str(by),
        action=action,
        about=on._meta.label_lower if on is not None else "",
        about_id=on.pk if on is not None else None,
        patient_id=patient_id,
        detail=detail,
    )


def record_all(action: str, rows, *, by) -> None:
    """One entry for each patient of the rows: what a list showed of many at once."""
    by_patient = {}
    for row in rows:
        by_patient.setdefault(row.patient_id, []).append(row.pk)
    about = rows[0]._meta.label_lower if rows else ""
    AuditEntry.objects.bulk_create(
        AuditEntry(
            at=times.now(), by=by, by_whom=str(by), action=action, about=about, patient_id=patient_id,
            detail={"ids": ids},
        )
        for patient_id, ids in by_patient.items()
    )  # fmt: skip
