"""Booking and moving visits. With `visit_status` the only writer of Appointment and its history.

A visit never overlaps another of the same practitioner, room or patient: it is checked under the lock of those
calendars, and the database refuses what slips through. A time that is held for somebody (`holds`) is taken until the
hold runs out; then whoever books first removes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import Http404

from appointments import availability, calendars, conflicts, freed_time
from appointments.conflicts import OVERRIDABLE, Wanted
from appointments.models import Appointment, AppointmentEvent, AppointmentType, Hold, SeriesVisit
from clinic import audit, plain_sql, times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access, standstill
from locations.models import Location, Practitioner, Room
from patients.models import Patient

MOVABLE = {Appointment.Status.BOOKED, Appointment.Status.CONFIRMED}
CHANGED = "changed_meanwhile"
# What does not keep a visit from a time and place that were its own already.
AGREED_ONCE = (OVERRIDABLE | {"in_the_past"}) - {"travel"}


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
) -> Appointment:
    """Book one visit; all or nothing.

    Raises RuleBroken with the first conflict and the nearest free slots. `override_reason` lets an authorised person
    book outside hours or travel time; nobody can book an overlap. A patient's own booking has `by=None`.
    """
    if by is not None:
        access.require(by, "appointment.create", location)
        if not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
            raise Http404
    check_instant(starts_at)
    length = availability.visit_minutes(type, minutes)
    wanted = Wanted(patient, practitioner, location, type, starts_at, length, room)
    try:
        with transaction.atomic():
            room, overridden = settle(wanted, by, override_reason)
            appointment = write(Appointment(patient=patient, type=type), replace(wanted, room=room))
            patient.locations.add(location)
            record(appointment, "booked", by=by, by_whom=by_whom, reason=override_reason, overridden=overridden)
    except RuleBroken as refused:
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
) -> Appointment:
    """Move a visit in time, to another practitioner or location; on RuleBroken it stays where it was.

    A confirmed visit is to be confirmed again when its start changed. What is not given stays as it is. Whoever decided
    by what they saw says so by `expected_start` or by `expected_sequence`, which rises with every change of time, place
    and length: when the visit is no longer so, RuleBroken `changed_meanwhile` says where it is now.
    """
    seen = Seen(appointment, expected_start, expected_sequence, practitioner is None, location is None)
    location = location or appointment.location
    if by is not None:
        access.require(by, "appointment.change", appointment.location)
        access.require(by, "appointment.change", location)
    check_instant(starts_at)
    length = appointment.lasts if minutes is None else availability.visit_minutes(appointment.type, minutes)
    person = practitioner or appointment.practitioner
    wanted = Wanted(appointment.patient, person, location, appointment.type, starts_at, length, room, appointment)
    try:
        with transaction.atomic():
            rooms = _lock(wanted)
            # Read again under the lock: somebody may have cancelled or moved it since the caller looked.
            fresh = Appointment.objects.select_for_update(of=("self",)).select_related("room").get(pk=appointment.pk)
            seen.check(fresh)
            _check_movable(fresh)
            wanted = replace(wanted, moving=fresh, minutes=fresh.lasts if minutes is None else length)
            room, overridden = _allowed(wanted, conflicts.find(wanted, rooms), by, override_reason)
            appointment, replaced = _write_move(fresh, replace(wanted, room=room))
            appointment.patient.locations.add(location)
            record(
                appointment,
                "rescheduled",
                by=by,
                by_whom=by_whom,
                reason=reason or override_reason,
                overridden=overridden,
                **replaced,
            )
            freed_time.tell()
    except RuleBroken as refused:
        if refused.code != CHANGED:
            refused.nearest = nearest(wanted)
        raise
    return appointment


def book_together(
    visits: Mapping[str, Wanted],
    *,
    by: User,
    series_visits: Mapping[str, SeriesVisit] | None = None,
    reason: str = "",
) -> dict[str, Appointment]:
    """Book new visits and move those that have `moving`, as one: all of them or none.

    Visits that move make room for each other. Raises RuleBroken whose `fields` say, by the key of each visit, what
    stands against it; then nothing is changed. `series_visits` are what the new visits are booked for.
    """
    _require_together(visits.values(), by)
    wishes = list(visits.values())
    faults: dict[str, RuleBroken] = {}
    booked = {}
    with transaction.atomic():
        standstill.keep_open(w.location for w in wishes)
        rooms = Room.objects.filter(
            location__in={w.location.pk for w in wishes}, kind__in={w.type.room_kind for w in wishes}, is_open=True
        )
        moving = [w.moving for w in wishes if w.moving]
        people = [w.practitioner for w in wishes] + [visit.practitioner for visit in moving]
        calendars.lock(practitioners=people, rooms=rooms, patients=[w.patient for w in wishes])
        lifted = _lift([visit.pk for visit in moving])
        for key, wanted in visits.items():
            try:
                booked[key] = _place(wanted, lifted, by=by, series_visit=(series_visits or {}).get(key), reason=reason)
            except RuleBroken as refused:
                faults[key] = refused
        if faults:
            raise _none_of_them(faults, len(visits))
        if moving:
            freed_time.tell()
    return booked


def keep_clock(visits: Mapping[Appointment, Wanted], *, by: User, reason: str) -> None:
    """Give visits, cancelled ones too, the instants at which they keep their clock time: their clinic changed its zone.

    Under the lock of all their calendars, taken before it was seen that nothing is in the way. Patients are not told of
    this step: by the clock of the clinic nothing changed.
    """
    lifted = _lift([visit.pk for visit in visits])
    for visit, wanted in visits.items():
        fresh = lifted[visit.pk]
        if fresh.status != Appointment.Status.CANCELLED:
            _check_movable(fresh)
        appointment, replaced = _write_move(fresh, wanted, status=fresh.status)
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
        found, room = _look(wanted)
        if found and _clear_young_holds(wanted):
            found, room = _look(wanted)
        if stands := [c for c in found if c.code not in AGREED_ONCE]:
            raise RuleBroken(stands[0].message, code=stands[0].code, fields={"starts_at": stands[0].message})
        fresh = Appointment.objects.select_for_update().get(pk=appointment.pk)
        if last_step(fresh) != undone:
            raise changed_meanwhile()
        if _replacement(fresh):
            raise RuleBroken("The series has another visit in its place by now.", code="replaced")
        fresh.status = undone.from_status
        fresh.sequence += 1
        return write(fresh, replace(wanted, room=room))
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
        "limit": limit,
        "minutes": wanted.minutes if wanted.type.least_minutes <= wanted.minutes <= wanted.type.most_minutes else None,
    }
    try:
        found = availability.find(**question, practitioners=[wanted.practitioner]).slots
        return found or availability.find(**question).slots
    except RuleBroken:
        return []  # a day that cannot be asked for; what refused the visit is what has to be said


def record(appointment, step, *, by, by_whom="", reason="", before=None, **detail) -> AppointmentEvent:
    """Append to the history and to the audit log. `before` is the (status, start) that the step replaced."""
    from_status, from_start = before or ("", None)
    detail = {name: value for name, value in detail.items() if value}
    event = appointment.history.create(
        step=step,
        at=times.now(),
        by=by,
        by_whom=by_whom or str(by),
        from_status=from_status,
        to_status=appointment.status,
        from_start=from_start,
        to_start=appointment.starts_at,
        reason=reason,
        detail=detail,
    )
    audit.record(f"appointment.{step}", on=appointment, by=by, by_whom=by_whom, **detail)
    return event


def last_step(appointment: Appointment) -> AppointmentEvent | None:
    steps = standing(appointment.history.all())
    return steps[-1] if steps else None


def standing(history: Iterable) -> list:
    """The steps that still stand: one that was taken back is in the history, and so is its undoing."""
    steps = list(history)
    undone = {step.undid for step in steps}
    return [step for step in steps if step.undid is None and step.pk not in undone]


@dataclass(frozen=True)
class Seen:
    """A visit as somebody saw it who moves it, and what of it their move takes to be the same still."""

    visit: Appointment
    start: datetime | None
    sequence: int | None
    practitioner: bool
    location: bool

    def check(self, fresh: Appointment) -> None:
        """Raises RuleBroken where another one's change would be lost."""
        if (
            self.start not in (None, fresh.starts_at)
            or self.sequence not in (None, fresh.sequence)
            or (self.practitioner and fresh.practitioner_id != self.visit.practitioner_id)
            or (self.location and fresh.location_id != self.visit.location_id)
        ):
            now = Appointment.objects.with_names().get(pk=fresh.pk)
            status = "" if fresh.status in MOVABLE else f", {now.get_status_display().lower()}"
            when = times.spoken(now.starts_at, now.location.time_zone)
            where = f"{when}, {now.lasts} minutes, {now.practitioner}, {now.location}{status}"
            raise RuleBroken(f"Somebody changed the visit meanwhile. It is now: {where}. Look again.", code=CHANGED)


