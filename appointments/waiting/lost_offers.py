"""Offers whose time is no longer there since a clinic closes, hours end or somebody leaves: shown, then taken back.

Registered with `locations.kept_times`, and so called by whoever takes time away, after the change and within its
transaction. An offer that stands stays possible, or ends here: nobody accepts a time and is refused.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from django.db.models import Q

from appointments import calendars, conflicts, holds
from appointments.conflicts import Known, Wanted
from appointments.intervals import overlaps
from appointments.models import Appointment, Hold, Offer
from appointments.moving.bulk_moves import STUCK
from appointments.timetable import out_of_hours, working_hours
from appointments.visit_json import AppointmentOut
from appointments.waiting import offers
from appointments.waiting.offer_json import OfferOut
from clinic import times
from clinic.models import User
from locations.kept_times import Agreed, TimesKept
from locations.models import Location, Practitioner, Room


def give_up(
    *, locations: Collection[Location], practitioners: Collection[Practitioner], by: User, agreed: Agreed
) -> None:
    """Take back what cannot be kept; a time whose room goes is kept in another. The `standstill` is the caller's.

    Raises TimesKept where something in sight of `by` is not `agreed` to. A few queries, and none per offer but for
    those that end or change their room.
    """
    standing = _standing(locations, practitioners)
    why, rooms = lost_among(dict.fromkeys(offer.hold for offer in standing), locations)
    if lost := {offer: why[offer.hold] for offer in standing if offer.hold in why}:
        visible = set(Offer.objects.visible_to(by).filter(pk__in=[one.pk for one in lost]))
        shown = [one for one in lost if one in visible]
        if agreed is not None and {one.pk for one in shown} - set(agreed):
            raise _would_be_lost(shown, _visits_hit(locations, practitioners, by))
        offers.withdraw(lost, by=by)
    for hold, room in rooms.items():
        holds.change_room(hold, room)


def _standing(locations, practitioners) -> list[Offer]:
    """Read after the change: as the clinic, the room and the practitioner are now."""
    found = Offer.objects.standing().filter(Q(location__in=locations) | Q(practitioner__in=practitioners))
    held = ("hold__room", "hold__type", "hold__location", "hold__practitioner__user")
    return list(found.with_names().select_related(*held).order_by("starts_at", "pk"))


def lost_among(held: Iterable[Hold], closed_off: Collection[Location]) -> tuple[dict[Hold, str], dict[Hold, Room]]:
    """Why each of these times cannot be kept, and the new rooms of those that can at the price of another."""
    wanted = {hold: _as_held(hold) for hold in held}
    known = Known.read(wanted.values(), []) if wanted else None
    why, rooms = {}, {}
    for hold, one in wanted.items():
        stuck = [c.message for c in conflicts.find(one, [], known).conflicts if c.code in STUCK]
        if stuck:
            why[hold] = stuck[0]
        elif hold.location in closed_off and not (hold.room.is_open and hold.room.kind == hold.type.room_kind):
            room = _another_room(one, rooms)
            if room:
                rooms[hold] = room
            else:
                why[hold] = f"{hold.room} is gone and no other is free."
    return why, rooms


def _as_held(hold: Hold) -> Wanted:
    minutes = hold.end_minute - hold.start_minute
    return Wanted(None, hold.practitioner, hold.location, hold.type, hold.starts_at, minutes, moving=hold)


def _another_room(one: Wanted, given: Mapping[Hold, Room]) -> Room | None:
    """One that is free, and not `given` to another hold of that time a moment ago."""
    place = one.location.pk
    one = replace(one, held=one.moving)  # as long as it is kept, whatever the buffers of its type are by now
    gone = {room for hold, room in given.items() if overlaps([(hold.busy_from, hold.busy_until)], *one.busy)}
    rooms = calendars.rooms_by_location([place], one.type.room_kind)[place]
    return conflicts.find(one, [room for room in rooms if room not in gone]).room


def _would_be_lost(shown: list[Offer], visits: list[Appointment]) -> TimesKept:
    many = len({offer.hold_id for offer in shown})
    first = shown[0]
    when = times.spoken(first.starts_at, first.location.time_zone)
    if many > 1:
        what = f"{many} times are kept for patients of the waitlist, the first on {when}."
    else:
        what = f"{when} is kept for {'a patient' if len(shown) == 1 else 'patients'} of the waitlist."
    message = (
        f"{what} Offers that can no longer be kept are taken "
        "back, and who was written to is told. Nothing was changed yet."
    )
    return TimesKept(
        message, offers=[OfferOut(offer).data for offer in shown], visits=[AppointmentOut(v).data for v in visits]
    )


def _visits_hit(locations, practitioners, by: User) -> list[Appointment]:
    """The visits in sight that lie outside the hours as they would be, by time."""
    ids = out_of_hours.ahead(locations) if locations else set()
    for person in practitioners:
        ahead = Appointment.objects.filter(practitioner=person, starts_at__gt=times.now())
        for place in Location.objects.filter(pk__in=ahead.values("location")):
            ids |= {visit.pk for visit in working_hours.outside(person, place)}
    return list(Appointment.objects.visible_to(by).filter(pk__in=ids).with_names().order_by("starts_at", "pk"))
