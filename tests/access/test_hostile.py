"""Every address, with every field of a good request replaced in turn by what no form sends, or by another clinic's."""

import copy
import os
import re

import pytest

from locations import access
from tests import house
from tests.access import addresses, expected, world
from tests.access.addresses import ask, nothing_stays

OURS = [a for a in addresses.ours() if expected.about(a) or not a.parameters]
ASKED = [(address, method) for address in OURS for method in address.actions if method != "GET"]
REFUSED = {403, 404}
LOOKED_AT = {"clinic_auditentry"}  # a form shown again is read again
EVERY = os.environ.get("EVERY_VALUE")  # else each field gets a third of the values, in turn
LONG = "x" * 20_000
JSON = [
    None, "", "\0", LONG, "\ud83d\u202e", -1, 2**70, 1.5, float("nan"), True, [], {}, [{}], [None],
    "9999-12-31T23:59:59+14:00",
]  # fmt: skip
FORM = ["", "\0", LONG, "\u202e😀", "-1", "9" * 40, "1.5", "NaN", "0001-01-01", "9999-12-31", "24:61", "|", "['']"]


def leaves(body, path=()):
    """The path of every value of a body, those of lists and objects inside it too, and what stands there."""
    if path:
        yield path, body
    inside = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in inside:
        yield from leaves(value, (*path, key))


def with_other(body, path, value):
    changed = copy.deepcopy(body)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def named(path) -> str:
    return ".".join(map(str, path))


def try_one(clinics, principal, address, method, body):
    good = expected.GOOD.get(f"{method} {address.template}")
    with nothing_stays():
        if good:
            good.before(clinics.here)
        return ask(principal, method, expected.path(address, clinics.here), body)


def body_of(address, method, side):
    good = expected.GOOD.get(f"{method} {address.template}")
    if not good:
        return {}
    with nothing_stays():
        good.before(side)
        return good.body(side)


SHARES = 8  # of the addresses, so that processes can share the work and each world is built only so often


@pytest.mark.parametrize("share", range(SHARES))
def test_no_value_breaks_an_address(clinics, share):
    faults = [f"{m} {a}: {fault}" for a, m in ASKED[share::SHARES] for fault in broken_by_values(clinics, a, m)]
    assert not faults, "\n" + "\n".join(faults)


def broken_by_values(clinics, address, method):
    asked_by = [clinics.principal(access.OWNER, world.GROUP), clinics.principal(access.CLINICIAN)]
    body = body_of(address, method, clinics.here)
    allowed = [p for p in asked_by if try_one(clinics, p, address, method, body).status not in REFUSED] or asked_by
    values = JSON if address.is_api else FORM
    for number, (path, _) in enumerate(leaves(body)):
        for value in values if EVERY else values[number % 3 :: 3]:
            answer = try_one(clinics, allowed[0], address, method, with_other(body, path, value))
            yield from (f"{named(path)} = {str(value)[:40]!r}: {one}" for one in wrong(address, answer))
    if address.is_api:
        answer = try_one(clinics, allowed[0], address, method, {**body, "no_such_field": 1})
        if answer.status not in {400, *REFUSED}:
            yield f"an unknown field is answered with {answer.status}"


def wrong(address, answer):
    if answer.status >= 500:
        yield f"answers {answer.status}"
    elif address.is_api and answer.status >= 400:
        said = answer.response.json()
        if not said.get("code") or not said.get("detail"):
            yield f"says no without code and detail: {said}"
        elif answer.status == 400 and not said.get("fields") and said["code"] in ("invalid", "malformed"):
            yield f"does not name the field: {said}"


def test_what_is_another_clinics_is_refused(clinics):
    """Each id that differs between the two clinics, sent by those who work in one of them alone."""
    faults = [f"{m} {a}: {fault}" for a, m in ASKED for fault in done_with_what_is_foreign(clinics, a, m)]
    assert not faults, "\n" + "\n".join(faults)


def done_with_what_is_foreign(clinics, address, method):
    body, other = (body_of(address, method, side) for side in (clinics.here, clinics.there))
    ids, foreign = ids_of(clinics.there), dict(leaves(other))
    for path, value in leaves(body):
        if isinstance(value, dict | list) or foreign.get(path, value) == value or foreign[path] not in ids:
            continue
        for role in (access.MANAGER, access.CLINICIAN, access.DESK):
            principal = clinics.principal(role)
            if principal.reaches(address.actions[method], "here"):
                answer = try_one(clinics, principal, address, method, with_other(body, path, foreign[path]))
                if answer.status < 400 and answer.written - addresses.ANYBODYS - LOOKED_AT:
                    yield f"{named(path)} = {foreign[path]!r} as {principal} is done: {answer.written}"


def ids_of(side) -> set:
    """What names a thing of that side in a body: its key or its slug, as a number or as text."""
    things = [thing for thing in vars(side).values() if hasattr(thing, "pk")]
    named = {thing.pk for thing in things} | {getattr(thing, "slug", thing.pk) for thing in things}
    return named | {str(one) for one in named}


NAMES = sorted(
    {
        name
        for layer in house.LAYERS
        for file in (house.ROOT / layer).rglob("*.py")
        for name in re.findall(r"""(?:GET|query_params)(?:\.get|\.getlist)?[(\[]["'](\w+)["']""", file.read_text())
    }
)


@pytest.mark.parametrize("value", FORM)
def test_no_question_breaks_a_page(clinics, value):
    owner, faults = clinics.principal(access.OWNER, world.GROUP), []
    for address in OURS:
        if "GET" in address.actions:
            with nothing_stays():
                path = expected.path(address, clinics.here).split("?")[0]
                answer = ask(owner, "GET", path, dict.fromkeys(NAMES, value))
            if answer.status >= 500:
                faults.append(f"{address}: {answer.status}")
    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize("number", [0, 2**31, 2**63, 10**30])
def test_no_number_in_the_path_breaks_an_address(clinics, number):
    owner, faults = clinics.principal(access.OWNER, world.GROUP), []
    for address in OURS:
        for method in address.actions:
            if address.parameters:
                path = address.path(*([number] * len(address.parameters)))
                with nothing_stays():
                    answer = ask(owner, method, path, body_of(address, method, clinics.here))
                if answer.status >= 500:
                    faults.append(f"{method} {path}: {answer.status}")
    assert not faults, "\n" + "\n".join(faults)


def test_the_names_of_questions_are_found():
    assert {"at", "limit", "patient"} <= set(NAMES)
