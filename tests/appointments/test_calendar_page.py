import re
from datetime import date, time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments import booking, calendar_page, holds, visit_status
from appointments.calendar_page import ROOM, Asked
from appointments.models import TimeOff, WeeklyHours
from locations.models import Closure
from tests import make
from tests.make import MONDAY, at

EVENTS = "/calendar/events/"
DAY = {"day": MONDAY.isoformat()}


def book_at(place, who, kind, starts_at, given="Kim"):
    person = make.patient(place, given=given)
    return booking.book(
        patient=person, practitioner=who, location=place, type=kind, starts_at=starts_at, by=None, by_whom="patient"
    )


def close(place, day):
    Closure.objects.create(location=place, starts_on=day, ends_on=day, reason="Snow")


def shown(locations, user, **asked):
    asked = calendar_page.Asked(locations, **{"first": MONDAY, **asked})
    return calendar_page.as_json(calendar_page.read(asked, user), user)


def titles(data):
    return [column["title"] for column in data["columns"]]


# ---- What the columns show


def test_a_visit_stands_in_its_column_at_its_time_by_the_clock_there(nashville, adjustment):
    chiro = make.practitioner(nashville, name="Robin Sample")
    visit = book_at(nashville, chiro, adjustment, at(9, zone="America/Chicago"))

    data = shown([nashville], chiro.user)

    assert titles(data) == ["Robin Sample, DC"]
    assert data["groups"] == [{"location": "nashville", "day": "2027-01-04", "zone": "CST", "is_ahead": True,
                               "closed": "", "columns": 1}]  # fmt: skip
    assert data["visits"] == [
        {
            "id": visit.pk, "column": 0, "from": 540, "minutes": 15, "status": "booked", "patient": "Kim Testerson",
            "brief": "K. Testerson", "type": "adjustment", "practitioner": chiro.pk, "room": "Adjusting 1",
            "seen": 0,
        }
    ]  # fmt: skip
    assert data["types"] == {"adjustment": {"name": "Adjustment", "least": 15, "most": 15, "step": 15}}


def test_locations_stand_side_by_side_each_by_its_own_clock(atlanta, nashville, chiro, adjustment):
    there = make.practitioner(nashville, name="Kai Elsewhere")
    book_at(atlanta, chiro, adjustment, at(10))
    book_at(nashville, there, adjustment, at(10))
    user = make.user("desk", atlanta, nashville)

    data = shown([atlanta, nashville], user)

    assert [(g["location"], g["zone"], g["columns"]) for g in data["groups"]] == [
        ("atlanta", "EST", 1), ("nashville", "CST", 1)
    ]  # fmt: skip
    assert [(v["column"], v["from"]) for v in data["visits"]] == [(0, 600), (1, 540)]
    assert {place: data["locations"][place]["people"] for place in data["locations"]} == {
        "atlanta": {chiro.pk: "Robin Sample, DC"},
        "nashville": {there.pk: "Kai Elsewhere, DC"},
    }


def test_a_visit_late_in_the_evening_belongs_to_its_own_day(atlanta, nashville, adjustment):
    late = make.practitioner(nashville, starts=time(9), ends=time(23, 59))
    nashville.opening_hours.update(closes=time(23, 59))
    visit = book_at(nashville, late, adjustment, at(23, 30, zone="America/Chicago"))
    user = make.user("desk", atlanta, nashville)

    days = [shown([atlanta, nashville], user, first=MONDAY + timedelta(days=n))["visits"] for n in range(2)]

    assert [[(v["id"], v["from"]) for v in visits] for visits in days] == [[(visit.pk, 1410)], []]
    assert shown([nashville], user)["last_hour"] == 24


