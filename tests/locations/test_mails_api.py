"""Quiet hours and mail rules by the API: what holds where, setting it, and what is refused by name."""

import pytest

from clinic.models import AuditEntry
from locations import mail_hours, mail_rules
from tests import make

HOURS, RULES = "/api/v1/quiet-hours/", "/api/v1/mail-rules/"
KIND = "re-evaluation-due"


@pytest.fixture
def manager(atlanta):
    return make.user("manager", atlanta)


@pytest.fixture
def head(db):
    return make.user("manager")


def test_hours_are_told_as_they_hold_at_each_clinic(api, head, atlanta, marietta):
    api(head).post(HOURS, {"quiet_from": "21:00", "quiet_until": "07:30"})
    api(head).post(HOURS, {"location": "marietta", "quiet_from": "18:00", "quiet_until": "09:00"})

    told = [(one["location"], one["quiet_from"], one["is_own"]) for one in api(head).get(HOURS).json()]

    assert told == [(None, "21:00", False), ("atlanta", "21:00", False), ("marietta", "18:00", True)]
    assert AuditEntry.objects.filter(action="mail_hours.set").count() == 2


def test_hours_of_a_clinic_are_taken_back(api, manager, atlanta):
    api(manager).post(HOURS, {"location": "atlanta", "quiet_from": "18:00", "quiet_until": "09:00"})

    answer = api(manager).post(HOURS, {"location": "atlanta", "forget": True})

    assert (answer.status_code, answer.json()["is_own"]) == (200, False)
    assert answer.json()["quiet_from"] == f"{mail_hours.QUIET_FROM:%H:%M}"


def test_a_rule_is_set_for_a_clinic_and_told(api, head, atlanta):
    answer = api(head).post(RULES, {"location": "atlanta", "kind": KIND, "is_on": False, "number": 5})

    assert answer.json()["is_own"] is True
    told = {(one["location"], one["kind"]): one for one in api(head).get(RULES).json()}
    assert len(told) == 2 * len(mail_rules.kinds())
    assert (told["atlanta", KIND]["is_on"], told["atlanta", KIND]["number"]) == (False, 5)
    assert told[None, KIND]["is_on"] is True


def test_a_rule_of_a_clinic_is_taken_back(api, manager, atlanta):
    api(manager).post(RULES, {"location": "atlanta", "kind": KIND, "is_on": False, "number": 5})

    answer = api(manager).post(RULES, {"location": "atlanta", "kind": KIND, "forget": True})

    assert (answer.json()["is_own"], answer.json()["is_on"]) == (False, True)


def test_a_manager_of_one_clinic_sees_and_sets_that_one(api, manager, atlanta, marietta):
    told = [{one["location"] for one in api(manager).get(address).json()} for address in (HOURS, RULES)]
    refused = [
        api(manager).post(HOURS, {**given, "quiet_from": "21:00", "quiet_until": "07:00"}).status_code
        for given in ({}, {"location": "marietta"}, {"location": "nowhere"})
    ]

    assert told == [{"atlanta"}] * 2
    assert refused == [403, 404, 404]


@pytest.mark.parametrize(
    ("address", "given", "field"),
    [
        (HOURS, {"location": "atlanta"}, "quiet_from"),
        (HOURS, {"forget": True}, "location"),
        (HOURS, {"quiet_from": "25:00", "quiet_until": "07:00"}, "quiet_from"),
        (HOURS, {"quiet_from": "08:00", "quiet_until": "07:00"}, "quiet_until"),
        (HOURS, {"quiet_from": "21:00", "quiet_until": "07:00", "zone": "x"}, "zone"),
        (RULES, {"kind": "spam", "is_on": True, "number": 1}, "kind"),
        (RULES, {"kind": KIND, "is_on": True}, "number"),
        (RULES, {"kind": KIND, "is_on": True, "number": 99999999999999999999}, "number"),
        (RULES, {"kind": KIND, "is_on": "perhaps", "number": 1}, "is_on"),
        (RULES, {"kind": KIND, "forget": True}, "location"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(api, head, atlanta, address, given, field):
    answer = api(head).post(address, given)

    assert answer.status_code == 400
    assert field in answer.json()["fields"]
