"""Mails by which the clinic learns of an incident, and of a safety question that a patient answered yes on the phone;
and the one with the questions before a visit, which the desk sends by hand.

Read off the incidents, the events and the asks; without a clinical word.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse

from clinic import times
from clinic.models import Message, User
from clinic.outbox import Due, Mail, Skip
from evaluations.intake import intake_asks
from evaluations.models import Incident, IntakeAsk, RedFlagEvent
from evaluations.safety import told_flag_mails
from locations import access

KINDS = {
    "incident-opened": "an incident was opened",
    **intake_asks.KINDS,
    told_flag_mails.KIND: "a patient answered a safety question with yes, alone on the phone",
}
TO_PATIENTS = tuple(intake_asks.KINDS)
WATCHED = (Incident, IntakeAsk, RedFlagEvent)
STILL_SENT_WITHIN = timedelta(days=7)
ABOUT = "evaluations.incident"


def due(at, since) -> list[Due]:
    return [*_incidents(at, since), *intake_asks.due(at, since), *told_flag_mails.due(at, since)]


def _incidents(at, since) -> list[Due]:
    """One for each who answers for the clinic where it happened, but not for who opened it."""
    found = list(Incident.objects.filter(opened_at__gt=since, opened_at__lte=at))
    owed = {_key(one, person): (one, person) for one in found for person in _told(one)}
    known = set(Message.objects.filter(key__in=owed).values_list("key", flat=True))
    return [
        Due(key, "incident-opened", ABOUT, one.pk, None, one.opened_at, one.opened_at + STILL_SENT_WITHIN,
            {"user": person.pk})
        for key, (one, person) in owed.items()
        if key not in known
    ]  # fmt: skip


def _key(incident, person):
    return f"incident-opened:{incident.pk}:{person.pk}"


def _told(incident):
    here = Q(assignments__location=incident.location_id) | Q(assignments__location=None)
    people = User.objects.filter(
        Q(assignments__role=access.OWNER) | (here & Q(assignments__role=access.MANAGER)), is_active=True
    )
    return people.exclude(pk=incident.opened_by_id).distinct()


def compose(message: Message) -> Mail | Skip:
    """No word about the patient: who wants to know more signs in."""
    if message.kind == told_flag_mails.KIND:
        return told_flag_mails.compose(message)
    if message.kind == intake_asks.KIND:
        return intake_asks.compose(message)
    incident = Incident.objects.select_related("opened_by", "location").get(pk=message.about_id)
    person = User.objects.filter(pk=message.detail["user"], is_active=True).first()
    if person is None or not Incident.objects.visible_to(person).filter(pk=incident.pk).exists():
        return Skip("They may no longer look at it.")
    content = {
        "incident": incident,
        "when": times.spoken(incident.opened_at, incident.location.time_zone),
        "url": settings.BASE_URL + reverse("incident", args=[incident.pk]),
    }
    return Mail(
        to=person.email,
        subject="An incident was opened",
        text=render_to_string("evaluations/mail/incident_opened.txt", content),
        html=render_to_string("evaluations/mail/incident_opened.html", content),
    )


def sample(kind: str, visit) -> Mail:
    """As the mail of this kind would read for the patient of the visit, in the language that is active."""
    return {intake_asks.KIND: intake_asks.sample}[kind](visit)
