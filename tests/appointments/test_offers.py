from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404

from appointments import booking, holds, visit_status
from appointments.availability import Slot
from appointments.models import Appointment, Hold, Offer, TimeOff, WaitlistEntry
from appointments.waiting import offers
from appointments.wishes import Wishes
from clinic.errors import RuleBroken
from tests import make
from tests.make import MONDAY, at

NOW = at(9, day=MONDAY - timedelta(days=4))
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def slot(atlanta, chiro):
    def at_(hour=10, minute=0, *, minutes=15, day=MONDAY, practitioner=None, location=None):
        starts_at = at(hour, minute, day=day)
        ends_at = starts_at + timedelta(minutes=minutes)
        return Slot(starts_at, ends_at, location or atlanta, practitioner or chiro)

    return at_


@pytest.fixture
def offer(slot):
    """`offer(entry, other, …)` makes one offer to all of them; returns the first one's."""

    def make_(*entries, at=None, minutes=60, by=None):
        made = offers.make(entries, at or slot(), minutes=minutes, by=by, by_whom="waitlist")
        return next(one for one in made if one.entry == entries[0])

    return make_


def answers():
    return list(Offer.objects.order_by("pk").values_list("answer", flat=True))


def state(entry):
    entry.refresh_from_db()
    return entry.outcome


def test_who_books_a_time_for_whom_it_is_held_is_told_how(waits, offer, chiro, atlanta, adjustment, desk):
    entry = waits("Ann")
    made = offer(entry)
    where = {"practitioner": chiro, "location": atlanta, "type": adjustment, "starts_at": at(10), "by": desk}

    said = []
    for person in (entry.patient, make.patient(atlanta)):
        with pytest.raises(RuleBroken) as refused:
            booking.book(patient=person, **where)
        said.append((refused.value.code, refused.value.message))

    until = "until Thursday, December 31 at 10:03 AM EST"
    assert said == [
        ("slot_taken", f"This time is held for {entry.patient} {until}: accept the offer for them on the waitlist."),
        ("slot_taken", f"This time is held for somebody on the waitlist {until}."),
    ]
    assert offers.accept(made, by=desk).starts_at == at(10)


def test_an_offer_holds_the_time(waits, offer, slot, chiro, atlanta, adjustment, patient, desk):
    made = offer(waits(urgency=2))

    assert (made.starts_at, made.offered_at, made.expires_at) == (at(10), NOW, NOW + offers.GRACE + HOUR)
    assert made.reason == "urgent, waiting since today, asked for Atlanta"
    assert Hold.objects.get().held_until == made.expires_at
    with pytest.raises(RuleBroken, match="is held for somebody"):
        booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), by=desk)


def test_a_time_is_not_offered_to_who_has_a_visit_then(waits, offer, slot, visit):
    """Avery has a visit at 10:00; the others who are asked with them are not held to a time that is not offered."""
    avery, ben = waits(patient=visit.patient), waits("Ben")
    colleague = make.practitioner(visit.location, name="Lee Second")

    with pytest.raises(RuleBroken, match="already has a visit that overlaps") as refused:
        offer(ben, avery, at=slot(10, practitioner=colleague))

    assert refused.value.code == "patient_busy"
    assert not Offer.objects.exists()
    assert not Hold.objects.exists()
    assert offer(ben, avery, at=slot(10, 15, practitioner=colleague)).starts_at == at(10, 15)


def test_no_earlier_day_is_not_offered(waits, offer, slot, visit):
    entry = waits(patient=visit.patient, sooner_than=visit)

    for day in (MONDAY, MONDAY + timedelta(days=1)):
        with pytest.raises(RuleBroken, match="waits for an earlier day than that of the visit on") as refused:
            offer(entry, at=slot(11, day=day))
        assert refused.value.code == "not_sooner"
    assert not Hold.objects.exists()


def test_the_reason_says_what_is_not_as_asked(waits, offer, slot, atlanta, chiro):
    other = make.practitioner(atlanta, name="Lee Second")
    entry = waits(practitioners=[chiro], wishes=Wishes((4,)), until_day=MONDAY)

    made = offer(entry, at=slot(10, day=MONDAY + timedelta(days=1), practitioner=other))

    assert made.reason == (
        "waiting since today, asked for Atlanta, Robin Sample, DC, Fridays, "
        "not as asked: too late and another practitioner and another day or hour"
    )


def test_accepting_books_the_time_and_ends_the_waiting(waits, offer):
    entry = waits()

    visit = offers.accept(offer(entry), by=None, by_whom="patient")

    assert (visit.starts_at, visit.patient, visit.status) == (at(10), entry.patient, "booked")
    assert visit.history.get().by_whom == "patient"
    assert (state(entry), entry.visit, answers()) == ("booked", visit, ["accepted"])
    assert not Hold.objects.exists()


