from django import forms

from appointments.forms import ZoneField, day_field, reason_field, said_instant, time_field, within_field
from appointments.models import AppointmentType
from appointments.recurring import placing
from appointments.recurring.patterns import FEWEST, MOST_VISITS, MOST_WEEKS, Pattern, Stretch
from appointments.recurring.series import ALL, LATER, SCOPES
from appointments.timetable import at_work
from clinic import times
from clinic.errors import RuleBroken
from locations import nearby
from locations.models import Location, Practitioner, Weekday

STRETCHES = (1, 2, 3)


def weekdays_field(**options):
    return forms.TypedMultipleChoiceField(
        choices=[(day.value, day.label) for day in Weekday], coerce=int, widget=forms.CheckboxSelectMultiple, **options
    )


def _radios():
    return forms.RadioSelect({"class": "form-check-input"})


class SeriesForm(forms.Form):
    """What is wanted, as somebody says it; `pattern` is in the cleaned data. Sent by GET: it can be repeated."""

    type = forms.ModelChoiceField(AppointmentType.objects.all(), to_field_name="slug", label="Visit", empty_label=None)
    location = forms.ModelChoiceField(Location.objects.none(), to_field_name="slug", label="Where", empty_label=None)
    practitioner = forms.ModelChoiceField(Practitioner.objects.none(), label="With", empty_label=None)
    within = within_field(label="Or near it, where it is full")
    starts_on = day_field(label="From")
    weekdays = weekdays_field(label="Usually on")
    at_time = time_field(label="At about")
    checkpoint_after = forms.IntegerField(
        label="Re-evaluation after visit", min_value=1, max_value=MOST_VISITS, required=False
    )

    def __init__(self, data=None, *, user, **options):
        super().__init__(data, **options)
        places = Location.objects.visible_to(user, "appointment.create").filter(is_open=True)
        self.fields["location"].queryset = self.places = places
        self.fields["practitioner"].queryset = at_work.at(places)
        if len(places) == 1:
            del self.fields["within"]
        self.checkpoint_type = placing.checkpoint_type()
        if self.checkpoint_type is None:
            del self.fields["checkpoint_after"]
        for n in STRETCHES:
            needed = n == 1
            self.fields[f"per_week_{n}"] = forms.IntegerField(min_value=1, max_value=7, required=needed)
            self.fields[f"weeks_{n}"] = forms.IntegerField(min_value=1, max_value=MOST_WEEKS, required=needed)
            self.fields[f"every_{n}"] = forms.IntegerField(min_value=1, max_value=FEWEST, required=False, initial=1)
            labels = {f"per_week_{n}": "Visits a week", f"every_{n}": "Every … weeks", f"weeks_{n}": "Weeks"}
            for name, label in labels.items():
                self.fields[name].label = label if needed else f"{label}, part {n}"

    @property
    def stretches(self):
        """The fields of each stretch of weeks, for the template."""
        return [[self[f"{name}_{n}"] for name in ("per_week", "every", "weeks")] for n in STRETCHES]

    def clean(self):
        data = self.cleaned_data
        for n in STRETCHES:
            rate, weeks = data.get(f"per_week_{n}"), data.get(f"weeks_{n}")
            if (rate is None) != (weeks is None) and not {f"per_week_{n}", f"weeks_{n}"} & set(self.errors):
                self.add_error(f"weeks_{n}" if weeks is None else f"per_week_{n}", "Fill in both, or neither.")
        if not self.errors:
            self._check_pattern(data)
        return data

    def _check_pattern(self, data):
        said = [(data[f"per_week_{n}"], data[f"weeks_{n}"], data[f"every_{n}"] or 1) for n in STRETCHES]
        data["pattern"] = Pattern(
            starts_on=data["starts_on"],
            stretches=tuple(Stretch(*one) for one in said if one[0]),
            weekdays=tuple(data["weekdays"]),
            at_time=data["at_time"],
            checkpoint_after=data.get("checkpoint_after"),
        )
        if not at_work.works_at(data["practitioner"], [data["location"]]):
            self.add_error("practitioner", f"{data['practitioner']} does not work at {data['location']}.")
        try:
            data["pattern"].check(today=data["location"].today())
        except RuleBroken as broken:
            for name, text in broken.fields.items():
                self.add_error("per_week_1" if name == "stretches" else name, text)

    def nearby(self):
        """Where else visits may be, for `placing.new`."""
        minutes, place = self.cleaned_data.get("within"), self.cleaned_data["location"]
        return nearby.within(minutes, place, self.places) if minutes else []

    def wanted(self):
        """What `placing.new` and `series.begin` take, but for the patient."""
        names = ("type", "location", "practitioner", "pattern")
        return {name: self.cleaned_data[name] for name in names} | {"checkpoint_type": self.checkpoint_type}


class PlaceForm(forms.Form):
    """On which weekdays, and when, the visits that a series owes are to be; of one part of it, or of all."""

    weekdays = weekdays_field(label="On these days")
    at_time = time_field(label="At about")
    stretch = forms.TypedChoiceField(label="Which", coerce=int, required=False, empty_value=None)

    def __init__(self, data=None, *, series, **options):
        super().__init__(data, **options)
        stretches = series.as_pattern.stretches
        self.fields["stretch"].choices = [("", "All that is owed")] + [
            (n, f"Only part {n}: {stretch}") for n, stretch in enumerate(stretches, 1)
        ]
        if len(stretches) == 1:
            del self.fields["stretch"]

    def asked(self):
        return {"stretch": None, **self.cleaned_data}


class WaiveForm(forms.Form):
    visit = forms.IntegerField(min_value=1, max_value=2**31)
    reason = reason_field("Why")


class CancelSeveral(forms.Form):
    """Cancelling more than one visit of a series."""

    scope = forms.ChoiceField(choices=list(SCOPES.items()), widget=_radios())
    still_wanted = forms.TypedChoiceField(
        label="Afterwards",
        choices=[("yes", "They are owed and stay on the list until they are placed again"),
                 ("no", "They are no longer wanted")],
        coerce=lambda value: value == "yes", widget=_radios(), initial="yes",
    )  # fmt: skip
    reason = forms.CharField(label="Why", max_length=200, help_text="Kept in the history of each visit.")


class MoveSeveral(forms.Form):
    """Where this visit goes; the others go the same number of days and to the same time of day."""

    scope = forms.ChoiceField(choices=[(LATER, SCOPES[LATER]), (ALL, SCOPES[ALL])], widget=_radios(), initial=LATER)
    day = day_field(label="This visit goes to")
    time = time_field(label="At")
    zone = ZoneField()
    practitioner = forms.ModelChoiceField(
        Practitioner.objects.none(), required=False, empty_label="As booked", label="With"
    )

    def __init__(self, data=None, *, appointment, **options):
        local, self.appointment = appointment.local_start, appointment
        super().__init__(data, initial={"day": local.date(), "time": local.time(), "scope": LATER}, **options)
        self.fields["practitioner"].queryset = at_work.at([appointment.location])

    def clean(self):
        """The time says by its fold which of the two it is, in the hour that comes twice."""
        data, zone = self.cleaned_data, self.appointment.location.time_zone
        if not {"day", "time"} & set(self.errors) and times.passes(data["day"], data["time"], zone):
            at = said_instant(self, data["day"], data["time"], zone, kept=self.appointment.starts_at)
            data["time"] = at and times.local(at, zone).time()
        return data
