"""Visits on the patient's time line."""

from collections.abc import Iterable

from django.urls import reverse

from appointments.models import Appointment
from clinic import times
from patients import chart


def entries(patient, user) -> Iterable[chart.Entry]:
    visits = Appointment.objects.visible_to(user).filter(patient=patient).with_names()
    return [
        chart.Entry(
            at=visit.starts_at,
            title=f"{visit.type}: {visit.get_status_display()}",
            text=f"{times.spoken(visit.starts_at, visit.location.time_zone)}, {visit.practitioner}, {visit.location}",
            url=reverse("appointment", args=[visit.pk]),
            icon="calendar",
            status=visit.status,
        )
        for visit in visits
    ]
