"""What follows from the intake, in words: each headache entity met, not met or unknown, with the answers behind it."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluations import catalogue
from evaluations.intake import criteria, history_taking
from evaluations.intake.intake_form import ITEMS, ROW_LABELS, SECTIONS, at, spoken
from evaluations.models import Evaluation
from evaluations.safety import automatic_flags, red_flags

VERDICTS = {True: "met", False: "not met", None: "unknown"}
# Own words for the conditions of reference 1.2.
CONDITIONS = {
    "1.1": {
        "A": "Five attacks or more",
        "B": "Attacks of 4 to 72 hours (under 18: from 2)",
        "C": "Two of: one-sided, pulsating, moderate or severe, worse with activity",
        "D": "Nausea or vomiting, or both light and sound hard to bear",
    },
    "1.2": {
        "A": "Two attacks or more",
        "B": "An aura of a known kind",
        "C": "Three of its six signs",
    },
    "1.3": {
        "days": "15 headache days a month, 8 of them with migraine, for more than 3 months",
        "migraine": "Migraine with or without aura",
    },
    "1.5": {"one missing": "Exactly one condition of 1.1 or 1.2 is missing", "neither met": "Neither is met"},
    "8.2": {
        "days": "15 headache days a month for more than 3 months",
        "exposure": "Days with acute medicine at the limit: simple 15, others or a mix 10",
    },
    "11.2.1": {
        "B": "A neck disorder that can cause headache",
        "C": "Two of the four signs that it does",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    label: str
    value: str


@dataclass(frozen=True)
class Shown:
    """One entity in words; `conditions` are (words, verdict), `inputs` the answers it rests on."""

    code: str
    label: str
    verdict: str
    conditions: list[tuple[str, str]]
    inputs: list[Told]


def in_words(value) -> str:
    """An answer as it is read; empty where there is none."""
    match value:
        case None | "":
            return ""
        case True:
            return "yes"
        case False:
            return "no"
        case list():
            return ", ".join(one_in_words(one) for one in value) or "none"
        case str():
            return {"unknown": "not known"}.get(value, value)
    return str(value)


def one_in_words(one) -> str:
    if isinstance(one, dict):
        return " – ".join(in_words(value) for value in one.values() if value not in (None, ""))
    return spoken(str(one))


def entities(answers: Mapping, *, age: int) -> list[Shown]:
    return [_shown(entity) for entity in criteria.entities(answers, age=age)]


def _shown(entity: criteria.Entity) -> Shown:
    words = CONDITIONS[entity.code]
    conditions = [(words[name], VERDICTS[answer]) for name, answer in entity.criteria.items()]
    return Shown(entity.code, entity.label, VERDICTS[entity.met], conditions, _inputs(entity.inputs))


def _inputs(inputs: Mapping) -> list[Told]:
    told = []
    for path, value in inputs.items():
        if isinstance(value, dict):
            told += _inputs({f"{path}.{name}": one for name, one in value.items()})
        else:
            item = ITEMS.get(path)
            unit = f" {item.unit}" if item and item.unit and value is not None else ""
            label = item.label if item else spoken(path)
            told.append(Told(label, (in_words(value) or "not answered") + unit))
    return told


def follows(answers: Mapping, *, age: int) -> dict:
    """For the page and the reports; `age` in years at the evaluation."""
    signs = criteria.neck_indicators(answers)
    return {
        "entities": entities(answers, age=age),
        "neck_present": criteria.neck_indicator_count(answers),
        "neck_of": len(signs),
        "neck_unknown": list(signs.values()).count(None),
        "neck_signs": [criteria.NECK_INDICATORS[name] for name, present in signs.items() if present],
        "raised": [catalogue.RED_FLAGS[code] for code in sorted(automatic_flags.flags_of_intake(answers))],
    }


def as_json(evaluation: Evaluation) -> dict:
    """For the API: answers, the version to save with, each entity with its inputs, and the count of neck signs."""
    answers, version = history_taking.answers_for(evaluation)
    signs = criteria.neck_indicators(answers)
    return {
        "answers": answers,
        "version": version,
        "confirmed_at": (evaluation.intake or {}).get("confirmed_at"),
        "entities": [
            {"code": e.code, "label": e.label, "met": e.met, "criteria": e.criteria, "inputs": e.inputs}
            for e in criteria.entities(answers, age=evaluation.age)
        ],
        "neck_indicators": {"present": criteria.neck_indicator_count(answers), "of": len(signs), "answers": signs},
        "red_flags_raised": sorted(automatic_flags.flags_of_intake(answers)),
    }


def told(answers: Mapping) -> list[tuple[str, list[Told]]]:
    """Every answer given, by section, for the record; a question that nobody answered is left out."""
    found = []
    for section in SECTIONS:
        lines = [Told(item.label, _with_unit(item, value)) for item, value in _given(answers, section)]
        lines += [Told(ROW_LABELS[name], in_words(answers[name])) for name in section.rows if answers.get(name)]
        if lines:
            found.append((section.label, lines))
    return found


def _given(answers, section):
    for item in section.items:
        value = at(answers, item.path)
        if value not in (None, ""):
            yield item, value


def _with_unit(item, value):
    return f"{in_words(value)} {item.unit}".strip()


@dataclass(frozen=True)
class Tier:
    code: str
    words: str
    questions: list[tuple[catalogue.RedFlag, str, str]]  # with the answer of this evaluation, and that on the phone


TIERS = {
    "emergency": "A yes: call 911 or send to the emergency department now",
    "urgent": "A yes: medical referral before any treatment of the neck",
    "caution": "A yes: care is adapted, and it is written down how",
}


def tiers(evaluation: Evaluation, given: Mapping[str, str], told: Mapping[str, str]) -> list[Tier]:
    """The questions by tier, most urgent first; nothing is selected that was not answered in this evaluation."""
    return [
        Tier(
            code,
            words,
            [
                (flag, given.get(flag.code, ""), TOLD.get(told.get(flag.code), ""))
                for flag in red_flags.questions()
                if flag.tier == code
            ],
        )
        for code, words in TIERS.items()
    ]


TOLD = {"yes": "yes", "no": "no", "unknown": "not sure"}
