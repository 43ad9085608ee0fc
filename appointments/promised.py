"""Booking and moving as the desk and the API ask for it: where the time is held for this very patient it is theirs.

The offer from the waitlist is then accepted. What is wanted has to be what was offered: the same start, practitioner,
place, type and length, and a new visit or the move of the one that waits for an earlier day.
"""

from datetime import datetime

from django.db.models import F, QuerySet

from appointments import booking
from appointments.models import Appointment, AppointmentType, Offer
from appointments.waiting import offers
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import User
from locations.models import Location, Practitioner, Room
from patients.models import Patient


def book(
    *,
    patient: Patient,
    practitioner: Practitioner,
    location: Location,
    type: AppointmentType,
    starts_at: datetime,
    by: User,
    minutes: int | None = None,
    room: Room | None = None,
    override_reason: str = "",
) -> Appointment:
    """`booking.book`, or the offer of this time to this patient accepted. Raises RuleBroken as booking does."""
    where = {"practitioner": practitioner, "location": location, "starts_at": starts_at}
    try:
        return booking.book(
            patient=patient, type=type, by=by, minutes=minutes, room=room, override_reason=override_reason, **where
        )
    except RuleBroken as refused:
        length = type.minutes if minutes is None else minutes
        held = Offer.objects.filter(entry__patient=patient, entry__sooner_than=None, hold__type=type, **where)
        return _accepted(refused, held, length, room, by, override_reason)


def reschedule(
    visit: Appointment,
    *,
    starts_at: datetime,
    by: User,
    practitioner: Practitioner | None = None,
    location: Location | None = None,
    minutes: int | None = None,
    room: Room | None = None,
    reason: str = "",
    override_reason: str = "",
    **more,
) -> Appointment:
    """`booking.reschedule`, or the offer of this earlier time for this visit accepted. Raises RuleBroken as it does."""
    where = {"practitioner": practitioner, "location": location, "starts_at": starts_at}
    try:
        return booking.reschedule(
            visit, by=by, minutes=minutes, room=room, reason=reason, override_reason=override_reason, **where, **more
        )
    except RuleBroken as refused:
        where["practitioner"], where["location"] = practitioner or visit.practitioner, location or visit.location
        held = Offer.objects.filter(entry__sooner_than=visit, **where)
        length = visit.lasts if minutes is None else minutes
        return _accepted(refused, held, length, room, by, override_reason, reason)


def _accepted(
    refused: RuleBroken,
    held: QuerySet[Offer],
    minutes: int,
    room: Room | None,
    by: User,
    override_reason: str,
    reason: str = "",
) -> Appointment:
    """Looked for only after a refusal: most times are not held for anybody."""
    if refused.code != "slot_taken":
        raise refused
    held = held.filter(answer="", hold__held_until__gt=times.now(), hold__end_minute=F("hold__start_minute") + minutes)
    offer = (held.filter(hold__room=room) if room else held).select_related("entry__patient", "location").first()
    if offer is None:
        raise refused
    try:
        return offers.accept(offer, by=by, reason=reason, override_reason=override_reason)
    except RuleBroken as gone:
        raise (refused if gone.code == "offer_gone" else gone) from None
