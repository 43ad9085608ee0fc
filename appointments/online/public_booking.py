"""Booking by anybody on the public page: the only writer of BookingRequest.

Asking holds the time and looks nobody up: it does the same, in the same queries, for a stranger and for a patient of
many years. Only the mail knows, and who reads it has the address. With its link the visit is booked for the patient
whose address, name and birth date these are, or for a new one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from appointments import booking, holds
from appointments.availability import Slot
from appointments.marks import Mark
from appointments.models import Appointment, AppointmentType, BookingRequest, Hold
from appointments.online import public_times
from clinic import audit, outbox, times, tokens, undeliverable
from clinic.errors import RuleBroken
from clinic.models import Link
from locations.models import Location, Practitioner
from patients import intake, mail_choices, registering, search_terms
from patients.mail_choices import Topic
from patients.models import Consent, Patient

PURPOSE = "public-booking"
MAIL_OF = "booking-request:"  # and its id: the key of the mail that is owed
BY_WHOM = "the patient, on the public page"
TERMS = "2026-11"  # which wording of the agreement on the form; a changed one is a new version
HOLD_FOR = timedelta(minutes=30)
LINK_FOR = timedelta(days=1)
KEPT_FOR = timedelta(days=2)  # what nobody verified: as long as it is counted
# Requests that one network and one address may have in a stretch of time. What is held at once at one clinic, and for
# one network, has its limits too: beyond them nothing is refused and nothing held, else one telephone closes a clinic.
OF_A_NETWORK = (12, timedelta(hours=1))
OF_AN_ADDRESS = (3, timedelta(hours=1))
HELD_AT_ONCE = 12
HELD_FOR_A_NETWORK = 3
# What makes it another request when the form is sent anew.
TYPED = ("given_name", "family_name", "birth_date", "email", "phone", "booked_by", "heard_from", "wants_mails",
         "indicators")  # fmt: skip
ASKED_ABOUT = (Topic.NOTICES, Topic.REMINDERS)  # "confirmations and reminders", as the form says
EXPECTED = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)


@dataclass(frozen=True)
class Asked:
    """What somebody typed, checked field by field already, and what they chose of what is offered."""

    form_key: str
    type: AppointmentType
    slot: Slot | None  # None: it is gone by now, or held for the same form
    given_name: str
    family_name: str
    birth_date: date
    email: str
    phone: str
    language: str
    wants_mails: bool
    network: str
    booked_by: str = ""
    heard_from: str = ""
    indicators: dict[str, str] = field(default_factory=dict)
    mark: Mark | None = None  # of a slot that is gone

    @property
    def wanted(self) -> Mark:
        return self.mark or self.slot.mark


def ask(asked: Asked) -> BookingRequest:
    """Hold the time, if not too many are held, and owe the mail.

    The same form sent twice is one request; corrected, it takes the first's place.

    Raises RuleBroken: `too_many` (429), `form_used` where the first was booked meanwhile, or as `holds.place` does when
    the time is gone; then the first stands.
    """
    before = sent_before(asked.form_key)
    if before and _says_the_same(before, asked):
        return before
    try:
        with transaction.atomic():
            return _ask(asked, before)
    except (RuleBroken, IntegrityError) as error:
        # Pressed twice: the other press may hold this very time.
        if (known := sent_before(asked.form_key)) and _says_the_same(known, asked):
            return known
        if isinstance(error, IntegrityError) and "form_key" in str(error):
            raise RuleBroken("The form was sent a moment ago.", code="slot_taken") from None
        raise


def _ask(asked, before):
    now = times.now()
    if before:
        _give_up(before, now)
    slot = asked.slot or (before and public_times.offered(asked.type, asked.wanted))  # held by the first until now
    if slot is None:
        raise RuleBroken("This time was taken a moment ago.", code="slot_taken")
    asked = replace(asked, slot=slot)
    _check_rates(asked)
    made = BookingRequest.objects.create(
        form_key=asked.form_key, hold=_hold(asked, now), network=asked.network, terms=TERMS, asked_at=now,
        expires_at=now + LINK_FOR, language=asked.language, type=asked.type, location=slot.location,
        practitioner=slot.practitioner, starts_at=slot.starts_at, **_typed(asked),
    )  # fmt: skip
    audit.record("booking_request.made", on=made, by_whom="public page")
    return made


def _typed(said: Asked | BookingRequest) -> dict:
    as_kept = {"email": undeliverable.folded(said.email), "phone": str(said.phone)}
    return {name: getattr(said, name) for name in TYPED} | as_kept


def _says_the_same(request: BookingRequest, asked: Asked) -> bool:
    where = Mark(request.starts_at, request.location.slug, request.practitioner_id)
    return (where, request.type_id, _typed(request)) == (asked.wanted, asked.type.pk, _typed(asked))


def _give_up(request: BookingRequest, now: datetime) -> None:
    """Another takes its place: its time is free, its link is dead, and it counts on as one that was asked for."""
    fresh = BookingRequest.objects.select_for_update().get(pk=request.pk)
    if fresh.visit_id:
        raise RuleBroken("The form was sent before, and the visit is booked.", code="form_used")
    if fresh.hold:
        holds.release(fresh.hold)
    fresh.hold, fresh.form_key = None, f"{fresh.form_key}~{fresh.pk}"
    fresh.expires_at = max(now, fresh.asked_at + timedelta(seconds=1))
    fresh.save(update_fields=["hold", "form_key", "expires_at"])
    audit.record("booking_request.corrected", on=fresh, by_whom="public page")


def sent_before(form_key: str) -> BookingRequest | None:
    """What came of the same form, sent already."""
    return BookingRequest.objects.select_related("location", "hold").filter(form_key=form_key).first()


def _hold(asked: Asked, now: datetime) -> Hold | None:
    if not _may_hold(asked, now):
        return None
    return holds.place(
        practitioner=asked.slot.practitioner, location=asked.slot.location, type=asked.type,
        starts_at=asked.slot.starts_at, until=min(now + HOLD_FOR, asked.slot.starts_at),
    )  # fmt: skip


def _check_rates(asked: Asked) -> None:
    """Asked of the requests themselves, so it holds for all web processes together."""
    now = times.now()
    for (most, each), whose in (
        (OF_A_NETWORK, {"network": asked.network}),
        (OF_AN_ADDRESS, {"email": undeliverable.folded(asked.email)}),
    ):
        if BookingRequest.objects.filter(asked_at__gt=now - each, **whose).count() >= most:
            raise RuleBroken("Too many requests in a short time.", code="too_many", status=429)


def _may_hold(asked: Asked, now: datetime) -> bool:
    held = BookingRequest.objects.filter(visit=None, hold__held_until__gt=now)
    here = held.filter(location=asked.slot.location).count()
    return here < HELD_AT_ONCE and held.filter(network=asked.network).count() < HELD_FOR_A_NETWORK


def find(token: str) -> tuple[Link, BookingRequest] | None:
    """The link and its request; None alike for every link that is no good."""
    link = tokens.find_link(token, purpose=PURPOSE)
    rows = BookingRequest.objects.select_related("type", "location", "practitioner__user", "hold")
    found = link and rows.filter(pk=link.about_id, visit=None).first()
    return (link, found) if found and found.is_open else None


def booked_just_now(token: str) -> Appointment | None:
    """The visit that the first of two presses of one button booked, and whose answer the second press took away."""
    link = tokens.find_used_link(token, purpose=PURPOSE)
    visits = Appointment.objects.with_names().select_related("booking_request").filter(status__in=EXPECTED)
    return link and visits.filter(booking_request=link.about_id).first()


def was_dropped_just_now(token: str) -> bool:
    """As `booked_just_now`, of who wanted it no more."""
    link = tokens.find_used_link(token, purpose=PURPOSE)
    return link is not None and not BookingRequest.objects.filter(pk=link.about_id).exists()


def known_patient(request: BookingRequest) -> Patient | None:
    """Whose address, name and birth date these are. Only for who reads mail at the address."""
    same = Patient.objects.alias(folded=Lower("email")).filter(folded=request.email, birth_date=request.birth_date)
    return next((person for person in same.order_by("pk") if _name(person) == _name(request)), None)


def confirm(link: Link, request: BookingRequest, *, slot: Slot | None = None) -> Appointment:
    """Book what was asked for, or at another free time, and spend the link; all or nothing.

    Raises RuleBroken: `link_dead` (410), `already_booked`, or as booking does; then the link still works.
    """
    with transaction.atomic():
        fresh = BookingRequest.objects.select_for_update(of=("self",)).select_related(
            "type", "location", "practitioner__user", "hold"
        ).get(pk=request.pk)  # fmt: skip
        if fresh.visit_id or not tokens.use_link(link):
            raise RuleBroken("The link was used already.", code="link_dead", status=410)
        known = known_patient(fresh)
        if known:
            _refuse_second(known, fresh.type)
        patient = known or _register(fresh)
        undeliverable.mend(fresh.email, by=None, by_whom=BY_WHOM, patient_id=patient.pk)  # a mail to it was read
        visit = _book(fresh, patient, slot)
        _keep_what_was_said(fresh, patient, is_known=known is not None)
        fresh.visit, fresh.was_known, fresh.hold = visit, known is not None, None
        fresh.save(update_fields=["visit", "was_known", "hold"])
        outbox.belongs_to(patient.pk, key=f"{MAIL_OF}{fresh.pk}")
    return visit


def drop(link: Link, request: BookingRequest) -> None:
    """It was not them, or they want it no more: the time is free again and what was typed is gone. Safe to repeat."""
    with transaction.atomic():
        if tokens.use_link(link):
            if request.hold:
                holds.release(request.hold)
            _delete(BookingRequest.objects.filter(pk=request.pk, visit=None))
            audit.record("booking_request.dropped", on=request, by_whom=BY_WHOM)


def lock_waiting(location: Location) -> list[BookingRequest]:
    """What is still to be verified there, locked until COMMIT: before the clinic is, as by who verifies."""
    waiting = BookingRequest.objects.filter(location=location, visit=None, expires_at__gt=times.now())
    return list(waiting.order_by("pk").select_for_update())


def keep_clock(waiting: Iterable[BookingRequest], *, was: str, now: str) -> None:
    """Let these keep the clock time that their mail said: the clinic changed its zone, from `was` to `now`."""
    for request in waiting:
        request.starts_at = times.same_wall(request.starts_at, was, now)
        request.save(update_fields=["starts_at"])


def forget() -> int:
    """Take away what was typed by those who never verified it."""
    return _delete(BookingRequest.objects.filter(visit=None, asked_at__lt=times.now() - KEPT_FOR))


def _delete(requests: QuerySet[BookingRequest]) -> int:
    """With the address, which stands in their mails too."""
    with transaction.atomic():
        outbox.forget(f"{MAIL_OF}{pk}" for pk in requests.values_list("pk", flat=True))
        return requests.delete()[0]


def _name(person: Patient | BookingRequest) -> list[str]:
    """As names are compared: in any order, and without case and accents."""
    return sorted(search_terms.words(f"{person.given_name} {person.family_name}"))


def _refuse_second(patient: Patient, type: AppointmentType) -> None:
    ahead = Appointment.objects.filter(patient=patient, type=type, status__in=EXPECTED, starts_at__gt=times.now())
    visit = ahead.select_related("location").order_by("starts_at").first()
    if visit:
        when = times.spoken(visit.starts_at, visit.location.time_zone)
        message = _("You have such a visit already: {when}. It stays as it is, and no other was booked.")
        raise RuleBroken(message.format(when=when), code="already_booked")


def _register(fresh: BookingRequest) -> Patient:
    """A new record, also where somebody like that is known: the desk looks at these, the page tells nobody."""
    note = f"Booked on the public page by {fresh.booked_by}, who acts for the patient." if fresh.booked_by else ""
    return registering.register(
        given_name=fresh.given_name, family_name=fresh.family_name, birth_date=fresh.birth_date, email=fresh.email,
        phone=fresh.phone, language=fresh.language, home_location=fresh.location, note=note, confirm_duplicate=True,
        by=None, by_whom=BY_WHOM,
    )  # fmt: skip


def _book(fresh: BookingRequest, patient: Patient, slot: Slot | None) -> Appointment:
    """At the time that was held; after it ran out, or at another time, if that is free."""
    if slot is None and not public_times.is_offered(fresh.practitioner, fresh.location, fresh.type):
        raise RuleBroken("This time is no longer offered.", code="slot_taken")
    if slot is None and fresh.hold and fresh.hold.held_until > times.now():
        return holds.book(fresh.hold, patient=patient, by=None, by_whom=BY_WHOM)
    if fresh.hold:
        holds.release(fresh.hold)
    practitioner, location, starts_at = _where(fresh, slot)
    return booking.book(
        patient=patient, practitioner=practitioner, location=location, type=fresh.type, starts_at=starts_at,
        by=None, by_whom=BY_WHOM,
    )  # fmt: skip


def _where(fresh: BookingRequest, slot: Slot | None) -> tuple[Practitioner, Location, datetime]:
    chosen = slot or fresh
    return chosen.practitioner, chosen.location, chosen.starts_at


def _keep_what_was_said(fresh: BookingRequest, patient: Patient, *, is_known: bool) -> None:
    """Of a patient who is known nothing is overwritten that the clinic was told; whether to write is the patient's."""
    if fresh.wants_mails:
        registering.give_consent(patient, Consent.Scope.EMAIL_REMINDERS, by=None, by_whom=BY_WHOM)
        for topic in ASKED_ABOUT if is_known else ():
            mail_choices.resume(patient, topic, by=None, by_whom=BY_WHOM)
    elif is_known:
        registering.withdraw_consent(patient, Consent.Scope.EMAIL_REMINDERS, by=None, by_whom=BY_WHOM)
    told = intake.answers_of(patient).get("neck_indicators") or {} if is_known else {}
    new = {name: answer for name, answer in fresh.indicators.items() if told.get(name) is None}
    if new:
        intake.record(patient, {"neck_indicators": {**told, **new}}, by=None, by_whom=BY_WHOM)
