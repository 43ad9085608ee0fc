"""What cannot be, in setting up a clinic, is refused with what is in the way: by page and by API alike."""

from datetime import time

import pytest
from django.urls import reverse
from django.utils.html import escape
from django.utils.http import urlencode

from locations import opening
from locations.models import Location
from locations.spans import Span
from tests import make
from tests.make import MONDAY, at

WEEK = [Span(day, time(8), time(18)) for day in range(5)]


@pytest.fixture
def manager(atlanta):
    return make.user("manager", atlanta)


def by_page(*spans):
    rows = {"hours-TOTAL_FORMS": len(spans), "hours-INITIAL_FORMS": 0}
    for n, (day, starts, ends) in enumerate(spans):
        rows |= {f"hours-{n}-days": [f"{day}"], f"hours-{n}-starts": starts, f"hours-{n}-ends": ends}
    return rows


def by_api(*spans):
    return {"hours": [{"weekday": day, "opens": opens, "closes": closes} for day, opens, closes in spans]}


@pytest.mark.parametrize(
    ("spans", "code", "said"),
    [
        ([(0, "17:00", "09:00")], "ends_before_start", "Monday 5:00 PM to 9:00 AM ends before it starts"),
        ([(0, "09:00", "09:00")], "ends_before_start", "Monday 9:00 AM to 9:00 AM ends before it starts"),
        ([(0, "08:00", "12:00"), (0, "11:00", "17:00")], "overlapping_hours",
         "Monday 8:00 AM to 12:00 PM and Monday 11:00 AM to 5:00 PM overlap."),
        ([(2, "08:00", "12:00"), (2, "08:00", "12:00")], "overlapping_hours", "overlap."),
    ],
)  # fmt: skip
def test_opening_hours_that_cannot_be(sign_in, api, manager, atlanta, spans, code, said):
    page = sign_in(manager).post(reverse("setup-clinic-hours", args=["atlanta"]), by_page(*spans))
    answer = api(manager).put("/api/v1/locations/atlanta/hours/", by_api(*spans))

    assert (page.status_code, said in page.content.decode()) == (400, True)
    body = answer.json()
    assert (answer.status_code, body["code"], [*body["fields"]]) == (400, code, ["hours"])
    assert said in body["detail"]
    assert opening.spans_of(atlanta) == WEEK


def test_hours_by_the_api_are_those_of_the_page(api, sign_in, manager, atlanta):
    answer = api(manager).put(
        "/api/v1/locations/atlanta/hours/",
        {"hours": [{"weekday": 4, "opens": "20:00", "closes": "02:00", "ends_next_day": True}]},
    )

    assert (answer.status_code, answer.json()["opening_hours"]) == (
        200, [{"weekday": 4, "opens": "20:00:00", "closes": "02:00:00", "ends_next_day": True}],
    )  # fmt: skip
    assert opening.spans_of(atlanta) == [Span(4, time(20), time(2), True)]


@pytest.mark.parametrize(
    "hours",
    [None, "x", [1], [{"weekday": 7, "opens": "08:00", "closes": "09:00"}], [{"weekday": 0, "opens": "x"}],
     [{"weekday": 0, "opens": "08:00", "closes": "25:00"}],
     [{"weekday": 0, "opens": "08:00", "closes": "09:00", "more": 1}]],
)  # fmt: skip
def test_hours_that_cannot_be_read_name_their_field(api, manager, atlanta, hours):
    answer = api(manager).put("/api/v1/locations/atlanta/hours/", {"hours": hours})

    assert (answer.status_code, all(name.startswith("hours") for name in answer.json()["fields"])) == (400, True)
    assert opening.spans_of(atlanta) == WEEK


