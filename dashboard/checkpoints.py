"""Plans to look at again, or to have agreed to: one's own, and for who manages those of the clinics. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef

from appointments.models import Appointment
from careplans import agreeing, progress, unjudged
from careplans.models import CarePlan
from careplans.progress import Progress
from clinic import times
from clinic.models import User

AHEAD = timedelta(days=7)
SHOWN = 100


@dataclass(frozen=True)
class Line:
    """`waits` where a signed evaluation waits for the decision; `is_booked` where one is on the calendar; `changed` is
    what the patient has not agreed to yet.
    """

    row: CarePlan
    progress: Progress
    waits: bool
    is_booked: bool
    is_mine: bool
    changed: tuple[str, ...] = ()


def lines(user: User, *, mine_only: bool) -> tuple[list[Line], int]:
    """What is overdue first; those of the next seven days and those with so many visits left follow."""
    running = CarePlan.objects.filter(status=CarePlan.Status.ACTIVE).visible_to(user)
    if mine_only:
        running = running.filter(practitioner__user=user)
    found = progress.of(running)
    due = {pk: one for pk, one in found.items() if one.checkpoint.days_left <= AHEAD.days or one.checkpoint.is_due}
    waiting = set(unjudged.plans_among(running).values_list("pk", flat=True))
    unagreed = {pk: what for pk, what in agreeing.among(agreeing.unsigned(running)).items() if pk in found}
    wanted = sorted({*due, *waiting, *unagreed}, key=lambda pk: (found[pk].checkpoint.days_left, pk))
    ahead = Appointment.objects.holding_time().filter(
        patient=OuterRef("patient"), type__is_evaluation=True, starts_at__gt=times.now()
    )
    rows = CarePlan.objects.filter(pk__in=wanted[:SHOWN]).with_names().annotate(is_booked=Exists(ahead))
    by_pk = {row.pk: row for row in rows}
    return [
        _line(by_pk[pk], user, progress=found[pk], waits=pk in waiting, changed=unagreed.get(pk, ()))
        for pk in wanted[:SHOWN]
    ], len(wanted)


def _line(row: CarePlan, user: User, *, progress: Progress, waits: bool, changed: Iterable[str]) -> Line:
    is_mine = row.practitioner.user_id == user.pk
    return Line(row, progress, waits, row.is_booked, is_mine, tuple(what.lower() for what in changed))
