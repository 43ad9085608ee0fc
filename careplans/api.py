"""Endpoints for care plans."""

import json

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from appointments.recurring.patterns import FEWEST
from careplans import (
    agreement_page,
    discharging,
    plan_templates,
    planning,
    reevaluating,
    revising,
    safety_hold,
    unjudged,
)
from careplans.api_shapes import PlanOut, VisitOut, brief, version_in_full
from careplans.contents import MOST_GOALS, MOST_LINES, MOST_PHASES
from careplans.models import CarePlan, Discharge, PlanTemplate, Reevaluation
from careplans.template_api import PlanTemplates
from clinic import audit
from clinic.rest import IdField, LineField, StrictSerializer, TextField, TruthField, WholeField, once
from clinic.text import clean_note
from evaluations.models import Evaluation
from locations.models import Location, Practitioner
from patients import chart_opening, consenting, sight
from patients.consenting import Said
from patients.signatures import Signature


class PhaseIn(StrictSerializer):
    kind = LineField(max_length=15)
    visits_per_week = WholeField(min_value=1, max_value=7)
    every_weeks = WholeField(
        min_value=1, max_value=FEWEST, required=False, help_text="Over 1: one visit every so many weeks."
    )
    weeks = WholeField(min_value=1, max_value=52)


class GoalIn(StrictSerializer):
    """Without `baseline` it is what the evaluation found; without `target` it is the usual one from there."""

    metric = LineField(max_length=60)
    baseline = serializers.DecimalField(max_digits=7, decimal_places=2, required=False)
    target = serializers.DecimalField(max_digits=7, decimal_places=2, required=False)
    due_on = serializers.DateField()


class InterventionIn(StrictSerializer):
    code = LineField(max_length=40)
    dose = LineField(required=False, allow_blank=True)


class SaidIn(StrictSerializer):
    """What a plan says."""

    practitioner = IdField()
    location = LineField(max_length=50)
    starts_on = serializers.DateField()
    phases = PhaseIn(many=True, allow_empty=False, max_length=MOST_PHASES)
    goals = GoalIn(many=True, required=False, max_length=MOST_GOALS)
    interventions = InterventionIn(many=True, required=False, max_length=100)
    reevaluate_by = serializers.DateField(required=False, allow_null=True)
    reevaluate_after_visits = WholeField(min_value=1, required=False)
    note = TextField(max_length=5000, required=False, allow_blank=True, validators=[clean_note])
    diagnoses = serializers.ListField(child=LineField(), max_length=MOST_LINES, required=False)
    referrals = serializers.ListField(child=LineField(), max_length=MOST_LINES, required=False)


class PlanIn(SaidIn):
    evaluation = IdField()
    template = IdField(required=False, allow_null=True)


class ReviseIn(SaidIn):
    """All that the plan says from now on. `version` is the one that was read; `reason` is needed once it has begun."""

    version = WholeField(min_value=1, max_value=32767)
    reason = LineField(max_length=500, required=False, allow_blank=True)


class ReevaluateIn(StrictSerializer):
    """Judged by `evaluation`, a signed one after that of the plan; without it the latest that nobody judged."""

    evaluation = IdField(required=False)
    result = serializers.ChoiceField(Reevaluation.Result.choices)
    decision = serializers.ChoiceField(Reevaluation.Decision.choices)
    reason = LineField(max_length=500)


class DischargeIn(StrictSerializer):
    """Why, and how the patient is: `pgic` 1 to 7, without it as last said at an evaluation."""

    reason = serializers.ChoiceField(Discharge.Reason.choices)
    why = LineField(max_length=300, required=False, allow_blank=True)
    pgic = WholeField(min_value=1, max_value=7, required=False, allow_null=True)
    residual = TextField(max_length=2000, required=False, allow_blank=True)
    home = TextField(max_length=2000, required=False, allow_blank=True)
    return_if = TextField(max_length=2000)
    summary_to = LineField(required=False, allow_blank=True)


