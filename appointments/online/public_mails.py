"""The mail by which somebody who booked on the public page shows that the address is theirs.

It is the only place where it is told whether the patient is known: who reads it has the address. Nothing that was typed
is repeated in it, so that nobody can have words of their own sent to others.
"""

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from appointments.mails import letters
from appointments.models import BookingRequest
from appointments.online import public_booking
from appointments.online.public_booking import MAIL_OF
from clinic import outbox, times
from clinic.mail_kinds import Due, Mail, Skip
from clinic.models import Message

KINDS = {"booking-asked": "a visit was asked for on the public page"}
ABOUT = "appointments.bookingrequest"


def due(at, since) -> list[Due]:
    """At once: somebody waits for it."""
    key = Concat(Value(MAIL_OF), Cast(F("pk"), CharField()), output_field=CharField())
    asked = BookingRequest.objects.filter(asked_at__gt=since, asked_at__lte=at, visit=None)
    return [
        Due(f"{MAIL_OF}{one.pk}", "booking-asked", ABOUT, one.pk, None, one.asked_at, one.expires_at)
        for one in outbox.not_yet_owed(asked, key)
    ]


def compose(message: Message) -> Mail | Skip:
    rows = BookingRequest.objects.select_related("type", "location", "practitioner__user", "hold")
    request = rows.filter(pk=message.about_id).first()
    if request is None or not request.is_open:
        return Skip("It was booked, dropped or given up meanwhile.")
    url = letters.link("book-confirm", purpose=public_booking.PURPOSE, on=request, expires_at=request.expires_at)
    with translation.override(request.language):
        return write(request, url=url, is_known=public_booking.known_patient(request) is not None)


def write(request: BookingRequest, *, url: str, is_known: bool) -> Mail:
    """The words alone, in the language that is active."""
    zone = request.location.time_zone
    subject = _("Please confirm: {when}").format(when=times.spoken(request.starts_at, zone, year=False))
    held = request.hold and request.hold.held_until
    content = {
        "subject": subject,
        "request": request,
        "when": times.spoken(request.starts_at, zone),
        "held_until": times.spoken(held, zone, year=False) if held else "",
        "until": times.spoken(request.expires_at, zone, year=False),
        "is_known": is_known,
        "url": url,
    }
    return Mail(
        to=request.email,
        subject=subject,
        text=letters.tidy(render_to_string("appointments/mail/booking.txt", content)),
        html=render_to_string("appointments/mail/booking.html", content),
        secrets=(url,),
        sender=request.location.sender_name,
        is_asked_for=True,
    )
