from datetime import date, time, timedelta

import pytest

from appointments import booking, visit_status
from appointments.models import Appointment
from appointments.recurring import placing, proposals, series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from clinic.errors import RuleBroken
from locations.models import Closure
from tests import make
from tests.make import MONDAY, at

TEN = time(10)
PATTERN = Pattern(MONDAY, (Stretch(2, 2), Stretch(1, 2)), (0, 2), TEN, checkpoint_after=4)


@pytest.fixture
def said(patient, adjustment, chiro, atlanta):
    re_evaluation = make.appointment_type("re-evaluation", 45, room_kind="evaluation")
    return {"patient": patient, "type": adjustment, "checkpoint_type": re_evaluation, "practitioner": chiro,
            "location": atlanta, "pattern": PATTERN}  # fmt: skip


@pytest.fixture
def begun(said, desk):
    return series.begin(**said, by=desk)


def days(lines):
    return [line.slot and line.slot.local_start.date() for line in lines]


def on(*numbers):
    return [date(2027, 1, n) for n in numbers]


def test_a_pattern_becomes_a_line_a_visit(said):
    lines = placing.new(**said).propose()

    assert [line.wish.key for line in lines] == ["1", "2", "3", "4", "5", "6", "7"]
    assert days(lines) == [*on(4, 6, 11, 13, 20, 27), date(2027, 2, 3)]
    assert [line.wish.type.slug for line in lines] == ["adjustment"] * 4 + ["re-evaluation"] + ["adjustment"] * 2
    assert {line.why for line in lines} == {""}


def test_what_is_proposed_can_be_booked(said, begun, desk):
    series.place(begun, proposals.accept(placing.new(**said).propose()), by=desk)

    assert Appointment.objects.count() == 7
    assert [v.type.slug for v in Appointment.objects.order_by("starts_at")][4] == "re-evaluation"


def test_a_start_that_has_passed_is_made_good_at_the_end(said, time_machine):
    time_machine.move_to(at(12, day=date(2027, 1, 7)), tick=False)

    lines = placing.new(**said).propose()

    assert days(lines) == [*on(18, 25, 11, 13, 20, 27), date(2027, 2, 3)]


def test_only_one_stretch_is_proposed_when_it_is_asked_for(begun):
    lines = placing.owed(begun, weekdays=[3], at_time=time(15), stretch=2).propose()

    assert [(line.wish.key, line.slot.local_start.date()) for line in lines] == [
        ("5", date(2027, 1, 21)), ("6", date(2027, 1, 28)), ("7", date(2027, 2, 4)),
    ]  # fmt: skip
    assert {line.slot.local_start.time() for line in lines} == {time(15)}


def test_a_series_of_which_nothing_is_placed_starts_today_at_the_earliest(begun, time_machine):
    time_machine.move_to(at(8, day=date(2027, 1, 11)), tick=False)

    lines = placing.owed(begun, weekdays=[0, 2], at_time=TEN).propose()

    assert days(lines)[:4] == on(11, 13, 18, 20)


def test_an_overdue_debt_takes_the_next_weekday_that_nobody_wants(begun, chiro, desk, time_machine):
    choices = {n: Choice(at(10, day=day), chiro) for n, day in enumerate(on(4, 6, 11, 13), 1)}
    visits = series.place(begun, choices, by=desk)
    time_machine.move_to(at(12, day=date(2027, 1, 7)), tick=False)
    visit_status.no_show(visits[0], by=desk)

    lines = placing.owed(begun, weekdays=[0, 2], at_time=TEN, stretch=1).propose()
    assert [(line.wish.key, days([line])) for line in lines] == [("1", on(18))]
    sooner = placing.owed(begun, weekdays=[1, 4], at_time=TEN, stretch=1).propose()
    assert days(sooner) == on(8)


def test_a_day_with_another_such_visit_is_not_wanted(begun, said, desk):
    booking.book(**{k: said[k] for k in ("patient", "type", "practitioner", "location")}, starts_at=at(14), by=desk)
    Appointment.objects.update(series_visit=None)  # it makes good none of this series

    first = placing.owed(begun, weekdays=[0, 2], at_time=TEN).propose()[0]

    assert (first.why, days([first])) == ("The patient has another such visit on this day.", on(5))


def test_what_cannot_be_placed_is_skipped_with_the_reason(begun, atlanta, desk):
    Closure.objects.create(location=atlanta, starts_on=MONDAY, ends_on=date(2027, 1, 8), reason="Flood")

    choices = proposals.accept(placing.owed(begun, weekdays=[0, 2], at_time=TEN).propose())

    assert choices[1] == Choice(skip_reason="Atlanta is closed on January 4.")
    series.place(begun, choices, by=desk)
    assert list(series.debts(desk).values_list("number", "skipped_reason")) == [
        (1, "Atlanta is closed on January 4."), (2, "Atlanta is closed on January 6."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"weekdays": [0]}, "weekdays"),
        ({"weekdays": [0, 7]}, "weekdays"),
        ({"weekdays": []}, "weekdays"),
        ({"weekdays": [0, 2], "stretch": 3}, "stretch"),
        ({"weekdays": [0, 2], "stretch": 0}, "stretch"),
    ],
)
def test_propose_owed_refuses(begun, asked, field):
    with pytest.raises(RuleBroken) as caught:
        placing.owed(begun, at_time=TEN, **asked).propose()

    assert (list(caught.value.fields), caught.value.status) == ([field], 400)


def test_nothing_owed_is_nothing_proposed(begun, said, desk):
    series.place(begun, proposals.accept(placing.new(**said).propose()), by=desk)

    assert placing.owed(begun, weekdays=[0, 2], at_time=TEN).propose() == []


def test_the_queries_do_not_grow_with_the_visits(said, begun, desk, django_assert_max_num_queries):
    with django_assert_max_num_queries(45):
        placing.owed(begun, weekdays=[0, 2], at_time=TEN).propose()
    many = {**said, "pattern": Pattern(MONDAY + timedelta(1), (Stretch(3, 8),), (0, 2, 4), TEN)}
    with django_assert_max_num_queries(45):
        placing.new(**many).propose()
