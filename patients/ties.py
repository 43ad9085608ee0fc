"""Being registered ties a patient to the home clinic (`treatment.py`)."""

from patients.models import Patient


def registered(asked, patient):
    return Patient.objects.filter(asked.at("home_location"), pk=patient, created_at__gte=asked.since)
