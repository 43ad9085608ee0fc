from datetime import timedelta

import pytest

from clinic import heartbeats, times
from clinic.models import Heartbeat

GOOD = {"database": True, "broker": True, "beat": True, "worker": True, "clock": True}


@pytest.fixture
def alive(db):
    for name in (heartbeats.BEAT, heartbeats.WORKER):
        heartbeats.note(name)


def test_healthz_needs_no_database(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readyz_says_yes_once_beat_and_a_worker_were_heard(client, alive):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, GOOD)


@pytest.mark.parametrize("name", [heartbeats.BEAT, heartbeats.WORKER])
@pytest.mark.parametrize("minutes", [None, 6])
def test_readyz_names_who_is_silent(client, alive, name, minutes):
    Heartbeat.objects.filter(name=name).delete()
    if minutes:
        heartbeats.note(name, times.now() - timedelta(minutes=minutes))

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (503, {**GOOD, name: False})


def test_readyz_is_no_without_a_broker(client, alive, monkeypatch):
    monkeypatch.setattr(
        "clinic.views.celery_app.connection_for_write", lambda: (_ for _ in ()).throw(ConnectionError("refused"))
    )

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {**GOOD, "broker": False, "why": "ConnectionError"}


def test_a_heartbeat_replaces_the_one_before(db):
    heartbeats.note("beat")
    heartbeats.note("beat")

    assert Heartbeat.objects.count() == 1


LASTS = timedelta(minutes=3)


def test_of_two_beats_one_counts_until_it_is_silent_or_leaves(db):
    with times.as_of(start := times.now()):
        first = [heartbeats.hold("beat", who, lasts=LASTS) for who in ("one", "two", "one")]
    with times.as_of(start + timedelta(minutes=4)):
        taken = [heartbeats.hold("beat", who, lasts=LASTS) for who in ("two", "one")]
        heartbeats.let_go("beat", "one")
        kept = heartbeats.hold("beat", "one", lasts=LASTS)
        heartbeats.let_go("beat", "two")
        left = heartbeats.hold("beat", "one", lasts=LASTS)

    assert (first, taken, kept, left) == ([True, False, True], [True, False], False, True)


def test_a_sign_from_the_future_holds_nobody_up(db):
    with times.as_of(times.now() + timedelta(hours=1)):
        heartbeats.hold("beat", "fast clock", lasts=LASTS)

    assert heartbeats.hold("beat", "right clock", lasts=LASTS)
