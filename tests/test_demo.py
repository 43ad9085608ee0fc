from datetime import UTC, datetime
from itertools import pairwise

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from appointments.models import Appointment, AppointmentEvent
from appointments.timetable.hours import Hours
from careplans.models import CarePlan
from clinic import demo, times
from evaluations import signing
from evaluations.models import Evaluation
from locations import ways
from locations.models import Location, Practitioner
from patients import queries
from tests.conftest import PROTECTED

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # noon of a Wednesday in Atlanta
SIGN_INS = ["owner", "manager", "desk", "chiro", "auditor"]


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """The small clinic, loaded once for all that look at it."""
    with django_db_blocker.unblock():
        with time_machine.travel(NOON, tick=False):
            world = demo.load("small", seed=7)
        yield world
        with connection.schema_editor() as editor:
            for layer in PROTECTED:  # signed rows cannot be emptied away otherwise
                layer.remove(editor)
        call_command("flush", interactive=False, verbosity=0)
        with connection.schema_editor() as editor:
            for layer in PROTECTED:
                layer.install(editor)


@pytest.fixture
def small(loaded, db):
    with time_machine.travel(NOON, tick=False):
        yield loaded


def test_the_small_clinic_has_its_places_people_and_patients(small):
    assert sorted(Location.objects.values_list("slug", flat=True)) == ["atlanta", "marietta", "nashville"]
    assert Practitioner.objects.count() == 5
    assert len(small.patients) == 30 + len(small.charts) == 36


@pytest.mark.parametrize(
    ("resource", "start", "end"),
    [
        ("practitioner_id", "busy_from", "busy_until"),
        ("room_id", "busy_from", "busy_until"),
        ("patient_id", "start_minute", "end_minute"),
    ],
)
def test_no_two_visits_share_a_minute(small, resource, start, end):
    rows = sorted(Appointment.objects.holding_time().values_list(resource, start, end))

    assert [(a, b) for a, b in pairwise(rows) if a[0] == b[0] and b[1] < a[2]] == []


def test_practitioners_have_time_for_the_way_between_two_clinics(small):
    known = ways.read()
    rows = sorted(
        Appointment.objects.holding_time().values_list("practitioner_id", "busy_from", "busy_until", "location_id")
    )
    moves = [(a, b) for a, b in pairwise(rows) if a[0] == b[0] and a[3] != b[3]]

    assert moves
    assert [(a, b) for a, b in moves if b[1] - a[2] < known.between(a[3], b[3])] == []


def test_every_way_is_known(small):
    assert ways.missing(small.locations) == []


def test_visits_lie_in_working_and_opening_hours(small):
    rows = list(Appointment.objects.values_list("practitioner_id", "location_id", "start_minute", "end_minute"))
    first, last = (times.from_minute(minute).date() for minute in (min(r[2] for r in rows), max(r[3] for r in rows)))
    working = Hours(small.locations, first, last).working(first, last)

    assert [r for r in rows if not any(a <= r[2] and r[3] <= b for a, b in working.get(r[:2], ()))] == []


def test_statuses_agree_with_the_clock(small):
    over = {"completed", "no_show", "cancelled"}

    assert set(Appointment.objects.filter(ends_at__lte=NOON).values_list("status", flat=True)) == over
    assert set(Appointment.objects.filter(starts_at__gt=NOON, status__in=["completed", "no_show", "in_room"])) == set()
    assert Appointment.objects.filter(status__in=["in_room", "arrived"]).exists()


def test_every_visit_has_the_history_that_led_to_it(small):
    last = {event.appointment_id: event for event in AppointmentEvent.objects.order_by("pk")}
    visits = Appointment.objects.in_bulk()

    assert {pk: last[pk].to_status for pk in visits} == {pk: visit.status for pk, visit in visits.items()}
    assert not AppointmentEvent.objects.filter(at__gt=NOON).exists()
    assert all(visit.booked_at < visit.starts_at for visit in visits.values())


def test_the_six_charts_are_recorded_and_signed(small):
    baselines = [evaluation for evaluation, _chart, _back in small.charts]

    assert len(baselines) == 6
    assert all(signing.is_intact(evaluation) for evaluation in Evaluation.objects.exclude(signed_at=None))
    assert baselines[0].started_at.isoformat() == "2026-03-03T09:00:00-05:00"
    assert CarePlan.objects.filter(evaluation__in=baselines, status="active").count() == 6


def test_patients_are_found_by_name(small):
    someone = small.patients[0]
    desk = small.desk_of[someone.home_location_id]

    assert someone.pk in {one.pk for one in queries.search(desk, someone.family_name)}


@pytest.mark.parametrize("name", [*SIGN_INS, "dc1"])
def test_the_demo_people_sign_in(small, client, name):
    page = reverse("account_login")

    response = client.post(page, {"login": f"{name}@demo.test", "password": "demo-clinic"})

    assert (response.status_code, response.url) == (302, "/")


def test_a_database_with_users_is_left_alone(small):
    with pytest.raises(CommandError, match="empty database only"):
        call_command("demo", size="small")

    assert Practitioner.objects.count() == 5
