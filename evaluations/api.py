from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from appointments.models import Appointment
from clinic import audit, rest
from clinic.api_defaults import Pages
from clinic.errors import RuleBroken
from evaluations import finding_rows, recording, signing, summary, withdrawing
from evaluations.api_shapes import (
    AddendumSerializer,
    FilterSerializer,
    SignSerializer,
    WithdrawalSerializer,
    addenda,
    instant,
    to_sign,
    withdrawal,
)
from evaluations.intake import history_taking, intake_page
from evaluations.models import Evaluation
from evaluations.notes import note_api
from evaluations.safety import incident_api, red_flags
from locations import access
from patients import chart_opening, sight
from patients.models import Patient


class StartSerializer(rest.StrictSerializer):
    patient = rest.IdField()
    appointment = rest.IdField(required=False, allow_null=True)


class SaveSerializer(rest.StrictSerializer):
    # The rule checks each finding, so that the page, the import and the API get the same sentences.
    version = serializers.JSONField()
    findings = serializers.JSONField(required=False)
    operation = serializers.JSONField(required=False)
    red_flags = serializers.JSONField(required=False)
    section_seconds = serializers.JSONField(required=False)
    measures = serializers.JSONField(required=False)
    conclusion = serializers.JSONField(required=False)


class IntakeSerializer(rest.StrictSerializer):
    version = rest.WholeField(min_value=0, max_value=2**31 - 1)
    answers = serializers.JSONField()


def as_line(evaluation):
    """An evaluation in a list: everything but its findings."""
    zone = evaluation.location.time_zone
    return {
        "id": evaluation.pk,
        "patient": evaluation.patient_id,
        "appointment": evaluation.appointment_id,
        "location": evaluation.location.slug,
        "kind": evaluation.kind,
        "status": evaluation.standing,
        "version": evaluation.version,
        "started_at": instant(evaluation.started_at, zone),
        "time_zone": zone,
        "started_by": str(evaluation.started_by),
        "signed_at": instant(evaluation.signed_at, zone),
        "signed_by": str(evaluation.signed_by) if evaluation.signed_by else None,
        "digest": evaluation.digest,
        "entered_in_error": withdrawal(evaluation),
        "section_seconds": evaluation.section_seconds,
        "measures": evaluation.measures,
        "conclusion": evaluation.conclusion,
    }


def as_json(evaluation):
    return {
        **as_line(evaluation),
        "findings": [finding_rows.as_sent(f) for f in evaluation.findings.all()],
        "red_flags": red_flags.answers_of(evaluation),
        "open_red_flags": [event.code for event in red_flags.open_events(evaluation.patient)],
        "addenda": addenda(evaluation),
    }


