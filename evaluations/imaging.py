"""What is asked where a film was taken: pregnancy, what it is for, earlier films, and why films are repeated.

Films are optional and "none" needs no word (reference 2b). The words stand beside the finding, in its note.
"""

from evaluations.models import Evaluation
from evaluations.safety import red_flags
from patients.models import Patient

FINDING, PREGNANT = "imaging_modality", "rf_pregnant"
WITH_RADIATION = {"xray", "cbct", "ct", "cta_mra"}
AGES = range(10, 56)  # at which pregnancy is asked about


def is_film(code: str, value: object) -> bool:
    return code == FINDING and value in WITH_RADIATION


def words_missing(note: str, *, is_repeat: bool) -> str:
    """What has to be written beside a film; empty where something was."""
    if note.strip():
        return ""
    why = "why films are repeated, " if is_repeat else ""
    return f"Write beside it {why}what it is for and which films there are already."


def pregnancy_open(evaluation: Evaluation) -> str:
    """What to ask before a film where pregnancy is not ruled out; one query, and none where it cannot be."""
    if evaluation.age not in AGES or evaluation.patient.sex == Patient.Sex.MALE:
        return ""
    said = red_flags.answers_of(evaluation).get(PREGNANT, "not asked")
    return "" if said == "no" else f"Pregnancy is not ruled out ({said}): no film before it is."


def warning(evaluation: Evaluation, *, note: str) -> str:
    """What is asked of whoever records a film; it is kept."""
    is_repeat = evaluation.kind == Evaluation.Kind.REEVALUATION
    return " ".join(filter(None, [pregnancy_open(evaluation), words_missing(note, is_repeat=is_repeat)]))
