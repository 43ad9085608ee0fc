from django import forms

from appointments.forms import day_field, reason_field
from appointments.recurring.patterns import FEWEST, MOST_WEEKS
from appointments.timetable import at_work
from careplans import metrics
from careplans.contents import MOST_GOALS, MOST_PHASES
from careplans.models import Phase
from clinic.text import clean_line, clean_note
from evaluations import interventions
from locations.models import Location, Practitioner


def _choices_by_group(known):
    groups = {}
    for one in known:
        groups.setdefault(one.group, []).append((one.code, one.label))
    return list(groups.items())


def _metric_choices():
    reported = [(m.name, m.label) for m in metrics.METRICS.values() if m.is_patient_reported]
    measured = [(m.name, m.label) for m in metrics.METRICS.values() if not m.is_patient_reported]
    return [("", "—"), ("The patient reports", reported), ("Measured", measured)]


class LinesField(forms.CharField):
    """Several lines of text, typed one below the other."""

    def __init__(self, **options):
        super().__init__(required=False, max_length=2500, widget=forms.Textarea({"rows": 2}), **options)

    def prepare_value(self, value):
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value):
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


def _dose_field(label, dose):
    return forms.CharField(label=label, initial=dose, required=False, max_length=200, validators=[clean_line])


class PlanForm(forms.Form):
    """What a plan says besides its phases and goals. Interventions that a restriction forbids are not offered."""

    practitioner = forms.ModelChoiceField(Practitioner.objects.none(), empty_label=None)
    location = forms.ModelChoiceField(Location.objects.none(), empty_label=None)
    starts_on = day_field(label="Starts on")
    reevaluate_by = day_field(label="Re-evaluate by", required=False)
    reevaluate_after_visits = forms.IntegerField(
        label="or after visits", min_value=1, required=False, help_text="Empty: as late as the phases allow."
    )
    diagnoses = LinesField(
        help_text="A line each, the code first and the primary one on top: M99.01 Segmental dysfunction."
    )
    referrals = LinesField(help_text="Who referred, and to whom: a line each.")
    interventions = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    note = forms.CharField(required=False, max_length=5000, validators=[clean_note], widget=forms.Textarea({"rows": 3}))

    def __init__(self, data=None, *, user, restrictions=(), **options):
        super().__init__(data, **options)
        places = Location.objects.visible_to(user, "careplan.write").filter(is_open=True)
        self.fields["location"].queryset = places
        self.fields["practitioner"].queryset = staff = at_work.at(places)
        usual = self.initial.get("practitioner")
        if usual and not staff.filter(pk=usual.pk).exists():  # not silently replaced by the first
            self.fields["practitioner"].empty_label = f"{usual} no longer works here: choose"
        allowed = interventions.allowed(restrictions)
        self.fields["interventions"].choices = _choices_by_group(allowed)
        self.doses = {one.code: one.dose for one in allowed} | self.initial.get("doses", {})
        for one in allowed:
            if one.is_home:
                self.fields[f"dose_{one.code}"] = _dose_field(one.label, self.doses[one.code])

    @property
    def where_and_when(self):
        names = ("practitioner", "location", "starts_on", "reevaluate_by", "reevaluate_after_visits")
        return [self[name] for name in names]

    @property
    def home_doses(self):
        return [self[name] for name in self.fields if name.startswith("dose_")]

    def clean(self):
        """Each intervention with its dose: of the home programme what was typed, of others what the plan says."""
        data = super().clean()
        typed = {name.removeprefix("dose_"): data.pop(name) for name in list(data) if name.startswith("dose_")}
        data["interventions"] = [
            {"code": code, "dose": typed.get(code, self.doses[code])} for code in data.get("interventions", ())
        ]
        return data


class RevisionForm(PlanForm):
    """A plan that is changed: which version was read, and once it has begun, why; its first day stays."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    reason = reason_field("Why it is changed")

    def __init__(self, *args, runs, **options):
        super().__init__(*args, **options)
        self.fields["starts_on"].disabled = runs
        if not runs:
            del self.fields["reason"]


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
    optional = frozenset({"every_weeks"})

    visits_per_week = forms.IntegerField(label="Visits a week", min_value=1, max_value=7, required=False)
    every_weeks = forms.IntegerField(
        label="or one every … weeks", min_value=1, max_value=FEWEST, required=False, help_text="Empty: every week."
    )
    weeks = forms.IntegerField(min_value=1, max_value=MOST_WEEKS, required=False)

    def clean(self):
        data = super().clean()
        if data.get("every_weeks") in (None, 1):
            data.pop("every_weeks", None)
        return data


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
        self.fields["metric"].choices = _metric_choices()


class TemplateForm(forms.Form):
    """What a template says besides its phases and goals."""

    name = forms.CharField(max_length=100, validators=[clean_line])
    aim = forms.CharField(max_length=500, required=False, validators=[clean_line], help_text="For whom, and what for.")
    reevaluate_after_visits = forms.IntegerField(label="Re-evaluate after visits", min_value=1, initial=12)
    reevaluate_after_days = forms.IntegerField(label="or after days", min_value=1, initial=28)
    interventions = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    note = forms.CharField(required=False, max_length=5000, validators=[clean_note], widget=forms.Textarea({"rows": 3}))

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["interventions"].choices = _choices_by_group(interventions.allowed([]))


class TemplateGoalForm(_Row):
    metric = forms.ChoiceField(label="Measured by", choices=[("", "—")], required=False)
    weeks = forms.IntegerField(label="Due after weeks", min_value=1, max_value=104, required=False)

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["metric"].choices = _metric_choices()


PhaseRows = forms.formset_factory(PhaseForm, extra=0, max_num=MOST_PHASES, absolute_max=MOST_PHASES + 5)
TemplateGoalRows = forms.formset_factory(TemplateGoalForm, extra=0, max_num=MOST_GOALS, absolute_max=MOST_GOALS + 5)
GoalRows = forms.formset_factory(GoalForm, extra=0, max_num=MOST_GOALS, absolute_max=MOST_GOALS + 5)


class StepForm(forms.Form):
    step = forms.CharField(max_length=20)
    reason = reason_field("Reason")