class NothingIn(StrictSerializer):
    pass


class ReasonIn(StrictSerializer):
    reason = LineField(required=False, allow_blank=True, max_length=500)


class ConsentIn(StrictSerializer):
    """The typed name alone is enough for an adult. The digests are those that `GET …/consent/` answered with."""

    name = LineField()
    signer = serializers.ChoiceField(["patient", "guardian"], default="patient")
    relationship = LineField(required=False, allow_blank=True, default="")
    authority_document = LineField(required=False, allow_blank=True, default="")
    assent = TruthField(required=False, allow_null=True, default=None)
    drawing = serializers.ListField(
        child=serializers.ListField(child=WholeField()), required=False, max_length=80, default=list
    )
    scopes = serializers.DictField(child=TruthField(), required=False, default=dict)
    risks = serializers.ListField(child=LineField(), required=False, max_length=20)
    questions_answered = TruthField(required=False)
    language = LineField(required=False, default="en")
    interpreter = LineField(required=False, allow_blank=True, default="")
    consent_digest = LineField(required=False, allow_blank=True, default="")
    plan_digest = LineField(required=False, allow_blank=True, default="")


class ScheduleIn(StrictSerializer):
    """`weekdays` count from Monday, 0; `at_time` is wall-clock at the plan's location; `phase` counts from 1."""

    weekdays = serializers.ListField(child=WholeField(min_value=0, max_value=6), allow_empty=False, max_length=7)
    at_time = serializers.TimeField(input_formats=["%H:%M", "%H:%M:%S"])
    phase = WholeField(min_value=1, max_value=MOST_PHASES, required=False)


def _one(queryset, field, **lookup):
    """The row in the user's scope, or a 400 that names the field: in a body, what is out of scope is unknown."""
    found = queryset.filter(**lookup).first()
    if found is None:
        raise ValidationError({field: ["There is none such."]})
    return found


def _who_and_where(said, user):
    people = Practitioner.objects.visible_to(user).select_related("user")
    places = Location.objects.visible_to(user, "careplan.write")
    return {
        "practitioner": _one(people, "practitioner", pk=said["practitioner"]),
        "location": _one(places, "location", slug=said["location"]),
    }


