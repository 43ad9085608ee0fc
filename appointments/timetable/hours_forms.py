"""Working hours as forms: weekly hours, extra hours, time off, and a new practitioner with all of them."""

from collections.abc import Iterable
from datetime import date, timedelta

from django import forms

from appointments.forms import ZoneField, day_field, said_instant
from appointments.models import WeeklyHours
from appointments.models.hours import MOST_WEEKS
from appointments.timetable.working_hours import Shift
from clinic import times
from clinic.text import clean_line
from locations.forms import dress, line
from locations.hours_forms import BLANK_ROWS, SpanForm, time_field
from locations.models import Location
from locations.spans import Span

CLINICS = 2  # blocks on the page of a new practitioner; a third clinic is added on their own page


class ShiftForm(SpanForm):
    """A row of the week that may come every few weeks."""

    every_weeks = forms.TypedChoiceField(
        label="How often", coerce=int, initial=1, required=False, empty_value=1,
        choices=[(1, "every week"), *((n, f"every {n} weeks") for n in range(2, MOST_WEEKS + 1))],
    )  # fmt: skip
    first_week = forms.TypedChoiceField(
        label="Beginning", coerce=int, initial=1, required=False, empty_value=1,
        choices=[(1, "from the first week"), *((n, f"from week {n}") for n in range(2, MOST_WEEKS + 1))],
    )  # fmt: skip

    def shifts(self) -> list[Shift]:
        data = self.cleaned_data
        return [Shift(span, data["every_weeks"], data["first_week"]) for span in self.spans()]


ShiftFormSet = forms.formset_factory(ShiftForm, extra=BLANK_ROWS, max_num=40, absolute_max=60)


def shifts_in(formset) -> list[Shift]:
    return [shift for form in formset for shift in form.shifts()]


def grouped(rows: Iterable[WeeklyHours], first) -> list[dict]:
    """Rows of the form, as hours from the day `first` on: the days of the same time together."""
    found: dict[tuple, list[int]] = {}
    for row in sorted(rows, key=lambda row: (row.weekday, row.starts)):
        key = (row.starts, row.ends, row.ends_next_day, row.every_weeks, _first_week(row, first))
        found.setdefault(key, []).append(row.weekday)
    names = ("starts", "ends", "ends_next_day", "every_weeks", "first_week")
    return [{"days": days, **dict(zip(names, key, strict=True))} for key, days in found.items()]


def _first_week(row, first) -> int:
    """In which week from `first` on, counted from 1, hours that come every few weeks come."""
    if row.every_weeks == 1:
        return 1
    weeks = (_monday(first) - _monday(row.valid_from)).days // 7
    return -weeks % row.every_weeks + 1


def _monday(day):
    return day - timedelta(days=day.weekday())


class DaysField(forms.Field):
    """Days, as the boxes that were ticked say them."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value):
        try:
            return {date.fromisoformat(one) for one in value or ()}
        except ValueError:
            raise forms.ValidationError("Tick the hours that are to be replaced anew.") from None


class FromDayForm(forms.Form):
    """`replacing` are the first days of later hours, as the page showed them."""

    from_day = day_field(label="These hours hold from", help_text="What held before ends on the day before.")
    until = day_field(
        label="Until", required=False,
        help_text="Empty: for good, or until hours that are entered for later begin. After this day it is as it was.",
    )  # fmt: skip
    replacing = DaysField(required=False)

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        dress(self, ("from_day", "until"))


class ExtraForm(forms.Form):
    location = forms.ModelChoiceField(Location.objects.none(), label="Clinic", to_field_name="slug", empty_label=None)
    day = day_field(label="Day")
    starts = time_field("From")
    ends = time_field("To")
    ends_next_day = forms.BooleanField(required=False, label="It ends on the next day")
    reason = forms.CharField(label="What for", max_length=200, required=False, validators=[clean_line])

    def __init__(self, data=None, *, places, **options):
        super().__init__(data, prefix="extra", **options)
        self.fields["location"].queryset = places
        for name in ("starts", "ends"):
            self.fields[name].required = True
        dress(self, ("location", "day"), ("starts", "ends"), "reason", "ends_next_day")

    def span(self) -> Span:
        data = self.cleaned_data
        return Span(data["day"].weekday(), data["starts"], data["ends"], data["ends_next_day"])


class AwayForm(forms.Form):
    """Whole days, or from one time to another, by the clock of a zone."""

    starts_on = day_field(label="First day away")
    ends_on = day_field(label="Last day away", required=False, help_text="Leave it empty for a single day.")
    starts = time_field("From (whole day if empty)")
    ends = time_field("To (whole day if empty)")
    starts_zone = ZoneField("Which of the two it starts at")
    ends_zone = ZoneField("Which of the two it ends at")
    reason = forms.CharField(label="Why", max_length=200, required=False, validators=[clean_line])

    def __init__(self, data=None, *, zone: str, **options):
        super().__init__(data, prefix="away", **options)
        self.zone = zone
        dress(self, ("starts_on", "ends_on"), ("starts", "ends"), ("starts_zone", "ends_zone"), "reason")

    def clean(self):
        """`starts_at` and `ends_at`: from midnight to the midnight after where no time was typed."""
        data = self.cleaned_data
        if self.errors:
            return data
        first, last = data["starts_on"], data.get("ends_on") or data["starts_on"]
        data["starts_at"] = self._instant(first, "starts") or times.day_bounds(first, self.zone)[0]
        data["ends_at"] = self._instant(last, "ends") or times.day_bounds(last, self.zone)[1]
        return data

    def _instant(self, day, name):
        wall = self.cleaned_data.get(name)
        return None if wall is None else said_instant(self, day, wall, self.zone, at=name, which=f"{name}_zone")


class JoinForm(forms.Form):
    full_name = line("Full name", 200)
    credentials = forms.CharField(label="Credentials", max_length=40, initial="DC", validators=[clean_line])
    email = forms.EmailField(label="E-mail", help_text="The invitation to choose a password goes there.")
    starts_on = day_field(label="First day of work")
    until = day_field(label="Last day of work", required=False, help_text="Empty: for good.")

    def __init__(self, data=None, **options):
        super().__init__(data, **options)
        self.fields["full_name"].widget.attrs["autofocus"] = True
        dress(self, ("full_name", "credentials"), "email", ("starts_on", "until"))


class ClinicHours:
    """One clinic of a new practitioner: which, and the rows of the week there."""

    def __init__(self, number, data, places):
        prefix = f"clinic-{number}"
        self.number, self.problem = number, ""
        self.place = forms.Form(data, prefix=prefix)
        self.place.fields["location"] = forms.ModelChoiceField(
            places, label=f"Clinic {number}", to_field_name="slug", required=number == 1,
            empty_label="Choose…" if number == 1 else "no other clinic",
        )  # fmt: skip
        dress(self.place, "location")
        self.rows = ShiftFormSet(data, prefix=f"{prefix}-hours")

    def is_valid(self) -> bool:
        """A clinic without hours, or hours without a clinic, is a slip that is said at once."""
        fine = self.place.is_valid() and self.rows.is_valid()
        if fine and bool(self.location) != bool(self.shifts):
            self.problem = "On which days, and when?" if self.location else "At which clinic are these hours?"
        return fine and not self.problem

    @property
    def location(self):
        return self.place.cleaned_data.get("location")

    @property
    def shifts(self):
        return shifts_in(self.rows)
