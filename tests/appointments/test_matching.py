from datetime import time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments import booking, visit_status
from appointments.availability import Slot
from appointments.models import Appointment, ExtraHours, Hold, Offer, TimeOff
from appointments.waiting import matching, offers, waitlist
from appointments.wishes import PARTS, Wishes
from locations.models import Closure
from tests import make
from tests.make import MONDAY, at

NOW = at(12, day=MONDAY - timedelta(days=1))  # the Sunday before
MORNINGS = Wishes((), (PARTS["mornings"],))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def chiro(atlanta):
    """Works for one hour of the Monday, two visits of half an hour."""
    return make.practitioner(atlanta, name="Robin Sample", starts=time(9), ends=time(10), days=[0])


@pytest.fixture
def adjustment(db):
    return make.appointment_type("checkup", 30, step_minutes=30)


def only_that_monday(person):
    days = {"starts_at": at(0, day=MONDAY + timedelta(days=1)), "ends_at": at(0, day=MONDAY + timedelta(days=365))}
    TimeOff.objects.create(practitioner=person, **days)
    return person


@pytest.fixture
def full(atlanta, chiro, adjustment, desk):
    """The two visits of that Monday, and every Monday after it taken."""
    only_that_monday(chiro)
    return [
        booking.book(
            patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment,
            starts_at=at(9, minute), by=desk,
        )
        for minute in (0, 30)
    ]  # fmt: skip


def offered():
    """[(given name, local start)] of the open offers, in order of their start and patient."""
    found = Offer.objects.filter(answer="").select_related("entry__patient", "location")
    return sorted((one.entry.patient.given_name, f"{one.local_start:%a %H:%M}") for one in found)


def test_a_cancelled_visit_is_offered_to_the_first_in_order(waits, full, desk):
    waits("Ann")
    waits("Ben", urgency=1)
    assert matching.offer_free_times() == []

    visit_status.cancel(full[0], by=desk)
    matching.offer_free_times()

    assert offered() == [("Ben", "Mon 09:00")]
    assert Offer.objects.get().by_whom == "waitlist"


def test_two_free_times_go_to_the_first_two(waits, full, desk):
    for name in ("Ann", "Ben", "Cleo"):
        waits(name)
    for visit in full:
        visit_status.cancel(visit, by=desk)

    matching.offer_free_times()

    assert offered() == [("Ann", "Mon 09:00"), ("Ben", "Mon 09:30")]


def test_a_second_round_changes_nothing(waits, full, desk):
    waits("Ann")
    visit_status.cancel(full[0], by=desk)

    assert len(matching.offer_free_times()) == 1
    assert matching.offer_free_times() == []


def test_a_run_out_offer_passes_to_the_next(waits, full, desk, clock):
    waits("Ann")
    waits("Ben")
    visit_status.cancel(full[0], by=desk)
    (made,) = matching.offer_free_times()

    clock.move_to(made.expires_at)
    matching.offer_free_times()

    assert offered() == [("Ben", "Mon 09:00")]


def test_a_declined_offer_passes_on_and_the_day_does_not_come_again(waits, full, desk, clock):
    waits("Ann")
    for visit in full:
        visit_status.cancel(visit, by=desk)
    (made,) = matching.offer_free_times()
    offers.decline(made, by=None, by_whom="patient")

    clock.shift(timedelta(minutes=1))
    assert matching.offer_free_times() == []  # they rest
    clock.shift(matching.REST)
    assert matching.offer_free_times() == []  # the day was offered in vain

    TimeOff.objects.all().delete()  # and the Mondays after it are free
    matching.offer_free_times()
    assert offered() == [("Ann", "Mon 09:00")]
    assert Offer.objects.get(answer="").local_day == MONDAY + timedelta(days=7)


