"""Endpoints for care plans."""

import json

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from appointments.recurring import standing
from appointments.recurring.patterns import FEWEST
from careplans import (
    agreement_page,
    blocks,
    discharging,
    goals,
    plan_templates,
    planning,
    progress,
    reevaluating,
    revising,
    safety_hold,
    unjudged,
)
from careplans.contents import MOST_GOALS, MOST_LINES, MOST_PHASES
from careplans.models import Agreement, CarePlan, Discharge, PlanTemplate, Reevaluation
from careplans.template_api import PlanTemplates
from clinic import audit, times
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
    """A care plan as the API shows it; `blocks` say why it may not become active, or not go on."""

    def to_representation(self, plan):
        visits = {}
        for one in standing.of(plan.series) if plan.series else ():
            visits.setdefault(one.visit.stretch, []).append(VisitOut(one).data)
        return {
            **brief(plan, safety_hold.of_plan(plan)),
            "reevaluate_after_visits": plan.reevaluate_after_visits,
            "version": plan.version,
            "consent": _consent(plan),
            "agreement": _agreement(plan),
            "note": plan.note,
            "diagnoses": plan.diagnoses,
            "referrals": plan.referrals,
            "discharge": _discharge(plan),
            "template": plan.made_from and {"id": plan.made_from.template_id, "version": plan.made_from.number},
            "phases": [
                {
                    "kind": phase.kind,
                    "visits_per_week": phase.visits_per_week,
                    "every_weeks": phase.every_weeks,
                    "weeks": phase.weeks,
                    "visits": visits.get(phase.order, []),
                }
                for phase in plan.phases.all()
            ],
            "goals": _goals(plan),
            "progress": _progress(plan),
            "interventions": list(plan.interventions.values("code", "dose")),
            "blocks": [{"code": b.code, "detail": b.message} for b in blocks.now(plan)],
            "next_steps": planning.allowed(plan),
            "reevaluations": [_reevaluation(one) for one in plan.reevaluations.all()],
        }


def _consent(plan):
    """The patient's latest informed consent; `signed_at` is null for one that a chart file brought."""
    form = consenting.latest(plan.patient)
    return form and {
        "name": form.signer,
        "signed_on": form.signed_on,
        "signed_at": form.signed_at,
        "version": form.document_version,
        "covers_thrust": form.covers_thrust,
        "withdrawn_at": form.withdrawn_at,
    }


def _agreement(plan):
    """The signature under this version of the plan."""
    signed = Agreement.objects.filter(version__plan=plan, version__number=plan.version).first()
    return signed and {"name": signed.typed_name, "signed_at": signed.signed_at, "digest": signed.digest}


def _discharge(plan):
    """Null until somebody was discharged; `measures` are the goals as they were last measured."""
    one = Discharge.objects.filter(plan=plan).first()
    names = ("reason", "why", "measures", "pgic", "residual", "home", "return_if", "summary_to", "at")
    return one and {name: getattr(one, name) for name in names}


def _reevaluation(one):
    """`proposed` is what the table said, null where data were missing; `evidence` the data that were there."""
    return {
        "evaluation": one.evaluation_id,
        "at": one.at,
        "proposed": one.proposed or None,
        "result": one.result,
        "decision": one.decision,
        "reason": one.reason,
        "evidence": one.evidence,
    }


def _progress(plan):
    """Null before the plan has visits; `pace` is on_pace, behind or lost, and null while the plan does not run.

    `reevaluation_stops_more`: it is so long overdue that the plan gets no further visits.
    """
    found = progress.of_plan(plan)
    return found and {
        **{
            name: getattr(found.visits, name)
            for name in ("planned", "fulfilled", "booked", "owed", "overdue", "missed")
        },
        "next_on": found.visits.next_on,
        "reevaluation_due_on": found.checkpoint.due_on,
        "reevaluation_visits_left": found.checkpoint.visits_left,
        "reevaluation_stops_more": found.checkpoint.stops_more,
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


def brief(plan, hold):
    """`status` is `on_hold` also while a red flag holds the plan up; `safety_hold` then says since when and why."""
    return {
        "id": plan.pk,
        "status": CarePlan.Status.ON_HOLD if hold else plan.status,
        "safety_hold": hold and {"since": _local(hold.since, plan), "because": list(hold.because)},
        "patient": {"id": plan.patient_id, "name": plan.patient.name},
        "evaluation": plan.evaluation_id,
        "practitioner": {"id": plan.practitioner_id, "name": plan.practitioner.name},
        "location": {"slug": plan.location.slug, "name": plan.location.name},
        "starts_on": plan.starts_on,
        "reevaluate_by": plan.reevaluate_by,
        "series": plan.series_id,
    }


def _local(moment, plan):
    return times.local(moment, plan.location.time_zone).isoformat()


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
        **dict.fromkeys(["create", "revise", "sign_consent", *planning.STEPS], "careplan.write"),
        **dict.fromkeys(["reevaluate", "discharge"], "careplan.write"),
        "schedule": "careplan.schedule",
    }
    takes = {
        "create": PlanIn,
        "revise": ReviseIn,
        "discharge": DischargeIn,
        "sign_consent": ConsentIn,
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
