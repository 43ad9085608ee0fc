"""What a visit note holds (reference 4.8, 4.9): one table from which the form, the checks, the prefilled values, the
print and what is missing are made. Plain values in, plain values out; no database.

Nothing is pre-selected: a field that was not said is absent. Zero, false and an empty list are values.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError

from clinic.text import clean_line, clean_note
from evaluations import catalogue, clusters, field_words, interventions, listings
from evaluations.entry import checking
from evaluations.entry.checking import Checked, Wrong
from evaluations.listings import WrongListing
from evaluations.readings import Readings

SUBJECTIVE, OBJECTIVE, ASSESSMENT, PLAN, AFTER, MEDICARE = (
    "subjective", "objective", "assessment", "plan", "after", "medicare",
)  # fmt: skip
PARTS = {
    SUBJECTIVE: "Subjective",
    OBJECTIVE: "Objective, before",
    ASSESSMENT: "Assessment",
    PLAN: "Treatment",
    AFTER: "After the treatment",
    MEDICARE: "Medicare",
}
# The short list of every visit (reference 1.4): what is asked, by the red flag that a yes raises.
SAFETY = {
    "rf_pattern_change": "New or different headache",
    "rf_dizziness": "Dizziness, unsteadiness",
    "rf_diplopia": "Double vision, other trouble seeing",
    "rf_dysarthria": "Slurred speech",
    "rf_dysphagia": "Trouble swallowing",
    "rf_neuro_deficit": "Weakness, numbness",
    "rf_post_trauma": "Fall, accident, injury",
    "rf_painkiller": "New medicine",
}
ANSWERS = {"no": "No", "yes": "Yes", "unknown": "Unknown", "declined": "Declined"}
PHASES = {
    "relief": "Relief", "corrective": "Corrective", "stabilisation": "Stabilisation", "exacerbation": "Exacerbation",
    "wellness": "Wellness",
}  # fmt: skip
REACTIONS = {"none": "None", "mild": "Mild", "moderate": "Moderate", "serious": "Serious"}
POSITIONS = {
    "supine": "Supine", "prone": "Prone", "side_lying_left": "Side-lying, left up",
    "side_lying_right": "Side-lying, right up", "seated": "Seated", "kneeling": "Kneeling",
}  # fmt: skip
SEGMENTS = catalogue.FINDINGS["seg_tenderness"].qualifiers["segment"]
PLACES = tuple(f"{segment} {side}" for segment in SEGMENTS for side in ("left", "right"))
LEVELS = {level: code for code, level in listings.LEVELS.items()}
TECHNIQUES = {one.code: one.label for one in interventions.KNOWN.values() if one.group == interventions.TECHNIQUE}
ADJUNCTS = {
    one.code: one.label
    for one in interventions.KNOWN.values()
    if one.group in {interventions.ADJUNCT, interventions.ACTIVE_CARE}
}
LONGEST_LINE, LONGEST_NOTE, MOST_FINDINGS = 200, 2000, len(PLACES)
# What is found at one place of the spine, by the finding of the catalogue that says the same.
AT_A_PLACE = {
    "tenderness": "seg_tenderness", "tone": "seg_tone", "headache": "seg_headache_reproduced", "play": "seg_fixation",
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One thing that a note says. `is_carried`: the last note's value is shown in grey, to be taken over by a key.

    `after` names the field before the treatment that this one is compared with; `choices` are code and label.
    """

    code: str
    label: str
    part: str
    kind: str
    choices: Mapping[str, str] | None = None
    is_carried: bool = True
    after: str = ""
    unit: str = ""
    finding: str = ""  # of the catalogue, whose range and step count
    help: str = ""


def _choices(*codes):
    return {code: field_words.heading(code) for code in codes}


