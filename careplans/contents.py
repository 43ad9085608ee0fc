"""What a plan says before it is a row: phases, goals, interventions and the checkpoint, checked as a whole. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from appointments.recurring import patterns
from appointments.recurring.patterns import Stretch
from careplans import checkpoints, metrics
from careplans.models import Phase
from clinic.errors import RuleBroken
from evaluations import interventions

MOST_PHASES, MOST_GOALS = 12, 20
MOST_RELIEF_IN_28_DAYS = 12
LONGEST_AHEAD = timedelta(days=366)
MOST_LINES = 12
_CODED = re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?( .*)?", re.ASCII)


def most_in_28_days(stretches: Iterable[Stretch]) -> int:
    """The most visits that stretches, one after the other, put into any four weeks."""
    weekly = [one.visits_per_week * (n % one.every_weeks == 0) for one in stretches for n in range(one.weeks)]
    return max((sum(weekly[n : n + 4]) for n in range(len(weekly))), default=0)


def stretch_of(phase: Mapping) -> Stretch:
    return Stretch(phase["visits_per_week"], phase["weeks"], phase.get("every_weeks", 1))


def is_coded(line: str) -> bool:
    """Whether a diagnosis begins with its ICD-10 code."""
    return bool(_CODED.fullmatch(line))


@dataclass
class Contents:
    """`phases` of kind, visits_per_week, weeks and, where it is over 1, every_weeks; `goals` of metric, baseline,
    target, due_on; `interventions` of code and dose: mappings, as a form or the API gives them.
    """

    starts_on: date
    phases: Sequence[Mapping]
    goals: Sequence[Mapping] = ()
    interventions: Sequence[Mapping] = ()
    reevaluate_by: date | None = None
    reevaluate_after_visits: int | None = None  # None: as late as the phases allow
    note: str = ""
    diagnoses: Sequence[str] = ()  # "M99.01 Segmental dysfunction, cervical": the code first, the primary one first
    referrals: Sequence[str] = ()
    faults: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raises RuleBroken naming every field that is wrong; its code is that of the first."""
        codes = [
            *self._phase_faults(),
            *self._goal_faults(),
            *self._intervention_faults(),
            *self._day_faults(),
            *self._line_faults(),
        ]
        if codes:
            raise RuleBroken(next(iter(self.faults.values())), code=codes[0], fields=self.faults, status=400)

    def _fault(self, name: str, message: str, code: str = "invalid") -> str:
        self.faults.setdefault(name, message)
        return code

    def _phase_faults(self) -> Iterable[str]:
        if not 1 <= len(self.phases) <= MOST_PHASES:
            yield self._fault("phases", f"A plan has 1 to {MOST_PHASES} phases.", "no_phase")
            return
        for n, phase in enumerate(self.phases):
            if phase["kind"] not in Phase.Kind.values:
                yield self._fault(f"phases.{n}.kind", "There is no such phase.")
            for name, message in stretch_of(phase).faults():
                yield self._fault(f"phases.{n}.{name}", message)
        relief = [stretch_of(phase) for phase in self.phases if phase["kind"] == Phase.Kind.RELIEF]
        if not self.faults and sum(stretch_of(phase).visits for phase in self.phases) > patterns.MOST_VISITS:
            yield self._fault("phases", f"A plan has at most {patterns.MOST_VISITS} visits.", "too_many_visits")
        if not self.faults and most_in_28_days(relief) > MOST_RELIEF_IN_28_DAYS:
            message = f"Relief takes at most {MOST_RELIEF_IN_28_DAYS} visits in 28 days."
            yield self._fault("phases", message, "too_many_visits")

    def _goal_faults(self) -> Iterable[str]:
        if len(self.goals) > MOST_GOALS:
            yield self._fault("goals", f"A plan has at most {MOST_GOALS} goals.")
            return
        names = [goal["metric"] for goal in self.goals]
        for n, goal in enumerate(self.goals):
            metric = metrics.METRICS.get(goal["metric"])
            if metric is None:
                yield self._fault(f"goals.{n}.metric", "This is not one of the metrics.", "unknown_metric")
            elif names.index(metric.name) != n:
                yield self._fault(f"goals.{n}.metric", "There is already a goal with this metric.")
            elif message := metrics.fault(metric, Decimal(goal["baseline"]), Decimal(goal["target"])):
                yield self._fault(f"goals.{n}.target", message, "bad_target")
            if not self.starts_on < goal["due_on"] <= self.starts_on + 2 * LONGEST_AHEAD:
                yield self._fault(f"goals.{n}.due_on", "A goal is due after the plan starts, within two years.")

    def _intervention_faults(self) -> Iterable[str]:
        codes = [row["code"] for row in self.interventions]
        for n, code in enumerate(codes):
            if code not in interventions.KNOWN:
                yield self._fault(f"interventions.{n}.code", "This is not one of the interventions.", "unknown_code")
            elif codes.index(code) != n:
                yield self._fault(f"interventions.{n}.code", "The intervention is named twice.")

    def _line_faults(self) -> Iterable[str]:
        for name, lines in (("diagnoses", self.diagnoses), ("referrals", self.referrals)):
            if len(lines) > MOST_LINES:
                yield self._fault(name, f"At most {MOST_LINES} lines.")
        for line in self.diagnoses:
            if not is_coded(line):
                message = f"Begin each diagnosis with its ICD-10 code, like M99.01: {line[:40]}"
                yield self._fault("diagnoses", message, "unknown_code")

    def _day_faults(self) -> Iterable[str]:
        if "phases" in self.faults or any(name.endswith(".kind") for name in self.faults):
            return
        within = checkpoints.limit_of(phase["kind"] for phase in self.phases)
        if self.reevaluate_after_visits is None:
            self.reevaluate_after_visits = within.visits
        if not 1 <= self.reevaluate_after_visits <= within.visits:
            yield self._fault("reevaluate_after_visits", f"Re-evaluate after 1 to {within.visits} visits.")
        days = within.days
        last = self.starts_on + timedelta(days)
        if self.reevaluate_by is not None and not self.starts_on < self.reevaluate_by <= last:
            message = f"Re-evaluate after the start and within {days} days of it."
            yield self._fault("reevaluate_by", message)
