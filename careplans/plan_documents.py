"""What a plan says in words: the document that the patient reads and signs, and that a version keeps.

Text alone (`patients/documents.py`), so that page, print and digest cannot differ. Reads, never writes.
"""

from datetime import date

from careplans import blocks, metrics
from careplans.models import CarePlan
from evaluations import interventions
from patients import documents

AGREEMENT = (
    "I have read this plan, my questions were answered, and I agree to begin it.",
    "I may stop at any time and need not say why.",
)
AIMS = {
    "relief": "to ease pain and have fewer attacks",
    "corrective": "to hold what was gained: each visit checks first, and adjusts only where the check says so",
    "stabilisation": "to keep what was gained",
}


def of(plan: CarePlan) -> dict:
    """The document of the plan as it stands."""
    return {
        "title": "Care plan",
        "facts": [
            ["Patient", plan.patient.name],
            ["Practitioner", plan.practitioner.name],
            ["Clinic", plan.location.name],
            ["Starts", _day(plan.starts_on)],
            ["Version", str(plan.version)],
        ],
        "sections": [section for section in _sections(plan) if section["text"] or section["items"]],
    }


def _sections(plan):
    yield documents.section("Visits", items=[_phase(phase) for phase in plan.phases.all()], text=_checkpoint(plan))
    yield documents.section("Diagnoses", items=plan.diagnoses)
    yield documents.section("Goals", items=[_goal(goal) for goal in plan.goals.all()])
    rows = list(plan.interventions.all())
    for group in (interventions.TECHNIQUE, interventions.ADJUNCT, interventions.ACTIVE_CARE, interventions.HOME):
        yield documents.section(group, items=[_intervention(row) for row in rows if group_of(row) == group])
    held = blocks.restrictions_on(plan)
    yield documents.section("Restrictions", items=[interventions.restriction_label(code) for code in held])
    yield documents.section("Referrals", items=plan.referrals)
    yield documents.section("Note", text=plan.note.splitlines())
    yield documents.section("Agreement", text=AGREEMENT)


def group_of(row) -> str:
    """As the list groups it, but for what a chart that was brought in counts elsewhere."""
    if row.role:
        return {"technique": interventions.TECHNIQUE, "home": interventions.HOME}.get(row.role, interventions.ADJUNCT)
    return interventions.KNOWN[row.code].group if row.code in interventions.KNOWN else interventions.ADJUNCT


def _phase(phase) -> str:
    return f"{phase.get_kind_display()}, {AIMS[phase.kind]}: {often(phase)} for {_count(phase.weeks, 'week')}"


def often(phase) -> str:
    visits = _count(phase.visits_per_week, "visit")
    return f"{visits} every {phase.every_weeks} weeks" if phase.every_weeks > 1 else f"{visits} a week"


def _checkpoint(plan) -> list[str]:
    visits = f"after {_count(plan.reevaluate_after_visits, 'visit')}"
    if plan.reevaluate_by is None:
        return [f"Then we look again at how you are: {visits}."]
    return [
        f"Then we look again at how you are: {visits} or by {_day(plan.reevaluate_by)}, whichever comes first. Whether"
        " and how care goes on is decided from that."
    ]


def _goal(goal) -> str:
    metric = metrics.METRICS.get(goal.metric)
    return (
        f"{metric.label if metric else goal.metric}: from {_number(goal, goal.baseline)} to"
        f" {_number(goal, goal.target)} by {_day(goal.due_on)}"
    )


def _number(goal, value) -> str:
    return f"{metrics.shown(value)} {metrics.shown_unit(goal.unit, value)}"


def _intervention(row) -> str:
    if row.code == "other":
        return row.dose
    return f"{interventions.label_of(row.code)}{': ' if row.dose else ''}{row.dose}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _day(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
