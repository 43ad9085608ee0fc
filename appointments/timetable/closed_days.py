"""Visits ahead, and times offered, that last into days on which their clinic is closed, be it from the evening before.
Reads only; a day is that of each clinic's clock.
"""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from appointments.models import Appointment, Offer
from clinic import times
from locations.models import Closure, Location

EXPECTED = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)


def lasting_into(closures: Iterable[Closure], locations: Iterable[Location]) -> Q:
    """What at these locations takes up time between the first midnight of a closure of theirs and its last."""
    places = list(locations)
    found = Q(pk=None)
    for closure in closures:
        ids: dict[str, list[int]] = {}
        for place in places:
            if closure.location_id in (None, place.pk):
                ids.setdefault(place.time_zone, []).append(place.pk)
        for zone, here in ids.items():
            first, _ = times.day_bounds(closure.starts_on, zone)
            _, last = times.day_bounds(closure.ends_on, zone)
            found |= Q(location__in=here, ends_at__gt=first, starts_at__lt=last)
    return found


def ahead(locations: Iterable[Location]) -> list[Closure]:
    """Closures of these locations, and of the whole group, that are not over; one query."""
    places = list(locations)
    earliest = min((place.today() for place in places), default=date.max)
    rows = Closure.objects.filter(Q(location__in=places) | Q(location=None), ends_on__gte=earliest)
    return list(rows.select_related("location").order_by("starts_on", "pk"))


def hit(closures: Iterable[Closure], locations: Iterable[Location], user) -> QuerySet:
    """The visits ahead that somebody has to move, by place and time."""
    places = list(locations)
    found = Appointment.objects.visible_to(user).filter(
        lasting_into(closures, places), status__in=EXPECTED, starts_at__gt=times.now()
    )
    return found.with_names().order_by("location__name", "starts_at", "pk")


def offers_hit(closures: Iterable[Closure], locations: Iterable[Location], user) -> QuerySet[Offer]:
    """The times offered to patients that would be taken back with the closures, by place and time."""
    found = Offer.objects.visible_to(user).filter(lasting_into(closures, list(locations))).standing()
    return found.with_names().order_by("location__name", "starts_at", "pk")


def is_hit(visit: Appointment, closure: Closure) -> bool:
    """Whether the closure is the reason for this visit of `hit`."""
    first, _ = times.day_bounds(closure.starts_on, visit.location.time_zone)
    _, last = times.day_bounds(closure.ends_on, visit.location.time_zone)
    return closure.location_id in (None, visit.location_id) and visit.ends_at > first and visit.starts_at < last
