from datetime import date, time, timedelta

import pytest
from django.urls import reverse

from appointments import booking
from appointments.availability import Slot
from appointments.models import Appointment, WeeklyHours
from appointments.timetable import closed_days
from appointments.waiting import offers, waitlist
from clinic import times
from locations.models import Closure
from tests import make

SUNDAY_NOON = make.at(12, day=make.MONDAY - timedelta(1))
TUESDAY = make.MONDAY + timedelta(1)


@pytest.fixture(autouse=True)
def on_sunday():
    with times.as_of(SUNDAY_NOON):
        yield


@pytest.fixture
def manager(atlanta):
    return make.user("manager", atlanta)


@pytest.fixture
def book(adjustment):
    def at(place, hour=9, *, day=make.MONDAY, **names):
        person = make.practitioner(place)
        return booking.book(
            patient=make.patient(place, **names), practitioner=person, location=place, type=adjustment,
            starts_at=make.at(hour, day=day, zone=place.time_zone), by=make.user("desk", place),
        )  # fmt: skip

    return at


def form(day=make.MONDAY, **given):
    return {"reason": "Snow", "starts_on": day.isoformat(), "ends_on": "", "where": "group", **given}


ADDRESS = "setup-closures"


def test_a_holiday_over_all_clinics_shows_first_what_it_hits(sign_in, owner, atlanta, nashville, book):
    book(atlanta, given="Noor")
    book(nashville, given="Silas")
    book(atlanta, day=TUESDAY, given="Fern")
    client = sign_in(owner)

    shown = client.get(reverse(ADDRESS), form()).content.decode()

    for expected in ("2 visits on these days", "Noor", "Silas", "9:00 AM EST", "9:00 AM CST"):
        assert expected in shown
    assert "Fern" not in shown
    assert not Closure.objects.exists()


def test_closing_keeps_the_visits_and_lists_them(sign_in, owner, atlanta, nashville, book):
    visits = [book(atlanta), book(nashville)]
    client = sign_in(owner)

    answer = client.post(reverse(ADDRESS), form())

    closure = Closure.objects.get()
    assert (closure.location, closure.starts_on, closure.ends_on) == (None, make.MONDAY, make.MONDAY)
    assert answer["Location"] == f"{reverse(ADDRESS)}?open={closure.pk}#closure-{closure.pk}"
    shown = client.get(answer["Location"]).content.decode()
    assert "2 visits on these days must be moved" in shown
    assert "2 visits to move" in shown
    assert all(reverse("appointment", args=[visit.pk]) in shown for visit in visits)


def test_several_clinics_are_closed_by_a_row_each(sign_in, owner, atlanta, marietta, nashville):
    sign_in(owner).post(reverse(ADDRESS), form(where="some", locations=["atlanta", "nashville"], ends_on="2027-01-06"))

    assert {(c.location, c.ends_on) for c in Closure.objects.all()} == {
        (atlanta, date(2027, 1, 6)), (nashville, date(2027, 1, 6)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ends_on": "2027-01-01"}, "The last day is before the first."),
        ({"starts_on": ""}, "This field is required."),
        ({"where": "some"}, "Choose at least one clinic."),
        ({"locations": ["atlanta"]}, "untick the clinics"),
        ({"starts_on": "2026-12-01"}, "These days have passed."),
    ],
)
def test_refused_days_keep_what_was_typed(sign_in, owner, atlanta, wrong, said):
    answer = sign_in(owner).post(reverse(ADDRESS), form(**wrong))

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert 'value="Snow"' in answer.content.decode()
    assert not Closure.objects.exists()


def test_nothing_is_closed_twice(sign_in, owner, atlanta):
    Closure.objects.create(starts_on=make.MONDAY, ends_on=TUESDAY, reason="Holiday")

    answer = sign_in(owner).post(reverse(ADDRESS), form())

    assert "The whole group is closed then already: Holiday." in answer.content.decode()


def test_a_manager_closes_her_clinic_and_sees_no_other(sign_in, manager, atlanta, marietta, book):
    book(atlanta, given="Noor")
    book(marietta, given="Silas")
    client = sign_in(manager)

    shown = client.get(reverse(ADDRESS), form(where="some", locations=["atlanta"])).content.decode()
    assert "Noor" in shown
    assert "Silas" not in shown
    assert "All clinics" not in shown
    for refused in (form(), form(where="some", locations=["marietta"])):
        assert client.post(reverse(ADDRESS), refused).status_code == 400
    client.post(reverse(ADDRESS), form(where="some", locations=["atlanta"]))
    assert Closure.objects.get().location == atlanta


