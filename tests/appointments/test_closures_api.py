"""Closures and weekly hours by the API: what they hit is answered first, and nothing changes until it is confirmed."""

from datetime import timedelta

import pytest
import time_machine

from appointments import booking
from appointments.availability import Slot
from appointments.models import Appointment, Offer, WeeklyHours
from appointments.waiting import offers, waitlist
from clinic.models import AuditEntry
from locations.models import Closure
from tests import make
from tests.make import MONDAY, at

CLOSURES, HOURS = "/api/v1/closures/", "/api/v1/working-hours/"
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(at(9, day=MONDAY - timedelta(days=4)), tick=False) as travel:
        yield travel


@pytest.fixture
def offer(atlanta, chiro, adjustment):
    waits = waitlist.add(
        make.patient(atlanta, given="Ann"), waitlist.Asked(adjustment, [atlanta]), by=None, by_whom="patient"
    )
    return offers.make([waits], Slot(at(11), at(11, 15), atlanta, chiro), minutes=60, by_whom="waitlist")[0]


def closing(**given):
    return {"reason": "Snow", "starts_on": f"{MONDAY}", "locations": ["atlanta"], **given}


def week(chiro, *hours, **given):
    return {"practitioner": chiro.pk, "location": "atlanta", "from_day": f"{MONDAY}", "hours": list(hours), **given}


def post(client, address, body, **headers):
    return client.post(address, body, format="json", headers=headers)


def test_a_closure_is_refused_with_what_is_in_the_way(api, owner, visit, offer):
    answer = post(api(owner), CLOSURES, closing())

    said = answer.json()
    assert (answer.status_code, said["code"]) == (409, "in_the_way")
    assert said["detail"] == (
        "Nothing was changed: 1 visit to move and 1 offer to take back. Send it again with `confirm`."
    )
    assert [row["id"] for row in said["in_the_way"]["visits"]] == [visit.pk]
    assert [row["id"] for row in said["in_the_way"]["offers"]] == [offer.pk]
    assert not Closure.objects.exists()
    assert not AuditEntry.objects.filter(action__in=["closure.made", "waitlist.withdrawn"]).exists()
    assert Offer.objects.get().answer == ""


def test_confirmed_it_closes_and_says_what_it_hit(api, owner, visit, offer):
    answer = post(api(owner), CLOSURES, closing(confirm=True))

    said = answer.json()
    closure = Closure.objects.get()
    assert answer.status_code == 201
    assert said["closures"] == [
        {"id": closure.pk, "location": {"slug": "atlanta", "name": "Atlanta"}, "starts_on": "2027-01-04",
         "ends_on": "2027-01-04", "reason": "Snow"}
    ]  # fmt: skip
    assert [row["id"] for row in said["visits"]] == [visit.pk]
    assert [row["answer"] for row in said["offers"]] == [""]  # as they were found
    assert Offer.objects.get().answer == "withdrawn"
    assert Appointment.objects.get().status == "booked"


def test_where_nothing_is_hit_nothing_need_be_confirmed(api, owner, visit):
    body = closing(starts_on=f"{MONDAY + WEEK}", ends_on=f"{MONDAY + WEEK + timedelta(1)}", locations=None)

    answer = post(api(owner), CLOSURES, body)

    assert answer.status_code == 201
    assert (answer.json()["closures"][0]["location"], answer.json()["visits"]) == (None, [])


