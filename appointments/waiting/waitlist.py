"""Who waits for a visit, and for which: the only writer of WaitlistEntry.

An entry stays open until its visit is booked, it is withdrawn, or it came to its end. Whom a free time is offered to
is decided by `matching`, and what is offered by `offers`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404

from appointments.booking import MOVABLE
from appointments.models import Appointment, AppointmentType, ExtraHours, WaitlistEntry, WeeklyHours
from appointments.wishes import Wishes
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access
from locations.models import Location, Practitioner
from patients.models import Patient

_O = WaitlistEntry.Outcome
FURTHEST = timedelta(days=366)


@dataclass(frozen=True)
class Asked:
    """What a patient waits for, as it was asked for; empty means any. `from_day` None is today."""

    type: AppointmentType
    locations: Collection[Location] = ()
    practitioners: Collection[Practitioner] = ()
    wishes: Wishes = field(default_factory=Wishes)
    from_day: date | None = None
    until_day: date | None = None
    urgency: int = WaitlistEntry.Urgency.ROUTINE
    note: str = ""


@transaction.atomic
def add(
    patient: Patient,
    asked: Asked,
    *,
    by: User | None,
    by_whom: str = "",
    sooner_than: Appointment | None = None,
) -> WaitlistEntry:
    """Put a patient on the list, `sooner_than` a visit they have or for a new one.

    Raises RuleBroken (`invalid`, `already_waiting`, `wrong_status`), and Http404 for what the user may not see. The
    clinics that are named get to know the patient, as by a booking.
    """
    if by is not None:
        _require(by, patient, asked.locations)
    if sooner_than is not None:
        _check_sooner(sooner_than, patient, asked)
    entry = WaitlistEntry(
        patient=patient,
        sooner_than=sooner_than,
        added_at=times.now(),
        added_by=by,
        by_whom=by_whom or str(by),
    )
    _fill(entry, asked)
    audit.record("waitlist.added", on=entry, by=by, by_whom=by_whom)
    return entry


@transaction.atomic
def change(entry: WaitlistEntry, asked: Asked, *, by: User) -> WaitlistEntry:
    """Replace the wishes; the place in the order stays. Clinics named before may stay, whoever works there."""
    before = set(entry.locations.all())
    _require(by, entry.patient, [place for place in asked.locations if place not in before])
    fresh = lock(entry)
    if fresh.sooner_than and asked.type != fresh.sooner_than.type:
        raise _invalid("type", "The earlier day is for the visit there is, so its type stays.")
    _fill(fresh, asked)
    audit.record("waitlist.changed", on=fresh, by=by)
    return fresh


def close(entry: WaitlistEntry, outcome: str, *, by: User | None, by_whom: str, visit=None, reason: str = "") -> None:
    """Take an open entry off the list, in the transaction of what closes it. An open offer is for `offers` to end."""
    entry.outcome, entry.visit, entry.closed_at, entry.closed_reason = outcome, visit, times.now(), reason
    entry.save(update_fields=["outcome", "visit", "closed_at", "closed_reason"])
    audit.record(f"waitlist.{outcome}", on=entry, by=by, by_whom=by_whom)


def reopen(visit: Appointment, *, since: datetime, by: User) -> None:
    """Who got an earlier day for the visit waits again: that step, taken at `since`, was taken back. In the transaction
    of what takes it back, under the lock of the patient's calendar. Nothing where they were put on the list anew."""
    if WaitlistEntry.objects.waiting().filter(sooner_than=visit).exists():
        return
    closed = WaitlistEntry.objects.select_for_update(of=("self",)).filter(
        sooner_than=visit, visit=visit, outcome=_O.BOOKED, closed_at__gte=since
    )
    if (entry := closed.order_by("-closed_at").first()) is None:
        return
    entry.outcome, entry.visit, entry.closed_at, entry.closed_reason = "", None, None, ""
    try:
        with transaction.atomic():
            entry.save(update_fields=["outcome", "visit", "closed_at", "closed_reason"])
    except IntegrityError:
        return  # put on the list anew a moment ago
    audit.record("waitlist.reopened", on=entry, by=by)


