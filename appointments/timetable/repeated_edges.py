"""What hours mean that begin or end in the hour that comes twice: its first pass, said where such hours are shown.

Hours are a wall clock for many weeks, and cannot ask which pass is meant on the one night of the year. An absence is
two instants and can: with one, anything else is said.
"""

from collections.abc import Iterable
from datetime import date, time, timedelta

from appointments.models import ExtraHours, WeeklyHours
from appointments.timetable.hours import applies
from clinic import times
from locations.spans import spoken

A_DAY = timedelta(days=1)


def notes(rows: Iterable[WeeklyHours | ExtraHours], *, since: date) -> list[str]:
    """A sentence for each such edge, on the next night from `since` on in which the hours are in effect; each once."""
    return list(dict.fromkeys(note for row in rows for note in _of(row, since)))


def _of(row: WeeklyHours | ExtraHours, since: date) -> Iterable[str]:
    zone = row.location.time_zone
    edges = ("begin", row.starts, 0), ("end", row.ends, int(row.ends_next_day))
    for verb, edge, days_later in edges:
        nights = (night for year in (since.year, since.year + 1) for night in times.repeated_hours(year, zone))
        for night in nights:
            if night.day >= since and _begins(row, night.day - days_later * A_DAY) and _is_in(edge, night):
                again = f"{spoken(edge)} comes twice on {times.spoken_day(night.day)}"
                yield f"{again}: the hours {verb} at the first of the two, {spoken(edge)} {night.first}."
                break


def _begins(row: WeeklyHours | ExtraHours, day: date) -> bool:
    return row.day == day if isinstance(row, ExtraHours) else applies(row, day)


def _is_in(edge: time, night: times.RepeatedHour) -> bool:
    return night.begins <= edge.hour * 60 + edge.minute < night.ends
