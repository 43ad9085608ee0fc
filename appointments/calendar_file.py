"""Visits as iCalendar entries (RFC 5545, RFC 5546): one UID for life, a sequence number that rises with each change.

A single visit is a request or its cancellation. Several in one file are published: a request may hold one UID only.
Titles carry nothing about health: calendars are shared with families and employers.
"""

from collections.abc import Sequence
from datetime import timedelta
from email.mime.text import MIMEText
from email.utils import parseaddr

from django.conf import settings
from icalendar import Calendar, Event, vCalAddress

from appointments.models import Appointment
from clinic import times


def render(visits: Sequence[Appointment]) -> bytes:
    """The visits of one patient: METHOD:CANCEL for a cancelled one, REQUEST for another, PUBLISH for several."""
    calendar = Calendar()
    calendar.add("prodid", "-//Atlas//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("method", _method(visits))
    for visit in visits:
        calendar.add_component(_entry(visit, is_asked=len(visits) == 1))
    days = [visit.local_start.date() for visit in visits]
    around = timedelta(days=366)
    calendar.add_missing_timezones(first_date=min(days) - around, last_date=max(days) + around)
    return calendar.to_ical()


def _method(visits: Sequence[Appointment]) -> str:
    if len(visits) > 1:
        return "PUBLISH"
    return "CANCEL" if _is_cancelled(visits[0]) else "REQUEST"


def _is_cancelled(visit: Appointment) -> bool:
    return visit.status == Appointment.Status.CANCELLED


def _entry(visit: Appointment, *, is_asked: bool) -> Event:
    entry = Event()
    entry.add("uid", f"{visit.uid}@atlas")
    entry.add("sequence", visit.sequence)
    entry.add("dtstamp", times.now())
    entry.add("dtstart", visit.local_start)
    entry.add("dtend", visit.local_end)
    entry.add("summary", "Your visit")
    entry.add("location", visit.location.address)
    entry.add("status", "CANCELLED" if _is_cancelled(visit) else "CONFIRMED")
    entry.add("organizer", vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"))
    if is_asked and visit.patient.email:  # what is published has no attendee
        attendee = vCalAddress(f"mailto:{visit.patient.email}")
        attendee.params["RSVP"] = "FALSE"  # answers by calendar are not read; the link in the mail is
        entry.add("attendee", attendee, encode=0)
    return entry


def attachment(visits: Sequence[Appointment]) -> MIMEText:
    """The method stands in the MIME type too: mail programs offer the entry only when both agree."""
    part = MIMEText(render(visits).decode(), "calendar", "utf-8")
    part.set_param("method", _method(visits))
    name = "visit.ics" if len(visits) == 1 else "visits.ics"
    part.add_header("Content-Disposition", "attachment", filename=name)
    return part
