from datetime import timedelta

import pytest
import time_machine

from appointments.models import Appointment, Offer, WaitlistEntry
from appointments.waiting import offers
from appointments.wishes import PARTS, Wishes
from tests import make
from tests.make import MONDAY, at

NOW = at(9, day=MONDAY - timedelta(days=4))
LIST = "/api/v1/waitlist/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


def where(chiro, hour=10, **more):
    return {"starts_at": at(hour).isoformat(), "practitioner": chiro.pk, "location": "atlanta", **more}


def test_a_patient_is_put_on_the_list_once_whatever_is_repeated(api, desk, patient, adjustment, atlanta, chiro):
    body = {
        "patient": patient.pk, "type": "adjustment", "locations": ["atlanta"], "practitioners": [chiro.pk],
        "weekdays": [2, 0], "windows": [["00:00", "12:00"]], "urgency": "urgent", "note": "Rings back",
        "until_day": "2027-02-01",
    }  # fmt: skip
    answers = [api(desk).post(LIST, body, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    found, entry = answers[0].json(), WaitlistEntry.objects.get()
    assert entry.as_wishes == Wishes((0, 2), (PARTS["mornings"],))
    assert found == {
        "id": entry.pk, "patient": {"id": patient.pk, "name": "Avery Testerson"}, "type": "adjustment",
        "urgency": "urgent", "locations": ["atlanta"], "practitioners": [chiro.pk], "weekdays": [0, 2],
        "windows": [["00:00", "12:00"]], "from_day": "2026-12-31", "until_day": "2027-02-01", "sooner_than": None,
        "note": "Rings back", "added_at": "2026-12-31T09:00:00-05:00", "by": desk.full_name, "outcome": "",
        "why": "urgent, waiting since today, asked for Atlanta, Robin Sample, DC, Mondays and Wednesdays, mornings",
        "appointment": None, "offers": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": "none"}, "type"),
        ({"type": None}, "type"),
        ({"locations": ["nowhere"]}, "locations"),
        ({"practitioners": [987654]}, "practitioners"),
        ({"practitioners": ["1"]}, "practitioners.0"),
        ({"weekdays": [7]}, "weekdays.0"),
        ({"windows": [["09:00"]]}, "windows.0"),
        ({"windows": [["12:00", "09:00"]]}, "windows"),
        ({"urgency": "soonish"}, "urgency"),
        ({"until_day": "9999-12-31"}, "until_day"),
        ({"from_day": "2027-02-30"}, "from_day"),
        ({"sooner_than": 987654}, "sooner_than"),
        ({"near": "atlanta"}, "within"),
        ({"within": 30}, "near"),
        ({"near": "atlanta", "within": -1}, "within"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_refusal_names_the_field(api, desk, patient, adjustment, chiro, wrong, field):
    answer = api(desk).post(LIST, {"patient": patient.pk, "type": "adjustment"} | wrong)

    assert (answer.status_code, answer.json()["code"], [*answer.json()["fields"]]) == (400, "invalid", [field])
    assert not WaitlistEntry.objects.exists()


def test_near_and_within_name_the_clinics(api, atlanta, marietta, adjustment, patient):
    make.travel(atlanta, marietta, 35)
    both = make.user("desk", atlanta, marietta)
    make.location("augusta")

    found = api(both).post(LIST, {"patient": patient.pk, "type": "adjustment", "near": "atlanta", "within": 35})
    fewer = api(both).patch(f"{LIST}{found.json()['id']}/", {"near": "atlanta", "within": 34})

    assert found.json()["locations"] == ["atlanta", "marietta"]
    assert fewer.json()["locations"] == ["atlanta"]


def test_a_change_leaves_the_rest_as_it_is(api, desk, waits, chiro):
    entry = waits("Ann", wishes=Wishes((0,), (PARTS["mornings"],)), practitioners=[chiro], note="Stays", urgency=2)

    answer = api(desk).patch(f"{LIST}{entry.pk}/", {"weekdays": [1], "urgency": "soon"})

    said = answer.json()
    assert (said["weekdays"], said["windows"], said["urgency"]) == ([1], [["00:00", "12:00"]], "soon")
    assert (said["note"], said["practitioners"], said["locations"]) == ("Stays", [chiro.pk], ["atlanta"])


def test_the_list_is_in_order_and_narrowed(api, desk, waits):
    ann, ben = waits("Ann"), waits("Ben", urgency=2)

    def ids(**query):
        return [one["id"] for one in api(desk).get(LIST, query).json()["results"]]

    assert ids() == [ben.pk, ann.pk]
    assert ids(urgency="urgent") == [ben.pk]
    assert ids(patient=ann.patient_id, location="atlanta", type="adjustment") == [ann.pk]
    assert ids(state="offered") == []
    assert api(desk).get(LIST, {"state": "x"}).json()["fields"] == {"state": "One of waiting, offered, closed."}
    assert [*api(desk).get(LIST, {"urgency": "x", "patient": "1"}).json()["fields"]] == ["urgency"]
    assert [*api(desk).get(LIST, {"patient": "x"}).json()["fields"]] == ["patient"]


def test_of_a_few_the_first_to_accept_has_it(api, desk, waits, chiro):
    ann, ben = waits("Ann"), waits("Ben")

    soonest = api(desk).get(f"{LIST}{ann.pk}/times/", {"limit": 1}).json()["slots"]
    made = api(desk).post(f"{LIST}{ann.pk}/offers/", where(chiro, minutes=30, also=[ben.pk])).json()["offers"]
    first = api(desk).post(f"/api/v1/offers/{made[1]['id']}/accept/", {})
    again = api(desk).post(f"/api/v1/offers/{made[1]['id']}/accept/", {})
    late = api(desk).post(f"/api/v1/offers/{made[0]['id']}/accept/", {})

    assert soonest[0]["starts_at"] == "2026-12-31T09:15:00-05:00"
    assert [one["is_standing"] for one in made] == [True, True]
    assert made[0]["expires_at"] == (NOW + offers.GRACE + timedelta(minutes=30)).isoformat()
    assert (first.status_code, again.json()) == (200, first.json())
    assert (late.status_code, late.json()["code"]) == (409, "offer_gone")
    answers = {one["entry"]: one["answer"] for one in api(desk).get("/api/v1/offers/").json()["results"]}
    assert answers == {ann.pk: "taken", ben.pk: "accepted"}
    assert Appointment.objects.count() == 1


def test_an_offer_is_declined_or_taken_back(api, desk, waits, chiro):
    ann, ben = waits("Ann"), waits("Ben")
    for entry, hour in ((ann, 10), (ben, 11)):
        api(desk).post(f"{LIST}{entry.pk}/offers/", where(chiro, hour))
    first, second = Offer.objects.order_by("pk")

    assert api(desk).post(f"/api/v1/offers/{first.pk}/decline/", {}).json()["answer"] == "declined"
    assert api(desk).post(f"/api/v1/offers/{second.pk}/take-back/", {}).json()["answer"] == "withdrawn"
    mine = api(desk).get("/api/v1/offers/", {"patient": ben.patient_id}).json()["results"]
    assert [one["id"] for one in mine] == [second.pk]


def test_a_taken_time_cannot_be_offered_and_the_nearest_are_said(api, desk, waits, chiro, visit):
    entry = waits("Ann")

    answer = api(desk).post(f"{LIST}{entry.pk}/offers/", where(chiro))

    assert (answer.status_code, answer.json()["code"]) == (409, "slot_taken")
    assert len(answer.json()["nearest"]) == 3
    answer = api(desk).post(f"{LIST}{entry.pk}/offers/", where(chiro, also=[entry.pk, 987654]))
    assert (answer.status_code, [*answer.json()["fields"]]) == (400, ["also"])


def test_booked_at_once_and_taken_off(api, desk, waits, chiro):
    ann, ben = waits("Ann"), waits("Ben")

    booked = api(desk).post(f"{LIST}{ann.pk}/book/", where(chiro))
    gone = api(desk).post(f"{LIST}{ben.pk}/take-off/", {"reason": "Moves away."})

    assert (booked.status_code, booked.json()["patient"]["id"]) == (201, ann.patient_id)
    assert api(desk).get(f"{LIST}{ann.pk}/").json()["outcome"] == "booked"
    assert (gone.status_code, gone.json()["outcome"]) == (200, "withdrawn")
    assert api(desk).post(f"{LIST}{ben.pk}/take-off/", {}).json()["code"] == "not_waiting"


def test_what_is_out_of_sight_does_not_exist(api, waits, chiro, marietta, desk):
    entry = waits("Ann")
    (made,) = offers.make([entry], offers.Slot(at(10), at(10, 15), entry.places[0], chiro), minutes=30, by=desk)
    elsewhere = api(make.user("desk", marietta))

    assert elsewhere.get(LIST).json()["results"] == []
    assert elsewhere.get(f"{LIST}{entry.pk}/").status_code == 404
    assert elsewhere.post(f"{LIST}{entry.pk}/offers/", where(chiro)).status_code == 404
    assert elsewhere.post(f"/api/v1/offers/{made.pk}/accept/", {}).status_code == 404
    assert elsewhere.get(f"{LIST}{10**17}/").status_code == 404


@pytest.mark.parametrize(("until", "status"), [("02:15", 201), ("02:14", 400), ("03:00", 201)])
def test_hours_that_the_change_of_the_clock_skips_are_measured_by_the_wall_clock(
    api, desk, patient, adjustment, until, status
):
    """On 14 March 2027 there is no two o'clock; on the other Sundays a visit of 15 minutes fits in."""
    body = {
        "patient": patient.pk, "type": "adjustment", "weekdays": [6], "windows": [["02:00", until]],
        "from_day": "2027-03-08",
    }  # fmt: skip

    answer = api(desk).post(LIST, body)

    assert answer.status_code == status
    assert status == 201 or [*answer.json()["fields"]] == ["windows"]
