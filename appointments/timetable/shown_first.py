"""Time is taken away by a script: what that hits is answered first, and nothing is changed until it is confirmed."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from appointments.models import Appointment
from appointments.visit_json import AppointmentOut
from clinic.errors import RuleBroken
from locations.kept_times import Agreed, TimesKept


@dataclass(frozen=True)
class Done:
    """What the rule made, and the rows of JSON of what it hit: visits to move, offers that were taken back."""

    made: Any
    visits: list[dict]
    offers: list[dict]


@transaction.atomic
def change(rule: Callable[[Agreed], Any], hits: Callable[[Any], Collection[Appointment]], *, confirm: bool) -> Done:
    """Run `rule(agreed)`. Raises RuleBroken `in_the_way` where it hits something and that is not confirmed.

    Then it was done and undone again: so what is listed is what it would hit, and not what another rule guesses.
    """
    offers = []
    try:
        with transaction.atomic():
            made = rule(())
    except TimesKept as kept:
        offers = kept.in_the_way["offers"]
        made = rule(None)
    visits = AppointmentOut(list(hits(made)), many=True).data
    if (visits or offers) and not confirm:
        raise _in_the_way(visits, offers)
    return Done(made, visits, offers)


def _in_the_way(visits, offers) -> RuleBroken:
    counts = ((len(visits), "visit", "to move"), (len(offers), "offer", "to take back"))
    found = " and ".join(f"{count} {what}{'' if count == 1 else 's'} {do}" for count, what, do in counts if count)
    refused = RuleBroken(f"Nothing was changed: {found}. Send it again with `confirm`.", code="in_the_way")
    refused.in_the_way = {"visits": visits, "offers": offers}
    return refused
