"""F, the raw floor of "when is there time?": the driver itself, whole minutes, a btree range of starts, one sweep.

It knows what the measured clinics use (weekly and opening hours, closures, time off, travel, rooms, buffers) and
nothing else: no ORM, no scope, no rules that change from week to week. It is the least that gives the same answer.
"""

from bisect import bisect
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

CHUNKS = (1, 3, 10, 30, 60)
UNKNOWN_WAY = 720  # minutes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rows(raw, sql, *params):
    """`sql` with %s marks on either driver."""
    if raw.__class__.__module__.startswith("sqlite3"):
        return raw.execute(sql.replace("%s", "?"), params).fetchall()
    return raw.execute(sql, params).fetchall()


def _is_sqlite(raw):
    return raw.__class__.__module__.startswith("sqlite3")


def _clock(value):
    """Minutes since midnight of a time, or of SQLite's text of one."""
    if isinstance(value, str):
        return int(value[:2]) * 60 + int(value[3:5])
    return value.hour * 60 + value.minute


def _day(value):
    return date.fromisoformat(value) if isinstance(value, str) else value


class Question:
    """One search: what does not change from chunk to chunk."""

    def __init__(self, raw, *, slug: str, locations: list[int], now: int):
        self.raw, self.now = raw, now
        some = ", ".join(map(str, locations))
        kind = (
            "SELECT id, minutes, buffer_before, buffer_after, step_minutes, room_kind FROM appointments_appointmenttype"
        )
        _, self.minutes, self.before, self.after, self.step, room_kind = rows(raw, f"{kind} WHERE slug = %s", slug)[0]
        self.weekly = defaultdict(list)
        for who, where, weekday, starts, ends, opens, closes, zone, place, person in rows(
            raw,
            "SELECT w.practitioner_id, w.location_id, w.weekday, w.starts, w.ends, o.opens, o.closes, l.time_zone, "
            "l.name, u.full_name FROM appointments_weeklyhours w "
            "JOIN locations_openinghours o ON o.location_id = w.location_id AND o.weekday = w.weekday "
            "JOIN locations_location l ON l.id = w.location_id "
            "JOIN locations_practitioner p ON p.id = w.practitioner_id "
            f"JOIN clinic_user u ON u.id = p.user_id WHERE p.is_active AND w.location_id IN ({some})",
        ):
            span = max(_clock(starts), _clock(opens)), min(_clock(ends), _clock(closes))
            self.weekly[weekday].append((who, where, *span, zone, place, person))
        self.closed = [
            (where, _day(first), _day(last))
            for where, first, last in rows(raw, "SELECT location_id, starts_on, ends_on FROM locations_closure")
        ]
        self.rooms = defaultdict(list)
        for room, where in rows(
            raw, "SELECT id, location_id FROM locations_room WHERE is_open AND kind = %s ORDER BY id", room_kind
        ):
            self.rooms[where].append(room)
        self.way = {}
        for a, b, minutes in rows(raw, "SELECT origin_id, destination_id, minutes FROM locations_traveltime"):
            self.way[a, b] = self.way[b, a] = minutes
        ((places,),) = rows(raw, "SELECT count(*) FROM locations_location")
        is_complete = len(self.way) == places * (places - 1)
        self.longest_way = max(self.way.values(), default=0) if is_complete else UNKNOWN_WAY
        self.zones = {name: ZoneInfo(name) for spans in self.weekly.values() for *_, name, _, _ in spans}

    def first(self, begin: date, days: int, limit: int) -> list[tuple[int, int, int]]:
        """(start minute, location id, practitioner id) of the first free starts."""
        found, done = [], 0
        for chunk in CHUNKS:
            chunk = min(chunk, days - done)
            if chunk <= 0 or len(found) >= limit:
                break
            found += self._chunk(begin + timedelta(days=done), chunk, limit - len(found))
            done += chunk
        return found

    def _chunk(self, begin, days, limit):
        spans = []
        for n in range(days):
            day = begin + timedelta(days=n)
            noon = {
                name: int((datetime(day.year, day.month, day.day, 12, tzinfo=zone) - _EPOCH).total_seconds()) // 60
                for name, zone in self.zones.items()
            }
            closed = {where for where, first, last in self.closed if first <= day <= last}
            if None in closed:
                continue
            for who, where, starts, ends, zone, place, person in self.weekly[day.weekday()]:
                if where not in closed:
                    base = noon[zone] - 720
                    spans.append((base + starts, base + ends, who, where, place, person))
        if not spans:
            return []
        taken, in_room, away = self._taken(min(s[0] for s in spans), max(s[1] for s in spans))
        full = {where: self._without_a_room(where, in_room) for where in {span[3] for span in spans}}
        blocked, found = {}, []
        for start, end, who, where, place, person in spans:
            if (who, where) not in blocked:
                blocked[who, where] = self._blocked(taken[who], away[who], where, full[where])
            starts = self._free(start, end, blocked[who, where], limit)
            found += [(minute, place, person, where, who) for minute in starts]
        return [(minute, where, who) for minute, _, _, where, who in sorted(found)[:limit]]

    def _blocked(self, visits, off, where, full):
        """Starts that cannot be, as sorted spans; each touching or overlapping the next is one with it."""
        long = self.minutes + self.after - 1
        spans = []
        for a, b, at in visits:
            way = 0 if at == where else self.way.get((at, where), UNKNOWN_WAY)
            spans.append((a - long - way, b + self.before + way))
        return _merged(spans + [(a - self.minutes + 1, b) for a, b in off] + full)

    def _without_a_room(self, where, in_room):
        if not self.rooms[where]:
            return [(0, 1 << 40)]
        long, full = self.minutes + self.after - 1, None
        for room in self.rooms[where]:
            spans = _merged([(a - long, b + self.before) for a, b in in_room[room]])
            full = spans if full is None else _both(full, spans)
        return full

    def _free(self, start, end, blocked, limit):
        minute, last, starts = max(start, self.now + 1), end - self.minutes, []
        minute += -minute % self.step
        for a, b in blocked[max(0, bisect(blocked, (minute,)) - 1) :]:
            while minute < a and minute <= last and len(starts) < limit:
                starts.append(minute)
                minute += self.step
            if minute < b:
                minute = b + -b % self.step
            if minute > last or len(starts) >= limit:
                return starts
        while minute <= last and len(starts) < limit:
            starts.append(minute)
            minute += self.step
        return starts

    def _taken(self, start, end):
        margin = self.longest_way + self.before + self.after
        first, last = start - margin - 720, end + margin
        if _is_sqlite(self.raw):
            first_at, last_at = (str(_EPOCH + timedelta(minutes=m))[:19] for m in (first, last))
            epoch = "CAST(strftime('%' || 's', {}) AS integer) / 60"
        else:
            first_at, last_at = (_EPOCH + timedelta(minutes=m) for m in (first, last))
            epoch = "(EXTRACT(EPOCH FROM {}) / 60)::int"
        taken, in_room, away = defaultdict(list), defaultdict(list), defaultdict(list)
        for who, room, where, a, b in rows(
            self.raw,
            "SELECT practitioner_id, room_id, location_id, busy_from, busy_until FROM appointments_appointment "
            "WHERE starts_at >= %s AND starts_at < %s AND status NOT IN ('cancelled', 'no_show')",
            first_at,
            last_at,
        ):
            taken[who].append((a, b, where))
            in_room[room].append((a, b))
        for who, a, b in rows(
            self.raw,
            f"SELECT practitioner_id, {epoch.format('starts_at')}, {epoch.format('ends_at')} FROM appointments_timeoff "
            "WHERE ends_at > %s AND starts_at < %s",
            first_at,
            last_at,
        ):
            away[who].append((a, b))
        return taken, in_room, away


def _merged(spans):
    found = []
    for a, b in sorted(spans):
        if found and a <= found[-1][1]:
            if b > found[-1][1]:
                found[-1] = found[-1][0], b
        else:
            found.append((a, b))
    return found


def _both(one, other):
    found, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        a, b = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if a < b:
            found.append((a, b))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return found


def soonest(raw, *, slug, locations, begin, days, limit, now):
    return Question(raw, slug=slug, locations=locations, now=now).first(begin, days, limit)
