"""Visits that stand in the way of closing a room or a clinic; registered with `locations.in_the_way`."""

from collections.abc import Iterator

from django.db.models import QuerySet

from appointments.models import Appointment
from clinic import times
from locations.models import Location, Room


def of(thing: Room | Location) -> Iterator[str]:
    """One sentence, or none. Whoever asks has closed the location off, so that none is booked meanwhile."""
    if isinstance(thing, Room):
        yield from _said(Appointment.objects.filter(room=thing), thing.location)
    else:
        yield from _said(Appointment.objects.filter(location=thing), thing)


def _said(visits: QuerySet, location: Location) -> Iterator[str]:
    ahead = visits.holding_time().filter(ends_at__gt=times.now()).order_by("starts_at")
    count = ahead.count()
    if count:
        first = times.spoken(ahead.first().starts_at, location.time_zone)
        yield f"{count} visit{'' if count == 1 else 's'} ahead, the first on {first}"
