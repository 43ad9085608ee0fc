"""What can be recorded in an evaluation: the 112 findings and 46 red flags, read from data and checked at import.

Plain values only; a fault in the data stops the start with a sentence that names the entry.
"""

import json
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import product
from pathlib import Path

from django.conf import settings

NUMERIC = {"integer", "decimal"}
KINDS = {*NUMERIC, "choice", "choices", "yes_no", "positive_negative", "listing"}
SIDES = {"none", "left_right", "direction"}
NOT_TESTABLE = "NT"  # a choice that is no value: looked at, and not to be said
TIERS = {"emergency", "urgent", "caution"}


class CatalogueError(Exception):
    """The catalogue's data is wrong; the message names the entry."""


@dataclass(frozen=True)
class Entry:
    """One thing that can be found. `qualifiers` says where or how it is looked at: each name with its values."""

    code: str
    label: str
    section: str
    kind: str
    source: str
    side: str = "none"
    unit: str = ""
    min: Decimal | None = None
    max: Decimal | None = None
    step: Decimal | None = None
    choices: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    direction_means: str = ""
    qualifiers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    normal_value: object = None
    normal_from: Decimal | None = None
    normal_to: Decimal | None = None
    established_to: Decimal | None = None  # the upper limit of an established patient, where it differs
    usual: Decimal | None = None
    greatest_difference: Decimal | None = None  # between left and right
    # From where on it stands out, where that is not the edge of the normal range.
    stands_out_below: Decimal | None = None
    stands_out_above: Decimal | None = None
    trend_only: bool = False
    judged: bool = True  # imaging and signs of a technique are recorded and trended, never better or worse
    better: str = ""
    detectable_change: Decimal | None = None
    warn_from: Decimal | None = None
    warn_to: Decimal | None = None
    sign_means: str = ""
    scale: str = ""
    method: str = ""
    loinc: str = ""
    snomed_body_site: str = ""
    optional: bool = False
    optional_values: tuple[str, ...] = ()

    @property
    def is_convention(self) -> bool:
        """The norm is the clinics' own: shown to clinicians, never to grade a patient by (source mark C)."""
        return "C" in self.source.split()

    @property
    def is_numeric(self) -> bool:
        return self.kind in NUMERIC

    @property
    def allowed(self) -> dict[str, tuple[str, ...]]:
        """Every qualifier with its values, the patient's left and right included."""
        sides = {"side": ("left", "right")} if self.side == "left_right" else {}
        return {**self.qualifiers, **sides}

    def places(self) -> list[dict[str, str]]:
        """Every combination of qualifiers at which this is looked for."""
        names = list(self.allowed)
        return [dict(zip(names, values, strict=True)) for values in product(*self.allowed.values())]

    def is_expected(self, qualifiers: dict[str, str]) -> bool:
        """Whether leaving it out counts as missing."""
        return not self.optional and not set(qualifiers.values()) & set(self.optional_values)


@dataclass(frozen=True)
class RedFlag:
    """One question asked before the neck is touched; `tier` says how urgent a yes is."""

    code: str
    label: str
    tier: str
    group: str
    source: str


@dataclass(frozen=True)
class Part:
    """A part of the evaluation as it is worked through: catalogue sections and the minutes they should take."""

    code: str
    label: str
    minutes: int
    sections: tuple[str, ...] = ()


# Reference 0.6: the sixty minutes of an evaluation. Consent and history are taken on pages of their own.
PARTS = (
    Part("history", "Consent and history", 12),
    Part("red_flags", "Red flags", 3),
    Part("vitals", "Vitals", 2, ("vitals",)),
    Part("posture", "Posture", 8, ("posture_general", "posture_sagittal", "posture_coronal", "posture_transverse")),
    Part("alignment", "Alignment", 4, ("alignment_screen", "alignment_listing", "alignment_imaging")),
    Part("palpation", "Palpation", 5, ("segment_palpation", "muscle_palpation")),
    Part("rom", "Range of motion", 8, ("rom",)),
    Part(
        "neuro",
        "Neurology",
        12,
        (
            "neuro_cranial",
            "neuro_sensory",
            "neuro_motor",
            "neuro_reflex",
            "neuro_umn",
            "neuro_coordination",
            "neuro_orthopaedic",
        ),
    ),
    Part("outcomes", "Outcomes", 3),
    Part("summary", "Summary", 3),
)
BUDGET_MINUTES = 60
SECTIONS = {
    "vitals": "Vitals",
    "posture_general": "General",
    "posture_sagittal": "Seen from the side",
    "posture_coronal": "Seen from the front",
    "posture_transverse": "Seen from above",
    "alignment_screen": "Screen",
    "alignment_listing": "Listings and technique measures",
    "alignment_imaging": "Imaging",
    "segment_palpation": "Segments",
    "muscle_palpation": "Muscles",
    "rom": "Range of motion",
    "neuro_cranial": "Cranial nerves",
    "neuro_sensory": "Sensation",
    "neuro_motor": "Strength",
    "neuro_reflex": "Reflexes",
    "neuro_umn": "Cord signs",
    "neuro_coordination": "Coordination and balance",
    "neuro_orthopaedic": "Orthopaedic and ligament tests",
}


