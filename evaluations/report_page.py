"""The report of findings, for another clinician and for the patient: what each of the two says, as plain values."""

from dataclasses import dataclass

from evaluations import (  # fmt: skip
    catalogue,
    clusters,
    compare_page,
    field_words,
    interventions,
    measures,
    neck_picture,
    patient_words,
    results,
    signing,
    summary,
)
from evaluations.entry import normals  # fmt: skip
from evaluations.intake import criteria, intake_page  # fmt: skip
from evaluations.models import Evaluation, Finding
from evaluations.readings import SIDES, Readings
from evaluations.safety import red_flags  # fmt: skip

# Which findings a result rests on: codes, each with the place that is fixed.
_INPUTS = {
    "bp": ("bp_systolic", "bp_diastolic"),
    "cva": ("craniovertebral_angle",),
    "lli": ("leg_length_inequality",),
    "trunk_rotation": ("trunk_rotation",),
    "frt": ("frt",),
    "motion": tuple(f"rom_{motion}" for motion in clusters.MOTIONS),
    "beighton": ("beighton_score",),
    "adi": ("atlantodental_interval",),
    "listing_c0": ("listing_c0",), "listing_c1": ("listing_c1",), "listing_c2": ("listing_c2",),
    "cook": ("gait", "hoffmann", "inverted_supinator", "babinski"),
    "wainner_left": ("spurling", "cervical_distraction", "ultt_median", "rom_left_rotation"),
    "wainner_right": ("spurling", "cervical_distraction", "ultt_median", "rom_right_rotation"),
}  # fmt: skip
_STATUS = {value: words.lower() for value, words in Finding.Status.choices}
_OF_ONE_SIDE = {"wainner_left": "left", "wainner_right": "right"}
_OUTCOMES = {
    "hit6": "hit6_total", "midas": "midas_items", "ndi": "ndi_items", "pgic": "pgic_1_to_7",
}  # fmt: skip
_LISTS = {
    "midas_items": "MIDAS, days of the five questions",
    "hit6_items": "HIT-6, six items",
    "ndi_items": "Neck Disability Index, ten items 0–5",
}
_MORE = {"eq5d5l_state": "EQ-5D-5L state", measures.ORIGIN: "The days are counted from"}


@dataclass(frozen=True)
class Group:
    """The lines of one finding with what they share."""

    label: str
    normal: str
    method: str
    lines: list[summary.Line]


@dataclass(frozen=True)
class Result:
    label: str
    says: str
    tone: str
    inputs: str


def for_clinician(evaluation: Evaluation) -> dict:
    findings = list(evaluation.findings.all())
    who, readings = summary.who(evaluation), Readings(findings)
    lines, blank = dict(summary.lines(findings, who)), summary.blank(findings)
    told = (evaluation.intake or {}).get("answers", {})
    return {
        "evaluation": evaluation,
        "age": evaluation.age,
        "sections": [
            (_heading(code), _groups(lines.get(code, ()), readings), blank[code]) for code in catalogue.SECTIONS
        ],
        "notable": [line for found in lines.values() for line in found if line.stands_out],
        "results": [
            _result(line, readings, evaluation.measures, who)
            for line in results.lines(readings, evaluation.measures, who)
        ],
        "answers": _answers(evaluation),
        "events": [
            (
                event,
                field_words.spoken(event.resolution),
                [interventions.restriction_label(one) for one in event.restrictions],
            )
            for event in evaluation.red_flag_events.select_related("resolved_by").order_by("pk")
        ],
        "outcomes": outcomes(evaluation.measures),
        "unscored": unscored(evaluation.measures),
        "told": intake_page.told(told),
        "intake": intake_page.follows(told, age=evaluation.age) if evaluation.intake else None,
        "addenda": list(evaluation.addenda.select_related("by")),
        "missing": [] if evaluation.is_signed else signing.missing(evaluation),
        "is_intact": signing.is_intact(evaluation),
        "minutes": _minutes(evaluation),
    }


def _heading(section: str) -> str:
    part = next(part for part in catalogue.PARTS if section in part.sections)
    label = catalogue.SECTIONS[section]
    return label if label == part.label else f"{part.label}: {label}"


def _answers(evaluation) -> list[tuple[str, list[str]]]:
    """(answer, questions) with whatever is not a no first; a value that raised a flag says so."""
    last = {answer.code: answer for answer in evaluation.red_flag_answers.order_by("is_automatic", "at", "pk")}
    found = {"yes": [], "yes, raised by a value": [], "unknown": [], "declined": [], "not asked": [], "no": []}
    for flag in red_flags.questions():
        one = last.get(flag.code)
        given = "not asked" if one is None else "yes, raised by a value" if one.is_automatic else one.answer
        found[given].append(flag.label)
    return [(given, labels) for given, labels in found.items() if labels]


