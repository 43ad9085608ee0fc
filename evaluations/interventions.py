"""What may be done at visits and at home: the closed list, and which restriction of a patient forbids which of them.

Plain values in and out. The list and the restrictions follow the clinical reference, sections 4.5 and 4.6.
"""

from collections.abc import Iterable
from dataclasses import dataclass

HVLA, THRUST, LOW_FORCE, INSTRUMENT, MANUAL, NONE = "hvla", "thrust", "low_force", "instrument", "manual", "none"
# Care of the neck by hand or instrument, from the strongest to the gentlest; NONE is care without it.
NECK_CARE = frozenset({HVLA, THRUST, LOW_FORCE, INSTRUMENT, MANUAL})
TECHNIQUE, ADJUNCT, ACTIVE_CARE, HOME = "Technique", "With the adjustment", "Active care", "At home"


@dataclass(frozen=True)
class Known:
    """One row of the list. `force` says how the neck is touched; `dose` is what is usual."""

    code: str
    label: str
    group: str
    force: str = NONE
    dose: str = ""
    is_home: bool = False


def _home(code, label, dose=""):
    return Known(code, label, HOME, NONE, dose, is_home=True)


_ALL = (
    Known("nucca", "NUCCA, triceps-pull, side-lying", TECHNIQUE, LOW_FORCE),
    Known("atlas_orthogonal", "Atlas Orthogonal, percussion instrument", TECHNIQUE, INSTRUMENT),
    Known("orthospinology", "Grostic / Orthospinology", TECHNIQUE, LOW_FORCE),
    Known("blair", "Blair toggle-torque, side-lying drop head-piece", TECHNIQUE, THRUST),
    Known("palmer_toggle_recoil", "Toggle-recoil, side-lying drop piece", TECHNIQUE, THRUST),
    Known("knee_chest_toggle_recoil", "Knee-chest toggle-recoil", TECHNIQUE, THRUST),
    Known("gonstead", "Gonstead, seated or knee-chest", TECHNIQUE, THRUST),
    Known("diversified", "Diversified, may include rotation", TECHNIQUE, HVLA),
    Known("activator", "Activator instrument", TECHNIQUE, INSTRUMENT),
    Known("thompson_drop", "Thompson drop table", TECHNIQUE, LOW_FORCE),
    Known("mobilisation", "Joint mobilisation, grade I to IV", TECHNIQUE, MANUAL),
    Known("soft_tissue", "Soft-tissue work", ADJUNCT, MANUAL),
    Known("trigger_point", "Trigger-point pressure", ADJUNCT, MANUAL),
    Known("massage", "Massage", ADJUNCT, MANUAL),
    Known("dry_needling", "Dry needling", ADJUNCT, MANUAL),
    Known("traction", "Traction", ADJUNCT, MANUAL),
    Known("heat", "Warm compress", ADJUNCT, NONE, "10-20 min, with a skin barrier"),
    Known("cold", "Cold pack", ADJUNCT, NONE, "10-20 min, with a skin barrier"),
    Known("taping", "Taping", ADJUNCT),
    Known("exercise_dnf", "Deep neck flexor exercise", ACTIVE_CARE),
    Known("exercise_scapular", "Scapular exercise", ACTIVE_CARE),
    Known("postural_retraining", "Postural retraining", ACTIVE_CARE),
    Known("ergonomics_advice", "Desk and screen advice", ACTIVE_CARE),
    Known("sleep_advice", "Sleep and pillow advice", ACTIVE_CARE),
    Known("education", "Education about headache and neck", ACTIVE_CARE),
    _home("chin_tucks", "Chin tucks", "10 × 5 s, twice a day"),
    _home("side_bends", "Side bends", "3 × 20 s each side"),
    _home("slow_neck_rolls", "Slow neck rolls, half circles only"),
    _home("hourly_movement_timer", "Stand, stretch, walk", "every hour"),
    _home("monitor_eye_level", "Monitor at eye level"),
    _home("chair_support", "Chair with back support"),
    _home("phone_eye_level", "Phone at eye level"),
    _home("pillow_height_check", "Pillow that keeps the neck neutral"),
    _home("two_strap_bag", "Bag on two straps"),
    _home("lighten_bag", "Lighter bag"),
    _home("heat_before", "Heat before exercise", "10-15 min"),
    _home("cold_after", "Cold after exercise", "10-15 min"),
    _home("trigger_point_self", "Trigger points of upper trapezius and suboccipitals, by oneself"),
    _home("hydration", "Drink enough water"),
    _home("sleep_schedule", "Regular sleep"),
    _home("posture_reminder", "Posture reminder"),
    _home("other", "Other"),  # what it is stands in the dose
)
KNOWN: dict[str, Known] = {one.code: one for one in _ALL}


@dataclass(frozen=True)
class Restriction:
    """What a clinician decided about a patient; forbids kinds of force and single codes."""

    label: str
    forces: frozenset = frozenset()
    codes: frozenset = frozenset()


# `instrument_only` leaves Orthospinology in: it is also done by instrument.
_BY_HAND = frozenset({"nucca", "thompson_drop", "mobilisation"})
RESTRICTIONS: dict[str, Restriction] = {
    "no_hvla": Restriction("No high-velocity thrust (HVLA)", frozenset({HVLA})),
    "no_end_range_rotation": Restriction(
        "No rotation to the end of range", codes=frozenset({"diversified", "slow_neck_rolls"})
    ),
    "instrument_only": Restriction("Adjust by instrument only", frozenset({HVLA, THRUST}), _BY_HAND),
    "no_manual_neck_care": Restriction("No manual care of the neck", NECK_CARE),
    "no_manual_thrust": Restriction("No manual thrust", frozenset({HVLA, THRUST})),
    "no_deep_pressure": Restriction(
        "No deep pressure", codes=frozenset({"trigger_point", "trigger_point_self", "dry_needling"})
    ),
    "no_xray": Restriction("No X-ray"),
    "guardian_present": Restriction("A guardian is present"),
}


def label_of(code: str) -> str:
    return KNOWN[code].label if code in KNOWN else code


def restriction_label(code: str) -> str:
    return RESTRICTIONS[code].label if code in RESTRICTIONS else code


def forbidding(code: str, restrictions: Iterable[str]) -> str | None:
    """The first of the restrictions that forbids the intervention, or None.

    A restriction that is not known forbids all care of the neck: better to ask once more than to miss one.
    """
    one = KNOWN[code]
    for name in sorted(restrictions):
        rule = RESTRICTIONS.get(name, RESTRICTIONS["no_manual_neck_care"])
        if one.force in rule.forces or code in rule.codes:
            return name
    return None


def allowed(restrictions: Iterable[str]) -> list[Known]:
    """The rows of the list that none of the restrictions forbids, in the order of the list."""
    held = list(restrictions)
    return [one for one in _ALL if forbidding(one.code, held) is None]
