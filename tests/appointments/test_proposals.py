from datetime import date, time, timedelta
from itertools import combinations

import pytest

from appointments import availability, booking
from appointments.models import TimeOff
from appointments.recurring import proposals
from appointments.recurring.proposals import Choice, Question, Wish
from clinic import times
from locations.models import Closure
from tests import make
from tests.make import MONDAY, at

TEN = time(10)
DAYS = [MONDAY + timedelta(n) for n in (0, 2, 4, 7, 9, 11)]


@pytest.fixture
def wish(patient, adjustment, chiro, atlanta):
    def make_one(day=MONDAY, at_time=TEN, **changes):
        usual = {"key": day.isoformat(), "patient": patient, "type": adjustment, "location": atlanta,
                 "practitioner": chiro}  # fmt: skip
        return Wish(**{**usual, "day": day, "at_time": at_time, **changes})

    return make_one


@pytest.fixture
def book(atlanta, chiro, adjustment, desk):
    def act(starts_at, **changes):
        usual = {"patient": make.patient(atlanta), "practitioner": chiro, "location": atlanta, "type": adjustment,
                 "by": desk}  # fmt: skip
        return booking.book(**usual | changes, starts_at=starts_at)

    return act


def propose(wishes, kept=None, **question):
    return Question(wishes=wishes, **question).propose(kept)


def said(slot):
    return slot and f"{slot.local_start:%a %H:%M} {slot.practitioner.user.full_name}"


def one(lines):
    (line,) = lines
    return line


def test_a_wish_that_is_free_is_granted(wish):
    line = one(propose([wish()]))

    assert (line.why, said(line.slot)) == ("", "Mon 10:00 Robin Sample")


OFF_STEP = "10:07 AM is not offered: such visits begin every 15 minutes."


def test_a_wish_off_the_step_becomes_the_nearest_time_that_is_offered(wish):
    line = one(propose([wish(at_time=time(10, 7))]))

    assert (line.why, said(line.slot), line.against) == (OFF_STEP, "Mon 10:00 Robin Sample", None)


@pytest.mark.parametrize(
    ("step", "at_time", "then"), [(20, time(10, 15), "10:20"), (40, time(10), "10:00"), (40, time(10, 30), "10:40")]
)
def test_the_step_is_that_of_the_type_from_midnight_on(wish, step, at_time, then):
    kind = make.appointment_type(f"every-{step}", 15, step_minutes=step)

    line = one(propose([wish(at_time=at_time, type=kind)]))

    assert said(line.slot) == f"Mon {then} Robin Sample"


def test_whatever_minute_is_wished_for_only_what_is_offered_is_proposed(wish, atlanta, adjustment):
    minutes = (0, 1, 7, 8, 14, 15, 29, 59)
    days = [MONDAY + timedelta(n) for n in (0, 1, 2, 3, 4, 7, 8, 9)]

    lines = propose([wish(day, time(10, minute)) for day, minute in zip(days, minutes, strict=True)])

    offered = availability.find(
        type=adjustment, locations=[atlanta], from_day=days[0], to_day=days[-1] + timedelta(2), limit=500
    ).slots
    times_offered = {slot.starts_at for slot in offered}
    assert {slot.starts_at for line in lines for slot in line.choices} <= times_offered
    assert [said(line.slot)[4:9] for line in lines] == [
        "10:00", "10:00", "10:00", "10:15", "10:15", "10:15", "10:30", "11:00",
    ]  # fmt: skip


def test_a_visit_off_the_step_keeps_its_time_with_a_colleague_but_not_on_another_day(wish, book, atlanta):
    visit = book(at(10, 7))
    colleague = make.practitioner(atlanta, name="Aaron Other")
    same, other = (
        wish(day, time(10, 7), key=f"{day}", practitioner=colleague, patient=visit.patient, moving=visit)
        for day in (MONDAY, MONDAY + timedelta(1))
    )

    lines = [one(propose([asked])) for asked in (same, other)]

    assert [(line.why, said(line.slot)) for line in lines] == [
        ("", "Mon 10:07 Aaron Other"), (OFF_STEP, "Tue 10:00 Aaron Other"),
    ]  # fmt: skip


def test_a_time_off_the_step_outside_the_hours_is_not_proposed_against_them(wish):
    on_step, off_step = (one(propose([wish(at_time=at_time)])).against for at_time in (time(18), time(18, 7)))

    assert (on_step.codes, off_step) == (("outside_hours",), None)


