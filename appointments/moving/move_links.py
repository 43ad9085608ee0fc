"""Ways to the page that moves many visits at once, from the pages on which somebody notices that they have to."""

from datetime import date

from django.urls import reverse
from django.utils.http import urlencode

from appointments.moving import bulk_moves
from appointments.moving.bulk_move_forms import ALL, STUCK
from locations.models import Location, Practitioner


def of_stuck(
    first: date, last: date, *, location: Location | None = None, practitioner: Practitioner | None = None
) -> str:
    """What cannot take place as booked, there or at all of one's clinics; the usual practitioner before a colleague."""
    return _link(first, last, STUCK, bulk_moves.SAME, location, practitioner)


def of_absence(practitioner: Practitioner, first: date, last: date, *, location: Location | None = None) -> str:
    """Everything of a practitioner who is not there; a colleague at the same time first."""
    return _link(first, last, ALL, bulk_moves.ANYONE, location, practitioner)


def _link(first, last, which, to, location, practitioner) -> str:
    asked = {
        "practitioner": practitioner.pk if practitioner else "",
        "location": location.slug if location else "",
        "first": f"{first}",
        "last": f"{last}",
        "which": which,
        "to": to,
    }
    return f"{reverse('visit-moves')}?{urlencode(asked)}"
