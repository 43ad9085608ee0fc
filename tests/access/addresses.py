"""Every address of ours, read off the resolver, and one way to ask it."""

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.urls import URLPattern, get_resolver

from clinic import policy
from tests import house

API = "api/v1/"
PARAMETER = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")
# Where a request may leave a trace although it was refused: who is signed in, and what was said on the last page.
ANYBODYS = {"django_session"}
WRITING = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+"?(\w+)', re.I)


@dataclass(frozen=True)
class Address:
    """`template` is the whole path with `{name}` for its parameters; `actions` the row of the table by method."""

    template: str
    parameters: tuple[str, ...]
    actions: dict[str, str] = field(hash=False)

    def __str__(self):
        return f"/{self.template}"

    @property
    def is_api(self):
        return self.template.startswith(API)

    def path(self, *values) -> str:
        return "/" + self.template.format(**dict(zip(self.parameters, values, strict=True)))


def _entries(patterns, prefix=""):
    for entry in patterns:
        route = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").replace(r"\Z", "")
        if isinstance(entry, URLPattern):
            yield route, entry.callback
        else:
            yield from _entries(entry.url_patterns, route)


def _actions(view) -> dict[str, str]:
    policies = getattr(getattr(view, "cls", None), "policies", None)
    if policies is None:  # a page: what it does not take it answers with 405
        return {method: policy.declared(view, method) for method in ("GET", "POST")}
    by_method = getattr(view, "actions", None) or {m: m for m in ("get", "post", "patch", "put", "delete")
                                                    if hasattr(view.cls, m)}  # fmt: skip
    return {method.upper(): policies.get(action) for method, action in by_method.items() if method != "head"}


def ours() -> list[Address]:
    """Addresses of the packages of the house, in the order of their paths."""
    found = []
    for route, view in _entries(get_resolver().url_patterns):
        if getattr(view, "cls", view).__module__.split(".")[0] in house.LAYERS:
            names = tuple(first or second for first, second in PARAMETER.findall(route))
            template = PARAMETER.sub(lambda match: "{" + (match[1] or match[2]) + "}", route)
            found.append(Address(template, names, _actions(view)))
    return sorted(found, key=lambda address: address.template)


@dataclass
class Answer:
    """What came back, and the tables that were written to on the way."""

    status: int
    text: str
    response: object
    written: set[str]

    @property
    def leads_to_sign_in(self):
        return self.status == 401 or (self.status == 302 and "/accounts/login/?next=" in self.response["Location"])


@contextmanager
def nothing_stays():
    """What is done inside is done in earnest, and undone afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ask(principal, method: str, path: str, body=None, **headers) -> Answer:
    """One request; JSON to the API, a form to the pages. Whatever it changed stays changed."""
    written = set()

    def note(execute, sql, params, many, context):
        if match := WRITING.match(sql):
            written.add(match[1])
        return execute(sql, params, many, context)

    given = {"headers": headers, "data": body or {}}
    if path.startswith(f"/{API}") and method != "GET":
        given |= {"data": body if isinstance(body, str) else json.dumps(body or {}), "content_type": "application/json"}
    with connection.execute_wrapper(note):
        response = getattr(principal.client, method.lower())(path, **given)
    return Answer(response.status_code, _text(response), response, written)


def _text(response) -> str:
    heads = "\n".join(f"{name}: {value}" for name, value in response.items())
    cookies = response.cookies.output()
    content = response.content.decode(errors="replace")  # a PDF is no text
    return f"{heads}\n{cookies}\n{content}"
