"""Evaluations since a plan was written that nobody has judged the plan by yet. Reads only."""

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from careplans.models import CarePlan, Reevaluation
from evaluations.models import Evaluation


def latest(plan: CarePlan) -> Evaluation | None:
    """The latest signed evaluation since the plan was written that nobody has judged yet."""
    found = (
        Evaluation.objects.in_force()
        .filter(patient=plan.patient_id, started_at__gt=plan.evaluation.started_at, status=Evaluation.Status.SIGNED)
        .select_related("location", "patient")
    )
    latest = found.order_by("-started_at", "-pk").first()
    return latest if latest and not plan.reevaluations.filter(evaluation=latest).exists() else None


def plans_among(plans: QuerySet[CarePlan]) -> QuerySet[CarePlan]:
    """Those of the plans with a signed evaluation, the latest since it was written, that nobody has judged yet."""
    later = Evaluation.objects.in_force().filter(
        patient=OuterRef("patient"), started_at__gt=OuterRef("evaluation__started_at"), status=Evaluation.Status.SIGNED
    )
    latest = Subquery(later.order_by("-started_at", "-pk").values("pk")[:1])
    judged = Reevaluation.objects.filter(plan=OuterRef("pk"), evaluation=OuterRef("latest"))
    return plans.annotate(latest=latest).exclude(latest=None).filter(~Exists(judged))
