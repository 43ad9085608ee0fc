"""Which kinds of mail a patient wants no more: the only writer of StoppedMail.

The consent to be written to at all is another thing (`registering`): a kind that was stopped can be taken up again
without asking for it anew.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Lower
from django.http import Http404

from clinic import audit, times
from clinic.models import User
from clinic.text import checked_reason
from patients.models import Patient, StoppedMail

Topic = StoppedMail.Topic
EVERYTHING = "unsubscribe"
PURPOSES = {EVERYTHING: None, **{f"{EVERYTHING}:{topic}": topic for topic in Topic}}


def purpose_of(topic: Topic) -> str:
    """What a link in a mail of this topic is for."""
    return f"{EVERYTHING}:{topic}"


@transaction.atomic
def stop(patient: Patient, topic: Topic, *, by: User | None, by_whom: str = "") -> None:
    """Safe to repeat."""
    fresh = _own(patient, by)
    if not fresh.stopped_mails.filter(topic=topic, resumed_at=None).exists():
        fresh.stopped_mails.create(topic=topic, at=times.now())
        audit.record("mails.stopped", on=fresh, by=by, by_whom=by_whom, topic=str(topic))


@transaction.atomic
def resume(patient: Patient, topic: Topic, *, by: User | None, by_whom: str = "", reason: str = "") -> bool:
    """Safe to repeat: False when nothing was stopped. Staff say why: the patient had said no. Raises RuleBroken."""
    fresh = _own(patient, by)
    if by is not None:
        reason = checked_reason(reason, needed="Say why: who asked for these mails again, and when.")
    stopped = bool(fresh.stopped_mails.filter(topic=topic, resumed_at=None).update(resumed_at=times.now()))
    if stopped:
        audit.record("mails.resumed", on=fresh, by=by, by_whom=by_whom, topic=str(topic), reason=reason)
    return stopped


def who_stopped(topic: Topic, patients: Iterable[Patient]) -> set[int]:
    """Ids of those who want no mails of the topic; one query."""
    rows = StoppedMail.objects.filter(patient__in=patients, topic=topic, resumed_at=None)
    return set(rows.values_list("patient", flat=True))


def stopped_by(patient: Patient) -> list[Topic]:
    rows = patient.stopped_mails.filter(resumed_at=None).order_by("topic")
    return [Topic(topic) for topic in rows.values_list("topic", flat=True)]


def is_written_to_with(patient: Patient, other: Patient) -> bool:
    """Whether one mail may tell of both: of one person, or of two who chose so and have one address."""
    if patient.pk == other.pk:
        return True
    chose = patient.has_joint_mails and other.has_joint_mails
    return chose and patient.email.lower() == other.email.lower()


def at_the_same_address(patient: Patient) -> QuerySet:
    """The patient and whoever else is written to at that address."""
    return Patient.objects.alias(folded=Lower("email")).filter(folded=patient.email.lower())


def shared_addresses(patients: Iterable[Patient]) -> set[str]:
    """Those of their addresses, folded, that more than one patient has; one query."""
    rows = Patient.objects.annotate(folded=Lower("email")).filter(folded__in={one.email.lower() for one in patients})
    several = rows.order_by().values("folded").annotate(people=Count("pk")).filter(people__gt=1)
    return set(several.values_list("folded", flat=True))


def _own(patient: Patient, by: User | None) -> Patient:
    if by is not None and not Patient.objects.visible_to(by, "patient.write").filter(pk=patient.pk).exists():
        raise Http404
    return Patient.objects.select_for_update().get(pk=patient.pk)
