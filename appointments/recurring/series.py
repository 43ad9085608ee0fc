"""Series: visits of one patient that belong together. The only writer of Series and SeriesVisit.

A series says how many visits are wanted and when. What is not on the calendar stays owed, and is listed until it is
placed or let go. Placing is all or nothing. What happens to one visit never touches the others unless it is asked for.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, QuerySet
from django.http import Http404

from appointments import booking, together, visit_status
from appointments.conflicts import Wanted
from appointments.models import Appointment, AppointmentType, Series, SeriesVisit
from appointments.recurring import gates, patterns, proposals, series_days
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import checked_reason
from locations import access
from locations.models import Location, Practitioner
from patients.models import Patient

THIS, LATER, ALL = "this", "later", "all"
SCOPES = {THIS: "Only this visit", LATER: "This visit and later ones", ALL: "All visits of the series"}


@transaction.atomic
def begin(
    *,
    patient: Patient,
    type: AppointmentType,
    practitioner: Practitioner,
    location: Location,
    pattern: Pattern,
    by: User,
    checkpoint_type: AppointmentType | None = None,
    title: str = "Series of visits",
) -> Series:
    """Write down what is wanted. Nothing is booked: every visit is owed."""
    access.require(by, "appointment.create", location)
    if not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
        raise Http404
    pattern.check(today=location.today())
    if pattern.has_checkpoint and checkpoint_type is None:
        message = "There is no appointment type for the re-evaluation."
        raise RuleBroken(message, code="no_visit_type", fields={"checkpoint_after": message}, status=400)
    series = Series.objects.create(
        title=title,
        patient=patient,
        type=type,
        checkpoint_type=checkpoint_type if pattern.has_checkpoint else None,
        practitioner=practitioner,
        location=location,
        pattern=pattern.as_json(),
        begun_by=by,
        begun_at=times.now(),
    )
    SeriesVisit.objects.bulk_create(
        SeriesVisit(series=series, number=one.number, stretch=one.stretch, wanted_on=one.day,
                    wanted_at=pattern.at_time, type=series.wanted_type(one.is_checkpoint))
        for one in patterns.wanted(pattern)
    )  # fmt: skip
    audit.record("series.begun", on=series, by=by, pattern=str(pattern))
    return series


@transaction.atomic
def book(*, choices: Mapping[int, Choice], by: User, days: Mapping[int, date] | None = None, **wanted) -> Series:
    """Begin a series and place its visits, all or nothing. `wanted` is what `begin` takes."""
    series = begin(by=by, **wanted)
    place(series, choices, by=by, days=days)
    return series


@transaction.atomic
def place(
    series: Series,
    choices: Mapping[int, Choice],
    *,
    by: User,
    pattern: Pattern | None = None,
    days: Mapping[int, date] | None = None,
) -> list[Appointment]:
    """Book the chosen times of visits that are owed, by their numbers; the skipped ones stay owed with the reason.

    All or nothing: raises RuleBroken whose `fields` say, by number, why a time cannot be had. `pattern` is how the
    series is wanted from now on, `days` on which days its visits are.
    """
    series = _locked(series, "appointment.create", by=by)
    owed = {visit.number: visit for visit in series.visits.owed().select_related("type", "series")}
    if refused := gates.refusal(series, for_checkpoint=all(n in owed and owed[n].is_checkpoint for n in choices)):
        raise refused
    if gone := sorted(set(choices) - set(owed)):
        faults = {str(number): "This visit is no longer owed: it was placed or let go meanwhile." for number in gone}
        raise RuleBroken(together.none_of(len(gone), len(choices)), code="not_owed", fields=faults)
    chosen = {number: choice for number, choice in choices.items() if not choice.is_skipped}
    booked = together.book(
        {
            str(number): Wanted(series.patient, choice.practitioner, choice.location or series.location,
                                owed[number].type, choice.starts_at, owed[number].type.minutes)
            for number, choice in chosen.items()
        },
        series_visits={str(number): owed[number] for number in chosen},
        overrides=proposals.overrides(chosen),
        by=by,
    )  # fmt: skip
    _note_wishes(series, [owed[number] for number in choices], choices, pattern, days or {})
    audit.record("series.placed", on=series, by=by, booked=len(booked), skipped=len(choices) - len(booked))
    return list(booked.values())


@transaction.atomic
def rearrange(
    series: Series, choices: Mapping[int, Choice], *, seen: Mapping[int, int | None], by: User, reason: str = ""
) -> list[Appointment]:
    """Give visits that are owed a time and move others, by their numbers, as one change: all of it or nothing.

    `seen` says what was decided upon: the sequence of each appointment, None for what was owed. What is skipped stays
    where it is, or stays owed. Raises RuleBroken whose `fields` say, by number, what changed or cannot be had.
    """
    series = _locked(series, "appointment.change", by=by)
    rows = {row.number: row for row in series.visits.select_related("type", "series")}
    made = Appointment.objects.holding_time().filter(series_visit__series=series).with_names().with_series()
    standing = {visit.series_visit.number: visit for visit in made}
    if faults := {
        str(number): "This visit was placed, moved, cancelled or let go meanwhile."
        for number in choices
        if not _is_as_seen(rows.get(number), standing.get(number), seen.get(number))
    }:
        raise RuleBroken(together.none_of(len(faults), len(choices)), code=booking.CHANGED, fields=faults)
    chosen = {number: one for number, one in choices.items() if not one.is_skipped}
    new = [number for number in chosen if number not in standing]
    if new and (refused := gates.refusal(series, for_checkpoint=all(rows[n].is_checkpoint for n in new))):
        raise refused
    moving = {number: standing[number] for number in chosen if number in standing}
    done = together.book(
        {str(n): _wanted(series, rows[n], one, moving.get(n)) for n, one in chosen.items()},
        series_visits={str(number): rows[number] for number in new},
        seen={str(number): seen[number] for number in moving},
        overrides=proposals.overrides(chosen),
        by=by,
        reason=checked_reason(reason),
    )
    skipped = [n for n, one in choices.items() if one.is_skipped and n not in standing]
    days = {n: times.day_of(chosen[n].starts_at, series.location.time_zone) for n in new}
    _note_wishes(series, [rows[number] for number in (*new, *skipped)], choices, None, days)
    moved = len(done) - len(new)
    audit.record("series.rearranged", on=series, by=by, booked=len(new), moved=moved, skipped=len(skipped))
    return list(done.values())


@transaction.atomic
def grow(series: Series, stretch: Stretch, *, behind: int, by: User) -> None:
    """Want one more stretch of visits, behind so many of the pattern's stretches. Visits keep their numbers: those on
    the calendar serve the earlier stretches, and the new ones, wanted after the last, come at the end.
    """
    series = _locked(series, "appointment.create", by=by)
    stretches = list(series.as_pattern.stretches)
    stretches.insert(behind, stretch)
    pattern = replace(series.as_pattern, stretches=tuple(stretches))
    pattern.check(today=pattern.starts_on)
    rows = list(series.visits.order_by("number"))
    last, number = max([series.location.today(), *(row.wanted_on for row in rows)]), rows[-1].number
    begins_on = last + timedelta(days=1) + _pause(stretch)
    days = patterns.wanted_days(begins_on, stretch, pattern.weekdays)
    rows += SeriesVisit.objects.bulk_create(
        SeriesVisit(series=series, number=number + n, stretch=1, type=series.type, wanted_on=day,
                    wanted_at=pattern.at_time)
        for n, day in enumerate(days, 1)
    )  # fmt: skip
    of_stretch = [n for n, one in enumerate(stretches, 1) for _ in range(one.visits)]
    treatments = [row for row in rows if row.type_id == series.type_id]
    for row, which in zip(treatments, of_stretch, strict=False):
        row.stretch = which
    SeriesVisit.objects.bulk_update(treatments, ["stretch"])
    series.pattern = pattern.as_json()
    series.save(update_fields=["pattern"])
    audit.record("series.grown", on=series, by=by, visits=len(days))


@transaction.atomic
def refit(series: Series, pattern: Pattern, *, practitioner: Practitioner, location: Location, by: User) -> None:
    """Want from now on what this pattern asks for. Visits that took place, are on the calendar, fell off it or were let
    go stay and fill its first stretches; the others are wanted anew, as many as are left. Places and moves nothing.
    """
    series = _locked(series, "appointment.create", by=by)
    access.require(by, "appointment.create", location)
    pattern.check(today=pattern.starts_on)
    rows = list(series.visits.order_by("number"))
    made = set(Appointment.objects.filter(series_visit__in=rows).values_list("series_visit", flat=True))
    treatments = [row for row in rows if row.type_id == series.type_id]
    kept = [row for row in treatments if row.pk in made or row.waived_reason]
    if pattern.visits < len(kept):
        message = f"{len(kept)} visits took place, are booked, were missed or let go: plan at least as many in all."
        raise RuleBroken(message, code="too_few_visits", fields={"phases": message})
    anew = [row for row in treatments if row not in kept][: pattern.visits - len(kept)]
    series.visits.filter(type=series.type).exclude(pk__in=[row.pk for row in (*kept, *anew)]).delete()
    number = rows[-1].number
    anew += [
        SeriesVisit(series=series, number=number + n, type=series.type, wanted_at=pattern.at_time)
        for n in range(1, pattern.visits - len(kept) - len(anew) + 1)
    ]
    of_stretch = [n for n, one in enumerate(pattern.stretches, 1) for _ in range(one.visits)]
    for row, which in zip([*kept, *anew], of_stretch, strict=True):
        row.stretch = which
    for row, day in zip(anew, _days_anew(series, pattern, anew), strict=True):
        row.wanted_on, row.skipped_reason = day, ""
    SeriesVisit.objects.bulk_update(
        [*kept, *(row for row in anew if row.pk)], ["stretch", "wanted_on", "skipped_reason"]
    )
    SeriesVisit.objects.bulk_create([row for row in anew if not row.pk])
    series.practitioner, series.location, series.pattern = practitioner, location, pattern.as_json()
    series.save(update_fields=["practitioner", "location", "pattern"])
    audit.record("series.refitted", on=series, by=by, pattern=str(pattern), wanted_anew=len(anew))


def _days_anew(series: Series, pattern: Pattern, visits: list[SeriesVisit]) -> list[date]:
    """In the rhythm of each one's stretch, after what stands on the calendar and not before today."""
    standing = Appointment.objects.holding_time().filter(series_visit__series=series).with_names()
    taken = series_days.days(series)
    treated = [v.local_start.date() for v in standing if v.type_id == series.type_id]
    today = series.location.today()
    after = max([max(today, pattern.starts_on) - timedelta(1), *treated])
    days = []
    for n, stretch in enumerate(pattern.stretches, 1):
        left = sum(visit.stretch == n for visit in visits)
        begins_on = after + timedelta(1) + (_pause(stretch) if treated and left < stretch.visits else timedelta(0))
        of_this = patterns.wanted_days(begins_on, replace(stretch, weeks=stretch.weeks_for(left)), pattern.weekdays)
        of_this = of_this[:left]
        days += of_this
        after = days[-1] if of_this else after
    return patterns.redate(days, weekdays=pattern.weekdays, taken=taken, earliest=max(today, pattern.starts_on))


