"""Endpoints for care plans."""

import json

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from appointments import standing
from careplans import blocks, goals, planning, progress
from careplans.contents import MOST_GOALS, MOST_PHASES
from careplans.models import CarePlan
from clinic import audit
from clinic.rest import IdField, LineField, StrictSerializer, once
from clinic.text import clean_note
from evaluations.models import Evaluation
from locations.models import Location, Practitioner
from patients import chart_opening, sight


class PhaseIn(StrictSerializer):
    kind = LineField(max_length=15)
    visits_per_week = serializers.IntegerField(min_value=1, max_value=7)
    weeks = serializers.IntegerField(min_value=1, max_value=52)


class GoalIn(StrictSerializer):
    """Without `baseline` it is what the evaluation found; without `target` it is the usual one from there."""

    metric = LineField(max_length=60)
    baseline = serializers.DecimalField(max_digits=7, decimal_places=2, required=False)
    target = serializers.DecimalField(max_digits=7, decimal_places=2, required=False)
    due_on = serializers.DateField()


class InterventionIn(StrictSerializer):
    code = LineField(max_length=40)
    dose = LineField(required=False, allow_blank=True)


class PlanIn(StrictSerializer):
    evaluation = IdField()
    practitioner = IdField()
    location = LineField(max_length=50)
    starts_on = serializers.DateField()
    phases = PhaseIn(many=True, allow_empty=False, max_length=MOST_PHASES)
    goals = GoalIn(many=True, required=False, max_length=MOST_GOALS)
    interventions = InterventionIn(many=True, required=False, max_length=100)
    reevaluate_by = serializers.DateField(required=False, allow_null=True)
    reevaluate_after_visits = serializers.IntegerField(min_value=1, max_value=12, required=False)
    note = serializers.CharField(max_length=5000, required=False, allow_blank=True, validators=[clean_note])


class NothingIn(StrictSerializer):
    pass


class ReasonIn(StrictSerializer):
    reason = LineField(required=False, allow_blank=True, max_length=500)


class ConsentIn(StrictSerializer):
    name = LineField()


class ScheduleIn(StrictSerializer):
    """`weekdays` count from Monday, 0; `at_time` is wall-clock at the plan's location; `phase` counts from 1."""

    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), allow_empty=False, max_length=7
    )
    at_time = serializers.TimeField(input_formats=["%H:%M", "%H:%M:%S"])
    phase = serializers.IntegerField(min_value=1, max_value=MOST_PHASES, required=False)


class VisitOut(serializers.Serializer):
    """A visit of a phase; `appointment` is null while it is owed."""

    def to_representation(self, one):
        shown = one.appointment if one.is_on_calendar else None
        return {
            "number": one.visit.number,
            "type": one.visit.type.slug,
            "wanted_on": one.visit.wanted_on.isoformat(),
            "state": one.state,
            "appointment": shown and shown.pk,
            "starts_at": shown and shown.local_start.isoformat(),
            "time_zone": shown and shown.location.time_zone,
        }


class PlanOut(serializers.Serializer):
    """A care plan as the API shows it; `blocks` say why a draft may not become active yet."""

    def to_representation(self, plan):
        visits = {}
        for one in standing.of(plan.series) if plan.series else ():
            visits.setdefault(one.visit.stretch, []).append(VisitOut(one).data)
        return {
            **brief(plan),
            "reevaluate_after_visits": plan.reevaluate_after_visits,
            "consent": {"name": plan.consent_signed_name, "signed_at": plan.consent_signed_at}
            if plan.consent_signed_at
            else None,
            "note": plan.note,
            "phases": [
                {
                    "kind": phase.kind,
                    "visits_per_week": phase.visits_per_week,
                    "weeks": phase.weeks,
                    "visits": visits.get(phase.order, []),
                }
                for phase in plan.phases.all()
            ],
            "goals": _goals(plan),
            "progress": _progress(plan),
            "interventions": list(plan.interventions.values("code", "dose")),
            "blocks": [{"code": b.code, "detail": b.message} for b in blocks.of(plan)] if plan.is_draft else [],
            "next_steps": planning.allowed(plan),
        }


def _progress(plan):
    """Null before the plan has visits; `pace` is on_pace, behind or lost, and null while the plan does not run."""
    found = progress.of_plan(plan)
    return found and {
        **{
            name: getattr(found.visits, name)
            for name in ("planned", "fulfilled", "booked", "owed", "overdue", "missed")
        },
        "next_on": found.visits.next_on,
        "reevaluation_due_on": found.checkpoint.due_on,
        "pace": found.pace if plan.is_active else None,
        "reason": found.reason if plan.is_active else "",
    }


def _goals(plan):
    rows = list(plan.goals.all())
    current = goals.current(plan, rows)
    return [_goal(row, current.get(row.pk)) for row in rows]


def _goal(row, now):
    """`current`, `measured_on` and `attainment` (0 to 1) are null until a later evaluation has measured it."""
    return {
        "metric": row.metric,
        "unit": row.unit,
        "baseline": row.baseline,
        "target": row.target,
        "due_on": row.due_on,
        "current": now and now.value,
        "measured_on": now and now.on,
        "attainment": now and round(now.share, 3),
    }