@pytest.mark.parametrize("how", ["time off lifted", "hours added", "closure lifted", "moved"])
def test_it_makes_no_difference_how_a_time_became_free(waits, full, desk, chiro, atlanta, how):
    closure = Closure.objects.create(
        location=atlanta, starts_on=MONDAY + timedelta(days=7), ends_on=MONDAY + timedelta(days=7), reason="Snow"
    )
    waits("Ann")
    assert matching.offer_free_times() == []

    match how:
        case "time off lifted":
            TimeOff.objects.all().delete()
        case "hours added":
            ExtraHours.objects.create(
                practitioner=chiro, location=atlanta, day=MONDAY, starts=time(14), ends=time(14, 30)
            )
        case "closure lifted":
            TimeOff.objects.all().delete()
            closure.delete()
        case "moved":
            other = only_that_monday(make.practitioner(atlanta, starts=time(16), ends=time(16, 30), days=[0]))
            booking.reschedule(full[0], practitioner=other, starts_at=at(16), by=desk)
    matching.offer_free_times()

    expected = {
        "time off lifted": at(9, day=MONDAY + timedelta(days=14)),
        "hours added": at(14),
        "closure lifted": at(9, day=MONDAY + timedelta(days=7)),
        "moved": at(9),
    }
    assert Offer.objects.get().starts_at == expected[how]


@pytest.mark.parametrize(
    "asked",
    [
        {"wishes": Wishes((1,))},
        {"wishes": Wishes((), (PARTS["afternoons"],))},
        {"from_day": MONDAY + timedelta(days=1)},
        {"until_day": MONDAY - timedelta(days=1)},
    ],
)
def test_only_what_was_asked_for_is_offered(waits, full, desk, asked):
    waits("Ann", **asked)
    for visit in full:
        visit_status.cancel(visit, by=desk)

    assert matching.offer_free_times() == []


def test_only_the_practitioners_and_clinics_asked_for(waits, full, desk, atlanta, marietta, adjustment):
    other = make.practitioner(marietta, starts=time(9), ends=time(10), days=[0])
    both = make.user("desk", atlanta, marietta)
    waits("Ann", practitioners=[full[0].practitioner])
    waitlist.add(make.patient(marietta, given="Mia"), waitlist.Asked(adjustment, [marietta], [other]), by=both)

    matching.offer_free_times()

    assert offered() == []  # Ann's is full, and Mia cannot be written to

    visit_status.cancel(full[1], by=desk)
    matching.offer_free_times()
    assert offered() == [("Ann", "Mon 09:30")]


def test_who_cannot_be_written_to_is_left_to_the_desk(waits, full, desk, atlanta):
    waits("Ann", reachable=False)
    waits("Ben", patient=make.patient(atlanta, given="Ben", email=""))
    visit_status.cancel(full[0], by=desk)

    assert matching.offer_free_times() == []
    slot = Slot(at(9), at(9, 30), atlanta, full[0].practitioner)
    assert [c.entry.patient.given_name for c in matching.who_could_have(slot, full[0].type, desk)] == ["Ann", "Ben"]


def test_an_earlier_day_is_offered_and_never_a_later_one(waits, full, desk, chiro, atlanta, adjustment):
    TimeOff.objects.all().delete()
    visit = full[0]
    waits(patient=visit.patient, sooner_than=visit)
    patient = make.patient(atlanta, given="Late")
    later = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment,
        starts_at=at(9, day=MONDAY + timedelta(days=7)), by=desk,
    )  # fmt: skip
    waits(patient=patient, sooner_than=later)
    assert matching.offer_free_times() == []  # the other time of the same Monday is no earlier day

    visit_status.cancel(full[1], by=desk)
    matching.offer_free_times()
    assert offered() == [("Late", "Mon 09:30")]


def test_nothing_is_offered_inside_the_notice(waits, full, desk, adjustment, clock):
    adjustment.notice_minutes = 24 * 60
    adjustment.save()
    waits("Ann")
    visit_status.cancel(full[0], by=desk)

    assert matching.offer_free_times() == []


