"""Tests that are left out while a red flag is open: the flexion-rotation test, which bends the neck all the way, and
the orthopaedic and ligament tests, which come last and only if nothing is open (reference 2c and 2d).

What was done all the same is kept and asked about; what was not is deferred for safety, which is a status of its own.
"""

from collections.abc import Iterable

from django.db import transaction

from clinic import audit
from clinic.errors import RuleBroken
from clinic.models import User
from evaluations import catalogue, finding_rows
from evaluations.entry import drafts
from evaluations.models import Evaluation, RedFlagEvent
from evaluations.safety import red_flags

TESTS = tuple(
    entry.code
    for entry in catalogue.FINDINGS.values()
    if entry.code in {"frt", "frt_pain"} or entry.section == "neuro_orthopaedic"
)


def reason(events: Iterable[RedFlagEvent]) -> str:
    """Why the tests are left out, naming the flags; empty while nothing but cautions is open."""
    labels = [event.label for event in events if event.tier in {"emergency", "urgent"}]
    return f"Red flag open: {'; '.join(labels)}"[:500] if labels else ""


def warning(evaluation: Evaluation, codes: Iterable[str]) -> str:
    """What to ask of whoever recorded one of the tests as done; asks the database only for these."""
    if set(codes).isdisjoint(TESTS) or not (why := reason(red_flags.open_events(evaluation.patient))):
        return ""
    return f"{why}. This test is left out while it is open. Was it done?"


@transaction.atomic
def defer(evaluation: Evaluation, *, by: User) -> int:
    """Record the tests that have no status yet as deferred for safety; returns how many."""
    current = drafts.held(evaluation, by=by)
    why = reason(red_flags.open_events(current.patient))
    if not why:
        raise RuleBroken("No red flag is open that these tests are left out for.", code="no_red_flag")
    rest = finding_rows.unrecorded(current, TESTS, reason=why)
    if rest:
        finding_rows.write(current, rest, by=by)
        current.version += 1
        current.save(update_fields=["version"])
        audit.record("evaluation.tests_deferred", on=current, by=by, codes=sorted({one.code for one in rest}))
    evaluation.version = current.version
    return len(rest)
