"""Evaluations on the patient's time line, and what the patient's page shows of them."""

from collections.abc import Iterable

from django.urls import reverse

from evaluations import red_flags
from evaluations.models import Evaluation
from patients import chart


def entries(patient, user) -> Iterable[chart.Entry]:
    found = Evaluation.objects.visible_to(user).filter(patient=patient).select_related("location", "signed_by")
    return [
        chart.Entry(
            at=evaluation.started_at,
            title=f"{evaluation.get_kind_display()}: {evaluation.get_status_display().lower()}",
            text=f"{evaluation.location}" + (f", signed by {evaluation.signed_by}" if evaluation.is_signed else ""),
            url=reverse("evaluation", args=[evaluation.pk]),
            icon="evaluation",
            status=evaluation.status,
        )
        for evaluation in found
    ]


def panel(patient, user) -> dict:
    """The open red flags and a button to begin an evaluation."""
    return {"patient": patient, "open_events": red_flags.open_events(patient)}
