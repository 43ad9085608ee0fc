"""On November 7, 2027 the clock goes back at 2:00, and every time from 1:00 on comes twice."""

import html
import re
from datetime import date, time, timedelta

import pytest

from appointments import availability, booking
from appointments.forms import MoveVisit
from appointments.models import Appointment, ExtraHours
from appointments.moving import bulk_moves
from appointments.moving.bulk_moves import Span
from appointments.recurring import series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from appointments.timetable import working_hours
from clinic import times
from locations import opening, spans
from patients import registering
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


# ---- Wherever a time of that night is typed or dropped


def test_a_drop_into_the_hour_is_answered_with_the_two_to_choose_from(sign_in, night, adjustment):
    place, person, names = night
    visit = booking.book(
        patient=make.patient(place), practitioner=person, location=place, type=adjustment,
        starts_at=times.instant(SUNDAY, time(3), place.time_zone), by=None, by_whom="patient",
    )  # fmt: skip
    client, address = sign_in(make.user("desk", place)), f"/appointments/{visit.pk}/move/"
    as_script = {"headers": {"Accept": "application/json"}}

    asked = client.post(address, fields(visit), **as_script)

    assert (asked.status_code, asked.json()["nearest"]) == (400, [])
    assert asked.json()["which"] == [
        {"zone": names[0], "text": f"The first, 1:30 AM {names[0]}"},
        {"zone": names[1], "text": f"The second, 1:30 AM {names[1]}"},
    ]
    moved = client.post(address, fields(visit, zone=names[1]), **as_script)
    assert moved.status_code == 200
    assert Appointment.objects.get().starts_at == times.instant(SUNDAY, HALF_PAST, place.time_zone, fold=1)
    assert client.post(address, fields(visit, practitioner=0), **as_script).json()["which"] == []


def test_the_calendar_tells_the_dialog_which_times_come_twice(sign_in, night):
    place, names = night[0], night[2]

    found = sign_in(make.user("desk", place)).get("/calendar/events/", {"day": "2026-12-30"}).json()

    twice = {"from": 60, "until": 120, "zones": names}
    assert found["locations"][place.slug]["twice"] == [{"day": "2026-11-01", **twice}, {"day": "2027-11-07", **twice}]


def test_every_minute_of_the_repeated_hours_comes_twice_and_no_other():
    for zone in ("America/New_York", "America/Chicago", "Australia/Lord_Howe", "Africa/Casablanca", "America/Phoenix"):
        said = {(one.day, minute) for one in times.repeated_hours(2027, zone) for minute in range(one.begins, one.ends)}
        for day in {day for day, _ in said} | {SUNDAY, date(2027, 3, 14)}:
            twice = {n for n in range(1440) if times.passes(day, time(*divmod(n, 60)), zone)}
            assert twice == {minute for on, minute in said if on == day}


def test_a_click_on_the_calendar_asks_at_once(sign_in, night, adjustment):
    place, person, names = night
    patient = make.patient(place)
    registering.index_all([patient])
    client = sign_in(make.user("desk", place))
    wanted = {"location": place.slug, "from_day": "2027-11-07", "day": "2027-11-07", "time": "01:30",
              "practitioner": person.pk, "type": "adjustment"}  # fmt: skip

    found = html.unescape(client.get("/appointments/new/", {**wanted, "q": patient.family_name}).content.decode())
    link = re.search(r'href="(/appointments/new/\?patient=[^"]*)"', found).group(1)
    page = client.get(link).content.decode()

    assert f"The second, 1:30 AM {names[1]}" in page
    assert '<details class="exact" open>' in page
    assert f'<option value="{person.pk}" selected>' in page
    for wrong in ({"time": "25:00"}, {"day": "x"}, {"location": "nowhere"}, {"time": "\x00"}):
        assert client.get("/appointments/new/", {**wanted, "patient": patient.pk, **wrong}).status_code == 200


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"starts": "01:30", "ends": "05:00"}, {"starts_zone": 1, "ends_zone": 0}),
        ({"starts": "00:30", "ends": "01:30"}, {"starts_zone": 0, "ends_zone": 1}),
        ({"starts": "01:15", "ends": "01:15"}, {"starts_zone": 1, "ends_zone": 1}),
    ],
)
def test_time_off_says_which(sign_in, night, typed, expected):
    place, person, names = night
    client, address = sign_in(make.user("manager", place)), f"/setup/practitioners/{person.pk}/away/"
    said = {"starts_on": "2027-11-07", **typed}

    asked = client.post(address, {f"away-{name}": value for name, value in said.items()})

    form = asked.context["away"]
    assert (asked.status_code, {*form.errors}) == (400, {name for name, is_asked in expected.items() if is_asked})
    page = html.unescape(asked.content.decode())
    assert f"The second, {typed['starts' if expected['starts_zone'] else 'ends'][1:]} AM {names[1]}" in page
    said |= {"starts_zone": names[0], "ends_zone": names[1]} if typed["starts"] == typed["ends"] else {
        name: names[1] for name, is_asked in expected.items() if is_asked
    }  # fmt: skip
    assert client.post(address, {f"away-{name}": value for name, value in said.items()}).status_code == 302
    off = person.time_off.get()
    edges = [f"{times.local(edge, place.time_zone):%H:%M %Z}" for edge in (off.starts_at, off.ends_at)]
    after = {"01:30": f"01:30 {names[1]}", "05:00": f"05:00 {names[1]}", "00:30": f"00:30 {names[0]}"}
    assert edges == (
        [f"01:15 {n}" for n in names] if typed["starts"] == "01:15" else [after[v] for v in typed.values()]
    )


