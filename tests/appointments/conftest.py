import pytest

from appointments import booking
from appointments.waiting import waitlist
from clinic import times
from tests import make
from tests.make import at


@pytest.fixture
def visit(atlanta, chiro, adjustment, patient, desk):
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), by=desk
    )


@pytest.fixture
def waits(atlanta, adjustment, desk):
    """`waits("Ann", urgency=2, …)` puts a patient who can be written to on the waitlist, for Atlanta if not said."""

    def add(given="Avery", *, patient=None, sooner_than=None, reachable=True, **asked):
        patient = patient or make.patient(atlanta, given=given)
        if reachable:
            patient.consents.get_or_create(scope="email_reminders", defaults={"given_at": times.now()})
        wanted = waitlist.Asked(**{"type": adjustment, "locations": [atlanta], **asked})
        return waitlist.add(patient, wanted, by=desk, sooner_than=sooner_than)

    return add
