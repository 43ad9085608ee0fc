"""What every API endpoint shares: strict serializers, errors that say which field and why, and acting once."""

import hashlib
import json
import re
from datetime import UTC, datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import exception_handler

from clinic import times
from clinic.errors import Closed, RuleBroken
from clinic.models import IdempotentRequest
from clinic.text import clean_line


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "clinic.api_defaults.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token …`"}


class StrictSerializer(serializers.Serializer):
    """Unknown fields are an error, not silently dropped."""

    def to_internal_value(self, data):
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            raise serializers.ValidationError({name: ["Unknown field."] for name in sorted(unknown)})
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(serializers.Field):
    """An ISO 8601 instant with its offset."""

    _shape = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)

    def to_internal_value(self, data):
        if not isinstance(data, str) or not self._shape.fullmatch(data):
            raise serializers.ValidationError("Give an instant with its offset, like 2027-01-04T09:00:00-05:00.")
        try:
            instant = datetime.fromisoformat(data).astimezone(UTC)
            return times.check_range(instant, self.field_name)
        except (ValueError, OverflowError):
            raise serializers.ValidationError("There is no such day or time.") from None
        except RuleBroken as broken:
            raise serializers.ValidationError(broken.message) from None

    def to_representation(self, value):
        return value.isoformat()


class WholeField(serializers.IntegerField):
    """A JSON integer, never a string or a boolean."""

    def to_internal_value(self, data):
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("Give a whole number.")
        return super().to_internal_value(data)


class IdField(WholeField):
    """A database id."""

    def __init__(self, **kwargs):
        super().__init__(min_value=1, max_value=2**63 - 1, **kwargs)


class TruthField(serializers.BooleanField):
    """true or false; a word or a number is not taken for one."""

    def to_internal_value(self, data):
        if not isinstance(data, bool):
            raise serializers.ValidationError("Give true or false.")
        return data


class TextField(serializers.CharField):
    """Text as typed by people; numbers and lists are refused rather than turned into text."""

    def to_internal_value(self, data):
        if not isinstance(data, str):
            raise serializers.ValidationError("Give text.")
        return super().to_internal_value(data)


class LineField(TextField):
    """One line of text."""

    def __init__(self, **kwargs):
        super().__init__(**{"max_length": 200, "validators": [clean_line], **kwargs})


def _flat(detail, prefix=""):
    """DRF's nested errors as {dotted field: sentence}; what is wrong with a whole list is said of the list."""
    if isinstance(detail, dict):
        whole = prefix and "non_field_errors"
        below = {name: prefix if name == whole else f"{prefix}{name}." for name in detail}
        return {k: v for name, inner in detail.items() for k, v in _flat(inner, below[name]).items()}
    if isinstance(detail, list):
        if any(isinstance(d, dict) for d in detail):
            return {k: v for i, inner in enumerate(detail) for k, v in _flat(inner, f"{prefix}{i}.").items()}
        return {prefix.rstrip(".") or "detail": " ".join(str(d) for d in detail)}
    return {prefix.rstrip(".") or "detail": str(detail)}


def explain(error, context):
    """Every error as {"code", "detail", "fields"}; a broken rule adds "nearest"."""
    if isinstance(error, RuleBroken):
        body = {"code": error.code, "detail": error.message, "fields": error.fields}
        if error.status == 409:
            body["nearest"] = [slot.as_json() for slot in error.nearest]
        if error.alternatives:
            body["alternatives"] = {key: [slot.as_json() for slot in free] for key, free in error.alternatives.items()}
        if error.in_the_way:
            body["in_the_way"] = error.in_the_way
        if error.conflict:
            body["conflict"] = error.conflict
        return Response(body, status=error.status)
    if isinstance(error, Closed):
        return Response({"code": error.code, "detail": error.message, "fields": {}}, status=403)
    if isinstance(error, Http404):
        error = exceptions.NotFound("Not found.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        fields = _flat(error.detail)
        detail = "; ".join(f"{name}: {text}" for name, text in fields.items())
        response.data = {"code": "invalid", "detail": detail, "fields": fields}
    else:
        response.data = {
            "code": getattr(error, "default_code", "error"),
            "detail": str(error.detail),
            "fields": {},
        }
    return response


def once(request, act):
    """Answer a repeated `Idempotency-Key` with the first answer; `act()` returns (status, body).

    The key is written in the transaction of the effect, so a crash leaves neither. The same key with another body
    is 422. Without a key the request simply acts.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return act()
    if len(key) > 200 or not key.isprintable():
        raise RuleBroken("The Idempotency-Key is not usable.", code="bad_key", status=400)
    fingerprint = hashlib.sha256(
        json.dumps([request.path, request.data], sort_keys=True, default=str).encode()
    ).hexdigest()
    known = IdempotentRequest.objects.filter(user=request.user, key=key).first()
    if known is None:
        with transaction.atomic():
            known, new = IdempotentRequest.objects.get_or_create(
                user=request.user, key=key, defaults={"fingerprint": fingerprint, "status": 0, "body": {}}
            )
            if new:
                known.status, known.body = act()
                known.save(update_fields=["status", "body"])
                return known.status, known.body
    if known.fingerprint != fingerprint:
        raise RuleBroken("This Idempotency-Key was used for another request.", code="key_reused", status=422)
    return known.status, known.body
