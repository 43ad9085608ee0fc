"""Visits that have to move because somebody is ill, a clinic closes or hours change: found, proposed for, moved as one.

Reads by the one engine; what is chosen is booked by `together.book`, all of it or nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q

from appointments import booking, conflicts, together
from appointments.conflicts import Known, Wanted
from appointments.intervals import overlaps
from appointments.models import Appointment
from appointments.recurring import proposals, series_days
from appointments.recurring.proposals import Choice, Question, Wish, instead
from appointments.timetable import out_of_hours
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import checked_reason
from locations.models import Location, Practitioner

MOST = 60  # moved at once; the others follow
LONGEST = 92  # days, as a closure
FURTHEST_OFF = 21  # days from its own that a visit is looked for
# Why a visit cannot take place where it is booked, by the codes of `conflicts`.
STUCK = {"outside_hours", "not_working", "location_closed"}
ANYONE, SAME = "anyone", "same"


@dataclass(frozen=True, kw_only=True)
class Span:
    """Visits from one local day of each clinic to another: of a practitioner, or of everybody there.

    `only_stuck` leaves those that cannot take place as booked; else the practitioner is not there on these days.
    """

    locations: Collection[Location]
    first: date
    last: date
    practitioner: Practitioner | None = None
    only_stuck: bool = False

    def check(self) -> None:
        """Raises RuleBroken naming the field that is wrong."""
        wrong = {}
        if not self.locations:
            wrong["location"] = "Choose at least one clinic."
        if self.last < self.first:
            wrong["last"] = "The last day is before the first."
        elif (self.last - self.first).days >= LONGEST:
            wrong["last"] = f"At most {LONGEST} days at once."
        if self.practitioner is None and not self.only_stuck:
            wrong["practitioner"] = "Say whose visits move, or choose only those that cannot take place as booked."
        if wrong:
            raise RuleBroken(" ".join(wrong.values()), code="invalid", fields=wrong, status=400)


@dataclass(frozen=True)
class Affected:
    """A visit to move and why it cannot stay, in words; empty where only the practitioner's absence is the reason."""

    visit: Appointment
    why: str


def affected(span: Span, user: User) -> list[Affected]:
    """The visits ahead that can still move, by time; the number of queries does not depend on theirs."""
    span.check()
    days = Q(pk=None)
    for place in span.locations:
        first, _ = times.day_bounds(span.first, place.time_zone)
        _, last = times.day_bounds(span.last, place.time_zone)
        days |= Q(location=place, starts_at__gte=first, starts_at__lt=last)
    found = Appointment.objects.visible_to(user, "appointment.change").filter(
        days, status__in=booking.MOVABLE, starts_at__gt=times.now()
    )
    if span.practitioner:
        found = found.filter(practitioner=span.practitioner)
    visits = list(found.with_names().with_series().order_by("starts_at", "pk"))
    why = why_stuck(visits)
    return [Affected(visit, why.get(visit.pk, "")) for visit in visits if not span.only_stuck or visit.pk in why]


def why_stuck(visits: Collection[Appointment]) -> dict[int, str]:
    """Of those that cannot take place as booked, by their ids, why not."""
    if not visits:
        return {}
    as_booked = [
        Wanted(v.patient, v.practitioner, v.location, v.type, v.starts_at, v.end_minute - v.start_minute, moving=v)
        for v in visits
    ]
    known = Known.read(as_booked, [])
    found = {}
    for wanted in as_booked:
        stuck = [c.message for c in conflicts.find(wanted, [], known).conflicts if c.code in STUCK]
        if stuck:
            found[wanted.moving.pk] = stuck[0]
    for pk in out_of_hours.on_purpose(found):
        wanted = next(one for one in as_booked if one.moving.pk == pk)
        if not _is_shut(wanted, known):
            del found[pk]
    return found


