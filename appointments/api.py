"""Endpoints for types, availability and appointments."""

from datetime import date

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from appointments import availability, marks, promised, visit_status
from appointments.api_shapes import DayField, named_id, one, valid
from appointments.mails import reminders_api
from appointments.models import Appointment, AppointmentEvent, AppointmentType
from appointments.moving import moves_api
from appointments.recurring import series_api
from appointments.timetable import closures_api, hours_api
from appointments.visit_json import AppointmentOut
from appointments.waiting import waitlist_api
from clinic.rest import IdField, InstantField, LineField, StrictSerializer, once
from locations import nearby
from locations.models import Location, Practitioner, Room
from patients.models import Patient


class AppointmentTypeOut(serializers.ModelSerializer):
    class Meta:
        model = AppointmentType
        fields = [
            "slug", "name", "name_es", "minutes", "least_minutes", "most_minutes", "room_kind", "is_bookable_online",
        ]  # fmt: skip


class EventOut(serializers.ModelSerializer):
    by = serializers.CharField(source="by_whom")

    undid = serializers.IntegerField(help_text="The step that this one took back.")
    overridden = serializers.ListField(child=serializers.CharField(), help_text="What was overridden.")
    override_reason = serializers.CharField(help_text="Why it was overridden.")

    class Meta:
        model = AppointmentEvent
        fields = ["id", "step", "at", "by", "from_status", "to_status", "from_start", "to_start", "reason", "undid",
                  "overridden", "override_reason"]  # fmt: skip


class BookIn(StrictSerializer):
    patient = IdField()
    practitioner = IdField()
    location = LineField()
    type = LineField()
    starts_at = InstantField()
    minutes = serializers.IntegerField(min_value=5, max_value=480, required=False)
    room = IdField(required=False, help_text="Of that location; else one that is free.")
    override_reason = LineField(required=False, max_length=500)


class SeenIn(serializers.IntegerField):
    """The version of a visit that somebody decided by."""

    def __init__(self):
        told = "The `sequence` that was seen; where it is another by now, a 409 says where the visit is."
        super().__init__(min_value=0, max_value=2**31 - 1, required=False, help_text=told)


class MoveIn(StrictSerializer):
    starts_at = InstantField()
    expected_start = InstantField(
        required=False, help_text="The start that was seen; where it is another by now, a 409 says where the visit is."
    )
    expected_sequence = SeenIn()
    practitioner = IdField(required=False)
    location = LineField(required=False)
    minutes = serializers.IntegerField(min_value=5, max_value=480, required=False)
    room = IdField(required=False)
    reason = LineField(required=False, max_length=500)
    override_reason = LineField(required=False, max_length=500)


class StepIn(StrictSerializer):
    reason = LineField(required=False, allow_blank=True, max_length=500)
    expected_sequence = SeenIn()


class UndoIn(StrictSerializer):
    event = IdField(required=False, help_text="The step that was seen as the last; another one by now is a 409.")


class OfDay(serializers.Serializer):
    date = DayField()


_ASKED = {"type", "from", "to", "limit", "minutes"}


class AvailabilityIn(serializers.Serializer):
    type = serializers.CharField(max_length=50)
    from_ = serializers.DateField()
    to = serializers.DateField()
    limit = serializers.IntegerField(min_value=1, max_value=500, default=20)
    minutes = serializers.IntegerField(min_value=5, max_value=480, required=False)


class AppointmentTypes(mixins.ListModelMixin, viewsets.GenericViewSet):
    policies = {"list": "availability.read"}
    queryset = AppointmentType.objects.all()
    serializer_class = AppointmentTypeOut