def test_a_week_has_a_group_for_each_day(atlanta, chiro, adjustment, desk):
    visits = [book_at(atlanta, chiro, adjustment, at(10, day=MONDAY + timedelta(days=n))) for n in (0, 3)]

    data = shown([atlanta], desk, days=7)

    assert [(g["day"], g["columns"]) for g in data["groups"]] == [
        ("2027-01-04", 1), ("2027-01-05", 1), ("2027-01-06", 1), ("2027-01-07", 1), ("2027-01-08", 1),
        ("2027-01-09", 0), ("2027-01-10", 0),
    ]  # fmt: skip
    assert [(v["id"], v["column"]) for v in data["visits"]] == [(visits[0].pk, 0), (visits[1].pk, 3)]


def test_columns_by_room_hold_the_visits_of_all(atlanta, chiro, adjustment, evaluation_type, desk):
    other = make.practitioner(atlanta)
    visits = [
        book_at(atlanta, chiro, adjustment, at(10)),
        book_at(atlanta, other, adjustment, at(10)),
        book_at(atlanta, chiro, evaluation_type, at(11)),
    ]

    data = shown([atlanta], desk, by=ROOM)

    assert titles(data) == ["Adjusting 1", "Adjusting 2", "Evaluation 1", "Evaluation 2"]
    assert [(v["id"], v["column"]) for v in data["visits"]] == [
        (visits[0].pk, 0), (visits[1].pk, 1), (visits[2].pk, 2)
    ]  # fmt: skip
    assert data["columns"][0]["working"] == [(540, 1020)]


def test_a_closed_room_and_a_guest_keep_a_column_while_they_are_booked(atlanta, chiro, adjustment, desk):
    visit = book_at(atlanta, chiro, adjustment, at(10))
    visit.room.is_open = False
    visit.room.save()
    WeeklyHours.objects.all().delete()

    assert "Adjusting 1" in titles(shown([atlanta], desk, by=ROOM))
    assert titles(shown([atlanta], desk)) == ["Robin Sample, DC"]
    assert titles(shown([atlanta], desk, first=MONDAY + timedelta(days=1))) == []


def test_only_the_visits_of_one_practitioner(atlanta, chiro, adjustment, desk):
    other = make.practitioner(atlanta, name="Kai Other")
    book_at(atlanta, chiro, adjustment, at(10))
    mine = book_at(atlanta, other, adjustment, at(10))

    data = shown([atlanta], desk, practitioner=other.pk)

    assert (titles(data), [v["id"] for v in data["visits"]]) == (["Kai Other, DC"], [mine.pk])


def test_time_off_closures_and_working_hours_are_told_apart(atlanta, chiro, desk):
    TimeOff.objects.create(practitioner=chiro, starts_at=at(12), ends_at=at(13))
    Closure.objects.create(
        location=atlanta, starts_on=MONDAY + timedelta(1), ends_on=MONDAY + timedelta(1), reason="Snow"
    )

    open_day = shown([atlanta], desk)
    closed = shown([atlanta], desk, first=MONDAY + timedelta(days=1))

    column = {"key": chiro.pk, "title": "Robin Sample, DC", "working": [(540, 1020)], "off": [(720, 780)]}
    assert open_day["columns"] == [column]
    assert (closed["columns"], closed["groups"][0]["closed"]) == ([], "Snow")


@pytest.mark.parametrize(
    ("day", "zone", "spans"),
    [
        (date(2027, 3, 14), "EDT", [(60, 180)]),  # two o'clock is three o'clock
        (date(2026, 11, 1), "EST", [(60, 180)]),  # one o'clock comes twice
        (date(2027, 1, 10), "EST", [(60, 180)]),
    ],
)
def test_days_of_the_clock_change_keep_the_wall_clock(atlanta, chiro, desk, day, zone, spans):
    atlanta.opening_hours.create(weekday=6, opens=time(0), closes=time(12))
    chiro.weekly_hours.create(location=atlanta, weekday=6, starts=time(1), ends=time(3))

    data = shown([atlanta], desk, first=day)

    assert (data["groups"][0]["zone"], data["columns"][0]["working"]) == (zone, spans)


