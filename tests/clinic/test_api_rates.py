import pytest
from django.core.cache import caches
from rest_framework.test import APIRequestFactory

from clinic import api_rates


@pytest.fixture
def clock(monkeypatch):
    """Seconds since 1970, to be set; on a full minute at first."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(api_rates._Counted, "timer", staticmethod(lambda: now[0]))
    caches["rates"].clear()
    return now


@pytest.fixture
def ask(monkeypatch):
    """Whether a request from the address is let in, three of which are allowed in a minute."""
    monkeypatch.setattr(api_rates._Counted, "get_rate", lambda _: "3/min")

    def act(address="203.0.113.5"):
        throttle = api_rates.PerAddress()
        request = APIRequestFactory().get("/", REMOTE_ADDR=address)
        request.user = None
        return throttle.allow_request(request, None) or throttle.wait()

    return act


def test_so_many_are_let_in_and_the_next_are_told_how_long(clock, ask):
    clock[0] += 20

    assert [ask() for _ in range(5)] == [True, True, True, 40, 40]


def test_the_next_minute_begins_anew(clock, ask):
    clock[0] += 59.9
    assert [ask() for _ in range(4)][:3] == [True] * 3
    assert ask() == pytest.approx(0.1)
    clock[0] += 0.2
    assert ask() is True


def test_another_address_is_another_count(clock, ask):
    assert [ask() for _ in range(4)][-1] == 60
    assert ask("203.0.113.6") is True


def test_a_request_costs_the_same_however_many_went_before(clock, ask):
    for _ in range(50):
        ask()

    assert len(str(caches["rates"].get("throttle_anon_203.0.113.5:30000000"))) == 2


def test_a_count_that_was_thrown_out_refuses_nobody(clock, ask, monkeypatch):
    monkeypatch.setattr(type(caches["rates"]), "add", lambda *_, **__: False)

    assert ask() is True


def test_the_api_answers_429(api, desk, clock, monkeypatch):
    monkeypatch.setattr(api_rates._Counted, "get_rate", lambda _: "2/min")
    client = api(desk)

    answers = [client.get("/api/v1/locations/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["code"] == "throttled"
    assert answers[-1]["Retry-After"] == "60"