def _pause(stretch: Stretch) -> timedelta:
    """What lies between a visit and the next of its rhythm, beyond the usual week."""
    return timedelta(weeks=stretch.every_weeks - 1)


@transaction.atomic
def want_checkpoint(series: Series, *, on: date, by: User) -> None:
    """The next checkpoint is wanted on a day; one that is still to come is, instead of another."""
    series = _locked(series, "appointment.create", by=by)
    if series.checkpoint_type_id is None:
        return
    ahead = Exists(Appointment.objects.filter(series_visit=OuterRef("pk"), status__in=booking.MOVABLE))
    waiting = series.visits.filter(type=series.checkpoint_type, waived_reason="")
    if waiting.filter(ahead, appointments__starts_at__gt=times.now()).exists():
        return
    if owed := series.visits.owed().filter(type=series.checkpoint_type).first():
        owed.wanted_on, owed.skipped_reason = on, ""
        owed.save(update_fields=["wanted_on", "skipped_reason"])
        return
    last = series.visits.order_by("number").last()
    series.visits.create(number=last.number + 1, stretch=last.stretch, type=series.checkpoint_type, wanted_on=on,
                         wanted_at=series.as_pattern.at_time)  # fmt: skip
    audit.record("series.checkpoint_wanted", on=series, by=by, wanted_on=on.isoformat())