_LEG = catalogue.FINDINGS["leg_length_inequality"]
_LEGS = {"even": "Even", "left": "Left short", "right": "Right short"}
_ALL = (
    Field("change", "Since the last visit", SUBJECTIVE, "choice", _choices("better", "same", "worse"),
          is_carried=False),
    Field("pain", "Pain now", SUBJECTIVE, "pain", unit="0–10"),
    Field("safety", "New since the last visit", SUBJECTIVE, "answers", SAFETY, is_carried=False),
    Field("guardian", "Guardian present", SUBJECTIVE, "yes_no", is_carried=False),  # asked where one has to be
    Field("headache_days", "Headache days since the last visit", SUBJECTIVE, "days", is_carried=False, unit="days"),
    Field("adherence", "Home programme done", SUBJECTIVE, "choice", _choices("yes", "partly", "no", "none_given")),
    Field("complaint", "In the patient's words", SUBJECTIVE, "note"),
    Field("leg", "Leg check", OBJECTIVE, "choice", _LEGS),
    Field("leg_mm", "Leg difference", OBJECTIVE, "number", unit="mm", finding=_LEG.code),
    Field("segments_found", "Segment findings", OBJECTIVE, "findings", help="C1L t2 m1 h, C2R t1"),
    Field("motion", "Motion tested again", OBJECTIVE, "choice", {m: field_words.spoken(m) for m in clusters.MOTIONS}),
    Field("degrees", "Its range", OBJECTIVE, "degrees", unit="°"),
    Field("objective", "Other findings", OBJECTIVE, "note"),
    Field("response", "Response to care", ASSESSMENT, "choice", _choices("improved", "partly", "unchanged", "worse")),
    Field("phase", "Phase", ASSESSMENT, "choice", PHASES),
    Field("progress", "Progress to the goals", ASSESSMENT, "note"),
    Field("diagnosis", "Diagnosis", ASSESSMENT, "line", help="M99.01, G44.86"),
    Field("not_adjusted", "Checked, not adjusted", PLAN, "yes_no", is_carried=False),
    Field("not_adjusted_reason", "Why not adjusted", PLAN, "line", is_carried=False),
    Field("technique", "Technique", PLAN, "choice", TECHNIQUES),
    Field("segments", "Segments treated", PLAN, "places", help="C1L"),
    Field("listing_system", "Listing system", PLAN, "choice",
          _choices(*catalogue.FINDINGS["listing_system"].choices)),
    Field("listing_level", "Level of the listing", PLAN, "choice", {level: level for level in LEVELS}),
    Field("listing", "Listing treated", PLAN, "line"),
    Field("contact", "Contact", PLAN, "line"),
    Field("line_of_drive", "Line of drive", PLAN, "line"),
    Field("side", "Side of contact", PLAN, "choice", _choices("left", "right", "both")),
    Field("position", "Patient position", PLAN, "choice", POSITIONS),
    Field("adjuncts", "Adjuncts", PLAN, "codes", ADJUNCTS),
    Field("leg_after", "Leg check", AFTER, "choice", _LEGS, after="leg"),
    Field("leg_mm_after", "Leg difference", AFTER, "number", after="leg_mm", unit="mm", finding=_LEG.code),
    Field("degrees_after", "Range of the motion", AFTER, "degrees", after="degrees", unit="°"),
    Field("pain_after", "Pain", AFTER, "pain", after="pain", unit="0–10"),
    Field("symptoms_after", "Symptoms", AFTER, "line"),
    Field("reaction", "Adverse reaction", AFTER, "choice", REACTIONS, is_carried=False),
    Field("reaction_what", "What happened", AFTER, "note", is_carried=False),
    Field("reaction_when", "When", AFTER, "line", is_carried=False),
    Field("reaction_action", "What was done", AFTER, "note", is_carried=False),
    Field("home_change", "Change of the home programme", AFTER, "note", is_carried=False),
    Field("next_visit", "Next visit", AFTER, "line"),
    Field("medicare_active", "Active treatment", MEDICARE, "yes_no"),
    Field("medicare_level", "Level of subluxation", MEDICARE, "codes", {s: s for s in SEGMENTS}),
    Field("medicare_xray_on", "X-ray of", MEDICARE, "date"),
    Field("medicare_at", "Modifier AT", MEDICARE, "yes_no"),
    Field("medicare_abn", "ABN on file", MEDICARE, "yes_no"),
)  # fmt: skip
FIELDS: dict[str, Field] = {one.code: one for one in _ALL}
# What tells of an adjustment that was given, whether its technique is named or not.
OF_AN_ADJUSTMENT = ("segments", "listing", "contact", "line_of_drive", "side", "position")


def of_part(part: str) -> list[Field]:
    return [one for one in _ALL if one.part == part]


