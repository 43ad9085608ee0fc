"""When practitioners work: the only writer of WeeklyHours, ExtraHours and TimeOff.

The weekly hours of a practitioner at a location are replaced for some days, so that what was true before stays known,
and what is entered for later is kept (`hour_versions`).
Nobody works in two places at once; at a clinic that is closed, for good or for a day, nobody works. Visits stay where
they are, also those outside the new hours: `outside` finds them.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations, product

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from appointments.calendars import Taken
from appointments.intervals import covers
from appointments.models import MOST_WEEKS, Appointment, ExtraHours, TimeOff, WeeklyHours
from appointments.timetable import hour_versions, meeting_hours
from appointments.timetable.hours import Hours, minutes
from appointments.timetable.meeting_hours import said
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access, kept_times, spans, standstill
from locations.kept_times import Agreed
from locations.models import Closure, Location, Practitioner
from locations.spans import Span

FURTHEST = timedelta(days=366)
EXPECTED = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
A_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Shift:
    """Weekly hours without a place. `first_week` says in which week, counted from the first, a fortnight's begin."""

    span: Span
    every_weeks: int = 1
    first_week: int = 1

    def __str__(self):
        if self.every_weeks == 1:
            return str(self.span)
        later = f", from week {self.first_week}" if self.first_week > 1 else ""
        return f"{self.span}, every {self.every_weeks} weeks{later}"


@transaction.atomic
def set_week(
    practitioner: Practitioner,
    location: Location,
    shifts: Iterable[Shift],
    *,
    from_day: date,
    until: date | None = None,
    replacing: Collection[date] | None = (),
    by: User,
    agreed: Agreed = (),
) -> list[WeeklyHours]:
    """The hours at this location from that day on, as far as `until`; none: no hours at all.

    Other days stay as they are. Without `until` they hold up to the day before the next later version, or for good.
    `replacing` are the first days of later versions that they take the place of, None: whichever there are.

    Raises RuleBroken (`ends_before_start`, `overlapping_hours`, also with hours and extra hours at another location,
    `later_hours` where `until` lies in a version that is not to be replaced) and TimesKept.
    """
    may_set(practitioner, location, by)
    wanted = sorted(shifts)
    _check(wanted, from_day, until, location)
    standstill.stand_still([practitioner])
    Practitioner.objects.select_for_update(of=("self",)).get(pk=practitioner.pk)
    mine = list(WeeklyHours.objects.filter(practitioner=practitioner, location=location))
    ahead = hour_versions.later(mine, from_day)
    end = hour_versions.last_day(ahead, until, replacing)
    _refuse_later([one.first for one in ahead if end is None or one.first <= end], replacing)
    _refuse_unreached([one.first for one in ahead if until and one.first > until], replacing)
    made = [_row(practitioner, location, shift, from_day, end) for shift in wanted]
    _make_room(mine, from_day, end)
    others = WeeklyHours.objects.filter(practitioner=practitioner, location__is_open=True).exclude(location=location)
    _refuse_meeting([*combinations(made, 2), *product(made, others.select_related("location"))])
    _refuse_extra_elsewhere(practitioner, location, made, from_day)
    WeeklyHours.objects.bulk_create(made)
    audit.record(
        "hours.set", on=practitioner, by=by, location=location.slug, from_day=f"{from_day}", until=f"{end or ''}",
        hours=[str(shift) for shift in wanted],
    )  # fmt: skip
    kept_times.give_up(practitioners=[practitioner], by=by, agreed=agreed)
    return made


def _refuse_later(touched: list[date], replacing: Collection[date] | None) -> None:
    """What begins later is planned already: it is not lost over hours that are typed for before it."""
    unasked = [] if replacing is None else [day for day in touched if day not in replacing]
    if unasked:
        message = (
            f"Other hours are entered from {times.spoken_day(min(unasked))} on. End these before, or replace them."
        )
        raise RuleBroken(message, code="later_hours", fields={"until": message})


def _refuse_unreached(after: list[date], replacing: Collection[date] | None) -> None:
    """Two answers to one question: until then, and in the place of what begins after it."""
    if replacing is not None and (asked := [day for day in after if day in replacing]):
        message = (
            f"The hours from {times.spoken_day(min(asked))} on begin after this day. Leave it empty to replace them."
        )
        raise RuleBroken(message, code="invalid", fields={"until": message}, status=400)


def _make_room(rows: Iterable[WeeklyHours], begin: date, end: date | None) -> None:
    for row in rows:
        left = hour_versions.left_of(row, begin, end)
        if left is None:
            continue
        if not left:
            row.delete()
        for n, (row.valid_from, row.valid_until) in enumerate(left):
            if n:
                row.pk = None
                row.save(force_insert=True)
            else:
                row.save(update_fields=["valid_from", "valid_until"])


