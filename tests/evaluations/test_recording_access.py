import pytest
from django.http import Http404

from evaluations import recording
from tests import make


def test_only_a_clinician_of_the_location_starts_an_evaluation(atlanta, marietta, patient):
    stranger = make.practitioner(marietta).user

    with pytest.raises(Http404):
        recording.start(patient=patient, location=atlanta, by=stranger)

    assert patient.evaluations.count() == 0