def check(said: object, stored: Mapping) -> tuple[dict, dict[str, str]]:
    """What was said as it is kept, with None for what is taken back, and the faults as {field: sentence}.

    `stored` is what the note says already: one field may have to fit another.
    """
    if not isinstance(said, dict):
        return {}, {"": "Give an object of fields and values."}
    kept, faults = {}, {}
    for code, value in said.items():
        field = FIELDS.get(code) if isinstance(code, str) else None
        try:
            if field is None:
                raise Wrong(str(code), "The note has no such field.")
            kept[code] = None if value is None else _READ[field.kind](field, value)
        except Wrong as wrong:
            faults[str(code)[:60]] = wrong.message
    together = {code: value for code, value in {**stored, **kept}.items() if value is not None}
    if not faults:
        faults = _together(together, kept)
    if not faults and together.get("listing"):
        text = _normal_listing(together)
        kept |= {"listing": text} if text != together["listing"] else {}
    return kept, faults


def merged(stored: Mapping, kept: Mapping) -> dict:
    """The content once `kept` is written; answers to the safety questions are added one by one."""
    both = {**stored, **kept}
    if kept.get("safety") and stored.get("safety"):
        both["safety"] = {**stored["safety"], **kept["safety"]}
    return {code: both[code] for code in FIELDS if both.get(code) is not None}


# --- one field by itself


def _one_of(value, choices):
    if not isinstance(value, str) or value not in choices:
        raise Wrong("", f"Give one of {', '.join(choices)}.")
    return value


def _text(longest, clean: Callable):
    def read(field, value):
        if not isinstance(value, str):
            raise Wrong("", "Give text.")
        if len(value) > longest:
            raise Wrong("", f"At most {longest} characters.")
        try:
            clean(value)
        except ValidationError as error:
            raise Wrong("", error.messages[0]) from None
        return value.strip() or None

    return read


def _whole(most):
    def read(field, value):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise Wrong("", f"Give a whole number from 0 to {most}.")
        return value

    return read


def _yes_no(field, value):
    if not isinstance(value, bool):
        raise Wrong("", "Give true or false.")
    return value


def _list(field, value, allowed):
    if not isinstance(value, list) or not all(isinstance(one, str) and one in allowed for one in value):
        raise Wrong("", f"Give a list of {', '.join(allowed)}.")
    if len(set(value)) < len(value):
        raise Wrong("", "Give each once.")
    return sorted(value, key=list(allowed).index)


def _answers(field, value):
    if not isinstance(value, dict) or not value:
        raise Wrong("", "Give an object of questions and answers.")
    for code, answer in value.items():
        if code not in SAFETY:
            raise Wrong("", "There is no such question in the short list.")
        if not isinstance(answer, str) or answer not in ANSWERS:
            raise Wrong("", f"{SAFETY[code]}: give one of {', '.join(ANSWERS)}.")
    return {code: value[code] for code in SAFETY if code in value}


def _number(field, value):
    """In the range and steps of the catalogue's finding; lengths may be typed with their unit."""
    said = {"code": field.finding, "value": value}
    try:
        return float(checking.check({**said, "direction": "left"}).value)
    except Wrong as wrong:
        if wrong.field_name == "direction":  # a difference of nothing has no side
            return 0.0
        raise Wrong("", wrong.message) from None


def _day(field, value):
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Wrong("", "Give a date like 2027-01-04.") from None


def _findings(field, value):
    """Each place once, with at least one thing found there, in the order of the spine."""
    if not isinstance(value, list) or len(value) > MOST_FINDINGS:
        raise Wrong("", f"Give a list of at most {MOST_FINDINGS} places.")
    found = {}
    for one in value:
        if not isinstance(one, dict) or set(one) - {"at", *AT_A_PLACE} or one.get("at") not in PLACES:
            raise Wrong("", "Each place has `at`, such as C1 left, and what was found there.")
        if one["at"] in found or len(one) < 2:
            raise Wrong("", f"{one['at']}: give it once, with what was found.")
        found[one["at"]] = one
    kept = [
        {name: found[at][name] for name in ("at", *AT_A_PLACE) if name in found[at]} for at in PLACES if at in found
    ]
    for one in kept:
        for name in one:
            if name != "at":
                try:
                    _checked(_as_finding(one, name))
                except Wrong as wrong:
                    raise Wrong("", f"{one['at']}, {name}: {wrong.message}") from None
    return kept


def _checked(raw) -> Checked:
    try:
        return checking.check(raw)
    except Wrong as wrong:
        raise Wrong("", wrong.message) from None


