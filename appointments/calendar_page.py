"""What the calendar shows of some days: who works or is booked where, and when by the clock of that place.

Reads only, with the same few queries for one visit and for a thousand, and plain values instead of models. The browser
gets minutes since midnight by the wall clock of the location: its own zone must never move a visit.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property

from django.db.models import Q

from appointments import visit_status
from appointments.intervals import Intervals, intersection, union
from appointments.models import Appointment, BookingRequest, TimeOff
from appointments.timetable.hours import Hours
from clinic import times
from locations import access
from locations.models import Location, Room

USUAL_HOURS = (8, 18)
DAY = 24 * 60
PRACTITIONER, ROOM = "practitioner", "room"
LONGEST = 720  # minutes that a visit lasts at most
OFF_THE_CALENDAR = {Appointment.Status.CANCELLED, Appointment.Status.NO_SHOW}


@dataclass(frozen=True)
class Asked:
    """Some local days, the same at each location; a column for each practitioner or for each room."""

    locations: list[Location]
    first: date
    days: int = 1
    by: str = PRACTITIONER
    practitioner: int | None = None  # only this one's visits and columns

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days - 1)

    def each_day(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(self.days))


@dataclass
class Column:
    """`key` is the id of the practitioner or the room; spans are minutes since midnight."""

    location: Location
    day: date
    key: int
    title: str
    working: Intervals = field(default_factory=list)
    off: Intervals = field(default_factory=list)


@dataclass(frozen=True)
class Shown:
    asked: Asked
    clocks: dict[int, "Clock"]  # by location
    columns: list[Column]
    taken: list[dict]  # in order of start; what lasts past midnight once more for the next day, as `carried`
    closed: dict[tuple[int, date], str]  # why, by location and day
    people: dict[int, dict[int, str]]  # by location: the names of those who work there at all

    @cached_property
    def visits(self) -> list[dict]:
        return [one for one in self.taken if one["status"] != Appointment.Status.HELD and not one["carried"]]

    @cached_property
    def carried(self) -> list[dict]:
        """What is left, on their next day, of visits that last past midnight."""
        return [one for one in self.taken if one["status"] != Appointment.Status.HELD and one["carried"]]

    @cached_property
    def holds(self) -> list[dict]:
        """Times kept for somebody who is being asked."""
        return [one for one in self.taken if one["status"] == Appointment.Status.HELD]

    @cached_property
    def online(self) -> set[int]:
        """Of the holds those for somebody who books on the public page."""
        of = BookingRequest.objects.filter(hold__in=[one["id"] for one in self.holds])
        return set(of.values_list("hold_id", flat=True))

    def held(self, hold: dict) -> str:
        """`Held until 4:10 PM`, with the day where it is not today, and for whom where it is an online booking."""
        zone = self.clocks[hold["location"]].zone
        until, now = times.local(hold["held_until"], zone), times.local(times.now(), zone)
        day = "" if until.date() == now.date() else f"{until:%a} "
        whom = ", online booking" if hold["id"] in self.online else ""
        return f"Held until {day}" + f"{until:%I:%M %p}".lstrip("0") + whom

    def coming(self) -> list[dict]:
        return [visit for visit in self.visits if visit["status"] != Appointment.Status.CANCELLED]

    def hours(self) -> tuple[int, int]:
        """Whole hours of the clock that hold everything shown, and at least the usual ones."""
        spans = [span for column in self.columns for span in column.working]
        spans += [(one["from"], one["from"] + one["minutes"]) for one in (*self.coming(), *self.carried, *self.holds)]
        first, last = USUAL_HOURS
        first = min([first, *(start // 60 for start, _ in spans)])
        return first, min(24, max([last, *(-(-end // 60) for _, end in spans)]))


class Clock:
    """A location's wall clock on the days asked for: epoch minutes in, a day and its minutes since midnight out."""

    def __init__(self, asked: Asked, location: Location):
        self.zone = location.time_zone
        self.days = list(asked.each_day())
        bounds = [times.day_bounds(day, self.zone) for day in self.days]
        self.edges = [*(times.to_minute(first) for first, _ in bounds), times.to_minute(bounds[-1][1])]

    def read(self, minute: int) -> tuple[date, int] | None:
        """None for a minute of another day."""
        n = bisect_right(self.edges, minute) - 1
        return (self.days[n], self._wall(n, minute)) if 0 <= n < len(self.days) else None

    def rest(self, start: int, end: int) -> dict | None:
        """What of a visit lies on one of the days and not on that on which it starts: from midnight, by the wall."""
        n = bisect_right(self.edges, end - 1) - 1
        if not 0 <= n < len(self.days) or start >= self.edges[n]:
            return None
        begins, ends = (times.local(times.from_minute(minute), self.zone) for minute in (start, end))
        midnight = self._wall(n, self.edges[n])
        zones = {"zone": f"{ends:%Z}", "end_zone": f"{ends:%Z}"} if self.changes(n) else {}
        return {
            "day": self.days[n], "from": midnight, "minutes": self._wall(n, end) - midnight,
            "carried": {"day": begins.date(), "from": begins.hour * 60 + begins.minute}, **zones,
        }  # fmt: skip

    def spans(self, n: int, intervals: Intervals) -> Intervals:
        """What of the intervals lies on the n-th day."""
        here = intersection(intervals, [(self.edges[n], self.edges[n + 1])])
        return [(self._wall(n, start), self._wall(n, end)) for start, end in here]

    def named(self, start: int, end: int) -> dict:
        """On a day on which the clock changes: what it is called at the start, and where its hands are at the end."""
        n = bisect_right(self.edges, start) - 1
        if not self.changes(n):
            return {}
        begins, ends = (times.local(times.from_minute(minute), self.zone) for minute in (start, end))
        return {"zone": f"{begins:%Z}", "until": ends.hour * 60 + ends.minute, "end_zone": f"{ends:%Z}"}

    def changes(self, n: int) -> bool:
        """Whether the clock is put forward or back on the n-th day."""
        return self.edges[n + 1] - self.edges[n] != DAY

    def noon(self, n: int = 0) -> datetime:
        """Clocks change at night, so it carries the name and the offset of the working day."""
        return times.local(times.instant(self.days[n], time(12), self.zone), self.zone)

    def _wall(self, n: int, minute: int) -> int:
        if not self.changes(n):
            return minute - self.edges[n]
        at = times.local(times.from_minute(minute), self.zone)  # the clock changes on that day
        return DAY if at.date() > self.days[n] else at.hour * 60 + at.minute