def _minutes(evaluation):
    ended = evaluation.ended_at
    return int((ended - evaluation.started_at).total_seconds() // 60) if ended else None


def _groups(lines, readings) -> list[Group]:
    groups = {}
    for line in lines:
        groups.setdefault(line.finding.code, []).append(line)
    return [
        Group(found[0].label, normals.words(found[0].finding.entry), _method(found[0].finding.entry, readings), found)
        for found in groups.values()
    ]


def _method(entry, readings) -> str:
    """How it is measured; of motion with what, as recorded."""
    if entry.code.startswith("rom_") and entry.is_numeric and entry.unit == "deg":
        with_what = readings.value("rom_instrument")
        return f"by {field_words.spoken(with_what)}" if with_what else "instrument not recorded"
    return "" if entry.method.startswith(("as ", "per ", "-")) else entry.method


def _result(line: results.Result, readings, outcomes, who) -> Result:
    inputs = _inputs_of_part(readings, who) if line.code == "part" else _inputs_of(line.code, readings, outcomes)
    return Result(line.label, line.says, line.tone, inputs)


def _inputs_of_part(readings, who) -> str:
    """Of each letter what speaks for it, and of what does not in any of many places how many were looked at."""
    said = []
    for letter, rows in clusters.part_evidence(readings, established=who.established).items():
        looked_at = {code: [] for code in (*clusters.PART_ROWS[letter], *(code for code, *_ in rows))}
        for code, place, speaks in rows:
            looked_at[code].append((place, speaks))
        words = (_spoken_for(catalogue.FINDINGS[code], seen, readings) for code, seen in looked_at.items())
        said.append(f"{letter}: {', '.join(words)}")
    return "; ".join(said)


def _spoken_for(entry, seen, readings) -> str:
    asked = [place for place in entry.places() if place.get("mode") != "passive"]
    speaking = [place for place, speaks in seen if speaks]
    if len(asked) == 1 or speaking or not seen:
        return f"{entry.label} {_taken(entry, speaking or asked, readings)}"
    return f"{entry.label} no ({len(seen)} looked at)"


def _inputs_of(code, readings, outcomes) -> str:
    if code in _OUTCOMES or code in measures.MEASURES:
        return _measure_words(outcomes.get(_OUTCOMES.get(code, code)))
    said = []
    for name in _INPUTS.get(code, ()):
        entry, side = catalogue.FINDINGS[name], _OF_ONE_SIDE.get(code)
        places = [
            place
            for place in entry.places()
            if place.get("mode") in (None, "active") and (side is None or place.get("side") in (None, side))
        ]
        said.append(f"{entry.label}: {_taken(entry, places, readings)}")
    return "; ".join(said)


def _taken(entry, places, readings) -> str:
    """Each value, and what stands in its place where there is none; the same said once for all."""
    told = [(place, readings.value(entry.code, **place), readings.status(entry.code, **place)) for place in places]
    absent = {_STATUS.get(status, "not recorded") for _, value, status in told if value is None}
    if len(absent) == 1 and all(value is None for _, value, _ in told):
        return absent.pop()
    return ", ".join(
        _place_words(entry, place, value, _STATUS.get(status, "not recorded")) for place, value, status in told
    )


def _place_words(entry, place, value, otherwise) -> str:
    where = " ".join(field_words.spoken(place[name]) for name in entry.allowed if name in place)
    if value is None:
        return f"{where} {otherwise}".strip()
    unit = summary.unit_of(entry) if entry.is_numeric else ""
    said = compare_page.with_unit(value, unit) if entry.is_numeric else field_words.spoken(str(value)) or "no listing"
    return f"{where} {said}".strip()


def _measure_words(value) -> str:
    match value:
        case None:
            return "not asked"
        case list():
            return ", ".join("–" if one is None else str(one) for one in value)
    return str(value)


_SCORES = {m.code: f"{m.label} ({m.unit})" for m in measures.MEASURES.values()} | _LISTS | _MORE


def outcomes(values) -> list[tuple[str, str]]:
    """Every score of which something is known: its value, or that it was not asked."""
    said = {code: _measure_words(values[code]) for code in _SCORES if code in values}
    if measures.ORIGIN in said:
        said[measures.ORIGIN] = measures.ORIGIN_WORDS.get(said[measures.ORIGIN], said[measures.ORIGIN])
    return [(_SCORES[code], words) for code, words in said.items()]


def unscored(values) -> list[str]:
    """Every score of which nothing is known."""
    return [label for code, label in _SCORES.items() if code not in values]


# --- for the patient


def for_patient(evaluation: Evaluation) -> dict:
    """Their own numbers and pictures, in plain words: nothing that grades them on a convention, and no promises."""
    found = compare_page.compared(evaluation)
    readings = found.now.readings
    told = (evaluation.intake or {}).get("answers", {})
    follows = intake_page.follows(told, age=evaluation.age) if told else None
    signs = criteria.neck_indicators(told)
    return {
        "evaluation": evaluation,
        "first": found.first,
        "last": found.last,
        "scores": patient_words.scores(found),
        "motions": patient_words.motions(found),
        "bars": patient_words.bars(found),
        "impression": patient_words.impression(found) if found.first else "",
        "levels": neck_picture.levels(),
        "spots": neck_picture.tender(readings),
        "was_pressed": neck_picture.was_pressed(readings),
        "blood_pressure": _blood_pressure(readings),
        "neck": follows,
        "neck_signs": [words for name, words in patient_words.NECK_SIGNS.items() if signs[name]],
        "kind": patient_words.KINDS[evaluation.kind],
        "warnings": [
            patient_words.FLAGS[event.code]
            for event in red_flags.open_as_of(evaluation.patient, evaluation.signed_at)
            if event.tier != "caution"
        ],
        "is_stopped": evaluation.status == Evaluation.Status.STOPPED,
    }


def _blood_pressure(readings) -> list[str]:
    said = []
    for side in SIDES:
        pair = [readings.value(f"bp_{which}", side=side) for which in ("systolic", "diastolic")]
        if None not in pair:
            name = clusters.bp_class(*pair)
            words = {"systolic": pair[0], "diastolic": pair[1], "meaning": patient_words.PRESSURE[name]}
            said.append(patient_words.ARMS[side].format(**words))
    return said
