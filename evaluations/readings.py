"""What was assessed, by code and place: the plain values that the rules of the reference work on.

A reading that was not assessed, or never made, is None: every rule built on it says "unknown", never a guess. Zero, an
empty list and an empty listing are readings.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from evaluations import catalogue

SIDES = ("left", "right")


class HasReading(Protocol):
    """A Finding, or a `checking.Checked`."""

    code: str
    qualifiers: dict[str, str]
    status: str
    value: object
    direction: str
    readings: Sequence[int] | None

    @property
    def key(self) -> tuple[str, str]:
        """The code, and the place as `catalogue.key_of` it."""


class Readings:
    """The assessed values of one evaluation. Whatever was refused, deferred or left out reads as None."""

    def __init__(self, findings: Iterable[HasReading]):
        self._values = {}
        self._statuses = {}
        self._directions = {}
        self._tries = {}
        self._by_code: dict[str, list[tuple[dict[str, str], object]]] = {}
        for one in findings:
            key = one.key
            self._statuses[key] = one.status
            if one.status != "assessed":
                continue
            self._values[key] = one.value
            self._directions[key] = one.direction
            if one.readings:
                self._tries[key] = one.readings
            self._by_code.setdefault(one.code, []).append((one.qualifiers, one.value))

    def value(self, code: str, **place: str):
        """The value at the place (`side="left"`, `mode="active"`, …), or None."""
        return self._values.get((code, catalogue.key_of(place)))

    def direction(self, code: str, **place: str) -> str:
        return self._directions.get((code, catalogue.key_of(place)), "")

    def tries(self, code: str, **place: str) -> Sequence[int]:
        """Every time it was measured, where it was measured several times."""
        return self._tries.get((code, catalogue.key_of(place)), ())

    def status(self, code: str, **place: str) -> str:
        """The status at the place; what was refused for both sides at once is refused on each. Empty if never asked."""
        found = self._statuses.get((code, catalogue.key_of(place)))
        if found is None and "side" in place:
            both = {name: value for name, value in place.items() if name != "side"}
            found = self._statuses.get((code, catalogue.key_of(both)))
        return found or ""

    def sides(self, code: str, **place: str) -> dict[str, object]:
        """Left and right, the patient's."""
        return {side: self.value(code, **place, side=side) for side in SIDES}

    def all(self, code: str) -> list[tuple[dict[str, str], object]]:
        """Every assessed (place, value) of a finding."""
        return self._by_code.get(code, [])
