"""The controls of one finding as HTML. Made here and not by a template: the page has 474 of them, and a template takes
a quarter of a second for what takes ten milliseconds here. What never changes is made once; what was typed is escaped.

The status and the reason have controls only where scripts do not run; with scripts one bar serves all findings.
"""

from functools import cache

from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe

from evaluations import catalogue, clusters
from evaluations.entry import normals

STATUSES = (
    ("", "not recorded"),
    ("assessed", "assessed"),
    ("not_assessed", "not assessed"),
    ("refused", "refused"),
    ("not_assessable", "not assessable"),
    ("deferred_unsafe", "deferred for safety"),
)


def of(cell) -> SafeString:
    """`cell` is a `form_rows.Cell`."""
    control = _choices if cell.entry.kind == "choices" else _select if cell.options else _input
    parts = [
        f'<span class="cell{_classes(cell)}" data-cell="{cell.name}"{_about(cell.code)}{_recorded(cell)}>',
        control(cell),
        _direction(cell) if cell.directions else "",
        _without_script(cell.name, escape(cell.label), cell.status, escape(cell.reason)),
        f'<small class="says">{_says(cell)}</small></span>',
    ]
    return mark_safe("".join(parts))  # noqa: S308 -- every value is escaped where it is put in


def _classes(cell) -> str:
    marks = {"is-invalid": cell.error, "is-outside": cell.departs, "is-unusual": cell.warning}
    return "".join(f" {name}" for name, yes in marks.items() if yes)


def _recorded(cell) -> str:
    facts = {"status": cell.status, "reason": cell.reason, "note": cell.note}
    if cell.last is not None:
        facts |= {"last-direction": cell.last.direction}
    found = "".join(f' data-{name}="{escape(fact)}"' for name, fact in facts.items() if fact)
    if cell.last is not None:
        found += f' data-last="{escape(cell.last_typed)}"'
    found += " data-unsettled" if cell.is_unsettled else ""
    return found + (" data-expected" if cell.is_expected else "")


def _says(cell) -> str:
    if cell.error:
        meanwhile = f" Saved meanwhile: {cell.saved_meanwhile}" if cell.saved_meanwhile else ""
        return escape(f"{cell.error}{meanwhile}")
    meanwhile = f"Saved meanwhile: {cell.saved_meanwhile}" if cell.saved_meanwhile else ""
    return escape(meanwhile or cell.warning or cell.status_words)


def _named(cell) -> str:
    return f'aria-label="{escape(cell.label)}" aria-describedby="about-{cell.code}"'


def _input(cell) -> str:
    grey = f' placeholder="{escape(cell.last_words)}"' if cell.last is not None else ""
    digits = ' inputmode="decimal"' if cell.entry.is_numeric else ""
    wrong = ' aria-invalid="true"' if cell.error else ""
    return (
        f'<input class="form-control cell-value" name="{cell.name}value" value="{escape(cell.typed)}" maxlength="64" '
        f"{_named(cell)}{grey}{digits}{wrong}>"
    )


def _select(cell) -> str:
    chosen = options(cell.options, cell.typed if isinstance(cell.typed, str) else "")
    select = f'<select class="form-select cell-value" name="{cell.name}value" {_named(cell)}>{chosen}</select>'
    if cell.last is None:
        return select
    return f'<span class="carried">{select}{_grey(cell)}</span>'


def _grey(cell) -> str:
    """Last time's value inside an empty control, as a placeholder is; it goes as soon as something is recorded."""
    return f'<span class="last"{" hidden" if cell.status else ""}>{escape(cell.last_words)}</span>'


def _choices(cell) -> str:
    words, grey = escape(cell.choices_words), "" if cell.last is None else _grey(cell)
    boxes = "".join(
        f'<label><input type="checkbox" name="{cell.name}value" value="{value}"'
        f"{' checked' if value in cell.typed else ''}> {conditional_escape(said)}</label>"
        for value, said in cell.options
    )
    return (
        f'<details class="several"><summary><span class="visually-hidden">{escape(cell.label)}: </span>'
        f'<span class="several-words">{words}</span>{grey}</summary><span class="several-list">{boxes}</span></details>'
    )


def _direction(cell) -> str:
    shown = options(tuple((name, name) for name in cell.directions), cell.direction)
    label = escape(cell.label)
    named = f'name="{cell.name}direction" aria-label="Direction of {label}"'
    return f'<select class="form-select direction" {named}>{shown}</select>'


@cache
def _status_options(chosen) -> str:
    return "".join(
        f"<option value='{value}'{' selected' if value == chosen else ''}>{words}" for value, words in STATUSES
    )


def _without_script(name, label, status, reason) -> str:
    return (
        f'<noscript><select name="{name}status" aria-label="Status of {label}">{_status_options(status)}</select>'
        f'<input name="{name}reason" value="{reason}" maxlength=500 aria-label="Reason for {label}"></noscript>'
    )


@cache
def options(choices: tuple[tuple[str, str], ...], chosen: str) -> SafeString:
    """The options of a select, an empty one first."""
    lines = [
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(words)}</option>'
        for value, words in (("", ""), *choices)
    ]
    return mark_safe("".join(lines))  # noqa: S308 -- each was escaped


@cache
def _about(code) -> str:
    """The catalogue's word on the control, for the scripts of the page."""
    entry = catalogue.FINDINGS[code]
    facts = {"kind": entry.kind, "step": entry.step, "min": entry.min, "max": entry.max}
    normal = normals.value(entry)
    if normal is not None:
        facts["normal"] = ",".join(normal) if isinstance(normal, list) else typed(normal)
    if entry.directions:
        facts["directions"] = " ".join(entry.directions)
    if clusters.takes_readings(code):
        facts["several"] = "yes"
    return "".join(f' data-{name}="{escape(fact)}"' for name, fact in facts.items() if fact is not None)


def typed(value) -> str | list[str]:
    """A value as it is typed: text, or a list for checkboxes."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return value
        case _:
            return str(value)
