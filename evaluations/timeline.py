"""Evaluations on the patient's time line, and what the patient's page shows of them."""

from collections.abc import Iterable

from django.urls import reverse

from evaluations import interventions
from evaluations.models import Evaluation, VisitNote
from evaluations.safety import red_flags
from patients import chart


def entries(patient, user) -> Iterable[chart.Entry]:
    found = (
        Evaluation.objects.visible_to(user)
        .filter(patient=patient)
        .select_related("location", "signed_by", "withdrawal")
    )
    return [
        chart.Entry(
            at=evaluation.started_at,
            title=f"{evaluation.get_kind_display()}: {evaluation.standing_words.lower()}",
            text=f"{evaluation.location}" + (f", signed by {evaluation.signed_by}" if evaluation.is_signed else ""),
            url=reverse("evaluation", args=[evaluation.pk]),
            icon="evaluation",
            status=evaluation.standing,
        )
        for evaluation in found
    ]


def notes(patient, user) -> Iterable[chart.Entry]:
    """The notes of visits, each with what was done."""
    found = VisitNote.objects.visible_to(user).filter(patient=patient)
    for note in found.select_related("appointment", "location", "signed_by"):
        signed = f"signed by {note.signed_by}" if note.is_signed else "not signed"
        yield chart.Entry(
            at=note.appointment.starts_at,
            title=f"Visit note: {'signed' if note.is_signed else 'draft'}",
            text=" · ".join(part for part in (_done(note.content), signed) if part),
            url=reverse("visit-note", args=[note.pk]),
            icon="edit",
            status="signed" if note.is_signed else "draft",
        )


def _done(content):
    if content.get("not_adjusted"):
        return "Checked, not adjusted"
    where = ", ".join(content.get("segments", ()))
    return " ".join(part for part in (interventions.label_of(content.get("technique", "")), where) if part)


def panel(patient, user) -> dict:
    """The open red flags and a button to begin an evaluation."""
    return {"patient": patient, "open_events": red_flags.open_events(patient)}
