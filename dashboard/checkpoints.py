"""Re-evaluations that are due: one's own plans, and for who manages those of the clinics. Reads only."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef

from appointments.models import Appointment
from careplans import progress, unjudged
from careplans.models import CarePlan
from careplans.progress import Progress
from clinic import times
from clinic.models import User

AHEAD = timedelta(days=7)
SHOWN = 100


@dataclass(frozen=True)
class Line:
    """`waits` where a signed evaluation waits for the decision; `is_booked` where one is on the calendar."""

    row: CarePlan
    progress: Progress
    waits: bool
    is_booked: bool
    is_mine: bool


def lines(user: User, *, mine_only: bool) -> tuple[list[Line], int]:
    """What is overdue first; those of the next seven days and those with so many visits left follow."""
    running = CarePlan.objects.filter(status=CarePlan.Status.ACTIVE).visible_to(user)
    if mine_only:
        running = running.filter(practitioner__user=user)
    found = progress.of(running)
    due = {pk: one for pk, one in found.items() if one.checkpoint.days_left <= AHEAD.days or one.checkpoint.is_due}
    waiting = set(unjudged.plans_among(running).values_list("pk", flat=True))
    wanted = sorted({*due, *waiting}, key=lambda pk: (found[pk].checkpoint.days_left, pk))
    ahead = Appointment.objects.holding_time().filter(
        patient=OuterRef("patient"), type__is_evaluation=True, starts_at__gt=times.now()
    )
    rows = CarePlan.objects.filter(pk__in=wanted[:SHOWN]).with_names().annotate(is_booked=Exists(ahead))
    by_pk = {row.pk: row for row in rows}
    return [
        Line(by_pk[pk], found[pk], pk in waiting, by_pk[pk].is_booked, by_pk[pk].practitioner.user_id == user.pk)
        for pk in wanted[:SHOWN]
    ], len(wanted)
