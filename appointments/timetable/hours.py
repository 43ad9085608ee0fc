"""When clinics are open and who works there: the rules of hours as rows, turned into minutes of the days asked for.

Hours are wall-clock in the zone of their location and become minutes day by day, so that nine o'clock stays nine
o'clock when the clock changes. Hours that begin in the skipped hour begin when it is over; hours that begin or end in
the repeated hour mean its first pass.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from typing import NamedTuple

from appointments.intervals import Interval, Intervals, intersection, subtraction, union
from appointments.models import ExtraHours, WeeklyHours
from clinic import plain_sql, times
from clinic.models import User
from locations.models import Location, Practitioner

ONE_DAY = timedelta(days=1)
Pair = tuple[int, int]  # the ids of a practitioner and a location

# All rules in one statement: four that are sent one by one take longer to plan and to send than to answer.
_RULES = """
    SELECT 'weekly', h.practitioner_id, h.location_id, starts, ends, ends_next_day, every_weeks, valid_from,
        valid_until, weekday, full_name, credentials, user_id
    FROM appointments_weeklyhours h JOIN locations_practitioner p ON p.id = h.practitioner_id
        JOIN clinic_user u ON u.id = p.user_id
    WHERE p.is_active AND h.location_id IN ({here}) AND {who}
        AND (valid_until IS NULL OR valid_until >= %s) AND (valid_from IS NULL OR valid_from <= %s)
UNION ALL
    SELECT 'extra', h.practitioner_id, h.location_id, starts, ends, ends_next_day, 1, day, NULL,
        NULL, full_name, credentials, user_id
    FROM appointments_extrahours h JOIN locations_practitioner p ON p.id = h.practitioner_id
        JOIN clinic_user u ON u.id = p.user_id
    WHERE p.is_active AND h.location_id IN ({here}) AND {who} AND day >= %s AND day <= %s
UNION ALL
    SELECT 'opening', NULL, location_id, opens, closes, ends_next_day, 1, NULL, NULL, weekday, NULL, NULL, NULL
    FROM locations_openinghours WHERE location_id IN ({here})
UNION ALL
    SELECT 'closure', id, location_id, NULL, NULL, NULL, NULL, starts_on, ends_on, NULL, reason, NULL, NULL
    FROM locations_closure
    WHERE ends_on >= %s AND starts_on <= %s AND (location_id IS NULL OR location_id IN ({here}))
"""


class Closed(NamedTuple):
    location_id: int | None
    starts_on: date
    ends_on: date
    reason: str


def applies(hours: WeeklyHours, day: date) -> bool:
    """Whether weekly hours start on that local day: its weekday, between their dates, in one of their weeks."""
    return hours.weekday == day.weekday() and _is_on(day, hours.every_weeks, hours.valid_from, hours.valid_until)


def minutes(hours: WeeklyHours | ExtraHours, day: date) -> Interval:
    """From when to when hours last that start on that local day, as minutes."""
    zone = hours.location.time_zone
    starts, ends = _since_midnight(hours.starts, hours.ends, hours.ends_next_day)
    return times.wall_minute(day, starts, zone), times.wall_minute(day, ends, zone)


def _is_on(day: date, every_weeks: int, valid_from: date | None, valid_until: date | None) -> bool:
    if (valid_from and day < valid_from) or (valid_until and day > valid_until):
        return False
    if every_weeks == 1:
        return True
    first_monday = valid_from - timedelta(days=valid_from.weekday())
    return (day - first_monday).days // 7 % every_weeks == 0


def _since_midnight(starts: time, ends: time, ends_next_day: bool) -> Interval:
    first, last = starts.hour * 60 + starts.minute, ends.hour * 60 + ends.minute
    return first, last + times.DAY if ends_next_day else last


class Hours:
    """The rules from one local day to another, read once, and the people they are about."""

    def __init__(
        self,
        locations: Iterable[Location],
        first: date,
        last: date,
        *,
        practitioners: Iterable[Practitioner] | None = None,
    ):
        """One query. A location that is closed for good has no hours, nor has a practitioner who left.

        With the evening before `first`, from which hours may last past midnight.
        """
        self.locations = {place.pk: place for place in locations if place.is_open}
        before = first - ONE_DAY
        (here, here_), who, who_ = plain_sql.marks(self.locations), "TRUE", []
        if practitioners is not None:
            marks, who_ = plain_sql.marks(person.pk for person in practitioners)
            who = f"p.id IN ({marks})"
        both = *here_, *who_, before, last
        statement = _RULES.format(here=here, who=who)
        rows = plain_sql.rows(statement, *both, *both, *here_, before, last + ONE_DAY, *here_)
        by_kind = {kind: [row for name, *row in rows if name == kind] for kind in ("weekly", "extra", "opening")}
        self._people = {row[0]: row[9:] for kind in ("weekly", "extra") for row in by_kind[kind]}
        self._weekly = _Rules(by_kind["weekly"])
        self._extra = _Rules([(*row[:6], None, None, row[6], *row[9:]) for row in by_kind["extra"]])
        self._opening = _Rules(by_kind["opening"])
        closures = sorted((row for row in rows if row[0] == "closure"), key=lambda row: (row[7], row[1]))
        self.closures = [Closed(row[2], row[7], row[8], row[10]) for row in closures]

    def name(self, practitioner_id: int) -> str:
        """The full name, as practitioners are ordered."""
        return self._people[practitioner_id][0]

    def knows(self, practitioner_id: int) -> bool:
        """Whether the practitioner has hours among those that were read."""
        return practitioner_id in self._people

    def people(self, location_id: int) -> dict[int, str]:
        """Who has hours at the location between those days, by id, as they are called on pages."""
        rows = (*self._weekly.rows, *self._extra.rows)
        return {who: f"{name}, {credentials}" for who, where, *_, name, credentials, _ in rows if where == location_id}

    def practitioner(self, practitioner_id: int) -> Practitioner:
        """With the user's name and no more of the user, from the rows that were read."""
        full_name, credentials, user_id = self._people[practitioner_id]
        person = Practitioner(id=practitioner_id, user_id=user_id, credentials=credentials, is_active=True)
        person.user = User.from_db("default", ["id", "full_name"], [user_id, full_name])
        return person

    def is_closed(self, location_id: int, day: date) -> bool:
        return any(c.location_id in (location_id, None) and c.starts_on <= day <= c.ends_on for c in self.closures)

    def working(self, first: date, last: date) -> dict[Pair, Intervals]:
        """Minutes at work by (practitioner id, location id), within opening hours and outside closures.

        `first` and `last` are local days at each location, both included, and among those that were read; hours of the
        evening before `first` that end after midnight are there too. Time off is not yet taken out.
        """
        days = Days(self, first, last)
        return {pair: spans for _, pair in days.pairs() if (spans := days.working(pair))}


