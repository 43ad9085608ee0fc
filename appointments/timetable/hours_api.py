"""Endpoints for the weekly hours of practitioners: those now and ahead, and new ones from a day on."""

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.response import Response

from appointments.api_shapes import DayField, WallTimeField, named_id, one, valid
from appointments.models import MOST_WEEKS, Appointment, WeeklyHours
from appointments.timetable import hour_versions, shown_first, working_hours
from appointments.timetable.closures_api import CONFIRM
from appointments.timetable.working_hours import Shift
from clinic import times
from clinic.errors import RuleBroken
from clinic.rest import IdField, LineField, StrictSerializer, once
from locations.models import Location, Weekday
from locations.spans import Span


class ShiftIn(StrictSerializer):
    weekday = serializers.ChoiceField(Weekday.choices, help_text="0 is Monday.")
    starts = WallTimeField(help_text="By the clock of the location; in the hour that comes twice its first pass.")
    ends = WallTimeField()
    ends_next_day = serializers.BooleanField(default=False)
    every_weeks = serializers.IntegerField(min_value=1, max_value=MOST_WEEKS, default=1)
    first_week = serializers.IntegerField(
        min_value=1, max_value=MOST_WEEKS, default=1, help_text="In which week, counted from `from_day`, they begin."
    )


class WeekIn(StrictSerializer):
    """The whole week of a practitioner at a location from a day on."""

    practitioner = IdField()
    location = LineField(help_text="Slug.")
    from_day = DayField()
    until = DayField(
        required=False, allow_null=True, default=None,
        help_text="The last day. Without it they hold for good, or up to the day before the next later version. "
        "What held before goes on after it.",
    )  # fmt: skip
    replace_later = serializers.BooleanField(
        default=False, help_text="Take the place of later versions; of those up to `until` if that is given."
    )
    hours = ShiftIn(many=True, max_length=100, help_text="None ends the hours there on the day before.")
    confirm = serializers.BooleanField(default=False, help_text=CONFIRM)


class WeeklyHoursOut(serializers.Serializer):
    """Hours of a weekday, wall-clock in `time_zone`; `valid_from` and `valid_until` are both included, null is open.
    Begin or end in the hour that comes twice is in its first pass.
    """

    def to_representation(self, row):
        return {
            "id": row.pk,
            "practitioner": {"id": row.practitioner_id, "name": row.practitioner.name},
            "location": {"slug": row.location.slug, "name": row.location.name},
            "time_zone": row.location.time_zone,
            "weekday": row.weekday,
            "starts": row.starts.isoformat("minutes"),
            "ends": row.ends.isoformat("minutes"),
            "ends_next_day": row.ends_next_day,
            "every_weeks": row.every_weeks,
            "valid_from": row.valid_from and row.valid_from.isoformat(),
            "valid_until": row.valid_until and row.valid_until.isoformat(),
        }


class WorkingHours(viewsets.GenericViewSet):
    policies = {"list": "hours.change", "create": "hours.change"}
    takes = {"create": WeekIn}
    serializer_class = WeeklyHoursOut
    queryset = WeeklyHours.objects.none()  # tells the schema the type

    @extend_schema(
        parameters=[
            OpenApiParameter("practitioner", OpenApiTypes.INT64),
            OpenApiParameter("location", description="Slug."),
        ]
    )
    def list(self, request):
        """Weekly hours that are not over, of the practitioners and at the locations whose hours the caller sets."""
        lasting = Q(valid_until=None) | Q(valid_until__gte=times.earliest_today())
        found = WeeklyHours.objects.filter(
            lasting, practitioner__in=working_hours.set_by(request.user), location__in=self._places()
        )
        if (practitioner := named_id(request, "practitioner")) is not None:
            found = found.filter(practitioner=practitioner)
        if slug := request.query_params.get("location"):
            found = found.filter(location=one(self._places(), "location", slug=slug))
        order = ("practitioner__user__full_name", "practitioner", "location__name", "valid_from", "weekday", "starts")
        rows = found.select_related("practitioner__user", "location").order_by(*order, "pk")
        return self.get_paginated_response(WeeklyHoursOut(self.paginate_queryset(rows), many=True).data)

    @extend_schema(request=WeekIn)
    def create(self, request):
        """Replace the weekly hours at a location from a day on; none ends them. What held before ends the day before.

        Hours that are entered for later are kept: without `until` the new ones end before these begin, and 409
        `later_hours` says when `until` lies after that. `kept_later` lists them.

        Visits outside the new hours stay until they are moved; offers to patients of the waitlist end. 409 `in_the_way`
        lists both until it is sent with `confirm`; the answer lists them again.
        """
        said = valid(WeekIn, request.data)
        person = one(working_hours.set_by(request.user).select_related("user"), "practitioner", pk=said["practitioner"])
        place = one(self._places(), "location", slug=said["location"])
        shifts = [
            Shift(Span(row["weekday"], row["starts"], row["ends"], row["ends_next_day"]), row["every_weeks"],
                  row["first_week"])
            for row in said["hours"]
        ]  # fmt: skip
        outside_already = {visit.pk for visit in working_hours.outside(person, place)}

        def newly_outside(_made):
            ids = {visit.pk for visit in working_hours.outside(person, place)} - outside_already
            return Appointment.objects.visible_to(request.user).filter(pk__in=ids).with_names().order_by("starts_at")

        wanted = {"from_day": said["from_day"], "until": said["until"], "by": request.user,
                  "replacing": None if said["replace_later"] else ()}  # fmt: skip

        def act():
            done = shown_first.change(
                lambda agreed: working_hours.set_week(person, place, shifts, **wanted, agreed=agreed),
                newly_outside,
                confirm=said["confirm"],
            )
            hours = WeeklyHoursOut(done.made, many=True).data
            kept = WeeklyHoursOut(_later(person, place, said["from_day"]), many=True).data
            answer = {"hours": hours, "kept_later": kept, "visits": done.visits, "offers": done.offers}
            return status.HTTP_201_CREATED, answer

        try:
            code, body = once(request, act)
        except RuleBroken as refused:
            refused.fields = {"hours" if name == "shifts" else name: text for name, text in refused.fields.items()}
            raise
        return Response(body, status=code)

    def _places(self):
        return Location.objects.visible_to(self.request.user, "hours.change")


def _later(person, place, day) -> list[WeeklyHours]:
    rows = WeeklyHours.objects.filter(practitioner=person, location=place).select_related(
        "practitioner__user", "location"
    )
    return [row for version in hour_versions.later(rows, day) for row in version.rows]


ENDPOINTS = [("working-hours", WorkingHours, "working-hours")]
