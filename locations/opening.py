"""When clinics are open: the only writer of OpeningHours and Closure."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access, kept_times, opens_again, spans, standstill
from locations.kept_times import Agreed
from locations.models import Closure, Location, OpeningHours
from locations.spans import Span

LONGEST = 92  # days
A_DAY = timedelta(days=1)


@transaction.atomic
def set_hours(location: Location, hours: Iterable[Span], *, by: User, agreed: Agreed = ()) -> list[OpeningHours]:
    """Replace the opening hours. Visits stay as they are, also those that lie outside now.

    Raises RuleBroken (`ends_before_start`, `overlapping_hours`) and TimesKept.
    """
    access.require(by, "location.change", location)
    standstill.close_off([location])
    Location.objects.select_for_update().get(pk=location.pk)
    wanted = spans.check(hours, "hours")
    if wanted == spans_of(location):
        return list(location.opening_hours.all())
    location.opening_hours.all().delete()
    made = OpeningHours.objects.bulk_create(
        OpeningHours(
            location=location, weekday=s.weekday, opens=s.starts, closes=s.ends, ends_next_day=s.ends_next_day
        )
        for s in wanted
    )  # fmt: skip
    audit.record("location.hours", on=location, by=by, hours=[str(span) for span in wanted])
    kept_times.give_up(locations=[location], by=by, agreed=agreed)
    return made


def spans_of(location: Location) -> list[Span]:
    rows = location.opening_hours.all()
    return sorted(Span(row.weekday, row.opens, row.closes, row.ends_next_day) for row in rows)


@transaction.atomic
def close(
    locations: Iterable[Location] | None,
    *,
    starts_on: date,
    ends_on: date,
    reason: str,
    by: User,
    agreed: Agreed = (),
) -> list[Closure]:
    """Close clinics on these days, both included: a row each, or one for the whole group when `locations` is None.

    Visits on those days stay until somebody moves them: `closed_days.hit` finds them, and none comes in after.
    Times kept for somebody are given up. Raises RuleBroken (`closed_already`) and TimesKept.
    """
    places = None if locations is None else list(locations)
    _may_close(places, by)
    made = [
        Closure(location=place, starts_on=starts_on, ends_on=ends_on, reason=reason.strip())
        for place in places or [None]
    ]
    _check(made[0])
    hit = Location.objects.all() if places is None else places
    standstill.close_off(hit)
    _refuse_closed(places, starts_on, ends_on)
    Closure.objects.bulk_create(made)
    for closure in made:
        audit.record("closure.made", on=closure, by=by, location=closure.location.slug if closure.location else "")
    kept_times.give_up(locations=hit, by=by, agreed=agreed)
    return made


@transaction.atomic
def reopen(closure: Closure, *, by: User) -> None:
    """Take a closure back. Raises RuleBroken (`overlapping_hours`) where somebody works elsewhere by then."""
    _may_close([closure.location] if closure.location else None, by)
    places = [closure.location] if closure.location else list(Location.objects.filter(is_open=True))
    opens_again.hold_hours()
    audit.record(
        "closure.taken_back", on=closure, by=by, location=closure.location.slug if closure.location else "",
        starts_on=f"{closure.starts_on}", ends_on=f"{closure.ends_on}", reason=closure.reason,
    )  # fmt: skip
    closure.delete()
    opens_again.refuse_meeting(places, field="closure", begin=closure.starts_on - A_DAY, end=closure.ends_on)


def _may_close(places, by):
    if places is None:
        if access.location_ids(by, "location.change") is not None:
            raise PermissionDenied
        return
    if not places:
        raise spans.refusal("invalid", "Choose at least one clinic.", "locations")
    for place in places:
        access.require(by, "location.change", place)


def _check(closure):
    wrong = {}
    try:
        closure.clean_fields(exclude=["id", "location"])
    except ValidationError as error:
        wrong = {name: " ".join(said) for name, said in error.message_dict.items()}
    if not {"starts_on", "ends_on"} & set(wrong):
        if closure.ends_on < closure.starts_on:
            wrong["ends_on"] = "The last day is before the first."
        elif (closure.ends_on - closure.starts_on).days >= LONGEST:
            wrong["ends_on"] = f"A closure lasts at most {LONGEST} days. To close a clinic for good, close the clinic."
        elif closure.ends_on < times.earliest_today():
            wrong["ends_on"] = "These days have passed."
    if wrong:
        raise RuleBroken(" ".join(dict.fromkeys(wrong.values())), code="invalid", fields=wrong, status=400)


def _refuse_closed(places, starts_on, ends_on):
    where = Q(location=None) | (Q(location__in=places) if places else Q(pk=None))
    found = Closure.objects.filter(where, starts_on__lte=starts_on, ends_on__gte=ends_on).select_related("location")
    if closed := found.first():
        name = closed.location or "The whole group"
        message = f"{name} is closed then already: {closed.reason}."
        raise RuleBroken(message, code="closed_already", fields={"starts_on": message})