class EvaluationViewSet(viewsets.GenericViewSet):
    """Evaluations: begun, saved finding by finding, signed, added to."""

    policies = {
        "list": "evaluation.read",
        "create": "evaluation.write",
        "retrieve": "evaluation.read",
        "partial_update": "evaluation.write",
        "summary": "evaluation.read",
        "intake": "evaluation.read",
        "confirm_intake": "evaluation.write",
        "sign": "evaluation.sign",
        "addenda": "evaluation.amend",
        "entered_in_error": "evaluation.write",
    }
    pagination_class = Pages
    takes = {
        "create": StartSerializer,
        "partial_update": SaveSerializer,
        "confirm_intake": IntakeSerializer,
        "sign": SignSerializer,
        "addenda": AddendumSerializer,
        "entered_in_error": WithdrawalSerializer,
    }
    lookup_value_regex = r"[0-9]{1,18}"

    def get_queryset(self):
        return Evaluation.objects.select_related("patient", "location", "started_by", "signed_by", "withdrawal__by")

    def _find(self, pk):
        return sight.find(self.get_queryset(), self.request.user, self.policies[self.action], int(pk))

    @extend_schema(parameters=[OpenApiParameter("patient", OpenApiTypes.INT64)])
    def list(self, request):
        wanted = FilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        rows = self.get_queryset().visible_to(request.user)
        if "patient" in wanted.validated_data:
            rows = rows.filter(patient=wanted.validated_data["patient"])
        page = self.paginate_queryset(rows)
        audit.record_all("evaluation.listed", page, by=request.user)
        return self.get_paginated_response([as_line(e) for e in page])

    def create(self, request):
        sent = StartSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        status, body = rest.once(request, lambda: (201, as_json(begin(request.user, **sent.validated_data))))
        return Response(body, status=status)

    def retrieve(self, request, pk):
        evaluation = self._find(pk)
        chart_opening.record_read("evaluation.viewed", evaluation, by=request.user)
        return Response(as_json(evaluation))

    def partial_update(self, request, pk):
        sent = SaveSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        data = dict(sent.validated_data)
        answer = recording.save(  # which asks whether this user may, once and with the row locked
            Evaluation(pk=int(pk)),
            findings=data.pop("findings", []),
            answers=data.pop("red_flags", None),
            outcomes=data.pop("measures", None),
            by=request.user,
            **data,
        )
        return Response(answer)

    @action(detail=True)
    def summary(self, request, pk):
        evaluation = self._find(pk)
        chart_opening.record_read("evaluation.viewed", evaluation, by=request.user)
        return Response(summary.of(evaluation))

    @action(detail=True)
    def intake(self, request, pk):
        """The patient's answers and what follows from them; of a signed evaluation those it was signed with."""
        evaluation = self._find(pk)
        chart_opening.record_read("intake.viewed", evaluation, by=request.user)
        return Response(intake_page.as_json(evaluation))

    @intake.mapping.put
    def confirm_intake(self, request, pk):
        """Keep answers beside those given before, and confirm all of them for this evaluation."""
        sent = IntakeSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        evaluation = self._find(pk)
        history_taking.confirm(evaluation, **sent.validated_data, by=request.user)
        return Response(intake_page.as_json(evaluation))

    @action(detail=True, methods=["post"])
    def sign(self, request, pk):
        """Sign. In a browser session the password must have been asked again lately; a token is proof by itself."""
        return Response(as_json(signing.sign(self._find(pk), **to_sign(request), by=request.user)))

    @action(detail=True, methods=["post"])
    def addenda(self, request, pk):
        sent = AddendumSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        evaluation = self._find(pk)
        signing.add(evaluation, **sent.validated_data, by=request.user)
        return Response(as_json(evaluation), status=201)

    @action(detail=True, methods=["post"], url_path="entered-in-error")
    def entered_in_error(self, request, pk):
        """Declare it entered in error, for good: it counts for nothing, and stays to be read."""
        sent = WithdrawalSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        withdrawing.withdraw(self._find(pk), **sent.validated_data, by=request.user)
        return Response(as_json(self._find(pk)))


def begin(user, *, patient, appointment=None):
    """Start an evaluation of a patient the user may examine; the place is the visit's or where the patient is known."""
    visible = Patient.objects.visible_to(user, "evaluation.write").select_related("home_location")
    patient = get_object_or_404(visible, pk=patient)
    visit = None
    if appointment is not None:
        visits = Appointment.objects.visible_to(user).select_related("location")
        visit = get_object_or_404(visits, pk=appointment)
    location = visit.location if visit else place_for(user, patient)
    access.require(user, "evaluation.write", location)
    return recording.start(patient=patient, location=location, appointment=visit, by=user)


def place_for(user, patient, preferred=None):
    """Where the examination happens: the preferred place if the user examines there, else one of the patient's."""
    candidates = [preferred, patient.home_location, *patient.locations.all()]
    for place in candidates:
        if place is not None and access.can(user, "evaluation.write", place):
            return place
    raise RuleBroken("You do not examine at any of the patient's locations.", code="other_location", status=403)


ENDPOINTS = [
    ("evaluations", EvaluationViewSet, "evaluation"),
    ("visit-notes", note_api.VisitNoteViewSet, "note"),
    ("incidents", incident_api.IncidentViewSet, "incident"),
]
