"""A visit that lasts past midnight stands on the calendar of the next day too: as a piece that is read, not moved."""

import re
from datetime import date, time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments import booking, calendar_page, holds, visit_status
from appointments.calendar_page import PRACTITIONER, ROOM
from appointments.models import Appointment, WeeklyHours
from locations.models import OpeningHours
from tests import make
from tests.make import MONDAY, at

TUESDAY = MONDAY + timedelta(1)
SPRING, AUTUMN = date(2027, 3, 14), date(2027, 11, 7)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(at(9, day=MONDAY - timedelta(4)), tick=False) as travel:
        yield travel


@pytest.fixture
def night(atlanta):
    """A practitioner who works every night from 18:00 to 5:00."""
    person = make.practitioner(atlanta, name="Nico Night", days=())
    for day in range(7):
        WeeklyHours.objects.create(
            practitioner=person, location=atlanta, weekday=day, starts=time(18), ends=time(5), ends_next_day=True
        )
    atlanta.opening_hours.all().delete()
    OpeningHours.objects.bulk_create(
        OpeningHours(location=atlanta, weekday=day, opens=time(8), closes=time(5), ends_next_day=True)
        for day in range(7)
    )
    return person


@pytest.fixture
def long(db):
    return make.appointment_type("long", 240)


@pytest.fixture
def book(atlanta, night, evaluation_type, desk):
    def booked(hour=23, minute=30, *, day=MONDAY, kind=evaluation_type):
        return booking.book(
            patient=make.patient(atlanta, given="Kim"), practitioner=night, location=atlanta, type=kind,
            starts_at=at(hour, minute, day=day), by=desk,
        )  # fmt: skip

    return booked


def shown(place, user, *, first=TUESDAY, **asked):
    return calendar_page.as_json(calendar_page.read(calendar_page.Asked([place], first, **asked), user), user)


@pytest.mark.parametrize("by", [PRACTITIONER, ROOM])
def test_the_next_day_has_the_rest_of_it_in_the_column_of_its_practitioner_or_room(atlanta, night, desk, book, by):
    visit = book()

    data = shown(atlanta, desk, by=by)
    before = shown(atlanta, desk, first=MONDAY, by=by)

    [piece] = data["carried"]
    key = night.pk if by == PRACTITIONER else visit.room_id
    assert data["columns"][piece.pop("column")]["key"] == key
    assert piece == {
        "id": visit.pk, "from": 0, "minutes": 30, "status": "booked", "patient": "Kim Testerson", "type": "evaluation",
        "room": visit.room.name, "day": "2027-01-04", "began": 1410,
    }  # fmt: skip
    assert (data["visits"], data["first_hour"], [*data["types"]]) == ([], 0, ["evaluation"])
    assert ([v["id"] for v in before["visits"]], before["carried"]) == ([visit.pk], [])


def test_a_week_has_both_pieces_and_the_next_week_what_is_left_of_sunday(atlanta, night, desk, book):
    monday, sunday = book(), book(day=MONDAY + timedelta(6))

    this = shown(atlanta, desk, first=MONDAY, days=7)
    following = shown(atlanta, desk, first=MONDAY + timedelta(7), days=7)

    assert [v["id"] for v in this["visits"]] == [monday.pk, sunday.pk]
    assert [(v["id"], this["columns"][v["column"]]["key"]) for v in this["carried"]] == [(monday.pk, night.pk)]
    assert [v["id"] for v in following["carried"]] == [sunday.pk]


def test_who_does_not_work_there_on_the_next_day_has_a_column_all_the_same(atlanta, night, desk, book):
    book()
    WeeklyHours.objects.filter(practitioner=night).delete()

    assert [column["title"] for column in shown(atlanta, desk)["columns"]] == ["Nico Night, DC"]


def test_what_ends_at_midnight_is_not_carried_over(atlanta, desk, book):
    book(23, 0)

    assert shown(atlanta, desk)["carried"] == []


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_what_takes_no_time_is_not_carried_over(atlanta, desk, book, status):
    visit = book()
    before = len(shown(atlanta, desk)["carried"])
    Appointment.objects.filter(pk=visit.pk).update(status=status)

    assert (before, shown(atlanta, desk)["carried"]) == (1, [])


