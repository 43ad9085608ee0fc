"""Several visits booked and moved as one: all of them or none, in a few statements however many they are.

Checked one after the other by the rules of `booking`, each as if those before it stood already, under the lock of all
their calendars; then written at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import Http404

from appointments import booking, calendars, conflicts
from appointments.as_seen import is_now
from appointments.conflicts import Known, Wanted
from appointments.models import Appointment, SeriesVisit
from appointments.recurring import series_days
from appointments.recurring.series_days import Going
from appointments.waiting import freed_time
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access
from locations.models import Location, Room
from patients.models import Patient

APART = timedelta(days=35)  # visits further from each other are read by themselves: years between cost nothing
PLACED = [
    "practitioner", "location", "room", "status", "starts_at", "ends_at", "start_minute", "end_minute", "busy_from",
    "busy_until", "sequence",
]  # fmt: skip


def book(
    visits: Mapping[str, Wanted],
    *,
    by: User,
    series_visits: Mapping[str, SeriesVisit] | None = None,
    seen: Mapping[str, int] | None = None,
    reason: str = "",
    overrides: Mapping[str, str] | None = None,
) -> dict[str, Appointment]:
    """Book new visits and move those that have `moving`; returns, by key, those of which anything was written.

    Visits that move make room for each other. Raises RuleBroken whose `fields` say, by the key of each visit, what
    stands against it; then nothing is changed. `series_visits` are what the new visits are booked for; `seen` is the
    sequence of each that moves, where it was decided by what stood there then; `overrides` are the reasons of those
    that an authorised person puts against hours, notice or travel, as in `booking.book`. One that is wanted where it
    stands stays as it is; with such a reason its history says that it was agreed to.
    """
    _require(visits.values(), by)
    with transaction.atomic():
        asked = _Asked(visits, by, series_visits or {}, seen or {}, reason, overrides or {})
        asked.check_all()
        if asked.faults:
            raise _none_of_them({key: asked.faults[key] for key in visits if key in asked.faults}, len(visits))
        return asked.write()


def refuse_changed(moving: Mapping[str, Appointment], seen: Mapping[str, int | None]) -> None:
    """Raises RuleBroken whose `fields` say, by key, where the visits are now whose sequence is not the one seen."""
    if changed := {key: is_now(visit) for key, visit in moving.items() if visit.sequence != seen.get(key)}:
        raise _none_of_them(changed, len(moving))


def none_of(wrong: int, count: int) -> str:
    return f"Nothing was changed: {wrong} of {count} times cannot be had."


def _none_of_them(faults: dict[str, RuleBroken], count: int) -> RuleBroken:
    first = next(iter(faults.values()))
    message = first.message if count == 1 else none_of(len(faults), count)
    return RuleBroken(message, code=first.code, fields={key: fault.message for key, fault in faults.items()})


@dataclass(frozen=True)
class _Settled:
    """A visit that may be where it is wanted, and what its history will say; no step where it stays as it is."""

    wanted: Wanted
    appointment: Appointment
    step: str
    detail: dict = field(default_factory=dict)


class _Asked:
    """One call of `book`, in its transaction: what is wanted, what was read for all of it, and what came of each."""

    def __init__(self, visits, by, series_visits, seen, reason, overrides):
        self.by, self.series_visits, self.seen, self.reason, self.overrides = by, series_visits, seen, reason, overrides
        self.faults: dict[str, RuleBroken] = {}
        self.settled: dict[str, _Settled] = {}
        self.visits = {key: wanted for key, wanted in visits.items() if self._has_an_instant(key, wanted)}
        self.rooms = _lock(list(visits.values()))
        moving = {wanted.moving.pk for wanted in visits.values() if wanted.moving}
        self.lifted = booking.lift(moving)
        self.order = list(visits)

    def check_all(self) -> None:
        """What stays where it stands keeps its room, so it is settled first; the others in the order they came in."""
        now = {
            key: replace(wanted, moving=self.lifted[wanted.moving.pk]) if wanted.moving else wanted
            for key, wanted in self.visits.items()
        }
        self.faults |= series_days.refused(self._going(now))
        known = _read({key: wanted for key, wanted in now.items() if key not in self.faults}, self.rooms)
        for key in sorted(known, key=lambda key: not booking.stands(now[key], now[key])):
            try:
                self.settled[key] = self._settle(key, now[key], known[key])
            except RuleBroken as refused:
                self.faults[key] = refused

    def write(self) -> dict[str, Appointment]:
        """All the rows, then their histories."""
        done = {key: self.settled[key] for key in self.order}
        new = [one.appointment for one in done.values() if one.step == "booked"]
        try:
            with transaction.atomic():
                Appointment.objects.bulk_create(new)
                Appointment.objects.bulk_update([one.appointment for one in done.values() if one.wanted.moving], PLACED)
        except IntegrityError as error:
            refused = booking.refused_by_the_database(error)
            raise _none_of_them(dict.fromkeys(self.order, refused), len(self.order)) from None
        for patient, places in _new_places(done.values()).items():
            patient.locations.add(*places)
        changed = {key: one for key, one in done.items() if one.step}
        booking.record_each([(one.appointment, one.step, one.detail) for one in changed.values()], by=self.by)
        if any(one.step == "rescheduled" for one in changed.values()):
            freed_time.tell()
        return {key: one.appointment for key, one in changed.items()}

    def _has_an_instant(self, key: str, wanted: Wanted) -> bool:
        try:
            booking.check_instant(wanted.starts_at)
        except RuleBroken as refused:
            self.faults[key] = refused
        return key not in self.faults

    def _going(self, now: Mapping[str, Wanted]) -> dict[str, Going]:
        found = {}
        for key, wanted in now.items():
            row = self.series_visits.get(key)
            if of := row.pk if row else wanted.moving and wanted.moving.series_visit_id:
                found[key] = Going(of, wanted.starts_at, wanted.moving)
        return found

    def _settle(self, key: str, wanted: Wanted, known: Known) -> _Settled:
        fresh, override_reason = wanted.moving, self.overrides.get(key, "")
        if fresh:
            if self.seen.get(key) not in (None, fresh.sequence):
                raise is_now(fresh)
            booking.check_movable(fresh)
        stays = booking.stands(wanted, wanted) and wanted.room in (None, fresh.room)
        if stays and not override_reason:
            return self._stays(wanted, known)
        rooms = booking.to_choose_from(wanted, self.rooms.get((wanted.location.pk, wanted.type.room_kind), []))
        room, overridden = booking.allowed(wanted, conflicts.find(wanted, rooms, known), self.by, override_reason)
        detail = {"overridden": overridden, **booking.reasons(self.reason, override_reason)}
        if stays and room == fresh.room:
            return self._stays(wanted, known, booking.AGREED if overridden else "", detail)
        known.take(wanted, room)
        if fresh is None:
            row = self.series_visits.get(key)
            fresh, step = Appointment(patient=wanted.patient, type=wanted.type, series_visit=row), "booked"
        else:
            detail |= booking.leave(fresh, wanted)
            step = "rescheduled"
        wanted = replace(wanted, room=room)
        return _Settled(wanted, booking.put(fresh, wanted), step, detail)

    def _stays(self, wanted: Wanted, known: Known, step: str = "", detail: dict | None = None) -> _Settled:
        visit = wanted.moving
        visit.practitioner, visit.location = wanted.practitioner, wanted.location
        known.take(wanted, visit.room)
        return _Settled(replace(wanted, room=visit.room), visit, step, detail or {})


def _require(wishes: Iterable[Wanted], by: User) -> None:
    for place in {w.location for w in wishes if not w.moving}:
        access.require(by, "appointment.create", place)
    for place in {place for w in wishes if w.moving for place in (w.moving.location, w.location)}:
        access.require(by, "appointment.change", place)
    patients = {w.patient.pk for w in wishes}
    if Patient.objects.visible_to(by).filter(pk__in=patients).count() != len(patients):
        raise Http404


def _lock(wishes: list[Wanted]) -> dict[tuple[int, str], list[Room]]:
    """Hold everybody's calendars until COMMIT; returns the open rooms by location and kind."""
    rooms = calendars.keep_open({w.location for w in wishes}, {w.type.room_kind for w in wishes})
    people = [person for w in wishes for person in (w.practitioner, w.moving and w.moving.practitioner) if person]
    every = [room for some in rooms.values() for room in some]
    calendars.lock(practitioners=people, rooms=every, patients=[wanted.patient for wanted in wishes])
    return rooms


def _read(visits: Mapping[str, Wanted], rooms: Mapping[tuple, list[Room]]) -> dict[str, Known]:
    """What stands round each, read once for all that are near each other."""
    every = [room for some in rooms.values() for room in some]
    runs: list[list[str]] = []
    for key in sorted(visits, key=lambda key: visits[key].starts_at):
        if runs and visits[key].starts_at - visits[runs[-1][-1]].starts_at <= APART:
            runs[-1].append(key)
        else:
            runs.append([key])
    found = {}
    for run in runs:
        found |= dict.fromkeys(run, Known.read([visits[key] for key in run], every))
    return {key: found[key] for key in visits}


def _new_places(done: Iterable[_Settled]) -> dict[Patient, set[Location]]:
    """Where patients come to be known: a visit that stays at its clinic tells nothing new."""
    found = defaultdict(set)
    for one in done:
        before = one.detail.get("was", {}).get("location")
        if one.step == "booked" or (one.step == "rescheduled" and before != one.wanted.location.pk):
            found[one.wanted.patient].add(one.wanted.location)
    return found
