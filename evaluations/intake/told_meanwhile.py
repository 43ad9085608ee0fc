"""Somebody kept other answers to the intake after they were read: who and when, and both versions of what differs."""

from collections.abc import Iterator, Mapping

from clinic import times
from clinic.errors import RuleBroken
from clinic.models import User
from evaluations.intake.intake_form import ITEMS, ROW_LABELS, at
from evaluations.models import Evaluation
from patients.models import Intake


def refusal(evaluation: Evaluation, kept: Intake, answers: object, *, by: User) -> RuleBroken:
    """The refusal of answers that `by` sent for an older version, with the `conflict` of `saved_meanwhile.refusal`.

    Each item is named by the path of its answer; who told what is known of the last save alone.
    """
    zone = evaluation.location.time_zone
    who = "You yourself, in another tab or on another device," if kept.changed_by == by else kept.changed_by
    broken = RuleBroken(
        f"{who or 'The patient'} saved these answers on {times.spoken(kept.changed_at, zone, year=False)}, after they"
        " were read.",
        code="stale",
        fields={"version": f"It is now {kept.version}."},
    )
    broken.conflict = {
        "version": kept.version,
        "saved_by": str(kept.changed_by) if kept.changed_by else None,
        "saved_at": times.local(kept.changed_at, zone).isoformat(),
        "items": list(_items(answers, kept.answers)),
    }
    return broken


def _items(sent, kept: Mapping) -> Iterator[dict]:
    if not isinstance(sent, Mapping):
        return
    labels = {path: item.label for path, item in ITEMS.items()} | ROW_LABELS
    for path, label in labels.items():
        yours, theirs = at(sent, path), at(kept, path)
        if path.partition(".")[0] in sent and yours != theirs:
            yield {"name": path, "label": label, "yours": yours, "theirs": theirs, "by": None, "at": None}
