"""A patient's whole chart as one JSON file: read, checked, brought in, taken out.

Each package has the parts that are its own in a `chart_file` module, found by name, from the lowest up: `PARTS`,
`faults(chart)`, `bring_in(chart, bringing)` and `take_out(patient)`. A file is brought in whole or not at all.
"""

import json
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.db import transaction

from clinic import audit
from clinic.errors import RuleBroken

# What a file says about itself; kept as it was written, and given back.
ABOUT = {"id", "title", "edge_case_tags", "notes", "schema", "age_at_baseline"}
# Results are worked out anew; those that a file brings are not taken over.
RESULTS = {"expected", "derived"}


@dataclass
class Bringing:
    """A chart on its way in. The lowest package sets `patient`."""

    by_whom: str
    besides: set[str] = field(default_factory=lambda: set(ABOUT))
    patient: object = None


def packages() -> list:
    return [import_module(f"{name}.chart_file") for name in settings.LAYERS[1:] if find_spec(f"{name}.chart_file")]


def read(text: str) -> dict:
    """The file's object. Raises RuleBroken where the text is no JSON, or says a thing twice."""

    def once(pairs):
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"“{twice}” is given twice in one object")
        return found

    def refuse(name):
        raise ValueError(f"{name} is no number")

    try:
        chart = json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        message = f"This is not a chart file: {error}."
        raise RuleBroken(message, code="not_json", fields={"$": message}, status=400) from None
    if not isinstance(chart, dict):
        message = "A chart file is one JSON object."
        raise RuleBroken(message, code="not_json", fields={"$": message}, status=400)
    return chart


def faults(chart: dict) -> dict[str, str]:
    """Everything that is wrong with the file, by JSON path."""
    known = {part for package in packages() for part in package.PARTS} | ABOUT | RESULTS
    found = {f"$.{name}": "There is no such part." for name in chart if name not in known}
    if "patient" not in chart:
        return found | {"$.patient": "This is missing."}
    for package in packages():
        found |= package.faults(chart)
    return found


def bring_in(chart: dict, *, by_whom: str = "import_chart"):
    """Write the chart as a new patient; returns the patient. Raises RuleBroken naming each fault by its JSON path."""
    if wrong := faults(chart):
        raise RuleBroken("The file is not brought in.", code="invalid_chart", fields=wrong, status=400)
    with transaction.atomic():
        bringing = Bringing(by_whom)
        for package in packages():
            package.bring_in(chart, bringing)
        audit.record("chart.brought_in", on=bringing.patient, by_whom=by_whom)
    return bringing.patient


def take_out(patient) -> dict:
    """The chart of the patient in the same shape, with `derived`."""
    chart = {}
    for package in packages():
        for name, part in package.take_out(patient).items():
            chart[name] = {**chart[name], **part} if name == "derived" and name in chart else part
    return chart
