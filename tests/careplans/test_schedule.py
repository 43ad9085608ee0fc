from datetime import date, time, timedelta
from itertools import pairwise

import pytest
from django.core.exceptions import PermissionDenied

from appointments import visit_status
from appointments.models import Appointment, TimeOff
from careplans import planning
from evaluations.catalogue import RED_FLAGS
from evaluations.safety import red_flags
from locations.models import Closure
from tests import make
from tests.careplans.test_planning import flag, refused
from tests.make import MONDAY, at

pytestmark = pytest.mark.usefixtures("adjustment")
TEN = time(10)


def booked(plan):
    visits = Appointment.objects.filter(series_visit__series=plan.series).select_related("location")
    return [(v.local_start.date(), v.local_start.time()) for v in visits]


def test_schedule_books_the_first_phase(active, chiro, desk):
    placed = planning.schedule(active, by=desk, weekdays=[0, 2], at_time=TEN)

    assert (len(placed.booked), placed.debts) == (8, [])
    assert booked(active) == [
        (MONDAY + timedelta(weeks=week, days=day), TEN) for week in range(4) for day in (0, 2)
    ]  # fmt: skip
    assert {v.practitioner for v in Appointment.objects.all()} == {chiro}
    active.series.refresh_from_db()
    assert active.series.as_pattern.weekdays == (0, 2)


def test_schedule_leaves_what_a_closure_blocks_as_a_debt(active, atlanta, desk):
    Closure.objects.create(location=atlanta, starts_on=date(2027, 1, 9), ends_on=date(2027, 1, 15), reason="Flood")

    placed = planning.schedule(active, by=desk, weekdays=[0, 2], at_time=TEN)

    assert [one.visit.wanted_on for one in placed.debts] == [date(2027, 1, 11), date(2027, 1, 13)]
    assert (len(placed.booked), Appointment.objects.count()) == (6, 6)


def test_schedule_moves_a_visit_to_the_nearest_day(active, atlanta, desk):
    Closure.objects.create(location=atlanta, starts_on=MONDAY, ends_on=MONDAY, reason="Holiday")

    planning.schedule(active, by=desk, weekdays=[0, 2], at_time=TEN)

    assert booked(active)[:2] == [(MONDAY + timedelta(1), TEN), (MONDAY + timedelta(2), TEN)]


def test_schedule_again_tries_only_the_debts(active, atlanta, desk):
    closure = Closure.objects.create(
        location=atlanta, starts_on=date(2027, 1, 9), ends_on=date(2027, 1, 15), reason="Flood"
    )
    planning.schedule(active, by=desk, weekdays=[0, 2], at_time=TEN)
    closure.delete()

    placed = planning.schedule(active, by=desk, weekdays=[0, 2], at_time=TEN)

    assert [one.visit.number for one in placed.booked] == [3, 4]
    assert (placed.debts, Appointment.objects.count()) == ([], 8)


def test_a_cancelled_visit_is_owed_and_booked_again(active, desk):
    planning.schedule(active, by=desk, weekdays=[0, 2], at_time=TEN)
    visit_status.cancel(Appointment.objects.first(), by=desk, reason="Ill")

    placed = planning.schedule(active, by=desk, weekdays=[0, 2], at_time=TEN)

    assert [one.visit.number for one in placed.booked] == [1]
    assert booked(active)[0] == (MONDAY, TEN)


def test_schedule_takes_the_nearest_time_when_the_wanted_one_is_taken(active, atlanta, chiro, desk):
    TimeOff.objects.create(practitioner=chiro, starts_at=at(9), ends_at=at(13))

    planning.schedule(active, by=desk, weekdays=[0, 2], at_time=TEN)

    assert booked(active)[:2] == [(MONDAY, time(13)), (MONDAY + timedelta(2), TEN)]


def test_schedule_goes_to_another_practitioner_when_the_usual_one_is_away(active, atlanta, chiro, desk):
    other = make.practitioner(atlanta, name="Aaron Other")
    TimeOff.objects.create(practitioner=chiro, starts_at=at(0), ends_at=at(0, day=date(2027, 1, 9)))

    planning.schedule(active, by=desk, weekdays=[0, 2], at_time=TEN)

    people = [v.practitioner for v in Appointment.objects.order_by("starts_at")]
    assert people == [other] * 2 + [chiro] * 6


def test_two_patients_never_overlap(active, draft, evaluated, atlanta, chiro, desk):
    other = make.patient(atlanta, given="Blake")
    red_flags.answer(patient=other, evaluation=None, answers=dict.fromkeys(RED_FLAGS, "no"), by=chiro.user)
    second = draft(evaluation=evaluated(other))
    second = planning.activate(planning.sign_consent(second, name="B. T.", by=chiro.user), by=chiro.user)

    for plan in (active, second):
        planning.schedule(plan, by=desk, weekdays=[0, 2], at_time=TEN)

    assert booked(second)[0] == (MONDAY, time(9, 45))
    spans = sorted(Appointment.objects.values_list("busy_from", "busy_until"))
    assert len(spans) == 16
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_one_visit_a_day_even_when_few_days_are_left(active, atlanta, desk):
    Closure.objects.create(location=atlanta, starts_on=MONDAY, ends_on=date(2027, 1, 8), reason="Flood")
    Closure.objects.create(location=atlanta, starts_on=date(2027, 1, 12), ends_on=date(2027, 3, 1), reason="Flood")

    placed = planning.schedule(active, by=desk, weekdays=[0, 1], at_time=TEN)

    assert (booked(active), len(placed.debts)) == ([(date(2027, 1, 11), TEN)], 7)


def test_without_a_room_all_visits_are_owed(active, atlanta, desk):
    atlanta.rooms.filter(kind="adjusting").delete()

    placed = planning.schedule(active, by=desk, weekdays=[0, 2], at_time=TEN)

    assert (placed.booked, len(placed.debts), Appointment.objects.count()) == ([], 8, 0)


@pytest.mark.parametrize("weekdays", [[], [0], [0, 0], [0, 7], [-1, 2]])
def test_schedule_needs_enough_weekdays(active, desk, weekdays):
    error = refused(planning.schedule, active, by=desk, weekdays=weekdays, at_time=TEN)

    assert (list(error.fields), error.status) == (["weekdays"], 400)


def test_schedule_needs_an_active_plan(ready, desk):
    assert refused(planning.schedule, ready, by=desk, weekdays=[0, 2], at_time=TEN).code == "wrong_status"


def test_schedule_is_stopped_by_a_new_red_flag(active, patient, desk):
    flag(patient)

    assert refused(planning.schedule, active, by=desk, weekdays=[0, 2], at_time=TEN).code == "red_flag_open"


def test_schedule_is_not_for_auditors(active):
    with pytest.raises(PermissionDenied):
        planning.schedule(active, by=make.user("auditor"), weekdays=[0, 2], at_time=TEN)
