"""The steps that led each invented visit to where it stands, at plausible times and never after now."""

from datetime import datetime, timedelta
from random import Random

from appointments.models import Appointment, AppointmentEvent
from clinic.demo import World

Status = Appointment.Status
CAME = (Status.ARRIVED, Status.IN_ROOM, Status.COMPLETED)
REASONS = ("Has a cold.", "Work came up.", "No car that day.", "Will call for another time.")


def of(visits: list[Appointment], world: World) -> list[AppointmentEvent]:
    rng = world.random("history")
    return [event for visit in visits for event in _steps(visit, world, rng)]


def _steps(visit: Appointment, world: World, rng: Random) -> list[AppointmentEvent]:
    desk, now = world.desk_of[visit.location_id], world.now
    booked_at = min(
        visit.starts_at - timedelta(hours=rng.randint(30, 500)), now - timedelta(hours=rng.randint(26, 200))
    )
    story = [("booked", Status.BOOKED, booked_at, desk, "")]
    was_confirmed = visit.status == Status.CONFIRMED or (visit.status in CAME and rng.random() < 0.7)
    if was_confirmed:
        at = max(booked_at + timedelta(minutes=9), min(visit.starts_at - timedelta(hours=rng.randint(20, 46)), now))
        story.append(("confirmed", Status.CONFIRMED, at, None, ""))
    if visit.status == Status.CANCELLED:
        at = min(visit.starts_at - timedelta(hours=rng.randint(2, 24)), now)
        story.append(("cancelled", Status.CANCELLED, at, rng.choice((desk, None)), rng.choice(REASONS)))
    if visit.status == Status.NO_SHOW:
        story.append(("missed", Status.NO_SHOW, visit.ends_at, desk, ""))
    if visit.status in CAME:
        story += _attendance(visit, desk, now, rng)
    return _rows(visit, story)


def _attendance(visit, desk, now: datetime, rng: Random):
    person = visit.practitioner.user
    arrived_at = min(visit.starts_at, now) - timedelta(minutes=rng.randint(1, 12))
    yield "arrived", Status.ARRIVED, arrived_at, desk, ""
    if visit.status != Status.ARRIVED:
        yield "started", Status.IN_ROOM, min(visit.starts_at + timedelta(minutes=rng.randint(0, 4)), now), person, ""
    if visit.status == Status.COMPLETED:
        yield "completed", Status.COMPLETED, visit.ends_at, person, ""


def _rows(visit, story) -> list[AppointmentEvent]:
    rows, before = [], ""
    for step, status, at, by, reason in story:
        rows.append(
            AppointmentEvent(
                appointment=visit, step=step, at=at, by=by, by_whom=str(by) if by else "patient",
                from_status=before, to_status=status, from_start=visit.starts_at if before else None,
                to_start=visit.starts_at, reason=reason,
            )
        )  # fmt: skip
        before = status
    return rows
