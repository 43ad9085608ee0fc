from datetime import date, time, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404

from appointments import booking, together, visit_status
from appointments.models import Appointment, AppointmentEvent, Series, SeriesVisit, TimeOff
from appointments.recurring import series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from tests import make
from tests.make import MONDAY, at

TWO_A_WEEK = Pattern(MONDAY, (Stretch(2, 2),), (0, 2), time(10))
DAYS = [date(2027, 1, d) for d in (4, 6, 11, 13)]


@pytest.fixture
def re_evaluation(db):
    return make.appointment_type("re-evaluation", 45, room_kind="evaluation")


@pytest.fixture
def begun(patient, adjustment, chiro, atlanta, desk):
    return series.begin(
        patient=patient, type=adjustment, practitioner=chiro, location=atlanta, pattern=TWO_A_WEEK, by=desk
    )


@pytest.fixture
def placed(begun, chiro, desk):
    """Four visits at ten, on the calendar."""
    choices = {n: Choice(at(10, day=day), chiro) for n, day in enumerate(DAYS, 1)}
    return series.place(begun, choices, by=desk)


def refused(rule, *args, **kwargs):
    with pytest.raises(RuleBroken) as caught:
        rule(*args, **kwargs)
    return caught.value


def owed(one):
    return list(one.visits.owed().values_list("number", flat=True))


def starts(one):
    found = Appointment.objects.holding_time().filter(series_visit__series=one)
    return list(found.order_by("starts_at").values_list("starts_at", flat=True))


def test_begin_writes_down_what_is_wanted_and_books_nothing(begun, desk):
    assert list(begun.visits.values_list("number", "wanted_on", "wanted_at")) == [
        (n, day, time(10)) for n, day in enumerate(DAYS, 1)
    ]
    assert (owed(begun), begun.as_pattern, Appointment.objects.count()) == ([1, 2, 3, 4], TWO_A_WEEK, 0)
    assert AuditEntry.objects.get(action="series.begun").patient_id == begun.patient_id


def test_the_checkpoint_is_a_visit_of_its_own_type(patient, adjustment, re_evaluation, chiro, atlanta, desk):
    pattern = Pattern(MONDAY, (Stretch(2, 2),), (0, 2), time(10), checkpoint_after=2)

    begun = series.begin(
        patient=patient, type=adjustment, checkpoint_type=re_evaluation, practitioner=chiro, location=atlanta,
        pattern=pattern, by=desk,
    )  # fmt: skip

    types = list(begun.visits.values_list("type__slug", flat=True))
    assert types == ["adjustment", "adjustment", "re-evaluation", "adjustment", "adjustment"]


def test_a_checkpoint_needs_its_type(patient, adjustment, chiro, atlanta, desk):
    pattern = Pattern(MONDAY, (Stretch(2, 2),), (0, 2), time(10), checkpoint_after=2)

    said = {"patient": patient, "type": adjustment, "practitioner": chiro, "location": atlanta, "by": desk}
    assert refused(series.begin, pattern=pattern, **said).code == "no_visit_type"


def test_place_books_what_was_chosen_and_keeps_the_skipped_as_a_debt(begun, chiro, desk):
    choices = {1: Choice(at(10, day=DAYS[0]), chiro), 2: Choice(skip_reason="Away"), 3: Choice()}

    booked = series.place(begun, choices, by=desk)

    assert [v.series_visit.number for v in booked] == [1]
    assert starts(begun) == [at(10)]
    assert owed(begun) == [2, 3, 4]
    assert list(series.debts(desk).values_list("number", "skipped_reason")) == [(2, "Away"), (3, "Skipped.")]
    assert booked[0].history.get().step == "booked"


def test_place_is_all_or_nothing(begun, chiro, desk, atlanta, adjustment):
    other = make.patient(atlanta, given="Blake")
    booking.book(patient=other, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10, day=DAYS[2]),
                 by=desk)  # fmt: skip
    choices = {n: Choice(at(10, day=day), chiro) for n, day in enumerate(DAYS, 1)}

    error = refused(series.place, begun, choices, by=desk)

    assert (error.code, list(error.fields)) == ("slot_taken", ["3"])
    assert error.message == "Nothing was changed: 1 of 4 times cannot be had."
    assert (starts(begun), owed(begun), Appointment.objects.count()) == ([], [1, 2, 3, 4], 1)
    assert AppointmentEvent.objects.count() == 1


def test_place_names_every_time_that_cannot_be_had(begun, chiro, desk):
    TimeOff.objects.create(practitioner=chiro, starts_at=at(0), ends_at=at(0, day=date(2027, 1, 9)))
    choices = {n: Choice(at(10, day=day), chiro) for n, day in enumerate(DAYS, 1)} | {4: Choice(at(3), chiro)}

    error = refused(series.place, begun, choices, by=desk)
    said = {key: message.split(".")[0][-20:] for key, message in error.fields.items()}
    assert said == {  # the later of two on Monday
        "1": "on January 4 already", "2": "t work at Atlanta then"[-20:], "4": "t work at Atlanta then"[-20:],
    }  # fmt: skip
    choices[4] = Choice(at(3, day=DAYS[3]), chiro)
    assert list(refused(series.place, begun, choices, by=desk).fields) == ["1", "2", "4"]


