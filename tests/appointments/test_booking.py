from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404

from appointments import booking, conflicts, visit_status
from appointments.conflicts import Wanted
from appointments.models import Appointment, AppointmentEvent, TimeOff
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from tests import make
from tests.make import MONDAY, at


@pytest.fixture
def book(atlanta, chiro, patient, desk, adjustment):
    def act(starts_at=None, **changes):
        usual = {"patient": patient, "practitioner": chiro, "location": atlanta, "type": adjustment, "by": desk}
        return booking.book(**usual | changes, starts_at=starts_at or at(9))

    return act


def test_booking_takes_a_room_and_writes_history_and_audit(book, desk):
    visit = book()

    assert (visit.status, visit.room.kind, visit.end_minute - visit.start_minute) == ("booked", "adjusting", 15)
    assert list(visit.history.values_list("step", "to_status", "by")) == [("booked", "booked", desk.pk)]
    assert AuditEntry.objects.filter(action="appointment.booked", about_id=visit.pk).count() == 1


@pytest.mark.parametrize(
    ("hour", "minute", "code"),
    [(7, 0, "outside_hours"), (16, 50, "outside_hours"), (9, 0, "slot_taken"), (9, 10, "slot_taken")],
)
def test_refusals_name_the_rule_and_offer_the_nearest(book, atlanta, hour, minute, code):
    book()

    with pytest.raises(RuleBroken) as refused:
        book(at(hour, minute), patient=make.patient(atlanta))

    assert refused.value.code == code
    assert len(refused.value.nearest) == 3
    assert AppointmentEvent.objects.count() == 1


@pytest.mark.parametrize("way", ["book", "move", "undo"])
def test_what_slips_through_the_lock_is_refused_by_the_database_with_the_nearest(
    book, desk, patient, atlanta, that_morning, monkeypatch, way
):
    mine = book(at(11))
    if way == "undo":
        booking.reschedule(mine, starts_at=at(12), by=desk)
        mine.refresh_from_db()
    theirs = book(at(11) if way == "undo" else at(9), patient=make.patient(atlanta))
    acts = {
        "book": lambda: book(),
        "move": lambda: booking.reschedule(mine, starts_at=at(9), by=desk),
        "undo": lambda: visit_status.undo(mine, by=desk),
    }
    monkeypatch.setattr(conflicts, "find", lambda *_: conflicts.Looked([], theirs.room, []))

    with transaction.atomic(), pytest.raises(RuleBroken) as refused:
        acts[way]()

    assert (refused.value.code, len(refused.value.nearest)) == ("slot_taken", 3)
    mine.refresh_from_db()
    assert mine.starts_at == (at(12) if way == "undo" else at(11))


def test_touching_visits_are_no_overlap(book, atlanta):
    book()

    assert book(at(9, 15), patient=make.patient(atlanta)).start_minute == Appointment.objects.first().end_minute


def test_patient_cannot_be_in_two_places(book, atlanta, marietta):
    book()
    other = make.practitioner(atlanta)

    with pytest.raises(RuleBroken) as refused:
        book(at(9, 5), practitioner=other)

    assert refused.value.code == "patient_busy"


def test_no_room_is_a_reason(book, atlanta):
    atlanta.rooms.filter(kind="adjusting", name__endswith="2").update(is_open=False)
    book()

    with pytest.raises(RuleBroken) as refused:
        book(practitioner=make.practitioner(atlanta), patient=make.patient(atlanta))

    assert refused.value.code == "no_room"


def test_travel_is_a_reason(book, atlanta, marietta, adjustment):
    make.travel(atlanta, marietta, 35)
    chiro = make.practitioner(atlanta, marietta)
    boss = make.user("manager", atlanta, marietta)
    book(at(11, 45), practitioner=chiro)

    with pytest.raises(RuleBroken) as refused:
        book(at(12, 10), practitioner=chiro, location=marietta, by=boss, patient=make.patient(marietta))

    assert refused.value.code == "travel"


def test_time_off_is_outside_hours(book, chiro):
    TimeOff.objects.create(practitioner=chiro, starts_at=at(8), ends_at=at(12))

    with pytest.raises(RuleBroken) as refused:
        book()

    assert refused.value.code == "outside_hours"


def test_manager_overrides_hours_with_a_reason_kept(book, atlanta):
    visit = book(at(7), by=make.user("manager", atlanta), override_reason="Early flight")

    event = visit.history.get()
    assert (event.reason, event.detail) == ("Early flight", {"overridden": ["outside_hours"]})