def lock(entry: WaitlistEntry) -> WaitlistEntry:
    """The open entry as it is now, until COMMIT nobody else's to change. Raises RuleBroken (`not_waiting`).

    Lock the calendars of an offer before the entry, and its hold after it: everywhere in that order.
    """
    rows = WaitlistEntry.objects.select_for_update(of=("self",)).select_related(
        "patient", "type", "sooner_than__type", "sooner_than__location"
    )
    fresh = rows.get(pk=entry.pk)
    if not fresh.is_waiting:
        message = f"{fresh.patient} is no longer on the list: {fresh.get_outcome_display().lower()}."
        raise RuleBroken(message, code="not_waiting")
    return fresh


def came_to_an_end(entries: Iterable[WaitlistEntry]) -> Iterator[tuple[WaitlistEntry, str, Appointment | None, str]]:
    """(entry, outcome, visit, reason) of those, with their wishes, who wait for nothing any more: the visit was booked
    by another way, is not to come, or the last day has passed. One query for all."""
    entries = list(entries)
    booked = _booked_since(entries)
    for entry in entries:
        if visit := entry.sooner_than:
            if visit.status not in MOVABLE or visit.starts_at <= times.now():
                reason = f"The visit it was to be sooner than: {visit.get_status_display().lower()}."
                yield entry, _O.ENDED, None, reason
                continue
        elif visit := next((one for one in booked[entry.patient_id, entry.type_id] if _is_it(entry, one)), None):
            yield entry, _O.BOOKED, visit, ""
            continue
        if entry.until_day and entry.until_day < entry.patient.home_location.today():
            yield entry, _O.ENDED, None, "The last day they could come has passed."


def admits(entry: WaitlistEntry, *, location: Location, practitioner_id: int, starts_at, ends_at) -> bool:
    """Whether the patient would come then and there; a visit they have already must be on a later day."""
    return not unmet(entry, location=location, practitioner_id=practitioner_id, starts_at=starts_at, ends_at=ends_at)


def unmet(entry: WaitlistEntry, *, location: Location, practitioner_id: int, starts_at, ends_at) -> list[str]:
    """What of a time is not as the patient wished it: `another clinic`, `another day or hour`."""
    day = times.day_of(starts_at, location.time_zone)
    chosen = {person.pk for person in entry.practitioners.all()}
    first, last = days(entry)
    as_wished = {
        "too early" if day < first else "too late": first <= day <= last,
        "another clinic": location in entry.places,
        "another practitioner": not chosen or practitioner_id in chosen,
        "another day or hour": entry.as_wishes.allow(starts_at, ends_at, location.time_zone),
    }
    return [word for word, is_so in as_wished.items() if not is_so]


def days(entry: WaitlistEntry) -> tuple[date, date]:
    """The first and the last local day that would do."""
    last = entry.until_day or date.max
    if entry.sooner_than:
        visit = entry.sooner_than
        last = min(last, times.day_of(visit.starts_at, visit.location.time_zone) - timedelta(days=1))
    return entry.from_day, last


def reasons(entry: WaitlistEntry) -> str:
    """Why it is their turn: `urgent, waiting 12 days, asked for Marietta, mornings`."""
    waited = (times.now() - entry.added_at).days
    asked = " or ".join(sorted(place.name for place in entry.locations.all())) or "any clinic of theirs"
    people = " or ".join(person.name for person in entry.practitioners.all())
    said = [
        entry.get_urgency_display().lower() if entry.urgency else "",
        f"waiting {waited} day{'' if waited == 1 else 's'}" if waited else "waiting since today",
        ", ".join(filter(None, [f"asked for {asked}", people, str(entry.as_wishes)])),
    ]
    if visit := entry.sooner_than:
        day = times.local(visit.starts_at, visit.location.time_zone)
        said.append(f"sooner than {day:%B} {day.day}")
    return ", ".join(filter(None, said))


def _require(by, patient, locations) -> None:
    if not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
        raise Http404
    for place in locations:
        access.require(by, "appointment.create", place)