def test_two_chosen_times_that_overlap_are_refused(begun, chiro, desk, marietta):
    error = refused(series.place, begun, {1: Choice(at(10), chiro), 2: Choice(at(10, 5), chiro)}, by=desk)

    assert (error.code, list(error.fields)) == ("two_on_a_day", ["2"])


def test_what_is_placed_cannot_be_placed_again(begun, placed, chiro, desk):
    error = refused(series.place, begun, {1: Choice(at(11, day=date(2027, 1, 5)), chiro)}, by=desk)

    assert (error.code, list(error.fields)) == ("not_owed", ["1"])


def test_the_database_lets_one_appointment_stand_for_a_visit(placed):
    copy = Appointment.objects.get(pk=placed[0].pk)
    copy.pk, copy.patient = None, make.patient(copy.location, given="Blake")
    copy.practitioner = make.practitioner(copy.location)
    copy.room = copy.location.rooms.exclude(pk=copy.room_id).first()
    copy.uid = uuid4()

    with pytest.raises(IntegrityError, match="series_visit"), transaction.atomic():
        Appointment.objects.bulk_create([copy])


@pytest.mark.parametrize("step", ["cancel", "no-show"])
def test_a_cancelled_or_missed_visit_is_owed_again_and_can_be_placed(begun, placed, chiro, desk, step, time_machine):
    if step == "no-show":
        time_machine.move_to(at(12), tick=False)
    visit_status.take(step, placed[0], by=desk, reason="Ill")

    assert [v.number for v in series.debts(desk)] == [1]
    again = at(10, day=date(2027, 1, 5))
    series.place(begun, {1: Choice(again, chiro)}, by=desk)
    assert (owed(begun), starts(begun)[0]) == ([], again)
    assert SeriesVisit.objects.get(series=begun, number=1).appointments.count() == 2


def test_a_moved_visit_stays_a_member(begun, placed, desk):
    booking.reschedule(placed[0], starts_at=at(11, day=date(2027, 1, 5)), by=desk)

    assert (owed(begun), starts(begun)[0]) == ([], at(11, day=date(2027, 1, 5)))
    assert [v.pk for v in series.members(placed[0], "all")] == [v.pk for v in placed]


def test_a_deleted_visit_is_owed_and_the_others_stay(begun, placed):
    placed[1].delete()

    assert (owed(begun), len(starts(begun))) == ([2], 3)


@pytest.mark.parametrize(
    ("scope", "left"), [("this", [0, 2, 3]), ("later", [0]), ("all", [])]
)  # fmt: skip
def test_cancel_reaches_as_far_as_is_asked(begun, placed, desk, scope, left):
    series.cancel(placed[1], scope=scope, by=desk, reason="Moves away")

    assert starts(begun) == [at(10, day=DAYS[n]) for n in left]
    assert len(owed(begun)) == 4 - len(left)


def test_cancel_touches_one_visit_unless_more_is_asked(begun, placed, desk):
    series.cancel(placed[0], by=desk, reason="")

    assert len(starts(begun)) == 3


def test_what_is_cancelled_for_good_is_not_owed(begun, placed, desk):
    series.cancel(placed[1], scope="later", by=desk, reason="Feels well", still_wanted=False)

    assert (owed(begun), list(series.debts(desk))) == ([], [])
    assert begun.visits.get(number=3).waived_reason == "Feels well"


def test_cancel_leaves_what_is_done(begun, placed, desk, time_machine):
    time_machine.move_to(at(10), tick=False)
    visit_status.arrive(placed[0], by=desk)

    series.cancel(placed[2], scope="all", by=desk, reason="Ill")

    assert starts(begun) == [at(10)]


@pytest.mark.parametrize(("scope", "reason", "field"), [("later", " ", "reason"), ("some", "Ill", "scope")])
def test_cancel_of_several_refuses(placed, desk, scope, reason, field):
    error = refused(series.cancel, placed[0], scope=scope, by=desk, reason=reason)

    assert (list(error.fields), Appointment.objects.filter(status="cancelled").count()) == ([field], 0)


def test_a_visit_without_a_series_stands_alone(patient, chiro, atlanta, adjustment, desk):
    visit = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), by=desk
    )

    assert series.members(visit, "all") == [visit]