@pytest.mark.parametrize(
    ("sunday", "minutes", "zone"),
    [(SPRING, 270, "EDT"), (AUTUMN, 150, "EST")],  # from 23:30 four hours: to 4:30, and to 2:30
)
def test_on_a_day_on_which_the_clock_changes_it_ends_where_the_hands_are(
    atlanta, desk, book, long, sunday, minutes, zone
):
    book(day=sunday - timedelta(1), kind=long)

    [piece] = shown(atlanta, desk, first=sunday)["carried"]

    assert (piece["from"], piece["minutes"], piece["zone"]) == (0, minutes, zone)


def test_the_other_clinic_has_its_own_midnight(nashville):
    """23:30 in Nashville is 0:30 in Atlanta."""
    person = make.practitioner(nashville, days=())
    hold_from = at(23, 30, zone="America/Chicago")
    row = make.fill(nashville, [person], make.appointment_type(), day=MONDAY, visits=1)[0]
    minute = int(hold_from.timestamp() // 60)
    Appointment.objects.filter(pk=row.pk).update(
        starts_at=hold_from, ends_at=hold_from + timedelta(hours=1), start_minute=minute, end_minute=minute + 60,
        busy_from=minute, busy_until=minute + 60,
    )  # fmt: skip
    user = make.user("desk", nashville)

    assert [v["from"] for v in shown(nashville, user, first=MONDAY)["visits"]] == [1410]
    assert [(v["from"], v["minutes"]) for v in shown(nashville, user)["carried"]] == [(0, 30)]


def test_a_time_that_is_held_past_midnight_is_held_on_the_next_day_too(atlanta, night, desk, evaluation_type):
    holds.place(
        practitioner=night, location=atlanta, type=evaluation_type, starts_at=at(23, 30),
        until=at(9, 30, day=MONDAY - timedelta(4)),
    )  # fmt: skip

    [held] = shown(atlanta, desk)["holds"]

    assert (held["from"], held["minutes"], held["began"], held["text"]) == (0, 30, 1410, "Held until 9:30 AM")


def test_the_list_marks_it_does_not_count_it_and_leads_to_the_visit(sign_in, atlanta, desk, book):
    visit = book()
    visit_status.confirm(visit, by=desk)
    client = sign_in(desk)

    def rows(day):
        page = client.get("/calendar/", {"view": "list", "day": f"{day}"})
        [group] = page.context["days"]
        times = re.findall(r'<tr class="([\w -]+)">.*?day-list-time">(.*?)</td>', page.content.decode(), re.DOTALL)
        return group["visits"], times, page.content.decode()

    count, times, page = rows(TUESDAY)
    assert (count, times) == (
        0, [("is-row-confirmed is-carried", 'until 12:30 AM <span class="soft">since Monday 11:30 PM</span>')],
    )  # fmt: skip
    assert f'<a href="/appointments/{visit.pk}/">Kim Testerson</a>' in page
    assert '<span class="soft">carried over</span>' in page
    assert rows(MONDAY)[:2] == (1, [("is-row-confirmed", "11:30–12:30 AM next day")])


@pytest.mark.parametrize("asked", [{}, {"by": "room"}, {"view": "week"}, {"view": "list"}])
def test_it_takes_no_query_more(sign_in, desk, book, asked):
    client = sign_in(desk)

    def count():
        with CaptureQueriesContext(connection) as caught:
            assert client.get("/calendar/", {"day": f"{TUESDAY}", **asked}).status_code == 200
        return len(caught)

    count()  # what is kept in the process for good is read once
    before = count()
    book()

    assert count() == before


def test_who_may_not_see_the_visit_sees_no_piece_of_it(sign_in, marietta, desk, book):
    book()
    asked = {"day": f"{TUESDAY}", "location": "atlanta"}

    here = sign_in(desk).get("/calendar/events/", asked).json()
    there = sign_in(make.user("desk", marietta)).get("/calendar/events/", asked).json()

    assert (len(here["carried"]), there["carried"]) == (1, [])
