"""Whoever comes with a link that is no good learns nothing from it: not even what is wrong with it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic import policy, times
from clinic.models import Link
from tests.access import addresses, expected, world
from tests.access.addresses import nothing_stays

METHODS = ("get", "head", "post")


@pytest.fixture
def side(db):
    return world.build().here


def behind_links():
    found = [one for one in addresses.ours() if policy.LINK in one.actions.values()]
    return [one for one in found if "token" in one.parameters]


def said(method, path):
    """All that can be seen from outside, and what was asked of the database."""
    with CaptureQueriesContext(connection) as asked:
        answer = getattr(Client(), method)(path)
    statements = [re.sub(r"\d+|'[^']*'", "?", one["sql"]) for one in asked]
    return answer.status_code, dict(answer.items()), answer.cookies.output(), answer.content, statements


def no_good(side, address):
    """Tokens for which nothing may be shown there, each in the world in which it is no good."""
    right, *rest = expected.about(address)(side)
    foreign = next(token for token in side.links.values() if said("get", address.path(token, *rest))[0] >= 400)
    for token, change in (
        ("x", {}),
        ("a" * 43, {}),
        (foreign, {}),
        (right, {"expires_at": times.now() - timedelta(seconds=1)}),
        (right, {"revoked_at": times.now()}),
        (right, {"revoked_at": times.now() - timedelta(days=1), "used_at": times.now() - timedelta(days=1)}),
    ):
        with nothing_stays():
            if change:
                Link.objects.update(**change)
            yield address.path(token, *rest)


def test_links_that_are_no_good_are_answered_alike_in_the_same_statements(side):
    different = {}
    for address in behind_links():
        for method in METHODS:
            answers = [said(method, path) for path in no_good(side, address)]
            if any(one != answers[0] for one in answers) or answers[0][0] not in {404, 405, 410}:
                different[f"{method} {address}"] = [one[0] for one in answers]

    assert behind_links()
    assert different == {}
