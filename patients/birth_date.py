"""The birth date, asked of whoever comes by a link: a mail may be read by others of the household."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import tokens
from clinic.errors import RuleBroken
from clinic.models import Link
from patients.models import Patient

TRIES = 5


def check(link: Link, patient: Patient, born_on: date) -> None:
    """Raises RuleBroken `wrong_birth_date`; after TRIES wrong ones the link is dead (`link_dead`).

    The wrong try is kept although what was asked for is refused.
    """
    if born_on == patient.birth_date:
        return
    left = tokens.note_wrong_try(link, most=TRIES)
    if not left:
        raise RuleBroken("Too many wrong birth dates.", code="link_dead", status=410)
    tries = ngettext("{left} try left.", "{left} tries left.", left).format(left=left)
    message = f"{_('This is not the birth date we have.')} {tries}"
    raise RuleBroken(message, code="wrong_birth_date", fields={"born_on": message}, status=400)
