import os
import shutil

import pytest
from rest_framework.test import APIClient

from tests import make

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_runtest_setup(item):
    """Without a Chromium the browser tests say so; `REQUIRE_BROWSER=1` makes that a failure."""
    if item.get_closest_marker("browser") and not CHROMIUM:
        reason = "no Chromium on this machine"
        pytest.fail(reason) if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip(reason)


@pytest.fixture
def atlanta(db):
    return make.location("atlanta")


@pytest.fixture
def marietta(db):
    return make.location("marietta")


@pytest.fixture
def nashville(db):
    return make.location("nashville", "America/Chicago")


@pytest.fixture
def chiro(atlanta):
    """A chiropractor of Atlanta (a Practitioner; `chiro.user` signs in)."""
    return make.practitioner(atlanta, name="Robin Sample")


@pytest.fixture
def desk(atlanta):
    return make.user("desk", atlanta)


@pytest.fixture
def owner(db):
    return make.user("owner")


@pytest.fixture
def patient(atlanta):
    return make.patient(atlanta)


@pytest.fixture
def adjustment(db):
    return make.appointment_type()


@pytest.fixture
def evaluation_type(db):
    return make.evaluation_type()


@pytest.fixture
def sign_in(client):
    """`sign_in(user)` gives a Django test client signed in as that user."""

    def enter(user):
        client.force_login(user)
        return client

    return enter


@pytest.fixture
def api():
    """`api(user)` gives a REST client signed in as that user."""

    def enter(user=None):
        client = APIClient()
        if user:
            client.force_authenticate(user)
        return client

    return enter
