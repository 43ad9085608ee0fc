"""What a patient's running plan says: told by the package that keeps plans, which registers in its `apps.py`."""

from collections.abc import Callable
from dataclasses import dataclass

from patients.models import Patient


@dataclass(frozen=True)
class RunningPlan:
    """`phase` is a code of `note_fields.PHASES`, `goals` are lines to be read, the others codes of interventions."""

    phase: str = ""
    goals: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    restrictions: tuple[str, ...] = ()
    checkpoint: str = ""
    url: str = ""


NOTHING = RunningPlan()
_tellers: list[Callable[[Patient], RunningPlan | None]] = []


def add(teller: Callable[[Patient], RunningPlan | None]) -> None:
    """`teller(patient)` gives what runs for the patient, or None."""
    _tellers.append(teller)


def of(patient: Patient) -> RunningPlan:
    """The first that runs; `NOTHING` where nothing does."""
    return next((found for teller in _tellers if (found := teller(patient))), NOTHING)
