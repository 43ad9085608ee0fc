"""The headache diary as rows: entries in and out in the shape of a chart file, and the only writer of its tables."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from clinic import times
from patients import headache_days
from patients.headache_days import Attack
from patients.models import DiaryEntry, DiaryWindow, Patient

FEATURES = ("unilateral", "pulsating", "worse_with_activity", "nausea", "vomiting", "photophobia", "phonophobia")
_COLUMNS = {"onset", "end", "peak", "side", *FEATURES, "aura_minutes", "meds", "date", "no_headache"}
COUNTS = ("recorded_days", "headache_days", "migraine_days", "acute_med_days", "neck_start_days")
_WORKED_OUT = {"expected", "derived"}  # results in a file are worked out anew


def faults(diary: dict, zone: str, *, at: str) -> dict[str, str]:
    """What no schema sees: instants in order, offsets of the patient's zone, one answer a day."""
    found, free = {}, set()
    for n, entry in enumerate(diary.get("entries", [])):
        where = f"{at}.entries[{n}]"
        if entry.get("no_headache"):
            if "onset" in entry or "date" not in entry:
                found[where] = "A day without headache has a date and no onset."
            elif entry["date"] in free:
                found[f"{where}.date"] = "This day is given twice."
            free.add(entry.get("date"))
            continue
        if not entry.get("onset"):
            found[f"{where}.onset"] = "A headache has an onset; a day without one says no_headache."
            continue
        found |= _instant_faults(entry, zone, where)
    for n, span in enumerate(diary.get("windows", [])):
        if span["end"] < span["start"]:
            found[f"{at}.windows[{n}].end"] = "The window ends before it starts."
    return found


def _instant_faults(entry, zone, where):
    onset = datetime.fromisoformat(entry["onset"])
    end = datetime.fromisoformat(entry["end"]) if entry.get("end") else None
    found = {}
    if end is not None and end <= onset:
        found[f"{where}.end"] = "The headache ends after its onset."
    elif end is not None and (end - onset).total_seconds() > headache_days.LONGEST_HOURS * 3600:
        found[f"{where}.end"] = f"At most {headache_days.LONGEST_HOURS} hours after the onset."
    for name, moment in (("onset", onset), ("end", end)):
        if moment and times.local(moment, zone).utcoffset() != moment.utcoffset():
            found[f"{where}.{name}"] = f"The offset is not that of {zone} at that time."
    return found


@transaction.atomic
def add(patient: Patient, diary: dict, *, zone: str) -> None:
    """Write what a chart file's diary holds; it was checked by `faults` before."""
    now = times.now()
    DiaryEntry.objects.bulk_create(_entry(patient, one, zone, now) for one in diary.get("entries", []))
    DiaryWindow.objects.bulk_create(
        DiaryWindow(
            patient=patient,
            starts_on=span["start"],
            ends_on=span["end"],
            origin=span.get("origin", DiaryWindow.Origin.PAPER),
            counts={name: value for name, value in span.items() if name not in {"start", "end", "origin"}},
        )
        for span in diary.get("windows", [])
    )


def _entry(patient, one, zone, now) -> DiaryEntry:
    details = {name: value for name, value in one.items() if name not in _COLUMNS | _WORKED_OUT}
    entry = DiaryEntry(patient=patient, time_zone=zone, entered_at=now, details=details)
    if one.get("no_headache"):
        entry.no_headache, entry.local_date = True, date.fromisoformat(one["date"])
        return entry
    entry.onset_at = datetime.fromisoformat(one["onset"])
    entry.ended_at = datetime.fromisoformat(one["end"]) if one.get("end") else None
    entry.local_date = times.day_of(entry.onset_at, zone)
    entry.peak, entry.aura_minutes, entry.side = one.get("peak"), one.get("aura_minutes"), one.get("side") or ""
    entry.medications = one.get("meds") or []
    for name in FEATURES:
        setattr(entry, name, one.get(name))
    return entry


def attack_of(entry: DiaryEntry) -> Attack:
    """For the counting. One-sided may be said by itself or by the side."""
    unilateral = entry.unilateral
    if unilateral is None and entry.side in {"left", "right", "both", "shifts"}:
        unilateral = entry.side in {"left", "right"}
    return Attack(
        onset=entry.onset_at,
        end=entry.ended_at,
        peak=entry.peak,
        unilateral=unilateral,
        aura_minutes=entry.aura_minutes,
        medication=tuple((drug["class"], drug["doses"]) for drug in entry.medications),
        **{name: getattr(entry, name) for name in FEATURES if name != "unilateral"},
    )


def as_file(patient: Patient) -> dict:
    """The diary in the shape of a chart file, each headache with its `derived` days and minutes."""
    return {
        "windows": [
            {"start": span.starts_on.isoformat(), "end": span.ends_on.isoformat(), **span.counts, **_origin(span)}
            for span in patient.diary_windows.all()
        ],
        "entries": [_as_file(entry) for entry in patient.diary_entries.order_by("pk")],
    }


def _origin(span):
    return {} if span.origin == DiaryWindow.Origin.PAPER else {"origin": span.origin}


def _as_file(entry: DiaryEntry) -> dict:
    if entry.no_headache:
        return {"date": entry.local_date.isoformat(), "no_headache": True, **entry.details}
    zone = entry.time_zone
    attack = attack_of(entry)
    return {
        "onset": times.local(entry.onset_at, zone).isoformat(),
        "end": times.local(entry.ended_at, zone).isoformat() if entry.ended_at else None,
        "peak": entry.peak,
        "side": entry.side or None,
        **{name: getattr(entry, name) for name in FEATURES},
        "aura_minutes": entry.aura_minutes,
        "meds": entry.medications,
        **entry.details,
        "derived": {
            "elapsed_minutes": headache_days.elapsed_minutes(attack),
            "local_days": [day.isoformat() for day in headache_days.local_days(attack, zone)],
            "headache_days_counted": len(headache_days.headache_days(attack, zone)),
        },
    }


def free_days(entries: Iterable[DiaryEntry]) -> set[date]:
    return {entry.local_date for entry in entries if entry.no_headache}


def window(patient: Patient, last: date, *, definition: str = headache_days.DEFAULT_DEFINITION) -> headache_days.Window:
    """The 28 days up to and with `last`, counted from the diary; one query."""
    entries = list(patient.diary_entries.filter(local_date__lte=last))
    zone = patient.home_location.time_zone
    attacks = [attack_of(entry) for entry in entries if not entry.no_headache]
    return headache_days.window(last, attacks, free_days(entries), zone, definition=definition)