@transaction.atomic
def let_go(visits: QuerySet[SeriesVisit], *, reason: str, by: User) -> int:
    """Of these, those that are owed are no longer wanted; returns how many. All are of one series."""
    first = visits.select_related("series").first()
    if first is None:
        return 0
    series = _locked(first.series, "appointment.change", by=by)
    ids = list(visits.owed().values_list("pk", flat=True))
    count = SeriesVisit.objects.filter(pk__in=ids).update(waived_reason=reason[:200])
    audit.record("series.visits_waived", on=series, by=by, visits=count, reason=reason)
    return count


@transaction.atomic
def waive(visit: SeriesVisit, *, by: User, reason: str) -> None:
    """Let a visit that is owed go: it is no longer wanted, and leaves the lists."""
    series = _locked(visit.series, "appointment.change", by=by)
    reason = checked_reason(reason, needed="Say why the visit is no longer wanted.")
    if not series.visits.owed().filter(pk=visit.pk).update(waived_reason=reason):
        raise RuleBroken("This visit is not owed: it was placed or let go meanwhile.", code="not_owed")
    audit.record("series.visit_waived", on=series, by=by, number=visit.number, reason=reason)


@transaction.atomic
def cancel(
    appointment: Appointment, *, scope: str = THIS, by: User, reason: str, still_wanted: bool = True
) -> list[Appointment]:
    """Cancel the visit, or it and later ones, or all that are still ahead; returns those that were cancelled.

    What is still wanted is owed from now on; else it is let go with the reason.
    """
    affected = members(appointment, scope)
    # Held in order of their ids before any is changed: a mail about several of them holds them in that order too.
    list(Appointment.objects.select_for_update().filter(pk__in=[v.pk for v in affected]).order_by("pk"))
    if scope != THIS:
        reason = checked_reason(reason, needed="Say why the visits are cancelled.")
    cancelled = [visit_status.cancel(visit, by=by, reason=reason) for visit in affected]
    if not still_wanted and appointment.series_visit_id:
        ids = [visit.series_visit_id for visit in cancelled]
        kept = reason or "No longer wanted."
        SeriesVisit.objects.filter(pk__in=ids).update(waived_reason=kept[:200])
    return cancelled


