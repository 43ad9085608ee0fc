"""What clinicians decided about a patient when they resolved red flags: what is not done, and since when."""

from collections.abc import Iterable
from datetime import datetime

from evaluations.models import RedFlagEvent
from patients.models import Patient

NO_MANUAL_CARE = "no_manual_neck_care"


def of(patient: Patient) -> list[str]:
    """Codes of the restrictions that stand for the patient, at every location."""
    return sorted(standing(patient.red_flag_events.all()))


def standing(events: Iterable[RedFlagEvent]) -> dict[str, datetime]:
    """The restrictions that stand by these events of one patient, and since when: of each flag those of its latest
    resolution, which may have lifted earlier ones.

    Whoever was referred without manual care stays so until an outside clinician has cleared that very flag.
    """
    latest, referred = {}, {}
    for event in sorted((e for e in events if e.resolved_at is not None), key=lambda e: (e.resolved_at, e.pk)):
        latest[event.code] = event
        if event.resolution == "referred_no_manual_care":
            referred.setdefault(event.code, event.resolved_at)
        elif event.resolution == "cleared_external":
            referred.pop(event.code, None)
    found = {}
    for event in latest.values():
        for name in event.restrictions:
            found[name] = min(event.resolved_at, found.get(name, event.resolved_at))
    if referred:
        found[NO_MANUAL_CARE] = min(*referred.values(), found.get(NO_MANUAL_CARE, min(referred.values())))
    return found
