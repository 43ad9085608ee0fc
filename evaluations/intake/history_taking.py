"""Going through the intake with the patient: what is answered is kept, and this evaluation keeps what was confirmed.

The answers are the patient's (`patients/intake.py` writes them); the evaluation holds a copy of them as they stood when
the clinician saved them, so that what is signed does not change with later answers.
"""

from collections.abc import Mapping

from django.db import transaction

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from evaluations import recording
from evaluations.entry import drafts
from evaluations.intake import told_meanwhile
from evaluations.models import Evaluation
from evaluations.safety import automatic_flags, red_flags
from patients import intake
from patients.models import Intake


def answers_for(evaluation: Evaluation) -> tuple[dict, int]:
    """The answers and the version to save them with: of a signed evaluation those confirmed, else the patient's."""
    if evaluation.is_signed:
        return (evaluation.intake or {}).get("answers", {}), 0
    kept = Intake.objects.filter(patient=evaluation.patient).first()
    return (kept.answers, kept.version) if kept else ({}, 0)


@transaction.atomic
def confirm(evaluation: Evaluation, answers: dict, *, version: int, by: User, seconds: int | None = None) -> list[str]:
    """Keep new answers, copy all of them into the evaluation, and raise the flags that follow; gives their codes.

    `seconds` are those that the history took until now, where somebody counted them. `version` is that of the answers
    that were read, 0 where there were none. Raises RuleBroken `signed`, `stale` with both versions (`told_meanwhile`)
    and `invalid` (400) with the path of each fault.
    """
    current = drafts.held(evaluation, by=by)
    kept = _kept(current, answers, version, by)
    current.intake = {
        "answers": kept.answers,
        "version": kept.version,
        "confirmed_at": times.local(times.now(), current.location.time_zone).isoformat(),
        "confirmed_by": by.pk,
    }
    current.section_seconds = recording.clocks(
        current.section_seconds, None if seconds is None else {"history": seconds}
    )
    current.version += 1
    columns = ["intake", "section_seconds", "version"]
    current.save(update_fields=columns)
    for name in columns:
        setattr(evaluation, name, getattr(current, name))
    opened = red_flags.raise_automatic(current, automatic_flags.flags_of_intake(kept.answers), by=by)
    audit.record("intake.confirmed", on=current, by=by, version=kept.version)
    return [event.code for event in opened]


def _kept(evaluation, answers, version, by) -> Intake:
    known = Intake.objects.filter(patient=evaluation.patient).first()
    if known and not answers and version == known.version:
        return known  # nothing new: confirmed as it stands
    if type(version) is not int:
        message = "Give the version that was read."
        raise RuleBroken(message, code="invalid", fields={"version": message}, status=400)
    try:
        return intake.record(evaluation.patient, answers, by=by, version=version)
    except RuleBroken as broken:
        if broken.code != "stale":
            raise
        kept = Intake.objects.select_related("changed_by").get(patient=evaluation.patient)
        raise told_meanwhile.refusal(evaluation, kept, answers, by=by) from None


def confirmed(evaluation: Evaluation) -> Mapping:
    """The answers this evaluation rests on; empty where nobody went through them."""
    return (evaluation.intake or {}).get("answers", {})