def read(asked: Asked, user) -> Shown:
    clocks = {place.pk: Clock(asked, place) for place in asked.locations}
    taken = _taken(asked, user, clocks)
    hours = Hours(asked.locations, asked.first, asked.last)
    columns = _rooms(asked, clocks, hours, taken) if asked.by == ROOM else _practitioners(asked, clocks, hours, taken)
    closed = {
        (place.pk, day): row.reason
        for row in hours.closures
        for place in asked.locations
        for day in asked.each_day()
        if row.location_id in (place.pk, None) and row.starts_on <= day <= row.ends_on
    }
    people = {place.pk: hours.people(place.pk) for place in asked.locations}
    return Shown(asked, clocks, columns, taken, closed, people)


def _taken(asked, user, clocks) -> list[dict]:
    """Visits, and times held still, in order of start; what is not on one of the days by its own clock is left out."""
    first = min((clock.edges[0] for clock in clocks.values()), default=0)
    last = max((clock.edges[-1] for clock in clocks.values()), default=0)
    running = ~Q(status=Appointment.Status.HELD) | Q(held_until__gt=times.now())
    rows = Appointment.with_holds.visible_to(user).filter(
        running, location__in=clocks, starts_at__gte=times.from_minute(first - LONGEST),
        starts_at__lt=times.from_minute(last), end_minute__gt=first,
    )  # fmt: skip
    if asked.practitioner:
        rows = rows.filter(practitioner=asked.practitioner)
    rows = rows.order_by("start_minute", "pk").values_list(
        "pk", "location_id", "practitioner_id", "room_id", "start_minute", "end_minute", "status",
        "patient__given_name", "patient__family_name", "type__slug", "type__name", "type__least_minutes",
        "type__most_minutes", "type__step_minutes", "room__name", "practitioner__user__full_name",
        "practitioner__credentials", "sequence", "held_until",
    )  # fmt: skip
    found = []
    for pk, where, who, room, start, end, status, given, family, *kind, room_name, name, degrees, seen, until in rows:
        given, family = given or "", family or ""  # nobody's, while it is held
        one = {
            "id": pk, "location": where, "status": status, "practitioner": who,
            "practitioner_name": f"{name}, {degrees}", "room": room, "room_name": room_name, "type": kind,
            "patient": f"{given} {family}".strip(), "brief": _brief(given, family), "seen": seen, "held_until": until,
        }  # fmt: skip
        clock = clocks[where]
        if at := clock.read(start):
            day, minute = at
            found.append(
                {**one, "day": day, "from": minute, "minutes": end - start, "carried": None, **clock.named(start, end)}
            )
        if status not in OFF_THE_CALENDAR and (rest := clock.rest(start, end)):
            found.append({**one, **rest})
    return found