def test_time_to_answer_is_left(waits, full, desk, clock):
    waits("Ann")
    visit_status.cancel(full[0], by=desk)
    clock.move_to(at(9) - offers.LEAST - timedelta(minutes=1))

    (made,) = matching.offer_free_times()
    assert made.expires_at == at(9)

    offers.decline(made, by=None, by_whom="patient")
    waits("Ben")
    clock.shift(timedelta(minutes=1))  # a minute less is too little
    assert matching.offer_free_times() == []


@pytest.mark.parametrize(("hour", "count"), [(7, 0), (8, 1), (19, 1), (20, 0)])
def test_offers_are_made_by_day(waits, full, desk, clock, hour, count):
    waits("Ann")
    visit_status.cancel(full[0], by=desk)
    clock.move_to(at(hour, day=MONDAY - timedelta(days=1)))

    assert len(matching.offer_free_times()) == count


def test_the_day_is_the_clinics_own(nashville, adjustment, clock):
    make.practitioner(nashville, starts=time(9), ends=time(10), days=[0])
    patient = make.patient(nashville)
    patient.consents.create(scope="email_reminders", given_at=NOW)
    waitlist.add(patient, waitlist.Asked(adjustment, [nashville]), by=make.user("desk", nashville))

    clock.move_to(at(8, 30, day=MONDAY - timedelta(days=1)))
    assert matching.offer_free_times() == []  # half past seven in Nashville
    clock.move_to(at(9, 0, day=MONDAY - timedelta(days=1)))
    assert len(matching.offer_free_times()) == 1


def test_a_location_may_keep_its_times_to_itself(waits, full, desk, atlanta):
    boss = make.user("manager", atlanta)
    offers.set_rules(atlanta, is_automatic=False, at_once=1, minutes=60, by=boss)
    waits("Ann")
    visit_status.cancel(full[0], by=desk)

    assert matching.offer_free_times() == []


def test_a_location_may_ask_several_at_once(waits, full, desk, atlanta, evaluation_type, clock):
    boss = make.user("manager", atlanta)
    offers.set_rules(atlanta, is_automatic=True, at_once=3, minutes=30, by=boss)
    busy = make.patient(atlanta, given="Busy")
    other = only_that_monday(make.practitioner(atlanta, starts=time(9), ends=time(9, 30), days=[0]))
    booking.book(patient=busy, practitioner=other, location=atlanta, type=full[0].type, starts_at=at(9), by=desk)
    clock.shift(timedelta(minutes=1))
    waits("Ann")
    waits(patient=busy)
    waits("Ben", wishes=Wishes((), (PARTS["evenings"],)))
    waits("Cleo", type=evaluation_type)
    waits("Dan")
    waits("Eve")
    waits("Fay")
    visit_status.cancel(full[0], by=desk)

    matching.offer_free_times()

    assert offered() == [("Ann", "Mon 09:00"), ("Dan", "Mon 09:00"), ("Eve", "Mon 09:00")]
    assert Hold.objects.count() == 1
    assert {one.expires_at - one.offered_at for one in Offer.objects.all()} == {offers.GRACE + timedelta(minutes=30)}


def test_a_closed_clinic_is_no_place(waits, full, desk, atlanta):
    waits("Ann", locations=[])
    visit_status.cancel(full[0], by=desk)
    atlanta.is_open = False
    atlanta.save()

    assert matching.offer_free_times() == []


