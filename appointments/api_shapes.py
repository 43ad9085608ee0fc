"""What the endpoints of this package read from a body or a query."""

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from appointments.forms import FIRST_DAY, LAST_DAY
from clinic.rest import IdField


def one(queryset, field, **lookup):
    """The row in the user's scope, or a 400 that names the field: in a body, what is out of scope is unknown."""
    found = queryset.filter(**lookup).first()
    if found is None:
        raise ValidationError({field: ["There is none such."]})
    return found


def named_id(request, name) -> int | None:
    """The id that the query gives under this name, or None."""
    given = request.query_params.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise ValidationError({name: [f"Give the id of a {name}."]})
    return int(given)


def valid(serializer, data) -> dict:
    given = serializer(data=data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class DayField(serializers.DateField):
    """A local date that can be reckoned with."""

    def to_internal_value(self, data):
        day = super().to_internal_value(data)
        if not FIRST_DAY <= day <= LAST_DAY:
            raise serializers.ValidationError("The date is too far in the past or the future.")
        return day


class IdsField(serializers.ListField):
    """Ids, each once."""

    def __init__(self, **kwargs):
        super().__init__(child=IdField(), max_length=100, **kwargs)

    def to_internal_value(self, data):
        return list(dict.fromkeys(super().to_internal_value(data)))
