"""The mail that each patient would get, were the visits moved as chosen; written by what writes it when it is sent."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import timedelta

from appointments import letters, visit_mails
from appointments.models import Appointment
from appointments.proposal_page import Row
from appointments.visit_mails import News
from clinic import times
from clinic.outbox import Mail
from locations.models import Location, Practitioner
from patients.models import Patient

LINK = "…"  # its own for each patient, made when the mail is sent


@dataclass(frozen=True)
class Preview:
    """`mail` is None where the patient cannot be written to, and `why_not` says why."""

    patient: Patient
    count: int
    mail: Mail | None
    why_not: str = ""


def of(rows: Iterable[Row]) -> list[Preview]:
    """One for each patient whose visits move, in the order of the rows."""
    moves = [(row.line.wish.moving, row.chosen.slot) for row in rows if row.chosen]
    return of_moves([(visit, slot.starts_at, slot.practitioner, slot.location) for visit, slot in moves])


def of_moves(moves: Iterable[tuple[Appointment, object, Practitioner, Location]]) -> list[Preview]:
    """The same for (visit, start, practitioner, location)."""
    by_patient: dict[Patient, list[News]] = {}
    for visit, *place in moves:
        by_patient.setdefault(visit.patient, []).append(_news(visit, *place))
    why_not = letters.unreachable_among(list(by_patient))
    return [
        Preview(patient, len(news), None if why_not[patient.pk] else _mail(news), why_not[patient.pk])
        for patient, news in by_patient.items()
    ]


def _news(visit: Appointment, starts_at, practitioner: Practitioner, location: Location) -> News:
    moved = copy(visit)
    moved.starts_at, moved.practitioner, moved.location = starts_at, practitioner, location
    moved.ends_at = starts_at + timedelta(minutes=visit.end_minute - visit.start_minute)
    return News(visit_mails.MOVED, moved, moved_from(visit.starts_at, visit.location, starts_at), LINK)


def moved_from(before, location: Location, after) -> str:
    """Where a visit was, as its mail says it; nothing when its start is the same."""
    return "" if before == after else times.spoken(before, location.time_zone)


def _mail(news: list[News]) -> Mail:
    return visit_mails.write(news, unsubscribe_url=LINK)
