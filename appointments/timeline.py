"""Visits, and calls about them, on the patient's time line."""

from collections.abc import Iterable

from django.urls import reverse

from appointments.models import Appointment, FollowUp
from clinic import times
from patients import chart


def entries(patient, user) -> Iterable[chart.Entry]:
    visits = Appointment.objects.visible_to(user).filter(patient=patient).with_names()
    visits = visits.select_related("booking_request")
    calls = FollowUp.objects.visible_to(user).filter(patient=patient).select_related("by")
    return [*map(_visit, visits), *map(_call, calls)]


def _visit(visit) -> chart.Entry:
    asked = getattr(visit, "booking_request", None)
    heard = f", heard of us: {asked.get_heard_from_display().lower()}" if asked and asked.heard_from else ""
    online = f"; booked on the public page{heard}" if asked else ""
    where = f"{times.spoken(visit.starts_at, visit.location.time_zone)}, {visit.practitioner}, {visit.location}"
    return chart.Entry(
        at=visit.starts_at,
        title=f"{visit.type}: {visit.get_status_display()}",
        text=f"{where}{online}",
        url=reverse("appointment", args=[visit.pk]),
        icon="calendar",
        status=visit.status,
    )


def _call(call) -> chart.Entry:
    note = f" “{call.note}”" if call.note else ""
    return chart.Entry(
        at=call.at,
        title=f"Call: {call.get_result_display().lower()}",
        text=f"{call.get_about_display()}, {call.by}.{note}",
        icon="phone",
    )
