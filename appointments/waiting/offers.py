"""Free times held for patients on the waitlist, and their answers: the only writer of Offer and OfferRules.

Several may be offered the same time under one hold. The first to accept has it and the others are told; who declines
or does not answer keeps their place. Everything is locked in one order: calendars, entry, hold, offers.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from appointments import booking, calendars, holds
from appointments.availability import Slot
from appointments.models import Appointment, Hold, Offer, OfferRules, WaitlistEntry
from appointments.recurring import series_days
from appointments.waiting import freed_time, waitlist
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access, standstill
from locations.models import Location

_A, _O = Offer.Answer, WaitlistEntry.Outcome
GRACE = timedelta(seconds=settings.NOTICE_GRACE_SECONDS)  # until it is mailed
LEAST = GRACE + timedelta(minutes=15)  # no offer is shorter, so none is made that close to the type's notice
GONE = {
    _A.ACCEPTED: _("This offer was accepted already."),
    _A.DECLINED: _("This offer was declined."),
    _A.LAPSED: _("The time to answer this offer is over."),
    _A.TAKEN: _("Somebody else took this time first."),
    _A.WITHDRAWN: _("The clinic took this offer back."),
}


NOT_SOONER = _("Your visit was moved meanwhile: this time is no earlier day any more.")


def rules_of(location: Location) -> OfferRules:
    """How the location makes its offers; a row only where somebody changed it."""
    return OfferRules.objects.filter(location=location).first() or OfferRules(location=location)


@transaction.atomic
def set_rules(location: Location, *, is_automatic: bool, at_once: int, minutes: int, by: User) -> OfferRules:
    access.require(by, "location.change", location)
    rules = rules_of(location)
    rules.is_automatic, rules.at_once, rules.minutes = is_automatic, at_once, minutes
    try:
        rules.full_clean()
    except ValidationError as error:
        fields = {name: " ".join(said) for name, said in error.message_dict.items()}
        raise RuleBroken(" ".join(fields.values()), code="invalid", fields=fields, status=400) from None
    rules.save()
    audit.record("waitlist.rules", on=location, by=by, is_automatic=is_automatic, at_once=at_once, minutes=minutes)
    return rules


def is_standing(offer: Offer) -> bool:
    """Whether the time is still kept for the patient: unanswered, in time, and held."""
    return offer.is_open(times.now()) and offer.hold_id is not None


def why_gone(offer: Offer) -> str:
    return str(GONE[offer.answer or _ended_as(offer)])


def outcome(offer: Offer) -> Offer.Answer:
    """What became of an offer that no longer stands."""
    return _A(offer.answer or _ended_as(offer))


def is_shared(offer: Offer) -> bool:
    """Whether others are asked for the same time."""
    return offer.hold_id is not None and Offer.objects.filter(hold=offer.hold_id, answer="").count() > 1


def expiry(slot: Slot, entry: WaitlistEntry, minutes: int) -> datetime:
    """When an offer of so many minutes that is made now ends: never within the notice that the visit needs.

    Raises RuleBroken (`too_soon`) when no time to answer would be left.
    """
    mailed_at = times.now() + GRACE
    latest = slot.starts_at - timedelta(minutes=entry.type.notice_minutes)
    if latest < times.now() + LEAST:
        raise RuleBroken("This time is too near to be offered; call and book it.", code="too_soon")
    return min(mailed_at + timedelta(minutes=minutes), latest)


@transaction.atomic
def make(
    entries: Sequence[WaitlistEntry], slot: Slot, *, minutes: int, by: User | None = None, by_whom: str = ""
) -> list[Offer]:
    """Hold the time and offer it to the entries, best first; of one type, with `with_wishes` read.

    Raises RuleBroken when the time cannot be had, and where it would be offered in vain: an entry is closed
    (`not_waiting`) or has an offer (`offer_open`), the patient has a visit then (`patient_busy`), it is no earlier day
    than the visit they have (`not_sooner`), or one of another visit of its series (`two_on_a_day`). What is not as they
    wished is said in the reason.
    """
    if by is not None:
        access.require(by, "appointment.create", slot.location)
        _require_in_sight(entries, by)
    now, expires_at = times.now(), expiry(slot, entries[0], minutes)
    hold = holds.place(
        practitioner=slot.practitioner,
        location=slot.location,
        type=entries[0].type,
        starts_at=slot.starts_at,
        until=expires_at,
    )
    made = []
    busy = _busy_then(entries, slot)
    for entry in sorted(entries, key=lambda one: one.pk):
        fresh = waitlist.lock(entry)
        _check_free(fresh)
        _check_of_use(fresh, slot, busy)
        offer = Offer.objects.create(
            entry=entry, hold=hold, location=slot.location, practitioner=slot.practitioner, starts_at=slot.starts_at,
            ends_at=slot.ends_at, reason=_reason(entry, slot), offered_at=now, expires_at=expires_at,
            offered_by=by, by_whom=by_whom or str(by),
        )  # fmt: skip
        audit.record("waitlist.offered", on=entry, by=by, by_whom=by_whom, offer=offer.pk)
        made.append(offer)
    return made


@transaction.atomic
def accept(
    offer: Offer, *, by: User | None, by_whom: str = "", reason: str = "", override_reason: str = ""
) -> Appointment:
    """The visit, booked or moved to the time that was held. Safe to repeat: the second time it is the same visit.

    Raises RuleBroken (`offer_gone`), and as booking does when the time is no longer possible; then the offer stands.
    `reason` is kept with a visit that moves, `override_reason` is for where working hours were changed since.
    """
    if by is not None:
        access.require(by, "appointment.create", offer.location)
    hold = _lock_calendars(offer)
    entry, offer = _locked(offer)
    if offer.answer == _A.ACCEPTED:
        return offer.visit
    _check_standing(offer)
    if not _is_sooner(offer, entry):
        raise RuleBroken(str(NOT_SOONER), code="offer_gone")
    others = list(hold.offers.filter(answer="").exclude(pk=offer.pk).values_list("pk", flat=True))
    asked = {"by": by, "by_whom": by_whom, "override_reason": override_reason}
    if entry.sooner_than:
        visit = holds.reschedule(hold, entry.sooner_than, reason=reason or "An earlier day from the waitlist", **asked)
    else:
        visit = holds.book(hold, patient=entry.patient, **asked)
    _answer([offer.pk], _A.ACCEPTED, by_whom or str(by), visit=visit)
    _answer(others, _A.TAKEN, "")
    waitlist.close(entry, _O.BOOKED, by=by, by_whom=by_whom, visit=visit)
    return visit


@transaction.atomic
def decline(offer: Offer, *, by: User | None, by_whom: str = "") -> None:
    """Not this time; the patient keeps their place. Safe to repeat. Raises RuleBroken (`offer_gone`)."""
    _end(offer, _A.DECLINED, by, by_whom)


@transaction.atomic
def take_back(offer: Offer, *, by: User) -> None:
    """The clinic needs the time for something else. Raises RuleBroken (`offer_gone`)."""
    _end(offer, _A.WITHDRAWN, by, "")


@transaction.atomic
def withdraw(lost: Mapping[Offer, str], *, by: User) -> None:
    """Take back offers whose time is no longer there, each with the reason that the audit log keeps.

    Under the standstill of what took the time away: everybody who makes or answers an offer waits for that. The entries
    are in the list again and looked for at once; who was written to already is told by mail.
    """
    for offer, why in lost.items():
        audit.record("waitlist.withdrawn", on=offer.entry, by=by, offer=offer.pk, why=why)
    _answer([offer.pk for offer in lost], _A.WITHDRAWN, str(by))
    for hold in {offer.hold for offer in lost}:
        holds.release(hold)
    freed_time.tell()


@transaction.atomic
def take_off(entry: WaitlistEntry, *, by: User | None, by_whom: str = "", reason: str = "") -> None:
    """Withdraw a patient from the list; an open offer ends with it. Raises RuleBroken (`not_waiting`)."""
    if by is not None:
        _require_in_sight([entry], by)
    _close(entry, _O.WITHDRAWN, by=by, by_whom=by_whom, reason=reason)


@transaction.atomic
def book(entry: WaitlistEntry, slot: Slot, *, by: User) -> Appointment:
    """Book without an offer: the patient is on the phone. Raises RuleBroken (`offer_open`), and as booking does."""
    _require_in_sight([entry], by)
    where = {"starts_at": slot.starts_at, "practitioner": slot.practitioner, "location": slot.location}
    if entry.sooner_than:
        visit = booking.reschedule(entry.sooner_than, by=by, reason="An earlier day from the waitlist", **where)
    else:
        visit = booking.book(patient=entry.patient, type=entry.type, by=by, **where)
    fresh = waitlist.lock(entry)
    _check_free(fresh)
    waitlist.close(fresh, _O.BOOKED, by=by, by_whom="", visit=visit)
    return visit


def settle() -> None:
    """End what has run out or come true by another way: offers nobody answered, entries nobody waits for."""
    for offer in Offer.objects.filter(Q(expires_at__lte=times.now()) | Q(hold=None), answer="").order_by("pk"):
        # Each alone, and only if it is still unanswered: it may be accepted at this very moment.
        _answer([offer.pk], _ended_as(offer), "")
    moving = Offer.objects.filter(answer="").exclude(entry__sooner_than=None).order_by("pk")
    for offer in moving.select_related("location", "practitioner", "entry__patient", "entry__sooner_than__location"):
        if not _is_sooner(offer, offer.entry):
            _settle_late(offer)
    for ended in waitlist.came_to_an_end(WaitlistEntry.objects.waiting().with_wishes()):
        _settle_entry(*ended)
    holds.remove_expired()


def _require_in_sight(entries, by: User) -> None:
    ids = {entry.pk for entry in entries}
    if WaitlistEntry.objects.visible_to(by, "appointment.create").filter(pk__in=ids).count() != len(ids):
        raise Http404


@transaction.atomic
def _settle_late(offer) -> None:
    """Take back what is no earlier day any more; the patient keeps their place."""
    hold = _lock_calendars(offer)
    entry, fresh = _locked(offer)
    if fresh.answer or _is_sooner(fresh, entry):
        return  # answered, or the visit moved again, a moment ago
    _release(hold, but=offer)
    _answer([offer.pk], _A.WITHDRAWN, "waitlist")
    audit.record("waitlist.withdrawn", on=entry, by=None, by_whom="waitlist", offer=offer.pk, why="no earlier day")
    freed_time.tell()


def _settle_entry(entry, outcome, visit, reason) -> None:
    try:
        _close(entry, outcome, by=None, by_whom="waitlist", visit=visit, reason=reason)
    except RuleBroken:
        return  # somebody closed it a moment ago


@transaction.atomic
def _close(entry, outcome, *, by, by_whom, reason, visit=None) -> None:
    open_offer = Offer.objects.filter(entry=entry, answer="").first()
    hold = _lock_calendars(open_offer) if open_offer else None
    fresh = waitlist.lock(entry)
    if Offer.objects.filter(entry=entry, answer="").first() != open_offer:
        raise RuleBroken("The offer changed a moment ago. Look again.", code="offer_open")
    if open_offer:
        _release(hold, but=open_offer)
        _answer([open_offer.pk], _A.WITHDRAWN, by_whom or str(by))
    waitlist.close(fresh, outcome, by=by, by_whom=by_whom, visit=visit, reason=reason)


def _end(offer, answer, by, by_whom) -> None:
    if by is not None:
        access.require(by, "appointment.create", offer.location)
    hold = _lock_calendars(offer)
    _, fresh = _locked(offer)
    if fresh.answer == answer:
        return
    _check_standing(fresh)
    _release(hold, but=offer)
    _answer([offer.pk], answer, by_whom or str(by))
    audit.record(f"waitlist.{answer}", on=offer.entry, by=by, by_whom=by_whom, offer=offer.pk)


def _release(hold, *, but) -> None:
    """Free the time unless others are asked for it too."""
    if hold and not hold.offers.filter(answer="").exclude(pk=but.pk).exists():
        holds.release(hold)


def _answer(offers, answer, by_whom, visit=None) -> None:
    open_ones = Offer.objects.filter(pk__in=offers, answer="")
    open_ones.update(answer=answer, answered_at=times.now(), answered_by=by_whom, visit=visit)


def _lock_calendars(offer) -> Hold | None:
    """The calendars that the visit would take; returns the hold if it is still there."""
    hold = Hold.objects.select_related("room").filter(offers=offer).first()
    rooms = [hold.room] if hold else []
    standstill.keep_open([offer.location])
    calendars.lock(practitioners=[offer.practitioner], rooms=rooms, patients=[offer.entry.patient])
    return hold


def _locked(offer) -> tuple[WaitlistEntry, Offer]:
    """Entry and offer as they are now. An accepted offer has closed its entry, which is no error here."""
    rows = Offer.objects.select_related("location", "visit__location", "visit__practitioner__user")
    entry = WaitlistEntry.objects.select_for_update(of=("self",)).select_related(
        "patient", "type", "sooner_than__location"
    )
    return entry.get(pk=offer.entry_id), rows.get(pk=offer.pk)


def _check_standing(offer) -> None:
    if not is_standing(offer):
        raise RuleBroken(why_gone(offer), code="offer_gone")


def _is_sooner(offer, entry) -> bool:
    """Whether an offer of an earlier day is one still: the visit may have been moved since it was made."""
    if (visit := entry.sooner_than) is None:
        return True
    day = times.day_of(offer.starts_at, offer.location.time_zone)
    return day < times.day_of(visit.starts_at, visit.location.time_zone)


def _check_free(entry) -> None:
    """An open entry without an open offer; one that nobody answered in time no longer counts."""
    for offer in Offer.objects.filter(entry=entry, answer=""):
        if is_standing(offer):
            when = times.spoken(offer.expires_at, offer.location.time_zone)
            message = f"{entry.patient} has an offer until {when}. Wait for the answer, or take it back."
            raise RuleBroken(message, code="offer_open")
        _answer([offer.pk], _ended_as(offer), "")


def _busy_then(entries, slot) -> set[int]:
    """Ids of the patients who have a visit at that time."""
    visits = Appointment.objects.holding_time().filter(patient__in={entry.patient_id for entry in entries})
    return set(visits.filter(starts_at__lt=slot.ends_at, ends_at__gt=slot.starts_at).values_list("patient", flat=True))


def _check_of_use(entry, slot, busy) -> None:
    """That the patient could accept it, as their visits are now."""
    if not _is_sooner(slot, entry):
        when = times.spoken(entry.sooner_than.starts_at, entry.sooner_than.location.time_zone)
        message = f"{entry.patient} waits for an earlier day than that of the visit on {when}."
        raise RuleBroken(message, code="not_sooner")
    if entry.patient_id in busy:
        raise RuleBroken(f"{entry.patient} already has a visit that overlaps this time.", code="patient_busy")
    if entry.sooner_than:
        series_days.check(entry.sooner_than, slot.starts_at)


def _reason(entry, slot) -> str:
    where = {"practitioner_id": slot.practitioner.pk, "starts_at": slot.starts_at, "ends_at": slot.ends_at}
    unmet = waitlist.unmet(entry, location=slot.location, **where)
    return ", ".join(filter(None, [waitlist.reasons(entry), unmet and f"not as asked: {' and '.join(unmet)}"]))[:500]


def _ended_as(offer) -> str:
    """What an unanswered offer is that no longer stands: its time is over, or its hold was needed otherwise."""
    return _A.LAPSED if offer.expires_at <= times.now() else _A.WITHDRAWN
