"""The home programme as the patient keeps it: yes or no for each exercise and day. The only writer of HomeAnswer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from careplans.models import CarePlan, HomeAnswer, Intervention
from clinic import audit, times
from clinic.errors import RuleBroken
from evaluations import interventions

BACK = 7  # days that can still be answered, today included: who remembers more?
SPAN = 28


@dataclass(frozen=True)
class Kept:
    """Of the last SPAN days: on how many something was answered, and the share of the answers that is yes."""

    days: int
    percent: int | None


def exercises(plan: CarePlan) -> list[Intervention]:
    """What the plan asks for at home; free words have no place to tick."""
    rows = plan.interventions.all()
    return [row for row in rows if row.code in interventions.KNOWN and interventions.KNOWN[row.code].is_home
            and row.code != "other"]  # fmt: skip


def days(plan: CarePlan) -> list[date]:
    """The days that can be answered now, the latest first; none before the plan starts."""
    today = plan.location.today()
    return [day for n in range(BACK) if (day := today - timedelta(days=n)) >= plan.starts_on]


@transaction.atomic
def answer(plan: CarePlan, day: date, done: Mapping[str, bool]) -> None:
    """The patient says what was done on the day; said again, the last word counts."""
    plan = CarePlan.objects.select_for_update(of=("self",)).with_names().get(pk=plan.pk)
    if plan.status not in {CarePlan.Status.ACTIVE, CarePlan.Status.ON_HOLD}:
        raise RuleBroken("The plan does not run: there is nothing to answer.", code="wrong_status")
    if day not in days(plan):
        message = f"Only the last {BACK} days of the plan can be answered."
        raise RuleBroken(message, code="out_of_range", fields={"day": message}, status=400)
    known = {row.code for row in exercises(plan)}
    if set(done) - known:
        message = "This is not part of your home programme."
        raise RuleBroken(message, code="unknown_code", fields={"done": message}, status=400)
    now = times.now()
    for code, is_done in sorted(done.items()):
        HomeAnswer.objects.update_or_create(
            plan=plan, code=code, day=day, defaults={"is_done": is_done, "entered_at": now}
        )
    audit.record("care_plan.home_answered", on=plan, by_whom="patient", day=day.isoformat())


def kept(plan: CarePlan) -> Kept:
    since = plan.location.today() - timedelta(days=SPAN)
    found = list(plan.home_answers.filter(day__gt=since).values_list("day", "is_done"))
    if not found:
        return Kept(0, None)
    return Kept(len({day for day, _ in found}), 100 * sum(is_done for _, is_done in found) // len(found))
