import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from appointments.models import Appointment
from clinic import times
from tests import make


@pytest.fixture
def visit(patient, chiro, adjustment):
    """`visit(9, 0, …)` writes an appointment past every rule: only the database can refuse it."""
    location = patient.home_location
    rooms = list(location.rooms.filter(kind="adjusting"))

    def write(hour=9, minute=0, minutes=30, *, before=0, after=0, **fields):
        start = times.to_minute(make.at(hour, minute))
        fields = {"patient": patient, "practitioner": chiro, "room": rooms[0], **fields}
        return Appointment.objects.create(
            location=location, type=adjustment, starts_at=times.from_minute(start),
            ends_at=times.from_minute(start + minutes), start_minute=start, end_minute=start + minutes,
            busy_from=start - before, busy_until=start + minutes + after, **fields,
        )  # fmt: skip

    write.other = {
        "patient": lambda: make.patient(location, given="Other"),
        "practitioner": lambda: make.practitioner(location),
        "room": lambda: rooms[1],
    }
    return write


def others(visit, *names):
    return {name: visit.other[name]() for name in names}


SHARED = [
    pytest.param(("patient", "room"), id="practitioner"),
    pytest.param(("patient", "practitioner"), id="room"),
    pytest.param(("practitioner", "room"), id="patient"),
]


@pytest.mark.parametrize("differing", SHARED)
def test_an_overlap_is_refused_on_insert(visit, differing):
    visit(9)

    with pytest.raises(IntegrityError, match="no_overlap"), transaction.atomic():
        visit(9, 15, **others(visit, *differing))
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize("differing", SHARED)
def test_an_overlap_is_refused_on_update(visit, differing):
    visit(9)
    later = visit(11, **others(visit, *differing))
    start = times.to_minute(make.at(9, 15))
    span = {"start_minute": start, "end_minute": start + 30, "busy_from": start, "busy_until": start + 30}

    with pytest.raises(IntegrityError, match="no_overlap"), transaction.atomic():
        Appointment.objects.filter(pk=later.pk).update(**span)
    later.refresh_from_db()
    assert later.start_minute == times.to_minute(make.at(11))


def test_taking_over_the_busy_practitioner_is_refused(visit):
    first = visit(9)
    second = visit(9, **others(visit, "patient", "practitioner", "room"))

    with pytest.raises(IntegrityError, match="no_overlap_practitioner"), transaction.atomic():
        Appointment.objects.filter(pk=second.pk).update(practitioner=first.practitioner)


@pytest.mark.parametrize(
    ("hour", "minute", "minutes"),
    [
        pytest.param(9, 0, 30, id="the same"),
        pytest.param(8, 45, 30, id="over the start"),
        pytest.param(9, 15, 30, id="over the end"),
        pytest.param(9, 10, 10, id="inside"),
        pytest.param(8, 0, 180, id="around"),
        pytest.param(9, 29, 30, id="one shared minute"),
    ],
)
def test_every_shape_of_overlap_is_refused(visit, hour, minute, minutes):
    visit(9)

    with pytest.raises(IntegrityError, match="no_overlap"), transaction.atomic():
        visit(hour, minute, minutes)


def test_touching_visits_are_allowed(visit):
    visit(9)
    visit(9, 30)
    visit(8, 30)

    assert Appointment.objects.count() == 3


def test_buffers_count_for_the_practitioner_but_not_for_the_patient(visit):
    visit(9, after=10)
    visit(9, 30, **others(visit, "practitioner", "room"))

    with pytest.raises(IntegrityError, match=r"no_overlap_(practitioner|room)"), transaction.atomic():
        visit(9, 30, **others(visit, "patient"))


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_a_visit_that_holds_no_time_is_ignored(visit, status):
    gone = visit(9, status=status)
    visit(9)

    with pytest.raises(IntegrityError, match="no_overlap"), transaction.atomic():
        Appointment.objects.filter(pk=gone.pk).update(status="booked")


def test_a_cancellation_frees_the_time(visit):
    first = visit(9)

    Appointment.objects.filter(pk=first.pk).update(status="cancelled")

    visit(9)
    assert Appointment.objects.count() == 2


def test_a_row_does_not_overlap_itself(visit):
    first = visit(9)

    assert (
        Appointment.objects.filter(pk=first.pk).update(end_minute=first.end_minute - 5, busy_until=first.busy_until)
        == 1
    )


def test_bulk_writes_are_held_to_it_too(visit):
    first = visit(9)
    first.pk, first.uid = None, "00000000-0000-4000-8000-000000000001"

    with pytest.raises(IntegrityError, match="no_overlap"), transaction.atomic():
        Appointment.objects.bulk_create([first])


def test_validate_says_it_before_the_database_does(visit):
    first = visit(9)
    second = visit(11)
    second.start_minute, second.end_minute = first.start_minute, first.end_minute
    second.busy_from, second.busy_until = first.busy_from, first.busy_until

    with pytest.raises(ValidationError, match="already taken"):
        second.validate_constraints()
    second.status = "cancelled"
    second.validate_constraints()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL never remakes a table")
def test_it_survives_a_table_remake(visit):
    visit(9)

    with connection.constraint_checks_disabled(), connection.schema_editor() as editor:
        editor._remake_table(Appointment)

    with pytest.raises(IntegrityError, match="no_overlap_practitioner"), transaction.atomic():
        visit(9, 15, **others(visit, "patient", "room"))
    visit(9, 30)
    with pytest.raises(IntegrityError, match="no_overlap"), transaction.atomic():
        Appointment.objects.filter(start_minute=times.to_minute(make.at(9, 30))).update(
            busy_from=times.to_minute(make.at(9, 15))
        )
