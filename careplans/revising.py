"""Saying something else in a plan than was agreed: a new version, with the old one readable. Also while it runs.

What happened stays: visits that took place, are on the calendar, were missed or let go fill the first phases of the
new version, and only what is yet to come is wanted anew. Who read an older version than the one that stands is told
what changed meanwhile.
"""

from dataclasses import replace

from django.db import transaction

from appointments.recurring import patterns
from appointments.recurring import series as visits
from careplans import blocks, planning, progress, versions
from careplans.models import CarePlan
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import checked_reason
from locations import access
from locations.models import Location, Practitioner

# What every plan that runs has; the others of `blocks` are asked when it begins, or stop it as they stand.
ALWAYS = {"no_goal", "no_patient_reported_goal", "no_checkpoint", "no_clinician"}


@transaction.atomic
def revise(
    plan: CarePlan, *, seen: int, by: User, practitioner: Practitioner, location: Location, reason: str = "", **said
) -> CarePlan:
    """Replace all that the plan says by a new version. `seen` is the number of the version that was read; `reason` is
    needed once the plan has begun.

    What the patient agreed to was something else, so the plan is to be agreed to again. Raises RuleBroken naming what
    is wrong; `changed_meanwhile` with `conflict` where somebody else was first.
    """
    plan = planning.locked(plan, by=by, needs=planning.UNDER_WAY, step="revise")
    access.require(by, "careplan.write", location)
    refuse_changed(plan, seen)
    runs = not plan.is_draft
    reason = checked_reason(reason, needed="Say why the plan is changed." if runs else "", most=500)
    contents = planning.checked(
        said, location, practitioner, plan.evaluation, begun_on=plan.starts_on if runs else None,
        restricted=plan.restrictions,
    )  # fmt: skip
    versions.keep(plan, by=plan.created_by)
    wanted_before = sum(phase.visit_count for phase in plan.phases.all())
    planning.rewrite(plan, contents, location, practitioner)
    if runs:
        _go_on(plan, wanted_before, by)
    versions.write(plan, by=by, reason=reason)
    planning.record(plan, "revised", by=by, reason=reason)
    return plan


def refuse_changed(plan: CarePlan, seen: int) -> None:
    """409 with what changed since the version that was read."""
    if seen == plan.version:
        return
    if not 1 <= seen < plan.version:
        message = f"The plan has {plan.version} version{'' if plan.version == 1 else 's'}."
        raise RuleBroken(message, code="invalid", fields={"version": message}, status=400)
    latest, read = versions.latest(plan), plan.versions.filter(number=seen).first()
    when = times.spoken(latest.written_at, plan.location.time_zone, year=False) if latest else ""
    who = latest.written_by if latest else "Somebody"
    broken = RuleBroken(
        f"{who} changed this plan{' on ' if when else ''}{when}, after it was read.",
        code="changed_meanwhile",
        fields={"version": f"It is now version {plan.version}."},
    )
    broken.conflict = {
        "version": plan.version,
        "saved_by": latest and str(latest.written_by),
        "saved_at": latest and times.local(latest.written_at, plan.location.time_zone).isoformat(),
        "reason": latest.reason if latest else "",
        "changes": versions.changes(read.document, latest.document) if read and latest else [],
    }
    raise broken


def _extend(plan: CarePlan, more: int, wanted_before: int, by: User) -> None:
    """More visits than were agreed are the one extension, of at most the same length, however they are asked for."""
    if plan.history.filter(step="extended").exists():
        message = "The plan was extended once already: let it end, and write a new one."
        raise RuleBroken(message, code="extended_before", fields={"phases": message})
    if more > wanted_before:
        message = f"A plan is extended by at most its own length: {wanted_before} more visits."
        raise RuleBroken(message, code="too_many_visits", fields={"phases": message})
    planning.record(plan, "extended", by=by, reason=f"By {more} visits, with the revision.")


def _go_on(plan: CarePlan, wanted_before: int, by: User) -> None:
    """The visits of a plan that runs, brought in step with what it says now."""
    planning.refuse([block for block in blocks.of(plan) if block.code in ALWAYS])
    if plan.series is None:
        return
    more = sum(phase.visit_count for phase in plan.phases.all()) - wanted_before
    if more > 0:
        planning.refuse([*blocks.of_running(plan), *blocks.of_more(plan)])
        _extend(plan, more, wanted_before, by)
    usual = planning.pattern_of(plan, has_checkpoint=plan.series.checkpoint_type_id is not None)
    kept = plan.series.as_pattern
    days_do = not patterns.weekdays_fault(kept.weekdays, usual.stretches)
    pattern = replace(usual, at_time=kept.at_time, weekdays=kept.weekdays if days_do else usual.weekdays)
    visits.refit(plan.series, pattern, practitioner=plan.practitioner, location=plan.location, by=by)
    if plan.is_active:
        visits.want_checkpoint(plan.series, on=progress.of_plan(plan).checkpoint.due_on, by=by)
