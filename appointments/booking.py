"""Booking and moving visits. With `together` and `visit_status` the only writer of Appointment and its history.

A visit never overlaps another of the same practitioner, room or patient: it is checked under the lock of those
calendars, and the database refuses what slips through. A time that is held for somebody (`holds`) is taken until the
hold runs out; then whoever books first removes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import Http404

from appointments import availability, calendars, conflicts, overriding
from appointments.as_seen import CHANGED, MOVABLE, Seen
from appointments.conflicts import OVERRIDABLE, Looked, Wanted
from appointments.models import Appointment, AppointmentEvent, AppointmentType, Hold
from appointments.recurring import gates, making_good, series_days
from appointments.waiting import freed_time, held_ends
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access
from locations.models import Location, Practitioner, Room
from patients.models import Patient

# What does not keep a visit from a time and place that were its own already.
AGREED_ONCE = (OVERRIDABLE | {"in_the_past"}) - {"travel"}
AGREED = "agreed"  # in the history: it stays where it is, against what stands in its way by now


def book(
    *,
    patient: Patient,
    practitioner: Practitioner,
    location: Location,
    type: AppointmentType,
    starts_at: datetime,
    by: User | None,
    minutes: int | None = None,
    room: Room | None = None,
    override_reason: str = "",
    by_whom: str = "",
    held: Hold | None = None,
) -> Appointment:
    """Book one visit; all or nothing.

    Raises RuleBroken with the first conflict and the nearest free slots. `override_reason` lets an authorised person
    book outside hours or travel time; nobody can book an overlap. A patient's own booking has `by=None`. Of a time that
    was `held` the notice, length, kind of room and way are not asked again. What a series of the patient owes is made
    good by it; what keeps further visits of a series back (`gates`) keeps this one back too.
    """
    if by is not None:
        access.require(by, "appointment.create", location)
        if not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
            raise Http404
    check_instant(starts_at)
    length = minutes if held else availability.visit_minutes(type, minutes)
    wanted = Wanted(patient, practitioner, location, type, starts_at, length, room, held=held)
    try:
        with transaction.atomic():
            room, overridden = settle(wanted, by, override_reason)
            owed = making_good.owed(patient, type, starts_at)
            appointment = Appointment(patient=patient, type=type, series_visit=owed)
            appointment = write(appointment, replace(wanted, room=room))
            patient.locations.add(location)
            record(appointment, "booked", by=by, by_whom=by_whom, reason=override_reason, overridden=overridden)
    except RuleBroken as refused:
        if "type" not in refused.fields:  # no other time would do
            refused.nearest = nearest(wanted)
        raise
    return appointment


def reschedule(
    appointment: Appointment,
    *,
    starts_at: datetime,
    by: User | None,
    practitioner: Practitioner | None = None,
    location: Location | None = None,
    minutes: int | None = None,
    room: Room | None = None,
    reason: str = "",
    override_reason: str = "",
    by_whom: str = "",
    expected_start: datetime | None = None,
    expected_sequence: int | None = None,
    held: Hold | None = None,
) -> Appointment:
    """Move a visit in time, to another practitioner or location; on RuleBroken it stays where it was.

    A confirmed visit is to be confirmed again when its start changed. What is not given stays as it is; where nothing
    would change the visit is returned, and nothing written. Whoever decided
    by what they saw says so by `expected_start` or by `expected_sequence`, which rises with every change of time, place
    and length: when the visit is no longer so, RuleBroken `changed_meanwhile` says where it is now.
    """
    seen = Seen(appointment, expected_start, expected_sequence, practitioner is None, location is None)
    location = location or appointment.location
    if by is not None:
        access.require(by, "appointment.change", appointment.location)
        access.require(by, "appointment.change", location)
    check_instant(starts_at)
    length = appointment.lasts if minutes is None else minutes
    if not held and minutes is not None:
        availability.visit_minutes(appointment.type, minutes)
    person = practitioner or appointment.practitioner
    wanted = Wanted(appointment.patient, person, location, appointment.type, starts_at, length, room, appointment, held)
    try:
        with transaction.atomic():
            rooms = _lock(wanted)
            # Read again under the lock: somebody may have cancelled or moved it since the caller looked.
            fresh = Appointment.objects.select_for_update(of=("self",)).select_related("room").get(pk=appointment.pk)
            seen.check(fresh)
            check_movable(fresh)
            series_days.check(fresh, starts_at)
            wanted = replace(wanted, moving=fresh, minutes=fresh.lasts if minutes is None else length)
            room, overridden = settle_move(wanted, conflicts.find(wanted, rooms), by, override_reason)
            if stands(wanted, wanted) and room == fresh.room:
                fresh.practitioner, fresh.location = person, location
                if overridden:
                    record(fresh, AGREED, by=by, overridden=overridden, **reasons(reason, override_reason))
                return fresh
            appointment, replaced = _move(fresh, replace(wanted, room=room))
            appointment.patient.locations.add(location)
            why = reasons(reason, override_reason)
            record(appointment, "rescheduled", by=by, by_whom=by_whom, overridden=overridden, **why, **replaced)
            freed_time.tell()
    except RuleBroken as refused:
        if refused.code != CHANGED:
            refused.nearest = nearest(wanted)
        raise
    return appointment


def keep_clock(visits: Mapping[Appointment, Wanted], *, by: User, reason: str) -> None:
    """Give visits, cancelled ones too, the instants at which they keep their clock time: their clinic changed its zone.

    Under the lock of all their calendars, taken before it was seen that nothing is in the way. Patients are not told of
    this step: by the clock of the clinic nothing changed.
    """
    Hold.objects.filter(held_until__lte=times.now()).delete()  # in nobody's way but the database's
    lifted = lift([visit.pk for visit in visits])
    for visit, wanted in visits.items():
        fresh = lifted[visit.pk]
        if fresh.status != Appointment.Status.CANCELLED:
            check_movable(fresh)
        appointment, replaced = _move(fresh, wanted, status=fresh.status)
        record(appointment, "rezoned", by=by, reason=reason, **replaced)


def put_back(appointment: Appointment, undone: AppointmentEvent) -> Appointment:
    """Give a visit back the time, place and status that a step took from it; who may is for `visit_status.undo` to say.

    What was agreed once needs no notice and no working hours again. But somebody may have got the time meanwhile: then
    RuleBroken as for any booking, and nothing changes. Call it in a transaction.
    """
    was = undone.detail.get("was") or whereabouts(appointment)
    back = Appointment.objects.with_names().get(pk=appointment.pk)
    back.practitioner = Practitioner.objects.select_related("user").get(pk=was["practitioner"])
    back.location, back.room = Location.objects.get(pk=was["location"]), Room.objects.get(pk=was["room"])
    wanted = Wanted(
        back.patient, back.practitioner, back.location, back.type, undone.from_start, was["minutes"], moving=back
    )
    try:
        looked = _look(wanted)
        if looked.conflicts and _clear_young_holds(wanted):
            looked = _look(wanted)
        if stands := [c for c in looked.conflicts if c.code not in AGREED_ONCE]:
            raise RuleBroken(stands[0].message, code=stands[0].code, fields={"starts_at": stands[0].message})
        fresh = Appointment.objects.select_for_update().get(pk=appointment.pk)
        if last_step(fresh) != undone:
            raise changed_meanwhile()
        if _replacement(fresh):
            raise RuleBroken("The series has another visit in its place by now.", code="replaced")
        series_days.check(fresh, undone.from_start)
        fresh.status = undone.from_status
        fresh.sequence += 1
        _remove_run_out(looked.run_out)
        with transaction.atomic():  # what is nearest is asked after a refusal too
            return write(fresh, replace(wanted, room=looked.room))
    except RuleBroken as refused:
        refused.nearest = nearest(wanted)
        raise


def _replacement(fresh: Appointment) -> Appointment | None:
    """What was booked for the same visit of a series since this one fell off the calendar."""
    if fresh.series_visit_id is None:
        return None
    others = Appointment.objects.holding_time().filter(series_visit=fresh.series_visit_id).exclude(pk=fresh.pk)
    return others.first()


def nearest(wanted: Wanted, *, limit: int = 3) -> list[availability.Slot]:
    """Free slots to offer instead: the same practitioner first, else anybody at the location, within two weeks."""
    day = max(times.day_of(wanted.starts_at, wanted.location.time_zone), wanted.location.today())
    question = {
        "type": wanted.type,
        "locations": [wanted.location],
        "from_day": day,
        "to_day": day + timedelta(days=13),
        "patient": wanted.patient,
        "limit": limit + 1,  # one may be where the visit stands already
        "length": wanted.minutes,
        "room": None if wanted.held else wanted.room,
        "without": [wanted.moving] if wanted.moving else [],
    }
    try:
        for people in ([wanted.practitioner], None):
            found = availability.find(**question, practitioners=people).slots
            if slots := [slot for slot in found if not stands(wanted, slot)]:
                return slots[:limit]
    except RuleBroken:
        pass  # a day that cannot be asked for; what refused the visit is what has to be said
    return []


def settle_move(wanted: Wanted, looked: Looked, by: User | None, override_reason: str) -> tuple[Room, list[str]]:
    """As `settle`, under the lock. Where at most the room changes, hours and way were agreed once and are not asked
    again, unless somebody who may agrees to what stands against it by now."""
    agrees = override_reason and overriding.may_override(by, wanted.practitioner, wanted.location)
    if stands(wanted, wanted) and not agrees:
        found = [conflict for conflict in looked.conflicts if conflict.code not in OVERRIDABLE]
        looked = looked._replace(conflicts=found)
    return allowed(wanted, looked, by, override_reason)


def stands(wanted: Wanted, there: Wanted | availability.Slot) -> bool:
    """Whether the visit that moves is at that time and place already, with the length that is wanted."""
    visit = wanted.moving
    return visit is not None and wanted.minutes == visit.lasts and (
        (visit.starts_at, visit.practitioner_id, visit.location_id)
        == (there.starts_at, there.practitioner.pk, there.location.pk)
    )  # fmt: skip


def record(appointment, step, *, by, by_whom="", **detail) -> AppointmentEvent:
    """Append to the history and to the audit log. `before` is the (status, start) that the step replaced."""
    event = _event(appointment, step, by=by, by_whom=by_whom, **detail)
    event.save(force_insert=True)
    audit.record(f"appointment.{step}", on=appointment, by=by, by_whom=by_whom, **event.detail)
    return event


def record_each(steps: Iterable[tuple[Appointment, str, dict]], *, by: User) -> None:
    """The same for several visits, in two statements: each with its step and what `record` takes beside it."""
    events = [_event(appointment, step, by=by, **detail) for appointment, step, detail in steps]
    AppointmentEvent.objects.bulk_create(events)
    audit.record_each([(f"appointment.{event.step}", event.appointment, event.detail) for event in events], by=by)


def _event(appointment, step, *, by, by_whom="", reason="", before=None, **detail) -> AppointmentEvent:
    from_status, from_start = before or ("", None)
    return AppointmentEvent(
        appointment=appointment,
        step=step,
        at=times.now(),
        by=by,
        by_whom=by_whom or str(by),
        from_status=from_status,
        to_status=appointment.status,
        from_start=from_start,
        to_start=appointment.starts_at,
        reason=reason,
        detail={name: value for name, value in detail.items() if value},
    )


def last_step(appointment: Appointment) -> AppointmentEvent | None:
    steps = standing(appointment.history.all())
    return steps[-1] if steps else None


def standing(history: Iterable) -> list:
    """The steps that still stand: one that was taken back is in the history, and so is its undoing."""
    steps = list(history)
    undone = {step.undid for step in steps}
    return [step for step in steps if step.undid is None and step.pk not in undone]


def changed_meanwhile() -> RuleBroken:
    return RuleBroken("The visit was changed a moment ago. Look again.", code="wrong_status")


def check_instant(starts_at: datetime) -> None:
    times.check_range(starts_at, "starts_at")
    if starts_at.second or starts_at.microsecond:
        message = "Visits start on a whole minute."
        raise RuleBroken(message, code="invalid", fields={"starts_at": message}, status=400)


def _look(wanted: Wanted) -> Looked:
    """Lock the calendars, then look for conflicts and a room."""
    return conflicts.find(wanted, _lock(wanted))


def _lock(wanted: Wanted) -> list[Room]:
    """Lock the calendars; returns the rooms to choose from: the wanted one, else the present one and then any."""
    kind = wanted.room.kind if wanted.held else wanted.type.room_kind  # of a held time the room was agreed
    rooms = to_choose_from(wanted, calendars.keep_open([wanted.location], [kind])[wanted.location.pk, kind])
    calendars.lock(practitioners=[wanted.practitioner], rooms=rooms, patients=filter(None, [wanted.patient]))
    return rooms


def to_choose_from(wanted: Wanted, rooms: list[Room]) -> list[Room]:
    """Of these rooms the wanted one, else the present one and then any."""
    if wanted.room is not None:
        return [room for room in rooms if room.pk == wanted.room.pk]
    present = wanted.moving.room_id if wanted.moving else None
    return sorted(rooms, key=lambda room: room.pk != present)


def settle(wanted: Wanted, by: User | None, override_reason: str) -> tuple[Room, list[str]]:
    """The room of a visit that may be where it is wanted, with the codes of what was overridden for it.

    Whatever ran out and lies in its way is removed.
    """
    looked = _look(wanted)
    if wanted.patient and (stop := gates.against_visit(wanted.patient, wanted.type, by=by)):
        looked.conflicts.insert(0, stop)
    return allowed(wanted, looked, by, override_reason)


def allowed(wanted: Wanted, looked: Looked, by, override_reason: str) -> tuple[Room, list[str]]:
    may = override_reason and overriding.may_override(by, wanted.practitioner, wanted.location)
    overridden = [c.code for c in looked.conflicts if may and c.code in OVERRIDABLE]
    if stands := [c for c in looked.conflicts if c.code not in overridden]:
        raise RuleBroken(stands[0].message, code=stands[0].code, fields={stands[0].field: stands[0].message})
    if "travel" in overridden:
        Hold.objects.filter(pk__in=held_ends.tell(conflicts.held_too_near(wanted), by)).delete()
    _remove_run_out(looked.run_out)
    return looked.room, overridden


def check_movable(fresh: Appointment) -> None:
    if fresh.status not in MOVABLE:
        message = f"The visit is {fresh.get_status_display().lower()} and can no longer be moved."
        raise RuleBroken(message, code="wrong_status")


def _move(fresh: Appointment, wanted: Wanted, *, status: str = "") -> tuple[Appointment, dict]:
    """The visit in its new place, and what the history keeps of the old one, so that a move can be taken back.

    A confirmed visit is to be confirmed again at another time, unless the `status` that it keeps is given.
    """
    replaced = leave(fresh, wanted, status=status)
    return write(fresh, wanted), replaced


def leave(fresh: Appointment, wanted: Wanted, *, status: str = "") -> dict:
    """Make it ready for its new place; returns what the history keeps of the old one."""
    replaced = {"before": (fresh.status, fresh.starts_at), "was": whereabouts(fresh)}
    if wanted.starts_at != fresh.starts_at:
        fresh.status = status or Appointment.Status.BOOKED
    fresh.sequence += 1
    return replaced


def lift(ids: Iterable[int]) -> dict[int, Appointment]:
    """Take visits that are about to move out of each other's way until they are written again; returns them as they
    are."""
    if not ids:
        return {}
    lifted = Appointment.objects.select_for_update(of=("self",)).select_related("room")
    rows = {row.pk: row for row in lifted.filter(pk__in=ids).order_by("pk")}
    movable = [pk for pk, row in rows.items() if row.status in MOVABLE]
    Appointment.objects.filter(pk__in=movable).update(status=Appointment.Status.CANCELLED)
    return rows


def reasons(reason: str, override_reason: str) -> dict[str, str]:
    """What the history keeps: the reason of the step, and that of the override where it is another."""
    return {"reason": reason or override_reason, "override_reason": override_reason if reason else ""}


def whereabouts(appointment: Appointment) -> dict:
    """What the history keeps, beside the start, of the place that a visit leaves."""
    return {
        "practitioner": appointment.practitioner_id,
        "location": appointment.location_id,
        "room": appointment.room_id,
        "minutes": appointment.lasts,
    }


def write(appointment: Appointment, wanted: Wanted) -> Appointment:
    """Save the row at the wanted time, in the room that `settle` chose; under its lock.

    In an atomic block that a refusal ends: nothing more can be asked in it.
    """
    put(appointment, wanted)
    try:
        appointment.save()
    except IntegrityError as error:
        raise refused_by_the_database(error) from None
    return appointment


def put(appointment: Appointment, wanted: Wanted) -> Appointment:
    """Say of the row, which is not saved yet, that it is at the wanted time and place."""
    appointment.practitioner, appointment.location, appointment.room = wanted.practitioner, wanted.location, wanted.room
    appointment.starts_at = wanted.starts_at
    appointment.ends_at = times.from_minute(wanted.end)
    appointment.start_minute, appointment.end_minute = wanted.start, wanted.end
    appointment.busy_from, appointment.busy_until = wanted.busy
    return appointment


def refused_by_the_database(error: IntegrityError) -> RuleBroken:
    """What slipped through the lock, in words; another fault of the rows is raised again."""
    if "a_series_visit_placed_once" in str(error):
        return RuleBroken("Another visit of the series was booked in its place.", code="placed_again")
    if "no_overlap" not in str(error):
        raise error
    return RuleBroken("This time was taken a moment ago.", code="slot_taken")


def _remove_run_out(holds: Iterable[int]) -> None:
    if holds:
        Hold.objects.filter(pk__in=holds).delete()


def _clear_young_holds(wanted: Wanted) -> bool:
    """Of a time given up by a slip and held for somebody at once: within the grace nobody has been told of it."""
    busy_from, busy_until = wanted.busy
    young = Hold.objects.filter(booked_at__gt=times.now() - timedelta(seconds=settings.NOTICE_GRACE_SECONDS))
    in_the_way = young.filter(busy_from__lt=busy_until, busy_until__gt=busy_from)
    deleted, _ = in_the_way.filter(Q(practitioner=wanted.practitioner) | Q(room=wanted.moving.room)).delete()
    return bool(deleted)
