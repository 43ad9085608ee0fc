"""Times kept free for a while for somebody who is being asked: an offer from the waitlist, a booking being verified.

A hold takes the practitioner and a room like a visit, under the same constraint, and no patient: to be asked must not
keep anybody from booking something else. When it runs out it counts as gone at once, whoever removes the row.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from appointments import availability, booking, calendars
from appointments.conflicts import Wanted
from appointments.models import Appointment, AppointmentType, Hold
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import standstill
from locations.models import Location, Practitioner, Room
from patients.models import Patient

LONGEST = timedelta(days=1)
BATCH = 500


def place(
    *,
    practitioner: Practitioner,
    location: Location,
    type: AppointmentType,
    starts_at: datetime,
    until: datetime,
    minutes: int | None = None,
    room: Room | None = None,
) -> Hold:
    """Keep a time free until the instant `until`, at most LONGEST ahead. Raises RuleBroken as booking does."""
    now = times.now()
    if not now < until <= now + LONGEST:
        raise RuleBroken("A time can be held for a day at most.", code="invalid", fields={"until": "Choose another."})
    booking.check_instant(starts_at)
    length = availability.visit_minutes(type, minutes)
    wanted = Wanted(None, practitioner, location, type, starts_at, length, room)
    try:
        with transaction.atomic():
            room, _ = booking.settle(wanted, None, "")
            hold = Hold(type=type, status=Hold.Status.HELD, held_until=until)
            return booking.write(hold, replace(wanted, room=room))
    except RuleBroken as refused:
        refused.nearest = booking.nearest(wanted)
        raise


def change_room(hold: Hold, room: Room) -> None:
    """Keep the time in another room, which the caller has found to be free while nobody can book there.

    Holds that ran out are gone for whoever looks, and rows like any other for the database: they make way first.
    """
    expired = Hold.objects.filter(room=room, held_until__lte=times.now())
    expired.filter(busy_from__lt=hold.busy_until, busy_until__gt=hold.busy_from).delete()
    Hold.objects.filter(pk=hold.pk).update(room=room)


def release(hold: Hold) -> bool:
    """Free the time; False when it was no longer held. Safe to repeat."""
    return bool(Hold.objects.filter(pk=hold.pk).delete()[0])


@transaction.atomic
def end(some: Iterable[Hold]) -> None:
    """They ran out now. Leaves alone what somebody is booking just now."""
    rows = _unlocked(Hold.objects.filter(pk__in=[hold.pk for hold in some]))
    Hold.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(held_until=times.now())


@transaction.atomic
def book(hold: Hold, *, patient: Patient, by: User | None, by_whom: str = "", override_reason: str = "") -> Appointment:
    """The visit that the time was held for. Raises RuleBroken (`hold_expired`, and as `booking.book`); then it is
    still held."""
    held = _take(hold, patient)
    return booking.book(
        patient=patient,
        practitioner=held.practitioner,
        location=held.location,
        type=held.type,
        starts_at=held.starts_at,
        minutes=held.end_minute - held.start_minute,
        room=held.room,
        held=held,
        by=by,
        by_whom=by_whom,
        override_reason=override_reason,
    )


@transaction.atomic
def reschedule(
    hold: Hold,
    visit: Appointment,
    *,
    by: User | None,
    by_whom: str = "",
    reason: str = "",
    override_reason: str = "",
) -> Appointment:
    """Move a visit to the time that was held for it; raises as `book` does."""
    held = _take(hold, visit.patient)
    return booking.reschedule(
        visit,
        starts_at=held.starts_at,
        practitioner=held.practitioner,
        location=held.location,
        minutes=held.end_minute - held.start_minute,
        room=held.room,
        held=held,
        by=by,
        by_whom=by_whom,
        reason=reason,
        override_reason=override_reason,
    )


@transaction.atomic
def remove_expired() -> int:
    """Rows that nobody needs any more. Leaves alone what somebody is removing just now."""
    ids = list(_unlocked(Hold.objects.filter(held_until__lte=times.now())).values_list("pk", flat=True)[:BATCH])
    Hold.objects.filter(pk__in=ids).delete()
    return len(ids)


def _unlocked(rows: QuerySet) -> QuerySet:
    return rows.order_by("pk").select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)


def _take(hold: Hold, patient: Patient) -> Hold:
    """Lock all that the booking is going to lock, then free the time within the same transaction."""
    standstill.keep_open([hold.location])
    calendars.lock(practitioners=[hold.practitioner], rooms=[hold.room], patients=[patient])
    rows = Hold.objects.select_for_update(of=("self",)).select_related("practitioner__user", "location", "room", "type")
    held = rows.filter(pk=hold.pk, held_until__gt=times.now()).first()
    if held is None:
        raise RuleBroken("This time is no longer held.", code="hold_expired")
    release(held)
    return held
