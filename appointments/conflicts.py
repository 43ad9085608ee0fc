"""Why a visit cannot be where it is wanted: every reason, each with a stable code."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from appointments.calendars import Taken
from appointments.intervals import covers, overlaps
from appointments.models import Appointment, AppointmentType, Hold
from appointments.timetable.hours import Hours
from clinic import times
from locations import ways
from locations.models import Location, Practitioner, Room
from locations.ways import Ways
from patients.models import Patient

# What an authorised person may override with a reason, in the words of the history. An overlap never: the database
# refuses it.
OVERRIDDEN = {
    "outside_hours": "outside working hours",
    "too_soon": "with less notice than asked for",
    "too_far_ahead": "further ahead than usual",
    "travel": "without the time for the way",
    "held_back": "although further visits are held back",
}
HELD_BACK = "held_back"
OVERRIDABLE = frozenset(OVERRIDDEN)


@dataclass(frozen=True)
class Conflict:
    code: str
    message: str
    field: str = "starts_at"  # what would have to be another


class Looked(NamedTuple):
    """What stands against a visit, the room that it would get, and by their ids the holds which ran out that lie in
    its way: for the engine they are gone, for the database they are rows like any other."""

    conflicts: list[Conflict]
    room: Room | None
    run_out: list[int]


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
    held: Hold | None = None  # the time was kept for them: what was agreed with it is not asked again

    @cached_property
    def start(self) -> int:
        return times.to_minute(self.starts_at)

    @property
    def end(self) -> int:
        return self.start + self.minutes

    @property
    def keeps_its_start(self) -> bool:
        """A visit that only gets longer, another room or another practitioner needs no notice again."""
        return self.moving is not None and self.moving.start_minute == self.start

    @cached_property
    def busy(self) -> tuple[int, int]:
        if self.held:
            return self.held.busy_from, self.held.busy_until
        return self.start - self.type.buffer_before, self.end + self.type.buffer_after


@dataclass(frozen=True)
class Known:
    """What stands in the calendars round some wanted visits, read once for all; what moves is left out."""

    hours: Hours
    taken: Taken
    ways: Ways

    @classmethod
    def read(cls, wishes: Collection[Wanted], rooms: Iterable[Room], *, margin: int = 0) -> "Known":
        """With so many minutes before and after. The queries are the same number for one visit and for many."""
        moving = [w.moving for w in wishes if w.moving]
        known_ways = ways.read()
        around = known_ways.longest + margin
        start, end = min(w.busy[0] for w in wishes) - around, max(w.busy[1] for w in wishes) + around
        people, places = {w.practitioner for w in wishes}, {w.location for w in wishes}
        taken = Taken(
            start, end, practitioners=[p.pk for p in people], rooms=[room.pk for room in rooms],
            patients={w.patient.pk for w in wishes if w.patient}, without=moving,
        )  # fmt: skip
        zones = {place.time_zone for place in places}
        days = [times.day_of(times.from_minute(minute), zone) for minute in (start, end) for zone in zones]
        return cls(Hours(places, min(days), max(days), practitioners=people), taken, known_ways)

    def take(self, wanted: Wanted, room: Room) -> None:
        """From now on that visit stands there, in the way of the next."""
        self.taken.by_practitioner[wanted.practitioner.pk].append((*wanted.busy, wanted.location.pk))
        self.taken.by_room[room.pk].append(wanted.busy)
        self.taken.by_patient[wanted.patient.pk].append((wanted.start, wanted.end))


def find(wanted: Wanted, rooms: list[Room], known: Known | None = None) -> Looked:
    """Every conflict, and the room that would be taken: the wanted one, the present one of a move, or the first free.

    Read under `calendars.lock` when the answer is to be acted on; `known` is what was read for several at once.
    """
    known = known or Known.read([wanted], rooms)
    room = next((r for r in rooms if not overlaps(known.taken.by_room[r.pk], *wanted.busy)), None)
    found = [
        None if wanted.keeps_its_start else _moment(wanted),
        _hours(wanted, known),
        _practitioner(wanted, known),
        None if room else _no_room(wanted),
        _patient(wanted, known),
    ]
    return Looked([c for c in found if c], room, known.taken.in_the_way(wanted.practitioner, room, wanted.busy))


def _moment(wanted):
    now, zone = times.now(), wanted.location.time_zone
    if wanted.starts_at <= now:
        return Conflict("in_the_past", "This time has already passed.")
    if wanted.held:
        return None
    first, end = wanted.type.bookable(now, zone)
    if wanted.start < first:
        soonest = times.spoken(times.from_minute(first), zone)
        return Conflict("too_soon", f"{wanted.type} needs notice: the soonest start is {soonest}.")
    if wanted.start >= end:
        last = times.spoken_day(times.day_of(times.from_minute(end - 1), zone))
        message = f"{wanted.type} can be booked {wanted.type.horizon_days} days ahead, until {last}."
        return Conflict("too_far_ahead", message)
    return None


def _hours(wanted, known):
    place, zone = wanted.location, wanted.location.time_zone
    if place.pk not in known.hours.locations:
        return Conflict("location_closed", f"{place} is closed for good.")
    if not wanted.practitioner.is_active:
        return Conflict("not_working", f"{wanted.practitioner} no longer works here.")
    first, last = (times.day_of(times.from_minute(minute), zone) for minute in (wanted.start, wanted.end))
    if known.hours.is_closed(place.pk, first):
        return Conflict("outside_hours", f"{place} is closed on {first:%B} {first.day}.")
    working = known.hours.working(first, last).get((wanted.practitioner.pk, place.pk), [])
    if not covers(known.taken.at_work(wanted.practitioner.pk, working), wanted.start, wanted.end):
        return Conflict("outside_hours", f"{wanted.practitioner} does not work at {place} then.")
    return None


def _practitioner(wanted, known):
    taken = known.taken
    visits = taken.by_practitioner[wanted.practitioner.pk]
    if overlaps([(a, b) for a, b, _ in visits], *wanted.busy):
        return Conflict("slot_taken", _taken_by(wanted, taken))
    if wanted.held:
        return None  # a visit that came too near has ended the hold; one that is there keeps when the way gets longer
    for start, end, place in visits:
        way = known.ways.between(place, wanted.location.pk)
        if overlaps([(start - way, end + way)], *wanted.busy):
            return Conflict("travel", _too_far(wanted, place, known))
    return None


def held_too_near(wanted: Wanted, known_ways: Ways | None = None) -> list[Hold]:
    """Times held for somebody elsewhere from which the practitioner could not get here in time, or back."""
    known_ways, (busy_from, busy_until) = known_ways or ways.read(), wanted.busy
    around = known_ways.longest
    rows = Hold.objects.filter(
        practitioner=wanted.practitioner, held_until__gt=times.now(),
        busy_from__lt=busy_until + around, busy_until__gt=busy_from - around,
    )  # fmt: skip
    found = []
    rows = rows.exclude(pk=wanted.moving.pk) if wanted.moving else rows
    for hold in rows.select_related("location").order_by("starts_at"):
        way = known_ways.between(hold.location_id, wanted.location.pk)
        if overlaps([(hold.busy_from - way, hold.busy_until + way)], busy_from, busy_until):
            found.append(hold)
    return found


def _too_far(wanted, place_id, known):
    holds = held_too_near(wanted, known.ways) if known.taken.held[wanted.practitioner.pk] else []
    if holds:
        held = " and ".join(
            f"{times.spoken(one.starts_at, one.location.time_zone, year=False)} at {one.location} is held for "
            f"{one.for_whom}"
            for one in holds
        )
        return (
            f"{wanted.practitioner} could not get to {wanted.location} in time: {held}. Booked all the same, it is "
            "taken back from them."
        )
    if known.ways.knows(place_id, wanted.location.pk):
        return f"{wanted.practitioner} could not get to {wanted.location} from the other visit in time."
    other = Location.objects.get(pk=place_id)
    return (
        f"{wanted.practitioner} has a visit at {other} on that day, and how long the way from there to "
        f"{wanted.location} takes is not known: it can be entered in the setup of clinics."
    )


def _taken_by(wanted, taken):
    """What is there: a visit, or a time that is held; for this very patient, how they get it."""
    who, (busy_from, busy_until) = wanted.practitioner.pk, wanted.busy
    there = [span for span in taken.by_practitioner[who] if span[0] < busy_until and busy_from < span[1]]
    held = [pk for a, b, pk in taken.held[who] if a < busy_until and busy_from < b]
    hold = Hold.objects.filter(pk__in=held).order_by("-held_until").first() if len(held) == len(there) else None
    if hold is None:
        return f"{wanted.practitioner} already has a visit then."
    until = times.spoken(hold.held_until, wanted.location.time_zone, year=False)
    if wanted.patient and hold.offers.filter(answer="", entry__patient=wanted.patient).exists():
        return f"This time is held for {wanted.patient} until {until}: accept the offer for them on the waitlist."
    return f"This time is held for {hold.for_whom} until {until}."


def _no_room(wanted):
    if wanted.room:
        return Conflict("no_room", f"{wanted.room} at {wanted.location} is not free then.")
    kind = Room.Kind(wanted.type.room_kind).label.lower()
    return Conflict("no_room", f"No {kind} is free at {wanted.location} then.")


def _patient(wanted, known):
    of_patient = known.taken.by_patient.get(wanted.patient.pk, ()) if wanted.patient else ()
    if overlaps(of_patient, wanted.start, wanted.end):
        return Conflict("patient_busy", f"{wanted.patient} already has a visit that overlaps this time.")
    return None