def _as_finding(one, name):
    segment, side = one["at"].split()
    place = {"segment": segment} if name == "play" else {"segment": segment, "side": side}
    return {"code": AT_A_PLACE[name], "qualifiers": place, "value": one[name]}


_READ = {
    "choice": lambda field, value: _one_of(value, field.choices),
    "codes": lambda field, value: _list(field, value, field.choices),
    "places": lambda field, value: _list(field, value, PLACES),
    "line": _text(LONGEST_LINE, clean_line),
    "note": _text(LONGEST_NOTE, clean_note),
    "pain": _whole(10),
    "days": _whole(366),
    "degrees": _whole(120),
    "yes_no": _yes_no,
    "answers": _answers,
    "number": _number,
    "date": _day,
    "findings": _findings,
}


# --- one field beside another


def _together(now: Mapping, kept: Mapping) -> dict[str, str]:
    """What contradicts itself, said at a field of this save."""
    faults = {}

    def say(text, *codes):
        faults[next((code for code in codes if kept.get(code) is not None), codes[0])] = text

    if now.get("not_adjusted") and (now.get("technique") or now.get("segments")):
        say("Checked, not adjusted: then no technique was used and nothing was treated.",
            "technique", "segments", "not_adjusted")  # fmt: skip
    if now.get("medicare_at") and now.get("medicare_active") is False:
        say("The modifier AT says that the treatment is active.", "medicare_at", "medicare_active")
    for end in ("", "_after"):
        leg, much = now.get(f"leg{end}"), now.get(f"leg_mm{end}")
        if leg and much is not None and (leg == "even") != (much == 0):
            say("Even legs differ by 0 mm, any other difference has its short side.", f"leg_mm{end}", f"leg{end}")
        degrees, motion = now.get(f"degrees{end}"), now.get("motion")
        if degrees is not None and motion and degrees > catalogue.FINDINGS[f"rom_{motion}"].max:
            most = catalogue.FINDINGS[f"rom_{motion}"].max
            say(f"At most {most}° of {FIELDS['motion'].choices[motion]}.", f"degrees{end}", "motion")
    plays = {}
    for one in now.get("segments_found", ()):
        if "play" in one and plays.setdefault(one["at"].split()[0], one["play"]) != one["play"]:
            say(f"{one['at'].split()[0]}: the joint has one play, not two.", "segments_found")
    try:
        if now.get("listing"):
            _normal_listing(now)
    except WrongListing as wrong:
        say(str(wrong), "listing", "listing_system", "listing_level")
    return faults


def _normal_listing(now: Mapping) -> str:
    return listings.normal(now["listing"], system=now.get("listing_system"), level=now.get("listing_level", "C1"))


def observed(content: Mapping) -> list[Checked]:
    """What was found before the treatment, in the words of the catalogue: for the rules that work on findings."""
    raw = [_as_finding(one, name) for one in content.get("segments_found", ()) for name in one if name != "at"]
    if content.get("leg") and content.get("leg_mm") is not None:
        direction = {"even": "none"}.get(content["leg"], content["leg"])
        raw.append({"code": _LEG.code, "value": Decimal(str(content["leg_mm"])), "direction": direction})
    if content.get("motion") and content.get("degrees") is not None:
        raw.append({"code": f"rom_{content['motion']}", "qualifiers": {"mode": "active"}, "value": content["degrees"]})
    if content.get("listing"):
        raw.append({"code": LEVELS[content.get("listing_level", "C1")], "value": content["listing"]})
    if content.get("listing_system"):
        raw.append({"code": "listing_system", "value": content["listing_system"]})
    return [checking.check(one) for one in {str(one): one for one in raw}.values()]


def letters(content: Mapping, *, established: bool) -> dict[str, bool | None]:
    """P.A.R.T. of what was found before the treatment (`clusters.part`)."""
    return clusters.part(Readings(observed(content)), established=established)


def is_copied(content: Mapping, before: Mapping) -> bool:
    """Whether what was found before the treatment is byte for byte what the last note says (a "cloned note")."""
    mine, theirs = (_found(one) for one in (content, before))
    return mine != _found({}) and mine == theirs


def _found(content):
    said = {one.code: content[one.code] for one in of_part(OBJECTIVE) if one.code in content}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def change(content: Mapping, field: Field):
    """How much more it is after the treatment; None where either is missing or they are no numbers."""
    before, now = content.get(field.after), content.get(field.code)
    if field.kind == "choice" or before is None or now is None:
        return None
    return round(now - before, 1)
