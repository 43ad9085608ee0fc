"""Endpoints for closures: those ahead, a new one with what it hits, and the way back."""

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from appointments.api_shapes import DayField, one, valid
from appointments.timetable import closed_days, shown_first
from clinic.rest import LineField, StrictSerializer, once
from locations import opening
from locations.api import NothingIn
from locations.models import Closure, Location

CONFIRM = "Do it although visits or offers are in the way; without it they are answered as 409 and nothing is changed."


class ClosureIn(StrictSerializer):
    """Local days of each clinic, both included."""

    reason = LineField()
    starts_on = DayField()
    ends_on = DayField(required=False, help_text="Left out: a single day.")
    locations = serializers.ListField(
        child=LineField(), max_length=200, allow_null=True, help_text="Slugs; null is the whole group."
    )
    confirm = serializers.BooleanField(default=False, help_text=CONFIRM)


class ClosureOut(serializers.Serializer):
    """Days on which a location is closed, or with null the whole group."""

    def to_representation(self, closure):
        place = closure.location
        return {
            "id": closure.pk,
            "location": place and {"slug": place.slug, "name": place.name},
            "starts_on": closure.starts_on.isoformat(),
            "ends_on": closure.ends_on.isoformat(),
            "reason": closure.reason,
        }


class Closures(viewsets.GenericViewSet):
    policies = {"list": "location.read", "create": "location.change", "take_back": "location.change"}
    takes = {"create": ClosureIn, "take_back": NothingIn}
    serializer_class = ClosureOut
    queryset = Closure.objects.none()  # tells the schema the type
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(parameters=[OpenApiParameter("location", description="Slug; closures of the whole group too.")])
    def list(self, request):
        """Closures that are not over, of the locations in sight and of the whole group, by their first day."""
        places = self._mine()
        if slug := request.query_params.get("location"):
            places = [one(places, "location", slug=slug)]
        page = self.paginate_queryset(closed_days.ahead(places))
        return self.get_paginated_response(ClosureOut(page, many=True).data)

    @extend_schema(request=ClosureIn)
    def create(self, request):
        """Close locations. Visits on these days stay until they are moved; offers to patients of the waitlist end.

        409 `in_the_way` lists both until it is sent with `confirm`; the answer lists them again. Send an
        `Idempotency-Key` and a repeat returns the first answer.
        """
        said = valid(ClosureIn, request.data)
        places = None
        if said["locations"] is not None:
            places = [one(self._mine(), "locations", slug=slug) for slug in dict.fromkeys(said["locations"])]
        days = {"starts_on": said["starts_on"], "ends_on": said.get("ends_on", said["starts_on"])}

        def act():
            done = shown_first.change(
                lambda agreed: opening.close(places, **days, reason=said["reason"], by=request.user, agreed=agreed),
                lambda made: closed_days.hit(made, self._mine(), request.user),
                confirm=said["confirm"],
            )
            closures = ClosureOut(done.made, many=True).data
            return status.HTTP_201_CREATED, {"closures": closures, "visits": done.visits, "offers": done.offers}

        code, body = once(request, act)
        return Response(body, status=code)

    @extend_schema(request=NothingIn, responses={204: None})
    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request, pk):
        """Open again on these days. A closure of the whole group is the owner's to take back."""
        valid(NothingIn, request.data)
        found = Closure.objects.select_related("location").filter(pk=pk).first()
        if found is None or (found.location_id and not self._mine().filter(pk=found.location_id).exists()):
            raise Http404
        opening.reopen(found, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _mine(self):
        return Location.objects.visible_to(self.request.user, self.policies[self.action])


ENDPOINTS = [("closures", Closures, "closure")]