def test_cancelled_visits_are_only_in_the_list(sign_in, desk, visit):
    visit_status.cancel(visit, by=desk)
    client = sign_in(desk)

    page = client.get("/calendar/", {**DAY, "view": "list"}).content.decode()

    assert client.get(EVENTS, DAY).json()["visits"] == []
    assert ("Avery Testerson" in page, "Cancelled" in page) == (True, True)


def test_who_may_not_change_or_book_is_not_offered_to(atlanta, owner, desk):
    rights = [(place["may_change"], place["may_book"]) for user in (owner, desk)
              for place in shown([atlanta], user)["locations"].values()]  # fmt: skip

    assert rights == [(False, False), (True, True)]


# ---- The page and the feed


def test_page_without_a_location_says_what_to_do(sign_in, owner):
    client = sign_in(owner)

    assert "You do not work at a location yet" in client.get("/calendar/").content.decode()
    assert client.get(EVENTS).status_code == 400


def test_page_without_script_leads_to_the_list(sign_in, desk, visit):
    client = sign_in(desk)

    columns = client.get("/calendar/", DAY).content.decode()
    listed = client.get("/calendar/", {**DAY, "view": "list"}).content.decode()

    assert '<noscript><meta http-equiv="refresh" content="0; url=?view=list&amp;day=2027-01-04"></noscript>' in columns
    assert "Monday, January 4, 2027" in listed
    assert "10:00–10:15 AM" in listed
    assert "all times EST" in listed
    assert f'href="/appointments/{visit.pk}/"' in listed


def test_list_of_a_week_says_who_works_where_nothing_is_booked(sign_in, desk, visit, atlanta):
    Closure.objects.create(
        location=atlanta, starts_on=MONDAY + timedelta(2), ends_on=MONDAY + timedelta(2), reason="Snow"
    )

    page = sign_in(desk).get("/calendar/", {**DAY, "view": "list", "days": "7"}).content.decode()

    assert "January 4 to January 10, 2027" in page
    assert page.count("Robin Sample, DC at work.") == 3
    assert page.count("Nobody works at Atlanta on this day.") == 3
    assert "Atlanta is closed on Wednesday, January 6: Snow." in page


def test_links_keep_what_was_chosen(sign_in, atlanta, marietta):
    client = sign_in(make.user("desk", atlanta, marietta))

    asked = {"day": "2027-01-06", "view": "week", "by": "room", "location": ["atlanta", "marietta"]}
    links = client.get("/calendar/", asked).context["links"]

    both = "location=atlanta&location=marietta"
    assert links["before"] == f"?view=week&by=room&day=2026-12-28&{both}"
    assert links["after"] == f"?view=week&by=room&day=2027-01-11&{both}"
    assert links["day"] == f"?by=room&day=2027-01-06&{both}"
    assert links["list"] == f"?view=list&days=7&by=room&day=2027-01-06&{both}"
    assert links["today"] == f"?view=week&by=room&{both}"


def test_feed_is_sent_again_only_when_something_changed(sign_in, desk, visit):
    client = sign_in(desk)
    first = client.get(EVENTS, DAY)

    same = client.get(EVENTS, DAY, headers={"If-None-Match": first["ETag"]})
    visit_status.confirm(visit, by=desk)
    changed = client.get(EVENTS, DAY, headers={"If-None-Match": first["ETag"]})

    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    assert (changed.status_code, changed.json()["visits"][0]["status"]) == (200, "confirmed")
    assert changed["ETag"] != first["ETag"]


def test_a_held_time_is_seen_until_it_runs_out(sign_in, desk, chiro, atlanta, adjustment):
    with time_machine.travel(at(8), tick=False) as now:
        before = len(queries(sign_in(desk), EVENTS, **DAY))
        holds.place(practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(11), until=at(10, 10))
        data = shown([atlanta], desk)
        by_room = shown([atlanta], desk, by=ROOM)

        assert data["holds"] == [{"column": 0, "from": 660, "minutes": 15, "began": 660, "text": "Held until 10:10 AM"}]
        assert (data["visits"], len(by_room["holds"])) == ([], 1)
        assert shown([atlanta], desk, practitioner=make.practitioner(atlanta).pk)["holds"] == []
        assert len(queries(sign_in(desk), EVENTS, **DAY)) == before + 1  # whom the held times are for
        now.move_to(at(10, 10))
        assert shown([atlanta], desk)["holds"] == []


