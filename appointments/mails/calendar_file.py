"""Visits as iCalendar entries (RFC 5545, RFC 5546): one UID for life, a sequence number that rises with each change.

A visit in a mail is a request or its cancellation, in a file of its own: a request may hold one UID only, and what is
published no calendar follows. Titles carry nothing about health: calendars are shared with families and employers. The
lines are written out, as many mails are; the clocks of a zone, the same for all, are the library's.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from email.utils import parseaddr
from functools import lru_cache

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Calendar, Timezone

from appointments.models import Appointment
from clinic import times
from clinic.mail_kinds import Attachment

_LONGEST = 75  # octets of a line


def render(visit: Appointment) -> bytes:
    """METHOD:CANCEL for a cancelled visit, REQUEST for another."""
    return _file(_method(visit), (), [visit], _entry(visit))


def published(visits: Sequence[Appointment], *, title: Callable[[Appointment], str], name: str) -> bytes:
    """To subscribe to. The same visits give the same bytes: each has the stamp of its last step (`changed_at`).

    It names the uid and the sequence of the files in the mails, so that no visit stands there twice.
    """
    about = f"X-WR-CALNAME:{_text(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"
    entries = (line for visit in visits for line in _event(visit, visit.changed_at or visit.booked_at, title(visit)))
    return _file("PUBLISH", about, visits, entries)


def _file(method: str, about: Iterable[str], visits: Sequence[Appointment], entries: Iterable[str]) -> bytes:
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Atlas//Visits//EN", f"METHOD:{method}", *about)
    years = [visit.local_start.year for visit in visits]
    zones = tuple(sorted({visit.location.time_zone for visit in visits}))
    clocks = _clocks(zones, min(years), max(years)) if visits else b""
    return _folded(head) + clocks + _folded(entries) + b"END:VCALENDAR\r\n"


def _event(visit: Appointment, stamp: datetime, title: str, *more: str) -> Iterator[str]:
    place = ", ".join(filter(None, (visit.location.name, visit.location.address)))
    yield "BEGIN:VEVENT"
    yield f"UID:{visit.uid}@atlas"
    yield f"SEQUENCE:{visit.sequence}"
    yield f"DTSTAMP:{_in_utc(stamp)}"
    yield f"DTSTART{_at(visit.local_start, visit.location.time_zone)}"
    yield f"DTEND{_at(visit.local_end, visit.location.time_zone)}"
    yield f"LOCATION:{_text(place)}"
    yield f"STATUS:{'CANCELLED' if _is_cancelled(visit) else 'CONFIRMED'}"
    yield f"SUMMARY:{_text(title)}"
    yield from more
    yield "END:VEVENT"


def _at(local: datetime, zone: str) -> str:
    """By a wall clock in the hour that comes twice calendars mean its first pass: the second is told in UTC."""
    return f":{_in_utc(local)}" if local.fold else f";TZID={zone}:{local:%Y%m%dT%H%M%S}"


def _in_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


@lru_cache(maxsize=64)
def _clocks(zones: tuple[str, ...], first: int, last: int) -> bytes:
    """The same part of every file of these clinics: the clocks from the year before to the year after."""
    return b"".join(
        Timezone.from_tzid(name, first_date=date(first - 1, 1, 1), last_date=date(last + 2, 1, 1)).to_ical()
        for name in zones
    )


def _method(visit: Appointment) -> str:
    return "CANCEL" if _is_cancelled(visit) else "REQUEST"


def _is_cancelled(visit: Appointment) -> bool:
    return visit.status == Appointment.Status.CANCELLED


def _entry(visit: Appointment) -> Iterator[str]:
    more = [f"ORGANIZER:mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"]
    if visit.patient.email:
        # Answers by calendar are not read; the link in the mail is.
        more.append(f"ATTENDEE;RSVP=FALSE:mailto:{visit.patient.email}")
    return _event(visit, times.now(), _("Your visit"), *more)


def _text(value: str) -> str:
    for letter in "\\;,":
        value = value.replace(letter, f"\\{letter}")
    return "\\n".join(value.splitlines())


def _folded(lines: Iterable[str]) -> bytes:
    return b"".join(_line(line.encode()) for line in lines)


def _line(octets: bytes) -> bytes:
    """A letter of several octets is not torn apart."""
    parts, begin, room = [], 0, _LONGEST
    while len(octets) - begin > room:
        end = begin + room
        while octets[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(octets[begin:end])
        begin, room = end, _LONGEST - 1
    return b"\r\n ".join([*parts, octets[begin:]]) + b"\r\n"


def attachments(visits: Sequence[Appointment]) -> list[Attachment]:
    """A file for each, in order of their names too."""
    names = [f"visit-{n:02}.ics" for n in range(1, len(visits) + 1)] if len(visits) > 1 else ["visit.ics"]
    return [_part(render(visit), _method(visit), name) for visit, name in zip(visits, names, strict=True)]


def _part(content: bytes, method: str, name: str) -> Attachment:
    """The method stands in the MIME type too: mail programs offer the entry only when both agree."""
    return Attachment(name, f'text/calendar; charset="utf-8"; method="{method}"', content)


def as_test(part: Attachment) -> Attachment:
    """The same to look at: no calendar files it by itself, and none takes it for the visit."""
    calendar = Calendar.from_ical(part.content)
    calendar["METHOD"] = "PUBLISH"
    for entry in calendar.walk("VEVENT"):
        entry["UID"] = f"test-{uuid.uuid4()}@atlas"
        entry["SUMMARY"] = f"[Test] {entry['SUMMARY']}"
        entry.pop("ATTENDEE", None)
    return _part(calendar.to_ical(), "PUBLISH", part.name)
