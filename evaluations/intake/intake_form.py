"""The intake as a form: every item of reference 1.1 and 1.3 with its words, and only what was changed given back.

The rule (`patients/intake.py`) checks ranges; the form only reads. An answer left alone is not sent, so that answers
keep the form in which they came.
"""

from dataclasses import dataclass, field

from django import forms

from clinic.text import clean_line, clean_note
from evaluations.intake.criteria import NECK_INDICATORS

YES_NO = [("yes", "Yes"), ("no", "No"), ("unknown", "Not known")]
AURA_TYPES = ("visual", "sensory", "speech", "motor", "brainstem", "retinal")
TRIGGERS = (
    "stress", "sleep_short", "sleep_long", "skipped_meal", "dehydration", "alcohol", "caffeine_change", "menstruation",
    "weather", "light", "noise", "smell", "screen_time", "desk_posture", "neck_position", "travel", "exercise",
    "heavy_bag", "other",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One question. `path` is where the answer stands; `kind` is yes, whole, number, line, text, many or one."""

    path: str
    label: str
    kind: str = "yes"
    unit: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    code: str
    label: str
    items: tuple[Item, ...] = ()
    words: str = ""
    rows: dict[str, str] = field(default_factory=dict)


def _yes(prefix, labels):
    return tuple(Item(f"{prefix}{name}", label) for name, label in labels.items())


SECTIONS = (
    Section("headache", "Headache", (
        Item("headache_onset_age", "Age at the first headache of this kind", "whole", "years"),
        Item("lifetime_attacks", "Attacks so far, in all", "whole"),
        Item("attack_hours_min", "Shortest attack", "number", "hours"),
        Item("attack_hours_max", "Longest attack", "number", "hours"),
        Item("recall_headache_days_month", "Days with headache in a month", "whole", "days"),
        Item("recall_migraine_days_month", "of these, days with migraine", "whole", "days"),
        Item("months_at_this_frequency", "For how long it has been this often", "whole", "months"),
        Item("nprs_usual", "Usual pain, 0 to 10", "whole"),
        Item("nprs_worst", "Worst pain, 0 to 10", "whole"),
    ), "Attacks as they run untreated, or where treatment did not help; sleep counts until waking."),
    Section("features", "What an attack is like", (
        *_yes("", {
            "unilateral": "On one side of the head", "pulsating": "Throbbing or pulsating",
            "moderate_or_severe": "Moderate or severe", "worse_with_activity": "Worse with everyday activity",
            "nausea_or_vomiting": "Nausea or vomiting", "photophobia": "Light is hard to bear",
            "phonophobia": "Sound is hard to bear",
        }),
        Item("side_locked", "Always on the same side", "one", choices=("left", "right", "no", "unknown")),
    )),
    Section("aura", "Aura", (
        Item("aura.present", "Has an aura"),
        Item("aura.types", "Kinds of aura", "many", choices=AURA_TYPES),
        Item("aura.minutes_each", "Each sign lasts", "whole", "minutes"),
        *_yes("aura.", {
            "gradual_spread": "Spreads over five minutes or more", "successive": "Several signs, one after another",
            "unilateral": "At least one sign on one side", "positive": "At least one adds something, as light",
            "headache_within_60": "Headache with it or within an hour",
        }),
    )),
    Section("medicines", "Medicines", (
        Item("acute_medication_days_month.simple", "Simple painkillers", "whole", "days a month"),
        Item("acute_medication_days_month.triptan", "Triptans", "whole", "days a month"),
        Item("acute_medication_days_month.ergot", "Ergots", "whole", "days a month"),
        Item("acute_medication_days_month.opioid", "Opioids", "whole", "days a month"),
        Item("acute_medication_days_month.combination", "Combined painkillers", "whole", "days a month"),
        Item("acute_medication_days_month.gepant", "Gepants", "whole", "days a month"),
        Item("total_acute_days_month", "Any of these, all together", "whole", "days a month"),
    ), "Days, not doses. Record only: changes of medicine are the prescriber's.",
        {"preventive_medications": "Preventive medicines"}),
    Section("neck", "Does the neck take part?", _yes("neck_indicators.", NECK_INDICATORS),
            "Thirteen signs. They are counted, not scored: there is no cut-off."),
    Section("cervicogenic", "Headache from the neck", _yes("cervicogenic.", {
        "neck_disorder_evidence": "Imaging or examination shows a neck disorder that can cause headache",
        "onset_with_disorder": "Began together with the disorder",
        "improves_with_disorder": "Gets better as the disorder does",
        "provoked_with_reduced_motion": "Motion reduced, and headache clearly worse when provoked",
        "abolished_by_block": "Gone after a diagnostic block",
    })),
    Section("background", "Background", (
        Item("triggers", "What brings it on", "many", choices=TRIGGERS),
        Item("occupation", "Occupation", "line"),
        Item("desk_hours_day", "At a desk", "number", "hours a day"),
        Item("pillow_count", "Pillows", "whole"),
        Item("sleep_position", "Sleeps", "line"),
        Item("allergies", "Allergies", "text"),
        Item("medical_history", "Illnesses", "text"),
        Item("surgeries", "Operations", "text"),
        Item("family_history", "In the family", "text"),
    ), rows={"prior_care": "Care so far", "imaging_history": "Imaging so far"}),
)  # fmt: skip
ITEMS = {item.path: item for section in SECTIONS for item in section.items}
ROWS = {
    "preventive_medications": {"name": "Name", "dose": "Dose", "start": "Since"},
    "prior_care": {"type": "What", "date": "When", "result": "Result: helped, no change, worse"},
    "imaging_history": {"modality": "What", "date": "When", "finding": "Finding"},
}
ROW_LABELS = {name: label for section in SECTIONS for name, label in section.rows.items()}
MORE_ROWS = 2


def spoken(code: str) -> str:
    return code.replace("_", " ")


def _line(**more):
    return forms.TextInput(attrs={"class": "form-control form-control-sm", "autocomplete": "off", **more})


def _field(item: Item) -> forms.Field:
    told = {"label": item.label, "required": False}
    pairs = [(code, spoken(code).capitalize()) for code in item.choices]
    match item.kind:
        case "yes":
            return forms.ChoiceField(choices=YES_NO, widget=forms.RadioSelect, **told)
        case "one":
            return forms.ChoiceField(choices=pairs, widget=forms.RadioSelect, **told)
        case "many":
            return forms.MultipleChoiceField(choices=pairs, widget=forms.CheckboxSelectMultiple, **told)
        case "whole":
            field_ = forms.IntegerField(widget=_line(inputmode="numeric", size="6", maxlength="12"), **told)
            field_.error_messages["invalid"] = "Give a whole number."
            return field_
        case "number":
            field_ = forms.FloatField(widget=_line(inputmode="decimal", size="6", maxlength="12"), **told)
            field_.error_messages["invalid"] = "Give a number."
            return field_
        case "line":
            return forms.CharField(max_length=500, validators=[clean_line], widget=_line(), **told)
    area = forms.Textarea(attrs={"class": "form-control form-control-sm", "rows": 2})
    return forms.CharField(max_length=5000, validators=[clean_note], widget=area, **told)


def at(answers: dict, path: str):
    """The answer at the path; None where nobody gave one."""
    group, _, name = path.partition(".")
    value = answers.get(group)
    return value.get(name) if name and isinstance(value, dict) else None if name else value


def _as_typed(item: Item, value):
    if item.kind in {"yes", "one"}:
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value or ""
    if item.kind == "text" and isinstance(value, list):
        return "\n".join(str(one) for one in value)
    if item.kind == "number" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


class RowForm(forms.Form):
    """One line of a list; the columns come with the formset."""

    def __init__(self, *args, columns, **kwargs):
        super().__init__(*args, **kwargs)
        for name, label in columns.items():
            self.fields[name] = forms.CharField(
                label=label, required=False, max_length=200, validators=[clean_line], widget=_line()
            )


RowSet = forms.formset_factory(RowForm, extra=MORE_ROWS, max_num=200, absolute_max=400)


class IntakeForm(forms.Form):
    """`answers` are those that are kept; `changes()` are the top-level ones that differ, in the shape of the rule."""

    def __init__(self, data=None, *, answers: dict):
        self.answers = answers
        super().__init__(data, initial={i.path: _as_typed(i, at(answers, i.path)) for i in ITEMS.values()})
        for item in ITEMS.values():
            self.fields[item.path] = _field(item)
        self.rows = {
            name: RowSet(data, prefix=name, initial=self._row_values(name), form_kwargs={"columns": columns})
            for name, columns in ROWS.items()
        }

    def _row_values(self, name):
        first = next(iter(ROWS[name]))
        kept = self.answers.get(name) or []
        return [one if isinstance(one, dict) else {first: one} for one in kept]

    def is_valid(self):
        return all([super().is_valid(), *(rows.is_valid() for rows in self.rows.values())])

    def sections(self):
        """For the page: (section, [(item, field)], [(label, rows)])."""
        for section in SECTIONS:
            rows = [(label, self.rows[name]) for name, label in section.rows.items()]
            yield section, [(item, self[item.path]) for item in section.items], rows

    def changes(self) -> dict:
        found = {}
        for path in self.changed_data:
            group, _, name = path.partition(".")
            value = self._value(path)
            if name:
                found.setdefault(group, dict(self.answers.get(group) or {}))[name] = value
            else:
                found[group] = value
        return found | {name: self._lines(name) for name, rows in self.rows.items() if rows.has_changed()}

    def _value(self, path):
        value = self.cleaned_data[path]
        if value in ("", None, []):
            return None  # nothing ticked is nothing said
        if ITEMS[path].kind == "number":
            return int(value) if value.is_integer() else value
        return value

    def _lines(self, name) -> list:
        kept = self.answers.get(name) or []
        found = []
        for n, form in enumerate(self.rows[name].forms):
            typed = {column: value for column, value in form.cleaned_data.items() if value}
            more = kept[n] if n < len(kept) and isinstance(kept[n], dict) else {}
            besides = {column: value for column, value in more.items() if column not in ROWS[name]}
            if typed:
                found.append(besides | typed)
        return found

    def place(self, faults: dict[str, str]) -> list[str]:
        """Put the rule's faults on their fields; gives back those that have none."""
        left = []
        for path, text in faults.items():
            if path in self.fields:
                self.add_error(path, text)
            else:
                left.append(text)
        return left
