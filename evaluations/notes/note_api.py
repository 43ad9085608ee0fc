from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from clinic import audit, rest
from clinic.api_defaults import Pages
from evaluations.api_shapes import FilterSerializer, NoteAddendumSerializer, SignSerializer, addenda, instant, to_sign
from evaluations.models import VisitNote
from evaluations.notes import note_facts, note_page, note_signing, note_views, visit_notes
from evaluations.safety import red_flags
from patients import chart_opening, sight


class NoteStartSerializer(rest.StrictSerializer):
    appointment = rest.IdField()


class NoteSaveSerializer(rest.StrictSerializer):
    # The rule checks each field, so that the page and the API get the same sentences.
    version = serializers.JSONField()
    content = serializers.JSONField(required=False)
    operation = serializers.JSONField(required=False)


def as_line(note):
    """A note in a list."""
    zone = note.location.time_zone
    return {
        "id": note.pk,
        "patient": note.patient_id,
        "appointment": note.appointment_id,
        "location": note.location.slug,
        "visit_starts_at": instant(note.appointment.starts_at, zone),
        "visit_ends_at": instant(note.appointment.ends_at, zone),
        "time_zone": zone,
        "practitioner": str(note.appointment.practitioner),
        "version": note.version,
        "started_at": instant(note.started_at, zone),
        "started_by": str(note.started_by),
        "signed_at": instant(note.signed_at, zone),
        "signed_by": str(note.signed_by) if note.signed_by else None,
        "digest": note.digest,
        "content": note.content,
    }


def as_json(note):
    last = visit_notes.last_signed(note)
    suggested = {} if note.is_signed else note_page.suggestions(note, last)
    return {
        **as_line(note),
        "last": last.pk if last else None,
        "suggested": {code: {"value": one.value, "source": one.source} for code, one in suggested.items()},
        "missing": [
            {"field": one.part, "text": one.text, "blocks": one.blocks}
            for one in ([] if note.is_signed else note_signing.missing(note))
        ],
        "facts": note.facts if note.is_signed else note_facts.of(note, last),
        "open_red_flags": [event.code for event in red_flags.open_events(note.patient)],
        "addenda": addenda(note),
    }


class VisitNoteViewSet(viewsets.GenericViewSet):
    """Notes of visits: begun, saved field by field, signed, added to."""

    policies = {
        "list": "evaluation.read",
        "create": "evaluation.write",
        "retrieve": "evaluation.read",
        "partial_update": "evaluation.write",
        "sign": "evaluation.sign",
        "addenda": "evaluation.amend",
    }
    pagination_class = Pages
    takes = {
        "create": NoteStartSerializer,
        "partial_update": NoteSaveSerializer,
        "sign": SignSerializer,
        "addenda": NoteAddendumSerializer,
    }
    lookup_value_regex = r"[0-9]{1,18}"

    def get_queryset(self):
        return note_views.rows()

    def _find(self, pk):
        return sight.find(self.get_queryset(), self.request.user, self.policies[self.action], int(pk))

    @extend_schema(parameters=[OpenApiParameter("patient", OpenApiTypes.INT64)])
    def list(self, request):
        wanted = FilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        found = self.get_queryset().visible_to(request.user)
        if "patient" in wanted.validated_data:
            found = found.filter(patient=wanted.validated_data["patient"])
        page = self.paginate_queryset(found)
        audit.record_all("visit_note.listed", page, by=request.user)
        return self.get_paginated_response([as_line(one) for one in page])

    def create(self, request):
        sent = NoteStartSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        status, body = rest.once(request, lambda: (201, self._begun(sent.validated_data["appointment"])))
        return Response(body, status=status)

    def _begun(self, appointment):
        return as_json(self.get_queryset().get(pk=note_views.begin(self.request.user, appointment).pk))

    def retrieve(self, request, pk):
        note = self._find(pk)
        chart_opening.record_read("visit_note.viewed", note, by=request.user)
        return Response(as_json(note))

    def partial_update(self, request, pk):
        sent = NoteSaveSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        data = dict(sent.validated_data)
        # The rule asks whether this user may, once and with the row locked.
        answer = visit_notes.save(VisitNote(pk=int(pk)), content=data.pop("content", {}), by=request.user, **data)
        return Response(answer)

    @action(detail=True, methods=["post"])
    def sign(self, request, pk):
        """Sign. In a browser session the password must have been asked again lately; a token is proof by itself."""
        return Response(as_json(note_signing.sign(self._find(pk), **to_sign(request), by=request.user)))

    @action(detail=True, methods=["post"])
    def addenda(self, request, pk):
        sent = NoteAddendumSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        note = self._find(pk)
        note_signing.add(note, **sent.validated_data, by=request.user)
        return Response(as_json(note), status=201)
