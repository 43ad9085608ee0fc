"""Mails about offers from the waitlist, due and composed as `reminders` does; read off the offers, never planned ahead.

An offer rests for the grace of every notice before it is mailed: a cancellation put right at once takes it along.
"""

from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string

from appointments import letters, offers
from appointments.models import Offer
from clinic import outbox, times
from clinic.models import Message
from clinic.outbox import Due, Mail, Skip

KINDS = {
    "waitlist-offer": "a time became free for somebody on the waitlist",
    "waitlist-taken": "a time that was offered went to somebody else, or was taken back",
}
GONE = [Offer.Answer.TAKEN, Offer.Answer.WITHDRAWN]
SUBJECTS = {
    "waitlist-offer": "A time is free: {when}",
    "waitlist-taken": "No longer free: {when}",
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
    if reason := _overtaken(message, offer) or letters.unreachable(patient):
        return Skip(reason)
    unsubscribe_url = letters.unsubscribe_link(patient)
    offer_url = letters.link("offer-link", purpose="offer", on=offer, expires_at=offer.starts_at)
    zone = offer.location.time_zone
    sooner = offer.entry.sooner_than
    content = {
        "offer": offer,
        "is_offer": message.kind == "waitlist-offer",
        "is_shared": offers.is_shared(offer),
        "is_withdrawn": offer.answer == Offer.Answer.WITHDRAWN,
        "when": times.spoken(offer.starts_at, zone),
        "until": times.spoken(offer.expires_at, zone),
        "sooner_than": times.spoken(sooner.starts_at, sooner.location.time_zone) if sooner else "",
        "offer_url": offer_url,
        "unsubscribe_url": unsubscribe_url,
    }
    return Mail(
        to=patient.email,
        subject=SUBJECTS[message.kind].format(when=times.spoken(offer.starts_at, zone, year=False)),
        text=render_to_string("appointments/mail/offer.txt", content),
        html=render_to_string("appointments/mail/offer.html", content),
        headers=letters.stop_headers(unsubscribe_url),
        secrets=(offer_url, unsubscribe_url),
    )


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
