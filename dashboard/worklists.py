"""Who has to be called or placed, list by list, for one location or several. Reads only.

A line leaves a list by itself when its cause is gone (confirmed, rebooked, moved), or when a call is recorded
(`appointments/mails/follow_ups.py`). One query for the lines of each list, whatever their number.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from appointments.mails import follow_ups
from appointments.models import Appointment, FollowUp, TimeOff
from appointments.recurring import series
from appointments.timetable import closed_days, out_of_hours
from careplans.models import CarePlan
from clinic import times
from locations.models import Location

_A, _S = FollowUp.About, Appointment.Status
EXPECTED = (_S.BOOKED, _S.CONFIRMED)
NEXT_DAY_WITHIN = timedelta(days=5)  # after a holiday and a weekend "tomorrow" is the next day with visits
MISSED_WITHIN = timedelta(days=14)
SHOWN = 100


@dataclass(frozen=True)
class Worklist:
    """`about` names it in addresses and in the follow-ups; `empty` says what to do when nothing is on it."""

    about: str
    label: str
    icon: str
    what: str
    empty: str
    lines: Callable[[Iterable[Location], object], QuerySet]


def unconfirmed(locations, user) -> QuerySet:
    """Visits of tomorrow, or of the next day with visits, that nobody confirmed."""
    days = Q(pk=None)
    for place_id, zone, first in _next_days(locations):
        _, end = times.day_bounds(times.day_of(first, zone), zone)
        days |= Q(location=place_id, starts_at__gte=first, starts_at__lt=end)
    found = Appointment.objects.visible_to(user).filter(days, status=_S.BOOKED)
    return follow_ups.waiting(found, _A.UNCONFIRMED, locations).order_by("starts_at", "pk")


def _next_days(locations) -> list[tuple[int, str, datetime]]:
    """(location id, zone, first start) of the next day with visits at each location; one query."""
    zones = {place.pk: place.time_zone for place in locations}
    ahead = Q(pk=None)
    for zone, ids in follow_ups.by_zone(locations):
        _, tomorrow = times.day_bounds(times.today(zone), zone)
        ahead |= Q(location__in=ids, starts_at__gte=tomorrow, starts_at__lt=tomorrow + NEXT_DAY_WITHIN)
    firsts = (
        Appointment.objects.filter(ahead, status__in=EXPECTED).order_by().values("location").annotate(Min("starts_at"))
    )
    return [(row["location"], zones[row["location"]], row["starts_at__min"]) for row in firsts]


def missed(locations, user) -> QuerySet:
    """Visits that the patient missed and that no later visit makes good; the latest first."""
    now = times.now()
    later = Appointment.objects.holding_time().filter(patient=OuterRef("patient"), starts_at__gt=OuterRef("starts_at"))
    found = Appointment.objects.visible_to(user).filter(
        ~Exists(later),
        location__in=locations,
        status=_S.NO_SHOW,
        starts_at__gt=now - MISSED_WITHIN,
        starts_at__lte=now,
    )
    return follow_ups.waiting(found, _A.MISSED, locations).order_by("-starts_at", "-pk")


def without_visit(locations, user) -> QuerySet:
    """Active care plans of patients with no visit ahead; those seen longest ago first."""
    visits = Appointment.objects.holding_time().filter(patient=OuterRef("patient"))
    found = (
        CarePlan.objects.visible_to(user, "careplan.schedule")
        .filter(~Exists(visits.filter(starts_at__gt=times.now())), status=CarePlan.Status.ACTIVE)
        .filter(location__in=locations)
        .annotate(last_visit=Subquery(visits.order_by().values("patient").annotate(at=Max("starts_at")).values("at")))
        .annotate(since=Coalesce(F("last_visit"), F("activated_at"), F("created_at")))
    )
    return follow_ups.waiting_patients(found, _A.NO_VISIT, locations, since="since").order_by("since", "pk")


def in_the_way(locations, user) -> QuerySet:
    """Visits to come on days on which the clinic is closed or the practitioner away, or outside hours that changed."""
    away = TimeOff.objects.filter(
        practitioner=OuterRef("practitioner"), starts_at__lt=OuterRef("ends_at"), ends_at__gt=OuterRef("starts_at")
    )
    closed = closed_days.lasting_into(closed_days.ahead(locations), locations)
    outside = Q(pk__in=out_of_hours.ahead(locations))
    hit = Exists(away) | Q(practitioner__is_active=False) | closed | outside
    found = Appointment.objects.visible_to(user).filter(
        hit, location__in=locations, status__in=EXPECTED, starts_at__gt=times.now()
    )
    return follow_ups.waiting(found, _A.IN_THE_WAY, locations).order_by("starts_at", "pk")


def owed(locations, user) -> QuerySet:
    """Series with visits that were skipped, fell off the calendar or are overdue; those owed longest first."""
    found = series.with_debts(user, "appointment.create").filter(location__in=locations).annotate(since=F("begun_at"))
    return follow_ups.waiting_patients(found, _A.OWED, locations, since="since").order_by("owed_since", "pk")


def booked_online(locations, user) -> QuerySet:
    """Visits ahead that somebody booked on the public page and nobody of the desk has looked at; the newest first."""
    found = Appointment.objects.visible_to(user).filter(
        booking_request__isnull=False, location__in=locations, status__in=EXPECTED, starts_at__gt=times.now()
    )
    found = follow_ups.waiting(found, _A.ONLINE, locations).select_related("booking_request")
    return found.order_by("-booked_at", "-pk")


LISTS = {
    one.about: one
    for one in (
        Worklist(
            _A.UNCONFIRMED, "Unconfirmed tomorrow", "clock",
            "Booked for the next working day and not confirmed. Call, then confirm, move or cancel.",
            "Everybody who comes next has confirmed.", unconfirmed,
        ),
        Worklist(
            _A.MISSED, "Missed", "cancel",
            "Did not come in the last two weeks and has no later visit. Call and book again.",
            "Nobody who missed a visit waits for a call.", missed,
        ),
        Worklist(
            _A.NO_VISIT, "Plan without a visit", "plan",
            "Under an active care plan with nothing on the calendar. Call and book.",
            "Everybody under a plan has a visit ahead.", without_visit,
        ),
        Worklist(
            _A.OWED, "Visits owed", "list",
            "Of a series and not on the calendar: left out, cancelled or overdue. Place them, or let them go.",
            "Every visit of a series is on the calendar.", owed,
        ),
        Worklist(
            _A.IN_THE_WAY, "Cannot take place", "alert",
            "These visits cannot take place as booked. Move them together or one by one; the patients are mailed.",
            "Every visit ahead can take place as booked.", in_the_way,
        ),
        Worklist(
            _A.ONLINE, "Booked online", "list",
            "Booked on the public page. Look whether the patient is known already, and what is still to be asked.",
            "Nobody booked on the public page whom you have not looked at.", booked_online,
        ),
    )
}  # fmt: skip


def counts(locations, user) -> dict[str, int]:
    return {about: one.lines(locations, user).count() for about, one in LISTS.items()}
