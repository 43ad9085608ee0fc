"""Opening the chart of a patient whom one does not treat, with a reason: the only writer of ChartOpening.

For an hour its opener reads the clinical record of this one patient and may add an addendum. The owner and the managers
of the patient's clinics are told by mail at once, and somebody else says within a day whether it was in order.
"""

from datetime import datetime, timedelta
from math import ceil

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from patients import sight
from patients.models import ChartOpening, Patient

LASTS = timedelta(hours=1)
REVIEW_WITHIN = timedelta(days=1)
LEAST_WORDS = 10


@transaction.atomic
def open_chart(patient: Patient, *, reason: str, words: str, by: User) -> ChartOpening:
    """Safe to repeat: the opening that still runs is given back. Raises RuleBroken `treated` or `invalid` (400)."""
    if not sight.may_open(by, patient):
        raise Http404
    Patient.objects.select_for_update().get(pk=patient.pk)
    running = ChartOpening.objects.running(by).filter(patient=patient).first()
    if running:
        return running
    if Patient.objects.visible_to(by, "evaluation.read").filter(pk=patient.pk).exists():
        raise RuleBroken("You treat this patient: the chart is open to you.", code="treated")
    now = times.now()
    opening = ChartOpening(patient=patient, by=by, at=now, until=now + LASTS, reason=reason, words=words.strip())
    _check(opening, {"words": opening.words})
    opening.save(force_insert=True)
    audit.record("chart.opened", on=opening, by=by, reason=reason)
    return opening


@transaction.atomic
def review(opening: ChartOpening, *, finding: str, by: User) -> ChartOpening:
    """Say that it was looked at and what was found. Raises RuleBroken `reviewed`, `own` or `invalid` (400)."""
    if not ChartOpening.objects.visible_to(by, "chart.review").filter(pk=opening.pk).exists():
        raise Http404
    fresh = ChartOpening.objects.select_for_update().get(pk=opening.pk)
    if fresh.reviewed_at is not None:
        raise RuleBroken("Somebody has looked at this already.", code="reviewed")
    if fresh.by_id == by.pk:
        raise RuleBroken("Nobody reviews what they opened themselves. Ask a colleague.", code="own")
    fresh.reviewed_at, fresh.reviewed_by, fresh.finding = times.now(), by, finding.strip()
    _check(fresh, {"finding": fresh.finding})
    fresh.save(update_fields=["reviewed_at", "reviewed_by", "finding"])
    audit.record("chart.opening_reviewed", on=fresh, by=by)
    return fresh


def running(user: User, patient: Patient) -> ChartOpening | None:
    """The opening by which this person reads the chart just now; None for those who treat the patient."""
    return ChartOpening.objects.running(user).filter(patient=patient).first()


def record_read(action: str, found, *, by: User) -> None:
    """Keep that somebody read it, and by which opening where only that let them."""
    opening = running(by, found.patient) if getattr(found, "opened_until", None) else None
    audit.record(action, on=found, by=by, **({"opening": opening.pk} if opening else {}))


def minutes_left(until: datetime) -> int:
    return max(0, ceil((until - times.now()).total_seconds() / 60))


def _check(opening, texts) -> None:
    fields = {name: f"Say in at least {LEAST_WORDS} characters." for name, t in texts.items() if len(t) < LEAST_WORDS}
    try:
        opening.clean_fields(exclude=["patient", "by", "reviewed_at", "reviewed_by"])
    except ValidationError as error:
        fields |= {name: " ".join(said) for name, said in error.message_dict.items()}
    if fields:
        raise RuleBroken(" ".join(fields.values()), code="invalid", fields=fields, status=400)
