"""How long "when is the soonest evaluation, anywhere, with anyone?" takes.

`naive` walks every practitioner and day and tries each start; it is written apart from the engine, so that equal
answers also check the engine. The floor reads the rows that any answer must read, and computes nothing.
"""

from collections import defaultdict
from datetime import UTC, timedelta

from django.db import connection

from appointments import availability
from appointments.models import AppointmentType
from clinic import times
from locations.models import Location

DAYS, LIMIT = 14, 5


def _rows(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _touches(spans, start, end):
    return any(a < end and b > start for a, b in spans)


def read(kind, now):
    """Every row the question is about, with plain SQL."""
    begin, end = times.to_minute(now), times.to_minute(now) + (DAYS + 2) * 1440
    return {
        "names": _rows("SELECT id, name FROM locations_location"),
        "people": _rows(
            "SELECT p.id, u.full_name || ', ' || p.credentials FROM locations_practitioner p "
            "JOIN clinic_user u ON u.id = p.user_id"
        ),
        "weekly": _rows("SELECT practitioner_id, location_id, weekday, starts, ends FROM appointments_weeklyhours"),
        "opening": _rows("SELECT location_id, weekday, opens, closes FROM locations_openinghours"),
        "closed": _rows("SELECT location_id, starts_on, ends_on FROM locations_closure"),
        "rooms": _rows("SELECT id, location_id FROM locations_room WHERE kind = %s AND is_open", kind.room_kind),
        "travel": _rows("SELECT origin_id, destination_id, minutes FROM locations_traveltime"),
        "taken": _rows(
            "SELECT practitioner_id, room_id, location_id, busy_from, busy_until FROM appointments_appointment "
            "WHERE busy_until > %s AND busy_from < %s AND status NOT IN ('cancelled', 'no_show')", begin - 1440, end,
        ),
        "away": _rows("SELECT practitioner_id, starts_at, ends_at FROM appointments_timeoff"),
    }  # fmt: skip


def naive(kind, places, first, now):
    """(start minute, location id, practitioner id) of the first free starts."""
    rows = read(kind, now)
    zone, names, people = {p.pk: p.time_zone for p in places}, dict(rows["names"]), dict(rows["people"])
    rooms, by_person, by_room, away = (defaultdict(list) for _ in range(4))
    for room, place in rows["rooms"]:
        rooms[place].append(room)
    way = {pair: m for a, b, m in rows["travel"] for pair in ((a, b), (b, a))}
    for who, room, place, a, b in rows["taken"]:
        by_person[who].append((a, b, place))
        by_room[room].append((a, b))
    for who, a, b in rows["away"]:
        away[who].append((times.to_minute(_instant(a)), times.to_minute(_instant(b))))

    def free(who, place, start):
        lo, hi = start - kind.buffer_before, start + kind.minutes + kind.buffer_after
        busy = [(x - way.get((at, place), 0), y + way.get((at, place), 0)) for x, y, at in by_person[who]]
        full = all(_touches(by_room[room], lo, hi) for room in rooms[place])
        return not full and not _touches(busy, lo, hi) and not _touches(away[who], start, start + kind.minutes)

    found = []
    for day in (first + timedelta(days=n) for n in range(DAYS)):
        for who, place, weekday, starts, ends in rows["weekly"]:
            if weekday != day.weekday() or any(c in (place, None) and s <= day <= e for c, s, e in rows["closed"]):
                continue
            for where, on, opens, closes in rows["opening"]:
                if (where, on) != (place, weekday):
                    continue
                a = times.to_minute(times.instant(day, max(starts, opens), zone[place]))
                b = times.to_minute(times.instant(day, min(ends, closes), zone[place]))
                for start in range(-(-a // 15) * 15, b - kind.minutes + 1, 15):
                    if start > times.to_minute(now) and free(who, place, start):
                        found.append((start, names[place], people[who], place, who))
    return [(start, place, who) for start, _, _, place, who in sorted(found)[:LIMIT]]


def _instant(value):
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def cases():
    kind = AppointmentType.objects.get(slug="evaluation")
    places = list(Location.objects.all())
    now = times.now()
    first = times.day_of(now, places[0].time_zone)

    def ours():
        found = availability.find(
            type=kind, locations=places, from_day=first, to_day=first + timedelta(days=DAYS - 1), limit=LIMIT, now=now
        )
        return [(times.to_minute(s.starts_at), s.location.pk, s.practitioner.pk) for s in found.slots]

    yield {
        "name": f"soonest {LIMIT} evaluations, {len(places)} locations, {DAYS} days",
        "ours": ours,
        "naive": lambda: naive(kind, places, first, now),
        "floor": lambda: read(kind, now),
    }
