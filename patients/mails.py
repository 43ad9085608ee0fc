"""Mails to patients: who may look at them, and trying one again."""

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower
from django.http import Http404

from clinic import audit, outbox, undeliverable
from clinic.models import AddressFault, Message, User
from locations import access
from patients.models import Patient


def visible_to(user: User, action: str = "message.read") -> QuerySet:
    """Messages to patients whom the user may see; a role for the group sees every one."""
    found = Message.objects.all()
    if access.location_ids(user, action) is None:
        return found
    return found.filter(patient_id__in=Patient.objects.visible_to(user, action).values("pk"))


def to_patient(patient: Patient) -> QuerySet:
    """Everything said to one patient, also in a mail to several of a family."""
    return Message.objects.filter(Q(patient_id=patient.pk) | Q(parts__patient_id=patient.pk)).distinct()


def address_fault(patient: Patient) -> AddressFault | None:
    return undeliverable.standing().filter(address=undeliverable.folded(patient.email)).first()


def at_faulty_addresses(user: User) -> QuerySet:
    """Patients whom nothing is sent to, since their address takes no mail; the newest fault first."""
    fault = undeliverable.standing().filter(address=OuterRef("folded"))
    found = (
        Patient.objects.visible_to(user, "message.read")
        .alias(folded=Lower("email"))
        .filter(folded__in=undeliverable.standing().values("address"))
    )
    return found.annotate(
        faulty_since=Subquery(fault.values("at")[:1]), fault_reason=Subquery(fault.values("reason")[:1])
    ).order_by("-faulty_since", "pk")


def mend(patient: Patient, *, by: User) -> bool:
    """Somebody who may change the patient says that the address works again; False when nothing stood against it."""
    if not Patient.objects.visible_to(by, "patient.write").filter(pk=patient.pk).exists():
        raise Http404
    return undeliverable.mend(patient.email, by=by, patient_id=patient.pk)


def try_again(message: Message, *, by: User) -> bool:
    """Send one that was not sent once more, to the address that the patient has now, and hold nothing against that;
    False when it is no longer one (`outbox.may_try_again`)."""
    if not visible_to(by, "message.retry").filter(pk=message.pk).exists():
        raise Http404
    again = outbox.try_again(message)
    if again:
        undeliverable.mend(_goes_to(message), by=by, patient_id=message.patient_id)
        audit.record("message.retried", on=message, by=by)
    return again


def _goes_to(message: Message) -> str:
    patient = Patient.objects.filter(pk=message.patient_id).first()
    return patient.email if patient else message.to
