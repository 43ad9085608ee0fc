"""An examination ties the patient to the clinic where it was (`patients/treatment.py`)."""

from evaluations.models import Evaluation


def examinations(asked, patient):
    span = asked.since, asked.until
    return Evaluation.objects.filter(asked.at("location"), patient=patient, started_at__range=span)
