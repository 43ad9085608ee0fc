"""What follows from the evaluation as it stands, in words: for the page while it is filled in. Pure.

One truth: the numbers come from `derived`; nothing here decides. What cannot be known yet says "unknown".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from evaluations import catalogue, clusters, derived, field_words, listings, scoring
from evaluations.entry import normals
from evaluations.entry.normals import Who
from evaluations.readings import SIDES, HasReading, Readings

UNKNOWN = "unknown"
# The one value that is normal wherever it is found, and what is judged beside another value all the same.
_NORMAL = {code: normals.value(entry) for code, entry in catalogue.FINDINGS.items()}
_BESIDE = {code for code, entry in catalogue.FINDINGS.items() if entry.greatest_difference is not None}
_WITH_NORM = {code: entry for code, entry in catalogue.FINDINGS.items() if normals.is_known(entry)}
_BP = {"normal": "normal", "elevated": "elevated", "stage_1": "stage 1", "stage_2": "stage 2", "crisis": "crisis"}


@dataclass(frozen=True)
class Result:
    """One line. `tone` is plain, notice, alert or unknown; `part` is where its inputs are typed."""

    code: str
    part: str
    label: str
    says: str
    tone: str = "plain"


def of(findings: Iterable[HasReading], outcomes: Mapping, who: Who) -> dict:
    """{"results": lines, "outside": names of the findings that depart from their norm}: plain values for JSON."""
    readings = Readings(findings)
    return {
        "results": [{**vars(one)} for one in lines(readings, outcomes, who)],
        "outside": outside(readings, who),
    }


def lines(readings: Readings, outcomes: Mapping, who: Who) -> list[Result]:
    """Every result in the order in which the evaluation is worked through; always the same lines."""
    found = derived.of_evaluation(readings, outcomes, age=who.age, established=who.established)
    return [
        _blood_pressure(found["bp_class"], clusters.pressures_to_repeat(readings)),
        _one("cva", "posture", "Head forward (CVA)", found["cva_band"], {"mild", "moderate", "marked"}),
        _trunk(readings.value("trunk_rotation")),
        _leg_length(found["lli_flag"], readings.value("leg_length_inequality")),
        *(_listing(readings, code, level) for code, level in listings.LEVELS.items()),
        _motion(readings, found["rom_active_flags"]),
        _sides("frt", "rom", "Flexion-rotation test", found["frt_positive"]),
        _beighton(found["beighton_positive"], readings),
        _yes_no("adi", "alignment", "Atlantodental interval over the limit", found["adi_over_limit"], "alert"),
        _part(found["part"], readings),
        _cook(clusters.cook(readings, age=who.age)),
        *(_wainner(clusters.wainner(readings, side), side) for side in SIDES),
        *_outcomes(found, outcomes),
    ]


def outside(readings: Readings, who: Who) -> list[str]:
    """`code[place]` of every assessed finding that departs from its norm, by itself or from the other side."""
    found = []
    for code, entry in _WITH_NORM.items():
        normal = _NORMAL[code]
        for place, value in readings.all(code):
            if value == normal and code not in _BESIDE:
                continue
            if normals.stands_out(entry, place, value, readings, who):
                found.append(f"{code}[{catalogue.key_of(place)}]")
    return found


def _one(code, part, label, says, notable=(), tone="notice") -> Result:
    if says is None:
        return Result(code, part, label, UNKNOWN, "unknown")
    return Result(code, part, label, str(says).replace("_", " "), tone if says in notable else "plain")


def _yes_no(code, part, label, answer, tone="notice") -> Result:
    return _one(code, part, label, None if answer is None else ("yes" if answer else "no"), {"yes"}, tone)


def _beighton(answer, readings) -> Result:
    """The score; asked for where a motion is increased (reference 2c)."""
    line = _yes_no("beighton", "rom", "Hypermobile (Beighton)", answer)
    moves_more = any("increased" in clusters.motion_flags(readings, mode).values() for mode in ("active", "passive"))
    is_open = answer is None and readings.status("beighton_score") in {"", "not_assessed"}
    if moves_more and is_open:
        return replace(line, says="unknown: a motion is increased, do the nine manoeuvres", tone="notice")
    return line


def _trunk(degrees) -> Result:
    step = clusters.trunk_rotation_step(degrees)
    words = {"imaging": "consider imaging for scoliosis"}.get(step, step)
    return _one(
        "trunk_rotation", "posture", "Rotation of the trunk", words, {"monitor", words if step == "imaging" else ""}
    )


def _leg_length(flag, millimetres) -> Result:
    line = _yes_no("lli", "alignment", "Leg length at the limit", flag)
    far = clusters.leg_length_to_refer(millimetres)
    return replace(line, says=f"{line.says}; 20 mm or more: refer if it is anatomical") if far else line


def _sides(code, part, label, answers) -> Result:
    words = {None: UNKNOWN, True: "positive", False: "negative"}
    says = ", ".join(f"{side} {words[answer]}" for side, answer in answers.items())
    known = [answer for answer in answers.values() if answer is not None]
    return Result(code, part, label, says, "unknown" if not known else "notice" if any(known) else "plain")


def _blood_pressure(classes, to_repeat) -> Result:
    known = {side: _BP[name] for side, name in classes.items() if name}
    if not known:
        return Result("bp", "vitals", "Blood pressure", UNKNOWN, "unknown")
    says = ", ".join(f"{side} {known.get(side, UNKNOWN)}" for side in SIDES)
    if to_repeat:
        says += f"; repeat after 5 min: {' and '.join(to_repeat)}"
    tone = "alert" if "crisis" in known.values() else "notice" if set(known.values()) - {"normal"} else "plain"
    return Result("bp", "vitals", "Blood pressure", says, tone)


def _listing(readings, code, level) -> Result:
    text, system = readings.value(code), readings.value("listing_system")
    says = None if text is None else text or "no listing"
    if text and system and level in listings.GRAMMARS.get(system, {}):
        says = f"{text} ({field_words.spoken(system)})"
    line = _one(code, "alignment", f"Listing {level}", says)
    against = listings.contradiction(readings) if level == "C1" else ""
    return replace(line, says=against, tone="notice") if against else line


def _motion(readings, flags) -> Result:
    measured = [flag for flag in flags.values() if flag]
    label = "Active motion"
    if not measured:
        return Result("motion", "rom", label, UNKNOWN, "unknown")
    said = []
    for what in ("reduced", "increased"):
        if names := [motion.replace("_", " ") for motion, flag in flags.items() if flag == what]:
            said.append(f"{what}: {', '.join(names)}")
    uneven = [pair.replace("_", " ") for pair, yes in clusters.asymmetric_motions(readings).items() if yes]
    if uneven:
        said.append(f"uneven: {', '.join(uneven)}")
    tone = "notice" if said else "plain"
    said = said or ["within the norms"]
    if len(measured) < len(flags):
        said.append(f"{len(flags) - len(measured)} unknown")
    return Result("motion", "rom", label, "; ".join(said), tone)


def _part(found, readings) -> Result:
    words = {None: UNKNOWN, True: "yes", False: "no"}
    so_far = {x for x in "PART" if found[x] is False and not clusters.part_is_complete(readings, x)}
    letters = ", ".join(f"{letter} {words[found[letter]]}{' so far' * (letter in so_far)}" for letter in "PART")
    enough = {None: UNKNOWN, True: "sufficient", False: "not sufficient"}[found["sufficient"]]
    if so_far and found["sufficient"] is False:
        enough = "not sufficient so far"
    tone = {None: "unknown", True: "plain", False: "notice"}[found["sufficient"]]
    return Result("part", "palpation", "P.A.R.T. documentation check", f"{enough} ({letters})", tone)


def _cluster(code, part, label, cluster, of, from_) -> Result:
    if cluster.count is None:
        return Result(code, part, label, UNKNOWN, "unknown")
    unknown = f", {len(cluster.unknown)} unknown" if cluster.unknown else ""
    return Result(
        code, part, label, f"{cluster.count} of {of}{unknown}", "notice" if cluster.count >= from_ else "plain"
    )


def _cook(cluster) -> Result:
    return _cluster("cook", "neuro", "Cook cluster (cord)", cluster, 5, 3)


def _wainner(cluster, side) -> Result:
    return _cluster(f"wainner_{side}", "neuro", f"Wainner cluster (root), {side}", cluster, 4, 3)


def _outcomes(found, outcomes) -> list[Result]:
    hit6, midas, ndi = outcomes.get("hit6_total"), found["midas_total"], found["ndi"] or {}
    lines = [
        _score("nprs_neck", "Neck pain", outcomes.get("nprs_neck"), found["nprs_neck_band"]),
        *_headache(outcomes),
        _score("hit6", "HIT-6", hit6, found["hit6_band"]),
        _score("midas", "MIDAS", midas, found["midas_grade"] and f"grade {found['midas_grade']}"),
    ]
    percent, answered = ndi.get("percent"), ndi.get("answered") or 0
    says = _score("ndi", "Neck Disability Index", percent, found["ndi_band"], unit=" %")
    if 0 < answered < scoring.NDI_ITEMS:
        says = Result(
            "ndi", "outcomes", says.label, f"{says.says} ({answered} of {scoring.NDI_ITEMS} answered)", says.tone
        )
    response = scoring.pgic_is_response(outcomes.get("pgic_1_to_7"))
    words = {None: None, True: "response (1 or 2)", False: "no response"}[response]
    return [*lines, says, _one("pgic", "outcomes", "Impression of change", words)]


def _headache(outcomes) -> list[Result]:
    """The usual and the worst; a usual above the worst is kept and asked about."""
    scores = {which: outcomes.get(f"nprs_headache_{which}") for which in ("usual", "worst")}
    lines = [
        _score(f"nprs_headache_{which}", f"Headache, {which}", score, scoring.nprs_band(score))
        for which, score in scores.items()
    ]
    if None not in scores.values() and scores["usual"] > scores["worst"]:
        lines[0] = replace(lines[0], says=f"{lines[0].says}; above the worst: is it right?", tone="notice")
    return lines


def _score(code, label, number, band, unit="") -> Result:
    if number is None:
        return Result(code, "outcomes", label, UNKNOWN, "unknown")
    return Result(code, "outcomes", label, f"{number}{unit}, {band}" if band else f"{number}{unit}")