def test_a_time_off_the_step_that_was_chosen_stays_chosen(wish, chiro):
    asked = wish(at_time=time(10, 7))

    line = one(propose([asked], kept={asked.key: Choice(at(10, 7), chiro)}))

    assert (line.why, said(line.slot)) == ("", "Mon 10:07 Robin Sample")


def test_a_taken_time_is_explained_beside_the_nearest(wish, book):
    book(at(10))

    line = one(propose([wish()]))

    assert line.why == "Robin Sample, DC already has a visit then."
    assert said(line.slot) == "Mon 09:45 Robin Sample"
    assert [said(s) for s in line.others] == [
        "Mon 09:30 Robin Sample", "Mon 10:15 Robin Sample", "Tue 10:00 Robin Sample",
    ]  # fmt: skip


def test_others_offer_somebody_else_too(wish, atlanta):
    make.practitioner(atlanta, name="Aaron Other")

    line = one(propose([wish()]))

    assert "Mon 10:00 Aaron Other" in [said(s) for s in line.others]


def test_the_usual_practitioner_on_another_day_comes_before_somebody_else(wish, chiro, atlanta):
    make.practitioner(atlanta, name="Aaron Other")
    TimeOff.objects.create(practitioner=chiro, starts_at=at(0), ends_at=at(23))

    line = one(propose([wish()]))

    assert line.why == "Robin Sample, DC does not work at Atlanta then."
    assert said(line.slot) == "Tue 10:00 Robin Sample"
    assert "Mon 10:00 Aaron Other" in [said(s) for s in line.others]


def test_somebody_else_when_the_usual_one_is_away_for_long(wish, chiro, atlanta):
    make.practitioner(atlanta, name="Aaron Other")
    TimeOff.objects.create(practitioner=chiro, starts_at=at(0), ends_at=at(0, day=date(2027, 1, 9)))

    assert said(one(propose([wish()])).slot) == "Mon 10:00 Aaron Other"


def test_nothing_within_reach_proposes_nothing(wish, atlanta):
    Closure.objects.create(location=atlanta, starts_on=date(2027, 1, 1), ends_on=date(2027, 1, 9), reason="Flood")

    line = one(propose([wish()]))

    assert (line.why, line.slot, line.others, line.choices) == ("Atlanta is closed on January 4.", None, [], [])


def test_no_two_visits_of_a_series_are_proposed_for_one_day(wish, atlanta):
    Closure.objects.create(location=atlanta, starts_on=MONDAY, ends_on=MONDAY, reason="Holiday")

    lines = propose([wish(day) for day in DAYS[:2]])

    assert [said(line.slot) for line in lines] == ["Tue 10:00 Robin Sample", "Wed 10:00 Robin Sample"]
    for line in lines:
        others = {slot.local_start.date() for slot in line.others}
        assert not others & {other.slot.local_start.date() for other in lines if other is not line}


def test_days_that_are_taken_are_left_out(wish):
    line = one(propose([wish()], taken_days=[MONDAY]))

    assert (line.why, said(line.slot)) == ("The patient has another such visit on this day.", "Tue 10:00 Robin Sample")


def test_the_patients_other_visits_are_in_the_way(wish, book, patient, atlanta, evaluation_type):
    book(at(9, 30), patient=patient, practitioner=make.practitioner(atlanta), type=evaluation_type)

    line = one(propose([wish()]))

    assert line.why == "Avery Testerson already has a visit that overlaps this time."
    assert said(line.slot) == "Mon 10:30 Robin Sample"


def test_a_time_that_the_clock_skips_is_explained(wish):
    place = make.location("nightly", opens=time(0), closes=time(23, 59))
    person = make.practitioner(place, starts=time(1), ends=time(5), days=range(7))
    place.opening_hours.create(weekday=6, opens=time(0), closes=time(23, 59))

    change = wish(date(2027, 3, 14), time(2, 30), location=place, practitioner=person)
    line = one(propose([change]))

    assert line.why == "02:30 does not exist on this day: the clock is put forward."
    assert said(line.slot).startswith("Sun 0")


def test_a_moving_visit_makes_room_for_its_own_new_time(wish, book, patient, evaluation_type):
    visit = book(at(10), patient=patient, type=evaluation_type)

    line = one(propose([wish(at_time=time(10, 30), type=evaluation_type, moving=visit)]))

    assert (line.why, said(line.slot)) == ("", "Mon 10:30 Robin Sample")


