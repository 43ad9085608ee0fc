"""Endpoints for the plan templates of the group."""

from dataclasses import asdict

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from appointments.recurring.patterns import FEWEST
from careplans import plan_templates
from careplans.contents import MOST_GOALS, MOST_PHASES
from careplans.models import PlanTemplate
from clinic.rest import LineField, StrictSerializer, TextField, TruthField, WholeField
from clinic.text import clean_note
from evaluations.models import Evaluation
from patients import sight


class PhaseOfTemplate(StrictSerializer):
    kind = LineField(max_length=15)
    visits_per_week = WholeField(min_value=1, max_value=7)
    every_weeks = WholeField(
        min_value=1, max_value=FEWEST, required=False, help_text="Over 1: one visit every so many weeks."
    )
    weeks = WholeField(min_value=1, max_value=52)


class GoalOfTemplate(StrictSerializer):
    """`weeks` after the start it is due; the numbers come from the patient's evaluation."""

    metric = LineField(max_length=60)
    weeks = WholeField(min_value=1, max_value=plan_templates.MOST_GOAL_WEEKS)


class SketchIn(StrictSerializer):
    phases = PhaseOfTemplate(many=True, allow_empty=False, max_length=MOST_PHASES)
    goals = GoalOfTemplate(many=True, allow_empty=False, max_length=MOST_GOALS)
    interventions = serializers.ListField(child=LineField(max_length=40), required=False, max_length=100)
    reevaluate_after_visits = WholeField(min_value=1, max_value=12, required=False)
    reevaluate_after_days = WholeField(min_value=1, max_value=366, required=False)
    aim = LineField(required=False, allow_blank=True, max_length=500)
    note = TextField(max_length=5000, required=False, allow_blank=True, validators=[clean_note])

    def sketch(self) -> plan_templates.Sketch:
        said = {name: value for name, value in self.validated_data.items() if name not in {"name", "version"}}
        said |= {name: [dict(row) for row in said[name]] for name in ("phases", "goals")}
        return plan_templates.Sketch(**said)


class TemplateIn(SketchIn):
    name = LineField(max_length=100)


class ChangeIn(SketchIn):
    """`version` is the one that was read."""

    version = WholeField(min_value=1)


class TemplateOfferIn(StrictSerializer):
    is_offered = TruthField()


def shown(template):
    version = plan_templates.latest(template)
    return {
        "id": template.pk,
        "name": template.name,
        "is_offered": template.is_offered,
        "version": version.number,
        "written_at": version.written_at,
        **asdict(plan_templates.sketch_of(version)),
    }


class PlanTemplates(viewsets.GenericViewSet):
    policies = {
        **dict.fromkeys(["list", "retrieve"], "plan_template.read"),
        **dict.fromkeys(["create", "update", "offer"], "plan_template.change"),
        "proposal": "careplan.write",
    }
    takes = {"create": TemplateIn, "update": ChangeIn, "offer": TemplateOfferIn}
    lookup_value_regex = "[0-9]{1,18}"
    queryset = PlanTemplate.objects.all()

    def list(self, request):
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([shown(template) for template in page])

    def retrieve(self, request, pk):
        return Response(shown(self._get(pk)))

    def create(self, request):
        given = TemplateIn(data=request.data)
        given.is_valid(raise_exception=True)
        made = plan_templates.create(given.validated_data["name"], given.sketch(), by=request.user)
        return Response(shown(made), status=status.HTTP_201_CREATED)

    def update(self, request, pk):
        """A new version. Plans made from the template stay as they are."""
        given = ChangeIn(data=request.data)
        given.is_valid(raise_exception=True)
        template = self._get(pk)
        plan_templates.change(template, given.sketch(), version=given.validated_data["version"], by=request.user)
        return Response(shown(template))

    @action(detail=True, methods=["post"])
    def offer(self, request, pk):
        given = TemplateOfferIn(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(
            shown(plan_templates.offer(self._get(pk), yes=given.validated_data["is_offered"], by=request.user))
        )

    @extend_schema(parameters=[OpenApiParameter("evaluation", OpenApiTypes.INT64, required=True)])
    @action(detail=True, methods=["get"])
    def proposal(self, request, pk):
        """What a plan from the template would say for the patient of a signed evaluation: the body of a new care plan
        but for practitioner and location. `left_out` is what a restriction of the patient forbids.
        """
        asked = request.query_params.get("evaluation", "")
        if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
            raise ValidationError({"evaluation": ["Give the id of an evaluation."]})
        rows = Evaluation.objects.select_related("patient", "location")
        evaluation = sight.find(rows, request.user, "careplan.write", int(asked))
        version = plan_templates.latest(self._get(pk))
        found = plan_templates.proposal(version, evaluation, starts_on=evaluation.location.today())
        return Response({**found.said, "template": version.template_id, "left_out": found.left_out})

    def _get(self, pk):
        return get_object_or_404(PlanTemplate, pk=int(pk))
