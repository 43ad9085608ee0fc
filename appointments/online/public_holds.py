"""Times held for requests of the public page end when they can be booked no more; who presses the link later is shown
the nearest that can.

Registered with `locations.kept_times`, after the offers. Unlike these they are shown to nobody before: such a time is
kept for half an hour, for somebody who has not answered the mail yet.
"""

from collections.abc import Collection

from django.db.models import Q

from appointments import holds
from appointments.models import AppointmentType, Hold
from appointments.online import public_times
from appointments.waiting import lost_offers
from clinic import times
from clinic.models import User
from locations.kept_times import Agreed
from locations.models import Location, Practitioner


def give_up(
    *, locations: Collection[Location], practitioners: Collection[Practitioner], by: User, agreed: Agreed
) -> None:
    """What cannot be kept at these clinics and with these practitioners, or not in its room: booked by the link it gets
    another, if one is free."""
    _end(Q(location__in=locations) | Q(practitioner__in=practitioners), locations)


def end_of_type(type: AppointmentType) -> None:
    _end(Q(type=type))


def _end(which: Q, closed_off: Collection[Location] = ()) -> None:
    held = Hold.objects.filter(which, booking_requests__visit=None, held_until__gt=times.now())
    held = held.filter(booking_requests__isnull=False).select_related("room", "type", "location", "practitioner__user")
    still, gone = [], []
    for hold in held.order_by("pk"):
        (still if public_times.is_offered(hold.practitioner, hold.location, hold.type) else gone).append(hold)
    why, rooms = lost_offers.lost_among(still, closed_off)
    holds.end([*gone, *why, *rooms])