def test_visits_of_many_patients_are_never_proposed_in_each_others_way(atlanta, chiro, book, wish):
    ill = [chiro, make.practitioner(atlanta, name="Blake Second")]
    visits = [book(at(9, 15 * n), practitioner=person) for n in range(4) for person in ill]
    for name in ("Aaron Other", "Casey Third"):
        make.practitioner(atlanta, name=name)
    room = atlanta.rooms.filter(kind="adjusting").last()
    type(room).objects.filter(pk=room.pk).update(is_open=False)  # one room for the two who take over
    today = [(times.to_minute(at(0)), times.to_minute(at(23)))]

    lines = propose(
        [wish(key=str(n), patient=v.patient, practitioner=None, at_time=v.local_start.time(), moving=v)
         for n, v in enumerate(visits)],
        one_a_day=False, away={person.pk: today for person in ill},
    )  # fmt: skip

    spans = [(line.slot.starts_at, line.slot.ends_at) for line in lines]
    assert all(a[1] <= b[0] or b[1] <= a[0] for a, b in combinations(spans, 2))
    assert [line.why for line in lines] == ["", "Nobody is free at this time."] * 4
    monday = {s.practitioner.name for line in lines for s in line.choices if s.local_start.date() == MONDAY}
    assert monday == {"Aaron Other, DC", "Casey Third, DC"}


@pytest.mark.parametrize("zone", ["America/New_York", "America/Chicago"])
@pytest.mark.parametrize("change", [date(2027, 3, 14), date(2026, 11, 1)])
def test_nine_stays_nine_across_a_clock_change(db, zone, change, time_machine):
    place = make.location("somewhere", zone)
    person, patient, kind = make.practitioner(place), make.patient(place), make.appointment_type()
    time_machine.move_to(at(8, day=change - timedelta(14)), tick=False)
    days = [change + timedelta(n) for n in (-6, -2, 1, 5, 8)]

    lines = propose([Wish(str(d), patient, kind, place, person, d, time(9)) for d in days])

    assert [(line.why, line.slot.local_start.date(), line.slot.local_start.time()) for line in lines] == [
        ("", day, time(9)) for day in days
    ]
    assert len({line.slot.local_start.utcoffset() for line in lines}) == 2


def test_far_apart_wishes_are_asked_about_one_by_one(wish):
    days = [MONDAY, date(2027, 6, 7), date(2027, 6, 9)]

    lines = propose([wish(day) for day in days])

    assert [line.slot.local_start.date() for line in lines] == days
    spans = [(day - timedelta(2), day + timedelta(2)) for day in days]
    assert proposals._runs(spans, MONDAY) == [(MONDAY, date(2027, 1, 6)), (date(2027, 6, 5), date(2027, 6, 11))]


def test_the_same_queries_for_few_wishes_and_many(wish, book, django_assert_num_queries):
    book(at(10))
    book(at(10, day=DAYS[-1]))
    with django_assert_num_queries(8):
        propose([wish(DAYS[0]), wish(DAYS[-1])])
    with django_assert_num_queries(8):
        propose([wish(day) for day in DAYS])


def test_what_was_chosen_before_is_kept_and_the_others_give_way(wish, book, chiro):
    book(at(10))
    kept = {"first": Choice(at(11, day=date(2027, 1, 5)), chiro)}

    lines = propose([wish(key="first"), wish(date(2027, 1, 5), key="second")], kept)

    assert [said(line.slot) for line in lines] == ["Tue 11:00 Robin Sample", "Wed 10:00 Robin Sample"]
    assert [line.why for line in lines] == [
        "Robin Sample, DC already has a visit then.", "The patient has another such visit on this day.",
    ]  # fmt: skip


def test_nothing_wished_is_nothing_proposed(db):
    assert propose([]) == []


# ---- Further away, where nothing is free about the day


@pytest.fixture
def closed(atlanta):
    """`closed(first, last)` closes Atlanta, by the days of January."""

    def act(first, last):
        days = {"starts_on": date(2027, 1, first), "ends_on": date(2027, 1, last)}
        return Closure.objects.create(location=atlanta, reason="Flood", **days)

    return act


