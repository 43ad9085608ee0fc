"""Whether JSON has the shape that a schema names: every fault by its JSON path, in plain words."""

import json
import re
from datetime import date, datetime
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

_FORMATS = FormatChecker(formats=())
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TYPES = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list",
    "object": "an object", "null": "null",
}  # fmt: skip


@_FORMATS.checks("date", raises=ValueError)
def _is_date(value):
    return not isinstance(value, str) or bool(_DATE.fullmatch(value) and date.fromisoformat(value))


@_FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value):
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def day(value) -> date | None:
    """The date, or None where it is none."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _is_date(value) else None
    except ValueError:
        return None


def schema(path: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")), format_checker=_FORMATS)


def faults(value, against: Draft202012Validator, *, at: str = "$") -> dict[str, str]:
    """{JSON path: sentence}; empty when the value has the shape. `at` is where the value stands in its file."""
    found = {}
    for error in against.iter_errors(value):
        where = at + error.json_path.removeprefix("$")
        if error.validator == "additionalProperties":
            for name in sorted(set(error.instance) - set(error.schema.get("properties", {}))):
                found[f"{where}.{name}"] = "There is no such field."
        elif error.validator == "required":
            for name in sorted(set(error.validator_value) - set(error.instance)):
                found[f"{where}.{name}"] = "This is missing."
        else:
            found[where] = _sentence(error)
    return found


def _sentence(error) -> str:
    limit = error.validator_value
    match error.validator:
        case "type":
            kinds = [limit] if isinstance(limit, str) else [kind for kind in limit if kind != "null"]
            return f"Give {' or '.join(_TYPES[kind] for kind in kinds)}."
        case "enum":
            return f"Give one of {', '.join('null' if v is None else str(v).lower() for v in limit)}."
        case "const":
            return f"Give {json.dumps(limit)}."
        case "minimum":
            return f"Give {limit} or more."
        case "maximum":
            return f"Give {limit} or less."
        case "format":
            return {"date": "Give a date, as 2026-01-31.", "date-time": "Give an instant with its offset from UTC."}[
                limit
            ]
        case "maxLength":
            return f"At most {limit} characters."
        case "minLength" | "minItems":
            return "This is empty."
        case "maxItems":
            return f"At most {limit} of them."
        case "uniqueItems":
            return "Give each once."
    return error.message[:200]
