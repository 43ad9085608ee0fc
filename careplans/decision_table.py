"""What a re-evaluation says, and what follows from it (clinical reference 4.3). Pure, and three-valued: where data are
missing the answer is unknown, never a guess. It proposes; the clinician records the result and decides.

  improved   every goal is reached, nothing is worse: discharge, or supportive care
  partly     something is better by its meaningful change, nothing is worse: one extension of the same length, or go on
             with the visits that the plan still has
  unchanged  nothing changed by its meaningful change: another technique, or refer; no third identical trial
  worse      a measure is worse by its meaningful change, or there is a new neurological deficit: stop manual care of
             the neck and refer
  unknown    what is missing could decide; nothing is proposed
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from careplans.models import Reevaluation
from careplans.trials import IDENTICAL
from clinic.unknowns import Answer, all_of, any_of

Result, Decision = Reevaluation.Result, Reevaluation.Decision


@dataclass(frozen=True)
class Measure:
    """A goal as it was at the start and is now; `mic` is the change that matters, `rises` when more is better.

    `now` is None where it was not measured, `mic` None where no change that matters is known: such a goal has to be
    reached, but does not say better or worse.
    """

    metric: str
    label: str
    unit: str
    baseline: Decimal
    target: Decimal
    mic: Decimal | None
    rises: bool
    now: Decimal | None = None
    on: date | None = None

    @property
    def gain(self) -> Decimal | None:
        """How much better, in its unit; below zero how much worse."""
        if self.now is None:
            return None
        return self.now - self.baseline if self.rises else self.baseline - self.now

    @property
    def is_better(self) -> Answer:
        return None if self.gain is None or self.mic is None else self.gain >= self.mic

    @property
    def is_worse(self) -> Answer:
        return None if self.gain is None or self.mic is None else self.gain <= -self.mic

    @property
    def is_reached(self) -> Answer:
        if self.now is None:
            return None
        return self.now >= self.target if self.rises else self.now <= self.target

    @property
    def verdict(self) -> str:
        if self.now is None:
            return "not measured"
        if self.mic is None:
            return "no change that matters is known"
        return "worse" if self.is_worse else "better" if self.is_better else "within its meaningful change"


@dataclass(frozen=True)
class Situation:
    """What else decides: whether the plan was extended, how many re-evaluations in a row found the same techniques to
    change nothing, and whether the plan has visits to come.
    """

    is_extended: bool = False
    unchanged_before: int = 0
    has_visits_left: bool = False


def result(measures: Sequence[Measure], new_deficit: Answer) -> str | None:
    """Improved, partly, unchanged or worse; None where what is missing could decide."""
    judged = [one for one in measures if one.mic is not None]
    worse = any_of([*(one.is_worse for one in judged), new_deficit])
    if worse:
        return Result.WORSE
    if worse is None or not judged:
        return None
    reached = all_of(one.is_reached for one in measures)
    if reached is None:
        return None
    if reached:
        return Result.IMPROVED
    return Result.PARTLY if any_of(one.is_better for one in judged) else Result.UNCHANGED


def missing(measures: Iterable[Measure], new_deficit: Answer) -> list[str]:
    """What would have to be known, in words."""
    found = [f"{one.label}: not measured" for one in measures if one.now is None]
    return [*found, *(["Neurological findings: not examined as at the start"] if new_deficit is None else [])]


def decisions(found: str | None, now: Situation) -> list[str]:
    """What the table proposes, the likeliest first; nothing where the result is unknown."""
    match found:
        case Result.IMPROVED:
            return [Decision.DISCHARGE, Decision.SUPPORTIVE]
        case Result.PARTLY:
            on = [Decision.GO_ON] if now.has_visits_left else []
            return [*on, *([Decision.SUPPORTIVE, Decision.CHANGE] if now.is_extended else [Decision.EXTEND])]
        case Result.UNCHANGED:
            plateau = [Decision.DISCHARGE] if now.unchanged_before else []
            return [Decision.CHANGE, Decision.REFER, *plateau]
        case Result.WORSE:
            return [Decision.STOP]
    return []


def fault(found: str, decision: str, now: Situation, *, by_the_data: str | None) -> tuple[str, str] | None:
    """(code, message) of what nobody may decide upon such a result, or None. Anything else needs only its reason.

    What the data prove to be worse is so, whatever was found: a measure or finding that is wrong is corrected first.
    Where they are missing the result is unknown, but for a patient who is seen to be worse.
    """
    if by_the_data is None and found not in {Result.UNKNOWN, Result.WORSE}:
        message = "Data are missing, so what was found is unknown: measure what is missing, or record it as unknown."
        return "unknown_by_the_data", message
    if by_the_data is not None and found == Result.UNKNOWN:
        return "known_by_the_data", "Nothing is missing: say what was found."
    if by_the_data == Result.WORSE and found != Result.WORSE:
        return "worse_by_the_data", "By the data the patient is worse. Correct the evaluation where that is wrong."
    if found == Result.WORSE and decision != Decision.STOP:
        return "worse_stops", "The patient is worse: manual care of the neck stops, and the patient is referred."
    if decision == Decision.EXTEND and found != Result.PARTLY:
        return "extension_needs_partly", "A plan is extended where the patient is partly better."
    if decision == Decision.EXTEND and now.is_extended:
        return "extended_before", "The plan was extended once already."
    trials = now.unchanged_before + 1
    if found == Result.UNCHANGED and decision in {Decision.GO_ON, Decision.EXTEND} and trials >= IDENTICAL:
        return "third_identical_trial", "Two trials with these techniques changed nothing: no third identical trial."
    return None
