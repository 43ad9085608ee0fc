"""Hours of the week as a form: each row is a time of the day and the weekdays on which it holds."""

from collections.abc import Iterable

from django import forms

from locations.models import Weekday
from locations.spans import Span

BLANK_ROWS = 2


def time_field(label):
    return forms.TimeField(
        label=label, required=False, input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput({"type": "time", "step": 300}, format="%H:%M"),
    )  # fmt: skip


class SpanForm(forms.Form):
    """A row; one without days or times is no row."""

    days = forms.TypedMultipleChoiceField(
        label="Days", required=False, coerce=int, choices=[(day.value, day.label[:2]) for day in Weekday],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    starts = time_field("From")
    ends = time_field("To")
    ends_next_day = forms.BooleanField(required=False, label="next day")

    def clean(self):
        data = self.cleaned_data
        filled = [name for name in ("days", "starts", "ends") if data.get(name) not in (None, [])]
        if filled and not self.errors:
            for name, said in (("days", "On which days?"), ("starts", "From when?"), ("ends", "Until when?")):
                if name not in filled:
                    self.add_error(name, said)
        return data

    @property
    def problem(self):
        """What is wrong with the row, in one line under it."""
        return " ".join(said for errors in self.errors.values() for said in errors)

    def spans(self) -> list[Span]:
        data = self.cleaned_data
        return [Span(day, data["starts"], data["ends"], data["ends_next_day"]) for day in data.get("days", [])]


SpanFormSet = forms.formset_factory(SpanForm, extra=BLANK_ROWS, max_num=40, absolute_max=60)


def spans_in(formset) -> list[Span]:
    return [span for form in formset for span in form.spans()]


def grouped(spans: Iterable[Span]) -> list[dict]:
    """Rows of the form: the days on which the same time holds, together."""
    found: dict[tuple, list[int]] = {}
    for span in sorted(spans):
        found.setdefault((span.starts, span.ends, span.ends_next_day), []).append(span.weekday)
    return [
        {"days": days, "starts": starts, "ends": ends, "ends_next_day": next_day}
        for (starts, ends, next_day), days in found.items()
    ]
