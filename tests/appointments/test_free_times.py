from datetime import time, timedelta

import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments import availability, booking
from appointments.free_times import FreeTimes
from appointments.models import Appointment
from appointments.wishes import Wishes
from clinic.errors import RuleBroken
from tests import make
from tests.make import MONDAY, at

NOW = at(12, day=MONDAY - timedelta(days=1))
UNTIL = MONDAY + timedelta(days=6)
WINDOWS = [(time(0), time(12)), (time(12), time(17)), (time(17), time(0)), (time(9, 20), time(10, 40))]

wishes = st.builds(
    Wishes,
    st.lists(st.integers(0, 6), unique=True, max_size=3).map(tuple),
    st.lists(st.sampled_from(WINDOWS), unique=True, max_size=2).map(tuple),
)
booked = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2), st.integers(0, 2), st.booleans()), max_size=5)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    booked=booked,
    asked=st.lists(
        st.tuples(wishes, st.integers(0, 2), st.sets(st.integers(0, 2)), st.integers(0, 6)), min_size=1, max_size=6
    ),
)
def test_read_once_is_the_same_as_asked_one_by_one(atlanta, marietta, nashville, booked, asked):
    Appointment.objects.all().delete()
    places = [atlanta, marietta, nashville]
    kind = _type()
    people = _people(places)
    owner = make.user("manager", *places)
    patient = make.patient(atlanta)
    with time_machine.travel(NOW, tick=False):
        for quarter, who, where, mine in booked:
            try:
                booking.book(
                    patient=patient if mine else make.patient(places[where]), practitioner=people[who],
                    location=places[where], type=kind, starts_at=at(9) + timedelta(minutes=15 * quarter), by=owner,
                )  # fmt: skip
            except RuleBroken:
                continue
        busy = list(patient.appointments.values_list("start_minute", "end_minute"))
        free = FreeTimes(kind, places, from_day=MONDAY, to_day=UNTIL, now=NOW)

        for wished, without, chosen, late in asked:
            here = [place for n, place in enumerate(places) if n != without]
            days = MONDAY + timedelta(days=late), UNTIL
            found = availability.find(
                type=kind, locations=here, practitioners=[people[n] for n in chosen] or None, from_day=days[0],
                to_day=days[1], patient=patient, wishes=wished, limit=1, now=NOW,
            ).slots  # fmt: skip
            one = free.soonest(
                locations=here, practitioners={people[n].pk for n in chosen}, days=days, wishes=wished, busy=busy
            )
            assert [one] == (found or [None])


def _type():
    from_before = make.AppointmentType.objects.filter(slug="massage").first()
    return from_before or make.appointment_type("massage", 25, buffer_before=5, buffer_after=10, step_minutes=15)


def _people(places):
    known = list(make.Practitioner.objects.order_by("pk"))
    if known:
        return known
    make.travel(places[0], places[1], 35)
    return [
        make.practitioner(*pair, starts=time(9), ends=time(13 + n))
        for n, pair in enumerate([places[:2], places[1:], [places[0], places[2]]])
    ]


def test_what_is_taken_meanwhile_is_no_longer_free(atlanta, marietta):
    make.travel(atlanta, marietta, 35)
    kind = _type()
    person = make.practitioner(atlanta, marietta, starts=time(9), ends=time(11), days=[0])
    free = FreeTimes(kind, [atlanta, marietta], from_day=MONDAY, to_day=MONDAY, now=NOW)
    asked = {"practitioners": (), "days": (MONDAY, MONDAY), "wishes": Wishes()}

    first = free.soonest(locations=[atlanta], **asked)
    free.take(first, 5, 10)

    assert (first.starts_at, first.practitioner) == (at(9), person)
    assert free.soonest(locations=[atlanta], **asked).starts_at == at(9, 45)  # 9:25 with both buffers, on the grid
    assert free.soonest(locations=[marietta], **asked).starts_at == at(10, 15)  # and the way between them
    assert free.soonest(locations=[atlanta], **asked | {"days": (UNTIL, UNTIL)}) is None