@transaction.atomic
def add_extra(
    practitioner: Practitioner, location: Location, *, day: date, span: Span, by: User, reason: str = ""
) -> ExtraHours:
    """Work on one day beside the weekly hours; the weekday of `span` is that of the day.

    Raises RuleBroken (`overlapping_hours`) with other extra hours, and with weekly hours at another clinic.
    """
    may_set(practitioner, location, by)
    standstill.stand_still([practitioner])
    spans.check([span], "ends")
    _check_day(day, location)
    made = ExtraHours(
        practitioner=practitioner, location=location, day=day, starts=span.starts, ends=span.ends,
        ends_next_day=span.ends_next_day, reason=reason.strip(),
    )  # fmt: skip
    _clean(made)
    starts, ends = minutes(made, day)
    others = ExtraHours.objects.filter(practitioner=practitioner, day__range=(day - A_DAY, day + A_DAY))
    others = others.filter(Q(location__is_open=True) | Q(location=location))
    for other in others.select_related("location"):
        a, b = minutes(other, other.day)
        if a < ends and starts < b:
            raise spans.refusal(
                "overlapping_hours", f"There are extra hours at {other.location} then already.", "starts"
            )
    for weekly in _at_once(made):
        raise spans.refusal(
            "overlapping_hours", f"{practitioner} works at {weekly.location} then: {said(weekly)}.", "starts"
        )
    made.save(force_insert=True)
    audit.record("hours.extra", on=practitioner, by=by, location=location.slug, day=f"{day}", hours=str(span))
    return made


@transaction.atomic
def remove_extra(extra: ExtraHours, *, by: User, agreed: Agreed = ()) -> None:
    """They do not come that day after all. Raises TimesKept."""
    may_set(extra.practitioner, extra.location, by)
    standstill.stand_still([extra.practitioner])
    audit.record("hours.extra_removed", on=extra.practitioner, by=by, location=extra.location.slug, day=f"{extra.day}")
    extra.delete()
    kept_times.give_up(practitioners=[extra.practitioner], by=by, agreed=agreed)


@transaction.atomic
def take_off(
    practitioner: Practitioner,
    *,
    starts_at: datetime,
    ends_at: datetime,
    by: User,
    reason: str = "",
    agreed: Agreed = (),
) -> TimeOff:
    """Away from one instant to another, at every location. Raises RuleBroken (`overlapping_hours`) and TimesKept."""
    may_set(practitioner, None, by)
    if ends_at <= starts_at:
        raise spans.refusal("ends_before_start", "The absence ends before it starts.", "ends_at")
    if ends_at <= times.now() or starts_at > times.now() + 2 * FURTHEST or ends_at > starts_at + FURTHEST:
        raise spans.refusal("invalid", "Choose days that are not over and at most two years ahead.", "starts_at")
    standstill.stand_still([practitioner])
    made = TimeOff(practitioner=practitioner, starts_at=starts_at, ends_at=ends_at, reason=reason.strip())
    _clean(made)
    if practitioner.time_off.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        raise spans.refusal("overlapping_hours", f"{practitioner} is away then already.", "starts_at")
    made.save(force_insert=True)
    audit.record("time_off.taken", on=practitioner, by=by, starts_at=f"{starts_at}", ends_at=f"{ends_at}")
    kept_times.give_up(practitioners=[practitioner], by=by, agreed=agreed)
    return made


@transaction.atomic
def take_back(away: TimeOff, *, by: User) -> None:
    """They come after all."""
    may_set(away.practitioner, None, by)
    audit.record("time_off.taken_back", on=away.practitioner, by=by, starts_at=f"{away.starts_at}")
    away.delete()


def keep_clock(absences: Iterable[TimeOff], *, was: str, now: str, by: User) -> None:
    """Give absences the instants at which they keep their clock time: the only clinic of these people changed its zone.

    `was` and `now` are zones. One that the new clock skips, or whose ends change places in it, keeps its length.
    Call it in a transaction, under the lock of their calendars.
    """
    for away in absences:
        length = away.ends_at - away.starts_at
        away.starts_at, ends_at = (times.same_wall(at, was, now) for at in (away.starts_at, away.ends_at))
        away.ends_at = ends_at if ends_at > away.starts_at else away.starts_at + length
        away.save(update_fields=["starts_at", "ends_at"])
        audit.record(
            "time_off.rezoned", on=away.practitioner, by=by, starts_at=f"{away.starts_at}", ends_at=f"{away.ends_at}"
        )


def may_set(practitioner: Practitioner, location: Location | None, by: User) -> None:
    """Raises PermissionDenied or Http404. Clinicians set their own; without a location, one of theirs will do."""
    if practitioner.user_id == by.pk and access.can(by, "hours.change", location):
        return
    places = _set_for_others(by)
    if places is None or places & ({location.pk} if location else set(places_of(practitioner))):
        return
    if location:
        access.require(by, "hours.change", location)
    raise PermissionDenied


def set_by(user: User) -> QuerySet[Practitioner]:
    """Practitioners whose hours the user may set, at one location at least."""
    places = _set_for_others(user)
    if places is None:
        return Practitioner.objects.all()
    here = Q(user__assignments__role=access.CLINICIAN, user__assignments__location__in=places)
    return Practitioner.objects.filter(Q(user=user) | here | Q(weekly_hours__location__in=places)).distinct()