def test_a_repeat_with_the_same_key_closes_once(api, owner, atlanta):
    answers = [post(api(owner), CLOSURES, closing(), **{"Idempotency-Key": "one"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Closure.objects.count() == 1


def test_the_list_and_the_way_back(api, owner, atlanta, nashville):
    Closure.objects.create(starts_on=MONDAY, ends_on=MONDAY, reason="Holiday")
    here = Closure.objects.create(location=atlanta, starts_on=MONDAY + WEEK, ends_on=MONDAY + WEEK, reason="Paint")
    Closure.objects.create(location=nashville, starts_on=MONDAY, ends_on=MONDAY, reason="Flood")
    Closure.objects.create(location=atlanta, starts_on=MONDAY - WEEK, ends_on=MONDAY - WEEK, reason="Over")
    manager = api(make.user("manager", atlanta))

    def listed(client, query=""):
        return [row["reason"] for row in client.get(CLOSURES + query).json()["results"]]

    assert listed(api(owner)) == ["Holiday", "Flood", "Paint"]
    assert listed(api(owner), "?location=atlanta") == ["Holiday", "Paint"]
    assert listed(manager) == ["Holiday", "Paint"]
    assert manager.get(f"{CLOSURES}?location=nashville").status_code == 400
    assert post(manager, f"{CLOSURES}{here.pk}/take-back/", {}).status_code == 204
    assert listed(manager) == ["Holiday"]
    assert post(manager, f"{CLOSURES}{Closure.objects.get(reason='Flood').pk}/take-back/", {}).status_code == 404
    assert post(manager, f"{CLOSURES}{Closure.objects.get(reason='Holiday').pk}/take-back/", {}).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"starts_on": "soon"}, "starts_on"),
        ({"starts_on": "0001-01-01"}, "starts_on"),
        ({"starts_on": "2020-01-01"}, "ends_on"),
        ({"ends_on": "2027-01-03"}, "ends_on"),
        ({"ends_on": "2027-12-03"}, "ends_on"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"reason": "a\nb"}, "reason"),
        ({"locations": []}, "locations"),
        ({"locations": ["nowhere"]}, "locations"),
        ({"locations": "atlanta"}, "locations"),
        ({"confirm": "perhaps"}, "confirm"),
        ({"agreed": [1]}, "agreed"),
    ],
)
def test_a_wrong_closure_names_the_field(wrong, field, api, owner, atlanta):
    answer = post(api(owner), CLOSURES, closing(**wrong))

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert not Closure.objects.exists()


def test_what_is_missing_is_named_too(api, owner, atlanta):
    assert set(post(api(owner), CLOSURES, {}).json()["fields"]) == {"reason", "starts_on", "locations"}
    assert set(post(api(owner), HOURS, {}).json()["fields"]) == {"practitioner", "location", "from_day", "hours"}


def test_a_manager_closes_her_clinics_only(api, atlanta, nashville):
    manager = api(make.user("manager", atlanta))

    assert post(manager, CLOSURES, closing(locations=["nashville"])).json()["fields"] == {
        "locations": "There is none such."
    }
    assert post(manager, CLOSURES, closing(locations=None)).status_code == 403


def test_weekly_hours_that_leave_visits_and_offers_out_are_refused_with_them(api, owner, chiro, visit, offer):
    afternoon = {"weekday": 0, "starts": "13:00", "ends": "17:00"}

    said = post(api(owner), HOURS, week(chiro, afternoon)).json()

    assert said["code"] == "in_the_way"
    assert [row["id"] for row in said["in_the_way"]["visits"]] == [visit.pk]
    assert [row["id"] for row in said["in_the_way"]["offers"]] == [offer.pk]
    assert not WeeklyHours.objects.exclude(valid_until=None).exists()
    done = post(api(owner), HOURS, week(chiro, afternoon, confirm=True))
    assert done.status_code == 201
    assert [(row["weekday"], row["starts"], row["valid_from"]) for row in done.json()["hours"]] == [
        (0, "13:00", "2027-01-04")
    ]
    assert Offer.objects.get().answer == "withdrawn"


def test_visits_that_lay_outside_already_are_in_nobodys_way(api, owner, chiro, atlanta, visit):
    WeeklyHours.objects.filter(weekday=0).delete()

    assert post(api(owner), HOURS, week(chiro, {"weekday": 1, "starts": "09:00", "ends": "17:00"})).status_code == 201


