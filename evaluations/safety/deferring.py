"""Tests that are left out while a red flag is open: the flexion-rotation test, which bends the neck all the way, and
the orthopaedic and ligament tests, which come last and only if nothing is open (reference 2c and 2d).

What was done before is kept. What is done all the same is refused while an emergency is open or after the evaluation
was stopped, and asked about while any other flag is open; the rest is deferred for safety, a status of its own.
"""

from collections.abc import Iterable

from django.db import transaction

from clinic import audit
from clinic.errors import RuleBroken
from clinic.models import User
from evaluations import catalogue, finding_rows
from evaluations.entry import drafts
from evaluations.models import Evaluation, RedFlagEvent
from evaluations.readings import HasReading
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


def refuse(evaluation: Evaluation, checked: Iterable[HasReading], stored: Iterable[HasReading]) -> None:
    """Raises RuleBroken `red_flag_open` naming each test that is recorded as done now although it must not be.

    What was recorded before may be corrected; a flag that the same save raises comes too late for it.
    """
    done = {one.key for one in stored if one.status == "assessed"}
    new = {
        n: one.code
        for n, one in enumerate(checked)
        if one.code in TESTS and one.status == "assessed" and one.key not in done
    }
    if not new or not (why := _must_not(evaluation)):
        return
    fields = {f"findings.{n}.value": f"{why} Record it as deferred for safety." for n in new}
    labels = dict.fromkeys(catalogue.FINDINGS[code].label for code in new.values())
    raise RuleBroken(f"No {', '.join(labels)}: {why}", code="red_flag_open", fields=fields)


def _must_not(evaluation) -> str:
    if evaluation.status == Evaluation.Status.STOPPED:
        return "The evaluation was stopped for safety."
    codes = red_flags.emergencies_of(red_flags.open_events(evaluation.patient))
    return f"“{catalogue.RED_FLAGS[codes[0]].label}” is not resolved." if codes else ""


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
