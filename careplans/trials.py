"""What was tried on a patient and changed nothing: no third identical trial (clinical reference 4.3). Reads only."""

from careplans.models import CarePlan, Reevaluation
from evaluations import interventions

IDENTICAL = 2  # trials without a change; a third is not begun


def techniques_of(plan: CarePlan) -> list[str]:
    """The codes that make two trials the same; advice and exercises do not."""
    known = interventions.KNOWN
    codes = plan.interventions.values_list("code", flat=True)
    return sorted(code for code in codes if code in known and known[code].group == interventions.TECHNIQUE)


def unchanged_in_a_row(plan: CarePlan) -> int:
    """How many of the patient's latest re-evaluations found that the techniques of this plan changed nothing."""
    techniques, count = techniques_of(plan), 0
    for one in Reevaluation.objects.filter(plan__patient=plan.patient_id).order_by("-at", "-pk"):
        if one.result != Reevaluation.Result.UNCHANGED or one.techniques != techniques:
            break
        count += 1
    return count
