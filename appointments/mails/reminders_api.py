"""Endpoint for the reminders of visits: what holds for a type and a location, and setting it."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.response import Response

from appointments.mails import reminder_steps
from appointments.mails.reminder_steps import Step
from appointments.models import MOST_HOURS, AppointmentType, ReminderSchedule
from clinic.rest import LineField, StrictSerializer
from locations.models import Location


class StepShape(StrictSerializer):
    hours_before = serializers.IntegerField(min_value=1, max_value=MOST_HOURS)
    only_unconfirmed = serializers.BooleanField(required=False, default=False)


class StepsIn(StrictSerializer):
    type = LineField(required=False, help_text="Slug; left out: every type without steps of its own.")
    location = LineField(required=False, help_text="Slug; left out: every location without steps of its own.")
    steps = serializers.ListField(
        child=StepShape(), allow_null=True,
        help_text="An empty list: no reminders. `null`: the wider rule counts again.",
    )  # fmt: skip


class ScheduleOut(serializers.Serializer):
    type = serializers.CharField(allow_null=True, source="type.slug", default=None)
    location = serializers.CharField(allow_null=True, source="location.slug", default=None)
    steps = StepShape(many=True)


class ReminderSteps(viewsets.ViewSet):
    policies = {"list": "location.change", "create": "location.change"}
    takes = {"create": StepsIn}

    @extend_schema(responses=ScheduleOut(many=True))
    def list(self, request):
        """The schedules that were set; where none counts, 48 and 2 hours before. The nearest counts whole."""
        mine = Location.objects.visible_to(request.user, "location.change")
        rows = ReminderSchedule.objects.select_related("type", "location").prefetch_related("steps")
        shown = [
            row for row in rows if row.location_id is None or row.location_id in set(mine.values_list("pk", flat=True))
        ]
        return Response([_out(row) for row in shown])

    @extend_schema(request=StepsIn, responses=ScheduleOut)
    def create(self, request):
        """Set the steps of a type, at a location, or of all."""
        asked = StepsIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        mine = Location.objects.visible_to(request.user, "location.change")
        place = get_object_or_404(mine, slug=given["location"]) if "location" in given else None
        kind = get_object_or_404(AppointmentType, slug=given["type"]) if "type" in given else None
        if given["steps"] is None:
            found = get_object_or_404(ReminderSchedule, type=kind, location=place)
            reminder_steps.forget(found, by=request.user)
            return Response(status=204)
        steps = [Step(one["hours_before"], one["only_unconfirmed"]) for one in given["steps"]]
        row = reminder_steps.set_steps(steps, type=kind, location=place, by=request.user)
        return Response(_out(row))


def _out(row: ReminderSchedule) -> dict:
    return {
        "type": row.type.slug if row.type else None,
        "location": row.location.slug if row.location else None,
        "steps": [
            {"hours_before": one.hours_before, "only_unconfirmed": one.only_unconfirmed} for one in row.steps.all()
        ],
    }
