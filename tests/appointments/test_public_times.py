"""What the public page offers is what the one engine answers, by the clock of each clinic."""

import html
import re
from datetime import date, time, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments import availability, booking, holds, marks
from appointments.models import Appointment, Hold, TimeOff, WeeklyHours
from appointments.online import public_times
from clinic import times
from locations.models import Location, Practitioner
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
LINK = re.compile(r'href="(/book/time/[^"]+)"[^>]*>([^<]*)')


def offered(client, **query):
    """(mark, words) of every time on the page, and the mark of the next page."""
    page = client.get(reverse("book"), query).content.decode()
    found = [
        (parse_qs(urlsplit(html.unescape(href)).query)["slot"][0], words.strip()) for href, words in LINK.findall(page)
    ]
    ways_on = re.findall(r'btn-outline-secondary" href="(\?[^"]*after=[^"]*)"', page)
    return found, parse_qs(urlsplit(html.unescape(ways_on[0])).query)["after"][0] if ways_on else None


def all_pages(client, place):
    found, after = offered(client, at=place)
    while after:
        more, after = offered(client, at=place, after=after)
        found += more
    return [mark for mark, _ in found]


def asked(type, place, people):
    first = place.today()
    return [
        str(slot.mark)
        for slot in availability.find(
            type=type, locations=[place], practitioners=people, from_day=first,
            to_day=first + timedelta(days=type.horizon_days), limit=500,
        ).slots
    ]  # fmt: skip


@pytest.fixture
def two_zones(atlanta, nashville):
    kind = make.evaluation_type(horizon_days=4, notice_minutes=120, step_minutes=30)
    people = [make.practitioner(atlanta), make.practitioner(atlanta, nashville), make.practitioner(nashville)]
    Practitioner.objects.filter(pk__in=[people[0].pk, people[1].pk]).update(is_bookable_online=True)
    make.travel(atlanta, nashville, 240)
    return kind, people


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@time_machine.travel(NOW, tick=False)
def test_the_page_offers_what_the_engine_answers(client, two_zones, data):
    kind, people = two_zones
    public = public_times.people()
    Appointment.with_holds.all().delete()
    TimeOff.objects.all().delete()
    places = list(Location.objects.all())
    for _ in range(data.draw(st.integers(0, 6))):
        place, person = data.draw(st.sampled_from(places)), data.draw(st.sampled_from(people))
        starts_at = make.at(9, zone=place.time_zone) + timedelta(minutes=30 * data.draw(st.integers(0, 40)))
        try:
            booking.book(
                patient=make.patient(place), practitioner=person, location=place, type=kind, starts_at=starts_at,
                by=None, by_whom="test",
            )  # fmt: skip
        except booking.RuleBroken:
            person.time_off.create(starts_at=starts_at, ends_at=starts_at + timedelta(hours=3), reason="Away")

    firsts = {}
    for place in places:
        expected = asked(kind, place, public)
        assert all_pages(client, place.slug) == expected
        if expected:
            firsts[place.slug] = expected[0]
    assert {marks.read(mark).location: mark for mark, _ in offered(client)[0]} == firsts


@time_machine.travel(NOW, tick=False)
def test_every_time_that_is_offered_can_be_held(client, two_zones):
    kind, _ = two_zones
    for mark in [*all_pages(client, "nashville"), *all_pages(client, "atlanta")]:
        slot = public_times.offered(kind, marks.read(mark))
        if slot:  # another one that was held here took it
            held = holds.place(practitioner=slot.practitioner, location=slot.location, type=kind,
                               starts_at=slot.starts_at, until=times.now() + timedelta(minutes=5))  # fmt: skip
            assert held.starts_at == slot.starts_at

    assert Hold.objects.count() > 20


@time_machine.travel(NOW, tick=False)
def test_notice_horizon_and_step_are_those_of_the_type(client, two_zones):
    found = [marks.read(mark).starts_at for mark in all_pages(client, "atlanta")]

    assert min(found) == NOW + timedelta(hours=2)
    assert times.day_of(max(found), "America/New_York") <= date(2027, 1, 4)
    assert {at.minute for at in found} == {0, 30}


@time_machine.travel(NOW, tick=False)
def test_clinics_of_two_zones_name_their_own_clock_and_the_soonest_is_first(client, two_zones):
    found, _ = offered(client)

    assert [words for _, words in found] == [
        "Thursday, December 31, 2026 at 11:00 AM EST", "Thursday, December 31, 2026 at 10:00 AM CST"
    ]  # fmt: skip
    starts = [marks.read(mark).starts_at for mark, _ in found]
    assert starts == sorted(starts)


@pytest.fixture
def at_night(atlanta):
    """Open all night on Sundays: the hours at which the clock changes."""
    atlanta.opening_hours.create(weekday=6, opens=time(0), closes=time(6))
    person = make.practitioner(atlanta, days=())
    WeeklyHours.objects.create(practitioner=person, location=atlanta, weekday=6, starts=time(0), ends=time(6))
    Practitioner.objects.filter(pk=person.pk).update(is_bookable_online=True)
    return make.evaluation_type(step_minutes=30)


def test_the_hour_that_comes_twice_is_offered_twice_and_told_apart(client, at_night):
    with time_machine.travel(make.at(12, day=date(2026, 10, 31)), tick=False):
        found, _ = offered(client, at="atlanta")
        page = client.get(reverse("book-time"), {"type": "evaluation", "slot": found[4][0]}).content.decode()

    words = [words for _, words in found][:8]
    assert words == [
        "12:00 AM EDT", "12:30 AM EDT", "1:00 AM EDT", "1:30 AM EDT", "1:00 AM EST", "1:30 AM EST", "2:00 AM EST",
        "2:30 AM EST",
    ]  # fmt: skip
    assert "Sunday, November 1, 2026 at 1:00 AM EST" in page


def test_the_hour_that_is_left_out_is_not_offered(client, at_night):
    with time_machine.travel(make.at(12, day=date(2027, 3, 13)), tick=False):
        found, _ = offered(client, at="atlanta")

    assert [words for _, words in found][:5] == [
        "12:00 AM EST", "12:30 AM EST", "1:00 AM EST", "1:30 AM EST", "3:00 AM EDT"
    ]  # fmt: skip


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    "query",
    [{"from": "2026-13-01"}, {"from": "x" * 99}, {"after": "x"}, {"at": "nowhere"}, {"type": "nonsense"},
     {"from": "0001-01-01"}, {"lang": "xx"}, {"from": "\x00"}],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_answered_with_the_first_times(client, two_zones, query):
    answer = client.get(reverse("book"), {"at": "atlanta"} | query)

    assert answer.status_code == 200
    assert LINK.search(answer.content.decode())


@time_machine.travel(NOW, tick=False)
def test_a_day_is_asked_for(client, two_zones):
    found, _ = offered(client, at="atlanta", **{"from": "2027-01-04"})

    assert marks.read(found[0][0]).starts_at == make.at(9)
