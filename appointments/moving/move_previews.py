"""The mail that each patient would get, were the visits moved as chosen; written by what writes it when it is sent."""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from appointments.availability import Slot
from appointments.mails import letters, visit_mails
from appointments.mails.letters import WayOut
from appointments.mails.visit_mails import News
from appointments.models import Appointment
from appointments.recurring.proposal_page import Row
from clinic import times
from clinic.outbox import Mail
from locations.models import Location, Practitioner
from patients import languages
from patients.mail_choices import Topic
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
    return of_moves(
        [(visit, slot.starts_at, slot.practitioner, slot.location) for visit, slot in moves if _differs(visit, slot)]
    )


def of_moves(moves: Iterable[tuple[Appointment, object, Practitioner, Location]]) -> list[Preview]:
    """The same for (visit, start, practitioner, location)."""
    by_patient: dict[Patient, list[tuple]] = {}
    for visit, *place in moves:
        by_patient.setdefault(visit.patient, []).append((visit, *place))
    why_not = letters.unreachable_among(list(by_patient), Topic.NOTICES)
    return [
        Preview(patient, len(those), None if why_not[patient.pk] else _mail(patient, those), why_not[patient.pk])
        for patient, those in by_patient.items()
    ]


def of_rest(rows: Iterable[Row]) -> list[Preview]:
    """The same for a series arranged anew: its new visits beside those that move; what stays is not told of."""
    rows = list(rows)
    if not rows:
        return []
    patient = rows[0].line.wish.patient
    with languages.speaking(patient):
        told = list(_told_of_rest(rows))
        if not told:
            return []
        why_not = letters.unreachable(patient, Topic.NOTICES)
        return [Preview(patient, len(told), None if why_not else _written(told), why_not)]


def _told_of_rest(rows: list[Row]) -> Iterator[News]:
    for row in rows:
        slot, moving = row.chosen and row.chosen.slot, row.line.wish.moving
        if slot and moving is None:
            yield News(visit_mails.BOOKED, _as_if_booked(row, slot), link=LINK)
        elif slot and _differs(moving, slot):
            yield _news(moving, slot.starts_at, slot.practitioner, slot.location)


def _differs(visit: Appointment, slot: Slot) -> bool:
    """Whether there is anything to tell: a visit may also be agreed to where it stands."""
    before = visit.starts_at, visit.practitioner, visit.location
    return before != (slot.starts_at, slot.practitioner, slot.location)


def _as_if_booked(row: Row, slot) -> Appointment:
    wish = row.line.wish
    return Appointment(
        patient=wish.patient, practitioner=slot.practitioner, location=slot.location, type=wish.type,
        starts_at=slot.starts_at, ends_at=slot.ends_at,
    )  # fmt: skip


def _news(visit: Appointment, starts_at, practitioner: Practitioner, location: Location) -> News:
    moved = copy(visit)
    moved.starts_at, moved.practitioner, moved.location = starts_at, practitioner, location
    moved.ends_at = starts_at + timedelta(minutes=visit.end_minute - visit.start_minute)
    return News(visit_mails.MOVED, moved, moved_from(visit.starts_at, visit.location, starts_at), LINK)


def moved_from(before, location: Location, after) -> str:
    """Where a visit was, as its mail says it; nothing when its start is the same."""
    return "" if before == after else times.spoken(before, location.time_zone)


def _mail(patient: Patient, those: list[tuple]) -> Mail:
    with languages.speaking(patient):
        return _written([_news(*one) for one in those])


def _written(news: list[News]) -> Mail:
    return visit_mails.write(news, way_out=WayOut(LINK, _("Stop these mails")))