def _valid(serializer, data):
    given = serializer(data=data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class CarePlans(viewsets.GenericViewSet):
    policies = {
        "list": "careplan.read",
        "retrieve": "careplan.read",
        "consent": "careplan.read",
        "version": "careplan.read",
        **dict.fromkeys(["create", "revise", "sign_consent", "withdraw_consent", *planning.STEPS], "careplan.write"),
        **dict.fromkeys(["reevaluate", "discharge"], "careplan.write"),
        "schedule": "careplan.schedule",
    }
    takes = {
        "create": PlanIn,
        "revise": ReviseIn,
        "discharge": DischargeIn,
        "sign_consent": ConsentIn,
        "withdraw_consent": ReasonIn,
        "schedule": ScheduleIn,
        "reevaluate": ReevaluateIn,
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
        holds = safety_hold.of(page)
        return self.get_paginated_response([brief(plan, holds.get(plan.pk)) for plan in page])

    def retrieve(self, request, pk):
        plan = self._get(pk)
        chart_opening.record_read("care_plan.read", plan, by=request.user)
        return Response(PlanOut(plan).data)

    def create(self, request):
        """Draft a plan from a signed evaluation. A repeated `Idempotency-Key` returns the first answer."""
        said = _valid(PlanIn, request.data)
        user = request.user
        said["evaluation"] = _one(Evaluation.objects.visible_to(user), "evaluation", pk=said["evaluation"])
        said |= _who_and_where(said, user)
        if (template := said.pop("template", None)) is not None:
            found = _one(PlanTemplate.objects.filter(is_offered=True), "template", pk=template)
            said["made_from"] = plan_templates.latest(found)

        def act():
            return status.HTTP_201_CREATED, _plain(planning.draft(by=user, **said))

        code, body = once(request, act)
        return Response(body, status=code)

    @action(detail=True, methods=["post"])
    def revise(self, request, pk):
        """A new version in place of the one that was read; the old one stays readable. A draft, or a plan that runs:
        what took place or is booked stays. 409 `changed_meanwhile` says in `conflict` who changed what since.
        """
        said = _valid(ReviseIn, request.data)
        plan = self._get(pk)
        said |= _who_and_where(said, request.user)
        return self._answer(revising.revise(plan, seen=said.pop("version"), by=request.user, **said))

    @action(detail=True, methods=["get"])
    def consent(self, request, pk):
        """What is open to sign, word by word, with its digest; null where nothing is."""
        plan = self._get(pk)
        chart_opening.record_read("care_plan.read", plan, by=request.user)
        found = agreement_page.to_sign(plan)
        parts = {"consent": (found.consent, found.consent_digest), "plan": (found.plan, found.plan_digest)}
        return Response({name: said and {"document": said, "digest": digest} for name, (said, digest) in parts.items()})

    @consent.mapping.post
    def sign_consent(self, request, pk):
        """The patient signs what is open, beside the clinician whose request this is."""
        given = _valid(ConsentIn, request.data)
        shown = {name: given.pop(f"{name}_digest") for name in ("consent", "plan")}
        is_guardian = given.pop("signer") == "guardian"
        names = ("name", "relationship", "authority_document", "assent", "drawing")
        signature = Signature(is_guardian=is_guardian, **{name: given.pop(name) for name in names})
        signed = planning.sign_consent(
            self._get(pk), by=request.user, signature=signature, said=Said(**given), shown=shown
        )
        return self._answer(signed)

    @action(detail=True, methods=["post"], url_path="consent/withdraw")
    def withdraw_consent(self, request, pk):
        """The patient takes the informed consent back: from now on nothing manual is done and nothing placed."""
        given = _valid(ReasonIn, request.data)
        plan = self._get(pk)
        consenting.take_back(plan.patient, by=request.user, reason=given.get("reason", ""))
        return self._answer(plan)

    @action(detail=True, methods=["get"], url_path="versions/(?P<number>[0-9]{1,4})")
    def version(self, request, pk, number):
        """What the plan said as that version, word by word, who agreed to it, and what it had changed."""
        plan = self._get(pk)
        chart_opening.record_read("care_plan.read", plan, by=request.user)
        row = get_object_or_404(plan.versions.select_related("written_by", "plan"), number=int(number))
        return Response(version_in_full(row))

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
    def reevaluate(self, request, pk):
        """Record what a re-evaluation found and what follows: the decision is carried out with it, or nothing is."""
        given = _valid(ReevaluateIn, request.data)
        plan = self._get(pk)
        asked = given.pop("evaluation", None)
        if asked is None:
            evaluation = unjudged.latest(plan)
            if evaluation is None:
                raise ValidationError({"evaluation": ["No signed evaluation waits to be judged."]})
        else:
            evaluation = _one(Evaluation.objects.visible_to(request.user), "evaluation", pk=asked)
        reevaluating.record(plan, evaluation=evaluation, by=request.user, **given)
        return self._answer(self.get_queryset().get(pk=plan.pk))

    @action(detail=True, methods=["post"])
    def discharge(self, request, pk):
        """End the plan with its outcome: completed where goals are reached or nothing more is gained, else stopped."""
        given = _valid(DischargeIn, request.data)
        plan = self._get(pk)
        discharging.discharge(plan, by=request.user, **given)
        return self._answer(self.get_queryset().get(pk=plan.pk))

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


ENDPOINTS = [("care-plans", CarePlans, "care-plan"), ("plan-templates", PlanTemplates, "plan-template")]