def test_waive_lets_a_debt_go(begun, desk):
    visit = begun.visits.get(number=2)

    series.waive(visit, by=desk, reason="Feels well")

    assert owed(begun) == [1, 3, 4]
    assert refused(series.waive, visit, by=desk, reason="Again").code == "not_owed"
    assert refused(series.waive, begun.visits.get(number=1), by=desk, reason="").fields == {
        "reason": "Say why the visit is no longer wanted."
    }


def test_debts_are_what_was_skipped_or_is_overdue(begun, desk, time_machine):
    assert list(series.debts(desk)) == []

    time_machine.move_to(at(12, day=date(2027, 1, 8)), tick=False)

    assert [v.number for v in series.debts(desk)] == [1, 2]
    row = series.with_debts(desk).get()
    assert (row.pk, row.owed, row.owed_since) == (begun.pk, 2, MONDAY)


def test_a_closed_series_owes_nothing(begun, chiro, desk):
    series.place(begun, {1: Choice()}, by=desk)

    series.set_open(begun, False)

    assert (list(series.debts(desk)), list(series.with_debts(desk)), owed(begun)) == ([], [], [])
    assert refused(series.place, begun, {1: Choice(at(10), chiro)}, by=desk).code == "wrong_status"


def test_who_may(begun, chiro, owner, marietta):
    elsewhere = make.user("desk", marietta)
    choices = {1: Choice(at(10), chiro), 2: Choice(skip_reason="Away")}

    for person, expected in ((owner, PermissionDenied), (elsewhere, Http404)):
        with pytest.raises(expected):
            series.place(begun, choices, by=person)
        with pytest.raises(expected):
            series.waive(begun.visits.first(), by=person, reason="No")
    series.place(begun, {2: choices[2]}, by=chiro.user)
    assert (list(series.debts(elsewhere)), series.debts(owner).count()) == ([], 1)


def test_a_patient_out_of_sight_gets_no_series(marietta, adjustment, chiro, atlanta, desk):
    with pytest.raises(Http404):
        series.begin(
            patient=make.patient(marietta), type=adjustment, practitioner=chiro, location=atlanta, pattern=TWO_A_WEEK,
            by=desk,
        )  # fmt: skip
    assert not Series.objects.exists()


@pytest.mark.parametrize("zone", ["America/New_York", "America/Chicago"])
@pytest.mark.parametrize("change", [date(2027, 3, 14), date(2026, 11, 1), date(2027, 11, 7)])
def test_nine_stays_nine_across_both_clock_changes(db, zone, change, time_machine):
    place = make.location("somewhere", zone)
    chiro, desk, patient = make.practitioner(place), make.user("desk", place), make.patient(place)
    time_machine.move_to(at(8, day=change - timedelta(14)), tick=False)
    monday = change - timedelta(6)
    pattern = Pattern(monday, (Stretch(1, 3),), (0,), time(9))
    begun = series.begin(
        patient=patient, type=make.appointment_type(), practitioner=chiro, location=place, pattern=pattern, by=desk
    )
    wanted = begun.visits.values_list("number", "wanted_on", "wanted_at")

    series.place(begun, {n: Choice(times.exact(day, wall, zone), chiro) for n, day, wall in wanted}, by=desk)

    local = [times.local(start, zone) for start in starts(begun)]
    assert [(d.date(), d.time()) for d in local] == [(monday + timedelta(7 * n), time(9)) for n in range(3)]
    assert len({d.utcoffset() for d in local}) == 2


def test_moves_make_room_for_each_other(begun, placed, chiro, desk):
    rows = list(Appointment.objects.order_by("starts_at").with_names())
    later = {
        str(row.pk): booking.Wanted(row.patient, chiro, row.location, row.type, nxt.starts_at, 15, moving=row)
        for row, nxt in zip(rows, [*rows[1:], rows[0]], strict=True)
    }

    together.book(later, by=desk, reason="All move on")

    found = list(Appointment.objects.order_by("pk").values_list("starts_at", "status", "sequence"))
    assert found == [(at(10, day=DAYS[n]), "booked", 1) for n in (1, 2, 3, 0)]
    assert [e.step for e in rows[0].history.all()] == ["booked", "rescheduled"]


def test_moves_are_all_or_nothing(begun, placed, chiro, desk):
    rows = list(Appointment.objects.order_by("starts_at").with_names())
    visit_status.confirm(rows[0], by=desk)
    goals = (at(11), at(7, day=DAYS[1]))
    wanted = {
        str(n): booking.Wanted(row.patient, chiro, row.location, row.type, goal, 15, moving=row)
        for n, (row, goal) in enumerate(zip(rows, goals, strict=False), 1)
    }

    error = refused(together.book, wanted, by=desk)

    assert list(error.fields) == ["2"]
    assert list(Appointment.objects.order_by("starts_at").values_list("status", flat=True))[:2] == [
        "confirmed", "booked",
    ]  # fmt: skip
    assert starts(begun) == [at(10, day=day) for day in DAYS]
