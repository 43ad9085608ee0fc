"""Whose turn is it? Free times are matched to the waitlist by asking the engine, never by being told of them.

So it makes no difference how a time became free: cancelled, moved, a closure lifted, hours added, an offer declined.
`offer_free_times` is woken by beat, and at once when a visit is cancelled or moved.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from django.db.models import Exists, OuterRef

from appointments import availability
from appointments.availability import Slot
from appointments.free_times import FreeTimes
from appointments.intervals import Intervals, overlaps
from appointments.mails import letters
from appointments.models import Appointment, AppointmentType, Offer, OfferRules, WaitlistEntry
from appointments.recurring import gates, series_days
from appointments.waiting import offers, waitlist
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import mail_hours
from locations.mail_hours import Calm
from locations.models import Location
from patients.mail_choices import Topic

log = logging.getLogger(__name__)

LOOK_AHEAD = timedelta(days=60)
Span = tuple[date, date]  # of local days, both included
REST = timedelta(hours=4)  # after an answer, or none, before the next offer
UNWANTED = {Offer.Answer.DECLINED, Offer.Answer.LAPSED}
ITS_OWN_FAULT = {
    "not_waiting",
    "offer_open",
    "too_soon",
    "patient_busy",
    "not_sooner",
    "two_on_a_day",
}  # to ask again would be in vain


@dataclass(frozen=True)
class Candidate:
    """Somebody who waits and could have the time; `reason` says why it is their turn."""

    entry: WaitlistEntry
    slot: Slot
    reason: str


def soonest(
    entry: WaitlistEntry, places: list[Location], *, limit: int = 1, from_day: date = date.min, to_answer: bool = True
) -> list[Slot]:
    """The first free times within the wishes of an entry, at these of their places, in the two months from the first
    day that would do; such that leave time to answer an offer, or all that can be booked."""
    if not places:
        return []
    now = times.now() + offers.LEAST * to_answer
    first, last = _days(entry, places, now, from_day)
    if last < first:
        return []
    return availability.find(
        type=entry.type,
        locations=places,
        practitioners=list(entry.practitioners.all()) or None,
        from_day=first,
        to_day=last,
        patient=entry.patient,
        wishes=entry.as_wishes,
        limit=limit,
        now=now,
        without=[entry.sooner_than] if entry.sooner_than else (),
    ).slots


def _days(entry: WaitlistEntry, places: Iterable[Location], now: datetime, from_day: date = date.min) -> Span:
    """Two months of local days from the first that would do; none where the last is before it."""
    today = min(times.day_of(now, place.time_zone) for place in places)
    first, last = waitlist.days(entry)
    first = max(first, from_day, today)
    return first, min(last, first + LOOK_AHEAD)


def _together(spans: Iterable[Span]) -> list[Span]:
    """Those that overlap or lie near each other are looked through as one: however many wait, what is read is bounded
    by how far ahead visits can be booked."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first - found[-1][1] <= LOOK_AHEAD:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def who_could_have(slot: Slot, type: AppointmentType, user: User) -> list[Candidate]:
    """Of those the user may book for, who waits for such a visit and could have that time, best first. The desk chooses
    among all without an offer, be they written to or called."""
    waiting = WaitlistEntry.objects.visible_to(user, "appointment.create").waiting().wanting([slot.location])
    without_offer = ~Exists(Offer.objects.filter(entry=OuterRef("pk"), answer="", expires_at__gt=times.now()))
    entries = list(waiting.filter(without_offer, type=type).ranked().with_wishes())
    busy, barred = _visits_ahead(entries), _barred(entries)
    start, end = times.to_minute(slot.starts_at), times.to_minute(slot.ends_at)
    return [
        Candidate(entry, slot, waitlist.reasons(entry))
        for entry in entries
        if _admits(entry, slot, barred) and not overlaps(busy[entry.patient_id], start, end)
    ]


def offer_free_times() -> list[Offer]:
    """One round: end what ran out, then offer each who waits, best first, the soonest time they could have.

    The engine is asked once for each type and each time of the year that is waited for, however many wait. Safe to run
    at any time and by several at once: a time is held by one of them only, and an entry has one offer.
    """
    offers.settle()
    turn = _Turn([entry for entry in _reachable() if not _is_resting(entry)])
    for entry in turn.waiting:
        if entry.pk not in turn.offered and not turn.offer(entry):
            turn.offer(entry)  # what was read was no longer so, and is read anew
    return turn.made


