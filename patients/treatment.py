"""Whom a clinician treats: whose clinical record may be read and written, beyond what the role alone allows.

A patient is treated at a location while something ties the two: being registered there, a visit, an examination, within
REACH of now, or a plan that runs. Packages add the ties they know of from `apps.py`. Who is needed without such a tie
opens the chart with a reason (`chart_opening.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinic import times

REACH = timedelta(days=366)


@dataclass(frozen=True)
class Asked:
    """Where the role is held, as location ids or None for everywhere, and the span that counts."""

    places: set[int] | None
    since: datetime
    until: datetime

    def at(self, path: str) -> Q:
        return Q() if self.places is None else Q(**{f"{path}__in": self.places})


Tie = Callable[[Asked, OuterRef], QuerySet]
_ties: list[Tie] = []


def add(tie: Tie) -> None:
    """`tie(asked, patient)` gives the rows that tie the patient to one of the places."""
    if tie not in _ties:
        _ties.append(tie)


def is_tied(places: set[int] | None, path: str) -> Q:
    """For a filter: whether the patient at `path` is treated at one of the places."""
    now = times.now()
    asked = Asked(places, now - REACH, now + REACH)
    tied = Q(pk__in=[])
    for tie in _ties:
        tied |= Q(Exists(tie(asked, OuterRef(path))))
    return tied
