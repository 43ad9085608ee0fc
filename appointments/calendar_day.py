"""One location's day as the calendar shows it: who works or is booked there, when, and what the clock says.

Reads only, with the same number of queries for one visit and for a hundred. Everything the browser gets is wall-clock
text of the location's zone, without an offset: the browser's own zone must never move a visit.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.urls import reverse

from appointments import booking, calendars
from appointments.intervals import Intervals, subtraction
from appointments.models import Appointment
from clinic import times
from locations import access
from locations.models import Location, Practitioner

USUAL_HOURS = (8, 18)


@dataclass(frozen=True)
class Column:
    practitioner: Practitioner
    working: Intervals  # epoch minutes, time off taken out


@dataclass(frozen=True)
class Day:
    location: Location
    day: date
    columns: list[Column]
    visits: list[Appointment]
    first_hour: int
    last_hour: int
    closed: str  # the reason, when the location is closed on that day

    @property
    def yesterday(self):
        return self.day - timedelta(days=1)

    @property
    def tomorrow(self):
        return self.day + timedelta(days=1)

    @property
    def coming(self):
        return [v for v in self.visits if v.status != Appointment.Status.CANCELLED]

    @property
    def noon(self) -> datetime:
        """In the zone of the location; clocks change at night, so it carries the offset of the working day."""
        return times.local(times.instant(self.day, time(12), self.location.time_zone), self.location.time_zone)


def read(location: Location, day: date, user) -> Day:
    visits = list(Appointment.objects.visible_to(user).at(location).on(day, location.time_zone).with_names())
    hours = calendars.Hours.read([location])
    working = {who: spans for (who, _), spans in hours.working(day, day).items()}
    people = {v.practitioner_id: v.practitioner for v in visits if v.status != Appointment.Status.CANCELLED}
    people |= {pk: hours.practitioners[pk] for pk in working}
    first, last = (times.to_minute(edge) for edge in times.day_bounds(day, location.time_zone))
    taken = calendars.Taken.read(first, last, practitioners=people, locations=[])
    columns = [
        Column(person, taken.at_work(pk, working.get(pk, [])))
        for pk, person in sorted(people.items(), key=lambda entry: entry[1].name)
    ]
    closed = next((c.reason for c in hours.closures if c.starts_on <= day <= c.ends_on), "")
    return Day(location, day, columns, visits, *_shown_hours(day, location, columns, visits), closed)


def as_json(shown: Day, user) -> dict:
    """What `calendar.js` draws; `utc_offset` is where the line of "now" belongs on that day."""
    may_move = access.can(user, "appointment.change", shown.location)
    offset = f"{shown.noon:%z}"
    return {
        "day": shown.day.isoformat(),
        "utc_offset": f"{offset[:3]}:{offset[3:5]}",
        "first_hour": shown.first_hour,
        "last_hour": shown.last_hour,
        "columns": [{"id": str(c.practitioner.pk), "title": c.practitioner.name} for c in shown.columns],
        "events": [
            *(_visit_event(visit, may_move) for visit in shown.coming),
            *(event for column in shown.columns for event in _away_events(shown, column)),
        ],
    }


def _shown_hours(day, location, columns, visits) -> tuple[int, int]:
    """Whole hours of the clock that hold everything of the day, and at least the usual ones."""
    spans = [span for column in columns for span in column.working]
    spans += [(visit.start_minute, visit.end_minute) for visit in visits]
    first, last = USUAL_HOURS
    for start, end in spans:
        starts, ends = (times.local(times.from_minute(minute), location.time_zone) for minute in (start, end))
        first = min(first, starts.hour)
        last = max(last, 24 if ends.date() > day else ends.hour + bool(ends.minute))
    return first, last


def _wall(instant, location) -> str:
    return times.local(instant, location.time_zone).replace(tzinfo=None).isoformat()


def _visit_event(visit, may_move) -> dict:
    return {
        "id": str(visit.pk),
        "resourceIds": [str(visit.practitioner_id)],
        "start": _wall(visit.starts_at, visit.location),
        "end": _wall(visit.ends_at, visit.location),
        "title": visit.patient.name,
        "editable": may_move and visit.status in booking.MOVABLE,
        "classNames": ["visit", f"is-{visit.status}"],
        "extendedProps": {
            "starts": _wall(visit.starts_at, visit.location),
            "status": visit.get_status_display(),
            "type": visit.type.name,
            "room": visit.room.name,
            "url": reverse("appointment", args=[visit.pk]),
            "move_url": reverse("appointment-move", args=[visit.pk]),
        },
    }


def _away_events(shown, column):
    """The time a practitioner does not work, shaded in their column."""
    zone = shown.location.time_zone
    starts = times.instant(shown.day, time(shown.first_hour), zone)
    ends = (
        times.instant(shown.day, time(shown.last_hour), zone)
        if shown.last_hour < 24
        else times.day_bounds(shown.day, zone)[1]
    )
    for start, end in subtraction([(times.to_minute(starts), times.to_minute(ends))], column.working):
        yield {
            "id": f"away-{column.practitioner.pk}-{start}",
            "resourceIds": [str(column.practitioner.pk)],
            "start": _wall(times.from_minute(start), shown.location),
            "end": _wall(times.from_minute(end), shown.location),
            "display": "background",
            "classNames": ["away"],
            "editable": False,
        }
