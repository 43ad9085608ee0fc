from datetime import date, time, timedelta

import pytest

from appointments import availability, booking, marks
from appointments.models import ExtraHours, TimeOff, WeeklyHours
from clinic.errors import RuleBroken
from locations.models import Closure
from tests import make
from tests.make import MONDAY, at


def starts(found):
    return [slot.local_start.strftime("%H:%M") for slot in found.slots]


def find(type, *places, day=MONDAY, until=None, limit=100, **question):
    return availability.find(type=type, locations=places, from_day=day, to_day=until or day, limit=limit, **question)


def test_hours_bound_the_slots(atlanta, evaluation_type):
    make.practitioner(atlanta, starts=time(9), ends=time(11))

    assert starts(find(evaluation_type, atlanta)) == ["09:00", "09:15", "09:30", "09:45", "10:00"]


def test_opening_hours_cut_the_practitioners(evaluation_type):
    place = make.location("augusta", opens=time(10), closes=time(11, 15))
    make.practitioner(place, starts=time(9), ends=time(17))

    assert starts(find(evaluation_type, place)) == ["10:00", "10:15"]


def test_a_visit_and_its_buffers_take_time(atlanta, patient, desk):
    kind = make.appointment_type("checkup", 30, buffer_before=5, buffer_after=10)
    chiro = make.practitioner(atlanta, starts=time(9), ends=time(11))
    booking.book(patient=patient, practitioner=chiro, location=atlanta, type=kind, starts_at=at(9, 45), by=desk)

    assert starts(find(kind, atlanta)) == ["09:00", "10:30"]


def test_visits_about_to_move_make_room(atlanta, patient, desk, adjustment):
    chiro = make.practitioner(atlanta, starts=time(9), ends=time(9, 45))
    first, second = (
        booking.book(
            patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9, m), by=desk
        )
        for m in (0, 15)
    )

    assert starts(find(adjustment, atlanta, patient=patient)) == ["09:30"]
    assert starts(find(adjustment, atlanta, patient=patient, without=[first])) == ["09:00", "09:30"]
    assert starts(find(adjustment, atlanta, patient=patient, without=[first, second])) == ["09:00", "09:15", "09:30"]


def test_travel_keeps_the_practitioner_away(atlanta, marietta, patient, desk, adjustment):
    make.travel(atlanta, marietta, 35)
    chiro = make.practitioner(atlanta, marietta, starts=time(9), ends=time(11))
    booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9, 45), by=desk)

    # 35 minutes before 9:45 the working day has not begun; 35 minutes after 10:00 the next start is 10:45.
    assert starts(find(adjustment, marietta)) == ["10:45"]


def test_rooms_run_out(patient, desk, adjustment):
    place = make.location("savannah", rooms=1)
    first, second = (make.practitioner(place, starts=time(9), ends=time(9, 30)) for _ in range(2))
    owner_desk = make.user("desk", place)
    booking.book(
        patient=make.patient(place), practitioner=first, location=place, type=adjustment, starts_at=at(9), by=owner_desk
    )

    assert [(s.practitioner, s.local_start.minute) for s in find(adjustment, place).slots] == [
        (first, 15),
        (second, 15),
    ]


@pytest.mark.parametrize("everywhere", [True, False])
def test_closures_and_time_off_are_not_offered(atlanta, chiro, evaluation_type, everywhere):
    tuesday, wednesday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
    Closure.objects.create(location=None if everywhere else atlanta, starts_on=MONDAY, ends_on=MONDAY, reason="Holiday")
    TimeOff.objects.create(practitioner=chiro, starts_at=at(0, day=tuesday), ends_at=at(0, day=wednesday))

    found = find(evaluation_type, atlanta, until=wednesday, limit=1)

    assert found.slots[0].local_start.date() == wednesday


def test_many_locations_come_in_order_of_start(atlanta, nashville, evaluation_type):
    make.practitioner(atlanta, starts=time(9), ends=time(10, 15))
    make.practitioner(nashville, starts=time(8), ends=time(9, 15))

    found = find(evaluation_type, nashville, atlanta)

    assert [(s.location.slug, s.local_start.strftime("%H:%M")) for s in found.slots] == [
        ("atlanta", "09:00"), ("nashville", "08:00"), ("atlanta", "09:15"), ("nashville", "08:15"),
    ]  # fmt: skip


def test_weekly_hours_hold_between_their_dates(atlanta, chiro, evaluation_type):
    WeeklyHours.objects.update(valid_from=MONDAY + timedelta(days=1), valid_until=MONDAY + timedelta(days=1))

    found = find(evaluation_type, atlanta, until=MONDAY + timedelta(days=7), limit=500)

    assert {slot.local_start.date() for slot in found.slots} == {MONDAY + timedelta(days=1)}


def test_limit_says_where_to_go_on(atlanta, chiro, evaluation_type):
    found = find(evaluation_type, atlanta, until=MONDAY + timedelta(days=7), limit=5)

    assert (len(found.slots), found.next_from) == (5, MONDAY)


def test_the_past_is_not_offered(atlanta, chiro, evaluation_type):
    found = find(evaluation_type, atlanta, limit=1, now=at(12, 7))

    assert starts(found) == ["12:15"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2027, 3, 14), ["00:00", "01:00", "03:00", "04:00"]),  # 02:00 does not exist
        (date(2027, 11, 7), ["00:00", "01:00", "01:00", "02:00", "03:00", "04:00"]),  # 01:00 comes twice
    ],
)
def test_clock_changes_neither_invent_nor_lose_an_hour(evaluation_type, day, expected):
    evaluation_type.step_minutes = 60
    for zone in ("America/New_York", "America/Chicago"):
        place = make.location(zone[-4:].lower(), zone)
        place.opening_hours.create(weekday=6, opens=time(0), closes=time(5))
        make.practitioner(place, starts=time(0), ends=time(5), days=[6])

        assert starts(find(evaluation_type, place, day=day)) == expected


