"""When could somebody be booked? Answered minute by minute from the rows, slowly and without the code under test.

Knows nothing of intervals: every minute is asked by itself whether the practitioner is at work, free and there. The
clock is read off `zoneinfo`, one minute after the other.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from appointments.models import Appointment, ExtraHours, TimeOff, WeeklyHours
from locations.models import Closure, Location, OpeningHours, Room, TravelTime

MINUTE = timedelta(minutes=1)


@cache
def clock(zone: str, first: date, days: int) -> dict[datetime, datetime]:
    """What the clock on the wall shows (without its zone), by the instant, in order; for so many days from `first`."""
    at = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1)
    instants = [at + MINUTE * n for n in range((days + 2) * 24 * 60)]
    return {instant: instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for instant in instants}


class Oracle:
    """Everything there is in the calendars, for a visit of the type on the days from `first` to `last`."""

    def __init__(self, type, first: date, last: date, now: datetime):
        self.type, self.first, self.last, self.now = type, first, last, now
        self.travel = {frozenset((t.origin_id, t.destination_id)): t.minutes for t in TravelTime.objects.all()}
        rows = Appointment.with_holds.exclude(status__in=["cancelled", "no_show"])
        self.visits = [row for row in rows if row.status != "held" or row.held_until > now]
        self.working = {}

    def way(self, one, other) -> int:
        """Minutes; twelve hours where nobody entered any."""
        return 0 if one == other else self.travel.get(frozenset((one, other)), 12 * 60)

    def clock(self, place):
        return clock(place.time_zone, self.first - timedelta(days=2), (self.last - self.first).days + 5)

    def starts(self, person, place: Location, patient) -> set[datetime]:
        """Every instant on the grid at which the patient could be booked with the practitioner there."""
        if not place.is_open or not person.is_active:
            return set()
        at_work = self.at_work(person, place)
        return {
            instant
            for instant, wall in self.clock(place).items()
            if self.first <= wall.date() <= self.last
            and (wall.hour * 60 + wall.minute) % self.type.step_minutes == 0
            and all(instant + MINUTE * n in at_work for n in range(self.type.minutes))
            and self.is_bookable(instant, wall, place)
            and self.is_free(instant, person, place, patient)
        }

    def is_bookable(self, instant, wall, place) -> bool:
        """After the notice, within the horizon, and not already begun."""
        now = self.now.replace(second=0, microsecond=0)
        today = now.astimezone(ZoneInfo(place.time_zone)).date()
        soonest = now + MINUTE * max(1, self.type.notice_minutes)
        return instant >= soonest and wall.date() <= today + timedelta(days=self.type.horizon_days)

    def at_work(self, person, place) -> set[datetime]:
        if (person.pk, place.pk) not in self.working:
            self.working[person.pk, place.pk] = self._at_work(person, place)
        return self.working[person.pk, place.pk]

    def _at_work(self, person, place) -> set[datetime]:
        mine = {"practitioner": person, "location": place}
        weekly = self._during(place, WeeklyHours.objects.filter(**mine), "starts", "ends", is_on)
        opened = self._during(place, OpeningHours.objects.filter(location=place), "opens", "closes", _is_its_weekday)
        extra = self._during(place, ExtraHours.objects.filter(**mine), "starts", "ends", _is_its_day)
        closed = [c for c in Closure.objects.all() if c.location_id in (None, place.pk)]
        away = list(TimeOff.objects.filter(practitioner=person))
        walls = self.clock(place)
        return {
            instant
            for instant in (weekly & opened) | extra
            if not any(c.starts_on <= walls[instant].date() <= c.ends_on for c in closed)
            and not any(off.starts_at <= instant < off.ends_at for off in away)
        }

    def _during(self, place, rows, begin, end, applies) -> set[datetime]:
        """The minutes between the two times of the rows, on each day to which a row applies.

        From the first minute at which the clock shows the one, until the first at which it shows the other.
        """
        walls, found = self.clock(place), set()
        for row in rows:
            for day in sorted({wall.date() for wall in walls.values()}):
                if not applies(row, day):
                    continue
                ends_on = day + timedelta(days=1) if row.ends_next_day else day
                starts, ends = datetime.combine(day, getattr(row, begin)), datetime.combine(ends_on, getattr(row, end))
                has_begun = False
                for instant, wall in walls.items():
                    has_begun = has_begun or wall >= starts
                    if has_begun and wall >= ends:
                        break
                    if has_begun:
                        found.add(instant)
        return found

    def is_free(self, instant, person, place, patient) -> bool:
        kind, ends = self.type, instant + MINUTE * self.type.minutes
        busy = instant - MINUTE * kind.buffer_before, ends + MINUTE * kind.buffer_after
        rooms = set(Room.objects.filter(location=place, kind=kind.room_kind, is_open=True).values_list("pk", flat=True))
        for row in self.visits:
            theirs = _instant(row.busy_from), _instant(row.busy_until)
            if row.patient_id == patient.pk and _meet((row.starts_at, row.ends_at), (instant, ends)):
                return False
            if row.room_id in rooms and _meet(theirs, busy):
                rooms.discard(row.room_id)
            if row.practitioner_id == person.pk:
                way = MINUTE * self.way(row.location_id, place.pk)
                if _meet((theirs[0] - way, theirs[1] + way), busy):
                    return False
        return bool(rooms)


def is_on(hours, day: date) -> bool:
    """In one of its weeks, which are counted from the Monday on or before its first day."""
    if (hours.valid_from and day < hours.valid_from) or (hours.valid_until and day > hours.valid_until):
        return False
    if hours.weekday != day.weekday():
        return False
    if hours.every_weeks == 1:
        return True
    monday = hours.valid_from
    while monday.weekday() != 0:
        monday -= timedelta(days=1)
    while monday + timedelta(days=7) <= day:
        monday += timedelta(days=7 * hours.every_weeks)
    return monday <= day


def _is_its_weekday(hours, day: date) -> bool:
    return hours.weekday == day.weekday()


def _is_its_day(hours, day: date) -> bool:
    return hours.day == day


def _instant(minute: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + MINUTE * minute


def _meet(one, other) -> bool:
    return one[0] < other[1] and other[0] < one[1]
