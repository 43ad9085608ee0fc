"""A clinic gets another time zone, since it moved or was entered wrongly: nine o'clock stays nine o'clock.

Patients were told the time on the clinic's wall. So visits ahead keep that and move as instants, all of them or, where
one would then be in the way of another, none; nobody is mailed, for nothing changed that was told. What has happened
keeps its moment, and is shown by the new clock from then on.

Hours, closures, series, the waitlist and quiet hours are days and times of the wall as they stand. Two more are
instants: absences (`absences` says whose go with the clinic) and what was asked for on the public page and is still to
be verified.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from appointments import booking, calendars, conflicts
from appointments.conflicts import Known, Wanted
from appointments.models import Appointment, Hold
from appointments.online import public_booking
from appointments.timetable import absences, meeting_hours, working_hours
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import checked_reason
from locations import access, places, standstill
from locations.models import Location, Practitioner

# What cannot be decided by the clock of the clinic alone, so that a new clock can bring it about.
IN_THE_WAY = {"slot_taken", "travel", "no_room", "patient_busy"}


@dataclass(frozen=True)
class Shift:
    """A visit with its old instant and what would be in the way of the new one (nothing: it can be)."""

    visit: Appointment
    starts_at: datetime
    fault: str = ""

    @property
    def hours(self) -> float:
        """By how much the instant moves; positive is later."""
        return (self.starts_at - self.visit.starts_at).total_seconds() / 3600


def plan(location: Location, time_zone: str) -> list[Shift]:
    """Where each visit ahead would be under the new zone; reads only. Raises RuleBroken for what is no other zone."""
    _check(location, time_zone)
    visits = list(_ahead(location).with_names())
    if not visits:
        return []
    new = Location.objects.get(pk=location.pk)
    new.time_zone = time_zone
    wanted, faults = {}, {}
    for visit in visits:
        try:
            wanted[visit.pk] = _wanted(visit, new)
        except RuleBroken as skipped:
            faults[visit.pk] = skipped.message
    if wanted:
        known = Known.read(wanted.values(), {visit.room for visit in visits})
        for pk, one in wanted.items():
            looked = conflicts.find(one, [one.moving.room], known)
            found = [c.message for c in looked.conflicts if c.code in IN_THE_WAY]
            if one.starts_at <= times.now():
                found.insert(0, "By the new clock it would have begun already.")
            if found:
                faults[pk] = found[0]
    return [
        Shift(visit, wanted[visit.pk].starts_at if visit.pk in wanted else visit.starts_at, faults.get(visit.pk, ""))
        for visit in visits
    ]


def change(location: Location, time_zone: str, *, by: User, reason: str) -> list[Shift]:
    """Give the clinic another zone, and its visits ahead the instants at which they keep their clock time.

    So do absences of those who work there only; the others (`absences.at`) stay, for people to look at.

    Raises RuleBroken: `in_the_way` whose `fields` say by visit what stands against it, `time_held` while times are held
    for somebody, `overlapping_hours` when a practitioner would be due at two clinics at once, `location_changed` when
    somebody else was first; then nothing changes.
    """
    access.require(by, "location.change", location)
    reason = checked_reason(reason, needed="Say why the clock changes: it is kept with each visit.")
    with transaction.atomic():
        asked = public_booking.lock_waiting(location)
        standstill.close_off([location])
        _refuse_changed(location)
        present = list(_ahead(location).with_names())
        calendars.lock(
            practitioners=Practitioner.objects.all(),  # hours may just be written for those who have no visit here
            rooms=location.rooms.all(),
            patients={visit.patient for visit in present},
        )
        _refuse_held(location)
        shifts = plan(location, time_zone)
        if faults := {f"{shift.visit.pk}": shift.fault for shift in shifts if shift.fault}:
            message = f"Nothing was changed: {len(faults)} of {len(shifts)} visits would be in the way of something."
            raise RuleBroken(message, code="in_the_way", fields=faults)
        visits = [*(shift.visit for shift in shifts), *_cancelled(location, time_zone)]  # by the old clock
        away = absences.at(location).own
        new = places.set_zone(location, time_zone, by=by)
        meeting_hours.refuse_at(new)
        booking.keep_clock({visit: _wanted(visit, new) for visit in visits}, by=by, reason=reason)
        working_hours.keep_clock(away, was=location.time_zone, now=time_zone, by=by)
        public_booking.keep_clock(asked, was=location.time_zone, now=time_zone)
    return shifts


def _cancelled(location: Location, time_zone: str) -> list[Appointment]:
    """Cancelled visits ahead keep their clock time too, and are not taken back over the change."""
    rows = Appointment.objects.filter(location=location, status=Appointment.Status.CANCELLED, starts_at__gt=times.now())
    return [visit for visit in rows.with_names() if times.exists(visit.local_start.replace(tzinfo=None), time_zone)]


def _refuse_changed(location: Location) -> None:
    """What is not read anew, absences, would be moved a second time by who comes second."""
    if Location.objects.get(pk=location.pk).time_zone != location.time_zone:
        message = f"The zone of {location} was changed a moment ago. Look again."
        raise RuleBroken(message, code="location_changed", fields={"time_zone": message})


def held(location: Location) -> Collection[Hold]:
    return list(Hold.objects.filter(location=location, held_until__gt=times.now()).order_by("held_until"))


def _refuse_held(location: Location) -> None:
    if holds := held(location):
        until = times.spoken(holds[-1].held_until, location.time_zone)
        count = f"{len(holds)} time{' is' if len(holds) == 1 else 's are'}"
        whom = " and ".join(sorted({hold.for_whom for hold in holds}))
        message = f"{count} held for {whom} until {until}. Wait, or take the offers of the waitlist back."
        raise RuleBroken(message, code="time_held", fields={"time_zone": message})


def _ahead(location: Location):
    rows = Appointment.objects.filter(location=location, status__in=booking.MOVABLE, starts_at__gt=times.now())
    return rows.order_by("starts_at", "pk")


def _wanted(visit: Appointment, new: Location) -> Wanted:
    """The visit at its clock time, in the same pass of a repeated hour; raises RuleBroken where that is skipped."""
    wall = times.local(visit.starts_at, visit.location.time_zone)
    times.exact(wall.date(), wall.time(), new.time_zone)
    starts_at = times.same_wall(visit.starts_at, visit.location.time_zone, new.time_zone)
    minutes = visit.end_minute - visit.start_minute
    return Wanted(visit.patient, visit.practitioner, new, visit.type, starts_at, minutes, visit.room, visit)


def _check(location: Location, time_zone: str) -> None:
    times.zone(time_zone)
    if time_zone == location.time_zone:
        message = f"{location} is in this time zone already."
        raise RuleBroken(message, code="invalid", fields={"time_zone": message}, status=400)
