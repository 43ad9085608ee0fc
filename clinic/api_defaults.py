"""What the API's settings name: keys, strict JSON, pages. Apart from `rest.py`, since REST framework loads it first."""

import codecs
import json

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.pagination import BasePagination, PageNumberPagination
from rest_framework.parsers import BaseParser
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from clinic import tokens

MAX_DEPTH = 32


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token …`; acts as the token's user with that user's roles."""

    def authenticate(self, request):
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"token":
            return None
        found = tokens.find_api_token(words[1].decode("latin-1")) if len(words) == 2 else None
        if not found:
            raise exceptions.AuthenticationFailed("The token is not valid.")
        return found.user, found

    def authenticate_header(self, request):
        return "Token"


def _no_repeats(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        raise ValueError("the same key twice")
    return dict(pairs)


def _refuse(name):
    raise ValueError(f"{name} is not a number")


def _check(value):
    """No NUL and no lone surrogate in any string: PostgreSQL cannot store them."""
    if isinstance(value, str):
        if "\x00" in value or any(0xD800 <= ord(c) <= 0xDFFF for c in value):
            raise ValueError("a character that cannot be stored")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key)
            _check(item)
    elif isinstance(value, list):
        for item in value:
            _check(item)
    elif isinstance(value, float) and abs(value) > 1e15:
        raise ValueError("a number out of range")


class StrictJSONParser(BaseParser):
    """JSON without its traps: no NaN, no repeated keys, no NUL, no bottomless nesting."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        raw = stream.read()
        try:
            text = codecs.decode(raw, "utf-8")
            depth = deepest = 0
            for character in text:
                depth += (character in "[{") - (character in "]}")
                deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                raise ValueError("nested too deeply")
            data = json.loads(text, object_pairs_hook=_no_repeats, parse_constant=_refuse)
            _check(data)
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError(f"The body is not acceptable JSON: {error}.") from None
        if not isinstance(data, dict):
            raise exceptions.ParseError("The body must be a JSON object.")
        return data


class Pages(PageNumberPagination):
    page_size_query_param = "page_size"
    max_page_size = 200


class PagesAfter(BasePagination):
    """Pages that go on after the last row of the one before and count nothing: the last is as quick as the first.

    What is paged is a function of `limit` and `after`, an id, which returns rows with a `pk`.
    """

    usual_size, max_page_size = 50, 200

    def paginate_queryset(self, ask, request, view=None):
        size = self._number(request, "page_size", self.max_page_size) or self.usual_size
        found = ask(limit=size + 1, after=self._number(request, "after", 2**63 - 1))
        self.next_url = None
        if len(found) > size:
            self.next_url = replace_query_param(request.build_absolute_uri(), "after", found[size - 1].pk)
        return found[:size]

    def get_paginated_response(self, data):
        return Response({"next": self.next_url, "results": data})

    def get_paginated_response_schema(self, schema):
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view):
        about = {"after": "The id that the page before ended with.", "page_size": f"At most {self.max_page_size}."}
        return [
            {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "integer"}}
            for name, text in about.items()
        ]

    def _number(self, request, name, most):
        given = request.query_params.get(name, "")
        if not given:
            return None
        if not (given.isascii() and given.isdigit() and len(given) < 20 and 0 < int(given) <= most):
            raise exceptions.ValidationError({name: [f"Give a whole number from 1 to {most}."]})
        return int(given)