def test_a_room_that_is_booked_is_not_closed(sign_in, api, manager, visit):
    room = visit.room
    fields = {f"room-{room.pk}-name": room.name, f"room-{room.pk}-kind": room.kind, "do": "close"}

    page = sign_in(manager).post(reverse("setup-room", args=[room.pk]), fields)
    answer = api(manager).post(f"/api/v1/rooms/{room.pk}/close/", {})

    said = "1 visit ahead, the first on Monday, January 4, 2027 at 10:00 AM EST"
    assert (page.status_code, said in page.content.decode()) == (400, True)
    calendar = f"/calendar/?{urlencode({'location': 'atlanta', 'day': '2027-01-04', 'by': 'room'})}"
    assert f'href="{escape(calendar)}"' in page.content.decode()
    assert room.name in sign_in(manager).get(calendar).content.decode()
    assert (answer.status_code, answer.json()["code"]) == (409, "in_the_way")
    assert said in answer.json()["fields"]["is_open"]
    room.refresh_from_db()
    assert room.is_open


def test_an_empty_room_is_closed_opened_and_offered_no_more(api, manager, atlanta, chiro, adjustment, desk):
    one, other = atlanta.rooms.filter(kind="adjusting")
    client = api(manager)

    closed = [client.post(f"/api/v1/rooms/{room.pk}/close/", {}).json()["is_open"] for room in (one, other)]
    wanted = {"patient": make.patient(atlanta).pk, "practitioner": chiro.pk, "location": "atlanta",
              "type": "adjustment", "starts_at": at(10).isoformat()}  # fmt: skip
    refused = api(desk).post("/api/v1/appointments/", wanted)
    client.post(f"/api/v1/rooms/{one.pk}/open/", {})

    assert closed == [False, False]
    assert refused.json()["code"] == "no_room"
    assert api(desk).post("/api/v1/appointments/", wanted).status_code == 201


def test_a_location_with_visits_is_not_deleted(sign_in, api, owner, visit):
    page = sign_in(owner).post(reverse("setup-clinic-delete", args=["atlanta"]))
    answer = api(owner).post("/api/v1/locations/atlanta/delete/", {})

    said = "1 appointment"
    assert (page.status_code, said in page.content.decode()) == (409, True)
    assert (answer.status_code, answer.json()["code"]) == (409, "in_the_way")
    assert said in answer.json()["detail"]
    assert Location.objects.filter(slug="atlanta").exists()


def test_a_location_set_up_by_mistake_is_deleted_by_owners_only(api, owner, manager, atlanta, desk):
    make.location("macon")

    answers = [api(user).post("/api/v1/locations/macon/delete/", {}).status_code for user in (desk, manager, owner)]

    assert answers == [403, 403, 204]
    assert not Location.objects.filter(slug="macon").exists()


def test_a_location_with_visits_is_not_closed_for_good(sign_in, owner, visit):
    page = sign_in(owner).post(reverse("setup-clinic-state", args=["atlanta"]), {"do": "close"})

    assert (page.status_code, "1 visit ahead" in page.content.decode()) == (409, True)
    assert Location.objects.get(slug="atlanta").is_open


def test_other_locations_are_out_of_sight(api, marietta, visit):
    stranger = make.user("manager", marietta)
    client = api(stranger)

    answers = [
        client.put("/api/v1/locations/atlanta/hours/", {"hours": []}),
        client.post(f"/api/v1/rooms/{visit.room_id}/close/", {}),
        client.post("/api/v1/rooms/999999/close/", {}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_working_hours_that_cannot_be_are_refused_on_the_page(sign_in, manager, atlanta, chiro):
    before = list(chiro.weekly_hours.values())
    address = reverse("setup-hours", args=[chiro.pk, "atlanta"])

    def sent(*spans):
        rows = {name.replace("hours-", "atlanta-hours-", 1): value for name, value in by_page(*spans).items()}
        return sign_in(manager).post(address, {"atlanta-from_day": f"{MONDAY}", **rows})

    backwards = sent((0, "17:00", "09:00"))
    twice = sent((0, "08:00", "12:00"), (0, "11:00", "17:00"))

    assert (backwards.status_code, "ends before it starts" in backwards.content.decode()) == (400, True)
    assert (twice.status_code, "overlap" in twice.content.decode()) == (400, True)
    assert list(chiro.weekly_hours.values()) == before