def changed_meanwhile() -> RuleBroken:
    return RuleBroken("The visit was changed a moment ago. Look again.", code="wrong_status")


def check_instant(starts_at: datetime) -> None:
    times.check_range(starts_at, "starts_at")
    if starts_at.second or starts_at.microsecond:
        message = "Visits start on a whole minute."
        raise RuleBroken(message, code="invalid", fields={"starts_at": message}, status=400)


def _look(wanted: Wanted) -> tuple[list[conflicts.Conflict], Room | None]:
    """Lock the calendars, then look for conflicts and a room."""
    return conflicts.find(wanted, _lock(wanted))


def _lock(wanted: Wanted) -> list[Room]:
    """Lock the calendars; returns the rooms to choose from: the wanted one, else the present one and then any."""
    standstill.keep_open([wanted.location])
    rooms = calendars.rooms_by_location([wanted.location.pk], wanted.type.room_kind)[wanted.location.pk]
    _refuse_changed(wanted.location, [room.location for room in rooms])
    preferred = wanted.room or (wanted.moving.room if wanted.moving else None)
    if wanted.room is not None:
        rooms = [r for r in rooms if r.pk == wanted.room.pk]
    elif preferred in rooms:
        rooms = [preferred, *(r for r in rooms if r != preferred)]
    calendars.lock(practitioners=[wanted.practitioner], rooms=rooms, patients=filter(None, [wanted.patient]))
    return rooms


