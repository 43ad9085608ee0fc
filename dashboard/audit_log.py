"""Who saw or changed what, for those who watch over it. Reads only, and never shows what was seen."""

from datetime import date

from django.db.models import Q, QuerySet

from clinic import times
from clinic.models import AuditEntry, User
from locations import access
from patients.models import Patient


def visible_to(user: User) -> QuerySet:
    """Entries about patients whom the user watches over and by people who work there; of the group all."""
    places = access.location_ids(user, "audit.read")
    if places is None:
        return AuditEntry.objects.all()
    patients = Patient.objects.visible_to(user, "audit.read").values("pk")
    return AuditEntry.objects.filter(
        Q(patient_id__in=patients) | Q(patient_id=None, by__in=people(user).values("pk"))
    )  # fmt: skip


def people(user: User) -> QuerySet:
    """Whose entries can be asked for."""
    places = access.location_ids(user, "audit.read")
    found = User.objects.order_by("full_name", "pk")
    return found if places is None else found.filter(assignments__location__in=places).distinct()


def on(entries: QuerySet, day: date, zone: str) -> QuerySet:
    first, last = times.day_bounds(day, zone)
    return entries.filter(at__gte=first, at__lt=last)


def said(entry: AuditEntry) -> str:
    """`evaluation.viewed` as `Evaluation viewed`."""
    return entry.action.replace(".", " ").replace("_", " ").capitalize()


def about(entry: AuditEntry) -> str:
    """`evaluations.evaluation` number 7 as `evaluation 7`."""
    thing = entry.about.rsplit(".", 1)[-1]
    return f"{thing} {entry.about_id}" if entry.about_id else thing
