"""Endpoints for patients: search, read, register."""

from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from clinic import audit
from clinic.api_defaults import PagesAfter
from clinic.rest import LineField, StrictSerializer, once
from locations.models import Location
from patients import queries, registering
from patients.models import Consent, Patient


class PatientOut(serializers.ModelSerializer):
    phone = serializers.CharField()
    home_location = serializers.SlugField(source="home_location.slug")
    email_reminders = serializers.SerializerMethodField()

    class Meta:
        model = Patient
        fields = [
            "id", "given_name", "family_name", "name", "birth_date", "sex", "email", "phone", "home_location",
            "email_reminders", "language", "has_joint_mails",
        ]  # fmt: skip

    def get_email_reminders(self, patient) -> bool:
        return any(c.scope == Consent.Scope.EMAIL_REMINDERS and c.withdrawn_at is None for c in patient.consents.all())


class RegisterIn(StrictSerializer):
    given_name = LineField()
    family_name = LineField(required=False, allow_blank=True)
    birth_date = serializers.DateField()
    sex = serializers.ChoiceField(Patient.Sex.choices, required=False)
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    phone = PhoneNumberField(required=False, allow_blank=True)
    home_location = LineField(required=False)
    language = serializers.ChoiceField(settings.LANGUAGES, required=False, help_text="That mails are written in.")
    has_joint_mails = serializers.BooleanField(
        required=False, help_text="One reminder for everybody at the same address who chose so too."
    )
    email_reminders = serializers.BooleanField(required=False)
    confirm_duplicate = serializers.BooleanField(required=False)


class Patients(viewsets.GenericViewSet):
    policies = {"list": "patient.search", "retrieve": "patient.read", "create": "patient.create"}
    takes = {"create": RegisterIn}
    serializer_class = PatientOut
    pagination_class = PagesAfter
    lookup_value_regex = r"[0-9]{1,18}"

    @extend_schema(parameters=[OpenApiParameter("search")])
    def list(self, request):
        """Patients in sight; `search` finds by beginnings of names, birth date, phone or mail address."""
        if unknown := sorted(set(request.query_params) - {"search", "after", "page_size"}):
            raise ValidationError({name: ["Unknown parameter."] for name in unknown})
        typed = request.query_params.get("search", "")
        found = self.paginate_queryset(lambda **page: queries.search(request.user, typed, **page))
        people = Patient.objects.select_related("home_location").prefetch_related("consents")
        people = people.in_bulk([one.pk for one in found])
        return self.get_paginated_response(
            PatientOut([people[one.pk] for one in found if one.pk in people], many=True).data
        )

    def retrieve(self, request, pk):
        patient = get_object_or_404(Patient.objects.visible_to(request.user).select_related("home_location"), pk=pk)
        audit.record("patient.read", on=patient, by=request.user)
        return Response(PatientOut(patient).data)

    def create(self, request):
        """Register a patient; 409 `possible_duplicate` names the ids unless `confirm_duplicate` is true."""
        asked = RegisterIn(data=request.data)
        asked.is_valid(raise_exception=True)
        status, body = once(request, lambda: self._register(dict(asked.validated_data)))
        return Response(body, status=status)

    def _register(self, given):
        open_here = Location.objects.visible_to(self.request.user, "patient.create").filter(is_open=True)
        slug = given.pop("home_location", None)
        home = (open_here.filter(slug=slug) if slug else open_here).first()
        if home is None:
            raise ValidationError({"home_location": ["There is none such."]})
        patient = registering.register(home_location=home, by=self.request.user, **given)
        return 201, PatientOut(patient).data


ENDPOINTS = [("patients", Patients, "patients")]