def _refuse_changed(location: Location, fresh: list[Location]) -> None:
    """The clinic was read before it was kept open: meanwhile it may have been closed for good or changed its zone."""
    if any(now.is_open != location.is_open or now.time_zone != location.time_zone for now in fresh):
        raise RuleBroken(f"{location} was changed a moment ago. Look again.", code="location_changed")


def settle(wanted: Wanted, by: User | None, override_reason: str) -> tuple[Room, list[str]]:
    """The room of a visit that may be where it is wanted, with the codes of what was overridden for it."""
    return _allowed(wanted, _look(wanted), by, override_reason)


def _allowed(wanted: Wanted, looked: tuple[list[conflicts.Conflict], Room | None], by, override_reason: str):
    found, room = looked
    stands = [c for c in found if not (override_reason and c.code in OVERRIDABLE)]
    overridden = [c.code for c in found if c not in stands]
    if overridden and not may_override(by, wanted.practitioner, wanted.location):
        stands = found
    if stands:
        raise RuleBroken(stands[0].message, code=stands[0].code, fields={"starts_at": stands[0].message})
    return room, overridden


def _check_movable(fresh: Appointment) -> None:
    if fresh.status not in MOVABLE:
        message = f"The visit is {fresh.get_status_display().lower()} and can no longer be moved."
        raise RuleBroken(message, code="wrong_status")


def _write_move(fresh: Appointment, wanted: Wanted, *, status: str = "") -> tuple[Appointment, dict]:
    """The visit in its new place, and what the history keeps of the old one, so that a move can be taken back.

    A confirmed visit is to be confirmed again at another time, unless the `status` that it keeps is given.
    """
    replaced = {"before": (fresh.status, fresh.starts_at), "was": whereabouts(fresh)}
    if wanted.starts_at != fresh.starts_at:
        fresh.status = status or Appointment.Status.BOOKED
    fresh.sequence += 1
    return write(fresh, wanted), replaced


def _require_together(wishes: Iterable[Wanted], by: User) -> None:
    for place in {w.location for w in wishes if not w.moving}:
        access.require(by, "appointment.create", place)
    for place in {place for w in wishes if w.moving for place in (w.moving.location, w.location)}:
        access.require(by, "appointment.change", place)
    patients = {w.patient.pk for w in wishes}
    if Patient.objects.visible_to(by).filter(pk__in=patients).count() != len(patients):
        raise Http404