@transaction.atomic
def move(
    appointment: Appointment,
    choices: Mapping[str, Choice],
    *,
    seen: Mapping[str, int | None],
    by: User,
    reason: str = "",
) -> list[Appointment]:
    """Move visits of the series of this one to the chosen times, by their ids, all or nothing; what is skipped stays.

    `seen` is the sequence that each had when its time was chosen. Raises RuleBroken whose `fields` say, by id, what
    changed since then or cannot be had.
    """
    series = _locked(appointment.series_visit.series, "appointment.change", by=by)
    known = {str(visit.pk): visit for visit in members(appointment, ALL)}
    chosen = {key: choice for key, choice in choices.items() if not choice.is_skipped}
    if gone := sorted(set(chosen) - set(known)):
        faults = dict.fromkeys(gone, "This visit is over, cancelled or not of this series.")
        raise RuleBroken(together.none_of(len(gone), len(choices)), code="wrong_status", fields=faults)
    together.refuse_changed({key: known[key] for key in chosen}, seen)
    wanted = {
        key: Wanted(visit.patient, choice.practitioner, choice.location or visit.location, visit.type, choice.starts_at,
                    visit.end_minute - visit.start_minute, moving=visit)
        for key, choice in chosen.items()
        for visit in [known[key]]
    }  # fmt: skip
    reason, overrides = checked_reason(reason), proposals.overrides(chosen)
    moved = together.book(wanted, seen=seen, by=by, reason=reason, overrides=overrides)
    audit.record("series.moved", on=series, by=by, moved=len(moved))
    return list(moved.values())