class Availability(viewsets.ViewSet):
    policies = {"list": "availability.read"}

    @extend_schema(
        parameters=[
            OpenApiParameter("type", required=True, description="Slug of an appointment type."),
            OpenApiParameter("from", OpenApiTypes.DATE, required=True, description="Local date, included."),
            OpenApiParameter("to", OpenApiTypes.DATE, required=True, description="Local date, included."),
            OpenApiParameter("location", many=True, description="Slug; may be repeated. Every one in sight."),
            OpenApiParameter("near", description="Id or slug of a location, with `within`; instead of `location`."),
            OpenApiParameter(
                "within", OpenApiTypes.INT, description="Minutes on the way from `near`, itself included."
            ),
            OpenApiParameter("practitioner", OpenApiTypes.INT64, many=True, description="Id; may be repeated."),
            OpenApiParameter(
                "minutes", OpenApiTypes.INT, description="Within the range of the type; its usual length."
            ),
            OpenApiParameter("patient", OpenApiTypes.INT64, description="Leaves out what meets a visit of theirs."),
            OpenApiParameter("limit", OpenApiTypes.INT, description="At most 500; 20."),
            OpenApiParameter("after", description="`next_after` of an answer, to go on there; or an instant."),
        ]
    )
    def list(self, request):
        """Free slots of a type in order of start; `location` and `practitioner` may be repeated.

        `near` and `within` ask all locations in sight that one can be reached from in so many minutes. When there is
        more, `next_after` asked as `after` goes on exactly behind the last slot, with all else the same; `next_from` is
        the first local day that was not listed to its end. Both are null when all was listed.
        """
        given = request.query_params
        known = {
            "type",
            "location",
            "near",
            "within",
            "practitioner",
            "from",
            "to",
            "minutes",
            "patient",
            "limit",
            "after",
        }
        if unknown := sorted(set(given) - known):
            raise ValidationError({name: ["Unknown parameter."] for name in unknown})
        asked = {"from_" if name == "from" else name: given[name] for name in given if name in _ASKED}
        question = AvailabilityIn(data=asked)
        if not question.is_valid():
            raise ValidationError({name.rstrip("_"): errors for name, errors in question.errors.items()})
        asked = question.validated_data
        kind = one(AppointmentType.objects, "type", slug=asked["type"])
        places = self._near(request) or self._locations(request, given.getlist("location"))
        people = self._practitioners(request, given.getlist("practitioner"))
        found = availability.find(
            type=kind,
            locations=places,
            practitioners=people,
            from_day=asked["from_"],
            to_day=asked["to"],
            limit=asked["limit"],
            after=marks.read(given["after"]) if "after" in given else None,
            minutes=asked.get("minutes"),
            patient=self._patient(request),
        )
        next_from = found.next_from.isoformat() if isinstance(found.next_from, date) else None
        next_after = str(found.next_after) if found.next_after else None
        slots = [slot.as_json() for slot in found.slots]
        return Response({"slots": slots, "next_from": next_from, "next_after": next_after})

    def _locations(self, request, slugs):
        mine = {place.slug: place for place in Location.objects.visible_to(request.user, "availability.read")}
        if unknown := [slug for slug in slugs if slug not in mine]:
            raise ValidationError({"location": [f"There is no location “{unknown[0][:50]}”."]})
        return [mine[slug] for slug in slugs] if slugs else list(mine.values())

    def _patient(self, request):
        patient = named_id(request, "patient")
        return None if patient is None else one(Patient.objects.visible_to(request.user), "patient", pk=patient)

    def _near(self, request):
        """The locations near one, where that is asked."""
        near, minutes = (request.query_params.get(name) for name in ("near", "within"))
        if near is None and minutes is None:
            return None
        if near is None or minutes is None:
            raise ValidationError({"near" if near is None else "within": ["`near` and `within` go together."]})
        if "location" in request.query_params:
            raise ValidationError({"location": ["Name locations, or ask for those near one."]})
        if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 5):
            raise ValidationError({"within": ["Give a whole number of minutes."]})
        mine = Location.objects.visible_to(request.user, "availability.read").filter(is_open=True)
        by_id = near.isascii() and near.isdigit() and len(near) < 19
        return nearby.within(int(minutes), one(mine, "near", **({"pk": int(near)} if by_id else {"slug": near})), mine)

    def _practitioners(self, request, ids):
        if not ids:
            return None
        if not all(i.isascii() and i.isdigit() and len(i) < 19 for i in ids):
            raise ValidationError({"practitioner": ["Give the id of a practitioner."]})
        found = list(Practitioner.objects.visible_to(request.user).filter(pk__in=[int(i) for i in ids]))
        if len(found) != len(set(ids)):
            raise ValidationError({"practitioner": ["There is none such."]})
        return found


