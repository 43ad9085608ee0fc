"""The mail by which the clinic learns at once that a patient answered a safety question with yes, alone on the phone.

One for all that was answered in one go, to the practitioner of the visit, the managers there and the owner.
"""

from datetime import timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse

from clinic import times
from clinic.models import Message, User
from clinic.outbox import Due, Mail, Skip
from evaluations.models import RedFlagEvent, SelfIntake
from locations import access
from patients.models import Patient

KIND = "red-flag-told"
STILL_SENT_WITHIN = timedelta(days=7)
ABOUT = "evaluations.redflagevent"
PRESSING = ("emergency", "urgent", "caution")


def due(at, since) -> list[Due]:
    told = RedFlagEvent.objects.filter(
        opened_by=None, evaluation=None, answer="yes", opened_at__gt=since, opened_at__lte=at
    ).order_by("patient", "opened_at", "pk")
    owed = {}
    for _, events in groupby(told, key=lambda event: (event.patient_id, event.opened_at)):
        first = next(events)
        visit = _visit(first.patient_id)
        for person in _told(visit) if visit else ():
            owed[f"{KIND}:{first.pk}:{person.pk}"] = (first, person)
    known = set(Message.objects.filter(key__in=owed).values_list("key", flat=True))
    return [
        Due(key, KIND, ABOUT, event.pk, None, event.opened_at, event.opened_at + STILL_SENT_WITHIN,
            {"user": person.pk})
        for key, (event, person) in owed.items()
        if key not in known
    ]  # fmt: skip


def _visit(patient_id):
    found = SelfIntake.objects.filter(patient=patient_id).select_related("appointment__location")
    newest = found.order_by("-changed_at").first()
    return newest and newest.appointment


def _told(visit):
    here = Q(assignments__location=visit.location_id) | Q(assignments__location=None)
    wanted = Q(assignments__role=access.OWNER) | (here & Q(assignments__role=access.MANAGER))
    return User.objects.filter(wanted | Q(practitioner=visit.practitioner_id), is_active=True).distinct()


def compose(message: Message) -> Mail | Skip:
    """No name and no word of what was answered: who wants to know more signs in."""
    first = RedFlagEvent.objects.get(pk=message.about_id)
    patient = Patient.objects.get(pk=first.patient_id)
    person = User.objects.filter(pk=message.detail["user"], is_active=True).first()
    if person is None or not Patient.objects.visible_to(person).filter(pk=patient.pk).exists():
        return Skip("They may no longer look at it.")
    together = RedFlagEvent.objects.filter(
        patient=patient, opened_at=first.opened_at, opened_by=None, evaluation=None, answer="yes"
    )
    if not together.filter(resolved_at=None).exists():
        return Skip("It was resolved already.")
    visit = _visit(patient.pk)
    tiers = set(together.values_list("tier", flat=True))
    content = {
        "tier": next(tier for tier in PRESSING if tier in tiers),
        "when": times.spoken(first.opened_at, visit.location.time_zone),
        "visit_when": times.spoken(visit.starts_at, visit.location.time_zone),
        "place": visit.location,
        "url": settings.BASE_URL + reverse("patient", args=[patient.pk]),
    }
    return Mail(
        to=person.email,
        subject="A patient answered a safety question: please look now",
        text=render_to_string("evaluations/mail/red_flag_told.txt", content),
        html=render_to_string("evaluations/mail/red_flag_told.html", content),
    )
