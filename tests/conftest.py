import logging
import os
import shutil
import threading
from importlib import import_module

import pytest
import time_machine
from django.db import connection
from hypothesis import HealthCheck, settings
from rest_framework.test import APIClient

from tests import make
from tests.access import world

# A busy machine is slow, not wrong: no test fails by the clock.
settings.register_profile("atlas", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("gate", settings.get_profile("atlas"), derandomize=True)  # says the same of the same tree
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "atlas"))

PROTECTED = [
    import_module(name)
    for name in (
        "patients.protection", "evaluations.protection", "evaluations.flag_protection", "evaluations.note_protection",
        "evaluations.withdrawal_protection", "careplans.protection",
    )
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def pytest_runtest_setup(item):
    """Without a Chromium the browser tests say so; `REQUIRE_BROWSER=1` makes that a failure."""
    if item.get_closest_marker("browser") and not CHROMIUM:
        reason = "No Chromium was found; install one or name it in CHROMIUM."
        pytest.fail(reason) if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip(reason)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """A page that was closed or a process that was killed may leave a session behind, and PostgreSQL drops no database
    that somebody still uses.
    """
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )


@pytest.fixture
def that_morning():
    """It is eight o'clock on the day of the visits, in Atlanta."""
    with time_machine.travel(make.at(8), tick=False):
        yield


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
def clinics(db, monkeypatch):
    """Two clinics and everybody, to be asked a thousand things. Refusals are the point of it, so none is logged."""
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    return world.build()


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


@pytest.fixture(autouse=True)
def signed_rows_can_be_cleared(request):
    """After a test with real transactions the tables are emptied, which the triggers refuse: lift them. Only tests can:
    the product has no way to switch them off.
    """
    marker = request.node.get_closest_marker("django_db")
    asks = {"transactional_db", "live_server"} & set(request.fixturenames)
    if not (asks or (marker and marker.kwargs.get("transaction"))):
        yield
        return
    request.getfixturevalue("transactional_db")
    blocker = request.getfixturevalue("django_db_blocker")
    yield
    _end_of_requests()
    with blocker.unblock(), connection.schema_editor() as editor:
        for layer in PROTECTED:
            layer.remove(editor)
    request.node.lifted_by = blocker


def _end_of_requests(seconds=30):
    """A page closed in the middle of a save leaves its request running, which would meet the emptying of the tables."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:  # of the live server
            thread.join(seconds)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """The triggers return once every fixture of the test has ended, the emptying of the tables included."""
    try:
        return (yield)
    finally:
        blocker = getattr(item, "lifted_by", None)
        if blocker and nextitem:  # after the last test the database itself is gone
            with blocker.unblock(), connection.schema_editor() as editor:
                for layer in PROTECTED:
                    layer.install(editor)
