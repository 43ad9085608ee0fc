"""Endpoints for locations and practitioners: read only."""

from rest_framework import mixins, serializers, viewsets

from locations import access
from locations.models import Location, OpeningHours, Practitioner, Room


class RoomOut(serializers.ModelSerializer):
    class Meta:
        model = Room
        fields = ["id", "name", "kind"]


class OpeningHoursOut(serializers.ModelSerializer):
    class Meta:
        model = OpeningHours
        fields = ["weekday", "opens", "closes"]


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
        fields = ["id", "name", "locations"]

    def get_locations(self, practitioner) -> list[str]:
        """Where the practitioner is a clinician."""
        held = practitioner.user.assignments.all()
        return sorted(one.location.slug for one in held if one.role == access.CLINICIAN and one.location)


class Locations(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    policies = {"list": "location.read", "retrieve": "location.read"}
    serializer_class = LocationOut
    lookup_field = "slug"
    queryset = Location.objects.none()  # tells the schema the type; the rows come from the scope

    def get_queryset(self):
        return Location.objects.visible_to(self.request.user).prefetch_related("rooms", "opening_hours")


class Practitioners(mixins.ListModelMixin, viewsets.GenericViewSet):
    policies = {"list": "user.read"}
    serializer_class = PractitionerOut
    queryset = Practitioner.objects.none()

    def get_queryset(self):
        seen = Practitioner.objects.visible_to(self.request.user).filter(is_active=True)
        return seen.select_related("user").prefetch_related("user__assignments__location")


ENDPOINTS = [("locations", Locations, "locations"), ("practitioners", Practitioners, "practitioners")]