def _lift(ids: list[int]) -> dict[int, Appointment]:
    """Take the visits that are about to move out of each other's way until they are written again; returns them."""
    lifted = Appointment.objects.select_for_update(of=("self",)).select_related("room")
    rows = {row.pk: row for row in lifted.filter(pk__in=ids).order_by("pk")}
    movable = [pk for pk, row in rows.items() if row.status in MOVABLE]
    Appointment.objects.filter(pk__in=movable).update(status=Appointment.Status.CANCELLED)
    return rows


def _place(wanted: Wanted, lifted: dict, *, by: User, series_visit: SeriesVisit | None, reason: str) -> Appointment:
    """One visit of several; the calendars are locked already."""
    check_instant(wanted.starts_at)
    if wanted.moving is None:
        room, _ = settle(wanted, by, "")
        appointment = Appointment(patient=wanted.patient, type=wanted.type, series_visit=series_visit)
        appointment = write(appointment, replace(wanted, room=room))
        replaced, step = {}, "booked"
    else:
        fresh = lifted[wanted.moving.pk]
        _check_movable(fresh)
        wanted = replace(wanted, moving=fresh)
        room, _ = settle(wanted, by, "")
        appointment, replaced = _write_move(fresh, replace(wanted, room=room))
        step = "rescheduled"
    wanted.patient.locations.add(wanted.location)
    record(appointment, step, by=by, reason=reason, **replaced)
    return appointment


def _none_of_them(faults: dict[str, RuleBroken], count: int) -> RuleBroken:
    first = next(iter(faults.values()))
    message = first.message if count == 1 else f"Nothing was changed: {len(faults)} of {count} times cannot be had."
    return RuleBroken(message, code=first.code, fields={key: fault.message for key, fault in faults.items()})


def whereabouts(appointment: Appointment) -> dict:
    """What the history keeps, beside the start, of the place that a visit leaves."""
    return {
        "practitioner": appointment.practitioner_id,
        "location": appointment.location_id,
        "room": appointment.room_id,
        "minutes": appointment.lasts,
    }


def may_override(by: User | None, practitioner: Practitioner, location: Location) -> bool:
    """A manager at the location, or the practitioner about their own calendar there."""
    if by is None or not access.can(by, "appointment.override", location):
        return False
    roles = {role for role, place in access.held(by) if place in (None, location.pk)}
    return access.MANAGER in roles or practitioner.user_id == by.pk


def write(appointment: Appointment, wanted: Wanted) -> Appointment:
    """Save the row at the wanted time, in the room that `settle` chose; under its lock."""
    appointment.practitioner, appointment.location, appointment.room = wanted.practitioner, wanted.location, wanted.room
    appointment.starts_at = wanted.starts_at
    appointment.ends_at = times.from_minute(wanted.end)
    appointment.start_minute, appointment.end_minute = wanted.start, wanted.end
    appointment.busy_from, appointment.busy_until = wanted.busy
    _clear_expired_holds(wanted)
    try:
        with transaction.atomic():
            appointment.save()
    except IntegrityError as error:
        if "a_series_visit_placed_once" in str(error):
            raise RuleBroken("Another visit of the series was booked in its place.", code="placed_again") from None
        if "no_overlap" not in str(error):
            raise
        raise RuleBroken("This time was taken a moment ago.", code="slot_taken") from None
    return appointment


def _clear_expired_holds(wanted: Wanted) -> None:
    """Those in the way: for the engine they are gone, for the database they are rows like any other."""
    span = (wanted.room.pk, wanted.practitioner.pk, *reversed(wanted.busy), times.now())
    if expired := [pk for (pk,) in plain_sql.rows(_EXPIRED, *span)]:
        Hold.objects.filter(pk__in=expired).delete()


_EXPIRED = """
    SELECT id FROM appointments_appointment
    WHERE status = 'held' AND (room_id = %s OR practitioner_id = %s)
        AND busy_from < %s AND busy_until > %s AND held_until <= %s
"""


def _clear_young_holds(wanted: Wanted) -> bool:
    """Of a time given up by a slip and held for somebody at once: within the grace nobody has been told of it."""
    busy_from, busy_until = wanted.busy
    young = Hold.objects.filter(booked_at__gt=times.now() - timedelta(seconds=settings.NOTICE_GRACE_SECONDS))
    in_the_way = young.filter(busy_from__lt=busy_until, busy_until__gt=busy_from)
    deleted, _ = in_the_way.filter(Q(practitioner=wanted.practitioner) | Q(room=wanted.moving.room)).delete()
    return bool(deleted)
