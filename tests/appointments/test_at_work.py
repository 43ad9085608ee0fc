"""Who may be named in a form is whom the engine can offer: with hours now or later, weekly or extra."""

from datetime import date, time, timedelta

import pytest

from appointments.forms import BookVisit, FindTimes, MoveVisit
from appointments.models import Appointment, ExtraHours, WeeklyHours
from appointments.moving.bulk_move_forms import BulkMoveForm
from appointments.recurring.series_forms import SeriesForm
from appointments.timetable import at_work
from appointments.waiting.waitlist_forms import EntryForm
from careplans.forms import PlanForm
from clinic import times
from tests import make
from tests.make import MONDAY, at


@pytest.fixture(autouse=True)
def on_sunday():
    with times.as_of(at(12, day=MONDAY - timedelta(1))):
        yield


@pytest.fixture
def guest(atlanta, marietta):
    """Works in Marietta, and in Atlanta on one Monday only."""
    person = make.practitioner(marietta, name="Guest Sample")
    ExtraHours.objects.create(practitioner=person, location=atlanta, day=MONDAY, starts=time(9), ends=time(12))
    return person


def test_an_offered_time_of_extra_hours_can_be_booked(sign_in, desk, guest, atlanta, adjustment, patient):
    client, asked = sign_in(desk), {"patient": patient.pk, "type": "adjustment", "location": "atlanta",
                                    "from_day": "2027-01-04"}  # fmt: skip
    page = client.get("/appointments/new/", asked).content.decode()
    slot = f"2027-01-04T14:00:00+00:00|atlanta|{guest.pk}"
    assert slot in page

    client.post("/appointments/new/", {**asked, "slot": slot})

    visit = Appointment.objects.get()
    assert (visit.practitioner, visit.location) == (guest, atlanta)


def test_an_exact_time_and_a_search_take_them_too(desk, guest, atlanta, adjustment, patient):
    book = {"patient": patient.pk, "type": "adjustment", "day": "2027-01-04", "time": "10:00", "at": "atlanta",
            "practitioner_at": guest.pk}  # fmt: skip
    find = {"type": "adjustment", "location": "atlanta", "from_day": "2027-01-04", "practitioner": f"{guest.pk}"}

    assert BookVisit(book, user=desk).is_valid()
    assert FindTimes(find, user=desk).is_valid()


def named(user, visit):
    """Who may be chosen in each form that names a practitioner."""
    return {
        "move": MoveVisit(appointment=visit, user=user).fields["practitioner"].queryset,
        "series": SeriesForm(user=user).fields["practitioner"].queryset,
        "bulk move": BulkMoveForm(user=user).fields["practitioner"].queryset,
        "colleagues": BulkMoveForm(user=user).colleagues.values(),
        "waitlist": EntryForm(user=user, patient=visit.patient).fields["practitioners"].queryset,
        "plan": PlanForm(user=user).fields["practitioner"].queryset,
        "booking": BookVisit(user=user).fields["practitioner_at"].queryset,
    }


def test_every_form_names_them_and_nobody_whose_hours_ended(visit, guest, atlanta, chiro):
    gone = make.practitioner(atlanta, name="Gone Sample")
    WeeklyHours.objects.filter(practitioner=gone).update(valid_until=MONDAY - timedelta(days=2))
    ExtraHours.objects.create(practitioner=gone, location=atlanta, day=date(2026, 12, 1), starts=time(9), ends=time(12))
    soon = make.practitioner(atlanta, name="Soon Sample")
    WeeklyHours.objects.filter(practitioner=soon).update(valid_from=MONDAY + timedelta(days=90))

    for form, people in named(chiro.user, visit).items():
        assert set(people) == {chiro, guest, soon}, form


def test_who_a_visit_is_booked_with_stays_in_its_form(visit, desk, chiro):
    WeeklyHours.objects.filter(practitioner=chiro).update(valid_until=MONDAY - timedelta(days=2))

    form = MoveVisit(appointment=visit, user=desk)

    assert list(form.fields["practitioner"].queryset) == [chiro]


def test_the_last_day_is_that_of_the_clinic(nashville, atlanta):
    """At 00:30 in Atlanta it is still the day before in Nashville."""
    here, there = make.practitioner(atlanta), make.practitioner(nashville)
    WeeklyHours.objects.update(valid_until=MONDAY)

    with times.as_of(at(0, 30, day=MONDAY + timedelta(days=1))):
        assert list(at_work.at([atlanta, nashville])) == [there]
        WeeklyHours.objects.filter(practitioner=here).update(ends_next_day=True, ends=time(2))
        assert set(at_work.at([atlanta, nashville])) == {here, there}
        assert at_work.works_at(there, [nashville])
        assert not at_work.works_at(there, [atlanta])
    assert list(at_work.at([])) == []