def test_accepting_twice_is_one_visit(waits, offer):
    made = offer(waits())

    first = offers.accept(made, by=None, by_whom="patient")
    again = offers.accept(made, by=None, by_whom="patient")

    assert first == again
    assert Appointment.objects.count() == 1


def test_an_earlier_day_moves_the_visit_there_is(waits, offer, patient, chiro, atlanta, adjustment, desk):
    visit = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment,
        starts_at=at(15, day=MONDAY + timedelta(days=7)), by=desk,
    )  # fmt: skip
    entry = waits(patient=patient, sooner_than=visit)

    moved = offers.accept(offer(entry), by=None, by_whom="patient")

    assert (moved.pk, moved.starts_at, Appointment.objects.count()) == (visit.pk, at(10), 1)
    assert moved.history.last().reason == "An earlier day from the waitlist"
    assert (state(entry), entry.visit) == ("booked", visit)


@pytest.mark.parametrize(("days", "is_sooner"), [(1, True), (0, False), (-1, False)])
def test_an_earlier_day_never_makes_a_visit_later(
    waits, offer, slot, patient, chiro, atlanta, adjustment, desk, days, is_sooner
):
    """The desk moves the visit while a day is offered: to a day after that, to that day, or to one before it."""
    offered = MONDAY + timedelta(days=2)
    where = {"practitioner": chiro, "location": atlanta, "by": desk}
    later = at(15, day=MONDAY + timedelta(days=7))
    visit = booking.book(patient=patient, type=adjustment, starts_at=later, **where)
    entry = waits(patient=patient, sooner_than=visit)
    made = offer(entry, at=slot(day=offered))
    there = at(9, day=offered + timedelta(days=days))
    booking.reschedule(visit, starts_at=there, by=desk)

    if not is_sooner:
        with pytest.raises(RuleBroken) as refused:
            offers.accept(made, by=None, by_whom="patient")
        assert refused.value.code == "offer_gone"
        assert Appointment.objects.get(pk=visit.pk).starts_at == there
    offers.settle()

    assert (answers(), Hold.objects.count(), state(entry)) == (
        ([""], 1, "") if is_sooner else (["withdrawn"], 0, "")
    )  # fmt: skip
    if is_sooner:
        assert offers.accept(made, by=None, by_whom="patient").starts_at == at(10, day=offered)


def test_the_first_of_several_has_it_and_the_others_keep_their_place(waits, offer):
    first, second, third = waits("Ann"), waits("Ben"), waits("Cleo")
    offer(first, second, third)
    of_second = second.offers.get()

    offers.accept(of_second, by=None, by_whom="patient")

    assert {one.entry: one.answer for one in Offer.objects.all()} == {
        first: "taken", second: "accepted", third: "taken",
    }  # fmt: skip
    assert [state(entry) for entry in (first, second, third)] == ["", "booked", ""]
    with pytest.raises(RuleBroken) as refused:
        offers.accept(first.offers.get(), by=None, by_whom="patient")
    assert (refused.value.code, refused.value.message) == ("offer_gone", "Somebody else took this time first.")
    assert Appointment.objects.count() == 1


def test_declining_frees_the_time_and_keeps_the_place(waits, offer):
    entry = waits()
    made = offer(entry)

    offers.decline(made, by=None, by_whom="patient")
    offers.decline(made, by=None, by_whom="patient")

    assert (answers(), state(entry), Hold.objects.count()) == (["declined"], "", 0)
    with pytest.raises(RuleBroken, match="was declined"):
        offers.accept(made, by=None, by_whom="patient")


def test_one_of_several_declining_keeps_the_time_for_the_others(waits, offer):
    first, second = waits("Ann"), waits("Ben")
    made = offer(first, second)

    offers.decline(made, by=None, by_whom="patient")

    assert offers.accept(second.offers.get(), by=None, by_whom="patient").starts_at == at(10)


def test_an_offer_nobody_answered_runs_out(waits, offer, clock):
    entry = waits()
    made = offer(entry)
    clock.move_to(made.expires_at)

    with pytest.raises(RuleBroken, match="time to answer this offer is over"):
        offers.accept(made, by=None, by_whom="patient")
    offers.settle()

    assert (answers(), state(entry), Hold.objects.count()) == (["lapsed"], "", 0)


