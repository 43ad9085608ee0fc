from datetime import timedelta

import pytest

from clinic import outbox, times
from clinic.models import Heartbeat


def test_healthz_needs_no_database(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readyz_says_yes_once_beat_was_heard(client, db):
    outbox.heartbeat()

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"database": True, "broker": True, "beat": True})


@pytest.mark.parametrize("minutes", [None, 6])
def test_readyz_names_a_silent_beat(client, db, minutes):
    if minutes:
        Heartbeat.objects.create(name="beat", at=times.now() - timedelta(minutes=minutes))

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (503, {"database": True, "broker": True, "beat": False})


def test_readyz_is_no_without_a_broker(client, db, settings, monkeypatch):
    outbox.heartbeat()
    monkeypatch.setattr(
        "clinic.views.celery_app.connection_for_write", lambda: (_ for _ in ()).throw(ConnectionError("refused"))
    )

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"database": True, "broker": False, "beat": True, "why": "ConnectionError"}


def test_a_heartbeat_replaces_the_one_before(db):
    outbox.heartbeat()
    outbox.heartbeat()

    assert Heartbeat.objects.count() == 1
