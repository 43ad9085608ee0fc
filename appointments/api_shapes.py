"""What the endpoints of this package read from a body or a query."""

import re

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from appointments import overriding
from appointments.forms import FIRST_DAY, LAST_DAY
from appointments.recurring.proposals import Line
from clinic.rest import IdField, LineField

_WALL = re.compile(r"\d\d:\d\d(:00)?", re.ASCII)


def one(queryset, field, **lookup):
    """The row in the user's scope, or a 400 that names the field: in a body, what is out of scope is unknown."""
    is_text = all("\0" not in str(value) for value in lookup.values())  # PostgreSQL refuses the question itself
    found = queryset.filter(**lookup).first() if is_text else None
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


class WallTimeField(serializers.TimeField):
    """A time on the wall, `09:00`: to the minute, and by no clock but that of its clinic."""

    def to_internal_value(self, data):
        if isinstance(data, str) and not _WALL.fullmatch(data):  # an offset would be left out without a word
            raise serializers.ValidationError("Give hours and minutes of the wall clock, as 09:00.")
        return super().to_internal_value(data)


def override_field() -> LineField:
    return LineField(
        required=False, max_length=overriding.MOST,
        help_text="Why it is against hours, notice or travel; from somebody who may override them.",
    )  # fmt: skip


def against_json(line: Line) -> dict | None:
    """The wish of a line as it can be had with an `override_reason`."""
    return line.against and {**line.against.slot.as_json(), "overrides": list(line.against.codes)}


class IdsField(serializers.ListField):
    """Ids, each once."""

    def __init__(self, **kwargs):
        super().__init__(child=IdField(), max_length=100, **kwargs)

    def to_internal_value(self, data):
        return list(dict.fromkeys(super().to_internal_value(data)))