def test_an_offer_never_reaches_into_the_notice(waits, offer, slot, adjustment, clock):
    adjustment.notice_minutes = 120
    adjustment.save()
    entry = waits()

    near = offer(entry, at=slot(12, day=MONDAY - timedelta(days=4)))

    assert near.expires_at == at(10, day=MONDAY - timedelta(days=4))
    offers.take_back(near, by=make.user("desk", near.location))
    clock.move_to(at(9, 45, day=MONDAY - timedelta(days=4)))
    with pytest.raises(RuleBroken) as refused:
        offer(entry, at=slot(12, day=MONDAY - timedelta(days=4)))
    assert refused.value.code == "too_soon"
    assert not Hold.objects.exists()


def test_an_entry_has_one_offer_at_a_time(waits, offer, slot):
    entry = waits()
    offer(entry)

    with pytest.raises(RuleBroken) as refused:
        offer(entry, at=slot(11))
    assert refused.value.code == "offer_open"
    assert Hold.objects.count() == 1


def test_a_run_out_offer_gives_way_to_the_next(waits, offer, slot, clock):
    entry = waits()
    clock.move_to(offer(entry).expires_at)

    offer(entry, at=slot(11))

    assert answers() == ["lapsed", ""]


def test_nothing_is_offered_to_who_no_longer_waits(waits, offer, desk):
    entry = waits()
    offers.take_off(entry, by=desk)

    with pytest.raises(RuleBroken) as refused:
        offer(entry)
    assert refused.value.code == "not_waiting"
    assert not Hold.objects.exists()


def test_a_taken_time_is_not_offered(waits, offer, patient, chiro, atlanta, adjustment, desk):
    booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), by=desk)

    with pytest.raises(RuleBroken) as refused:
        offer(waits("Other"))
    assert refused.value.code == "slot_taken"
    assert not Offer.objects.exists()


def test_a_time_that_is_no_longer_possible_is_not_booked(waits, offer, chiro):
    entry = waits()
    made = offer(entry)
    TimeOff.objects.create(practitioner=chiro, starts_at=at(9), ends_at=at(12))

    with pytest.raises(RuleBroken) as refused:
        offers.accept(made, by=None, by_whom="patient")

    assert refused.value.code == "outside_hours"
    assert (answers(), state(entry), Hold.objects.count()) == ([""], "", 1)


def test_leaving_the_list_ends_the_offer(waits, offer):
    entry = waits()
    made = offer(entry)

    offers.take_off(entry, by=None, by_whom="patient")

    assert (answers(), state(entry), Hold.objects.count()) == (["withdrawn"], "withdrawn", 0)
    with pytest.raises(RuleBroken) as refused:
        offers.accept(made, by=None, by_whom="patient")
    assert refused.value.code == "offer_gone"


def test_the_desk_answers_for_who_is_on_the_phone(waits, offer, desk, marietta):
    made = offer(waits(), by=desk)

    with pytest.raises(Http404):
        offers.accept(made, by=make.user("desk", marietta))
    with pytest.raises(PermissionDenied):
        offers.accept(made, by=make.user("owner"))
    visit = offers.accept(made, by=desk)

    assert visit.history.get().by == desk
    assert (made.offered_by, Offer.objects.get().answered_by) == (desk, str(desk))


def test_the_desk_takes_an_offer_back(waits, offer, desk, marietta):
    entry = waits()
    made = offer(entry)

    with pytest.raises(Http404):
        offers.take_back(made, by=make.user("desk", marietta))
    offers.take_back(made, by=desk)

    assert (answers(), state(entry), Hold.objects.count()) == (["withdrawn"], "", 0)


def test_the_desk_books_without_an_offer(waits, slot, desk, offer):
    entry, other = waits("Ann"), waits("Ben")

    visit = offers.book(entry, slot(11), by=desk)

    assert (visit.starts_at, state(entry), entry.visit) == (at(11), "booked", visit)
    offer(other)
    with pytest.raises(RuleBroken) as refused:
        offers.book(other, slot(12), by=desk)
    assert refused.value.code == "offer_open"
    assert Appointment.objects.count() == 1


def test_a_slip_put_right_at_once_takes_the_offer_along(waits, patient, chiro, atlanta, adjustment, desk, clock, offer):
    visit = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), by=desk
    )
    visit_status.cancel(visit, by=desk)
    entry = waits("Other")
    made = offer(entry)
    clock.shift(timedelta(minutes=1))

    visit_status.undo(visit, by=desk)

    visit.refresh_from_db()
    assert (visit.status, Hold.objects.count()) == ("booked", 0)
    with pytest.raises(RuleBroken, match="took this offer back"):
        offers.accept(made, by=None, by_whom="patient")
    offers.settle()
    assert (answers(), state(entry)) == (["withdrawn"], "")