def test_who_could_have_a_time_given_up_with_their_reasons(waits, full, desk, clock, atlanta, evaluation_type):
    waits("Ann", wishes=MORNINGS)
    clock.shift(timedelta(minutes=1))
    waits("Ben", urgency=2)
    waits("Cleo", wishes=Wishes((2,)))
    waits("Eve", type=evaluation_type)
    waits(patient=full[1].patient, until_day=MONDAY)
    visit_status.cancel(full[0], by=desk)

    found = matching.who_could_have(Slot(at(9), at(9, 30), atlanta, full[0].practitioner), full[0].type, desk)

    assert [(c.entry.patient.given_name, c.slot.starts_at, c.reason) for c in found] == [
        ("Ben", at(9), "urgent, waiting since today, asked for Atlanta"),
        ("Ann", at(9), "waiting since today, asked for Atlanta, mornings"),
        ("Avery", at(9), "waiting since today, asked for Atlanta"),
    ]
    half_past = matching.who_could_have(Slot(at(9, 30), at(10), atlanta, full[1].practitioner), full[1].type, desk)
    assert [c.entry.patient.given_name for c in half_past] == ["Ben", "Ann"]  # Avery has the visit of that time


def test_who_could_have_a_time_costs_the_same_for_one_and_for_many(
    waits, full, desk, atlanta, django_assert_num_queries
):
    waits("Ann")
    visit_status.cancel(full[0], by=desk)
    asked = Slot(at(9), at(9, 30), atlanta, full[0].practitioner), full[0].type, desk
    with CaptureQueriesContext(connection) as for_one:
        matching.who_could_have(*asked)

    for name in ("Ben", "Cleo", "Dan", "Eve"):
        waits(name)
    with django_assert_num_queries(len(for_one)):
        assert len(matching.who_could_have(*asked)) == 5


