"""What happens to a visit on its way: one table of steps, one function that takes them."""

from dataclasses import dataclass

from django.db import transaction

from appointments import booking
from appointments.models import Appointment
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


def allowed(appointment: Appointment) -> list[Step]:
    """The steps that can be taken now, in the order of the day."""
    return [step for step in STEPS.values() if _refusal(step, appointment) is None]


@transaction.atomic
def take(name: str, appointment: Appointment, *, by: User | None, reason: str = "", by_whom: str = "") -> Appointment:
    """Take one step; returns the appointment as it is now.

    Raises RuleBroken (`wrong_status`, `too_early`) and, for staff, what `access.require` raises. Repeating a step that
    was already taken is refused, so a double click is seen and not recorded twice.
    """
    step = STEPS[name]
    if by is not None:
        access.require(by, "appointment.change", appointment.location)
    fresh = Appointment.objects.select_for_update().get(pk=appointment.pk)
    if refusal := _refusal(step, fresh):
        raise refusal
    before = (fresh.status, fresh.starts_at)
    fresh.status = step.leads_to
    if step.leads_to == _S.CANCELLED:
        fresh.sequence += 1  # the patient's calendar takes the cancellation only with a higher number
    fresh.save(update_fields=["status", "sequence"])
    booking.record(fresh, step.event, by=by, by_whom=by_whom, reason=reason, before=before)
    appointment.status, appointment.sequence = fresh.status, fresh.sequence
    return appointment


def _refusal(step: Step, appointment: Appointment) -> RuleBroken | None:
    if appointment.status not in step.leads_from:
        message = f"The visit is already {appointment.get_status_display().lower()}."
        return RuleBroken(message, code="wrong_status", fields={"step": message})
    if step.name == "no-show" and appointment.starts_at > times.now():
        message = "The visit has not begun; it can only be missed after its start."
        return RuleBroken(message, code="too_early", fields={"step": message})
    return None


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