def test_desk_cannot_override(book):
    with pytest.raises(RuleBroken) as refused:
        book(at(7), override_reason="Please")

    assert refused.value.code == "outside_hours"


def test_nobody_overrides_an_overlap(book, atlanta):
    book()

    with pytest.raises(RuleBroken) as refused:
        book(patient=make.patient(atlanta), by=make.user("manager", atlanta), override_reason="Squeeze in")

    assert refused.value.code == "slot_taken"


@pytest.mark.parametrize(
    ("starts_at", "code"),
    [
        (datetime(2020, 1, 6, 9, tzinfo=ZoneInfo("America/New_York")), "in_the_past"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=ZoneInfo("UTC")), "out_of_range"),
        (at(9) + timedelta(days=800), "too_far_ahead"),
        (at(9) + timedelta(seconds=1), "invalid"),
    ],
)
def test_impossible_starts_are_refused(book, starts_at, code):
    with pytest.raises(RuleBroken) as refused:
        book(starts_at)

    assert refused.value.code == code


@pytest.mark.parametrize(("minutes", "allowed"), [(44, False), (45, True), (60, True), (61, False)])
def test_length_stays_within_the_type(book, evaluation_type, minutes, allowed):
    if allowed:
        visit = book(type=evaluation_type, minutes=minutes)
        assert visit.end_minute - visit.start_minute == minutes
    else:
        with pytest.raises(RuleBroken):
            book(type=evaluation_type, minutes=minutes)


def test_out_of_scope_is_not_found_and_auditor_not_allowed(book, marietta, atlanta):
    with pytest.raises(Http404):
        book(by=make.user("desk", marietta))
    with pytest.raises(PermissionDenied):
        book(by=make.user("auditor"))


def test_a_patient_of_another_location_cannot_be_booked(book, marietta):
    with pytest.raises(Http404):
        book(patient=make.patient(marietta))


def test_moving_keeps_the_place_when_refused(book, atlanta, desk):
    first = book()
    second = book(at(10), patient=make.patient(atlanta))

    with pytest.raises(RuleBroken):
        booking.reschedule(second, starts_at=at(9), by=desk)

    second.refresh_from_db()
    assert second.starts_at == at(10)
    assert first.history.count() == second.history.count() == 1


def test_moving_asks_for_a_new_confirmation_and_raises_the_sequence(book, desk):
    visit = visit_status.confirm(book(), by=desk)

    moved = booking.reschedule(visit, starts_at=at(9, 5), by=desk, reason="Traffic")

    assert (moved.status, moved.sequence, moved.starts_at) == ("booked", 1, at(9, 5))
    event = moved.history.last()
    assert (event.step, event.from_start, event.to_start, event.reason) == ("rescheduled", at(9), at(9, 5), "Traffic")


def moved_meanwhile(visit, desk):
    """The visit as somebody saw it before another moved it to 3 PM."""
    before = Appointment.objects.with_names().get(pk=visit.pk)
    booking.reschedule(visit, starts_at=at(15), by=desk)
    return before


def test_who_expected_another_start_is_told_where_the_visit_is_now(book, desk):
    before = moved_meanwhile(book(at(9)), desk)

    with pytest.raises(RuleBroken) as refused:
        booking.reschedule(before, starts_at=at(9, 15), by=desk, expected_start=at(9))

    assert (refused.value.code, refused.value.status, refused.value.nearest) == ("changed_meanwhile", 409, [])
    assert "It is now: Monday, January 4, 2027 at 3:00 PM EST" in refused.value.message
    assert booking.reschedule(before, starts_at=at(9, 15), by=desk, expected_start=at(15)).starts_at == at(9, 15)


def test_what_a_move_leaves_out_stays_as_it_is_now(book, desk, atlanta, evaluation_type):
    visit = book(at(9), type=evaluation_type)
    before = Appointment.objects.with_names().get(pk=visit.pk)
    booking.reschedule(visit, starts_at=at(9), minutes=45, by=desk)

    assert booking.reschedule(before, starts_at=at(11), by=desk).lasts == 45

    booking.reschedule(before, starts_at=at(11), practitioner=make.practitioner(atlanta), by=desk)
    with pytest.raises(RuleBroken) as refused:
        booking.reschedule(before, starts_at=at(12), by=desk)
    assert refused.value.code == "changed_meanwhile"


