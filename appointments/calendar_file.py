"""A visit as an iCalendar entry (RFC 5545, RFC 5546): one UID for life, a sequence number that rises with each change.

Titles carry nothing about health: calendars are shared with families and employers.
"""

from datetime import timedelta
from email.mime.text import MIMEText
from email.utils import parseaddr

from django.conf import settings
from icalendar import Calendar, Event, vCalAddress

from appointments.models import Appointment
from clinic import times


def render(visit: Appointment) -> bytes:
    """METHOD:CANCEL for a cancelled visit, else METHOD:REQUEST."""
    is_cancelled = visit.status == Appointment.Status.CANCELLED
    calendar = Calendar()
    calendar.add("prodid", "-//Atlas//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if is_cancelled else "REQUEST")
    entry = Event()
    entry.add("uid", f"{visit.uid}@atlas")
    entry.add("sequence", visit.sequence)
    entry.add("dtstamp", times.now())
    entry.add("dtstart", visit.local_start)
    entry.add("dtend", visit.local_end)
    entry.add("summary", "Your visit")
    entry.add("location", visit.location.address)
    entry.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    entry.add("organizer", vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"))
    if visit.patient.email:
        attendee = vCalAddress(f"mailto:{visit.patient.email}")
        attendee.params["RSVP"] = "FALSE"  # answers by calendar are not read; the link in the mail is
        entry.add("attendee", attendee, encode=0)
    calendar.add_component(entry)
    day = visit.local_start.date()
    calendar.add_missing_timezones(first_date=day - timedelta(days=366), last_date=day + timedelta(days=366))
    return calendar.to_ical()


def attachment(visit: Appointment) -> MIMEText:
    """The method stands in the MIME type too: mail programs offer the entry only when both agree."""
    part = MIMEText(render(visit).decode(), "calendar", "utf-8")
    part.set_param("method", "CANCEL" if visit.status == Appointment.Status.CANCELLED else "REQUEST")
    part.add_header("Content-Disposition", "attachment", filename="visit.ics")
    return part
