"""Who signs for whom: below which age a guardian does, and from which age the child is asked too, by state.

The ages are data (`guardian_rules.json`) because they differ and change; the state is that of the clinic.
"""

import json
from dataclasses import dataclass
from pathlib import Path

_RULES = json.loads(Path(__file__).with_name("guardian_rules.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Rule:
    """A guardian signs below one age; from the other on nothing is done against the will of the child."""

    state: str
    guardian_below: int
    assent_from: int

    def needs_guardian(self, age: int) -> bool:
        return age < self.guardian_below

    def needs_assent(self, age: int) -> bool:
        return self.assent_from <= age < self.guardian_below


def of(state: str) -> Rule:
    said = _RULES.get(state) if len(state) == 2 else None
    found = said or _RULES["default"]
    return Rule(state, found["guardian_below"], found["assent_from"])