def places_of(practitioner: Practitioner) -> list[int]:
    """Ids of the locations where they are a clinician or have hours."""
    as_clinician = practitioner.user.assignments.filter(role=access.CLINICIAN, location__isnull=False)
    return sorted({*as_clinician.values_list("location", flat=True),
                   *practitioner.weekly_hours.values_list("location", flat=True)})  # fmt: skip


def _set_for_others(user) -> set[int] | None:
    """Ids of the locations where the user sets everybody's hours; None means every location."""
    cells = access.TABLE["hours.change"]
    held = {(cells.get(role), place) for role, place in access.held(user)}
    if any(cell == access.ALL or (cell == access.HERE and place is None) for cell, place in held):
        return None
    return {place for cell, place in held if cell == access.HERE}


def outside(practitioner: Practitioner, location: Location) -> list[Appointment]:
    """Visits ahead at the location outside the practitioner's hours or in time off; few queries for any number."""
    visits = list(
        Appointment.objects.filter(
            practitioner=practitioner, location=location, status__in=EXPECTED, starts_at__gt=times.now()
        ).with_names()
    )
    if not visits:
        return []
    first, last = (times.day_of(v.starts_at, location.time_zone) for v in (visits[0], visits[-1]))
    working = Hours([location], first, last, practitioners=[practitioner]).working(first, last)
    taken = Taken(visits[0].start_minute, visits[-1].end_minute, practitioners=[practitioner.pk], rooms=[])
    at_work = taken.at_work(practitioner.pk, working.get((practitioner.pk, location.pk), []))
    return [visit for visit in visits if not covers(at_work, visit.start_minute, visit.end_minute)]


def _row(practitioner, location, shift, from_day, until) -> WeeklyHours:
    span, begins = shift.span, from_day
    if shift.first_week > 1:
        begins += timedelta(days=7 * (shift.first_week - 1) - from_day.weekday())
    if until and begins > until:
        raise spans.refusal("invalid", f"{shift}, would begin after {times.spoken_day(until)}, the last day.", "shifts")
    return WeeklyHours(
        practitioner=practitioner, location=location, weekday=span.weekday, starts=span.starts, ends=span.ends,
        ends_next_day=span.ends_next_day, every_weeks=shift.every_weeks, valid_from=begins, valid_until=until,
    )  # fmt: skip


def _check(shifts, from_day, until, location):
    for shift in shifts:
        spans.check([shift.span], "shifts")
        if not 1 <= shift.first_week <= shift.every_weeks <= MOST_WEEKS:
            raise spans.refusal("invalid", f"Hours come every week, or every 2 to {MOST_WEEKS} weeks.", "shifts")
    if abs(from_day - location.today()) > FURTHEST:
        raise spans.refusal("invalid", "Choose a day within a year from today.", "from_day")
    if until and until < from_day:
        raise spans.refusal("ends_before_start", "The last day lies before the first.", "until")


def _check_day(day, location):
    if not location.today() <= day <= location.today() + FURTHEST:
        raise spans.refusal("invalid", "Choose a day from today on, within a year.", "day")


def _clean(row):
    try:
        row.clean_fields(exclude=["id"])
    except ValidationError as error:
        fields = {name: " ".join(said) for name, said in error.message_dict.items()}
        raise RuleBroken(" ".join(fields.values()), code="invalid", fields=fields, status=400) from None


def _refuse_meeting(pairs):
    for one, other in pairs:
        if meeting_hours.first(one, other):
            there = "" if one.location_id == other.location_id else f" at {other.location}"
            raise spans.refusal("overlapping_hours", f"{said(one)} overlaps {said(other)}{there}.", "shifts")


def _at_once(extra: ExtraHours) -> Iterator[WeeklyHours]:
    """Weekly hours elsewhere that the extra hours would meet; nobody works at a clinic on a day that it is closed."""
    weekly = WeeklyHours.objects.filter(practitioner=extra.practitioner, location__is_open=True)
    weekly = weekly.exclude(location=extra.location)
    around = (extra.day - A_DAY, extra.day + A_DAY)
    closures = list(Closure.objects.filter(starts_on__lte=around[1], ends_on__gte=around[0]))
    for row in weekly.select_related("location"):
        if meeting_hours.first(row, extra, closures=closures):
            yield row


def _refuse_extra_elsewhere(practitioner, location, made, from_day):
    """By the same rule the other way: what was agreed for one day stands in the way of hours for every week."""
    ahead = ExtraHours.objects.filter(practitioner=practitioner, day__gte=from_day - A_DAY, location__is_open=True)
    closures = list(Closure.objects.filter(ends_on__gte=from_day - 2 * A_DAY))
    ahead = ahead.exclude(location=location).select_related("location").order_by("day")
    for extra, row in product(ahead, made):
        if meeting_hours.first(row, extra, closures=closures):
            there = f"the extra hours at {extra.location} on {times.spoken_day(extra.day)}"
            raise spans.refusal("overlapping_hours", f"{said(row)} overlaps {there}.", "shifts")
