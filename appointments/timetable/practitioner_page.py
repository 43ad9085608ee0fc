"""What the setup pages show of practitioners: weeks at each clinic, extra hours, absences, visits outside them."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Prefetch, Q, QuerySet

from appointments import booking
from appointments.models import Appointment, ExtraHours, TimeOff, WeeklyHours
from appointments.moving import bulk_moves, move_links
from appointments.timetable import hour_versions, repeated_edges, working_hours
from appointments.timetable.hour_versions import Version
from appointments.timetable.hours import minutes
from appointments.timetable.hours_forms import AwayForm, ExtraForm, FromDayForm, ShiftFormSet, grouped
from appointments.timetable.working_hours import Shift
from clinic import times
from clinic.errors import RuleBroken
from locations import access, opening, spans
from locations.models import Closure, Location, Practitioner, Weekday
from locations.spans import Span, spoken

DAY = timedelta(days=1)
MOST_NAMED = 5


@dataclass
class Block:
    """The week at one clinic as a form: from which day on, and its rows."""

    place: Location
    begin: FromDayForm
    rows: ShiftFormSet
    until: date | None = None
    later: list[dict] = field(default_factory=list)
    outside: list = field(default_factory=list)
    moves: str = ""
    twice: list[str] = field(default_factory=list)
    shut: str = ""
    problem: str = ""

    def is_valid(self) -> bool:
        return self.begin.is_valid() & self.rows.is_valid()

    def refuse(self, refused: RuleBroken) -> None:
        if name := next((name for name in ("from_day", "until") if name in refused.fields), None):
            self.begin.add_error(name, refused.message)
        else:
            self.problem = refused.message


def places(user) -> QuerySet[Location]:
    """Open clinics at which the user may set hours: somebody's, or their own."""
    return Location.objects.visible_to(user, "hours.change").filter(is_open=True)


def rows(user) -> list[dict]:
    """The list: who, the week now, and until when somebody is away. Few queries for any number."""
    now = times.now()
    away = TimeOff.objects.filter(ends_at__gt=now).order_by("starts_at")
    weekly = WeeklyHours.objects.exclude(valid_until__lt=now.date()).select_related("location")
    people = working_hours.set_by(user).select_related("user").prefetch_related(
        Prefetch("weekly_hours", weekly, to_attr="hours_now"), Prefetch("time_off", away, to_attr="absences")
    )  # fmt: skip
    return [{"person": person, "week": _weeks(person.hours_now), "away": _next_absence(person)} for person in people]


def _next_absence(person):
    if not (person.absences and person.hours_now):
        return None
    zone = person.hours_now[0].location.time_zone
    first = person.absences[0]
    return {"starts": times.local(first.starts_at, zone), "ends": times.local(first.ends_at, zone)}


def _weeks(hours) -> list[tuple[Location, str]]:
    """[(place, "Mo Tu We")]: on which days somebody works where; who has not begun yet, from when on."""
    found: dict[Location, list] = {}
    for row in hours:
        found.setdefault(row.location, []).append(row)
    weeks = []
    for place, rows in found.items():
        versions = hour_versions.versions(rows)
        now = [one for one in versions if one.first is None or one.first <= place.today()]
        days = sorted({row.weekday for one in now or versions[:1] for row in one.rows})
        begins = "" if now else f", from {versions[0].first:%b} {versions[0].first.day}"
        weeks.append((place, " ".join(Weekday(day).label[:2] for day in days) + begins))
    return weeks


def read(person: Practitioner, user, *, at: str = "") -> dict:
    """The page of one; `at` is the slug of a clinic to begin hours at."""
    mine = places(user)
    theirs = set(working_hours.places_of(person))
    shown = [place for place in mine if place.pk in theirs or place.slug == at]
    weekly = list(person.weekly_hours.select_related("location").order_by("valid_from", "weekday", "starts"))
    zone = zone_of(person)
    now = times.now()
    extra = ExtraHours.objects.filter(practitioner=person, day__gte=now.date() - DAY).select_related("location")
    return {
        "person": person,
        "blocks": [_block(place, [row for row in weekly if row.location_id == place.pk], person) for place in shown],
        "elsewhere": [place for place in mine if place not in shown],
        "extra": ExtraForm(places=mine, initial={"location": shown[0].slug if shown else None}),
        "extras": [
            {"extra": one, "hours": _extra_text(one), "twice": repeated_edges.notes([one], since=one.day)}
            for one in extra
        ],
        "away": AwayForm(zone=zone),
        "absences": [_absence(off, person, zone, user) for off in person.time_off.filter(ends_at__gt=now)],
        "moves_today": move_links.of_absence(person, times.today(zone), times.today(zone)),
        "may_move": access.can(user, "appointment.change"),
        "zone": f"{times.local(now, zone):%Z}",
        "opens_person": access.can(user, "staff.change"),
        "may_offer": access.can(user, "staff.change"),
    }


