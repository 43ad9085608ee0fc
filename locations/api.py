"""Endpoints for locations, their hours and rooms, and for practitioners."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from clinic.rest import StrictSerializer
from locations import access, kept_times, mails_api, opening, places, rooms
from locations.models import Location, OpeningHours, Practitioner, Room, Weekday
from locations.spans import Span


class RoomOut(serializers.ModelSerializer):
    kind = serializers.CharField(help_text="As in the `room_kind` of appointment types.")

    class Meta:
        model = Room
        fields = ["id", "name", "kind", "is_open"]


class OpeningHoursOut(serializers.ModelSerializer):
    class Meta:
        model = OpeningHours
        fields = ["weekday", "opens", "closes", "ends_next_day"]


class LocationOut(serializers.ModelSerializer):
    """Opening hours are wall-clock in `time_zone`; weekday 0 is Monday."""

    rooms = serializers.SerializerMethodField()
    opening_hours = OpeningHoursOut(many=True)

    class Meta:
        model = Location
        fields = [
            "slug", "name", "address", "street", "city", "state", "postal_code", "phone", "parking", "time_zone",
            "is_open", "rooms", "opening_hours",
        ]  # fmt: skip

    def get_rooms(self, location) -> list[dict]:
        return RoomOut([room for room in location.rooms.all() if room.is_open], many=True).data


class PractitionerOut(serializers.ModelSerializer):
    locations = serializers.SerializerMethodField()

    class Meta:
        model = Practitioner
        fields = ["id", "name", "locations", "is_bookable_online"]

    def get_locations(self, practitioner) -> list[str]:
        """Where the practitioner is a clinician."""
        held = practitioner.user.assignments.all()
        return sorted(one.location.slug for one in held if one.role == access.CLINICIAN and one.location)


class SpanIn(StrictSerializer):
    weekday = serializers.ChoiceField(Weekday.choices, help_text="0 is Monday.")
    opens = serializers.TimeField(help_text="By the clock of the location.")
    closes = serializers.TimeField()
    ends_next_day = serializers.BooleanField(default=False)


CONFIRM = "Take back the offers to patients of the waitlist that are in the way; without it they are answered as 409."


class HoursIn(StrictSerializer):
    """All opening hours of the week; none closes the location on every day."""

    hours = SpanIn(many=True, max_length=100)
    confirm = serializers.BooleanField(default=False, help_text=CONFIRM)


class CloseRoomIn(StrictSerializer):
    confirm = serializers.BooleanField(default=False, help_text=CONFIRM)


class NothingIn(StrictSerializer):
    pass


class Locations(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    policies = {
        "list": "location.read",
        "retrieve": "location.read",
        "hours": "location.change",
        "delete": "location.create",
    }
    takes = {"hours": HoursIn, "delete": NothingIn}
    serializer_class = LocationOut
    lookup_field = "slug"
    queryset = Location.objects.none()  # tells the schema the type; the rows come from the scope

    def get_queryset(self):
        row = self.policies.get(self.action, "location.read")
        return Location.objects.visible_to(self.request.user, row).prefetch_related("rooms", "opening_hours")

    @extend_schema(request=HoursIn)
    @action(detail=True, methods=["put"])
    def hours(self, request, slug):
        """Replace the opening hours. Visits stay; those outside are listed where visits are moved together."""
        given = HoursIn(data=request.data)
        given.is_valid(raise_exception=True)
        place = self.get_object()
        spans = [
            Span(one["weekday"], one["opens"], one["closes"], one["ends_next_day"])
            for one in given.validated_data["hours"]
        ]
        agreed = kept_times.agreed(given.validated_data["confirm"])
        opening.set_hours(place, spans, by=request.user, agreed=agreed)
        return Response(LocationOut(self.get_object()).data)

    @extend_schema(request=NothingIn, responses={204: None})
    @action(detail=True, methods=["post"])
    def delete(self, request, slug):
        """Delete a location that was set up by mistake; one with records is refused, naming what is in the way."""
        NothingIn(data=request.data).is_valid(raise_exception=True)
        places.delete(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Rooms(viewsets.GenericViewSet):
    policies = {"open": "location.change", "close": "location.change"}
    takes = {"open": NothingIn, "close": CloseRoomIn}
    serializer_class = RoomOut
    queryset = Room.objects.none()
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self):
        here = Location.objects.visible_to(self.request.user, "location.change")
        return Room.objects.filter(location__in=here).select_related("location")

    @extend_schema(request=NothingIn)
    @action(detail=True, methods=["post"])
    def open(self, request, pk):
        """Open a room for visits again."""
        NothingIn(data=request.data).is_valid(raise_exception=True)
        return self._set(pk, is_open=True)

    @extend_schema(request=CloseRoomIn)
    @action(detail=True, methods=["post"])
    def close(self, request, pk):
        """Close a room for visits; refused while visits ahead are in it, naming them."""
        given = CloseRoomIn(data=request.data)
        given.is_valid(raise_exception=True)
        return self._set(pk, is_open=False, agreed=kept_times.agreed(given.validated_data["confirm"]))

    def _set(self, pk, **how):
        found = get_object_or_404(self.get_queryset(), pk=pk)
        return Response(RoomOut(rooms.set_open(found, by=self.request.user, **how)).data)


class Practitioners(mixins.ListModelMixin, viewsets.GenericViewSet):
    policies = {"list": "user.read"}
    serializer_class = PractitionerOut
    queryset = Practitioner.objects.none()

    def get_queryset(self):
        seen = Practitioner.objects.visible_to(self.request.user).filter(is_active=True)
        return seen.select_related("user").prefetch_related("user__assignments__location")


ENDPOINTS = [
    ("locations", Locations, "locations"),
    ("rooms", Rooms, "rooms"),
    ("practitioners", Practitioners, "practitioners"),
    ("quiet-hours", mails_api.QuietHours, "quiet-hours"),
    ("mail-rules", mails_api.MailRules, "mail-rules"),
]
