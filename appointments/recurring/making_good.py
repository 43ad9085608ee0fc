"""Which owed visit a booking makes good, so that calendar and series agree however it was booked. Reads only."""

from datetime import datetime

from appointments.models import AppointmentType, Series, SeriesVisit
from appointments.recurring import gates, series_days
from clinic import times
from patients.models import Patient


def owed(patient: Patient, type: AppointmentType, starts_at: datetime) -> SeriesVisit | None:
    """Of the patient's open series the visit of this type that is owed longest; None where nothing is owed, nothing may
    be placed, or the series has a visit on that day.
    """
    if not Series.objects.filter(patient=patient, is_open=True).exists():
        return None  # most who book owe nothing, and what is owed takes longer to ask
    rows = SeriesVisit.objects.owed().filter(series__patient=patient, type=type)
    rows = rows.select_related("series__location", "series__type").order_by("wanted_on", "number")
    found = rows.first()
    if found is None or gates.refusal(found.series, for_checkpoint=found.is_checkpoint):
        return None
    day = times.day_of(starts_at, found.series.location.time_zone)
    return None if day in series_days.days(found.series) else found
