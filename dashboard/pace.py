"""Who under a running plan is behind or lost: a list for the desk, judged by `careplans/progress.py`. Reads only.

A line leaves the list when the plan is on pace again or ends; a call takes it away until its day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, F, OuterRef, Subquery

from appointments.mails import follow_ups
from appointments.models import FollowUp
from careplans import progress
from careplans.models import CarePlan
from careplans.progress import LOST, ON_PACE, Progress
from clinic.models import User
from evaluations.models import RedFlagEvent
from locations.models import Location

ABOUT = FollowUp.About.PACE
SHOWN = 100


@dataclass(frozen=True)
class Line:
    """A plan that is not on pace; `last_call` in words, empty when nobody called."""

    row: CarePlan
    progress: Progress
    last_call: str

    @property
    def patient(self):
        return self.row.patient


def lagging(locations: Iterable[Location], user: User) -> list[tuple[int, Progress]]:
    """(id of the plan, how it goes on), the lost before those behind, each seen longest ago first. Three queries."""
    running = CarePlan.objects.filter(status=CarePlan.Status.ACTIVE, location__in=list(locations))
    # Whose care is stopped by an open red flag is not asked to come: a clinician resolves it first.
    stopped = RedFlagEvent.objects.filter(patient=OuterRef("patient"), resolved_at=None)
    mine = running.visible_to(user, "appointment.read").exclude(Exists(stopped)).annotate(since=F("activated_at"))
    waiting = follow_ups.waiting_patients(mine, ABOUT, locations, since="since")
    found = progress.of(waiting, among=running)
    return sorted(((pk, one) for pk, one in found.items() if one.pace != ON_PACE), key=_urgency)


def _urgency(one):
    pk, so_far = one
    last = so_far.visits.last_on
    return so_far.pace != LOST, last or date.min, pk


def lines(locations: Iterable[Location], user: User) -> tuple[list[Line], int]:
    """The first lines, and how many there are in all. Four queries, however many plans run."""
    locations = list(locations)
    found = lagging(locations, user)
    first = dict(found[:SHOWN])
    calls = FollowUp.objects.filter(about=ABOUT, patient=OuterRef("patient"), at__gt=OuterRef("activated_at"))
    last = Subquery(calls.order_by("-at", "-pk").values("result")[:1])
    rows = CarePlan.objects.filter(pk__in=first).with_names().annotate(last_result=last)
    by_pk = {row.pk: row for row in rows}
    labels = dict(FollowUp.Result.choices)
    return [Line(by_pk[pk], one, labels.get(by_pk[pk].last_result, "")) for pk, one in first.items()], len(found)
