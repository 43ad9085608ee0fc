"""The times to which a patient may move a visit by the link in a mail, by the one engine that everybody asks."""

from dataclasses import dataclass
from datetime import date, timedelta

from appointments import availability
from appointments.availability import Slot
from appointments.marks import Mark
from appointments.models import Appointment
from clinic import times
from clinic.errors import RuleBroken

DAYS_A_PAGE = 5
MOST = 240  # starts that are looked at for a page


@dataclass(frozen=True)
class Day:
    day: date
    slots: list[Slot]

    @property
    def spoken(self) -> str:
        return times.spoken_day(self.day)

    @property
    def zone(self) -> str:
        """What the clock of the clinic is called on that day; in the hour that comes twice each time says it itself."""
        return f"{self.slots[0].local_start:%Z}"


@dataclass(frozen=True)
class Page:
    """A few days with free times; `later` is the day to go on with, None where there is nothing after them."""

    days: list[Day]
    later: date | None


def page(visit: Appointment, from_day: date, *, anybody: bool) -> Page:
    """From a local day of the clinic on, with the practitioner of the visit or with anybody there."""
    today = visit.location.today()
    last = today + timedelta(days=visit.type.horizon_days)
    first = min(max(from_day, today), last)
    found = _find(visit, first, last, anybody, MOST)
    by_day: dict[date, list[Slot]] = {}
    for slot in found.slots:
        if (slot.starts_at, slot.practitioner.pk) != (visit.starts_at, visit.practitioner_id):
            by_day.setdefault(slot.local_start.date(), []).append(slot)
    days = [Day(day, slots) for day, slots in sorted(by_day.items())]
    if found.next_from is not None and len(days) > 1 and days[-1].day >= found.next_from:
        days.pop()  # the listing broke off within it
    later = days[DAYS_A_PAGE].day if len(days) > DAYS_A_PAGE else found.next_from if days else None
    return Page(days[:DAYS_A_PAGE], later)


def is_free(visit: Appointment, to: Mark) -> bool:
    """Whether the time would be listed: so nobody gets by a made-up request what the page does not offer."""
    if to.location != visit.location.slug or to.starts_at <= times.now():
        return False
    day = times.day_of(to.starts_at, visit.location.time_zone)
    try:
        found = _find(visit, day, day, to.practitioner != visit.practitioner_id, 10_000)
    except RuleBroken:
        return False
    return any((slot.starts_at, slot.practitioner.pk) == (to.starts_at, to.practitioner) for slot in found.slots)


def _find(visit, first, last, anybody, limit):
    return availability.find(
        type=visit.type,
        locations=[visit.location],
        from_day=first,
        to_day=min(last, first + availability.FURTHEST),
        practitioners=None if anybody else [visit.practitioner],
        patient=visit.patient,
        length=visit.lasts,
        without=[visit],
        limit=limit,
    )
