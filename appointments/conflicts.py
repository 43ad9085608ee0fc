"""Why a visit cannot be where it is wanted: every reason, each with a stable code."""

from dataclasses import dataclass
from datetime import datetime

from appointments.calendars import Hours, Taken, travel_minutes
from appointments.intervals import covers, overlaps
from appointments.models import Appointment, AppointmentType
from clinic import times
from locations.models import Location, Practitioner, Room
from patients.models import Patient

# What an authorised person may override with a reason. An overlap never: the database refuses it.
OVERRIDABLE = frozenset({"outside_hours", "travel"})


@dataclass(frozen=True)
class Conflict:
    code: str
    message: str


@dataclass(frozen=True)
class Wanted:
    """A visit as somebody wants it: `starts_at` is an instant, `minutes` its length without buffers."""

    patient: Patient | None  # nobody yet, for a hold
    practitioner: Practitioner
    location: Location
    type: AppointmentType
    starts_at: datetime
    minutes: int
    room: Room | None = None
    moving: Appointment | None = None

    @property
    def start(self) -> int:
        return times.to_minute(self.starts_at)

    @property
    def end(self) -> int:
        return self.start + self.minutes

    @property
    def busy(self) -> tuple[int, int]:
        return self.start - self.type.buffer_before, self.end + self.type.buffer_after


def find(wanted: Wanted, rooms: list[Room]) -> tuple[list[Conflict], Room | None]:
    """Every conflict, and the room that would be taken: the wanted one, the present one of a move, or the first free.

    Read under `calendars.lock` when the answer is to be acted on.
    """
    travel = travel_minutes()
    way = max(travel.values(), default=0)
    busy_from, busy_until = wanted.busy
    taken = Taken.read(
        busy_from - way,
        busy_until + way,
        practitioners=[wanted.practitioner.pk],
        locations=[wanted.location.pk],
        without=wanted.moving,
    )
    room = next((r for r in rooms if not overlaps(taken.by_room[r.pk], busy_from, busy_until)), None)
    found = [
        _past(wanted),
        _hours(wanted, taken),
        _practitioner(wanted, taken, travel),
        None if room else _no_room(wanted),
        _patient(wanted),
    ]
    return [c for c in found if c], room


def _past(wanted):
    if wanted.starts_at <= times.now():
        return Conflict("in_the_past", "This time has already passed.")
    return None


def _hours(wanted, taken):
    day = times.day_of(wanted.starts_at, wanted.location.time_zone)
    hours = Hours.read([wanted.location], [wanted.practitioner])
    if hours.is_closed(wanted.location.pk, day):
        return Conflict("outside_hours", f"{wanted.location} is closed on {day:%B} {day.day}.")
    working = hours.working(day, day).get((wanted.practitioner.pk, wanted.location.pk), [])
    if not covers(taken.at_work(wanted.practitioner.pk, working), wanted.start, wanted.end):
        return Conflict("outside_hours", f"{wanted.practitioner} does not work at {wanted.location} then.")
    return None


def _practitioner(wanted, taken, travel):
    here = wanted.location.pk
    visits = taken.by_practitioner[wanted.practitioner.pk]
    if overlaps([(a, b) for a, b, _ in visits], *wanted.busy):
        return Conflict("slot_taken", f"{wanted.practitioner} already has a visit then.")
    if overlaps(taken.of_practitioner(wanted.practitioner.pk, here, travel), *wanted.busy):
        return Conflict(
            "travel", f"{wanted.practitioner} could not get to {wanted.location} from the other visit in time."
        )
    return None


def _no_room(wanted):
    kind = Room.Kind(wanted.type.room_kind).label.lower()
    return Conflict("no_room", f"No {kind} is free at {wanted.location} then.")


def _patient(wanted):
    if wanted.patient is None:
        return None
    others = Appointment.objects.holding_time().filter(
        patient=wanted.patient, start_minute__lt=wanted.end, end_minute__gt=wanted.start
    )
    if wanted.moving:
        others = others.exclude(pk=wanted.moving.pk)
    if others.exists():
        return Conflict("patient_busy", f"{wanted.patient} already has a visit that overlaps this time.")
    return None