def test_no_hours_end_them_and_hours_of_every_second_week_begin(api, owner, chiro, atlanta):
    client = api(owner)
    every_second = {"weekday": 2, "starts": "22:00", "ends": "02:00", "ends_next_day": True, "every_weeks": 2,
                    "first_week": 2}  # fmt: skip

    assert post(client, HOURS, week(chiro)).json()["hours"] == []
    listed = client.get(f"{HOURS}?practitioner={chiro.pk}&location=atlanta").json()["results"]
    assert {row["valid_until"] for row in listed} == {f"{MONDAY - timedelta(1)}"}
    (row,) = post(client, HOURS, week(chiro, every_second)).json()["hours"]

    assert (row["ends_next_day"], row["every_weeks"], row["valid_from"]) == (True, 2, f"{MONDAY + WEEK}")
    assert row["time_zone"] == "America/New_York"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"practitioner": 10**6}, "practitioner"),
        ({"practitioner": "1"}, "practitioner"),
        ({"location": "nowhere"}, "location"),
        ({"from_day": "2035-01-01"}, "from_day"),
        ({"from_day": "2027-02-30"}, "from_day"),
        ({"hours": [{"weekday": 7, "starts": "09:00", "ends": "10:00"}]}, "hours.0.weekday"),
        ({"hours": [{"weekday": 0, "starts": "9 o'clock", "ends": "10:00"}]}, "hours.0.starts"),
        ({"hours": [{"weekday": 0, "starts": "09:00+05:00", "ends": "10:00"}]}, "hours.0.starts"),
        ({"hours": [{"weekday": 0, "starts": "09:00Z", "ends": "10:00"}]}, "hours.0.starts"),
        ({"hours": [{"weekday": 0, "starts": "09:00", "ends": "10:00:40"}]}, "hours.0.ends"),
        ({"hours": [{"weekday": 0, "starts": "10:00", "ends": "09:00"}]}, "hours"),
        ({"hours": [{"weekday": 0, "starts": "09:00", "ends": "10:00", "first_week": 2}]}, "hours"),
        ({"hours": [{"weekday": 0, "starts": "09:00", "ends": "10:00", "every_weeks": 9}]}, "hours.0.every_weeks"),
        ({"hours": [{"weekday": 0, "starts": "09:00", "ends": "11:00"}] * 2}, "hours"),
        ({"hours": {}}, "hours"),
        ({"until": "2027-01-01"}, "until"),
    ],
)
def test_wrong_hours_name_the_field(wrong, field, api, owner, chiro):
    before = list(WeeklyHours.objects.values())

    answer = post(api(owner), HOURS, week(chiro, **wrong) if "hours" not in wrong else {**week(chiro), **wrong})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert list(WeeklyHours.objects.values()) == before


def test_hours_at_another_clinic_are_in_the_way_by_name(api, owner, chiro, atlanta, marietta):
    body = week(chiro, {"weekday": 0, "starts": "10:00", "ends": "11:00"}, location="marietta")

    said = post(api(owner), HOURS, body).json()

    assert said["code"] == "overlapping_hours"
    assert "at Atlanta" in said["fields"]["hours"]


def test_who_sets_no_hours_there_sees_and_sets_none(api, chiro, atlanta, nashville):
    elsewhere = api(make.user("manager", nashville))

    assert elsewhere.get(HOURS).json()["results"] == []
    assert post(elsewhere, HOURS, week(chiro)).status_code == 400
    assert post(api(make.user("desk", atlanta)), HOURS, week(chiro)).status_code == 403
    mine = api(chiro.user)
    assert {row["practitioner"]["id"] for row in mine.get(HOURS).json()["results"]} == {chiro.pk}
    assert post(mine, HOURS, week(chiro)).status_code == 201


def test_the_lists_ask_as_much_for_many_as_for_one(api, owner, atlanta, django_assert_max_num_queries):
    for n in range(5):
        make.practitioner(atlanta)
        Closure.objects.create(location=atlanta, starts_on=MONDAY + n * WEEK, ends_on=MONDAY + n * WEEK, reason="x")

    for address in (CLOSURES, HOURS):
        with django_assert_max_num_queries(7):
            assert len(api(owner).get(address).json()["results"]) >= 5


def test_both_are_in_the_description_of_the_api(client, owner):
    client.force_login(owner)

    paths = client.get("/api/schema/?format=json").json()["paths"]

    assert {"get", "post"} <= set(paths[CLOSURES])
    assert {"get", "post"} <= set(paths[HOURS])
    (take_back,) = [methods for path, methods in paths.items() if path.startswith(CLOSURES) and "take-back" in path]
    assert set(take_back) == {"post"}


def test_moving_the_visits_first_leaves_nothing_in_the_way(api, owner, visit, desk):
    booking.reschedule(visit, starts_at=at(10, day=MONDAY + WEEK), by=desk)

    assert post(api(owner), CLOSURES, closing()).status_code == 201