def _is_shut(wanted: Wanted, known: Known) -> bool:
    """Something came since that a visit outside the hours was not agreed for: a closure, an absence, a leaving."""
    day = times.day_of(wanted.starts_at, wanted.location.time_zone)
    away = overlaps(known.taken.time_off.get(wanted.practitioner.pk, ()), wanted.start, wanted.end)
    is_closed = not wanted.location.is_open or known.hours.is_closed(wanted.location.pk, day)
    return away or is_closed or not wanted.practitioner.is_active


def question(
    visits: Collection[Appointment],
    span: Span,
    *,
    to: str | Practitioner = ANYONE,
    location: Location | None = None,
) -> Question:
    """A wish for each visit by its id: the same time with anybody free, with a colleague, or with the `SAME`
    practitioner as near as can be; at its own clinic or at another, by the clock of that.
    """
    wishes = [
        Wish(str(v.pk), v.patient, v.type, location or v.location, _wished(v, to), v.local_start.date(),
             v.local_start.time(), moving=v, label=str(v.patient), group=_group(v))
        for v in visits
    ]  # fmt: skip
    away = {}
    if span.practitioner and not span.only_stuck:
        bounds = [
            (times.day_start(span.first, zone), times.day_start(span.last + timedelta(days=1), zone))
            for zone in {place.time_zone for place in span.locations}
        ]
        away[span.practitioner.pk] = [(min(a for a, _ in bounds), max(b for _, b in bounds))]
    reach = min(FURTHEST_OFF, (span.last - span.first).days + 5)
    # Not to an earlier day: whoever reads the mail too late would miss the visit.
    return Question(wishes=wishes, away=away, reach=reach, earlier=False, taken_days=_taken_days(visits))


def _wished(visit: Appointment, to: str | Practitioner) -> Practitioner | None:
    return {ANYONE: None, SAME: visit.practitioner}.get(to, to) if isinstance(to, str) else to


def _group(visit: Appointment) -> str | None:
    return f"series-{visit.series_visit.series_id}" if visit.series_visit_id else None


def _taken_days(visits: Iterable[Appointment]) -> dict[str, set[date]]:
    """By series, the days of its visits that stay: a series has one visit a day."""
    zones = {v.series_visit.series_id: v.series_visit.series.location.time_zone for v in visits if v.series_visit_id}
    taken = series_days.of_others(zones, without=[visit.pk for visit in visits])
    return {f"series-{series}": days for series, days in taken.items()}


def move(
    question: Question, choices: Mapping[str, Choice], *, seen: Mapping[str, int | None], by: User, reason: str
) -> list[Appointment]:
    """Move the chosen visits, by their ids, all or nothing; what is skipped stays where it is, and on its worklist.

    `seen` is the sequence that each had when its time was chosen. Raises RuleBroken whose `fields` say, by id, what
    changed since then or why a time cannot be had, and whose `alternatives` are free instead.
    """
    reason = checked_reason(reason, needed="Say why the visits move: it is kept with each of them.")
    wishes = {wish.key: wish for wish in question.wishes}
    chosen = {key: choice for key, choice in choices.items() if not choice.is_skipped}
    wanted = {
        key: replace(wishes[key].wanted(), starts_at=choice.starts_at, practitioner=choice.practitioner)
        for key, choice in chosen.items()
        if key in wishes
    }
    with instead(question, choices):
        _refuse_gone(set(chosen) - set(wishes), len(chosen))
        together.refuse_changed({key: one.moving for key, one in wanted.items()}, seen)
        with transaction.atomic():
            overrides = proposals.overrides(chosen)
            moved = together.book(wanted, seen=seen, by=by, reason=reason, overrides=overrides)
            moved = list(moved.values())
            audit.record("visits.moved_together", by=by, visits=sorted(visit.pk for visit in moved), reason=reason)
    return moved


def _refuse_gone(keys: Collection[str], count: int) -> None:
    if keys:
        faults = dict.fromkeys(sorted(keys), "This visit was moved, cancelled or begun meanwhile.")
        message = f"Nothing was changed: {len(faults)} of {count} visits are not to be moved any more."
        raise RuleBroken(message, code="wrong_status", fields=faults)