def test_whole_days_off_need_no_word_about_the_hour(sign_in, night):
    place, person, _ = night
    address = f"/setup/practitioners/{person.pk}/away/"

    sign_in(make.user("manager", place)).post(address, {"away-starts_on": "2027-11-07"})

    off = person.time_off.get()
    assert (off.starts_at, off.ends_at) == times.day_bounds(SUNDAY, place.time_zone)
    assert off.ends_at - off.starts_at == timedelta(hours=25)


def test_visits_of_a_series_move_to_the_pass_that_is_named(sign_in, night, adjustment):
    place, person, names = night
    patient = make.patient(place)
    begun = series.begin(
        patient=patient, type=adjustment, practitioner=person, location=place, by=person.user,
        pattern=Pattern(SUNDAY, (Stretch(1, 1),), (6,), time(1)),
    )  # fmt: skip
    first = Choice(times.instant(SUNDAY, time(3), place.time_zone), person)
    (visit,) = series.place(begun, {1: first}, by=person.user)
    client, address = sign_in(make.user("desk", place)), f"/appointments/{visit.pk}/series-move/"
    asked = {"scope": "later", "day": "2027-11-07", "time": "01:30"}

    assert "The second, 1:30 AM" in client.get(address, asked).content.decode()
    for name in (names[1], names[0]):
        (row,) = client.get(address, {**asked, "zone": name}).context["rows"]
        assert (f"{row.line.slot.local_start:%H:%M %Z}", row.line.why) == (f"01:30 {name}", "")
    seen = {f"seen-{row.key}": row.seen}
    chosen = seen | {row.name: row.chosen.value, "skip_reason": "Asked", "zone": names[0]}
    assert client.post(address, {**asked, **chosen}).status_code == 302
    assert Appointment.objects.get().starts_at == times.instant(SUNDAY, HALF_PAST, place.time_zone)


# --- hours with an edge in that hour: its first pass, in the engine and on the page


@pytest.fixture
def keeper(night):
    """Who sets the hours of the clinic of that night; its extra hours are gone."""
    place = night[0]
    ExtraHours.objects.all().delete()
    return make.user("manager", place)


def offered(place, person, kind):
    """When visits can begin in that night, with the names of the two passes."""
    found = availability.find(
        type=kind, locations=[place], practitioners=[person], from_day=SUNDAY, to_day=SUNDAY, limit=200
    ).slots
    return [f"{slot.local_start:%H:%M %Z}" for slot in found if slot.local_start.hour < 8]


def page_of(sign_in, keeper, person):
    return html.unescape(sign_in(keeper).get(f"/setup/practitioners/{person.pk}/").content.decode())


def test_extra_hours_begin_and_end_at_the_first_of_the_two_and_say_so(sign_in, night, keeper, adjustment):
    place, person, (first, second) = night
    ends = working_hours.add_extra(person, place, day=SUNDAY, span=spans.Span(6, time(0, 30), time(1, 30)), by=keeper)
    assert offered(place, person, adjustment)[-1] == f"01:15 {first}"
    said = f"1:30 AM comes twice on Sunday, November 7, 2027: the hours end at the first of the two, 1:30 AM {first}."
    assert said in page_of(sign_in, keeper, person)
    working_hours.remove_extra(ends, by=keeper)

    working_hours.add_extra(person, place, day=SUNDAY, span=spans.Span(6, time(1, 30), time(3)), by=keeper)
    times_ = offered(place, person, adjustment)
    assert (times_[0], f"01:00 {second}" in times_, f"01:00 {first}" in times_) == (f"01:30 {first}", True, False)
    assert f"begin at the first of the two, 1:30 AM {first}." in page_of(sign_in, keeper, person)


def test_weekly_hours_through_the_night_end_at_the_first_of_the_two_and_say_so(
    sign_in, night, keeper, adjustment, owner
):
    place, person, (first, _) = night
    late = spans.Span(5, time(22), time(1, 30), ends_next_day=True)
    opening.set_hours(place, [late], by=owner)
    working_hours.set_week(person, place, [working_hours.Shift(late)], from_day=place.today(), by=keeper)

    assert offered(place, person, adjustment)[-1] == f"01:15 {first}"
    page = page_of(sign_in, keeper, person)
    assert f"on Sunday, November 7, 2027: the hours end at the first of the two, 1:30 AM {first}." in page
    assert page.count("comes twice") == 1


def test_what_is_meant_otherwise_is_said_by_an_absence(night, keeper, adjustment):
    """From the second 1:30 on: hours from the first, and away until the second."""
    place, person, (first, second) = night
    working_hours.add_extra(person, place, day=SUNDAY, span=spans.Span(6, time(1, 30), time(3)), by=keeper)
    both = times.passes(SUNDAY, HALF_PAST, place.time_zone)
    working_hours.take_off(person, starts_at=both[first], ends_at=both[second], by=keeper)

    assert offered(place, person, adjustment)[0] == f"01:30 {second}"


def test_hours_that_meet_only_in_the_second_pass_do_not_meet(night, keeper, owner):
    """Here until 1:30, elsewhere from 1:30: the same instant ends one and begins the other, whatever the zones do."""
    place, person, _ = night
    other = make.location("other", place.time_zone)
    working_hours.add_extra(person, place, day=SUNDAY, span=spans.Span(6, time(0, 30), time(1, 30)), by=keeper)
    working_hours.add_extra(person, other, day=SUNDAY, span=spans.Span(6, time(1, 30), time(3)), by=owner)

    assert ExtraHours.objects.count() == 2


def test_ordinary_hours_say_nothing(sign_in, night, keeper):
    place, person, _ = night
    working_hours.add_extra(person, place, day=SUNDAY, span=spans.Span(6, time(2), time(3)), by=keeper)

    assert "comes twice" not in page_of(sign_in, keeper, person)
