"""Who works at a clinic, now or soon: that is whom the engine can offer, and whom a form may name."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.models import ExtraHours, WeeklyHours
from locations.models import Location, Practitioner


def hours_ahead(locations: Iterable[Location]) -> Q:
    """A practitioner with weekly hours now or later at one of the locations, or extra hours that are not over.

    By the calendar of each location; hours of yesterday that last past midnight count.
    """
    weekly, extra = Q(pk__in=[]), Q(pk__in=[])
    by_day = {}
    for place in locations:
        by_day.setdefault(place.today(), []).append(place.pk)
    for today, places in by_day.items():
        overnight = Q(ends_next_day=True)
        yesterday = today - timedelta(days=1)
        here = Q(location__in=places)
        lasting = Q(valid_until=None) | Q(valid_until__gte=today) | (overnight & Q(valid_until=yesterday))
        weekly |= here & lasting
        extra |= here & (Q(day__gte=today) | (overnight & Q(day=yesterday)))
    mine = {"practitioner": OuterRef("pk")}
    return Q(Exists(WeeklyHours.objects.filter(weekly, **mine))) | Q(Exists(ExtraHours.objects.filter(extra, **mine)))


def at(locations: Iterable[Location], *, or_else: Q | None = None) -> QuerySet[Practitioner]:
    """Practitioners who are active and work at one of the locations now or later, or are otherwise meant."""
    found = hours_ahead(locations) & Q(is_active=True)
    return Practitioner.objects.filter(found | or_else if or_else else found).select_related("user").distinct()


def works_at(practitioner: Practitioner, locations: Iterable[Location]) -> bool:
    return at(locations).filter(pk=practitioner.pk).exists()
