"""Whose turn is it? Free times are matched to the waitlist by asking the engine, never by being told of them.

So it makes no difference how a time became free: cancelled, moved, a closure lifted, hours added, an offer declined.
`offer_free_times` is woken by beat, and at once when a visit is cancelled or moved.
"""

import logging
from dataclasses import dataclass
from datetime import date, time, timedelta

from django.db.models import Exists, OuterRef

from appointments import availability, offers, waitlist
from appointments.availability import Slot
from appointments.models import Appointment, Offer, OfferRules, WaitlistEntry
from clinic import times
from clinic.errors import RuleBroken
from locations.models import Location
from patients.models import Consent

log = logging.getLogger(__name__)

LOOK_AHEAD = timedelta(days=60)
OFFERED_FROM, OFFERED_UNTIL = time(8), time(20)  # by the clock of the clinic: nobody answers at night
REST = timedelta(hours=4)  # after an answer, or none, before the next offer
UNWANTED = {Offer.Answer.DECLINED, Offer.Answer.LAPSED}


@dataclass(frozen=True)
class Candidate:
    """Somebody who waits and could have the time; `reason` says why it is their turn."""

    entry: WaitlistEntry
    slot: Slot
    reason: str


def soonest(
    entry: WaitlistEntry, places: list[Location], *, limit: int = 1, from_day: date = date.min, to_answer: bool = True
) -> list[Slot]:
    """The first free times within the wishes of an entry, at these of their places; such that leave time to answer
    an offer, or all that can be booked."""
    if not places:
        return []
    now = times.now() + offers.LEAST * to_answer
    today = min(times.day_of(now, place.time_zone) for place in places)
    first, last = waitlist.days(entry)
    first, last = max(first, from_day, today), min(last, today + LOOK_AHEAD)
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
    ).slots


def candidates(visit: Appointment) -> list[Candidate]:
    """Who could have the time of a visit that was given up, best first; the same queries for one and for many."""
    waiting = WaitlistEntry.objects.waiting().wanting([visit.location]).exclude(patient=visit.patient)
    without_offer = ~Exists(Offer.objects.filter(entry=OuterRef("pk"), answer="", expires_at__gt=times.now()))
    entries = list(waiting.filter(without_offer).ranked().with_wishes())
    starts = {type: _starts_within(visit, type) for type in {entry.type for entry in entries}}
    found = []
    for entry in entries:
        slot = next((slot for slot in starts[entry.type] if _admits(entry, slot)), None)
        if slot:
            found.append(Candidate(entry, slot, waitlist.reasons(entry)))
    return found


def offer_free_times() -> list[Offer]:
    """One round: end what ran out, then offer each who waits, best first, the soonest time they could have.

    Safe to run at any time and by several at once: a time is held by one of them only, and an entry has one offer.
    """
    offers.settle()
    rules = {rule.location_id: rule for rule in OfferRules.objects.all()}
    waiting = [entry for entry in _reachable().ranked().with_wishes() if not _is_resting(entry)]
    made: list[Offer] = []
    offered = set()
    for entry in waiting:
        places = [place for place in entry.places if _offers_now(place, rules)]
        slot = _next_wanted(entry, places) if entry.pk not in offered else None
        if slot is None:
            continue
        rule = rules.get(slot.location.pk) or OfferRules(location=slot.location)
        others = (other for other in waiting if other != entry and other.pk not in offered)
        group = [entry, *_also(others, entry.type, slot, rule.at_once - 1)]
        try:
            made += offers.make(group, slot, minutes=rule.minutes, by_whom="waitlist")
        except RuleBroken as refused:
            log.info("No offer to waitlist entry %s: %s", entry.pk, refused.message)
        else:
            offered |= {one.pk for one in group}
    return made


def _next_wanted(entry: WaitlistEntry, places: list[Location]) -> Slot | None:
    """The soonest time on a day that was not offered to them in vain."""
    in_vain = {offer.local_day for offer in entry.offers.all() if offer.answer in UNWANTED}
    from_day = date.min
    while slots := soonest(entry, places, from_day=from_day):
        day = slots[0].local_start.date()
        if day not in in_vain:
            return slots[0]
        from_day = day + timedelta(days=1)
    return None


def _also(others, type, slot, most) -> list[WaitlistEntry]:
    """The next best who could have the same time, where a location offers it to several at once."""
    found = []
    for other in others:
        if len(found) >= most:
            break
        if other.type == type and _admits(other, slot) and not _is_busy(other, slot):
            found.append(other)
    return found


def _admits(entry, slot) -> bool:
    in_vain = {offer.local_day for offer in entry.offers.all() if offer.answer in UNWANTED}
    return slot.local_start.date() not in in_vain and waitlist.admits(
        entry,
        location=slot.location,
        practitioner_id=slot.practitioner.pk,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
    )


def _is_busy(entry, slot) -> bool:
    visits = Appointment.objects.holding_time().filter(patient=entry.patient_id)
    return visits.filter(starts_at__lt=slot.ends_at, ends_at__gt=slot.starts_at).exists()


def _starts_within(visit: Appointment, type) -> list[Slot]:
    """Free times of the type within the time that the visit had, with the same practitioner."""
    day = times.day_of(visit.starts_at, visit.location.time_zone)
    found = availability.find(
        type=type,
        locations=[visit.location],
        practitioners=[visit.practitioner],
        from_day=day,
        to_day=day,
        limit=500,
        now=times.now() + offers.LEAST,
    )
    return [slot for slot in found.slots if visit.starts_at <= slot.starts_at and slot.ends_at <= visit.ends_at]


def _reachable():
    """Those who wait without an open offer and can be written to; the others are for the desk to call."""
    agreed = Consent.objects.filter(patient=OuterRef("patient"), scope=Consent.Scope.EMAIL_REMINDERS, withdrawn_at=None)
    has_offer = Offer.objects.filter(entry=OuterRef("pk"), answer="")
    waiting = WaitlistEntry.objects.waiting().exclude(patient__email="")
    return waiting.filter(Exists(agreed), ~Exists(has_offer))


def _is_resting(entry) -> bool:
    since = times.now() - REST
    return any(offer.answer in UNWANTED and offer.answered_at > since for offer in entry.offers.all())


def _offers_now(place: Location, rules: dict[int, OfferRules]) -> bool:
    rule = rules.get(place.pk)
    if rule and not rule.is_automatic:
        return False
    return OFFERED_FROM <= times.local(times.now(), place.time_zone).time() < OFFERED_UNTIL
