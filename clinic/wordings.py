"""Every text that is shown in the reader's language, read off the sources: `_("…")` in Python, tags in templates.

So it is known without gettext's own tools what a catalogue still lacks (`manage.py translations`).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.conf import settings
from django.utils.translation.template import templatize

_FUNCTIONS = {
    "_": ("msgid",), "gettext": ("msgid",), "gettext_lazy": ("msgid",), "gettext_noop": ("msgid",),
    "ngettext": ("msgid", "plural"), "ngettext_lazy": ("msgid", "plural"), "pgettext": ("context", "msgid"),
    "npgettext": ("context", "msgid", "plural"),
}  # fmt: skip
_STRING = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_IN_TEMPLATE = re.compile(rf"\b(n?p?gettext|_)\(\s*{_STRING}(?:,\s*{_STRING})?(?:,\s*{_STRING})?", re.S)


@dataclass(frozen=True, order=True)
class Wording:
    msgid: str
    context: str = ""
    plural: str = ""


def used() -> dict[Wording, list[str]]:
    """Each with the files it stands in."""
    found: dict[Wording, list[str]] = {}
    for layer in settings.LAYERS:
        for path in sorted((settings.ROOT / layer).rglob("*.*")):
            read = {".py": _of_python, ".html": _of_template, ".txt": _of_template}.get(path.suffix)
            if read and "migrations" not in path.parts:
                for wording in read(path.read_text(encoding="utf-8")):
                    found.setdefault(wording, []).append(str(path.relative_to(settings.ROOT)))
    return found


def lacking(catalogue: Path) -> tuple[list[Wording], list[Wording]]:
    """What the catalogue does not translate, and what it translates although nobody says it any more."""
    entries = polib.pofile(str(catalogue))
    said = set(used())
    kept = {_of_entry(entry): entry for entry in entries}
    missing = [one for one in said if one not in kept or not kept[one].translated()]
    return sorted(missing), sorted(set(kept) - said)


def bring_up_to_date(catalogue: Path) -> None:
    """Add what is missing, to be filled in, and drop what nobody says any more."""
    entries = polib.pofile(str(catalogue), wrapwidth=118)
    every = used()
    for entry in [entry for entry in entries if _of_entry(entry) not in every]:
        entries.remove(entry)
    known = {_of_entry(entry): entry for entry in entries}
    for one in sorted(every, key=lambda one: (every[one][0], one)):
        if one not in known:
            plurals = {"msgid_plural": one.plural, "msgstr_plural": {0: "", 1: ""}} if one.plural else {}
            entries.append(polib.POEntry(msgid=one.msgid, msgctxt=one.context or None, msgstr="", **plurals))
    entries.save(str(catalogue))


def _of_entry(entry) -> Wording:
    return Wording(entry.msgid, entry.msgctxt or "", entry.msgid_plural or "")


def _wording(name: str, strings: list[str]) -> Wording:
    parts = dict(zip(_FUNCTIONS[name], strings, strict=False))
    return Wording(parts["msgid"], parts.get("context", ""), parts.get("plural", ""))


def _of_python(source: str) -> Iterator[Wording]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
            wanted = node.args[: len(_FUNCTIONS[node.func.id])]
            if all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in wanted):
                yield _wording(node.func.id, [one.value for one in wanted])


def _of_template(source: str) -> Iterator[Wording]:
    if "translate" not in source:
        return
    for name, *strings in _IN_TEMPLATE.findall(templatize(source)):
        yield _wording(name, [ast.literal_eval(one) for one in strings if one])
