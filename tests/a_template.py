"""A plan template of the group, and what a good form of its page holds."""

from unittest import mock

from careplans import plan_templates
from careplans.models import PlanTemplate
from locations import access
from tests import make
from tests.access.world import TABLE

SKETCH = {
    "phases": [{"kind": "relief", "visits_per_week": 2, "weeks": 2}],
    "goals": [{"metric": "migraine_days_28", "weeks": 8}],
}


def one() -> PlanTemplate:
    """Made when it is first asked for, by the table as it is meant."""
    with mock.patch.dict(access.TABLE, TABLE):
        found = PlanTemplate.objects.filter(name="Relief").first()
        return found or plan_templates.create("Relief", plan_templates.Sketch(**SKETCH), by=make.user("owner"))


def form() -> dict:
    rows = {f"{name}-{count}_FORMS": 1 for name in SKETCH for count in ("TOTAL", "INITIAL")}
    for name, (row,) in SKETCH.items():
        rows |= {f"{name}-0-{field}": value for field, value in row.items()}
    return {**rows, "name": "Another", "reevaluate_after_visits": 6, "reevaluate_after_days": 20}
