"""Mails about offers from the waitlist, due and composed as `reminders` does; read off the offers, never planned ahead.

An offer rests for the grace of every notice before it is mailed: a cancellation put right at once takes it along.
"""

from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from appointments.mails import letters
from appointments.mails.letters import WayOut
from appointments.models import Offer
from appointments.waiting import offers
from clinic import outbox, times
from clinic.models import Message
from clinic.outbox import Due, Mail, Skip
from patients import languages
from patients.mail_choices import Topic

KINDS = {
    "waitlist-offer": "a time became free for somebody on the waitlist",
    "waitlist-taken": "a time that was offered went to somebody else, or was taken back",
}
GONE = [Offer.Answer.TAKEN, Offer.Answer.WITHDRAWN]
SUBJECTS = {
    "waitlist-offer": _("A time is free: {when}"),
    "waitlist-taken": _("No longer free: {when}"),
}


def due(at, since) -> list[Due]:
    made = Offer.objects.filter(answer="", offered_at__gt=since - offers.GRACE, offered_at__lte=at - offers.GRACE)
    return [
        *(
            _due(offer, "made", "waitlist-offer", offer.offered_at + offers.GRACE, offer.expires_at)
            for offer in _new(made, "made")
        ),
        *(
            _due(offer, "taken", "waitlist-taken", offer.answered_at, offer.starts_at)
            for offer in _new(_told_in_vain(at, since), "taken")
        ),
    ]


def compose(message: Message) -> Mail | Skip:
    """The mail as the offer stands now, or why there is none. Locks the offer, so call it in a transaction."""
    offer = (
        Offer.objects.select_for_update(of=("self",))
        .select_related(
            "entry__patient", "entry__type", "entry__sooner_than__location", "location", "practitioner__user"
        )
        .get(pk=message.about_id)
    )
    patient = offer.entry.patient
    if reason := _overtaken(message, offer) or letters.unreachable(patient, Topic.OFFERS):
        return Skip(reason)
    offer_url = letters.link("offer-link", purpose="offer", on=offer, expires_at=offer.starts_at)
    with languages.speaking(patient):
        return write(message.kind, offer, offer_url=offer_url, way_out=letters.way_out(patient, Topic.OFFERS))


def write(kind: str, offer: Offer, *, offer_url: str, way_out: WayOut) -> Mail:
    """The words alone, in the language that is active."""
    patient = offer.entry.patient
    zone = offer.location.time_zone
    sooner = offer.entry.sooner_than
    subject = SUBJECTS[kind].format(when=times.spoken(offer.starts_at, zone, year=False))
    content = {
        "subject": subject,
        "offer": offer,
        "is_offer": kind == "waitlist-offer",
        "opening": _opening(kind, offer),
        "kept": kept_until(offer),
        "when": times.spoken(offer.starts_at, zone),
        "sooner_than": times.spoken(sooner.starts_at, sooner.location.time_zone) if sooner else "",
        "for_whom": letters.for_whom(patient),
        "offer_url": offer_url,
        "unsubscribe_url": way_out.url,
        "unsubscribe_label": way_out.label,
    }
    return Mail(
        to=patient.email,
        subject=subject,
        text=letters.tidy(render_to_string("appointments/mail/offer.txt", content)),
        html=render_to_string("appointments/mail/offer.html", content),
        headers=way_out.headers,
        secrets=tuple(url for url in (offer_url, way_out.url) if url),
        sender=offer.location.sender_name,
    )


def _opening(kind: str, offer: Offer) -> str:
    if kind == "waitlist-offer":
        return _("A time has become free that you asked for.")
    if offer.answer == Offer.Answer.WITHDRAWN:
        return _(
            "The time we offered you is no longer free, and we are sorry for that. You keep your place on our list."
        )
    return _("The time we wrote to you about is taken: somebody else answered first. You keep your place on our list.")


def kept_until(offer: Offer) -> str:
    """Until when the time may be taken, in words."""
    until = times.spoken(offer.expires_at, offer.location.time_zone)
    if offers.is_shared(offer):
        return _("We ask others too, and the first to answer has it. The offer ends {until}.").format(until=until)
    return _("We keep it for you until {until}.").format(until=until)


def _overtaken(message, offer) -> str:
    """Why the offer as it is now makes the mail wrong, or nothing."""
    if message.kind == "waitlist-taken":
        return "" if offer.entry.is_waiting else "The patient no longer waits."
    return "" if offers.is_standing(offer) else offers.why_gone(offer)


def _told_in_vain(at, since):
    """Those who were written to; who never heard of the time need not hear that it is gone."""
    went_out = [Message.Status.SENT, Message.Status.SENT_MAYBE_TWICE]
    told = Message.objects.filter(key=OuterRef("told_by"), status__in=went_out)
    gone = Offer.objects.filter(answer__in=GONE, answered_at__gt=since, answered_at__lte=at)
    return gone.alias(told_by=_key("made")).filter(Exists(told))


def _new(found, name):
    return outbox.not_yet_owed(found, _key(name)).select_related("entry")


def _due(offer, name, kind, at, useless_after) -> Due:
    return Due(
        f"offer:{offer.pk}:{name}", kind, "appointments.offer", offer.pk, offer.entry.patient_id, at, useless_after
    )


def _key(name):
    return Concat(Value("offer:"), Cast("pk", CharField()), Value(f":{name}"), output_field=CharField())
