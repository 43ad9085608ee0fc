"""Nobody is planned across a way that nobody entered, whichever path asks."""

from datetime import time, timedelta

import pytest
import time_machine

from appointments import availability, booking, holds
from appointments.models import WeeklyHours
from appointments.moving import bulk_moves
from appointments.waiting import matching, waitlist
from clinic.errors import RuleBroken
from locations.models import OpeningHours
from tests import make
from tests.make import MONDAY, at

DAY = timedelta(days=1)
TUESDAY = MONDAY + DAY


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(at(9, day=MONDAY - timedelta(days=4)), tick=False) as travel:
        yield travel


@pytest.fixture
def both(atlanta, marietta):
    """Works at two clinics from early to late; nobody entered the way between them."""
    OpeningHours.objects.update(opens=time(5), closes=time(23))
    return make.practitioner(atlanta, marietta, starts=time(6), ends=time(22))


@pytest.fixture
def front(atlanta, marietta):
    return make.user("desk", atlanta, marietta)


@pytest.fixture
def morning(both, atlanta, adjustment, front):
    return booking.book(
        patient=make.patient(atlanta), practitioner=both, location=atlanta, type=adjustment, starts_at=at(9), by=front
    )


def starts(kind, place, day=MONDAY, **more):
    found = availability.find(type=kind, locations=[place], from_day=day, to_day=day, limit=100, **more)
    return [f"{slot.local_start:%H:%M}" for slot in found.slots]


def book(place, starts_at, both, adjustment, front, **more):
    who = make.patient(place)
    return booking.book(
        patient=who, practitioner=both, location=place, type=adjustment, starts_at=starts_at, by=front, **more
    )


def test_nothing_is_free_at_the_other_clinic_within_half_a_day(morning, adjustment, atlanta, marietta):
    assert starts(adjustment, marietta)[0] == "21:15"  # twelve hours after it is over
    assert starts(adjustment, atlanta)[:2] == ["06:00", "06:15"]
    make.travel(atlanta, marietta, 30)
    assert "09:45" in starts(adjustment, marietta)
    assert "09:30" not in starts(adjustment, marietta)


def test_the_next_day_is_free(morning, adjustment, marietta):
    assert starts(adjustment, marietta, day=TUESDAY)[0] == "06:00"


@pytest.mark.parametrize(("minute", "is_free"), [(0, False), (14, False), (15, True)])
def test_a_booking_is_refused_with_the_reason(minute, is_free, morning, both, adjustment, marietta, front):
    if is_free:
        assert book(marietta, at(21, minute), both, adjustment, front).pk
        return
    with pytest.raises(RuleBroken) as refused:
        book(marietta, at(21, minute), both, adjustment, front)

    assert refused.value.code == "travel"
    assert refused.value.message == (
        f"{both} has a visit at Atlanta on that day, and how long the way from there to Marietta takes is not known: "
        "it can be entered in the setup of clinics."
    )


def test_a_manager_overrides_it_with_a_reason(morning, both, adjustment, atlanta, marietta):
    manager = make.user("manager", atlanta, marietta)
    desk_too = make.user("desk", atlanta, marietta)
    manager.assignments.add(*desk_too.assignments.all())

    visit = book(marietta, at(14), both, adjustment, manager, override_reason="Drives over")

    assert visit.history.get().detail["overridden"] == ["travel"]


def test_a_hold_and_a_move_are_refused_too(morning, both, adjustment, marietta, front):
    with pytest.raises(RuleBroken) as refused:
        holds.place(
            practitioner=both, location=marietta, type=adjustment, starts_at=at(14), until=at(8, day=MONDAY - 3 * DAY)
        )
    assert refused.value.code == "travel"
    later = book(marietta, at(9, day=TUESDAY), both, adjustment, front)
    with pytest.raises(RuleBroken) as refused:
        booking.reschedule(later, starts_at=at(14), by=front)
    assert refused.value.code == "travel"


def test_the_waitlist_is_offered_what_can_be_booked(morning, both, adjustment, atlanta, marietta, front):
    person = make.patient(marietta)
    person.consents.create(scope="email_reminders", given_at=at(9, day=MONDAY - timedelta(days=5)))
    WeeklyHours.objects.filter(weekday__gt=0).delete()
    asked = waitlist.Asked(adjustment, [marietta], from_day=MONDAY, until_day=MONDAY)
    entry = waitlist.add(person, asked, by=front)

    assert [f"{slot.local_start:%H:%M}" for slot in matching.soonest(entry, [marietta])] == ["21:15"]
    (offer,) = matching.offer_free_times()
    assert f"{offer.local_start:%H:%M}" == "21:15"


def test_a_round_of_the_waitlist_does_not_offer_one_person_at_both(both, adjustment, atlanta, marietta, front):
    WeeklyHours.objects.filter(weekday__gt=0).delete()
    WeeklyHours.objects.update(ends=time(12))
    for place in (atlanta, marietta):
        person = make.patient(place)
        person.consents.create(scope="email_reminders", given_at=at(9, day=MONDAY - timedelta(days=5)))
        waitlist.add(person, waitlist.Asked(adjustment, [place], until_day=MONDAY), by=front)

    assert len(matching.offer_free_times()) == 1


def test_visits_moved_together_respect_it(morning, both, adjustment, atlanta, marietta, front):
    """Moved to another clinic, at which somebody is who has a visit at the first."""
    colleague = make.practitioner(atlanta, starts=time(6), ends=time(22))
    moving = booking.book(
        patient=make.patient(atlanta), practitioner=colleague, location=atlanta, type=adjustment, starts_at=at(14),
        by=front,
    )  # fmt: skip
    span = bulk_moves.Span(locations=[atlanta], first=MONDAY, last=MONDAY, practitioner=colleague)
    asked = bulk_moves.question([moving], span, to=both, location=marietta)

    (line,) = asked.propose()

    on_the_day = [slot for slot in line.choices if slot.local_start.date() == MONDAY]
    assert line.slot
    assert line.why
    assert all(slot.local_start.time() >= time(21, 15) for slot in on_the_day)
