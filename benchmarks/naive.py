"""N, the search as it is usually written: for each practitioner and day, ask the ORM and try every start.

Written apart from the engine, so that equal answers also check the engine.
"""

from collections import defaultdict
from datetime import timedelta

from django.db.models import Q

from appointments.models import Appointment, TimeOff, WeeklyHours
from clinic import times
from locations.models import Closure, OpeningHours, Practitioner, Room, TravelTime
from locations.ways import UNKNOWN as UNKNOWN_WAY

AROUND = timedelta(hours=24)  # a way of half a day that leads over midnight
GONE = (Appointment.Status.CANCELLED, Appointment.Status.NO_SHOW)


def soonest(*, kind, locations, begin, days, limit, now):
    """(start minute, location id, practitioner id) of the first free starts; three queries a practitioner and day."""
    way = {}
    for row in TravelTime.objects.all():
        way[row.origin_id, row.destination_id] = way[row.destination_id, row.origin_id] = row.minutes
    found = []
    for day in (begin + timedelta(days=n) for n in range(days)):
        places = {place.pk: _Place(place, day, kind) for place in locations}
        for person in Practitioner.objects.filter(is_active=True).select_related("user"):
            found += _free(person, day, kind, places, way, times.to_minute(now))
    return [(start, where, who) for start, _, _, where, who in sorted(found)[:limit]]


class _Place:
    """What is the same for all who work there on that day."""

    def __init__(self, place, day, kind):
        closed = Closure.objects.filter(Q(location=place) | Q(location=None), starts_on__lte=day, ends_on__gte=day)
        rows = OpeningHours.objects.filter(location=place, weekday=day.weekday())
        self.opening = [] if closed.exists() else [(row.opens, row.closes) for row in rows]
        rooms = Room.objects.filter(location=place, kind=kind.room_kind, is_open=True)
        self.rooms = {room.pk: [] for room in rooms}
        for visit in Appointment.objects.filter(_about(day, place.time_zone), room__in=rooms):
            self.rooms[visit.room_id].append((visit.busy_from, visit.busy_until))


def _about(day, zone):
    first, last = times.day_bounds(day, zone)
    near = Q(starts_at__gte=first - AROUND, starts_at__lt=last + AROUND)
    return near & ~Q(status__in=GONE)


def _free(person, day, kind, places, way, now):
    working = defaultdict(list)
    for hours in WeeklyHours.objects.filter(practitioner=person, weekday=day.weekday()).select_related("location"):
        working[hours.location].append(hours)
    if not working:
        return
    zone = next(iter(working)).time_zone
    visits = list(Appointment.objects.filter(_about(day, zone), practitioner=person))
    first, last = times.day_bounds(day, zone)
    off = [
        (times.to_minute(row.starts_at), times.to_minute(row.ends_at))
        for row in TimeOff.objects.filter(practitioner=person, starts_at__lt=last, ends_at__gt=first)
    ]
    for place, many in working.items():
        ways = [
            (v, 0 if v.location_id == place.pk else way.get((v.location_id, place.pk), UNKNOWN_WAY)) for v in visits
        ]
        busy = [(v.busy_from - minutes, v.busy_until + minutes) for v, minutes in ways]
        for hours in many:
            for opens, closes in places[place.pk].opening:
                starts, ends = max(hours.starts, opens), min(hours.ends, closes)
                start, end = (times.to_minute(times.instant(day, edge, place.time_zone)) for edge in (starts, ends))
                for minute in range(start + -start % kind.step_minutes, end - kind.minutes + 1, kind.step_minutes):
                    low, high = minute - kind.buffer_before, minute + kind.minutes + kind.buffer_after
                    if minute <= now or _touches(busy, low, high) or _touches(off, minute, minute + kind.minutes):
                        continue
                    if any(not _touches(room, low, high) for room in places[place.pk].rooms.values()):
                        yield minute, place.name, person.user.full_name, place.pk, person.pk


def _touches(spans, start, end):
    return any(a < end and b > start for a, b in spans)
