"""Red flags that follow from what was measured or told (reference 1.4). Plain values; such a flag overrides a "no"."""

from collections.abc import Iterable, Mapping

from django.conf import settings

from evaluations import catalogue, clusters
from evaluations.intake import criteria
from evaluations.models import Finding
from evaluations.readings import HasReading

_POSITIVE = {
    "hoffmann": ("positive", "rf_myelopathy"),
    "inverted_supinator": ("positive", "rf_myelopathy"),
    "babinski": ("extensor", "rf_myelopathy"),
    "gait": ("spastic", "rf_myelopathy"),
    "nystagmus": ("positive", "rf_nystagmus"),
    "horner": ("positive", "rf_horner"),
    "cranial_nerve": ("abnormal", "rf_neuro_deficit"),
    "sharp_purser": ("positive", "rf_instability"),
    "alar_ligament": ("positive", "rf_instability"),
    "transverse_ligament": ("positive", "rf_instability"),
}
# At least this value raises the flag.
_AT_LEAST = {
    "bp_systolic": ((140, "rf_hypertension"),),
    "bp_diastolic": ((90, "rf_hypertension"),),
    "body_temperature": ((38, "rf_systemic"),),
    "ankle_clonus_beats": ((3, "rf_myelopathy"),),
    "reflex": ((4, "rf_myelopathy"),),
    "lateral_mass_overhang": ((7, "rf_fracture"),),
}
# Of a pressure that was taken several times the last one counts; a crisis is one whichever reading it was.
_CRISIS = {"bp_systolic": 180, "bp_diastolic": 120}
_REFLEX_ROOT = {"biceps": "C5", "brachioradialis": "C6", "triceps": "C7", "patellar": "L4", "achilles": "S1"}
STRENGTH = "myotome_strength"
_WEAK = ("0", "1", "2", "3")  # from none to against gravity
_WATCHED = {*_POSITIVE, *_AT_LEAST, STRENGTH, "reflex", "beighton_score", "atlantodental_interval"}
_TWO_ROOTS = 2


def flags_of(findings: Iterable[Finding], *, age: int, strengths_before: Mapping[str, str]) -> set[str]:
    """Codes raised by the assessed findings of a patient of that age in years.

    `strengths_before` is the grade last known at each place of `weak_places`, by the place's key: a weakness that was
    there before and is no worse is not new. One that nobody graded before is.
    """
    flags = {"rf_minor"} if age < clusters.ADULT else set()
    roots = set()
    for finding in findings:
        if finding.code not in _WATCHED or (value := finding.value) is None:
            continue
        sign, flag = _POSITIVE.get(finding.code, (None, None))
        if flag and value == sign:
            flags.add(flag)
        flags.update(flag for limit, flag in _AT_LEAST.get(finding.code, ()) if value >= limit)
        if crisis_of(finding) is not None:
            flags.add("rf_bp_crisis")
        if finding.code == "beighton_score" and clusters.beighton_positive(value, age=age):
            flags.add("rf_hypermobility")
        if finding.code == "atlantodental_interval" and clusters.adi_over_limit(value, age=age):
            flags.add("rf_instability")
        roots |= _lost_root(finding, value)
        if _is_weak(finding) and _is_new(value, strengths_before.get(catalogue.key_of(finding.qualifiers))):
            flags.add("rf_multilevel_root")
    return flags | ({"rf_multilevel_root"} if len(roots) >= _TWO_ROOTS else set())


def crisis_of(finding: HasReading) -> int | None:
    """The highest reading of a blood pressure that is a crisis; None where there is none."""
    if finding.code not in _CRISIS or finding.value is None:
        return None
    highest = int(max(finding.value, *(finding.readings or (0,))))
    return highest if highest >= _CRISIS[finding.code] else None


def warning(finding: HasReading) -> str:
    """Names the reading that raised the flag where the value, the last one taken, does not show it; else empty."""
    highest = crisis_of(finding)
    if highest is None or highest == finding.value:
        return ""
    return f"{highest} among the readings is {_CRISIS[finding.code]} or more: the red flag is raised."


def weak_places(findings: Iterable[Finding]) -> set[str]:
    """Keys of the places whose strength is a grade of 3 or less."""
    return {catalogue.key_of(one.qualifiers) for one in findings if _is_weak(one)}


def strengths(findings: Iterable[Finding]) -> dict[str, str]:
    """The grade at each place where strength was assessed, by the place's key: the `strengths_before` of the next."""
    graded = [one for one in findings if one.code == STRENGTH and one.value is not None]
    return {catalogue.key_of(one.qualifiers): one.value for one in graded}


def flags_of_intake(answers: Mapping) -> set[str]:
    """Codes raised by what the patient told: days of acute medication, and a first headache late in life."""
    flags = {"rf_painkiller"} if criteria.overuse_exposure(answers) else set()
    onset = answers.get("headache_onset_age")
    return flags | ({"rf_older_onset"} if onset is not None and onset >= settings.OLDER_ONSET_AGE else set())


def _is_weak(finding):
    return finding.code == STRENGTH and finding.value in _WEAK


def _is_new(value, before):
    return before not in _WEAK or _WEAK.index(value) < _WEAK.index(before)


def _lost_root(finding, value):
    if _is_weak(finding):
        return {finding.qualifiers["level"]}
    if finding.code == "reflex" and value == 0:
        return {_REFLEX_ROOT[finding.qualifiers["reflex"]]}
    return set()