def members(appointment: Appointment, scope: str) -> list[Appointment]:
    """The visits of the series that can still be moved or cancelled, as far as the scope reaches; this one first."""
    if scope not in SCOPES:
        raise RuleBroken("There is no such choice.", code="invalid", fields={"scope": "Unknown."}, status=400)
    if scope == THIS or appointment.series_visit_id is None:
        return [appointment]
    rows = Appointment.objects.filter(
        series_visit__series=appointment.series_visit.series_id,
        status__in=booking.MOVABLE,
        starts_at__gt=times.now(),
    ).exclude(pk=appointment.pk)
    if scope == LATER:
        rows = rows.filter(starts_at__gt=appointment.starts_at)
    return [
        appointment,
        *rows.with_names().select_related("series_visit__series", "series_visit__type").order_by("starts_at"),
    ]


@transaction.atomic
def set_open(series: Series, is_open: bool) -> None:
    """Whether its debts are listed and can be placed. The right to do so is that of what the series belongs to."""
    Series.objects.filter(pk=series.pk).update(is_open=is_open)


def debts(user: User, action: str = "appointment.read") -> QuerySet[SeriesVisit]:
    """Visits that were skipped, fell off the calendar or are overdue, at the user's locations; longest owed first."""
    visits = SeriesVisit.objects.visible_to(user, action).debts().order_by("wanted_on", "pk")
    return visits.select_related("series__patient", "series__location", "series__practitioner__user", "type")


def with_debts(user: User, action: str = "appointment.read") -> QuerySet[Series]:
    """Series with `owed`, how many such visits each has, and `owed_since`, the day the first was wanted on."""
    owed = SeriesVisit.objects.debts().order_by().values("pk")
    found = Series.objects.visible_to(user, action).filter(visits__in=owed)
    return found.annotate(owed=Count("visits"), owed_since=Min("visits__wanted_on")).order_by("owed_since", "pk")


def _locked(series: Series, action: str, *, by: User) -> Series:
    """The series as it is now, held until COMMIT: a visit that is owed is placed by one person only."""
    fresh = Series.objects.select_for_update(of=("self",)).with_names().get(pk=series.pk)
    access.require(by, action, fresh.location)
    return fresh


def _is_as_seen(row: SeriesVisit | None, standing: Appointment | None, sequence: int | None) -> bool:
    if row is None:
        return False
    if standing is None:
        return sequence is None and not row.waived_reason
    return standing.sequence == sequence and standing.status in booking.MOVABLE


def _wanted(series: Series, row: SeriesVisit, choice: Choice, moving: Appointment | None) -> Wanted:
    place = choice.location or (moving.location if moving else series.location)
    minutes = moving.lasts if moving else row.type.minutes
    return Wanted(series.patient, choice.practitioner, place, row.type, choice.starts_at, minutes, moving=moving)


def _note_wishes(series, visits, choices, pattern, days) -> None:
    if pattern:
        series.pattern = pattern.as_json()
        series.save(update_fields=["pattern"])
    for visit in visits:
        choice = choices[visit.number]
        visit.skipped_reason = (checked_reason(choice.skip_reason) or "Skipped.") if choice.is_skipped else ""
        visit.wanted_on = days.get(visit.number, visit.wanted_on)
        visit.wanted_at = pattern.at_time if pattern else visit.wanted_at
    SeriesVisit.objects.bulk_update(visits, ["skipped_reason", "wanted_on", "wanted_at"])
