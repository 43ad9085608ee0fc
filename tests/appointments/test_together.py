"""Several visits at once: in few statements however many they are, and without a step where nothing changes."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from appointments import booking, conflicts, holds, reminders, together, visit_status
from appointments.conflicts import Wanted
from appointments.models import Appointment, AppointmentEvent, Hold
from appointments.moving import bulk_moves
from appointments.moving.bulk_moves import Span
from appointments.recurring import series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from tests import make
from tests.make import MONDAY, at

PER_VISIT = 0.2  # statements: SQLite takes some fifty rows in one
IN_ALL = 40


def weekdays(weeks):
    return [MONDAY + timedelta(days=7 * week + n) for week in range(weeks) for n in (0, 2)]


@pytest.fixture
def begin(adjustment, chiro, atlanta, desk):
    """Begins and places a series of two visits a week at ten; returns it."""

    def book(weeks, patient, practitioner=chiro, hour=10):
        days = weekdays(weeks)
        return series.book(
            choices={n: Choice(at(hour, day=day), practitioner) for n, day in enumerate(days, 1)},
            patient=patient, type=adjustment, practitioner=practitioner, location=atlanta, by=desk,
            pattern=Pattern(MONDAY, (Stretch(2, weeks),), (0, 2), time(hour)),
        )  # fmt: skip

    return book


def standing(one):
    rows = Appointment.objects.holding_time().filter(series_visit__series=one).with_names().with_series()
    return list(rows.order_by("starts_at"))


def in_place(visit, **other):
    wanted = {"practitioner": visit.practitioner, "location": visit.location, "starts_at": visit.starts_at} | other
    return Wanted(visit.patient, type=visit.type, minutes=visit.lasts, moving=visit, **wanted)


def statements(act):
    with CaptureQueriesContext(connection) as asked:
        act()
    return len(asked)


def refused(rule, *given, **named):
    with pytest.raises(RuleBroken) as raised:
        rule(*given, **named)
    return raised.value


# --- in few statements


def test_the_statements_of_a_series_do_not_grow_with_its_visits(begin, patient, atlanta):
    other = make.patient(atlanta)
    few = statements(lambda: begin(2, patient, hour=10))
    many = statements(lambda: begin(16, other, hour=11))

    assert Appointment.objects.count() == 36
    assert many - few <= PER_VISIT * 28
    assert many <= IN_ALL + PER_VISIT * 32


def test_nor_do_those_of_moving_them(begin, patient, atlanta, desk):
    few, many = standing(begin(2, patient, hour=10)), standing(begin(16, make.patient(atlanta), hour=11))

    def later(visits):
        moves = {str(n): in_place(v, starts_at=v.starts_at + timedelta(hours=2)) for n, v in enumerate(visits)}
        return statements(lambda: together.book(moves, by=desk))

    a_few, more = later(few), later(many)
    assert more - a_few <= PER_VISIT * 28
    assert AppointmentEvent.objects.filter(step="rescheduled").count() == 36


def test_years_between_two_visits_are_not_read(begin, patient, desk, chiro, atlanta, adjustment, monkeypatch):
    adjustment.horizon_days = 3000
    adjustment.save()
    read, reading = [], booking.conflicts.Known.read.__func__

    def note(cls, wishes, rooms, **more):
        read.append(len(wishes))
        return reading(cls, wishes, rooms, **more)

    monkeypatch.setattr(booking.conflicts.Known, "read", classmethod(note))
    days = [MONDAY, MONDAY + timedelta(days=35), MONDAY + timedelta(days=7 * 104)]
    together.book({f"{day}": Wanted(patient, chiro, atlanta, adjustment, at(10, day=day), 15) for day in days}, by=desk)

    assert read == [2, 1]


# --- each as if those before it stood already


def test_two_in_one_room_or_of_one_patient_are_refused_by_the_key_of_the_later(patient, desk, atlanta, adjustment):
    first, second = make.practitioner(atlanta, name="First One"), make.practitioner(atlanta, name="Second One")
    rooms = atlanta.rooms.filter(kind=adjustment.room_kind)
    one = Wanted(patient, first, atlanta, adjustment, at(10), 15)
    same_patient = Wanted(patient, second, atlanta, adjustment, at(10, 14), 15)
    same_room = Wanted(make.patient(atlanta), second, atlanta, adjustment, at(10, 10), 15)

    busy = refused(together.book, {"a": one, "b": same_patient}, by=desk)
    rooms.exclude(pk=rooms.first().pk).delete()
    room = refused(together.book, {"a": one, "b": same_room}, by=desk)

    assert [(e.code, [*e.fields]) for e in (busy, room)] == [("patient_busy", ["b"]), ("no_room", ["b"])]
    assert Appointment.objects.count() == 0


def test_the_way_between_two_of_them_counts(patient, desk, atlanta, marietta, adjustment):
    both = make.practitioner(atlanta, marietta, name="Both Clinics")
    make.travel(atlanta, marietta, 35)
    boss = make.user("desk", atlanta, marietta)
    here = Wanted(patient, both, atlanta, adjustment, at(11, 45), 15)
    there = Wanted(make.patient(marietta), both, marietta, adjustment, at(12, 10), 15)

    error = refused(together.book, {"here": here, "there": there}, by=boss)

    assert (error.code, [*error.fields]) == ("travel", ["there"])
    booked = together.book({"here": here, "there": replace(there, starts_at=at(12, 35))}, by=boss)
    assert [*booked] == ["here", "there"]


def test_a_hold_that_ran_out_makes_way_for_one_of_them(patient, desk, atlanta, chiro, adjustment):
    now = times.now()
    with time_machine.travel(now - timedelta(hours=2), tick=False):
        holds.place(practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10),
                    until=now - timedelta(hours=1))  # fmt: skip

    together.book({"1": Wanted(patient, chiro, atlanta, adjustment, at(10), 15)}, by=desk)

    assert (Appointment.objects.count(), Hold.objects.count()) == (1, 0)


def test_what_slips_through_the_lock_is_refused_by_the_database(patient, desk, atlanta, chiro, adjustment, monkeypatch):
    there = booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), by=desk
    )
    monkeypatch.setattr(together.conflicts, "find", lambda wanted, rooms, known: conflicts.Looked([], there.room, []))

    error = refused(together.book, {"1": Wanted(patient, chiro, atlanta, adjustment, at(10), 15)}, by=desk)

    assert (error.code, [*error.fields], Appointment.objects.count()) == ("slot_taken", ["1"], 1)


def test_another_fault_of_the_rows_is_no_refusal(db):
    with pytest.raises(IntegrityError, match="unforeseen"):
        booking.refused_by_the_database(IntegrityError("unforeseen"))


# --- nothing where nothing changes


def told(since):
    return [due.kind for due in reminders.due(since + timedelta(hours=1), since - timedelta(hours=2))]


def as_they_are(visits):
    ids = [visit.pk for visit in visits]
    rows = Appointment.objects.filter(pk__in=ids).order_by("pk").values()
    return list(rows), AppointmentEvent.objects.filter(appointment__in=ids).count()


def test_visits_that_move_to_where_they_stand_are_not_touched(begin, patient, desk, chiro):
    visits = standing(begin(2, patient))
    visit_status.confirm(visits[0], by=desk)
    seen = {str(v.pk): 0 for v in visits}
    choices = {str(v.pk): Choice(v.starts_at, v.practitioner) for v in visits}
    choices[str(visits[3].pk)] = Choice(at(15, day=visits[3].local_start.date()), chiro)
    before, audited = as_they_are(visits[:3]), AuditEntry.objects.count()

    moved = series.move(visits[0], choices, seen=seen, by=desk, reason="Asked for it")

    assert [visit.pk for visit in moved] == [visits[3].pk]
    assert as_they_are(visits[:3]) == before
    assert AuditEntry.objects.count() == audited + 2
    assert AuditEntry.objects.get(action="series.moved").detail == {"moved": 1}


def test_nor_are_those_of_a_move_of_many_and_nobody_is_written_to(begin, patient, desk, chiro, atlanta):
    patient.consents.create(scope="email_reminders", given_at=times.now())
    now = times.now()
    with time_machine.travel(now - timedelta(days=1), tick=False):
        visits = standing(begin(1, patient))
    asked = bulk_moves.question(visits, Span(locations=[atlanta], first=MONDAY, last=MONDAY, practitioner=chiro))
    before = as_they_are(visits)
    choices = {str(v.pk): Choice(v.starts_at, v.practitioner) for v in visits}

    moved = bulk_moves.move(asked, choices, seen={str(v.pk): 0 for v in visits}, by=desk, reason="Flu")

    assert (moved, as_they_are(visits), "visit-moved" in told(now)) == ([], before, False)
    booking.reschedule(visits[0], starts_at=at(15), by=desk)
    assert "visit-moved" in told(now)


def test_where_nothing_changes_nothing_is_asked_but_that_it_can_still_move(
    begin, patient, desk, chiro, clock_of_monday
):
    visits = standing(begin(1, patient))
    chiro.weekly_hours.all().delete()
    visit_status.cancel(visits[0], by=desk)

    error = refused(together.book, {str(n): in_place(visit) for n, visit in enumerate(visits)}, by=desk)
    kept = together.book({"1": in_place(visits[1])}, by=desk)

    assert (error.code, [*error.fields], kept) == ("wrong_status", ["0"], {})


@pytest.fixture
def clock_of_monday():
    with time_machine.travel(at(9, day=date(2027, 1, 3)), tick=False) as travel:
        yield travel


def test_one_that_stays_keeps_its_room_before_one_that_comes(patient, desk, atlanta, adjustment, chiro):
    second = make.practitioner(atlanta, name="Second One")
    stays = booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10),
                         by=desk)  # fmt: skip
    comes = booking.book(patient=make.patient(atlanta), practitioner=second, location=atlanta, type=adjustment,
                         starts_at=at(11), by=desk)  # fmt: skip
    assert stays.room == comes.room

    moved = together.book({"comes": in_place(comes, starts_at=at(10)), "stays": in_place(stays)}, by=desk)

    assert ([*moved], moved["comes"].room != stays.room) == (["comes"], True)


def test_who_may_agrees_to_one_outside_the_hours_and_it_stays_as_it_is(begin, patient, desk, chiro, atlanta):
    manager = make.user("manager", atlanta)
    visit, other = standing(begin(1, patient))
    chiro.weekly_hours.update(starts=time(11))
    before, _ = as_they_are([visit])

    by_the_desk = refused(together.book, {"1": in_place(visit)}, by=desk, overrides={"1": "It is agreed"})
    agreed = together.book({"1": in_place(visit)}, by=manager, overrides={"1": "It is agreed"}, reason="Hours")
    booking.reschedule(other, starts_at=other.starts_at, by=manager, override_reason="It too")

    assert (by_the_desk.code, [*agreed]) == ("outside_hours", ["1"])
    assert as_they_are([visit])[0] == before
    last = AppointmentEvent.objects.filter(step="agreed").order_by("pk")
    assert [(e.appointment_id, e.overridden, e.reason, e.override_reason) for e in last] == [
        (visit.pk, ["outside_hours"], "Hours", "It is agreed"), (other.pk, ["outside_hours"], "It too", "It too"),
    ]  # fmt: skip
    assert bulk_moves.why_stuck(standing(visit.series_visit.series)) == {}


# --- one visit of a series a day, taken back too


def test_a_step_is_not_taken_back_onto_the_day_of_another(begin, patient, desk, chiro):
    begun = begin(1, patient)
    first, second = standing(begun)
    visit_status.cancel(first, by=desk)
    booking.reschedule(second, starts_at=at(15), by=desk)

    error = refused(visit_status.undo, first, by=desk)

    assert (error.code, error.message) == ("two_on_a_day", "Another visit of the series is on January 4 already.")
    assert [slot.local_start.date() for slot in error.nearest if slot.local_start.date() == MONDAY] == []
    booking.reschedule(second, starts_at=at(15, day=MONDAY + timedelta(days=1)), by=desk)
    assert visit_status.undo(first, by=desk).status == "booked"


def test_a_move_within_the_day_is_taken_back(begin, patient, desk):
    first, _ = standing(begin(1, patient))
    moved = booking.reschedule(first, starts_at=at(15), by=desk)

    assert visit_status.undo(moved, by=desk).starts_at == at(10)


def test_the_day_is_that_of_the_clock_of_the_series(desk, chiro, atlanta, nashville, patient, begin):
    """Late on Monday in Nashville it is Tuesday in Atlanta, where the series is."""
    _, second = standing(begin(1, patient))
    boss = make.user("manager", atlanta, nashville)
    late = make.practitioner(nashville, name="Late One", starts=time(20), ends=time(23, 59))
    nashville.opening_hours.update(closes=time(23, 59))

    def to(hour, minute):
        starts_at = at(hour, minute, zone="America/Chicago")
        return {"1": in_place(second, starts_at=starts_at, practitioner=late, location=nashville)}

    error = refused(together.book, to(22, 30), by=boss)
    done = together.book(to(23, 15), by=boss)

    assert (error.code, times.day_of(done["1"].starts_at, "America/New_York")) == (
        "two_on_a_day", MONDAY + timedelta(days=1),
    )  # fmt: skip


def test_nothing_is_left_lifted_when_they_are_refused(begin, patient, desk):
    visits = standing(begin(1, patient))
    with transaction.atomic():
        refused(together.book, {"1": in_place(visits[0], starts_at=at(3)), "2": in_place(visits[1])}, by=desk)

    assert [visit.status for visit in standing(visits[0].series_visit.series)] == ["booked", "booked"]