class _Rules:
    """Rows of hours by the weekday or the day on which they start."""

    def __init__(self, rows: list[tuple]):
        self.rows, self._by_key, self._since_midnight = rows, defaultdict(list), {}
        for row in rows:
            self._by_key[row[8]].append(row)

    def on(self, key: int | date) -> list[tuple]:
        """(who, where, starts, ends, every_weeks, valid_from, valid_until), the times in minutes since midnight."""
        if key not in self._since_midnight:
            self._since_midnight[key] = [
                (who, where, *_since_midnight(starts, ends, ends_next_day), *rule)
                for who, where, starts, ends, ends_next_day, *rule in (row[:8] for row in self._by_key.get(key, ()))
            ]
        return self._since_midnight[key]


class Days:
    """The hours of some days in minutes; nobody's are cut to opening hours and closures before they are asked for."""

    def __init__(self, hours: Hours, first: date, last: date):
        self._zones = {pk: place.time_zone for pk, place in hours.locations.items()}
        self._first, self._last, self._closures = first, last, hours.closures
        self._weekly = self._spread(hours._weekly, by_weekday=True)
        self._extra = self._spread(hours._extra)
        self._opening = self._spread(hours._opening, by_weekday=True)
        self._open: dict[int, Intervals] = {}
        self._closed: dict[int, Intervals] = {}

    def pairs(self) -> list[tuple[int, Pair]]:
        """Who may be at work where, each with the first minute at which that can be, in order of that minute."""
        first = {pair: min(spans)[0] for pair, spans in self._weekly.items()}
        for pair, spans in self._extra.items():
            first[pair] = min(min(spans)[0], first.get(pair, 1 << 40))
        return sorted((minute, pair) for pair, minute in first.items())

    def working(self, pair: Pair) -> Intervals:
        """Within opening hours unless the hours are extra, and outside closures."""
        where = pair[1]
        if where not in self._open:
            self._open[where] = union(self._opening.get((None, where), ()))
            self._closed[where] = union(self._closed_days(where))
        spans = intersection(union(self._weekly.get(pair, ())), self._open[where])
        if pair in self._extra:
            spans = union(spans, self._extra[pair])
        return subtraction(spans, self._closed[where]) if self._closed[where] else spans

    def _spread(self, rules: _Rules, *, by_weekday: bool = False) -> dict[tuple, list[Interval]]:
        """By (who, where), the spans that begin on one of the days or last from the evening before into the first."""
        found = defaultdict(list)
        for n in range(-1, (self._last - self._first).days + 1):
            day = self._first + timedelta(days=n)
            midnights = {zone: _midnight(day, zone) for zone in set(self._zones.values())}
            for who, where, starts, ends, *rule in rules.on(day.weekday() if by_weekday else day):
                if (n >= 0 or ends > times.DAY) and (rule == _ALWAYS or _is_on(day, *rule)):
                    zone = self._zones[where]
                    midnight = midnights[zone]
                    if midnight is None or ends > times.DAY:
                        span = times.wall_minute(day, starts, zone), times.wall_minute(day, ends, zone)
                    else:
                        span = midnight + starts, midnight + ends
                    found[who, where].append(span)
        return found

    def _closed_days(self, where: int) -> Iterator[Interval]:
        """From midnight to midnight, the days around `first` and `last` too: hours may reach into them."""
        zone = self._zones[where]
        for closure in self._closures:
            begin = max(closure.starts_on, self._first - ONE_DAY)
            end = min(closure.ends_on, self._last + ONE_DAY)
            if closure.location_id in (where, None) and begin <= end:
                yield times.day_start(begin, zone), times.day_start(end + ONE_DAY, zone)


_ALWAYS = [1, None, None]


def _midnight(day: date, zone: str) -> int | None:
    """The minute at which a day of 24 hours begins; None for one on which the clock changes."""
    start = times.day_start(day, zone)
    return start if times.day_start(day + ONE_DAY, zone) - start == times.DAY else None
