"""Evaluations that nobody has signed yet: one's own, and for managers those of their clinics. Reads only."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet

from clinic import times
from clinic.models import User
from evaluations.models import Evaluation
from locations import access

SIGN_WITHIN = timedelta(days=1)  # reference 4.8
SHOWN = 100


@dataclass(frozen=True)
class Line:
    """`age` in words; `may_open` where the record itself is open to the reader, who else sees only that it waits."""

    evaluation: Evaluation
    started: object
    age: str
    is_late: bool
    is_mine: bool
    may_open: bool


def waiting(user: User) -> QuerySet:
    """What waits for a signature, the oldest first."""
    managed = access.location_ids(user, "evaluation.unsigned", own=False)
    theirs = Q(location__isnull=False) if managed is None else Q(location__in=managed)
    mine = Q(started_by=user) & Q(pk__in=Evaluation.objects.visible_to(user, "evaluation.write").values("pk"))
    return Evaluation.objects.filter(mine | theirs, signed_at=None).order_by("started_at", "pk")


def lines(user: User) -> list[Line]:
    """Two queries, however many wait."""
    now = times.now()
    rows = list(waiting(user).select_related("patient", "location", "started_by")[:SHOWN])
    ids = [row.pk for row in rows]
    open_ = set(Evaluation.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True))
    return [
        Line(
            row,
            times.local(row.started_at, row.location.time_zone),
            age_in_words(now - row.started_at),
            now - row.started_at > SIGN_WITHIN,
            row.started_by_id == user.pk,
            row.pk in open_,
        )
        for row in rows
    ]


def age_in_words(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    count, unit = (hours // 24, "day") if hours >= 24 else (hours, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}" if count else "under an hour"
