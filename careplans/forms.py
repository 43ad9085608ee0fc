from django import forms

from appointments import at_work
from appointments.forms import day_field, reason_field
from careplans import interventions, metrics
from careplans.contents import MOST_GOALS, MOST_PHASES, MOST_WEEKS
from careplans.models import Phase
from clinic.text import clean_line, clean_note
from locations.models import Location, Practitioner


def _choices_by_group(known):
    groups = {}
    for one in known:
        groups.setdefault(one.group, []).append((one.code, one.label))
    return list(groups.items())


class PlanForm(forms.Form):
    """What a plan says besides its phases and goals. Interventions that a restriction forbids are not offered."""

    practitioner = forms.ModelChoiceField(Practitioner.objects.none(), empty_label=None)
    location = forms.ModelChoiceField(Location.objects.none(), empty_label=None)
    starts_on = day_field(label="Starts on")
    reevaluate_by = day_field(label="Re-evaluate by", required=False)
    reevaluate_after_visits = forms.IntegerField(label="or after visits", min_value=1, max_value=12, initial=12)
    interventions = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    note = forms.CharField(required=False, max_length=5000, validators=[clean_note], widget=forms.Textarea({"rows": 3}))

    def __init__(self, data=None, *, user, restrictions=(), **options):
        super().__init__(data, **options)
        places = Location.objects.visible_to(user, "careplan.write").filter(is_open=True)
        self.fields["location"].queryset = places
        self.fields["practitioner"].queryset = at_work.at(places)
        self.fields["interventions"].choices = _choices_by_group(interventions.allowed(restrictions))

    def clean_interventions(self):
        return [{"code": c, "dose": interventions.KNOWN[c].dose} for c in self.cleaned_data["interventions"]]


class _Row(forms.Form):
    """A row of a form set: left empty it is left out, else all of it is needed."""

    optional = frozenset()

    def clean(self):
        data = super().clean()
        if self.is_filled:
            for name in self.fields:
                if name not in self.optional and name not in self.errors and data.get(name) in (None, ""):
                    self.add_error(name, "Fill this in, or empty the whole row.")
        return data

    @property
    def is_filled(self):
        return any(value not in (None, "") for value in self.cleaned_data.values())


class PhaseForm(_Row):
    kind = forms.ChoiceField(label="Phase", choices=[("", "—"), *Phase.Kind.choices], required=False)
    visits_per_week = forms.IntegerField(label="Visits a week", min_value=1, max_value=7, required=False)
    weeks = forms.IntegerField(min_value=1, max_value=MOST_WEEKS, required=False)


class GoalForm(_Row):
    optional = frozenset({"baseline", "target"})

    metric = forms.ChoiceField(label="Measured by", choices=[("", "—")], required=False)
    baseline = forms.DecimalField(
        label="Now", max_digits=7, decimal_places=2, required=False, help_text="Empty: as the evaluation found it."
    )
    target = forms.DecimalField(max_digits=7, decimal_places=2, required=False, help_text="Empty: the usual target.")
    due_on = day_field(label="By", required=False)

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        reported = [(m.name, m.label) for m in metrics.METRICS.values() if m.is_patient_reported]
        measured = [(m.name, m.label) for m in metrics.METRICS.values() if not m.is_patient_reported]
        self.fields["metric"].choices = [("", "—"), ("The patient reports", reported), ("Measured", measured)]


PhaseRows = forms.formset_factory(PhaseForm, extra=0, max_num=MOST_PHASES, absolute_max=MOST_PHASES + 5)
GoalRows = forms.formset_factory(GoalForm, extra=0, max_num=MOST_GOALS, absolute_max=MOST_GOALS + 5)


class ConsentForm(forms.Form):
    name = forms.CharField(
        label="Full name of who signs", max_length=200, validators=[clean_line],
        help_text="The patient, or the guardian of a patient under 18, types it.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )  # fmt: skip


class StepForm(forms.Form):
    step = forms.CharField(max_length=20)
    reason = reason_field("Reason")