def test_an_offer_that_was_mailed_stands_against_the_undoing(
    waits, patient, chiro, atlanta, adjustment, desk, clock, offer
):
    visit = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), by=desk
    )
    visit_status.cancel(visit, by=desk)
    made = offer(waits("Other"))
    clock.shift(offers.GRACE)

    with pytest.raises(RuleBroken) as refused:
        visit_status.undo(visit, by=desk)

    assert refused.value.code == "slot_taken"
    assert offers.accept(made, by=None, by_whom="patient").starts_at == at(10)


def test_booking_over_a_run_out_hold_leaves_the_offer_without_one(waits, offer, clock, patient, chiro, atlanta, desk):
    made = offer(waits("Other"))
    clock.move_to(made.expires_at)

    booking.book(patient=patient, practitioner=chiro, location=atlanta, type=made.entry.type, starts_at=at(10), by=desk)

    with pytest.raises(RuleBroken, match="time to answer"):
        offers.accept(made, by=None, by_whom="patient")
    made.refresh_from_db()
    assert made.hold is None


def test_rules_of_a_location(atlanta, desk):
    boss = make.user("manager", atlanta)
    usual = offers.rules_of(atlanta)

    offers.set_rules(atlanta, is_automatic=False, at_once=3, minutes=30, by=boss)

    changed = offers.rules_of(atlanta)
    assert (usual.is_automatic, usual.at_once, usual.minutes) == (True, 1, 60)
    assert (changed.is_automatic, changed.at_once, changed.minutes) == (False, 3, 30)
    for wrong in ({"at_once": 0}, {"at_once": 6}, {"minutes": 14}, {"minutes": 721}):
        with pytest.raises(RuleBroken, match="Ensure this value"):
            offers.set_rules(atlanta, **{"is_automatic": True, "at_once": 1, "minutes": 60, "by": boss} | wrong)
    with pytest.raises(PermissionDenied):
        offers.set_rules(atlanta, is_automatic=True, at_once=1, minutes=60, by=desk)


def test_the_database_keeps_offers_whole(waits, offer, slot):
    made = offer(waits())
    row = Offer.objects.filter(pk=made.pk)

    for wrong in (
        {"answer": "declined"},
        {"answered_at": NOW},
        {"answer": "accepted", "answered_at": NOW},
        {"expires_at": NOW},
        {"expires_at": made.starts_at + timedelta(minutes=1)},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            row.update(**wrong)
    copy = row.get()
    copy.pk, copy.hold = None, None
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


def test_removing_the_hold_leaves_the_offer_on_record(waits, offer):
    made = offer(waits())

    holds.release(made.hold)

    assert Offer.objects.get().hold is None
    assert WaitlistEntry.objects.get().is_waiting


def test_taking_back_an_earlier_day_puts_the_patient_on_the_list_again(waits, slot, visit, desk, clock):
    """Booked for the phone by mistake: the visit is on its day again, and the patient waits as before."""
    later = at(10, day=MONDAY + timedelta(days=7))
    booking.reschedule(visit, starts_at=later, by=desk)
    entry = waits(patient=visit.patient, sooner_than=visit)
    clock.shift(timedelta(minutes=1))
    moved = offers.book(entry, slot(), by=desk)
    assert state(entry) == "booked"

    clock.shift(timedelta(minutes=1))
    visit_status.undo(moved, by=desk)

    assert (state(entry), entry.visit, entry.closed_at) == ("", None, None)
    assert Appointment.objects.get().starts_at == later
    assert offers.book(entry, slot(), by=desk).starts_at == at(10)


def test_taking_back_another_move_opens_no_entry(waits, slot, visit, desk, clock):
    later = at(10, day=MONDAY + timedelta(days=7))
    booking.reschedule(visit, starts_at=later, by=desk)
    entry = waits(patient=visit.patient, sooner_than=visit)
    clock.shift(timedelta(minutes=1))
    moved = offers.book(entry, slot(), by=desk)
    clock.shift(timedelta(minutes=1))
    moved = booking.reschedule(moved, starts_at=at(11), by=desk)

    visit_status.undo(moved, by=desk)

    assert state(entry) == "booked"


def test_taking_back_leaves_an_entry_made_anew(waits, slot, visit, desk, clock):
    booking.reschedule(visit, starts_at=at(10, day=MONDAY + timedelta(days=7)), by=desk)
    entry = waits(patient=visit.patient, sooner_than=visit)
    clock.shift(timedelta(minutes=1))
    moved = offers.book(entry, slot(day=MONDAY + timedelta(days=1)), by=desk)
    anew = waits(patient=visit.patient, sooner_than=moved)

    visit_status.undo(moved, by=desk)

    assert (state(entry), state(anew)) == ("booked", "")
