from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.urls import URLPattern, get_resolver, path, reverse

from clinic import policy
from clinic.policy import requires
from locations import access
from tests import house
from tests.access import addresses, expected

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
KNOWN = {*access.TABLE, policy.PUBLIC, policy.LINK, policy.SERVICE, policy.SIGNED_IN}
# Rows that rules ask about inside an address which declares another row, or about what has no page of its own yet.
RULES_ONLY = {"appointment.override"}


def walk(patterns, namespace=""):
    """(name in the resolver, pattern) of every address, includes followed."""
    for entry in patterns:
        if isinstance(entry, URLPattern):
            yield f"{namespace}{entry.name}", entry
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from walk(entry.url_patterns, inner)


def is_endpoint(view):
    return hasattr(getattr(view, "cls", None), "policies")


def declarations(name, view):
    """What the address declares, as {method or action: declaration}; None where it declares nothing."""
    if is_endpoint(view):
        actions = (getattr(view, "actions", None) or {}).values() or [
            m.lower() for m in METHODS if hasattr(view.cls, m.lower()) and m != "OPTIONS"
        ]
        return {action: view.cls.policies.get(action) for action in actions}
    return {m: policy.declared(view, m) or access.THIRD_PARTY.get(name) for m in METHODS}


def is_ours(view):
    return getattr(view, "cls", view).__module__.split(".")[0] in house.LAYERS


def undeclared(patterns):
    """Sentences about addresses of ours without a declaration, and about any declaration that means nothing."""
    wrong = []
    for name, entry in walk(patterns):
        for method, declared in declarations(name, entry.callback).items():
            if declared is None and is_ours(entry.callback):
                wrong.append(f"{name} ({entry.pattern}) declares nothing for {method}")
            elif declared is not None and declared not in KNOWN:
                wrong.append(f"{name} ({entry.pattern}) declares {declared} for {method}, which is no row of the table")
    return wrong


ADDRESSES = list(walk(get_resolver().url_patterns))
WITHOUT_PARAMETERS = sorted({n for n, entry in ADDRESSES if entry.name and not entry.pattern.converters
                             and "(?P" not in str(entry.pattern)})  # fmt: skip


def audience(name):
    found = set()
    for other, entry in ADDRESSES:
        if other == name:
            found |= set(declarations(other, entry.callback).values())
    return found


def test_every_address_declares_who_may_use_it():
    wrong = undeclared(get_resolver().url_patterns)

    assert not wrong, "\n" + "\n".join(wrong)


def test_every_address_is_expected():
    """What `tests/access` has to know to try it: which thing it is about."""
    unknown = [
        f"{address}: say in tests/access/expected.py, ABOUT, which thing it is about"
        for address in addresses.ours()
        if address.parameters and expected.about(address) is None
    ]
    known = {f"{method} {address.template}" for address in addresses.ours() for method in address.actions}
    gone = [f"{one}: there is no such address any more, take it out of GOOD" for one in set(expected.GOOD) - known]

    assert not unknown + gone, "\n" + "\n".join(unknown + gone)


def test_every_good_request_is_known(clinics):
    """What takes a POST or the like has to be tried with something good, else a refusal proves nothing."""
    unknown = []
    for address in addresses.ours():
        for method in set(address.actions) - {"GET"}:
            if f"{method} {address.template}" in expected.GOOD or (address.parameters and not expected.about(address)):
                continue
            allowed = [p for p in clinics.principals if p.user and p.reaches(address.actions[method], "here")]
            with addresses.nothing_stays():
                answer = addresses.ask(allowed[0], method, expected.path(address, clinics.here))
            if answer.status != 405:
                unknown.append(f"{method} {address}: say in tests/access/expected.py, GOOD, what a good request holds")

    assert not unknown, "\n" + "\n".join(unknown)


def test_third_party_addresses_are_declared_with_known_rows_and_exist():
    names = {name for name, _ in ADDRESSES}

    assert set(access.THIRD_PARTY.values()) <= KNOWN
    assert set(access.THIRD_PARTY) - names == set()


def test_every_row_of_the_table_is_used():
    used = set().union(*(audience(name) for name in {name for name, _ in ADDRESSES}))

    assert set(access.TABLE) - used - RULES_ONLY == set()
    assert used & RULES_ONLY == set()


@pytest.mark.parametrize("name", WITHOUT_PARAMETERS)
def test_a_stranger_sees_only_what_is_public(client, db, name):
    declared = audience(name)
    address = reverse(name)

    answer = client.get(address)

    if declared & {policy.PUBLIC, policy.LINK}:
        assert answer.status_code != 500  # readyz may say 503
    elif declared == {None}:
        assert answer.status_code == 404
    elif address.startswith(("/api/", "/fhir/")):
        assert answer.status_code in {401, 403, 404, 405}
    else:
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))


def test_a_view_without_a_declaration_is_caught():
    def bare(request):
        return HttpResponse()

    bare.__module__ = "patients.views"

    assert len(undeclared([path("bare/", bare, name="bare")])) == len(METHODS)


def test_a_method_without_a_declaration_is_caught():
    def half(request):
        return HttpResponse()

    half.__module__ = "patients.views"
    half.policy = {"GET": "patient.read"}

    wrong = undeclared([path("half/", half, name="half")])

    assert [sentence.split()[-1] for sentence in wrong] == [m for m in METHODS if m != "GET"]


def test_an_invented_row_is_caught():
    @requires("patient.devour")
    def invented(request):
        return HttpResponse()

    invented.__module__ = "patients.views"

    assert "no row of the table" in undeclared([path("invented/", invented, name="invented")])[0]


def test_an_endpoint_action_without_a_policy_is_caught():
    def endpoint(request):
        return HttpResponse()

    endpoint.cls = SimpleNamespace(policies={"list": "patient.search"}, __module__="patients.api")
    endpoint.actions = {"get": "list", "post": "create"}

    assert undeclared([path("rows/", endpoint, name="rows")]) == ["rows (rows/) declares nothing for create"]


def test_an_undeclared_view_is_refused_at_run_time(rf, owner):
    def bare(request):
        return HttpResponse("secret")

    request = rf.get("/bare/")
    request.user = owner
    request.resolver_match = SimpleNamespace(view_name="bare")

    with pytest.raises(access.Http404):
        access.AccessMiddleware(bare).process_view(request, bare, (), {})
