"""Headache criteria from the intake (reference 1.2, own wording; the texts of ICHD-3 are not shipped). Pure.

Every entity is met, not met or unknown, with the inputs behind it; a clinician confirms it. An unknown input makes an
entity unknown unless it is decided without it. Nothing here is a diagnosis.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from clinic.unknowns import Answer, all_of, any_of, at_least

ADULT = 18
NECK_INDICATORS = {
    "starts_base_of_skull": "Starts at the base of the skull or the back of the neck",
    "radiates_forward": "Begins at the back and spreads forward",
    "neck_stiff_before": "Neck stiff before attacks",
    "neck_stiff_during": "Neck stiff during attacks",
    "triggered_head_position": "Brought on by certain head positions",
    "triggered_desk_posture": "Brought on by long desk work",
    "neck_injury_history": "Neck injury in the past",
    "pain_with_neck_movement": "Brought on by moving the neck",
    "neck_tenderness_with_headache": "Neck tender along with the headache",
    "after_sleep_position": "After sleeping in a bad position",
    "after_load_or_bag": "After a heavy or uneven bag",
    "after_exercise_or_travel": "After exercise or long travel",
    "relief_from_manual_care": "Eased by manual care before",
}
# Days of use a month from which a class alone counts (L4); gepants have no such limit.
_OVERUSE_DAYS = {"simple": 15, "triptan": 10, "ergot": 10, "opioid": 10, "combination": 10}
_MIXED_OVERUSE_DAYS = 10
AURA_MINUTES, MOTOR_AURA_MINUTES = 60, 72 * 60
_AURA_SIGNS = ("gradual_spread", "successive", "unilateral", "positive", "headache_within_60")


@dataclass(frozen=True)
class Entity:
    """One headache entity: `met` is True, False or None (unknown); `inputs` are the answers it rests on."""

    code: str
    label: str
    met: Answer
    criteria: dict[str, Answer] = field(default_factory=dict)
    inputs: dict[str, object] = field(default_factory=dict)


def yes(value) -> Answer:
    """An intake answer: true, "yes" and "no", false; anything else was not answered."""
    return {True: True, "yes": True, False: False, "no": False}.get(value) if isinstance(value, bool | str) else None


def _from(value, least) -> Answer:
    return None if value is None else value >= least


def _lasts(shortest, longest, *, least, most) -> Answer:
    """Whether every attack lasts between the two; one end alone decides when even it is out of bounds."""
    ends = [one for one in (shortest, longest) if one is not None]
    if any(one < least or one > most for one in ends):
        return False
    return True if len(ends) == 2 else None


def without_aura(intake: Mapping, *, age: int) -> Entity:
    """1.1: five attacks of 4–72 h (under 18: from 2 h), two of four features, nausea or light and sound (L1)."""
    names = ("unilateral", "pulsating", "moderate_or_severe", "worse_with_activity")
    shortest, longest = intake.get("attack_hours_min"), intake.get("attack_hours_max")
    criteria = {
        "A": _from(intake.get("lifetime_attacks"), 5),
        "B": _lasts(shortest, longest, least=2 if age < ADULT else 4, most=72),
        "C": at_least(2, [yes(intake.get(name)) for name in names]),
        "D": any_of(
            [
                yes(intake.get("nausea_or_vomiting")),
                all_of([yes(intake.get("photophobia")), yes(intake.get("phonophobia"))]),
            ]
        ),
    }
    used = ("lifetime_attacks", "attack_hours_min", "attack_hours_max", *names)
    used += ("nausea_or_vomiting", "photophobia", "phonophobia")
    return Entity("1.1", "Migraine without aura", all_of(criteria.values()), criteria, _inputs(intake, used))


def with_aura(intake: Mapping) -> Entity:
    """1.2: two attacks with an aura of which three of six signs are there (L1; motor aura up to 72 h, K)."""
    aura = intake.get("aura") or {}
    present, types = yes(aura.get("present")), aura.get("types")
    signs = [_aura_lasts(aura.get("minutes_each"), types), *(yes(aura.get(name)) for name in _AURA_SIGNS)]
    criteria = {
        "A": _from(intake.get("lifetime_attacks"), 2),
        "B": all_of([present, None if types is None else bool(types)]) if present is not False else False,
        "C": False if present is False else at_least(3, signs),
    }
    inputs = {f"aura.{name}": aura.get(name) for name in ("present", "types", "minutes_each", *_AURA_SIGNS)}
    inputs |= _inputs(intake, ("lifetime_attacks",))
    return Entity("1.2", "Migraine with aura", all_of(criteria.values()), criteria, inputs)


def _aura_lasts(minutes, types) -> Answer:
    """5 to 60 minutes; of a motor aura up to 72 hours, so that the length alone does not decide without the types."""
    if minutes is None:
        return None
    if minutes > AURA_MINUTES and types is None:
        return None if minutes <= MOTOR_AURA_MINUTES else False
    return 5 <= minutes <= (MOTOR_AURA_MINUTES if "motor" in (types or ()) else AURA_MINUTES)


def is_frequent(intake: Mapping) -> Answer:
    """Headache on 15 days a month or more, for more than three months; days of migraine are days of headache."""
    months = intake.get("months_at_this_frequency")
    days = intake.get("recall_headache_days_month")
    often = True if days is None and _from(intake.get("recall_migraine_days_month"), 15) else _from(days, 15)
    return all_of([often, None if months is None else months > 3])


def chronic_frequency(intake: Mapping) -> Answer:
    """The days of 1.3: 15 headache days, 8 of them with migraine, for more than three months (L2)."""
    return all_of([is_frequent(intake), _from(intake.get("recall_migraine_days_month"), 8)])


def chronic(intake: Mapping, *, age: int) -> Entity:
    criteria = {
        "days": chronic_frequency(intake),
        "migraine": any_of([without_aura(intake, age=age).met, with_aura(intake).met]),
    }
    used = ("recall_headache_days_month", "recall_migraine_days_month", "months_at_this_frequency")
    return Entity("1.3", "Chronic migraine", all_of(criteria.values()), criteria, _inputs(intake, used))


def probable(intake: Mapping, *, age: int) -> Entity:
    """1.5: exactly one of the criteria of 1.1 or of 1.2 is missing, and neither is met (L1)."""
    entities = [without_aura(intake, age=age), with_aura(intake)]
    criteria = {
        "one missing": any_of(_one_missing(entity.criteria.values()) for entity in entities),
        "neither met": all_of(None if entity.met is None else not entity.met for entity in entities),
    }
    inputs = {name: value for entity in entities for name, value in entity.inputs.items()}
    return Entity("1.5", "Probable migraine", all_of(criteria.values()), criteria, inputs)


def _one_missing(answers) -> Answer:
    answers = list(answers)
    missing = answers.count(False)
    if None in answers:
        return None if missing <= 1 else False
    return missing == 1


def overuse_exposure(intake: Mapping) -> Answer:
    """The days rule of medication overuse alone (L4, K): shown as a caution, never as advice to stop a drug."""
    days = intake.get("acute_medication_days_month") or {}
    used = {name: days.get(name) for name in _OVERUSE_DAYS}
    total = intake.get("total_acute_days_month")
    alone = [_reaches(used[name], limit, total) for name, limit in _OVERUSE_DAYS.items()]
    return any_of([*alone, _mixed_overuse(used, total)])


def _reaches(days, limit, total) -> Answer:
    """Nobody takes one drug on more days than any drug: a total below the limit decides for a class not told."""
    if days is None and total is not None and total < limit:
        return False
    return _from(days, limit)


def _mixed_overuse(used, total) -> Answer:
    """Days of two classes or more together. They may fall on the same days, so the total bounds their sum."""
    told = [days for days in used.values() if days]
    together = sum(told) if total is None else min(sum(told), total)
    if len(told) > 1 and together >= _MIXED_OVERUSE_DAYS:
        return True
    is_open = None in used.values() and (total is None or total >= _MIXED_OVERUSE_DAYS)
    return None if is_open else False


def medication_overuse(intake: Mapping) -> Entity:
    criteria = {"days": is_frequent(intake), "exposure": overuse_exposure(intake)}
    used = ("recall_headache_days_month", "months_at_this_frequency", "acute_medication_days_month")
    used += ("total_acute_days_month",)
    return Entity("8.2", "Medication overuse", all_of(criteria.values()), criteria, _inputs(intake, used))


_CERVICOGENIC = ("onset_with_disorder", "improves_with_disorder", "provoked_with_reduced_motion", "abolished_by_block")


def cervicogenic(intake: Mapping) -> Entity:
    """11.2.1: evidence of a neck disorder that can cause headache, and two of four signs that it does (L3)."""
    said = intake.get("cervicogenic") or {}
    criteria = {
        "B": yes(said.get("neck_disorder_evidence")),
        "C": at_least(2, [yes(said.get(name)) for name in _CERVICOGENIC]),
    }
    inputs = {f"cervicogenic.{name}": said.get(name) for name in ("neck_disorder_evidence", *_CERVICOGENIC)}
    return Entity("11.2.1", "Headache from the neck", all_of(criteria.values()), criteria, inputs)


def entities(intake: Mapping, *, age: int) -> list[Entity]:
    """Every entity of the reference, in its order. `age` in years at the evaluation."""
    return [
        without_aura(intake, age=age),
        with_aura(intake),
        chronic(intake, age=age),
        probable(intake, age=age),
        medication_overuse(intake),
        cervicogenic(intake),
    ]


def neck_indicators(intake: Mapping) -> dict[str, Answer]:
    """The thirteen, as answered. "n of 13 present" is how their count is shown; it is no score and has no cut-off."""
    given = intake.get("neck_indicators") or {}
    return {name: yes(given.get(name)) for name in NECK_INDICATORS}


def neck_indicator_count(intake: Mapping) -> int:
    return list(neck_indicators(intake).values()).count(True)


def _inputs(intake, names):
    return {name: intake.get(name) for name in names}