def test_same_number_of_queries_for_one_and_many(atlanta, marietta, evaluation_type, django_assert_num_queries):
    make.practitioner(atlanta)
    with django_assert_num_queries(4):
        find(evaluation_type, atlanta, limit=5)

    for _ in range(5):
        make.practitioner(atlanta, marietta)
    with django_assert_num_queries(4):
        find(evaluation_type, atlanta, marietta, limit=5)


@pytest.mark.parametrize(("first", "last"), [(MONDAY, MONDAY - timedelta(days=1)), (MONDAY, date(2029, 1, 1))])
def test_impossible_days_are_refused(atlanta, evaluation_type, first, last):
    with pytest.raises(RuleBroken):
        find(evaluation_type, atlanta, day=first, until=last)


def test_hours_every_other_week_count_from_their_first(atlanta, evaluation_type):
    person = make.practitioner(atlanta, starts=time(9), ends=time(10), days=[2])
    person.weekly_hours.update(every_weeks=2, valid_from=MONDAY + timedelta(days=4))  # a Friday of the first week

    found = find(evaluation_type, atlanta, until=MONDAY + timedelta(days=41))

    wednesday = MONDAY + timedelta(days=2)
    assert [s.local_start.date() for s in found.slots] == [
        wednesday + timedelta(days=14),
        wednesday + timedelta(days=28),
    ]


def test_extra_hours_add_a_day_that_is_not_open(atlanta, chiro, evaluation_type):
    sunday = MONDAY + timedelta(days=6)
    ExtraHours.objects.create(practitioner=chiro, location=atlanta, day=sunday, starts=time(10), ends=time(11, 15))

    assert starts(find(evaluation_type, atlanta, day=sunday)) == ["10:00", "10:15"]

    Closure.objects.create(location=atlanta, starts_on=sunday, ends_on=sunday, reason="Holiday")
    assert starts(find(evaluation_type, atlanta, day=sunday)) == []


def test_hours_past_midnight_belong_to_both_days(evaluation_type):
    place = make.location("savannah", opens=time(8), closes=time(18))
    place.opening_hours.filter(weekday=0).update(closes=time(2), ends_next_day=True)
    person = make.practitioner(place, days=[])
    person.weekly_hours.create(location=place, weekday=0, starts=time(22), ends=time(2), ends_next_day=True)
    evaluation_type.step_minutes = 60

    assert starts(find(evaluation_type, place, day=MONDAY, until=MONDAY + timedelta(days=1))) == [
        "22:00", "23:00", "00:00", "01:00",
    ]  # fmt: skip

    Closure.objects.create(
        location=place, starts_on=MONDAY + timedelta(days=1), ends_on=MONDAY + timedelta(days=1), reason="Holiday"
    )
    assert starts(find(evaluation_type, place, day=MONDAY, until=MONDAY + timedelta(days=1))) == ["22:00", "23:00"]


def one_by_one(limit, type, *places, **question):
    """Every slot, asked for a few at a time; each answer says where the next one begins."""
    slots, after = [], None
    for _ in range(1000):
        found = find(type, *places, limit=limit, after=after, **question)
        slots += found.slots
        after = found.next_after
        assert (after is None) == (found.next_from is None)
        if after is None:
            return slots
        assert found.slots
    raise AssertionError("The answers go round in a circle.")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("day", [MONDAY, date(2027, 3, 14), date(2027, 11, 7)])
def test_going_on_lists_every_time_once(atlanta, nashville, evaluation_type, limit, day):
    """Many begin at one instant, at two clinics with different clocks, on the days the clock changes as well."""
    evaluation_type.step_minutes = 60
    for place in (atlanta, atlanta, nashville):
        person = make.practitioner(place, name="Same Name", starts=time(9), ends=time(11))
        ExtraHours.objects.create(practitioner=person, location=place, day=day, starts=time(0, 30), ends=time(4))
    question = {"day": day, "until": day + timedelta(days=1)}
    every = find(evaluation_type, nashville, atlanta, limit=500, **question)

    assert len(every.slots) >= 12
    assert (every.next_from, every.next_after) == (None, None)
    assert one_by_one(limit, evaluation_type, nashville, atlanta, **question) == every.slots


def test_after_an_instant_are_the_times_that_begin_later(atlanta, chiro, evaluation_type):
    found = find(evaluation_type, atlanta, after=marks.read("2027-01-04T10:00:00-05:00"), limit=2)

    assert starts(found) == ["10:15", "10:30"]


def test_a_mark_of_somebody_who_left_leaves_nobody_out(atlanta, chiro, evaluation_type):
    found = find(evaluation_type, atlanta, after=marks.read("2027-01-04T15:00:00Z|atlanta|999999"), limit=1)

    assert starts(found) == ["10:00"]


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2027-01-04", "2027-01-04T10:00:00", "2027-01-04T15:00:00Z|atlanta", "2027-01-04T15:00:00Z|atlanta|x",
     "2027-01-04T15:00:00Z|atlanta|1|2", "1850-01-04T15:00:00Z", "9999-12-31T23:59:59-14:00", "|" * 500],
)  # fmt: skip
def test_what_is_no_mark_is_refused(text):
    with pytest.raises(RuleBroken) as refused:
        marks.read(text)

    assert (refused.value.status, list(refused.value.fields)) == (400, ["after"])