def _brief(given: str, family: str) -> str:
    """`J. Smith`, for a narrow column; scripts without capitals have short names anyway."""
    return f"{given[0]}. {family}" if family and given[:1].isupper() else f"{given} {family}".strip()


def _practitioners(asked, clocks, hours, visits) -> list[Column]:
    """Whoever works at the location on the day, and whoever has a visit there all the same."""
    working = hours.working(asked.first, asked.last)
    names = {who: name for place in asked.locations for who, name in hours.people(place.pk).items()}
    booked = _booked(visits, PRACTITIONER)
    off = _time_off(asked, clocks, {*names, *(who for people in booked.values() for who in people)})
    columns = []
    for place in asked.locations:
        clock = clocks[place.pk]
        for n, day in enumerate(asked.each_day()):
            spans = {who: clock.spans(n, s) for (who, where), s in working.items() if where == place.pk}
            people = {who: names[who] for who, found in spans.items() if found} | booked.get((place.pk, day), {})
            columns += [
                Column(place, day, who, name, spans.get(who, []), clock.spans(n, off.get(who, [])))
                for who, name in sorted(people.items(), key=lambda entry: entry[1])
                if asked.practitioner in (None, who)
            ]
    return columns


def _booked(visits, by) -> dict[tuple[int, date], dict[int, str]]:
    """By location and day: the names of the practitioners or rooms of visits that are on the calendar."""
    found = {}
    for visit in visits:
        if visit["status"] != Appointment.Status.CANCELLED:
            found.setdefault((visit["location"], visit["day"]), {})[visit[by]] = visit[f"{by}_name"]
    return found


def _time_off(asked, clocks, people) -> dict[int, Intervals]:
    first = times.from_minute(min((clock.edges[0] for clock in clocks.values()), default=0))
    last = times.from_minute(max((clock.edges[-1] for clock in clocks.values()), default=0))
    found = {}
    rows = TimeOff.objects.filter(practitioner__in=people, starts_at__lt=last, ends_at__gt=first)
    for who, starts_at, ends_at in rows.values_list("practitioner_id", "starts_at", "ends_at"):
        found.setdefault(who, []).append((times.to_minute(starts_at), times.to_minute(ends_at)))
    return {who: union(spans) for who, spans in found.items()}


