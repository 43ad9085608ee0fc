"""What happens to a visit on its way: one table of steps, one function that takes them, one that takes them back."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from appointments import as_seen, booking, overriding
from appointments.models import Appointment, AppointmentEvent
from appointments.waiting import freed_time, waitlist
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access

_S = Appointment.Status


@dataclass(frozen=True)
class Step:
    """`name` is the verb on buttons and in addresses, `event` the word in the history."""

    name: str
    label: str
    event: str
    leads_from: frozenset
    leads_to: str


STEPS = {
    step.name: step
    for step in (
        Step("confirm", "Confirm", "confirmed", frozenset({_S.BOOKED}), _S.CONFIRMED),
        Step("arrive", "Arrived", "arrived", frozenset({_S.BOOKED, _S.CONFIRMED}), _S.ARRIVED),
        Step("start", "To the room", "started", frozenset({_S.ARRIVED}), _S.IN_ROOM),
        Step("complete", "Done", "completed", frozenset({_S.IN_ROOM}), _S.COMPLETED),
        Step("cancel", "Cancel", "cancelled", frozenset({_S.BOOKED, _S.CONFIRMED, _S.ARRIVED}), _S.CANCELLED),
        Step("no-show", "Did not come", "missed", frozenset({_S.BOOKED, _S.CONFIRMED}), _S.NO_SHOW),
    )
}
# On the visit's own day, by the clock of its clinic, and EARLY before that begins: whoever comes at 23:55 for 0:05 is
# not early. Days that are over stay open: what nobody closed can be.
EARLY = timedelta(hours=4)
ON_THE_DAY = {"arrive", "start", "complete", "no-show"}
UNDOABLE = {step.event for step in STEPS.values()} | {"rescheduled"}
NEEDS_ITS_TIME = {"cancelled", "missed", "rescheduled"}  # to be undone, the visit must get its time again
RESTORED = {"cancelled", "rescheduled"}  # the patient may have been told: reminders look for "restored"
# A slip is seen soon. Later only an authorised person corrects the record, and after a week nobody does.
SLIP = timedelta(minutes=30)
CORRECTION = timedelta(days=7)


def allowed(appointment: Appointment) -> list[Step]:
    """The steps that can be taken now, in the order of the day."""
    return open_steps(appointment.status, appointment.starts_at, appointment.location.time_zone)


def open_steps(status: str, starts_at: datetime, zone_name: str) -> list[Step]:
    return [step for step in STEPS.values() if status in step.leads_from and not _too_early(step, starts_at, zone_name)]


def opens_later(appointment: Appointment) -> bool:
    """Whether a step is missing from those that are allowed only because the day of the visit has not come."""
    of_the_day = any(appointment.status in STEPS[name].leads_from for name in ON_THE_DAY)
    zone = appointment.location.time_zone
    return of_the_day and is_ahead(times.day_of(appointment.starts_at, zone), zone)


@transaction.atomic
def take(
    name: str,
    appointment: Appointment,
    *,
    by: User | None,
    reason: str = "",
    by_whom: str = "",
    expected_sequence: int | None = None,
) -> Appointment:
    """Take one step; returns the appointment as it is now.

    Whoever decided by what they saw says so by `expected_sequence`, as in `booking.reschedule`. Raises RuleBroken
    (`wrong_status`, `changed_meanwhile`, `too_early`) and, for staff, what `access.require` raises. Repeating a step
    that was already taken is refused, so a double click is seen and not recorded twice.
    """
    step = STEPS[name]
    if by is not None:
        access.require(by, "appointment.change", appointment.location)
    fresh = Appointment.objects.select_for_update().get(pk=appointment.pk)
    if by is not None and fresh.location_id != appointment.location_id:
        access.require(by, "appointment.change", fresh.location)
    if refusal := _refusal(step, fresh, expected_sequence):
        raise refusal
    before = (fresh.status, fresh.starts_at)
    fresh.status = step.leads_to
    if step.leads_to == _S.CANCELLED:
        fresh.sequence += 1  # the patient's calendar takes the cancellation only with a higher number
    fresh.save(update_fields=["status", "sequence"])
    booking.record(fresh, step.event, by=by, by_whom=by_whom, reason=reason, before=before)
    _show(appointment, fresh)
    if step.leads_to == _S.CANCELLED:
        freed_time.tell()
    return appointment


def _show(appointment: Appointment, fresh: Appointment) -> None:
    """Whoever asked gets to see the visit as it is now: another may have moved it since it was read."""
    for field in Appointment._meta.concrete_fields:
        setattr(appointment, field.attname, getattr(fresh, field.attname))


def _refusal(step: Step, appointment: Appointment, seen: int | None) -> RuleBroken | None:
    if appointment.status not in step.leads_from:
        message = f"The visit is already {appointment.get_status_display().lower()}."
        return RuleBroken(message, code="wrong_status", fields={"step": message})
    if seen not in (None, appointment.sequence):
        return as_seen.is_now(appointment)
    if message := _too_early(step, appointment.starts_at, appointment.location.time_zone):
        return RuleBroken(message, code="too_early", fields={"step": message})
    return None


def _too_early(step: Step, starts_at: datetime, zone_name: str) -> str:
    """Why the step cannot be taken yet, or nothing."""
    if step.name == "no-show" and starts_at > times.now():
        return "The visit has not begun; it can only be missed after its start."
    if step.name in ON_THE_DAY and is_ahead(times.day_of(starts_at, zone_name), zone_name):
        when = times.spoken(starts_at, zone_name)
        return f"“{step.label}” can be said on the day of the visit, which is {when}."
    return ""


def is_ahead(day: date, zone_name: str) -> bool:
    """Whether a day of visits has not come yet there and does not begin within the next hours, EARLY."""
    return day > times.day_of(times.now() + EARLY, zone_name)


def undo(appointment: Appointment, *, by: User, expected: int | None = None) -> Appointment:
    """Take back the last step that still stands, for a wrong click; returns the appointment as it is now.

    Nothing is erased: the history keeps the step and gets a row that says who took it back, and mails follow from both.
    Whom an earlier day took off the waitlist is on it again.
    A cancelled, missed or moved visit gets its time again only if nobody has it meanwhile (`slot_taken`, `no_room`,
    `patient_busy`, `travel`, each with the nearest free times). `expected` is the id of the step that the person saw.
    Raises RuleBroken also for `nothing_to_undo`, `too_late`, `wrong_status` (another step came between).
    """
    access.require(by, "appointment.change", appointment.location)
    with transaction.atomic():
        last = booking.last_step(appointment)
        if refusal := _undo_refusal(last, appointment, by):
            raise refusal
        if expected is not None and last.pk != expected:
            raise booking.changed_meanwhile()
        was = booking.whereabouts(appointment) if "was" in last.detail else None
        fresh = booking.put_back(appointment, last) if last.step in NEEDS_ITS_TIME else _step_back(appointment, last)
        access.require(by, "appointment.change", fresh.location)
        word = "restored" if last.step in RESTORED else "undone"
        before = (last.to_status, last.to_start)
        booking.record(fresh, word, by=by, before=before, undid=last.pk, took_back=last.step, was=was)
        if last.step == "rescheduled":
            waitlist.reopen(fresh, since=last.at, by=by)
    return fresh


def _undo_refusal(last: AppointmentEvent | None, appointment: Appointment, by: User) -> RuleBroken | None:
    if last is None or last.step not in UNDOABLE:
        return RuleBroken("There is no step to take back.", code="nothing_to_undo")
    if last.by_id is None:
        message = "The patient did this. Ask them, and then take the next step or book the visit anew."
        return RuleBroken(message, code="nothing_to_undo")
    is_recent = times.now() - last.at <= CORRECTION
    may_correct = is_recent and overriding.may_override(by, appointment.practitioner, appointment.location)
    if not is_slip(last.step, last.at, last.by_id) and not may_correct:
        message = "A wrong click can be taken back for half an hour, and for a week by the manager."
        return RuleBroken(message, code="too_late")
    return None


def _step_back(appointment: Appointment, last: AppointmentEvent) -> Appointment:
    fresh = Appointment.objects.select_for_update().get(pk=appointment.pk)
    if fresh.status != last.to_status or booking.last_step(fresh) != last:
        raise booking.changed_meanwhile()
    fresh.status = last.from_status
    fresh.save(update_fields=["status"])
    return fresh


def undoable_step(appointment: Appointment, user: User) -> AppointmentEvent | None:
    """The step that this person, who may change the visit, can take back now."""
    last = booking.last_step(appointment)
    return None if _undo_refusal(last, appointment, user) else last


def is_slip(step: str, at: datetime, by_id: int | None) -> bool:
    """Whether that last step of a visit can be taken back now by everybody who may change visits there."""
    return step in UNDOABLE and by_id is not None and times.now() - at <= SLIP


def confirm(appointment, *, by, reason="", by_whom=""):
    return take("confirm", appointment, by=by, reason=reason, by_whom=by_whom)


def arrive(appointment, *, by, reason="", by_whom=""):
    return take("arrive", appointment, by=by, reason=reason, by_whom=by_whom)


def start(appointment, *, by, reason="", by_whom=""):
    return take("start", appointment, by=by, reason=reason, by_whom=by_whom)


def complete(appointment, *, by, reason="", by_whom=""):
    return take("complete", appointment, by=by, reason=reason, by_whom=by_whom)


def cancel(appointment, *, by, reason="", by_whom=""):
    return take("cancel", appointment, by=by, reason=reason, by_whom=by_whom)


def no_show(appointment, *, by, reason="", by_whom=""):
    return take("no-show", appointment, by=by, reason=reason, by_whom=by_whom)
