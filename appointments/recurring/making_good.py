"""Which owed visit a booking makes good, so that calendar and series agree however it was booked. Reads only."""

from datetime import datetime

from appointments.models import Appointment, AppointmentType, SeriesVisit
from appointments.recurring import gates
from clinic import times
from patients.models import Patient


def owed(patient: Patient, type: AppointmentType, starts_at: datetime) -> SeriesVisit | None:
    """Of the patient's open series the visit of this type that is owed longest; None where nothing is owed, nothing may
    be placed, or the series has a visit on that day.
    """
    rows = SeriesVisit.objects.owed().filter(series__patient=patient, type=type)
    rows = rows.select_related("series__location", "series__type").order_by("wanted_on", "number")
    found = rows.first()
    if found is None or gates.refusal(found.series, for_checkpoint=found.is_checkpoint):
        return None
    zone = found.series.location.time_zone
    standing = Appointment.objects.holding_time().filter(series_visit__series=found.series)
    days = {times.day_of(at, zone) for at in standing.values_list("starts_at", flat=True)}
    return None if times.day_of(starts_at, zone) in days else found