def _absence(off, person, zone, user) -> dict:
    """With the visits that it hits and that the user may move."""
    starts, ends = times.local(off.starts_at, zone), times.local(off.ends_at, zone)
    hit = Appointment.objects.visible_to(user, "appointment.change").filter(
        practitioner=person, status__in=booking.MOVABLE, starts_at__gt=times.now(), starts_at__lt=off.ends_at,
        ends_at__gt=off.starts_at,
    )  # fmt: skip
    last = times.local(off.ends_at - timedelta(minutes=1), zone).date()
    first = max(starts.date(), times.today(zone))
    way = move_links.of_stuck(first, min(last, first + bulk_moves.LONGEST * DAY - DAY), practitioner=person)
    return {"off": off, "starts": starts, "ends": ends, "hit": hit.count(), "moves": way}


def bound_block(place: Location, data) -> Block:
    return Block(place, FromDayForm(data, prefix=place.slug), ShiftFormSet(data, prefix=f"{place.slug}-hours"))


def _block(place, weekly, person) -> Block:
    """The form holds the week of today, or, before the first day of work, the first week there is."""
    today = place.today()
    ahead = [row for row in weekly if row.valid_until is None or row.valid_until >= today]
    first = max(today, min((row.valid_from or today for row in ahead), default=today))
    now = [one for one in hour_versions.versions(ahead) if (one.first or first) <= first]
    outside = working_hours.outside(person, place)
    until = min((one.until for one in now if one.until), default=None)
    later = hour_versions.later(ahead, first)
    is_followed = until is not None and any(one.first == until + DAY for one in later)
    return Block(
        place,
        FromDayForm(prefix=place.slug, initial={"from_day": first, "until": None if is_followed else until}),
        ShiftFormSet(prefix=f"{place.slug}-hours", initial=grouped([row for one in now for row in one.rows], first)),
        until=until,
        later=[_in_words(one) for one in later],
        outside=outside,
        moves=move_links.of_stuck(*_first_and_last(outside, today), location=place, practitioner=person)
        if outside
        else "",
        twice=repeated_edges.notes(ahead, since=today),
        shut=_shut(place, ahead),
    )


def _shut(place: Location, weekly: list[WeeklyHours]) -> str:
    """Which of the hours no door is open for; nothing is offered in them, and nobody would know why."""
    open_hours = opening.spans_of(place)
    if weekly and not open_hours:
        return f"{place} has no opening hours yet, so nothing is offered."
    hours = (Span(row.weekday, row.starts, row.ends, row.ends_next_day) for row in weekly)
    found = sorted({left for span in hours for left in spans.outside(span, open_hours)})
    if not found:
        return ""
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    named = "; ".join(map(str, found[:MOST_NAMED]))
    return f"Outside the opening hours of {place}, so nothing is offered then: {named}{more}."


def added(extra: ExtraHours) -> str:
    """What is said after extra hours were entered: a closure and an absence go before them."""
    said = "The extra hours are added."
    shut = Closure.objects.filter(
        Q(location=extra.location) | Q(location=None), starts_on__lte=extra.day, ends_on__gte=extra.day
    ).first()
    if shut:
        said += f" But {extra.location} is closed then, so nothing is offered: {shut.reason}."
    starts, ends = map(times.from_minute, minutes(extra, extra.day))
    if extra.practitioner.time_off.filter(starts_at__lt=ends, ends_at__gt=starts).exists():
        said += f" But {extra.practitioner} is away then, and nothing is offered in that time."
    return said


def _first_and_last(visits, today) -> tuple[date, date]:
    """The days of visits in order of time, as far as they are moved at once."""
    first = visits[0].local_start.date() if visits else today
    return first, min(visits[-1].local_start.date(), first + bulk_moves.LONGEST * DAY - DAY)


def _in_words(version: Version) -> dict:
    hours = [str(Shift(Span(row.weekday, row.starts, row.ends, row.ends_next_day), row.every_weeks))
             for row in version.rows]  # fmt: skip
    return {"first": version.first, "key": version.first.isoformat(), "until": version.until, "hours": hours}


def saved(person: Practitioner, place: Location, from_day: date) -> str:
    """What is said after hours were saved: also what holds after them, since it was entered before."""
    rows = WeeklyHours.objects.filter(practitioner=person, location=place)
    later = hour_versions.later(rows, from_day)
    said = f"The hours at {place} are saved."
    return f"{said} From {times.spoken_day(later[0].first)} on others hold, as entered before." if later else said


def _extra_text(extra) -> str:
    later = " on the next day" if extra.ends_next_day else ""
    return f"{spoken(extra.starts)} to {spoken(extra.ends)}{later}"


def zone_of(person: Practitioner) -> str:
    """The zone in which a practitioner's absences are typed: that of the clinic where they work most days."""
    lasting = person.weekly_hours.exclude(valid_until__lt=times.earliest_today())
    zones = list(lasting.values_list("location__time_zone", flat=True))
    if not zones:
        held = person.user.assignments.filter(location__isnull=False)
        zones = list(held.values_list("location__time_zone", flat=True)) or ["America/New_York"]
    return max(sorted(set(zones)), key=zones.count)


def at_days(refused: RuleBroken) -> RuleBroken:
    """The same refusal at the fields of the form, which asks for days."""
    names = {"starts_at": "starts_on", "ends_at": "ends_on"}
    refused.fields = {names.get(name, name): said for name, said in refused.fields.items()}
    return refused
