"""On November 7, 2027 the clock goes back at 2:00, and every time from 1:00 on comes twice."""

import html
from datetime import date, time, timedelta

import pytest

from appointments import booking, bulk_moves
from appointments.bulk_moves import Span
from appointments.forms import MoveVisit
from appointments.models import Appointment, ExtraHours
from clinic import times
from tests import make

SUNDAY = date(2027, 11, 7)
ZONES = {"atlanta": ("America/New_York", "EDT", "EST"), "nashville": ("America/Chicago", "CDT", "CST")}
HALF_PAST = time(1, 30)


@pytest.fixture(params=ZONES)
def night(request, adjustment):
    """A clinic, its zone's two names, and somebody who works there in that night."""
    zone, *names = ZONES[request.param]
    place = make.location(request.param, zone)
    person = make.practitioner(place, name="Night Sample")
    ExtraHours.objects.create(practitioner=person, location=place, day=SUNDAY, starts=time(0, 30), ends=time(4))
    with times.as_of(times.instant(SUNDAY - timedelta(days=3), time(12), zone)):
        yield place, person, names


@pytest.fixture
def both(night, adjustment):
    """A visit at 1:30 of each pass."""
    place, person, _ = night
    return [
        booking.book(
            patient=make.patient(place, given=given), practitioner=person, location=place, type=adjustment,
            starts_at=times.instant(SUNDAY, HALF_PAST, place.time_zone, fold=fold), by=None, by_whom="patient",
        )
        for fold, given in enumerate(["Early", "Late"])
    ]  # fmt: skip


def fields(visit, **changes):
    return {"location": visit.location.slug, "practitioner": visit.practitioner_id, "day": "2027-11-07",
            "time": "01:30", "minutes": 15, **changes}  # fmt: skip


def test_the_two_passes_have_names():
    for zone, *names in ZONES.values():
        passes = times.passes(SUNDAY, HALF_PAST, zone)
        assert list(passes) == names
        first, second = passes.values()
        assert second - first == timedelta(hours=1)
        assert times.passes(SUNDAY, time(2), zone) == {}
        assert times.passes(date(2027, 3, 14), time(2, 30), zone) == {}


@pytest.mark.parametrize("n", [0, 1])
def test_a_visit_whose_room_alone_changes_stays_at_its_time(sign_in, both, night, n):
    place, visit = night[0], both[n]
    room = place.rooms.filter(kind="adjusting").exclude(pk=visit.room_id).first()
    client = sign_in(make.user("desk", place))
    address = f"/appointments/{visit.pk}/move/"
    zone = night[2][n]
    assert f'<option value="{zone}" selected>' in client.get(address).content.decode()

    for sent in ({"zone": zone}, {}):  # the page names the zone, a drag to another room's column does not
        client.post(address, fields(visit, room=room.pk, **sent))
        fresh = Appointment.objects.get(pk=visit.pk)
        assert (fresh.starts_at, fresh.room) == (visit.starts_at, room)


def test_a_move_into_the_hour_asks_which_and_takes_the_answer(sign_in, night, adjustment):
    place, person, names = night
    visit = booking.book(
        patient=make.patient(place), practitioner=person, location=place, type=adjustment,
        starts_at=times.instant(SUNDAY, time(3), place.time_zone), by=None, by_whom="patient",
    )  # fmt: skip
    client, address = sign_in(make.user("desk", place)), f"/appointments/{visit.pk}/move/"
    assert "Which of the two" not in client.get(address).content.decode()

    refused = client.post(address, fields(visit))

    page = html.unescape(refused.content.decode())
    assert refused.status_code == 400
    assert f"1:30 AM comes twice on this day: say {names[0]} or {names[1]}." in page
    assert f"The second, 1:30 AM {names[1]}" in page
    assert Appointment.objects.get().starts_at == visit.starts_at
    for name, fold in ((names[1], 1), (names[0], 0)):
        assert client.post(address, fields(visit, zone=name)).status_code == 302
        expected = times.instant(SUNDAY, HALF_PAST, place.time_zone, fold=fold)
        assert Appointment.objects.get().starts_at == expected


def test_an_ordinary_time_needs_no_zone(both, night):
    form = MoveVisit(
        fields(both[1], time="02:30", zone=night[2][1]), appointment=both[1], user=both[1].practitioner.user
    )

    assert form.is_valid(), form.errors
    assert form.cleaned_data["starts_at"] == times.instant(SUNDAY, time(2, 30), night[0].time_zone)


def test_an_exact_booking_asks_and_takes_the_second(sign_in, night, adjustment):
    place, person, names = night
    patient = make.patient(place)
    client = sign_in(make.user("desk", place))
    asked = {"patient": patient.pk, "type": "adjustment", "location": place.slug, "from_day": "2027-11-07",
             "day": "2027-11-07", "time": "01:30", "at": place.slug, "practitioner_at": person.pk}  # fmt: skip

    page = client.post("/appointments/new/", asked).content.decode()
    assert f"The first, 1:30 AM {names[0]}" in page
    client.post("/appointments/new/", {**asked, "zone": names[1]})

    assert f"{Appointment.objects.get().local_start:%H:%M %Z}" == f"01:30 {names[1]}"


def test_bulk_and_series_moves_wish_for_the_same_of_the_two(both, night):
    span = Span(locations=[night[0]], first=SUNDAY, last=SUNDAY)
    for visit in both:
        (wish,) = bulk_moves.question([visit], span).wishes
        assert wish.starts_at == visit.starts_at


def test_the_offered_times_and_the_visit_name_the_zone(sign_in, both, night, adjustment):
    place, names = night[0], night[2]
    client = sign_in(make.user("desk", place))
    asked = {"patient": both[0].patient_id, "type": "adjustment", "location": place.slug, "from_day": "2027-11-07"}

    page = client.get("/appointments/new/", asked).content.decode()

    for name, visit in zip(names, both, strict=True):
        assert f"1:00 AM {name}" in page
        assert f"1:45 AM {name}" in client.get(f"/appointments/{visit.pk}/").content.decode()


def test_the_list_names_the_zone_of_each_visit(sign_in, both, night):
    place, (first, second) = night[0], night[2]
    page = sign_in(make.user("desk", place)).get("/calendar/", {"view": "list", "day": "2027-11-07"}).content.decode()

    assert f"1:30–1:45 AM {first}</td>" in page
    assert f"1:30–1:45 AM {second}</td>" in page
    assert "all times" not in page


def test_a_visit_across_the_change_names_both(sign_in, night, adjustment):
    place, person, (first, second) = night
    Appointment.objects.all().delete()
    booking.book(
        patient=make.patient(place), practitioner=person, location=place, type=adjustment,
        starts_at=times.instant(SUNDAY, time(1, 45), place.time_zone), by=None, by_whom="patient",
    )  # fmt: skip
    page = sign_in(make.user("desk", place)).get("/calendar/", {"view": "list", "day": "2027-11-07"}).content.decode()

    assert f"1:45 {first}–1:00 AM {second}</td>" in page


def test_the_columns_know_the_zone_on_that_day_only(sign_in, both, night):
    client = sign_in(make.user("desk", night[0]))

    visits = client.get("/calendar/events/", {"day": "2027-11-07"}).json()["visits"]

    assert [(visit["from"], visit["zone"]) for visit in visits] == [(90, night[2][0]), (90, night[2][1])]
