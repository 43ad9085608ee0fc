"""Which reminders of visits are due: by the steps of type and location, outside of quiet hours, one mail for a day.

The visits of a patient on one day are one mail, due with the first of them, and so are those of a family that chose it.
Each is a part with a key of its own, so that a visit that moves is reminded of anew and the others are not.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import CharField, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat, Lower

from appointments.mails import reminder_steps
from appointments.mails.reminder_steps import Timed
from appointments.models import Appointment, AppointmentEvent
from clinic import outbox, times
from clinic.outbox import Due
from locations import mail_hours
from patients.models import Patient

KIND = "visit-reminder"
EXPECTED = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
PLACED = ("booked", "rescheduled")
_S = Appointment.Status


@dataclass(frozen=True)
class Reminded:
    visit: Appointment
    timed: Timed

    @property
    def day(self) -> date:
        return self.visit.local_start.date()


class Sweep:
    """What one sweep reads once: the steps, and when mails may go out where."""

    def __init__(self, at, since):
        self.at, self.since = at, since
        self.schedules = reminder_steps.Schedules()
        self.calm = mail_hours.load()

    def due(self) -> list[Due]:
        return [due for hours in self.schedules.hours() for due in self._of_step(hours)]

    def _of_step(self, hours: int) -> Iterable[Due]:
        found = [one for visit in self._visits(self._reach(hours), hours) if (one := self._due_now(visit, hours))]
        if not found:
            return []
        mails = defaultdict(dict)
        for one in found:
            mails[one.visit.patient_id, one.day][one.visit.pk] = one
        for one in self._on_the_same_days(found, hours):
            mails[one.visit.patient_id, one.day].setdefault(one.visit.pk, one)
        return [_mail(hours, those) for those in _joined([list(those.values()) for those in mails.values()])]

    def _reach(self, hours: int) -> Q:
        """Starts whose step may be due by now; a later instant than the step's own where it is moved earlier."""
        ahead = timedelta(hours=hours)
        by_latest = defaultdict(list)
        for location, calm in self.calm.items():
            by_latest[calm.last_moved_to(self.at)].append(location)
        reach = Q(pk=None)
        for latest, locations in by_latest.items():
            here = Q() if len(by_latest) == 1 else Q(location__in=locations)
            reach |= here & Q(starts_at__gt=self.since + ahead, starts_at__lte=latest + ahead)
        return reach

    def _visits(self, where: Q, hours: int) -> QuerySet:
        placed = AppointmentEvent.objects.filter(appointment=OuterRef("pk"), step__in=PLACED).order_by("-at", "-pk")
        found = Appointment.objects.filter(where, status__in=EXPECTED).annotate(
            placed_at=Coalesce(Subquery(placed.values("at")[:1]), "booked_at")
        )
        found = found.filter(placed_at__lt=F("starts_at") - timedelta(hours=hours))
        return outbox.not_yet_owed(found, _key(hours)).select_related("location", "patient").order_by("starts_at", "pk")

    def _timed(self, visit: Appointment, hours: int) -> Timed | None:
        steps = self.schedules.of(visit.type_id, visit.location_id)
        return reminder_steps.timed(steps, visit.starts_at, self.calm[visit.location_id]).get(hours)

    def _due_now(self, visit: Appointment, hours: int) -> Reminded | None:
        timed = self._timed(visit, hours)
        if timed is None or timed.due_at > self.at:
            return None
        if visit.placed_at >= timed.due_at:  # booked or moved since it was due: the notice has just said the same
            return None
        if timed.step.only_unconfirmed and visit.status == _S.CONFIRMED:
            return None
        return Reminded(visit, timed)

    def _on_the_same_days(self, found: list[Reminded], hours: int) -> Iterable[Reminded]:
        """The other visits of these patients on these days, which the same mail tells of before their own time."""
        days = {(one.visit.patient_id, one.day) for one in found} | _days_of_families(found)
        starts = [one.visit.starts_at for one in found]
        around = Q(
            patient__in={patient for patient, _ in days},
            starts_at__gte=min(starts) - timedelta(days=1),
            starts_at__lte=max(starts) + timedelta(days=1),
        )
        told = {one.visit.pk for one in found}
        for visit in self._visits(around, hours).exclude(pk__in=told):
            timed = self._timed(visit, hours)
            if timed and visit.starts_at > self.at and (visit.patient_id, visit.local_start.date()) in days:
                yield Reminded(visit, timed)


def _days_of_families(found: list[Reminded]) -> set[tuple[int, date]]:
    """Everybody at the address of somebody who is reminded now, where both chose to get their mails together."""
    days = defaultdict(set)
    for one in found:
        if one.visit.patient.has_joint_mails and one.visit.patient.email:
            days[one.visit.patient.email.lower()].add(one.day)
    if not days:
        return set()
    relatives = Patient.objects.annotate(folded=Lower("email")).filter(folded__in=days, has_joint_mails=True)
    return {(pk, day) for pk, folded in relatives.values_list("pk", "folded") for day in days[folded]}


def _joined(mails: list[list[Reminded]]) -> list[list[Reminded]]:
    """As they are, but those of one day to one address together, where the patients chose so."""
    joint, found = defaultdict(list), []
    for those in mails:
        patient = those[0].visit.patient
        if patient.has_joint_mails and patient.email:
            joint[patient.email.lower(), those[0].day].extend(those)
        else:
            found.append(those)
    return [*found, *joint.values()]


def _mail(hours: int, those: list[Reminded]) -> Due:
    those = sorted(those, key=lambda one: (one.visit.starts_at, one.visit.pk))
    first = those[0]
    patient_id = first.visit.patient_id
    due_at = min(one.timed.due_at for one in those)
    if len(those) == 1:
        return Due(
            key_of(first.visit.pk, hours, first.visit.start_minute), KIND, "appointments.appointment", first.visit.pk,
            patient_id, due_at, first.timed.useless_after, _told(first), (_part(first, hours),),
        )  # fmt: skip
    news = [{**_told(one), "kind": KIND, "visit": one.visit.pk, "last": one.visit.start_minute} for one in those]
    return Due(
        f"patient:{patient_id}:reminder-{hours}h:{first.visit.pk}:{first.visit.start_minute}", KIND,
        "patients.patient", patient_id, patient_id, due_at, max(one.timed.useless_after for one in those),
        {"news": news}, tuple(_part(one, hours) for one in those),
        {_part(one, hours): one.visit.patient_id for one in those},
    )  # fmt: skip


def _told(one: Reminded) -> dict:
    return {"hours": one.timed.step.hours, "only_unconfirmed": one.timed.step.only_unconfirmed}


def _part(one: Reminded, hours: int) -> str:
    return key_of(one.visit.pk, hours, one.visit.start_minute)


def key_of(visit: int, hours: int, start_minute: int) -> str:
    return f"appointment:{visit}:reminder-{hours}h:{start_minute}"


def _key(hours: int):
    text = CharField()
    return Concat(
        Value("appointment:"), Cast("pk", text), Value(f":reminder-{hours}h:"), Cast("start_minute", text),
        output_field=text,
    )  # fmt: skip


def overtaken(told: dict, visit: Appointment) -> str:
    """Why a reminder is wrong by the visit as it is now, or nothing."""
    if visit.status not in EXPECTED:
        return f"The visit is {visit.get_status_display().lower()}."
    if visit.start_minute != told["last"]:
        return "The visit was moved since."
    if told.get("only_unconfirmed") and visit.status == _S.CONFIRMED:
        return "The patient has confirmed it."
    if visit.starts_at <= times.now():
        return "Its time had passed before it could be sent."
    return ""
