"""A series has one visit a day, whichever way one of them is moved; and no other way is offered."""

from datetime import date, time, timedelta

import pytest
import time_machine

from appointments import availability, booking
from appointments.availability import Slot
from appointments.models import Offer
from appointments.online import times_to_move
from appointments.recurring import series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from appointments.waiting import matching, offers
from clinic.errors import RuleBroken
from tests.make import MONDAY, at

WEDNESDAY, FRIDAY = MONDAY + timedelta(days=2), MONDAY + timedelta(days=4)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(at(9, day=date(2026, 12, 31)), tick=False) as travel:
        yield travel


@pytest.fixture
def members(patient, atlanta, chiro, adjustment, desk):
    """Three visits of a series: on Monday, Wednesday and Friday at ten."""
    begun = series.begin(
        patient=patient, type=adjustment, practitioner=chiro, location=atlanta, by=desk,
        pattern=Pattern(MONDAY, (Stretch(3, 1),), (0, 2, 4), time(10)),
    )  # fmt: skip
    return series.place(
        begun, {n: Choice(at(10, day=day), chiro) for n, day in enumerate((MONDAY, WEDNESDAY, FRIDAY), 1)}, by=desk
    )


def test_a_visit_is_not_moved_to_the_day_of_another_of_its_series(members, desk):
    with pytest.raises(RuleBroken, match="Another visit of the series is on January 4 already") as refused:
        booking.reschedule(members[1], starts_at=at(15), by=desk)

    assert (refused.value.code, [*refused.value.fields]) == ("two_on_a_day", ["starts_at"])
    members[1].refresh_from_db()
    assert members[1].starts_at == at(10, day=WEDNESDAY)


def test_within_its_day_and_to_a_day_of_its_own_it_is_moved(members, desk):
    booking.reschedule(members[1], starts_at=at(15, day=WEDNESDAY), by=desk)
    moved = booking.reschedule(members[1], starts_at=at(15, day=WEDNESDAY + timedelta(days=1)), by=desk)

    assert moved.starts_at == at(15, day=WEDNESDAY + timedelta(days=1))
    booking.reschedule(members[2], starts_at=at(9, day=WEDNESDAY), by=desk)  # which is free by now


def test_a_cancelled_visit_leaves_its_day(members, desk):
    from_friday = members[2]
    members[0].status = "cancelled"
    members[0].save(update_fields=["status"])

    assert booking.reschedule(from_friday, starts_at=at(10), by=desk).starts_at == at(10)


def test_the_link_of_a_mail_offers_no_such_day(members):
    page = times_to_move.page(members[2], MONDAY, anybody=True)

    assert [day.day for day in page.days] == [
        MONDAY + timedelta(days=n)
        for n in (1, 3, 4, 7, 8)  # of the next week nothing is of the series
    ]


def test_an_earlier_day_from_the_waitlist_is_none_of_the_others(members, waits, atlanta, chiro, desk):
    entry = waits(patient=members[2].patient, sooner_than=members[2])
    here = {"type": entry.type, "locations": [atlanta], "from_day": MONDAY, "to_day": MONDAY}
    assert availability.find(**here).slots
    tuesday = MONDAY + timedelta(days=1)

    assert {slot.local_start.date() for slot in matching.soonest(entry, [atlanta], limit=200)} == {
        date(2026, 12, 31), date(2027, 1, 1), tuesday, tuesday + timedelta(days=2),
    }  # fmt: skip
    monday = Slot(at(15), at(15, 15), atlanta, chiro)
    assert matching.who_could_have(monday, entry.type, desk) == []
    with pytest.raises(RuleBroken, match="Another visit of the series is on January 4"):
        offers.make([entry], monday, minutes=60, by=desk)


def test_a_round_of_the_waitlist_passes_such_days_over(members, waits, chiro, desk):
    chiro.weekly_hours.exclude(weekday__in=[0, 3]).delete()
    waits(patient=members[2].patient, sooner_than=members[2], from_day=MONDAY)

    matching.offer_free_times()

    assert Offer.objects.get().local_day == MONDAY + timedelta(days=3)
