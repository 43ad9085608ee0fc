"""Nobody books while it is decided that a clinic closes, its hours change, a room goes or somebody leaves.

Whoever books holds the clinic open (shared, so bookings do not wait for each other) and the calendar of the
practitioner. Whoever takes time away comes first, before any row is locked: then each booking was either made before,
and is found among the visits that are hit, or it is decided after, by the new hours.
"""

from collections.abc import Iterable

from clinic import locks
from locations.models import Location, Practitioner


def keep_open(places: Iterable[Location]) -> None:
    """Let nobody close these clinics, a day or a room of theirs, until COMMIT. Comes before any other calendar."""
    locks.hold((locks.LOCATION, places), shared=True)


def close_off(places: Iterable[Location]) -> None:
    """Let nobody book at these clinics until COMMIT: for closing one, a day or a room, and seeing whom that hits."""
    locks.hold((locks.LOCATION, places))


def stand_still(people: Iterable[Practitioner]) -> None:
    """Let nobody book these practitioners until COMMIT: for taking hours or days from them."""
    locks.hold((locks.PRACTITIONER, people))
