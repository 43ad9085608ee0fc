"""A plan that runs ties the patient to its clinic, however long ago the last visit was (`patients/treatment.py`)."""

from careplans.models import CarePlan


def running_plans(asked, patient):
    running = [CarePlan.Status.ACTIVE, CarePlan.Status.ON_HOLD]
    return CarePlan.objects.filter(asked.at("location"), patient=patient, status__in=running)
