"""An ordinary booking makes good what a series owes the patient: calendar and series agree, however it was booked."""

from datetime import time, timedelta

import pytest

from appointments import booking, visit_status
from appointments.models import Appointment
from appointments.recurring import gates, series
from appointments.recurring.patterns import Pattern, Stretch
from clinic.errors import RuleBroken
from tests import make
from tests.make import MONDAY, at


@pytest.fixture
def begun(patient, adjustment, chiro, atlanta, desk):
    """Two visits in a week, then a re-evaluation; nothing is on the calendar."""
    kind = make.appointment_type("re-evaluation", 45, room_kind="evaluation")
    return series.begin(
        patient=patient, type=adjustment, checkpoint_type=kind, practitioner=chiro, location=atlanta, by=desk,
        pattern=Pattern(MONDAY, (Stretch(2, 1),), (0, 2), time(10), checkpoint_after=2),
    )  # fmt: skip


@pytest.fixture
def book(patient, chiro, atlanta, adjustment, desk):
    def act(hour=10, *, days=0, **changes):
        wanted = {"patient": patient, "practitioner": chiro, "location": atlanta, "type": adjustment, "by": desk}
        return booking.book(starts_at=at(hour, day=MONDAY + timedelta(days=days)), **wanted | changes)

    return act


def numbers(found):
    rows = Appointment.objects.holding_time().filter(series_visit__series=found).order_by("starts_at")
    return list(rows.values_list("series_visit__number", flat=True))


def test_what_is_owed_longest_is_made_good_first_and_owed_again_when_it_is_cancelled(begun, book, desk):
    first = book()
    book(days=1)
    assert numbers(begun) == [1, 2]

    visit_status.cancel(first, by=desk, reason="Flu.")
    assert numbers(begun) == [2]
    book(days=2)
    assert numbers(begun) == [2, 1]
    assert book(days=3).series_visit is None  # all that was wanted stands


def test_the_re_evaluation_is_one_of_the_series(begun, book):
    found = book(type=begun.checkpoint_type, days=4)

    assert found.series_visit.is_checkpoint


def test_a_second_visit_on_a_day_is_a_visit_of_its_own(begun, book):
    book(10)

    assert book(15).series_visit is None


def test_nothing_of_others_is_made_good(begun, book, atlanta):
    assert book(patient=make.patient(atlanta, given="Blake")).series_visit is None
    assert book(12, type=make.appointment_type("x-ray", 15)).series_visit is None


def test_what_may_not_be_placed_or_was_let_go_stays_as_it_is(begun, book, desk, monkeypatch):
    monkeypatch.setattr(gates, "_gates", [lambda series, for_checkpoint: RuleBroken("No.", code="no")])
    assert book().series_visit is None
    monkeypatch.setattr(gates, "_gates", [])
    series.let_go(begun.visits.all(), reason="Enough.", by=desk)

    assert book(days=1).series_visit is None


def test_a_closed_series_is_left_alone(begun, book):
    series.set_open(begun, False)

    assert book().series_visit is None
