"""Visits that stand in the way of closing a room or a clinic; registered with `locations.in_the_way`."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from appointments.models import Appointment
from clinic import times
from locations.in_the_way import Found
from locations.models import Location, Room


def of(thing: Room | Location) -> Iterator[Found]:
    """One, or none. Whoever asks has closed the location off, so that none is booked meanwhile."""
    if isinstance(thing, Room):
        yield from _found(Appointment.objects.filter(room=thing), thing.location, by="room")
    else:
        yield from _found(Appointment.objects.filter(location=thing), thing, view="week")


def _found(visits: QuerySet, location: Location, **shown) -> Iterator[Found]:
    """With the calendar of the first of them."""
    ahead = visits.holding_time().filter(ends_at__gt=times.now()).order_by("starts_at")
    count = ahead.count()
    if count:
        first = times.local(ahead.first().starts_at, location.time_zone)
        when = times.spoken(first, location.time_zone)
        asked = urlencode({"location": location.slug, "day": first.date(), **shown})
        yield Found(
            f"{count} visit{'' if count == 1 else 's'} ahead, the first on {when}", f"{reverse('calendar')}?{asked}"
        )
