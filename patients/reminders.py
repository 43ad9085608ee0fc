"""The mail by which owner and managers learn that somebody opened a chart with a reason; read off the openings."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string

from clinic import times
from clinic.models import Message, User
from clinic.outbox import Due, Mail, Skip
from locations import access
from patients.models import ChartOpening

KINDS = {"chart-opened": "a chart was opened with a reason"}
WATCHED = (ChartOpening,)
STILL_SENT_WITHIN = timedelta(days=7)
ABOUT = "patients.chartopening"


def due(at, since) -> list[Due]:
    """One for each who may look at it, but not for who opened it."""
    openings = list(ChartOpening.objects.filter(at__gt=since, at__lte=at).select_related("patient"))
    owed = {_key(opening, person): (opening, person) for opening in openings for person in _told(opening)}
    known = set(Message.objects.filter(key__in=owed).values_list("key", flat=True))
    return [
        Due(key, "chart-opened", ABOUT, opening.pk, None, opening.at, opening.at + STILL_SENT_WITHIN,
            {"user": person.pk})
        for key, (opening, person) in owed.items()
        if key not in known
    ]  # fmt: skip


def _key(opening, person):
    return f"chart-opened:{opening.pk}:{person.pk}"


def _told(opening):
    here = Q(assignments__location__in=opening.patient.locations.all()) | Q(assignments__location=None)
    people = User.objects.filter(
        Q(assignments__role=access.OWNER) | (here & Q(assignments__role=access.MANAGER)), is_active=True
    )
    return people.exclude(pk=opening.by_id).distinct()


def compose(message: Message) -> Mail | Skip:
    """No word about the patient: who wants to know more signs in."""
    opening = ChartOpening.objects.select_related("by", "patient__home_location").get(pk=message.about_id)
    person = User.objects.filter(pk=message.detail["user"], is_active=True).first()
    if person is None or not ChartOpening.objects.visible_to(person).filter(pk=opening.pk).exists():
        return Skip("They may no longer look at it.")
    content = {
        "opening": opening,
        "when": times.spoken(opening.at, opening.patient.home_location.time_zone),
        "url": settings.BASE_URL + "/opened-charts/",
    }
    return Mail(
        to=person.email,
        subject="A chart was opened with a reason",
        text=render_to_string("patients/mail/chart_opened.txt", content),
        html=render_to_string("patients/mail/chart_opened.html", content),
    )