def test_a_round_with_nobody_waiting_is_cheap(full, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        matching.offer_free_times()


def test_cancelling_and_moving_wake_the_worker_once_committed(
    full, desk, monkeypatch, django_capture_on_commit_callbacks
):
    woken = []
    monkeypatch.setattr("appointments.waiting.freed_time.current_app.send_task", lambda name, **_: woken.append(name))

    with django_capture_on_commit_callbacks(execute=True):
        visit_status.cancel(full[0], by=desk)
        assert woken == []
    assert woken == ["appointments.tasks.offer_free_times"]
    with django_capture_on_commit_callbacks(execute=True):
        booking.reschedule(full[1], starts_at=at(9), by=desk)
        visit_status.confirm(full[1], by=desk)
    assert len(woken) == 2


def test_a_broker_that_is_away_does_not_spoil_the_cancelling(
    full, desk, monkeypatch, django_capture_on_commit_callbacks
):
    def away(*args, **options):
        raise ConnectionError

    monkeypatch.setattr("appointments.waiting.freed_time.current_app.send_task", away)

    with django_capture_on_commit_callbacks(execute=True):
        visit_status.cancel(full[0], by=desk)

    assert Appointment.objects.get(pk=full[0].pk).status == "cancelled"


def test_a_round_asks_the_same_for_few_and_for_many(waits, full, chiro, marietta):
    TimeOff.objects.filter(practitioner=chiro).update(starts_at=at(0, day=MONDAY))  # nothing is free
    make.practitioner(marietta, days=[])
    waits("Ann")
    waits("Ben", practitioners=[chiro])
    with CaptureQueriesContext(connection) as for_two:
        assert matching.offer_free_times() == []

    for n in range(30):
        waits(f"Many{n}", wishes=Wishes((n % 5,)), urgency=n % 3, practitioners=[chiro] if n % 2 else [])
    with CaptureQueriesContext(connection) as for_many:
        assert matching.offer_free_times() == []

    assert len(for_many) == len(for_two)


# --- later than the next two months


LATER = MONDAY + timedelta(days=14 * 7)


@pytest.fixture
def in_april(chiro, atlanta, adjustment, desk):
    """The one visit of a Monday in April, the only day on which they work from January on."""
    away = (
        (at(0, day=MONDAY), at(0, day=LATER)),
        (at(0, day=LATER + timedelta(days=1)), at(0, day=LATER.replace(year=2028))),
    )
    for starts_at, ends_at in away:
        TimeOff.objects.create(practitioner=chiro, starts_at=starts_at, ends_at=ends_at)
    chiro.weekly_hours.update(ends=time(9, 30))
    return booking.book(
        patient=make.patient(atlanta),
        practitioner=chiro,
        location=atlanta,
        type=adjustment,
        starts_at=at(9, day=LATER),
        by=desk,
    )


@pytest.mark.parametrize("from_day", [LATER, LATER - timedelta(days=60), LATER - timedelta(days=20)])
def test_what_frees_on_wished_days_far_ahead_is_offered(waits, in_april, desk, from_day):
    waits("Ann", from_day=from_day)
    assert matching.offer_free_times() == []

    visit_status.cancel(in_april, by=desk)
    matching.offer_free_times()

    assert [(one.entry.patient.given_name, one.starts_at) for one in Offer.objects.all()] == [("Ann", at(9, day=LATER))]


def test_two_months_from_the_first_wished_day_and_the_first_in_order_gets_it(waits, in_april, desk):
    visit_status.cancel(in_april, by=desk)
    waits("Ann", urgency=2)  # of her two months none is free
    waits("Ben", from_day=LATER - timedelta(days=61), urgency=1)  # nor of his
    waits("Cleo", from_day=LATER - timedelta(days=30))
    waits("Dora", from_day=LATER, until_day=LATER, urgency=1)

    matching.offer_free_times()

    assert offered() == [("Dora", "Mon 09:00")]
    assert matching.offer_free_times() == []


def test_beyond_the_horizon_of_the_type_nothing_is_offered_nor_read(waits, in_april, desk, adjustment):
    visit_status.cancel(in_april, by=desk)
    adjustment.horizon_days = 90
    adjustment.save()
    waits("Ann", from_day=LATER)
    with CaptureQueriesContext(connection) as asked:
        assert matching.offer_free_times() == []

    assert not [query for query in asked if "weeklyhours" in query["sql"]]


def test_days_all_over_the_year_are_read_in_a_few_stretches(waits, chiro, adjustment):
    TimeOff.objects.create(practitioner=chiro, starts_at=at(0), ends_at=at(0, day=MONDAY.replace(year=2028)))
    adjustment.horizon_days = 400
    adjustment.save()
    for n in range(24):
        day = MONDAY + timedelta(days=14 * n)
        waits(f"Many{n}", from_day=day, until_day=day)
    with CaptureQueriesContext(connection) as asked:
        assert matching.offer_free_times() == []

    assert len([query for query in asked if "weeklyhours" in query["sql"]]) == 1


@pytest.mark.parametrize(
    ("days", "read"),
    [
        ([(0, 60), (10, 70)], [(0, 70)]),
        ([(200, 260), (0, 60)], [(0, 60), (200, 260)]),
        ([(0, 0), (60, 60), (121, 121)], [(0, 60), (121, 121)]),
        ([(0, 90), (5, 6)], [(0, 90)]),
        ([], []),
    ],
)
def test_days_near_each_other_are_read_as_one(days, read):
    spans = [(MONDAY + timedelta(days=first), MONDAY + timedelta(days=last)) for first, last in days]

    found = matching._together(spans)

    assert [((first - MONDAY).days, (last - MONDAY).days) for first, last in found] == read


def test_a_room_that_two_could_have_is_offered_once_and_the_next_time_goes_on(waits, atlanta, adjustment, clock):
    atlanta.rooms.filter(kind="adjusting").exclude(pk=atlanta.rooms.filter(kind="adjusting").first().pk).delete()
    for _ in range(2):
        only_that_monday(make.practitioner(atlanta, starts=time(9), ends=time(10), days=[0]))
    for name in ("Ann", "Ben", "Cleo"):
        waits(name)
        clock.shift(timedelta(minutes=1))

    matching.offer_free_times()

    assert offered() == [("Ann", "Mon 09:00"), ("Ben", "Mon 09:30")]