class _Turn:
    """Who waits in this round, and what is free for them: read once for a type, and again only when it has changed."""

    def __init__(self, waiting: list[WaitlistEntry]):
        self.waiting, self.made, self.offered = waiting, [], set()
        rules = {rule.location_id: rule for rule in OfferRules.objects.all()}
        self._rules, self._now = rules, times.now() + offers.LEAST
        self._free: dict[AppointmentType, list[FreeTimes]] = {}
        calm = mail_hours.load({place for one in waiting for place in one.places}) if waiting else {}
        self._places = {one.pk: [place for place in one.places if _offers_now(place, rules, calm)] for one in waiting}
        days = {one.pk: _days(one, self._places[one.pk], self._now) for one in waiting if self._places[one.pk]}
        self._days = {pk: (first, last) for pk, (first, last) in days.items() if first <= last}
        self._busy, self._barred = _visits_ahead(waiting), _barred(waiting)

    def offer(self, entry: WaitlistEntry) -> bool:
        """Offer them what they could have; False when that was not free any more."""
        slot = self._soonest(entry)
        if slot is None or _is_held_back(entry):
            return True
        rule = self._rules.get(slot.location.pk) or OfferRules(location=slot.location)
        others = (other for other in self.waiting if other != entry and other.pk not in self.offered)
        group = [entry, *self._also(others, entry.type, slot, rule.at_once - 1)]
        try:
            self.made += offers.make(group, slot, minutes=rule.minutes, by_whom="waitlist")
        except RuleBroken as refused:
            log.info("No offer to waitlist entry %s: %s", entry.pk, refused.message)
            self._free.pop(entry.type, None)
            return refused.code in ITS_OWN_FAULT
        self.offered |= {one.pk for one in group}
        for free in (free for some in self._free.values() for free in some):
            free.take(slot, entry.type.buffer_before, entry.type.buffer_after)
        return True

    def _soonest(self, entry) -> Slot | None:
        """The soonest time on a day that was not offered to them in vain."""
        if entry.pk not in self._days:
            return None
        if entry.type not in self._free:
            self._free[entry.type] = self._read(entry.type)
        days = self._days[entry.pk]
        free = next(free for free in self._free[entry.type] if free.first <= days[0] <= free.last)
        return free.soonest(
            locations=self._places[entry.pk],
            practitioners={person.pk for person in entry.practitioners.all()},
            days=days,
            wishes=entry.as_wishes,
            not_on=self._barred[entry.pk],
            busy=self._busy[entry.patient_id],
        )

    def _read(self, type) -> list[FreeTimes]:
        """On the days, at the places and with the practitioners that somebody wants for such a visit."""
        asking = [one for one in self.waiting if one.type == type and one.pk in self._days]
        asking = [one for one in asking if one.pk not in self.offered]
        return [self._read_span(type, asking, span) for span in _together(self._days[one.pk] for one in asking)]

    def _read_span(self, type, asking, span) -> FreeTimes:
        asking = [one for one in asking if span[0] <= self._days[one.pk][0] <= span[1]]
        places = {place for one in asking for place in self._places[one.pk]}
        named = [set(one.practitioners.all()) for one in asking]
        anybody = None if not all(named) else set().union(*named)
        return FreeTimes(type, places, practitioners=anybody, from_day=span[0], to_day=span[1], now=self._now)

    def _also(self, others, type, slot, most) -> list[WaitlistEntry]:
        """The next best who could have the same time, where a location offers it to several at once."""
        start, end = times.to_minute(slot.starts_at), times.to_minute(slot.ends_at)
        fitting = (
            other
            for other in others
            if other.type == type
            and _admits(other, slot, self._barred)
            and not overlaps(self._busy[other.patient_id], start, end)
            and not _is_held_back(other)
        )
        return list(islice(fitting, most))


def _admits(entry, slot, barred) -> bool:
    return slot.local_start.date() not in barred[entry.pk] and waitlist.admits(
        entry,
        location=slot.location,
        practitioner_id=slot.practitioner.pk,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
    )


def _is_held_back(entry) -> bool:
    """A visit that they have already is only moved."""
    return not entry.sooner_than_id and gates.against_visit(entry.patient, entry.type, by=None) is not None


def _barred(entries) -> dict[int, set[date]]:
    """By entry, the days that are not offered: of which they declined a time already or did not answer, and those of
    other visits of the series of the one for which they want an earlier day."""
    of_series = series_days.barred(entry.sooner_than for entry in entries if entry.sooner_than)
    return {
        entry.pk: of_series.get(entry.sooner_than_id, set())
        | {offer.local_day for offer in entry.offers.all() if offer.answer in UNWANTED}
        for entry in entries
    }


def _visits_ahead(entries) -> dict[int, Intervals]:
    """When the patients of the entries have visits already, in minutes by their ids; one query."""
    found = defaultdict(list)
    visits = Appointment.objects.holding_time().filter(
        patient__in={entry.patient_id for entry in entries}, ends_at__gt=times.now()
    )
    for patient, start, end in visits.order_by().values_list("patient", "start_minute", "end_minute"):
        found[patient].append((start, end))
    return found


def _reachable() -> list[WaitlistEntry]:
    """Those who wait without an open offer and can be written to, best first; the others are for the desk to call."""
    has_offer = Offer.objects.filter(entry=OuterRef("pk"), answer="")
    waiting = list(WaitlistEntry.objects.waiting().filter(~Exists(has_offer)).ranked().with_wishes())
    why_not = letters.unreachable_among([one.patient for one in waiting], Topic.OFFERS)
    return [one for one in waiting if not why_not[one.patient_id]]


def _is_resting(entry) -> bool:
    since = times.now() - REST
    return any(offer.answer in UNWANTED and offer.answered_at > since for offer in entry.offers.all())


def _offers_now(place: Location, rules: dict[int, OfferRules], calm: dict[int, Calm]) -> bool:
    """Not where the mail would come at night: the time would be held for somebody who sleeps."""
    rule = rules.get(place.pk)
    if rule and not rule.is_automatic:
        return False
    return calm[place.pk].any_day.allows(times.now() + offers.GRACE)
