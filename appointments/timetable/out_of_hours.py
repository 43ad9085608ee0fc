"""Visits ahead that lie outside the hours as they are now: of the practitioner, or of the clinic. Reads only.

One that was booked outside of them on purpose is none of these; its history says so.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta

from appointments.intervals import covers
from appointments.models import Appointment, AppointmentEvent
from appointments.timetable.hours import Hours
from clinic import times
from locations.models import Location

EXPECTED = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
PLACED = ("booked", "rescheduled", "agreed")
AHEAD = timedelta(days=92)


def ahead(locations: Iterable[Location]) -> set[int]:
    """Ids of those at open clinics in the next three months; three queries, whatever their number."""
    places = [place for place in locations if place.is_open]
    now = times.now()
    rows = Appointment.objects.filter(
        location__in=places, status__in=EXPECTED, starts_at__gt=now, starts_at__lt=now + AHEAD
    ).order_by()
    fields = ("pk", "practitioner_id", "location_id", "start_minute", "end_minute")
    visits = list(rows.values_list(*fields))
    if not visits:
        return set()
    first = min(place.today() for place in places)
    hours = Hours(places, first, first + AHEAD + timedelta(days=2))
    working = hours.working(first, first + AHEAD + timedelta(days=2))
    outside = {pk for pk, who, where, start, end in visits if not covers(working.get((who, where), []), start, end)}
    return outside - on_purpose(outside)


def on_purpose(visits: Collection[int]) -> set[int]:
    """Of these visits, by their ids, those that somebody put outside the hours and said why."""
    if not visits:
        return set()
    placed = AppointmentEvent.objects.filter(appointment__in=visits, step__in=PLACED).order_by("at", "pk")
    last = dict(placed.values_list("appointment", "detail"))
    return {pk for pk, detail in last.items() if "outside_hours" in detail.get("overridden", ())}
