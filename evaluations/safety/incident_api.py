"""Endpoints for incidents: what waits to be looked into, one of them with its steps, and the next step. An incident is
opened by the note that says so, or by what is added to it (`serious_reaction`).
"""

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from clinic import audit, rest
from clinic.api_defaults import Pages
from evaluations.api_shapes import instant
from evaluations.models import Incident
from evaluations.notes import note_signing
from evaluations.safety import incident_views, incidents


class IncidentFilterSerializer(serializers.Serializer):
    status = serializers.ChoiceField(Incident.Status.choices, required=False)
    patient = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


class StepSerializer(rest.StrictSerializer):
    step = serializers.ChoiceField([(name, label) for name, (label, _, _) in incidents.STEPS.items()])
    # The rule checks it, so that the page and the API get the same sentences.
    text = serializers.JSONField(required=False, help_text="Needed for all but looking into it. Kept for good.")


def as_line(incident):
    """An incident in a list."""
    zone = incident.location.time_zone
    return {
        "id": incident.pk,
        "patient": incident.patient_id,
        "note": incident.note_id,
        "location": incident.location.slug,
        "practitioner": str(incident.note.appointment.practitioner),
        "status": incident.status,
        "opened_at": instant(incident.opened_at, zone),
        "opened_by": str(incident.opened_by),
        "time_zone": zone,
    }


def as_json(incident, user):
    """With what the note says of the reaction, what was done about it, and the steps that this person may take."""
    zone, said = incident.location.time_zone, incident.note.content
    return {
        **as_line(incident),
        "told": {code: said.get(code) for code in ("reaction", *note_signing.OF_A_REACTION)},
        "steps": [
            {"step": one.step, "status": one.to_status, "text": one.text, "by": str(one.by),
             "at": instant(one.at, zone)}
            for one in incident.steps.select_related("by")
        ],
        "next_steps": [name for name, *_ in incidents.steps_for(incident, user)],
    }  # fmt: skip


class IncidentViewSet(viewsets.GenericViewSet):
    """Serious reactions to treatment: looked into until they are closed, and kept."""

    policies = {"list": "incident.read", "retrieve": "incident.read", "steps": "incident.change"}
    takes = {"steps": StepSerializer}
    pagination_class = Pages
    lookup_value_regex = r"[0-9]{1,18}"

    def get_queryset(self):
        return incident_views.rows()

    def _find(self, pk):
        found = self.get_queryset().visible_to(self.request.user).filter(pk=int(pk)).first()
        if found is None:
            raise Http404
        return found

    @extend_schema(
        parameters=[
            OpenApiParameter("status", OpenApiTypes.STR, enum=Incident.Status.values),
            OpenApiParameter("patient", OpenApiTypes.INT64),
        ]
    )
    def list(self, request):
        """The newest first, closed ones too unless `status` says otherwise."""
        wanted = IncidentFilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        page = self.paginate_queryset(self.get_queryset().visible_to(request.user).filter(**wanted.validated_data))
        audit.record_all("incident.listed", page, by=request.user)
        return self.get_paginated_response([as_line(one) for one in page])

    def retrieve(self, request, pk):
        found = self._find(pk)
        audit.record("incident.viewed", on=found, by=request.user)
        return Response(as_json(found, request.user))

    @action(detail=True, methods=["post"])
    def steps(self, request, pk):
        """Look into it, add a remark, close it, or open it again."""
        sent = StepSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        found = self._find(pk)
        data = sent.validated_data
        incidents.take(data["step"], found, by=request.user, text=data.get("text", ""))
        return Response(as_json(self._find(pk), request.user), status=201)
