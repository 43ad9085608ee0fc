"""The mails about visits, offers and free times, as they would read for a real visit: written, and sent to nobody.

Nothing is decided, stored or issued. Links have the shape of real ones and lead to the page that says that a link is
no good. What a mail needs beside the visit (where it was before, until when a time is kept) is made up from it.
"""

from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.utils import translation

from appointments.mails import calendar_file, follow_up_mails, letters, visit_mails
from appointments.mails.visit_mails import News
from appointments.mails.visit_reminders import EXPECTED
from appointments.models import Appointment, BookingRequest, Offer, WaitlistEntry
from appointments.online import public_mails
from appointments.waiting import offer_mails
from clinic import mail_kinds, times
from clinic.mail_kinds import Mail

MOST_TOGETHER = 5  # visits in the mail about several
SHOWN_UNDER_THE_SUBJECT = 100  # letters


def write(kind: str, visit: Appointment) -> Mail:
    """The mail of that kind to the patient of the visit, in the language that is active."""
    if kind in offer_mails.KINDS:
        return _of_offer(kind, visit)
    if kind in public_mails.KINDS:
        return _of_request(visit)
    way_out = letters.way_out_nowhere()
    if kind == follow_up_mails.MISSED.name:
        return follow_up_mails.of_missed(visit, way_out)
    if kind == follow_up_mails.INTAKE.name:
        return follow_up_mails.of_intake(visit, way_out, page=letters.link_nowhere("visit-link"))
    told = _several(visit) if kind == visit_mails.SEVERAL else [_news(kind, visit)]
    attachments = calendar_file.attachments([one.visit for one in told])
    return visit_mails.write(told, way_out=way_out, attachments=attachments)


def _several(visit: Appointment) -> list[News]:
    """The visit and those of the patient that follow it."""
    following = Appointment.objects.filter(
        patient=visit.patient_id, status__in=EXPECTED, starts_at__gt=visit.starts_at
    ).with_names()
    return [_news(visit_mails.BOOKED, one) for one in [visit, *following[: MOST_TOGETHER - 1]]]


def _news(kind: str, visit: Appointment) -> News:
    visit.status = Appointment.Status.CANCELLED if kind == visit_mails.CANCELLED else Appointment.Status.BOOKED
    before = times.spoken(visit.starts_at - timedelta(days=1), visit.location.time_zone)
    return News(
        kind,
        visit,
        moved_from=before if kind == visit_mails.MOVED else "",
        link="" if kind == visit_mails.CANCELLED else letters.link_nowhere("visit-link"),
        for_whom=letters.for_whom(visit.patient),
    )


def _of_offer(kind: str, visit: Appointment) -> Mail:
    offer = Offer(
        entry=WaitlistEntry(patient=visit.patient, type=visit.type), practitioner=visit.practitioner,
        location=visit.location, starts_at=visit.starts_at, expires_at=visit.starts_at - timedelta(hours=2),
    )  # fmt: skip
    url = letters.link_nowhere("offer-link")
    return offer_mails.write(kind, offer, offer_url=url, way_out=letters.way_out_nowhere())


def _of_request(visit: Appointment) -> Mail:
    request = BookingRequest(
        type=visit.type, location=visit.location, practitioner=visit.practitioner, starts_at=visit.starts_at,
        email=visit.patient.email, language=translation.get_language(),
        expires_at=visit.starts_at - timedelta(hours=2),
    )  # fmt: skip
    return public_mails.write(request, url=letters.link_nowhere("book-confirm"), is_known=False)


@dataclass(frozen=True)
class Sample:
    """A mail in one language, with what phones show under its subject and its calendar file as text."""

    language: str
    called: str
    mail: Mail
    sender: str
    first_words: str
    calendar: str


def in_every_language(kind: str, visit: Appointment) -> list[Sample]:
    found = []
    for language, called in settings.LANGUAGES:
        with translation.override(language):
            mail = mail_kinds.sample(kind, copy(visit))
        found.append(
            Sample(
                language, str(called), mail, mail.sender or parseaddr(settings.DEFAULT_FROM_EMAIL)[0],
                " ".join(mail.text.split())[:SHOWN_UNDER_THE_SUBJECT],
                "".join(part.content.decode() for part in mail.attachments),
            )
        )  # fmt: skip
    return found
