import pytest
from django.db import OperationalError
from django.test import Client

from clinic.models import User


def said(answer):
    """(status, heading, what is advised) of a page that says what went wrong."""
    page = answer.content.decode()
    heading = page.split("<h1>")[1].split("</h1>")[0]
    return answer.status_code, heading, page.split("</h1>")[1].split("<p>")[1].split("</p>")[0]


def test_an_unknown_address_says_so(client):
    status, heading, advice = said(client.get("/nowhere/"))

    assert (status, heading) == (404, "Not found")
    assert "a location you do not work at" in advice


@pytest.mark.parametrize("address", ["/my/nowhere/", "/book/nowhere/"])
def test_a_patient_is_not_told_of_locations_and_roles(client, address):
    answer = client.get(address)

    assert said(answer)[2] == "Check that the whole address was copied, or call your clinic."
    assert "Back to the start" not in answer.content.decode()


def test_an_unknown_address_of_the_api_is_json(client):
    answer = client.get("/api/v2/")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_role_without_the_right_is_told(sign_in, desk):
    assert said(sign_in(desk).get("/care-plans/new/"))[:2] == (403, "Not allowed")


def test_a_form_without_its_token_is_explained(desk):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(desk)

    status, heading, advice = said(browser.post("/patients/new/", {"given_name": "Avery"}))

    assert (status, heading) == (403, "Not accepted")
    assert "load the page anew" in advice


def test_the_page_of_a_fault_needs_no_database(sign_in, desk, monkeypatch):
    client = sign_in(desk)
    client.raise_request_exception = False

    def gone(*_, **__):
        raise OperationalError("the database is away")

    monkeypatch.setattr(type(User.objects), "get_queryset", gone)

    assert said(client.get("/"))[:2] == (500, "Something went wrong")


def test_signing_in_too_often_is_explained(client, db, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}

    answers = [client.post("/accounts/login/", {"login": "x@example.org", "password": "y"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert said(answers[-1])[1] == "Too many tries"
