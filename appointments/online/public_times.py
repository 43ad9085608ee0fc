"""What anybody may book on the public page, and when: the one engine, asked for types and practitioners offered there.

A type and a practitioner are offered when they are marked so in the setup; a clinic, when one of them works there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef

from appointments import availability
from appointments.availability import FURTHEST, Slot
from appointments.free_times import FreeTimes
from appointments.marks import Mark
from appointments.models import AppointmentType, ExtraHours, WeeklyHours
from appointments.wishes import Wishes
from clinic import times
from clinic.errors import RuleBroken
from locations.models import Location, Practitioner

A_PAGE = 24
AHEAD = (14, 56)  # days that are looked at for the soonest time, before all of the horizon
AROUND = timedelta(days=3)
NEAREST = 6
READ_AT_MOST = 300  # free times before the wanted one, of which the nearest are shown


@dataclass(frozen=True)
class Page:
    """Some free times, by the local day of their clinic; `after` is the mark to go on with."""

    days: dict[date, list[Slot]]
    after: str


def types() -> list[AppointmentType]:
    return list(AppointmentType.objects.filter(is_bookable_online=True))


def people() -> list[Practitioner]:
    return list(Practitioner.objects.filter(is_bookable_online=True, is_active=True).select_related("user"))


def places(whom: Iterable[Practitioner]) -> list[Location]:
    """Open clinics at which one of them works."""
    hours = [Exists(rows.objects.filter(location=OuterRef("pk"), practitioner__in=whom))
             for rows in (WeeklyHours, ExtraHours)]  # fmt: skip
    return list(Location.objects.filter(hours[0] | hours[1], is_open=True))


def soonest(type: AppointmentType, at: list[Location], whom: list[Practitioner]) -> list[tuple[Location, Slot | None]]:
    """The first free time of each clinic, the soonest first; those without one at the end, by name."""
    found: dict[Location, Slot] = {}
    missing = list(at)
    for days in [*(n for n in AHEAD if n < type.horizon_days), type.horizon_days]:
        if missing and whom:
            found |= _first_of_each(type, missing, whom, days)
            missing = [place for place in missing if place not in found]
    slots = sorted(found.items(), key=lambda one: (one[1].starts_at, one[0].name))
    return [*slots, *((place, None) for place in missing)]


def _first_of_each(type, at, whom, days) -> dict[Location, Slot]:
    span = _span(at, days)
    free = FreeTimes(type, at, from_day=span[0], to_day=span[1], now=times.now(), practitioners=whom)
    first = ((place, free.soonest(locations=[place], practitioners=(), days=span, wishes=Wishes())) for place in at)
    return {place: slot for place, slot in first if slot}


def _span(at: Iterable[Location], days: int) -> tuple[date, date]:
    today = [place.today() for place in at]
    return min(today), min(max(today) + timedelta(days=days), min(today) + FURTHEST)


def page(
    type: AppointmentType, place: Location, whom: list[Practitioner], *, from_day: date | None, after: Mark | None
) -> Page:
    """The free times at one clinic from a local day on, as many as a page holds."""
    first, last = _span([place], type.horizon_days)
    first = min(max(first, from_day), last) if from_day else first
    if not whom:
        return Page({}, "")
    found = availability.find(
        type=type, locations=[place], practitioners=whom, from_day=first, to_day=last, limit=A_PAGE, after=after
    )
    return Page(by_day(found.slots), str(found.next_after or ""))


def by_day(slots: Iterable[Slot]) -> dict[date, list[Slot]]:
    found: dict[date, list[Slot]] = {}
    for slot in slots:
        found.setdefault(slot.local_start.date(), []).append(slot)
    return found


def offered(type: AppointmentType, mark: Mark) -> Slot | None:
    """The free time that a mark names; None when it is not, or no longer, offered."""
    whom = [person for person in people() if person.pk == mark.practitioner]
    at = [place for place in places(whom) if place.slug == mark.location] if whom else []
    if not at:
        return None
    day = times.day_of(mark.starts_at, at[0].time_zone)
    try:
        found = availability.find(
            type=type, locations=at, practitioners=whom, from_day=day, to_day=day, limit=1,
            after=Mark(mark.starts_at - timedelta(minutes=1)),
        ).slots  # fmt: skip
    except RuleBroken:  # a day beyond all calendars
        return None
    return found[0] if found and found[0].starts_at == mark.starts_at else None


def is_offered(person: Practitioner, place: Location, type: AppointmentType) -> bool:
    return person.is_bookable_online and person.is_active and place.is_open and type.is_bookable_online


def nearest(type: AppointmentType, place: Location, wanted: datetime) -> list[Slot]:
    """Free times at the clinic that are nearest to one that cannot be had, in order of time."""
    whom = people()
    if not place.is_open or not whom:
        return []
    first, last = _span([place], type.horizon_days)
    if not first <= times.day_of(wanted, place.time_zone) <= last:
        wanted = times.now()  # a day on which nothing can be booked: then the first times
    question = {"type": type, "locations": [place], "practitioners": whom, "to_day": last}
    day = times.day_of(wanted, place.time_zone)
    later = availability.find(**question, from_day=day, limit=NEAREST, after=Mark(wanted - timedelta(minutes=1))).slots
    begin = max(first, times.day_of(wanted - AROUND, place.time_zone))
    before = availability.find(**{**question, "to_day": day}, from_day=begin, limit=READ_AT_MOST).slots
    earlier = [slot for slot in before if slot.starts_at < wanted]
    near = sorted([*earlier, *later], key=lambda slot: (abs(slot.starts_at - wanted), slot.starts_at))[:NEAREST]
    return sorted(near, key=lambda slot: (slot.starts_at, slot.practitioner.name))
