"""Mails to patients: who may look at them, and trying one again."""

from django.db.models import QuerySet
from django.http import Http404

from clinic import audit, outbox
from clinic.models import Message, User
from locations import access
from patients.models import Patient


def visible_to(user: User, action: str = "message.read") -> QuerySet:
    """Messages to patients whom the user may see; a role for the group sees every one."""
    found = Message.objects.all()
    if access.location_ids(user, action) is None:
        return found
    return found.filter(patient_id__in=Patient.objects.visible_to(user, action).values("pk"))


def try_again(message: Message, *, by: User) -> bool:
    """Send a failed or bounced one once more; False when it is no longer one."""
    if not visible_to(by, "message.retry").filter(pk=message.pk).exists():
        raise Http404
    again = outbox.try_again(message)
    if again:
        audit.record("message.retried", on=message, by=by)
    return again
