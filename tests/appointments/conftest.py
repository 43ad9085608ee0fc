import pytest

from appointments import booking
from tests.make import at


@pytest.fixture
def visit(atlanta, chiro, adjustment, patient, desk):
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), by=desk
    )
