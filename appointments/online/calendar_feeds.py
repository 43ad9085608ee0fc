"""Calendars that phones subscribe to: of one patient, or of one practitioner, behind an address that can be revoked.

Each address is a link of its own purpose: random, stored hashed, shown once. What is read is worked out anew each time,
two questions whatever the number of visits; nothing is written by reading.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from appointments.mails import calendar_file
from appointments.models import Appointment
from clinic import audit, times, tokens
from clinic.models import Link, User
from locations import access
from locations.models import Practitioner
from patients import languages
from patients.models import Patient

PATIENT, PRACTITIONER = "feed:patient", "feed:practitioner"
GOOD_FOR = timedelta(days=5 * 366)
SO_FAR = timedelta(days=92)
AHEAD = timedelta(days=400)


@dataclass(frozen=True)
class Feed:
    content: bytes
    etag: str
    changed_at: datetime | None


def made_for(owner: Patient | Practitioner) -> list[Link]:
    """The addresses that are good, the newest first; what they are is known to whoever was shown them."""
    about = owner._meta.label_lower
    found = Link.objects.filter(about=about, about_id=owner.pk, purpose=_purpose(owner), revoked_at=None)
    return list(found.filter(expires_at__gt=times.now()).order_by("-created_at"))


@transaction.atomic
def make(owner: Patient | Practitioner, *, by: User | None, by_whom: str = "") -> str:
    """A new address in place of any before; it is never shown again."""
    check_may_see(owner, by)
    revoked = _revoke(owner)
    token = tokens.issue_link(purpose=_purpose(owner), on=owner, expires_at=times.now() + GOOD_FOR)
    audit.record("calendar_feed.made", on=owner, by=by, by_whom=by_whom, replaced=revoked)
    return settings.BASE_URL + reverse("calendar-feed", args=[token])


@transaction.atomic
def revoke(owner: Patient | Practitioner, *, by: User | None, by_whom: str = "") -> bool:
    """From now on nothing is read there; False when there was none."""
    check_may_see(owner, by)
    was = _revoke(owner)
    if was:
        audit.record("calendar_feed.revoked", on=owner, by=by, by_whom=by_whom)
    return was


def _revoke(owner) -> bool:
    was = bool(made_for(owner))
    tokens.revoke_links(purpose=_purpose(owner), on=owner)
    return was


def _purpose(owner) -> str:
    return PATIENT if isinstance(owner, Patient) else PRACTITIONER


def check_may_see(owner, by) -> None:
    """The desk for patients it knows; practitioners for themselves, and who sets their hours for them."""
    if by is None:
        return
    if isinstance(owner, Patient):
        known = Patient.objects.visible_to(by, "patient.write").filter(pk=owner.pk).exists()
    else:
        own = owner.user_id == by.pk and access.can(by, "hours.change")
        known = own or _may_set_hours(owner, by)
    if not known:
        raise Http404


def _may_set_hours(owner: Practitioner, by: User) -> bool:
    ids = access.location_ids(by, "hours.change", own=False)
    return ids is None or owner.user.assignments.filter(location__in=ids).exists()


def read(token: str) -> Feed | None:
    """The calendar behind the address; None alike for every address that is no good."""
    link = tokens.find_link(token, purpose=(PATIENT, PRACTITIONER))
    if link is None:
        return None
    now = times.now()
    visits = Appointment.objects.select_related("location", "patient").annotate(changed_at=Max("history__at"))
    visits = visits.filter(starts_at__gt=now - SO_FAR, starts_at__lt=now + AHEAD).order_by("starts_at", "pk")
    if link.purpose == PATIENT:
        rows = list(visits.filter(patient=link.about_id))
        patient = rows[0].patient if rows else Patient.objects.get(pk=link.about_id)
        with languages.speaking(patient):
            return _feed(rows, lambda visit: _("Your visit"), _("Your visits"))
    owner = Practitioner.objects.filter(pk=link.about_id, is_active=True, user__is_active=True).first()
    if owner is None:
        return None
    return _feed(list(visits.filter(practitioner=owner)), lambda visit: initials(visit.patient), "Atlas")


def initials(patient: Patient) -> str:
    """All that a practitioner's phone shows of a patient: it lies about, and its calendar is synchronised elsewhere."""
    names = (patient.given_name.strip(), patient.family_name.strip())
    return " ".join(f"{name[0].upper()}." for name in names if name)


def _feed(visits, title, name) -> Feed:
    content = calendar_file.published(visits, title=title, name=name)
    changed = [visit.changed_at for visit in visits if visit.changed_at]
    return Feed(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"', max(changed, default=None))
