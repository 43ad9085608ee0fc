from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Layout, Row
from django import forms
from django.conf import settings

from locations.models import Location
from patients.models import Patient


def _row(*fields):
    return Row(*(Column(name, css_class="col-sm-6") for name in fields), css_class="gx-3")


class PatientForm(forms.ModelForm):
    """Who the patient is and how to reach them; the rule checks and writes."""

    class Meta:
        model = Patient
        fields = [
            "given_name", "family_name", "birth_date", "sex", "phone", "email", "street", "city", "state",
            "postal_code", "language", "has_joint_mails", "home_location", "note",
        ]  # fmt: skip
        labels = {
            "email": "E-mail", "postal_code": "ZIP code", "home_location": "Home clinic",
            "has_joint_mails": "One reminder for the family",
        }  # fmt: skip
        help_texts = {"has_joint_mails": "With everybody at the same address who chose so too; each is named in it."}
        widgets = {
            "birth_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
            "note": forms.Textarea(attrs={"rows": 2}),
        }

    language = forms.ChoiceField(label="Is written to in", required=False)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        spoken = dict(settings.LANGUAGES)
        other = self.instance.language
        self.fields["language"].choices = (spoken | ({} if other in spoken else {other: other})).items()
        self.fields["home_location"].queryset = Location.objects.visible_to(user, "patient.create").filter(is_open=True)
        self.fields["home_location"].empty_label = None
        self.fields["birth_date"].error_messages["invalid"] = "Enter a date like 1980-12-31."
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(
            _row("given_name", "family_name"), _row("birth_date", "sex"), _row("phone", "email"),
            _row("street", "city"), _row("state", "postal_code"), _row("language", "home_location"), "has_joint_mails",
            "note", *self.more(),
        )  # fmt: skip

    def clean_language(self):
        return self.cleaned_data["language"] or self.instance.language

    def more(self):
        return []


class NewPatientForm(PatientForm):
    email_reminders = forms.BooleanField(
        required=False, label="Agrees to e-mail about visits", help_text="Confirmations and reminders; can be stopped."
    )
    confirm_duplicate = forms.BooleanField(required=False, label="Yes, this is another person")

    def more(self):
        return ["email_reminders"]