def test_only_the_start_as_it_is_now_needs_no_notice(book, desk, adjustment, time_machine):
    before = moved_meanwhile(book(at(9)), desk)
    time_machine.move_to(at(8, 50))
    type(adjustment).objects.update(notice_minutes=60)
    before.type.refresh_from_db()

    with pytest.raises(RuleBroken) as refused:
        booking.reschedule(before, starts_at=at(9), by=desk)

    assert refused.value.code == "too_soon"


def test_a_finished_visit_does_not_move(book, desk):
    visit = visit_status.cancel(book(), by=desk)

    with pytest.raises(RuleBroken) as refused:
        booking.reschedule(visit, starts_at=at(12), by=desk)

    assert refused.value.code == "wrong_status"


def test_cancelled_time_is_free_again(book, atlanta, desk):
    visit_status.cancel(book(), by=desk, reason="Ill")

    assert book(patient=make.patient(atlanta)).starts_at == at(9)


def test_wall_clock_stays_across_the_clock_change(book, atlanta, chiro):
    for day in (MONDAY + timedelta(days=63), MONDAY + timedelta(days=70)):  # before and after 2027-03-14
        visit = book(at(9, day=day), patient=make.patient(atlanta))
        assert visit.local_start.time() == time(9)


def test_a_patient_becomes_known_where_booked(book, atlanta, marietta, adjustment):
    boss = make.user("manager", atlanta, marietta)
    chiro = make.practitioner(marietta)
    visit = book(location=marietta, practitioner=chiro, by=boss)

    assert set(visit.patient.locations.values_list("slug", flat=True)) == {"atlanta", "marietta"}


def test_a_move_to_where_the_visit_is_writes_nothing(book, atlanta, chiro, desk):
    visit = visit_status.confirm(book(), by=desk)
    asked = {"starts_at": visit.starts_at, "practitioner": chiro, "location": atlanta, "minutes": visit.lasts}

    for more in ({}, asked, asked | {"room": visit.room, "reason": "A slip"}):
        same = booking.reschedule(visit, by=desk, **{"starts_at": visit.starts_at} | more)
        assert (same.sequence, same.status, same.room) == (visit.sequence, "confirmed", visit.room)
    assert [step.step for step in visit.history.all()] == ["booked", "confirmed"]


def test_a_visit_agreed_outside_hours_gets_another_room_from_the_desk(book, atlanta, desk):
    visit = book(at(7), by=make.user("manager", atlanta), override_reason="Early flight")
    other = atlanta.rooms.filter(kind="adjusting").exclude(pk=visit.room_id).first()

    moved = booking.reschedule(visit, starts_at=at(7), room=other, by=desk)
    assert (moved.room, moved.starts_at, moved.history.last().overridden) == (other, at(7), [])

    other.is_open = False
    other.save()
    assert booking.reschedule(moved, starts_at=at(7), by=desk).room != other
    visit.type.most_minutes = 60
    visit.type.save()
    for more in ({"minutes": visit.lasts + 5}, {"starts_at": at(7, 15)}):
        with pytest.raises(RuleBroken) as refused:
            booking.reschedule(visit, by=desk, **{"starts_at": at(7)} | more)
        assert refused.value.code == "outside_hours"


def test_nearest_leaves_out_the_visit_that_moves_and_keeps_to_the_room(book, atlanta, chiro, desk):
    one, other = atlanta.rooms.filter(kind="adjusting").order_by("name")[:2]
    somebody = make.practitioner(atlanta)
    visit = book(at(10), room=one)
    book(at(11), patient=make.patient(atlanta))
    book(at(9, 45), patient=make.patient(atlanta), practitioner=somebody, room=other)

    with pytest.raises(RuleBroken) as refused:
        booking.reschedule(visit, starts_at=at(11), room=other, by=desk)
    wanted = Wanted(visit.patient, chiro, atlanta, visit.type, at(9, 40), visit.lasts, other, moving=visit)
    offered = [slot.starts_at for slot in booking.nearest(wanted, limit=4)]

    assert (refused.value.code, len(refused.value.nearest)) == ("slot_taken", 3)
    for slot in refused.value.nearest:
        with transaction.atomic():
            booking.reschedule(visit, starts_at=slot.starts_at, practitioner=slot.practitioner, room=other, by=desk)
            transaction.set_rollback(True)
    assert offered == [at(9), at(9, 15), at(9, 30), at(10, 15)]  # then the room is taken, and there it stands