def _rooms(asked, clocks, hours, visits) -> list[Column]:
    """Every open room, and one that was closed while it is booked; they are in use while anybody works there."""
    names = {}
    rooms = Room.objects.filter(location__in=clocks, is_open=True).order_by("kind", "name", "pk")
    for where, pk, name in rooms.values_list("location_id", "pk", "name"):
        names.setdefault(where, {})[pk] = name
    booked = _booked(visits, ROOM)
    working = hours.working(asked.first, asked.last)
    columns = []
    for place in asked.locations:
        open_time = union(*(spans for (_, where), spans in working.items() if where == place.pk))
        for n, day in enumerate(asked.each_day()):
            spans = clocks[place.pk].spans(n, open_time)
            here = names.get(place.pk, {}) | booked.get((place.pk, day), {})
            columns += [Column(place, day, pk, name, spans) for pk, name in here.items()]
    return columns


def as_json(shown: Shown, user) -> dict:
    """What the script draws. A group is a day at a location with its columns; a visit names its column by position."""
    asked = shown.asked
    position = {(c.location.pk, c.day, c.key): n for n, c in enumerate(shown.columns)}
    first_hour, last_hour = shown.hours()
    coming = shown.coming()

    def column_of(one):
        return one["location"], one["day"], one[asked.by]

    return {
        "by": asked.by,
        "first_hour": first_hour,
        "last_hour": last_hour,
        "locations": {place.slug: _place(shown, place, user) for place in asked.locations},
        "groups": [
            {
                "location": place.slug,
                "day": day.isoformat(),
                "zone": f"{shown.clocks[place.pk].noon(n):%Z}",
                "is_ahead": visit_status.is_ahead(day, place.time_zone),
                "closed": shown.closed.get((place.pk, day), ""),
                "columns": sum(1 for c in shown.columns if c.location is place and c.day == day),
            }
            for place in asked.locations
            for n, day in enumerate(asked.each_day())
        ],
        "columns": [{"key": c.key, "title": c.title, "working": c.working, "off": c.off} for c in shown.columns],
        "types": {
            slug: {"name": name, "least": least, "most": most, "step": step}
            for slug, name, least, most, step in {tuple(visit["type"]) for visit in (*coming, *shown.carried)}
        },
        "visits": [_visit(one, position[column_of(one)]) for one in coming],
        "carried": [_carried(one, position[column_of(one)]) for one in shown.carried],
        "holds": [
            {
                "column": position[column_of(hold)],
                "from": hold["from"],
                "minutes": hold["minutes"],
                "began": hold["carried"]["from"] if hold["carried"] else hold["from"],
                "text": shown.held(hold),
            }
            for hold in shown.holds
        ],
    }


def _visit(visit: dict, column: int) -> dict:
    named = {
        name: visit[name] for name in ("id", "from", "minutes", "status", "patient", "brief", "practitioner", "seen")
    }
    return {**named, **_drawn(visit, column)}


def _carried(visit: dict, column: int) -> dict:
    """What is left of a visit on its next day: from when it has lasted, and nothing with which it could be moved."""
    named = {name: visit[name] for name in ("id", "from", "minutes", "status", "patient")}
    began = {"day": visit["carried"]["day"].isoformat(), "began": visit["carried"]["from"]}
    return {**named, **began, **_drawn(visit, column)}


def _drawn(visit: dict, column: int) -> dict:
    zone = {"zone": visit["zone"]} if "zone" in visit else {}
    return {"column": column, "type": visit["type"][0], "room": visit["room_name"], **zone}


def _place(shown, place, user) -> dict:
    return {
        "name": place.name,
        "offset": int(times.local(times.now(), place.time_zone).utcoffset().total_seconds() // 60),
        "may_change": access.can(user, "appointment.change", place),
        "may_book": access.can(user, "appointment.create", place),
        "people": shown.people[place.pk],
        # For a time that is typed, in this year or the next: which of the two is meant.
        "twice": [
            {"day": one.day.isoformat(), "from": one.begins, "until": one.ends, "zones": [one.first, one.second]}
            for year in (shown.asked.first.year, shown.asked.first.year + 1)
            for one in times.repeated_hours(year, place.time_zone)
        ],
    }
