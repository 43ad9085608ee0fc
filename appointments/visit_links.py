"""What a patient may do with the link in a mail: see the visit, confirm it, and cancel it with the birth date."""

from datetime import date

from django.db import transaction

from appointments import visit_status
from appointments.models import Appointment
from clinic import tokens
from clinic.errors import RuleBroken
from clinic.models import Link

TRIES = 5
EXPECTED = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)


def find(token: str) -> tuple[Link, Appointment] | None:
    """The link and its visit. None alike for every link that is no good, and for a visit that is not expected."""
    link = tokens.find_link(token, purpose="visit")
    if link is None:
        return None
    visit = Appointment.objects.with_names().filter(pk=link.about_id, status__in=EXPECTED).first()
    return (link, visit) if visit else None


def confirm(visit: Appointment) -> Appointment:
    """Safe to repeat: a second click on Confirm is not an error to the patient."""
    with transaction.atomic():
        fresh = Appointment.objects.select_for_update().get(pk=visit.pk)
        if fresh.status == Appointment.Status.CONFIRMED:
            return visit
        return visit_status.confirm(visit, by=None, by_whom="patient")


def cancel(link: Link, visit: Appointment, *, born_on: date) -> Appointment:
    """Cancel and spend the link.

    A mail may be read by others of the household, so the birth date is asked; after TRIES wrong ones the link is dead
    (`link_dead`). The wrong try is kept although the cancellation is refused.
    """
    if born_on != visit.patient.birth_date:
        left = tokens.note_wrong_try(link, most=TRIES)
        if not left:
            raise RuleBroken("Too many wrong birth dates.", code="link_dead", status=410)
        message = f"This is not the birth date we have. {left} {'try' if left == 1 else 'tries'} left."
        raise RuleBroken(message, code="wrong_birth_date", fields={"born_on": message}, status=400)
    with transaction.atomic():
        if not tokens.use_link(link):
            raise RuleBroken("The link was used already.", code="link_dead", status=410)
        return visit_status.cancel(visit, by=None, by_whom="patient", reason="Cancelled by the link in a mail")
