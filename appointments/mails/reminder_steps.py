"""How often and how long before a visit patients are reminded: the only writer of ReminderSchedule and ReminderStep.

The nearest schedule counts, whole: of the type at the location, else of the type, else of the location, else of all.
Nothing is planned ahead, so that a change holds at once for every visit of which nobody was reminded yet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction

from appointments.models import MOST_HOURS, AppointmentType, ReminderSchedule, ReminderStep
from clinic import audit
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access
from locations.mail_hours import Calm
from locations.models import Location

MOST_STEPS = 6


@dataclass(frozen=True)
class Step:
    hours: int
    only_unconfirmed: bool = False

    def __str__(self):
        ahead = f"{self.hours // 24} days" if self.hours >= 48 and self.hours % 24 == 0 else f"{self.hours} hours"
        return f"{ahead} before, if not confirmed" if self.only_unconfirmed else f"{ahead} before"


@dataclass(frozen=True)
class Timed:
    """A step of one visit: when it is due, and from when on it says nothing new."""

    step: Step
    due_at: datetime
    useless_after: datetime


DEFAULT = (Step(48), Step(2))


class Schedules:
    """All of them, read once."""

    def __init__(self):
        self._steps = {
            (row.type_id, row.location_id): tuple(Step(s.hours_before, s.only_unconfirmed) for s in row.steps.all())
            for row in ReminderSchedule.objects.prefetch_related("steps")
        }

    def of(self, type_id: int | None, location_id: int | None) -> tuple[Step, ...]:
        """The steps, the earliest first."""
        for key in ((type_id, location_id), (type_id, None), (None, location_id), (None, None)):
            if key in self._steps:
                return self._steps[key]
        return DEFAULT

    def hours(self) -> list[int]:
        """Every number of hours that some step has, the longest first."""
        every = {step.hours for steps in [*self._steps.values(), self.of(None, None)] for step in steps}
        return sorted(every, reverse=True)


def timed(steps: Sequence[Step], starts_at: datetime, calm: Calm) -> dict[int, Timed]:
    """By its hours, when each step of a visit is due: moved earlier out of quiet hours, never later.

    A step that the next shorter one overtakes (both moved to before the same holiday, say) is left out; a step for
    those who have not confirmed overtakes nothing.
    """
    found, until = {}, starts_at
    for step in sorted(steps, key=lambda one: one.hours):
        due_at = calm.earlier(starts_at - timedelta(hours=step.hours))
        if due_at < until:
            found[step.hours] = Timed(step, due_at, until)
            if not step.only_unconfirmed:
                until = due_at
    return found


@transaction.atomic
def set_steps(
    steps: Iterable[Step], *, type: AppointmentType | None, location: Location | None, by: User
) -> ReminderSchedule:
    """Replace the steps of a type, at a location, or of all. None at all means no reminders there."""
    _require(location, by)
    wanted = sorted(steps, key=lambda one: -one.hours)
    _check(wanted)
    schedule, _ = ReminderSchedule.objects.get_or_create(type=type, location=location)
    schedule = ReminderSchedule.objects.select_for_update().get(pk=schedule.pk)
    schedule.steps.all().delete()
    ReminderStep.objects.bulk_create(
        ReminderStep(schedule=schedule, hours_before=one.hours, only_unconfirmed=one.only_unconfirmed) for one in wanted
    )
    audit.record(
        "reminders.set", on=schedule, by=by, type=type.slug if type else "", location=location.slug if location else "",
        steps=[str(one) for one in wanted],
    )  # fmt: skip
    return schedule


@transaction.atomic
def forget(schedule: ReminderSchedule, *, by: User) -> None:
    """From now on the next wider schedule counts there."""
    _require(schedule.location, by)
    audit.record(
        "reminders.forgotten", on=schedule, by=by, type=schedule.type.slug if schedule.type else "",
        location=schedule.location.slug if schedule.location else "",
    )  # fmt: skip
    schedule.delete()


def _require(location, by):
    """For a type everywhere, and for all, a role for the group."""
    if location is not None:
        access.require(by, "location.change", location)
    elif access.location_ids(by, "type.change") is not None:
        raise PermissionDenied


def _check(steps):
    hours = [one.hours for one in steps]
    message = ""
    if len(steps) > MOST_STEPS:
        message = f"At most {MOST_STEPS} reminders of one visit."
    elif any(not 1 <= one <= MOST_HOURS for one in hours):
        message = f"A reminder goes 1 to {MOST_HOURS} hours before the visit."
    elif len(set(hours)) < len(hours):
        message = "Two reminders at the same number of hours."
    if message:
        raise RuleBroken(message, code="invalid", fields={"steps": message}, status=400)
