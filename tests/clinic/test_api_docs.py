import pytest
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats

from clinic import api_docs
from clinic.urls import router

WRITES = {"post": "create", "patch": "partial_update", "put": "update", "delete": "destroy"}


def writing_actions(endpoint):
    """Names of the actions that may read a body."""
    own = {name for a in endpoint.get_extra_actions() for method, name in a.mapping.items() if method in WRITES}
    return own | {name for name in WRITES.values() if name != "destroy" and hasattr(endpoint, name)}


@pytest.mark.parametrize(("prefix", "endpoint"), [(prefix, endpoint) for prefix, endpoint, _ in router.registry])
def test_every_endpoint_says_what_it_takes(prefix, endpoint):
    assert set(getattr(endpoint, "takes", {})) == writing_actions(endpoint)


def test_the_schema_is_made_without_a_guess():
    reset_generator_stats()
    api_docs.groups.cache_clear()

    groups = api_docs.groups()

    assert not GENERATOR_STATS, list(GENERATOR_STATS._warn_cache)
    assert {"appointments", "availability", "patients"} <= {group.name for group in groups}


def test_a_body_is_that_of_its_own_action():
    found = {(o.method, o.path): o for group in api_docs.groups() for o in group.operations}

    cancel = found["POST", "/api/v1/appointments/{id}/cancel/"]
    book = found["POST", "/api/v1/appointments/"]

    assert [f.name for f in cancel.body] == ["reason", "expected_sequence"]
    assert {f.name: f.kind for f in book.body}["starts_at"] == "date-time"
    assert book.statuses == ["201"]
    sign = found["POST", "/api/v1/evaluations/{id}/sign/"]
    assert [(f.name, f.is_required) for f in sign.body] == [("version", False)]


def test_page_shows_every_operation_and_loads_nothing_from_elsewhere(client):
    page = client.get("/api/docs/").content.decode()

    assert page.count('<details class="operation">') == sum(len(group.operations) for group in api_docs.groups())
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
