"""What the page of a clinic says of its clock and its visits, with the ways on; registered from `apps.py`."""

from datetime import timedelta

from django.urls import reverse

from appointments.moving import bulk_moves, move_links
from appointments.moving.bulk_moves import Span
from clinic import times
from clinic.models import User
from locations import access
from locations.models import Location


def to_zone(place: Location, user: User) -> dict:
    now = times.local(times.now(), place.time_zone)
    return {
        "said": f"Its clock is that of {place.time_zone} ({now:%Z}).",
        "label": "Change the time zone",
        "url": reverse("setup-clinic-zone", args=[place.slug]),
    }


def to_stuck_visits(place: Location, user: User) -> dict | None:
    """Visits of the next months that cannot take place as booked, since hours, rooms or people changed."""
    if not access.can(user, "appointment.change", place):
        return None
    today = place.today()
    span = Span(locations=[place], first=today, last=today + timedelta(days=bulk_moves.LONGEST - 1), only_stuck=True)
    count = len(bulk_moves.affected(span, user))
    if not count:
        return None
    return {
        "said": f"{count} visit{'' if count == 1 else 's'} ahead cannot take place as booked.",
        "label": "Move them",
        "url": move_links.of_stuck(span.first, span.last, location=place),
    }