def test_a_closure_is_taken_back_by_those_who_may(sign_in, manager, owner, atlanta, marietta):
    rows = [Closure.objects.create(location=place, starts_on=TUESDAY, ends_on=TUESDAY, reason="Flood")
            for place in (atlanta, marietta, None)]  # fmt: skip
    client = sign_in(manager)

    answers = [client.post(reverse("setup-closure-back", args=[row.pk])).status_code for row in rows]
    assert answers == [302, 404, 403]
    sign_in(owner).post(reverse("setup-closure-back", args=[rows[2].pk]))
    assert list(Closure.objects.all()) == [rows[1]]
    assert sign_in(owner).post(reverse("setup-closure-back", args=[9999])).status_code == 404


def test_a_closure_belongs_to_the_day_of_each_clinic(nashville, atlanta, book, owner):
    late = book(nashville, 16)
    Closure.objects.create(starts_on=TUESDAY, ends_on=TUESDAY, reason="Holiday")
    places = [atlanta, nashville]

    assert list(closed_days.hit(closed_days.ahead(places), places, owner)) == []
    Closure.objects.create(location=nashville, starts_on=make.MONDAY, ends_on=make.MONDAY, reason="Flood")
    assert list(closed_days.hit(closed_days.ahead(places), places, owner)) == [late]


@pytest.fixture
def night():
    """A clinic and a practitioner who works there from Monday evening past midnight."""
    place = make.location("augusta")
    place.opening_hours.update(opens=time(20), closes=time(6), ends_next_day=True)
    person = make.practitioner(place, days=[])
    WeeklyHours.objects.create(
        practitioner=person, location=place, weekday=0, starts=time(21), ends=time(3), ends_next_day=True
    )
    return place, person


@pytest.mark.parametrize(
    ("closed_on", "is_hit"), [(make.MONDAY, True), (TUESDAY, True), (TUESDAY + timedelta(1), False)]
)
@pytest.mark.parametrize("minute", [50, 45])
def test_a_visit_that_lasts_into_a_closed_day_is_hit_and_one_that_ends_by_then_is_not(
    sign_in, owner, adjustment, night, closed_on, is_hit, minute
):
    place, person = night
    visit = booking.book(
        patient=make.patient(place), practitioner=person, location=place, type=adjustment,
        starts_at=make.at(23, minute), by=None, by_whom="patient",
    )  # fmt: skip
    is_hit = is_hit and (minute == 50 or closed_on == make.MONDAY)  # from 23:45 it ends at midnight
    closure = Closure.objects.create(location=place, starts_on=closed_on, ends_on=closed_on, reason="Flood")

    found = list(closed_days.hit([closure], [place], owner))

    assert found == ([visit] if is_hit else [])
    assert closed_days.is_hit(Appointment.objects.with_names().get(pk=visit.pk), closure) == is_hit
    shown = sign_in(owner).get(reverse(ADDRESS)).content.decode()
    assert ("1 visit to move" in shown) == is_hit


def test_an_offer_that_lasts_into_a_closed_day_is_shown_too(owner, adjustment, night):
    place, person = night
    entry = waitlist.add(make.patient(place), waitlist.Asked(adjustment, [place]), by=None, by_whom="patient")
    starts_at = make.at(23, 50)
    slot = Slot(starts_at, starts_at + timedelta(minutes=15), place, person)
    (offer,) = offers.make([entry], slot, minutes=60, by_whom="waitlist")

    for day, hit in ((make.MONDAY, [offer]), (TUESDAY, [offer]), (TUESDAY + timedelta(1), [])):
        closure = Closure(location=place, starts_on=day, ends_on=day)
        assert list(closed_days.offers_hit([closure], [place], owner)) == hit


def test_htmx_gets_the_visits_alone(sign_in, owner, atlanta, book):
    book(atlanta, given="Noor")

    answer = sign_in(owner).get(reverse(ADDRESS), form(), headers={"HX-Request": "true", "HX-Target": "hit"})

    shown = answer.content.decode()
    assert "Noor" in shown
    assert "<form" not in shown


def test_the_page_asks_the_same_number_of_queries_for_any_number(
    sign_in, owner, atlanta, nashville, book, django_assert_max_num_queries
):
    for n in range(3):
        book(atlanta, 9 + n)
        book(nashville, 9 + n)
    for n in range(3):
        day = make.MONDAY + timedelta(n)
        Closure.objects.create(starts_on=day, ends_on=day, reason=f"Day {n}")
    client = sign_in(owner)

    with django_assert_max_num_queries(12):
        client.get(reverse(ADDRESS), form())