def test_the_list_shows_held_times_in_order_and_does_not_count_them(sign_in, desk, chiro, atlanta, adjustment):
    asked = {**DAY, "view": "list", "days": "7"}
    with time_machine.travel(at(8), tick=False) as now:
        for hour in (10, 12):
            book_at(atlanta, chiro, adjustment, at(hour))
        holds.place(practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(11), until=at(10, 10))
        page = sign_in(desk).get("/calendar/", asked).content.decode()
        now.move_to(at(10, 10))
        after = sign_in(desk).get("/calendar/", asked).content.decode()

    rows = re.findall(r'<tr class="is-row-(\w+)">.*?day-list-time">(.*?)</td>', page, re.DOTALL)
    assert rows == [("booked", "10:00–10:15 AM"), ("held", "11:00–11:15 AM"), ("booked", "12:00–12:15 PM")]
    assert '<td class="day-list-name">Held until 10:10 AM</td>' in page
    assert '<span class="count">2</span>' in page
    assert "Held" not in after


def test_feed_shows_only_what_is_in_scope(sign_in, desk, visit, marietta):
    here = sign_in(desk).get(EVENTS, DAY).json()
    there = sign_in(make.user("desk", marietta)).get(EVENTS, {**DAY, "location": "atlanta"}).json()

    assert [v["id"] for v in here["visits"]] == [visit.pk]
    assert (list(there["locations"]), there["visits"]) == (["marietta"], [])


@pytest.mark.parametrize(
    "asked",
    [
        {"day": "tomorrow"}, {"day": "2027-13-01"}, {"day": "0001-01-01"}, {"day": "9999-12-31"},
        {"day": "2027-01-04\0"}, {"day": "1" * 5000}, {"view": "month"}, {"by": "patient"}, {"days": "8"},
        {"practitioner": "x"}, {"practitioner": "9" * 30},
    ],
)  # fmt: skip
def test_calendar_refuses_what_is_no_question(sign_in, desk, asked):
    client = sign_in(desk)

    assert client.get("/calendar/", {"view": "list", **asked}).status_code == 400
    assert client.get(EVENTS, {"view": "list", **asked}).status_code == 400


def test_today_is_where_the_first_location_is(sign_in, desk, atlanta):
    with time_machine.travel(at(1), tick=False):
        page = sign_in(desk).get("/calendar/")

    assert page.context["asked"] == Asked([atlanta], MONDAY)
    assert page.context["is_today"]


def queries(client, address, **asked):
    client.get(address, asked)  # what is kept in the process for good is read once
    with CaptureQueriesContext(connection) as caught:
        assert client.get(address, asked).status_code == 200
    return [query["sql"] for query in caught]


@pytest.mark.parametrize("asked", [{}, {"by": "room"}, {"view": "week"}, {"view": "list"}])
def test_hundred_visits_take_the_queries_of_one(sign_in, desk, chiro, atlanta, adjustment, asked):
    client = sign_in(desk)
    book_at(atlanta, chiro, adjustment, at(9))
    one = [len(queries(client, address, **DAY, **asked)) for address in ("/calendar/", EVENTS)]
    others = [make.practitioner(atlanta) for _ in range(3)]
    make.fill(atlanta, [chiro, *others], adjustment, day=MONDAY, visits=100)

    many = [len(queries(client, address, **DAY, **asked)) for address in ("/calendar/", EVENTS)]

    assert many == one
    assert max(many) <= 7  # the session, the user, the roles and the locations; hours, visits, and time off or rooms