def test_the_same_week_comes_before_what_is_nearer_in_the_next(wish, closed):
    closed(6, 10)  # Wednesday to Sunday; Monday 11 is nearer to Friday 8 than Monday 4

    lines = propose([wish(MONDAY), wish(date(2027, 1, 8)), wish(date(2027, 1, 15))], furthest=21)

    assert [said(line.slot) for line in lines] == [f"{day} 10:00 Robin Sample" for day in ("Mon", "Tue", "Fri")]
    assert lines[1].slot.local_start.date() == date(2027, 1, 5)
    assert lines[1].why == "Atlanta is closed on January 8."


def test_then_what_lies_before_the_next_visit_of_the_series(wish, closed):
    closed(4, 12)

    with_next = propose([wish(MONDAY), wish(date(2027, 1, 15))], furthest=21)
    crowded = propose([wish(MONDAY), wish(date(2027, 1, 13))], furthest=21)
    taken = propose([wish(MONDAY)], furthest=21, taken_days=[date(2027, 1, 13)])

    assert with_next[0].slot.local_start.date() == date(2027, 1, 13)
    assert {slot.local_start.date() for slot in with_next[0].others} <= {date(2027, 1, 13), date(2027, 1, 14)}
    assert (crowded[0].slot, taken[0].slot) == (None, None)
    assert propose([wish(MONDAY)], furthest=0)[0].slot is None


@pytest.mark.parametrize(("last", "found"), [(24, date(2027, 1, 25)), (25, None)])
def test_never_further_than_asked(wish, closed, last, found):
    closed(1, last)

    line = one(propose([wish(MONDAY)], furthest=21))

    assert (line.slot and line.slot.local_start.date()) == found


def test_no_visit_of_a_series_goes_to_long_before_its_first(wish, closed):
    closed(2, 31)

    assert one(propose([wish(MONDAY)], furthest=21)).slot is None


def test_two_that_look_further_do_not_get_the_same(wish, closed):
    closed(4, 17)

    lines = propose([wish(MONDAY, key="one"), wish(MONDAY, key="two", group="b")], furthest=21)

    starts = {line.slot.starts_at for line in lines}
    assert len(starts) == 2
    assert {start.date() for start in starts} == {date(2027, 1, 18)}


def test_more_times_for_one_row(wish, book):
    book(at(10))
    wishes = [wish(day) for day in DAYS]
    key = wishes[0].key

    few, many = propose(wishes, furthest=21)[0], propose(wishes, furthest=21, more=[key])

    assert (many[0].slot, many[0].why) == (few.slot, few.why)
    assert len(few.others) == 3
    assert len({slot.local_start.date() for slot in many[0].others}) >= proposals.MORE
    barred = {*DAYS[1:]}
    assert not barred & {slot.local_start.date() for slot in many[0].others}
    assert len(many[1].others) < 4


def test_more_times_reach_past_the_next_visit(wish, closed):
    closed(4, 12)
    wishes = [wish(MONDAY), wish(date(2027, 1, 13))]

    line = propose(wishes, furthest=21, more=[wishes[0].key])[0]

    assert line.slot.local_start.date() == date(2027, 1, 14)


def test_whoever_finds_something_near_asks_nothing_more(wish, book, closed, django_assert_num_queries):
    with django_assert_num_queries(8):
        propose([wish(day) for day in DAYS], furthest=21)
    closed(4, 8)
    with django_assert_num_queries(8 + 8):
        propose([wish(day) for day in DAYS], furthest=21)


def test_proposals_that_follow_one_another_take_one_room(wish, chiro, atlanta):
    """Two rooms: the short visits of two colleagues, one after the other, leave one of them for the long one."""
    long = make.appointment_type("long", 60, room_kind="adjusting", step_minutes=15)
    ben, cleo, dan = (make.practitioner(atlanta, name=name) for name in ("Ben Other", "Cleo Other", "Dan Other"))
    wishes = [
        wish(key="1", practitioner=ben, patient=make.patient(atlanta)),
        wish(key="2", practitioner=cleo, patient=make.patient(atlanta), at_time=time(10, 30)),
        wish(key="3", type=long),
    ]
    at_once = wish(key="4", practitioner=dan, patient=make.patient(atlanta), at_time=time(10, 30))

    lines = propose(wishes, one_a_day=False)

    assert [(line.why, said(line.slot)) for line in lines] == [
        ("", "Mon 10:00 Ben Other"), ("", "Mon 10:30 Cleo Other"), ("", "Mon 10:00 Robin Sample"),
    ]  # fmt: skip
    assert (
        propose([*wishes, at_once], one_a_day=False)[-1].why == "Another visit of this list is proposed for this time."
    )
