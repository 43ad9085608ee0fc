"""Endpoints for the mails of a clinic or of the group: when they rest, and which are sent."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.response import Response

from clinic.rest import LineField, StrictSerializer
from locations import access, mail_hours, mail_rules
from locations.models import Location


class QuietHoursIn(StrictSerializer):
    location = LineField(required=False, help_text="Slug; left out: every location without hours of its own.")
    quiet_from = serializers.TimeField(required=False, format="%H:%M", help_text="By the clock of the location.")
    quiet_until = serializers.TimeField(required=False, format="%H:%M", help_text="The same as from: no quiet hours.")
    on_open_days_only = serializers.BooleanField(required=False, default=False)
    forget = serializers.BooleanField(
        required=False, default=False, help_text="Of a location: from now on those of the group count."
    )

    def validate(self, given):
        if given["forget"] and "location" not in given:
            raise serializers.ValidationError({"location": ["Say of which location."]})
        for name in ("quiet_from", "quiet_until"):
            if not given["forget"] and name not in given:
                raise serializers.ValidationError({name: ["This field is required."]})
        return given


class HoursOut(serializers.Serializer):
    location = serializers.CharField(allow_null=True)
    quiet_from = serializers.TimeField(format="%H:%M")
    quiet_until = serializers.TimeField(format="%H:%M")
    on_open_days_only = serializers.BooleanField()
    is_own = serializers.BooleanField(help_text="Set at the location itself, not by the group.")


class QuietHours(viewsets.ViewSet):
    policies = {"list": "location.change", "create": "location.change"}
    takes = {"create": QuietHoursIn}

    @extend_schema(responses=HoursOut(many=True))
    def list(self, request):
        """Of the group, where that is yours, and of each location of yours as they hold there."""
        return Response([_hours(place) for place in _places(request.user)])

    @extend_schema(request=QuietHoursIn, responses=HoursOut)
    def create(self, request):
        """Set them for a location, or for the group."""
        given, place = _asked(request, QuietHoursIn)
        if given["forget"]:
            mail_hours.forget(place, by=request.user)
        else:
            said = {name: given[name] for name in ("quiet_from", "quiet_until", "on_open_days_only")}
            mail_hours.set_hours(place, by=request.user, **said)
        return Response(_hours(place))


class RuleIn(StrictSerializer):
    location = LineField(required=False, help_text="Slug; left out: every location without a rule of its own.")
    kind = LineField(help_text="As the list names it.")
    is_on = serializers.BooleanField(required=False)
    number = serializers.IntegerField(required=False, help_text="Of days, hours or visits, as the kind says.")
    forget = serializers.BooleanField(
        required=False, default=False, help_text="Of a location: from now on the rule of the group counts."
    )

    def validate(self, given):
        if given["forget"] and "location" not in given:
            raise serializers.ValidationError({"location": ["Say of which location."]})
        for name in ("is_on", "number"):
            if not given["forget"] and name not in given:
                raise serializers.ValidationError({name: ["This field is required."]})
        if given["kind"] not in {one.name for one in mail_rules.kinds()}:
            raise serializers.ValidationError({"kind": ["There is no such mail."]})
        return given


class RuleOut(serializers.Serializer):
    location = serializers.CharField(allow_null=True)
    kind = serializers.CharField()
    label = serializers.CharField()
    what = serializers.CharField(help_text="The sentence in which the number stands.")
    is_on = serializers.BooleanField()
    number = serializers.IntegerField()
    least = serializers.IntegerField()
    most = serializers.IntegerField()
    is_own = serializers.BooleanField(help_text="Set at the location itself, not by the group.")


class MailRules(viewsets.ViewSet):
    policies = {"list": "location.change", "create": "location.change"}
    takes = {"create": RuleIn}

    @extend_schema(responses=RuleOut(many=True))
    def list(self, request):
        """Each kind of mail that nobody asks for at the moment: of the group, where that is yours, and per location."""
        rules = mail_rules.Rules()
        return Response([_rule(place, one) for place in _places(request.user) for one in _settings(rules, place)])

    @extend_schema(request=RuleIn, responses=RuleOut)
    def create(self, request):
        """Switch a kind on or off and set its number, for a location or for the group."""
        given, place = _asked(request, RuleIn)
        if given["forget"]:
            mail_rules.forget(given["kind"], place, by=request.user)
        else:
            mail_rules.set_rule(given["kind"], place, is_on=given["is_on"], number=given["number"], by=request.user)
        return Response(_rule(place, mail_rules.Rules().of(given["kind"], place.pk if place else None)))


def _asked(request, shape) -> tuple[dict, Location | None]:
    asked = shape(data=request.data)
    asked.is_valid(raise_exception=True)
    mine = Location.objects.visible_to(request.user, "location.change")
    slug = asked.validated_data.get("location")
    return asked.validated_data, get_object_or_404(mine, slug=slug) if slug is not None else None


def _places(user) -> list[Location | None]:
    mine = Location.objects.visible_to(user, "location.change")
    return [*([None] if access.location_ids(user, "location.change") is None else []), *mine]


def _settings(rules, place) -> list[mail_rules.Setting]:
    return rules.all_of(place.pk if place else None)


def _hours(place: Location | None) -> dict:
    row = mail_hours.of(place)
    return HoursOut(
        {"location": place.slug if place else None, "quiet_from": row.quiet_from, "quiet_until": row.quiet_until,
         "on_open_days_only": row.on_open_days_only, "is_own": bool(place and row.location_id == place.pk)}
    ).data  # fmt: skip


def _rule(place: Location | None, one: mail_rules.Setting) -> dict:
    return {
        "location": place.slug if place else None, "kind": one.kind.name, "label": one.kind.label,
        "what": one.kind.what, "is_on": one.is_on, "number": one.number, "least": one.kind.least,
        "most": one.kind.most, "is_own": one.is_own,
    }  # fmt: skip