_NUMBERS = (
    "min", "max", "step", "normal_from", "normal_to", "established_to", "usual", "greatest_difference",
    "detectable_change", "warn_from", "warn_to", "stands_out_below", "stands_out_above",
)  # fmt: skip
_LIMITS = (
    "normal_from", "normal_to", "established_to", "usual", "warn_from", "warn_to", "stands_out_below",
    "stands_out_above",
)  # fmt: skip


def _entry(raw: dict) -> Entry:
    name = raw.get("code", "an entry without a code")
    try:
        numbers = {k: Decimal(raw[k]) for k in _NUMBERS if k in raw}
        lists = {k: tuple(raw[k]) for k in ("choices", "directions", "optional_values") if k in raw}
        qualifiers = {k: tuple(v) for k, v in raw.get("qualifiers", {}).items()}
        return Entry(**{**raw, **numbers, **lists, "qualifiers": qualifiers})
    except (TypeError, InvalidOperation) as error:
        raise CatalogueError(f"{name}: {error}") from error


def _faults(entry: Entry) -> list[str]:
    numbers = (entry.min, entry.max, entry.step)
    checks = {
        "unknown kind": entry.kind in KINDS,
        "unknown section": entry.section in SECTIONS,
        "unknown side": entry.side in SIDES,
        "a number needs min, max, step and unit": not entry.is_numeric or (None not in numbers and entry.unit != ""),
        "only a number has min, max or step": entry.is_numeric or numbers == (None, None, None),
        "min must be below max and the step positive": None in numbers or (entry.min < entry.max and entry.step > 0),
        "a choice needs choices, each once": (entry.kind in {"choice", "choices"}) == bool(entry.choices)
        and len(set(entry.choices)) == len(entry.choices),
        "a direction needs two directions": (entry.side == "direction") == (len(entry.directions) == 2),
        "only a number has a direction": entry.side != "direction" or entry.is_numeric,
        "a qualifier needs values": all(entry.qualifiers.values()),
        "a magnitude with a direction starts at 0": entry.side != "direction" or entry.min == 0,
        "only a number has norms and limits": entry.is_numeric or not any(getattr(entry, n) for n in _NUMBERS[3:]),
        "norms and limits lie within the range": all(
            entry.min <= limit <= entry.max for n in _LIMITS if (limit := getattr(entry, n)) is not None
        ),
        "better is higher or lower": entry.better in {"", "higher", "lower"},
        "only sides differ": entry.greatest_difference is None or entry.side == "left_right",
    }
    return [text for text, holds in checks.items() if not holds]


def read_findings(raw: list[dict]) -> dict[str, Entry]:
    """The entries by code, in order. Raises CatalogueError naming the first wrong entry."""
    entries = {}
    for one in raw:
        entry = _entry(one)
        faults = _faults(entry)
        if entry.code in entries:
            faults.append("the code is used twice")
        if faults:
            raise CatalogueError(f"{entry.code}: {'; '.join(faults)}")
        entries[entry.code] = entry
    return entries


def read_red_flags(raw: list[dict]) -> dict[str, RedFlag]:
    flags = {}
    for one in raw:
        flag = RedFlag(**{**one, "label": one["label"].format(older_onset=settings.OLDER_ONSET_AGE)})
        if flag.tier not in TIERS or flag.code in flags:
            raise CatalogueError(f"{flag.code}: unknown tier or used twice")
        flags[flag.code] = flag
    return flags


def key_of(qualifiers: dict[str, str]) -> str:
    """Qualifiers as one sorted text, so that a finding is stored once for each place."""
    return _key(tuple(qualifiers.items())) if qualifiers else ""


@lru_cache(maxsize=4096)  # the catalogue has a thousand places; what is sent is checked before it comes here
def _key(pairs) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(pairs))


def _data(name: str) -> list[dict]:
    return json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


FINDINGS = read_findings(_data("findings.json"))
RED_FLAGS = read_red_flags(_data("red_flags.json"))
PART_BY_CODE = {part.code: part for part in PARTS}


def entries_of(section: str) -> list[Entry]:
    return [entry for entry in FINDINGS.values() if entry.section == section]