def _check_sooner(visit, patient, asked) -> None:
    if visit.patient_id != patient.pk:
        raise Http404
    if visit.type_id != asked.type.pk:
        raise _invalid("type", "The earlier day is for the visit there is, so its type stays.")
    if visit.status not in MOVABLE or visit.starts_at <= times.now():
        message = f"The visit is {visit.get_status_display().lower()} and needs no earlier day."
        raise RuleBroken(message, code="wrong_status", fields={"sooner_than": message})


def _fill(entry, asked) -> None:
    """Check and write the wishes of a new or an open entry."""
    entry.type, entry.urgency, entry.note = asked.type, asked.urgency, asked.note.strip()
    today = entry.patient.home_location.today()
    entry.from_day = max(asked.from_day or today, today)
    entry.until_day = asked.until_day
    asked.wishes.check()
    entry.wishes = asked.wishes.as_json()
    if wrong := _wrong_days(entry, today) or _wrong_people(asked) or _wrong_hours(asked, entry):
        raise RuleBroken(" ".join(wrong.values()), code="invalid", fields=wrong, status=400)
    try:
        entry.clean_fields()
        with transaction.atomic():
            entry.save()
    except ValidationError as error:
        fields = {name: " ".join(said) for name, said in error.message_dict.items()}
        raise RuleBroken(" ".join(fields.values()), code="invalid", fields=fields, status=400) from None
    except IntegrityError as error:
        if "waitlist" not in str(error):
            raise
        message = f"{entry.patient} already waits for this. Change that entry instead."
        raise RuleBroken(message, code="already_waiting", fields={"type": message}) from None
    entry.locations.set(asked.locations)
    entry.practitioners.set(asked.practitioners)
    entry.patient.locations.add(*asked.locations)


def _wrong_days(entry, today) -> dict[str, str]:
    if entry.from_day > today + FURTHEST:
        return {"from_day": "Choose a day within a year."}
    if entry.until_day is None:
        return {}
    if entry.until_day < entry.from_day:
        return {"until_day": "The last day is before the first, or has passed."}
    if entry.until_day > entry.from_day + FURTHEST:
        return {"until_day": "Choose a day within a year of the first."}
    return {}


def _wrong_people(asked) -> dict[str, str]:
    for person in asked.practitioners:
        hours = {"practitioner": person, **({"location__in": asked.locations} if asked.locations else {})}
        if not (WeeklyHours.objects.filter(**hours).exists() or ExtraHours.objects.filter(**hours).exists()):
            return {"practitioners": f"{person} does not work there. Choose another, or anybody."}
    return {}


def _wrong_hours(asked, entry) -> dict[str, str]:
    """Hours in which no visit of the type fits would be waited for in vain. They are measured by the wall clock: a week
    in which the clock changes says nothing of the others, and UTC is the zone in which it never does."""
    week = asked.wishes.minutes(entry.from_day, entry.from_day + timedelta(days=7), "UTC")
    if max(end - start for start, end in week) >= asked.type.minutes:
        return {}
    return {"windows": f"{asked.type} takes {asked.type.minutes} minutes and fits into none of these hours."}


def _invalid(field, message) -> RuleBroken:
    return RuleBroken(message, code="invalid", fields={field: message}, status=400)


def _booked_since(entries) -> dict[tuple[int, int], list[Appointment]]:
    """By patient and type, the visits to come that were booked since the first of the entries was made."""
    found = defaultdict(list)
    if entries:
        visits = Appointment.objects.holding_time().filter(
            patient__in={entry.patient_id for entry in entries}, starts_at__gt=times.now(),
            booked_at__gte=min(entry.added_at for entry in entries),
        )  # fmt: skip
        for visit in visits.select_related("location").order_by("starts_at"):
            found[visit.patient_id, visit.type_id].append(visit)
    return found


def _is_it(entry, visit) -> bool:
    """Whether the visit was booked while they waited and is what they asked for."""
    where = {name: getattr(visit, name) for name in ("location", "practitioner_id", "starts_at", "ends_at")}
    return visit.booked_at >= entry.added_at and admits(entry, **where)
