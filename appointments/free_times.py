"""All that is free for one type of visit, read once from the engine and asked by many who differ in their wishes.

A round of the waitlist asks so: reading costs the same for one and for five hundred who wait, and each further question
is arithmetic. What is taken meanwhile is noted by `take`; a booking checks anew in any case.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from functools import cache

from appointments.availability import EVER, Search, Slot
from appointments.intervals import Interval, Intervals, intersection, starts_blocked, starts_within, subtraction, union
from appointments.models import AppointmentType
from appointments.timetable.hours import ONE_DAY
from appointments.wishes import Wishes
from clinic import times
from locations.models import Location, Practitioner


class FreeTimes:
    """The free starts of a type, of its usual length, on some local days at some locations."""

    def __init__(
        self,
        type: AppointmentType,
        locations: Iterable[Location],
        *,
        from_day: date,
        to_day: date,
        now: datetime,
        practitioners: Collection[Practitioner] | None = None,
    ):
        """As `availability.find` asks, without a patient; the queries are the same number for any question."""
        self.type, self.first, self.last = type, from_day, to_day
        self._search = Search(
            type, type.minutes, locations, practitioners, None, None, [], span=(from_day, to_day), now=now
        )
        self._free = self._search.all_free()
        self._wished = cache(self._starts_wished)

    def soonest(
        self,
        *,
        locations: Iterable[Location],
        practitioners: Collection[int],
        days: tuple[date, date],
        wishes: Wishes,
        not_on: Collection[date] = (),
        busy: Iterable[Interval] = (),
    ) -> Slot | None:
        """The first free time on the days (both included, but none of `not_on`), as `availability.find` orders them.

        No practitioners means anybody; `busy` are visits that the patient has already, in minutes.
        """
        here = {place.pk: place.time_zone for place in locations}
        blocked = union(starts_blocked(busy, self.type.minutes))
        best = None
        for (who, where), free in self._free.items():
            if where not in here or (practitioners and who not in practitioners):
                continue
            wished = self._wished(wishes, *days, frozenset(not_on), here[where])
            starts = subtraction(intersection(free, wished), blocked)
            last = best[0] if best else EVER
            first = next(self._search.first_of(starts, where, who, 1, last), None)
            best = min(filter(None, (best, first)), default=None)
        return self._search.slots([best])[0] if best else None

    def take(self, slot: Slot, before: int, after: int) -> None:
        """From now on the practitioner is taken then, with these buffers and the way to other locations."""
        start, end = times.to_minute(slot.starts_at) - before, times.to_minute(slot.ends_at) + after
        for (who, where), free in self._free.items():
            if who == slot.practitioner.pk:
                way = self._search.ways.between(slot.location.pk, where)
                self._free[who, where] = subtraction(free, list(self._search.blocked([(start - way, end + way)])))

    def _starts_wished(self, wishes: Wishes, first: date, last: date, not_on: frozenset, zone: str) -> Intervals:
        first, last = max(first, self.first), min(last, self.last)
        if last < first:
            return []
        starts = [(times.day_start(first, zone), times.day_start(last + ONE_DAY, zone))]
        if wishes:  # the day after too: a visit may last past midnight
            wished = wishes.minutes(first, last + ONE_DAY, zone)
            starts = intersection(starts, starts_within(wished, self.type.minutes))
        return subtraction(
            starts, union((times.day_start(day, zone), times.day_start(day + ONE_DAY, zone)) for day in not_on)
        )
