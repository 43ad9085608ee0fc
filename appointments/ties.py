"""Visits tie a patient to the clinic where they are (`patients/treatment.py`); one that was cancelled does not."""

from appointments.models import Appointment
from clinic import times


def visits(asked, patient):
    span = times.to_minute(asked.since), times.to_minute(asked.until)
    found = Appointment.objects.filter(asked.at("location"), patient=patient, start_minute__range=span)
    return found.exclude(status=Appointment.Status.CANCELLED)
