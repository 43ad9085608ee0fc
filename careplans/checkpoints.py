"""When a plan is looked at again, and what an overdue re-evaluation stops (clinical reference 4.3). Pure.

The checkpoint is due on a day or with the nth fulfilled visit, counted from the start or from the latest evaluation,
whichever comes first: in active care within 30 days or 12 visits, in supportive care within 90 days or 6 visits, or
what the settings of the group say. A plan may name less for the care that it begins with, never more.

Care is supportive once the visits of all active phases took place or were let go when the counting began. So who goes
over to supportive care between two evaluations is still looked at after the shorter time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings

from careplans.models import Phase

SUPPORTIVE = frozenset({Phase.Kind.STABILISATION})


@dataclass(frozen=True)
class Limit:
    """After so many days or fulfilled visits at the latest."""

    days: int
    visits: int

    def stricter(self, days: int | None, visits: int) -> "Limit":
        return Limit(min(self.days, self.days if days is None else days), min(self.visits, visits))


def limit(*, is_supportive: bool) -> Limit:
    return Limit(*(settings.REEVALUATE_SUPPORTIVE if is_supportive else settings.REEVALUATE_ACTIVE))


def limit_of(kinds: Iterable[str]) -> Limit:
    """For a plan of these phases, from its start on."""
    return limit(is_supportive=begins_supportive(kinds))


def begins_supportive(kinds: Iterable[str]) -> bool:
    """Nothing but supportive phases; a plan without phases counts as active care."""
    kinds = set(kinds)
    return bool(kinds) and kinds <= SUPPORTIVE


@dataclass(frozen=True)
class Checkpoint:
    """`visits_left` until the nth visit; 0 when that took place, on `due_on` or later."""

    due_on: date
    visits_left: int
    days_left: int

    @property
    def is_due(self) -> bool:
        return self.days_left <= 0

    @property
    def is_overdue(self) -> bool:
        return self.days_left < 0

    @property
    def stops_more(self) -> bool:
        """So long overdue that the plan gets no further visits; those on the calendar are finished."""
        return -self.days_left > settings.REEVALUATION_GRACE_DAYS

    @property
    def words(self) -> str:
        return f"{in_days(-self.days_left)} overdue" if self.is_overdue else _ahead(self.days_left)


def due(
    *,
    starts_on: date,
    within: Limit,
    evaluated_on: date | None,
    nth_on: date | None,
    since: int,
    today: date,
) -> Checkpoint:
    """`since` visits were fulfilled since the start or the latest evaluation, the nth of them on `nth_on`."""
    until = (evaluated_on or starts_on) + timedelta(days=within.days)
    due_on = min(until, nth_on) if nth_on else until
    return Checkpoint(due_on, max(within.visits - since, 0), (due_on - today).days)


def in_days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _ahead(days: int) -> str:
    return "today" if days == 0 else f"in {in_days(days)}"