def brief(plan):
    return {
        "id": plan.pk,
        "status": plan.status,
        "patient": {"id": plan.patient_id, "name": plan.patient.name},
        "evaluation": plan.evaluation_id,
        "practitioner": {"id": plan.practitioner_id, "name": plan.practitioner.name},
        "location": {"slug": plan.location.slug, "name": plan.location.name},
        "starts_on": plan.starts_on,
        "reevaluate_by": plan.reevaluate_by,
    }


def _one(queryset, field, **lookup):
    """The row in the user's scope, or a 400 that names the field: in a body, what is out of scope is unknown."""
    found = queryset.filter(**lookup).first()
    if found is None:
        raise ValidationError({field: ["There is none such."]})
    return found


def _valid(serializer, data):
    given = serializer(data=data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class CarePlans(viewsets.GenericViewSet):
    policies = {
        "list": "careplan.read",
        "retrieve": "careplan.read",
        **dict.fromkeys(["create", "consent", *planning.STEPS], "careplan.write"),
        "schedule": "careplan.schedule",
    }
    takes = {
        "create": PlanIn,
        "consent": ConsentIn,
        "schedule": ScheduleIn,
        **dict.fromkeys(planning.STEPS, ReasonIn),
        "activate": NothingIn,
    }
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self):
        return CarePlan.objects.with_names()

    @extend_schema(parameters=[OpenApiParameter("patient", OpenApiTypes.INT64)])
    def list(self, request):
        """Plans in sight, latest first; of one patient with `?patient=`."""
        rows = self.get_queryset().visible_to(request.user)
        if patient := request.query_params.get("patient"):
            if not (patient.isascii() and patient.isdigit() and len(patient) < 19):
                raise ValidationError({"patient": ["Give the id of a patient."]})
            rows = rows.filter(patient=int(patient))
        page = self.paginate_queryset(rows)
        audit.record_all("care_plan.listed", page, by=request.user)
        return self.get_paginated_response([brief(plan) for plan in page])

    def retrieve(self, request, pk):
        plan = self._get(pk)
        chart_opening.record_read("care_plan.read", plan, by=request.user)
        return Response(PlanOut(plan).data)

    def create(self, request):
        """Draft a plan from a signed evaluation. A repeated `Idempotency-Key` returns the first answer."""
        said = _valid(PlanIn, request.data)
        user = request.user
        said["evaluation"] = _one(Evaluation.objects.visible_to(user), "evaluation", pk=said["evaluation"])
        people = Practitioner.objects.visible_to(user).select_related("user")
        said["practitioner"] = _one(people, "practitioner", pk=said["practitioner"])
        places = Location.objects.visible_to(user, "careplan.write")
        said["location"] = _one(places, "location", slug=said["location"])

        def act():
            return status.HTTP_201_CREATED, _plain(planning.draft(by=user, **said))

        code, body = once(request, act)
        return Response(body, status=code)

    @action(detail=True, methods=["post"])
    def consent(self, request, pk):
        given = _valid(ConsentIn, request.data)
        return self._answer(planning.sign_consent(self._get(pk), name=given["name"], by=request.user))

    @action(detail=True, methods=["post"])
    def activate(self, request, pk):
        _valid(NothingIn, request.data)
        return self._answer(planning.activate(self._get(pk), by=request.user))

    @action(detail=True, methods=["post"])
    def hold(self, request, pk):
        return self._step(request, pk, "hold")

    @action(detail=True, methods=["post"])
    def resume(self, request, pk):
        return self._step(request, pk, "resume")

    @action(detail=True, methods=["post"])
    def complete(self, request, pk):
        return self._step(request, pk, "complete")

    @action(detail=True, methods=["post"])
    def discontinue(self, request, pk):
        return self._step(request, pk, "discontinue")

    @action(detail=True, methods=["post"])
    def schedule(self, request, pk):
        """Put the first phase, or another, on the calendar; `owed` are the visits for which no time was found."""
        given = _valid(ScheduleIn, request.data)
        plan = self._get(pk)

        def act():
            placed = planning.schedule(plan, by=request.user, **given)
            return status.HTTP_200_OK, {
                "booked": VisitOut(placed.booked, many=True).data,
                "owed": VisitOut(placed.debts, many=True).data,
            }

        code, body = once(request, act)
        return Response(body, status=code)

    def _get(self, pk):
        return sight.find(self.get_queryset(), self.request.user, self.policies[self.action], int(pk))

    def _step(self, request, pk, name):
        given = _valid(ReasonIn, request.data)
        return self._answer(planning.take(name, self._get(pk), by=request.user, reason=given.get("reason", "")))

    def _answer(self, plan):
        return Response(PlanOut(plan).data)


def _plain(plan):
    """As JSON holds it, so that a repeat answers the very same."""
    return json.loads(JSONRenderer().render(PlanOut(plan).data))


ENDPOINTS = [("care-plans", CarePlans, "care-plan")]
