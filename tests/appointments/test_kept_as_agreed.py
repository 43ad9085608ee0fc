"""A standing offer can be accepted as it was made: later rules are for later bookings, and what ends it says so."""

from datetime import time, timedelta

import pytest
import time_machine

from appointments import booking, visit_types
from appointments.availability import Slot
from appointments.models import Hold, Offer, WeeklyHours
from appointments.waiting import offers, waitlist
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from locations import places
from tests import make
from tests.make import MONDAY, at

NOW = at(9, day=MONDAY - timedelta(days=4))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def both(atlanta, marietta):
    """Works at Atlanta on Monday until noon and at Marietta after it; the way takes 35 minutes."""
    make.travel(atlanta, marietta, 35)
    person = make.practitioner(atlanta, starts=time(9), ends=time(12))
    WeeklyHours.objects.create(practitioner=person, location=marietta, weekday=0, starts=time(12), ends=time(17))
    return person


@pytest.fixture(params=["a new visit", "an earlier day"])
def offer(request, atlanta, both, adjustment, desk):
    """Monday at eleven."""
    person, visit = make.patient(atlanta), None
    if request.param == "an earlier day":
        later = at(10, day=MONDAY + timedelta(days=7))
        visit = booking.book(
            patient=person, practitioner=both, location=atlanta, type=adjustment, starts_at=later, by=desk
        )
    entry = waitlist.add(person, waitlist.Asked(adjustment, [atlanta]), by=None, by_whom="patient", sooner_than=visit)
    slot = Slot(at(11), at(11, 15), atlanta, both)
    return offers.make([entry], slot, minutes=60, by_whom="waitlist")[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"room_kind": "evaluation"},
        {"minutes": 30, "least_minutes": 20, "most_minutes": 60},
        {"notice_minutes": 60 * 24 * 7},
        {"horizon_days": 1},
        {"buffer_before": 60, "buffer_after": 60},
    ],
)
def test_another_type_is_for_what_is_booked_later(changes, offer, atlanta, both, adjustment, owner):
    make.fill(atlanta, [both], adjustment, day=MONDAY, visits=7)  # until eleven: in the way of a new buffer
    visit_types.amend(adjustment, by=owner, **changes)

    visit = offers.accept(Offer.objects.get(), by=None, by_whom="patient")

    assert (visit.starts_at, visit.ends_at, visit.room) == (at(11), at(11, 15), offer.hold.room)
    assert visit.room.kind == "adjusting"


@pytest.mark.parametrize("minutes", [200, None])
def test_another_way_is_for_what_is_booked_later(minutes, offer, atlanta, marietta, both, adjustment, owner):
    booking.book(
        patient=make.patient(marietta), practitioner=both, location=marietta, type=adjustment, starts_at=at(12),
        by=make.user("desk", marietta),
    )  # fmt: skip
    places.set_travel(atlanta, marietta, minutes, by=owner)

    assert offers.accept(offer, by=None, by_whom="patient").starts_at == at(11)


@pytest.mark.parametrize("how", ["booked", "moved"])
def test_who_overrides_the_way_is_told_of_the_offer_and_ends_it(how, offer, marietta, both, adjustment):
    manager, desk = make.user("manager", marietta), make.user("desk", marietta)
    where = {"practitioner": both, "location": marietta}
    manager.assignments.add(*desk.assignments.all())
    if how == "booked":
        patient = make.patient(marietta)
        WeeklyHours.objects.filter(location=marietta).update(starts=time(11, 15))

        def write(**more):
            return booking.book(patient=patient, type=adjustment, starts_at=at(11, 30), by=manager, **where, **more)
    else:
        visit = booking.book(
            patient=make.patient(marietta), type=adjustment, starts_at=at(14), by=manager, **where
        )  # fmt: skip

        def write(**more):
            return booking.reschedule(visit, starts_at=at(11, 30), by=manager, **more)

    with pytest.raises(RuleBroken) as refused:
        write()
    assert refused.value.code == "travel" or how == "moved"
    if how == "booked":
        assert (
            "Monday, January 4 at 11:00 AM EST at Atlanta is held for somebody on the waitlist" in refused.value.message
        )
    assert offers.is_standing(Offer.objects.get())

    assert "travel" in write(override_reason="Drives fast").history.last().detail["overridden"]

    offer.refresh_from_db()
    assert not offers.is_standing(offer)
    assert not Hold.objects.exists()
    assert AuditEntry.objects.get(action="waitlist.withdrawn").detail["offer"] == offer.pk
    with pytest.raises(RuleBroken) as gone:
        offers.accept(offer, by=None, by_whom="patient")
    assert (gone.value.code, gone.value.message) == ("offer_gone", "The clinic took this offer back.")
    offers.settle()
    assert Offer.objects.get().answer == "withdrawn"
