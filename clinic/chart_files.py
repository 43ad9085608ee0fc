"""A patient's whole chart as one JSON file: read, checked, brought in, taken out.

Each package has the parts that are its own in a `chart_file` module, found by name, from the lowest up: `PARTS`,
`faults(chart)`, `bring_in(chart, bringing)` and `take_out(patient)`. A file is brought in whole or not at all.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
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


_INSTANT = re.compile(r"(\d{4})-\d\d-\d\d[T ].*")
YEARS = range(1900, 2101)


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
    if unfit := dict(_unfit(chart, "$")):
        return unfit
    known = {part for package in packages() for part in package.PARTS} | ABOUT | RESULTS
    found = {f"$.{name}": "There is no such part." for name in chart if name not in known}
    if "patient" not in chart:
        return found | {"$.patient": "This is missing."}
    for package in packages():
        found |= package.faults(chart)
    return found


def _unfit(node, at: str) -> Iterator[tuple[str, str]]:
    """What no part of a chart can hold: text that the databases do not take, and instants beyond all calendars."""
    if isinstance(node, dict):
        for name, inner in node.items():
            if _is_unfit(name):
                yield f"{at}.{name!a}", "Remove the control characters."
            else:
                yield from _unfit(inner, f"{at}.{name}")
    elif isinstance(node, list):
        for n, inner in enumerate(node):
            yield from _unfit(inner, f"{at}[{n}]")
    elif isinstance(node, str):
        if _is_unfit(node):
            yield at, "Remove the control characters."
        elif (found := _INSTANT.fullmatch(node)) and int(found[1]) not in YEARS:
            yield at, f"Give a year from {YEARS[0]} to {YEARS[-1]}."


def _is_unfit(text: str) -> bool:
    return any(unicodedata.category(c) == "Cs" or (ord(c) < 32 and c not in "\t\n\r") for c in text)


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


def differences(given, stored, at: tuple = ()) -> list[list]:
    """Where a part as it was given is not as it would be taken out: [path, given], or [path, given, stored].

    The same thing said otherwise (an instant in UTC, a telephone number with dashes) or a word that has no place; what
    the file leaves out is no difference.
    """
    if isinstance(given, dict) and isinstance(stored, dict):
        found = []
        for name, value in given.items():
            if name in RESULTS:
                continue
            here = (*at, name)
            found += differences(value, stored[name], here) if name in stored else [[list(here), value]]
        return found
    if isinstance(given, list) and isinstance(stored, list) and len(given) == len(stored):
        pairs = enumerate(zip(given, stored, strict=True))
        return [one for n, (value, kept) in pairs for one in differences(value, kept, (*at, n))]
    is_same = given == stored and isinstance(given, bool) == isinstance(stored, bool)
    return [] if is_same else [[list(at), given, stored]]


def as_given(part, found: list[list]) -> None:
    """Put the differences back, each where what is stored is still what was stored then."""
    for (*above, last), given, *stored in found:
        node = part
        for step in above:
            node = _child(node, step)
        if isinstance(node, dict | list) and (_child(node, last) == stored[0] if stored else last not in node):
            node[last] = given


def _child(node, step):
    if isinstance(node, dict):
        return node.get(step)
    return node[step] if isinstance(node, list) and isinstance(step, int) and step < len(node) else None
