"""A part of the intake on the phone as a form: nothing is required, and what was typed stays in it."""

from django import forms
from django.utils.translation import gettext as _

from clinic.text import clean_line, clean_note
from evaluations.intake.intake_form import Item, at
from evaluations.intake.intake_questions import SIDES, YES_NO_UNSURE, Part
from patients.intake import SCHEMA

# What the rule says of answers that do not go together.
TOGETHER = {
    "attack_hours_max": lambda: _("The longest attack is not shorter than the shortest."),
    "recall_migraine_days_month": lambda: _("Not more days than with headache."),
    "total_acute_days_month": lambda: _("Not fewer days than with one kind of them."),
    "headache_onset_age": lambda: _("This is older than you are."),
}


class PartForm(forms.Form):
    """`answers` are those kept so far, `flags` the safety answers; `changes()` is what the rule is given."""

    def __init__(self, data=None, *, part: Part, answers: dict, flags: dict):
        self.part, self.answers = part, answers
        initial = {item.path: _shown(item, at(answers, item.path)) for item in part.items}
        super().__init__(data, initial=initial | {code: flags.get(code, "") for code in part.flags or {}})
        for code, words in (part.flags or {}).items():
            self.fields[code] = _radios(words, YES_NO_UNSURE)
        for item in part.items:
            self.fields[item.path] = _field(item)

    def questions(self):
        """(field, unit, whether it is a choice)."""
        units = {item.path: item.unit for item in self.part.items}
        return [(self[name], units.get(name, ""), isinstance(f, forms.ChoiceField)) for name, f in self.fields.items()]

    def flags(self) -> dict[str, str]:
        return {code: given for code in self.part.flags or {} if (given := self.cleaned_data.get(code))}

    def changes(self) -> dict:
        found = {}
        for item in self.part.items:
            value = self.cleaned_data[item.path]
            value = None if value == "" else value
            if value == _kept(item, at(self.answers, item.path)):
                continue
            group, _dot, name = item.path.partition(".")
            if item.kind == "rows":
                found[group] = [{"name": line.strip()} for line in (value or "").splitlines() if line.strip()]
            elif name:
                found.setdefault(group, dict(self.answers.get(group) or {}))[name] = value
            else:
                found[group] = value
        return found

    def place(self, faults: dict[str, str]) -> None:
        """Put the rule's faults on their fields, in the patient's language."""
        for path, text in faults.items():
            if path in self.fields:
                self.add_error(path, TOGETHER[path]() if path in TOGETHER else text)
        if not self.errors:
            self.add_error(None, _("Please look at your answers again."))


def _shown(item: Item, value):
    if item.kind == "rows":
        return "\n".join(" ".join(map(str, row.values())) if isinstance(row, dict) else str(row) for row in value or [])
    if item.kind == "text" and isinstance(value, list):
        return "\n".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _kept(item: Item, value):
    shown = _shown(item, value)
    return None if shown == "" else shown


def _field(item: Item) -> forms.Field:
    told = {"label": item.label, "required": False}
    if item.kind == "yes":
        return _radios(item.label, YES_NO_UNSURE)
    if item.kind == "one":
        return _radios(item.label, [(code, SIDES[code]) for code in item.choices])
    if item.kind in {"whole", "number"}:
        bounds = _bounds(item.path)
        kind = forms.IntegerField if item.kind == "whole" else forms.FloatField
        mode = "numeric" if item.kind == "whole" else "decimal"
        attrs = {"class": "form-control", "inputmode": mode, "maxlength": "12", "autocomplete": "off"}
        return kind(min_value=bounds["minimum"], max_value=bounds["maximum"], widget=forms.TextInput(attrs), **told)
    if item.kind == "line":
        attrs = {"class": "form-control", "autocomplete": "off"}
        return forms.CharField(max_length=500, validators=[clean_line], widget=forms.TextInput(attrs), **told)
    area = forms.Textarea({"class": "form-control", "rows": 3})
    return forms.CharField(max_length=4000, validators=[clean_note], widget=area, **told)


def _radios(label, choices) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect, required=False)


def _bounds(path: str) -> dict:
    group, _dot, name = path.partition(".")
    found = SCHEMA.schema["properties"][group]
    return found["properties"][name] if name else found
