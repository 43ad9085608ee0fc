"""Set-up of mails on its page and by the API."""

from datetime import time

import pytest

from appointments.mails import reminder_steps
from appointments.mails.reminder_steps import Step
from appointments.models import ReminderSchedule
from locations import mail_hours, mail_rules
from tests import make

PAGE = "/setup/mails/"
API = "/api/v1/reminder-steps/"


@pytest.fixture
def manager(atlanta):
    return make.user("manager", atlanta)


def test_the_page_says_what_holds(sign_in, owner, atlanta):
    page = sign_in(owner).get(PAGE).content.decode()

    assert "Patients are reminded 2 days before, 2 hours before." in " ".join(page.split())
    assert "after a visit that was missed" in page


def test_reminders_of_a_type_are_set_and_taken_back(sign_in, owner, adjustment, atlanta):
    client = sign_in(owner)

    client.post(f"{PAGE}steps/", {"type": "adjustment", "hours_0": 72, "hours_1": 24, "unconfirmed_1": "on"})
    set_ = reminder_steps.Schedules().of(adjustment.pk, atlanta.pk)
    page = client.get(PAGE).content.decode()
    client.post(f"{PAGE}steps/", {"type": "adjustment", "forget": "1"})

    assert set_ == (Step(72), Step(24, only_unconfirmed=True))
    assert "3 days before, 24 hours before, if not confirmed" in page
    assert not ReminderSchedule.objects.exists()


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"hours_0": 24, "hours_1": 24}, None), ({"hours_0": 0}, "hours_0"), ({"unconfirmed_2": "on"}, "hours_2"),
     ({"type": "no-such", "hours_0": 24}, "type"), ({"hours_0": "soon"}, "hours_0"), ({"hours_0": "9" * 40}, "hours_0"),
    ],
)  # fmt: skip
def test_wrong_steps_are_named_and_what_was_typed_stays(sign_in, owner, typed, field):
    answer = sign_in(owner).post(f"{PAGE}steps/", typed)

    assert answer.status_code == 400
    assert (field or "__all__") in answer.context["steps"].errors
    assert not ReminderSchedule.objects.exists()


def test_a_clinic_has_hours_of_its_own_and_gives_them_up(sign_in, manager, atlanta):
    client = sign_in(manager)
    at = f"?at={atlanta.slug}"

    client.post(f"{PAGE}hours/{at}", {"quiet_from": "21:30", "quiet_until": "07:00"})
    own = mail_hours.of(atlanta)
    client.post(f"{PAGE}hours/{at}", {"forget": "1"})

    assert (own.quiet_from, own.quiet_until, own.on_open_days_only) == (time(21, 30), time(7), False)
    assert mail_hours.of(atlanta).pk is None


def test_hours_that_leave_no_day_are_refused(sign_in, owner, db):
    answer = sign_in(owner).post(f"{PAGE}hours/", {"quiet_from": "08:00", "quiet_until": "07:00"})

    assert (answer.status_code, list(answer.context["hours"].errors)) == (400, ["quiet_until"])


def rules_as(**changes):
    said = {f"{kind.name}-number": kind.number for kind in mail_rules.kinds()}
    said |= {f"{kind.name}-is_on": "on" for kind in mail_rules.kinds() if kind.is_on}
    return {**said, **changes}


def test_other_mails_are_switched_for_one_clinic_and_back(sign_in, manager, atlanta, marietta):
    client = sign_in(manager)
    off = rules_as(**{"missed-visit-number": 5})
    del off["missed-visit-is_on"]

    client.post(f"{PAGE}rules/?at={atlanta.slug}", off)
    rules = mail_rules.Rules()
    client.post(f"{PAGE}rules/?at={atlanta.slug}", {"forget": "1"})

    found = [(rules.of("missed-visit", place.pk).is_on, rules.of("missed-visit", place.pk).number)
             for place in (atlanta, marietta)]  # fmt: skip
    assert found == [(False, 5), (True, 2)]
    assert mail_rules.Rules().of("missed-visit", atlanta.pk).is_on


def test_a_number_out_of_range_is_refused(sign_in, owner):
    answer = sign_in(owner).post(f"{PAGE}rules/", rules_as(**{"missed-visit-number": 1000}))

    assert answer.status_code == 400
    assert "From 1 to 72." in answer.content.decode()


def test_a_manager_sets_their_own_clinic_and_nothing_else(sign_in, manager, marietta):
    client = sign_in(manager)

    answers = [client.post(f"{PAGE}steps/{at}", {"hours_0": 24}).status_code for at in ("", "?at=marietta")]

    assert (client.get(PAGE).status_code, answers) == (200, [404, 404])
    assert not ReminderSchedule.objects.exists()


def test_the_api_sets_lists_and_forgets(api, owner, adjustment, atlanta):
    client = api(owner)
    steps = [{"hours_before": 72, "only_unconfirmed": False}, {"hours_before": 24, "only_unconfirmed": True}]

    made = client.post(API, {"type": "adjustment", "location": "atlanta", "steps": steps})
    listed = client.get(API).json()
    gone = client.post(API, {"type": "adjustment", "location": "atlanta", "steps": None})

    assert made.status_code == 200
    assert listed == [made.json()] == [{"type": "adjustment", "location": "atlanta", "steps": steps}]
    assert (gone.status_code, client.get(API).json()) == (204, [])


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"steps": [{"hours_before": 0}]}, 400), ({"steps": [{"hours_before": 721}]}, 400),
     ({"steps": [{"hours_before": 24}, {"hours_before": 24}]}, 400), ({"steps": [], "extra": 1}, 400),
     ({"steps": [{"hours_before": 24, "x": 1}]}, 400), ({"steps": [], "type": "none"}, 404),
     ({"steps": [], "location": "none"}, 404), ({"steps": None}, 404)],
)  # fmt: skip
def test_the_api_refuses_what_makes_no_sense(api, owner, body, status):
    assert api(owner).post(API, body).status_code == status
    assert not ReminderSchedule.objects.exists()


def test_a_manager_sees_and_sets_by_the_api_what_is_theirs(api, manager, owner, atlanta, marietta):
    reminder_steps.set_steps([Step(12)], type=None, location=marietta, by=owner)
    reminder_steps.set_steps([Step(24)], type=None, location=None, by=owner)
    client = api(manager)

    listed = [one["location"] for one in client.get(API).json()]
    answers = [client.post(API, {"steps": [], **at}).status_code for at in ({}, {"location": "marietta"})]

    assert (listed, answers) == ([None], [403, 404])
