"""The public page of a side: what makes its practitioner bookable there, and a good form."""

from datetime import date, timedelta

from appointments.models import AppointmentType, BookingRequest
from appointments.online import public_booking, public_forms, public_times
from clinic import times, tokens
from locations.models import Practitioner


def is_offered(side):
    Practitioner.objects.filter(pk=side.chiro.pk).update(is_bookable_online=True)


def _first(side):
    type = AppointmentType.objects.get(slug="evaluation")
    return public_times.soonest(type, [side.place], public_times.people())[0][1]


def form(side):
    with times.as_of(times.now() - timedelta(minutes=1)):  # the page has been open for a while
        stamp = public_forms.stamp()
    return {
        "type": "evaluation", "slot": str(_first(side).mark), "stamp": stamp, "now": ["none"], "given_name": "Morgan",
        "family_name": "Newcomer", "birth_date": "1980-02-03", "email": "morgan@example.org", "phone": "404 555 0123",
        "wants_mails": "yes", "agrees": "on",
    }  # fmt: skip


def link(side):
    """Of somebody who asked for the first free time."""
    is_offered(side)
    slot = _first(side)
    request = BookingRequest.objects.filter(location=side.place).first() or public_booking.ask(
        public_booking.Asked(
            form_key=side.name, type=AppointmentType.objects.get(slug="evaluation"), slot=slot, given_name="Morgan",
            family_name="Newcomer", birth_date=date(1980, 2, 3), email="morgan@example.org", phone="+14045550123",
            language="en", wants_mails=True, network=side.name,
        )
    )  # fmt: skip
    return tokens.issue_link(purpose=public_booking.PURPOSE, on=request, expires_at=request.expires_at)