class Appointments(viewsets.GenericViewSet):
    policies = {
        "list": "appointment.read",
        "retrieve": "appointment.read",
        "events": "appointment.read",
        "create": "appointment.create",
        "reschedule": "appointment.change",
        "undo": "appointment.change",
        **{name.replace("-", "_"): "appointment.change" for name in visit_status.STEPS},
    }
    takes = {
        "create": BookIn,
        "reschedule": MoveIn,
        "undo": UndoIn,
        **{name.replace("-", "_"): StepIn for name in visit_status.STEPS},
    }
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self):
        return Appointment.objects.visible_to(self.request.user).with_names()

    @extend_schema(
        parameters=[
            OpenApiParameter("location", description="Slug."),
            OpenApiParameter("date", OpenApiTypes.DATE, description="A day of that location."),
            OpenApiParameter("patient", OpenApiTypes.INT64),
        ]
    )
    def list(self, request):
        """Appointments of a local day at a location (`?location=&date=`), or of a patient (`?patient=`)."""
        given, rows = request.query_params, self.get_queryset()
        if slug := given.get("location"):
            place = one(Location.objects.visible_to(request.user), "location", slug=slug)
            rows = rows.at(place)
            if day := given.get("date"):
                rows = rows.on(valid(OfDay, {"date": day})["date"], place.time_zone)
        elif given.get("date"):
            raise ValidationError({"location": ["A date needs the location whose day it is."]})
        if (patient := named_id(request, "patient")) is not None:
            rows = rows.filter(patient=patient)
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(AppointmentOut(page, many=True).data)

    def retrieve(self, request, pk):
        return Response(AppointmentOut(self._get(pk)).data)

    def create(self, request):
        """Book. Send an `Idempotency-Key` and a repeat returns the first answer instead of booking again."""
        given = BookIn(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        user = request.user
        wanted["patient"] = one(Patient.objects.visible_to(user), "patient", pk=wanted["patient"])
        wanted["practitioner"] = one(
            Practitioner.objects.select_related("user"), "practitioner", pk=wanted["practitioner"]
        )
        wanted["location"] = one(
            Location.objects.visible_to(user, "appointment.create"), "location", slug=wanted["location"]
        )
        wanted["type"] = one(AppointmentType.objects, "type", slug=wanted["type"])
        wanted |= _room(wanted, wanted["location"])

        def act():
            visit = promised.book(by=user, **wanted)
            return status.HTTP_201_CREATED, AppointmentOut(visit).data

        code, body = once(request, act)
        return Response(body, status=code)

    @action(detail=True, methods=["post"])
    def reschedule(self, request, pk):
        """Move, or make longer or shorter. `Idempotency-Key` as for booking."""
        visit = self._get(pk)
        given = MoveIn(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        if "practitioner" in wanted:
            people = Practitioner.objects.select_related("user")
            wanted["practitioner"] = one(people, "practitioner", pk=wanted["practitioner"])
        if "location" in wanted:
            places = Location.objects.visible_to(request.user, "appointment.change")
            wanted["location"] = one(places, "location", slug=wanted["location"])
        wanted |= _room(wanted, wanted.get("location", visit.location))

        def act():
            return status.HTTP_200_OK, AppointmentOut(promised.reschedule(visit, by=request.user, **wanted)).data

        code, body = once(request, act)
        return Response(body, status=code)

    @action(detail=True, methods=["post"])
    def undo(self, request, pk):
        """Take back the last step, a wrong click; a cancelled or moved visit gets its time again if that is free."""
        visit = self._get(pk)
        given = UndoIn(data=request.data)
        given.is_valid(raise_exception=True)
        visit_status.undo(visit, by=request.user, expected=given.validated_data.get("event"))
        return Response(AppointmentOut(self._get(pk)).data)

    @action(detail=True, methods=["get"])
    def events(self, request, pk):
        """The history of an appointment, oldest first; instants in UTC."""
        return Response(EventOut(self._get(pk).history.all(), many=True).data)

    def _get(self, pk):
        return get_object_or_404(self.get_queryset(), pk=pk)

    def _step(self, request, pk, name):
        given = StepIn(data=request.data)
        given.is_valid(raise_exception=True)
        visit = visit_status.take(name, self._get(pk), by=request.user, **given.validated_data)
        return Response(AppointmentOut(visit).data)


def _room(wanted, location):
    return {"room": one(Room.objects.filter(location=location), "room", pk=wanted["room"])} if "room" in wanted else {}


def _step_endpoint(name):
    def endpoint(self, request, pk):
        return self._step(request, pk, name)

    endpoint.__name__ = name.replace("-", "_")
    endpoint.__doc__ = f"{visit_status.STEPS[name].label}: takes this step of the visit."
    return action(detail=True, methods=["post"], url_path=name)(endpoint)


for _name in visit_status.STEPS:
    setattr(Appointments, _name.replace("-", "_"), _step_endpoint(_name))

ENDPOINTS = [
    ("appointment-types", AppointmentTypes, "appointment-type"),
    ("availability", Availability, "availability"),
    ("appointments", Appointments, "appointment"),
    *closures_api.ENDPOINTS,
    *hours_api.ENDPOINTS,
    *moves_api.ENDPOINTS,
    *waitlist_api.ENDPOINTS,
    *series_api.ENDPOINTS,
    ("reminder-steps", reminders_api.ReminderSteps, "reminder-steps"),
]
