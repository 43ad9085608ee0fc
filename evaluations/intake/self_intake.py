"""The intake on the phone before the visit, behind the link in a mail: the only writer of SelfIntake.

What the patient answers are the patient's answers (`patients/intake.py`), to be gone through and confirmed in the
evaluation. A safety question answered yes opens its event at once: it blocks care until a clinician closes it.
"""

from datetime import date, timedelta

from django.db import transaction

from appointments.mails import letters
from appointments.models import Appointment
from clinic import audit, times, tokens
from clinic.models import Link
from evaluations import catalogue
from evaluations.intake.intake_questions import PARTS
from evaluations.models import RedFlagEvent, SelfIntake
from evaluations.safety import red_flags
from patients import birth_date, intake
from patients.models import Patient

PURPOSE = "intake"
GOOD_FOR = timedelta(days=60)  # after the visit's start: it may be moved, and the mail is sent once
_S = Appointment.Status
BEFORE_THE_VISIT = (_S.BOOKED, _S.CONFIRMED, _S.ARRIVED)
PRESSING = ("emergency", "urgent", "caution")


def address(visit: Appointment) -> str:
    """A new link's address, for a mail."""
    return letters.link("intake-link", purpose=PURPOSE, on=visit, expires_at=visit.starts_at + GOOD_FOR)


def find(token: str) -> tuple[Link, Appointment] | None:
    """The link and its visit; None alike for every link that is no good, and once the visit has begun."""
    link = tokens.find_link(token, purpose=PURPOSE)
    visit = link and Appointment.objects.with_names().filter(pk=link.about_id, status__in=BEFORE_THE_VISIT).first()
    return (link, visit) if visit else None


def prove(link: Link, visit: Appointment, *, born_on: date) -> None:
    """Answers about health are shown to whoever knows the birth date too; a few wrong ones end the link."""
    birth_date.check(link, visit.patient, born_on)


def kept(visit: Appointment) -> SelfIntake:
    """How far the patient is; an unsaved one where nothing was answered yet."""
    return SelfIntake.objects.filter(appointment=visit).first() or SelfIntake(appointment=visit, patient=visit.patient)


def latest(patient: Patient) -> SelfIntake | None:
    return SelfIntake.objects.filter(patient=patient).order_by("-changed_at").first()


def of_visit_ahead(evaluation) -> dict | None:
    """What the patient told on the phone, while this evaluation has not confirmed it: when, and how many parts."""
    found = latest(evaluation.patient)
    if found is None or evaluation.is_signed or (evaluation.intake or {}).get("confirmed_at"):
        return None
    at = times.local(found.changed_at, evaluation.location.time_zone)
    return {"at": at, "done": len(found.parts), "of": len(PARTS)}


@transaction.atomic
def keep_part(visit: Appointment, part: str, *, answers: dict, flags: dict[str, str]) -> list[RedFlagEvent]:
    """Keep a part; returns the events that a yes opened. Raises RuleBroken `invalid` with the path of each fault."""
    patient = Patient.objects.select_for_update().get(pk=visit.patient_id)
    now = times.now()
    found = SelfIntake.objects.filter(appointment=visit).first()
    found = found or SelfIntake(appointment=visit, patient=patient, started_at=now)
    if answers:
        intake.record(patient, answers, by=None, by_whom="patient")
    opened = red_flags.told_by_patient(patient, {c: a for c, a in flags.items() if found.red_flags.get(c) != a})
    found.red_flags = {**found.red_flags, **flags}
    found.parts = [code for code in PARTS if code == part or code in found.parts]
    found.changed_at = now
    if len(found.parts) == len(PARTS) and found.finished_at is None:
        found.finished_at = now
    found.save()
    audit.record("intake.part_told", on=patient, by_whom="patient", part=part, visit=visit.pk)
    return opened


def standing_alarms(visit: Appointment) -> str:
    """The most pressing tier of what the patient answered yes to here; empty where there is none."""
    tiers = {catalogue.RED_FLAGS[code].tier for code, given in kept(visit).red_flags.items() if given == "yes"}
    return next((tier for tier in PRESSING if tier in tiers), "")
