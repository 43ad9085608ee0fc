"""What is typed on the public page, and the stamp by which a form is known again: when it was shown, and that once."""

import secrets
from datetime import timedelta

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from phonenumber_field.formfields import PhoneNumberField

from appointments.models import BookingRequest
from clinic import text, times
from locations.models import Location
from patients import guardian_rules, registering, self_check
from patients.models import Patient

SALT = "book.form"
QUICKEST = timedelta(seconds=3)  # nobody fills it in faster
LONGEST = timedelta(hours=3)
NONE = "none"
_H = BookingRequest.HeardFrom
HEARD_FROM = {
    _H.FAMILY_OR_FRIEND: gettext_lazy("Family or a friend"),
    _H.HEALTH_PROFESSIONAL: gettext_lazy("A doctor or therapist"),
    _H.SEARCH: gettext_lazy("A search on the web"),
    _H.SOCIAL_MEDIA: gettext_lazy("Social media"),
    _H.ARTICLE: gettext_lazy("An article or a talk"),
    _H.PASSED_BY: gettext_lazy("I passed by"),
    _H.BEEN_HERE: gettext_lazy("I have been here before"),
    _H.OTHER: gettext_lazy("Something else"),
}


def stamp() -> str:
    return signing.dumps({"key": secrets.token_urlsafe(16), "at": int(times.now().timestamp())}, salt=SALT)


def read_stamp(said: str) -> tuple[str, timedelta] | None:
    """The key of the form and how long ago it was shown; None for one that is not of ours or too old."""
    try:
        read = signing.loads(said, salt=SALT)
    except signing.BadSignature:
        return None
    age = timedelta(seconds=int(times.now().timestamp()) - read["at"])
    return (read["key"], age) if age <= LONGEST else None


def readable(value: str) -> None:
    try:
        text.clean_line(value)
    except ValidationError:
        raise ValidationError(_("Use letters that can be read here.")) from None


def _line(label, *, autocomplete="", **options):
    widget = forms.TextInput({"autocomplete": autocomplete} if autocomplete else {})
    return forms.CharField(label=label, max_length=200, validators=[readable], widget=widget, **options)


def _marked(form):
    """A field that is wrong says so to the eye too; what was typed stays."""
    if form.is_bound:
        for name in form.errors:
            if name in form.fields:
                classes = form.fields[name].widget.attrs.get("class", "")
                form.fields[name].widget.attrs["class"] = f"{classes} is-invalid".strip()


class SelfCheckForm(forms.Form):
    """The emergencies, of which one is to be ticked or none of them, and the indicators, which may be left open."""

    now = forms.MultipleChoiceField(
        label=gettext_lazy("Does any of this apply to you now, or did it in the last days?"),
        choices=[*self_check.EMERGENCIES.items(), (NONE, gettext_lazy("None of these"))],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Tick what applies, or None of these.")},
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        for name, label in self_check.INDICATORS.items():
            self.fields[f"neck_{name}"] = forms.ChoiceField(
                label=label, choices=self_check.ANSWERS.items(), widget=forms.RadioSelect, required=False
            )

    @property
    def questions(self):
        return [self[f"neck_{name}"] for name in self_check.INDICATORS]

    @property
    def answers(self) -> dict[str, str]:
        return self_check.given({name: self.cleaned_data.get(f"neck_{name}", "") for name in self_check.INDICATORS})

    @property
    def emergencies(self) -> list[str]:
        """Also while other fields are wrong: this cannot wait for them."""
        return self_check.emergencies(self.cleaned_data.get("now", []))


class DetailsForm(SelfCheckForm):
    """Who comes, how to reach them, and what they agree to."""

    given_name = _line(gettext_lazy("First name"), autocomplete="given-name")
    family_name = _line(gettext_lazy("Last name"), autocomplete="family-name")
    birth_date = forms.DateField(
        label=gettext_lazy("Birth date"),
        widget=forms.DateInput({"type": "date", "autocomplete": "bday"}, format="%Y-%m-%d"),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"), max_length=254, widget=forms.EmailInput({"autocomplete": "email"}),
        help_text=gettext_lazy("We write to it at once. The visit is booked by the link in that mail."),
    )  # fmt: skip
    phone = PhoneNumberField(
        label=gettext_lazy("Phone"), widget=forms.TextInput({"type": "tel", "autocomplete": "tel"}),
        help_text=gettext_lazy("In case that something changes on the day."),
    )  # fmt: skip
    booked_by = _line(
        gettext_lazy("Your name, if you book for a child"), required=False,
        help_text=gettext_lazy("A parent or guardian comes along to the first visit."),
    )  # fmt: skip
    heard_from = forms.ChoiceField(
        label=gettext_lazy("How did you hear of us?"), required=False,
        choices=[("", gettext_lazy("No answer")), *HEARD_FROM.items()],
    )  # fmt: skip
    wants_mails = forms.ChoiceField(
        label=gettext_lazy("May we write to you about your visits?"), widget=forms.RadioSelect,
        choices=[("yes", gettext_lazy("Yes: confirmations and reminders. Each mail has a link to stop them.")),
                 ("no", gettext_lazy("No: only the one mail now."))],
    )  # fmt: skip
    agrees = forms.BooleanField(
        label=gettext_lazy("The clinic may keep what I entered here, to arrange this visit and to prepare for it."),
        error_messages={"required": gettext_lazy("Without this we cannot book for you.")},
    )
    website = forms.CharField(
        label=gettext_lazy("Leave this empty"), required=False,
        widget=forms.TextInput({"autocomplete": "off", "tabindex": "-1"}),
    )  # fmt: skip

    def __init__(self, *args, place: Location, **options):
        super().__init__(*args, **options)
        self.place, self.key, self.stamp = place, "", ""
        rule = guardian_rules.of(place.state)
        self.guardian_below = rule.guardian_below

    @property
    def who(self):
        names = ("given_name", "family_name", "birth_date", "email", "phone", "booked_by", "heard_from")
        return [self[name] for name in names]

    @property
    def has_answers(self) -> bool:
        return any(question.data or question.errors for question in self.questions)

    def full_clean(self):
        super().full_clean()
        _marked(self)

    def clean_birth_date(self):
        born = self.cleaned_data["birth_date"]
        if registering.age_fault(born, self.place.today()):
            raise ValidationError(_("Check the birth date: nobody alive was born then."))
        return born

    def clean(self):
        said = super().clean()
        born = said.get("birth_date")
        if born and "booked_by" not in self.errors and not said.get("booked_by"):
            age = Patient(birth_date=born, home_location=self.place).age
            if age < self.guardian_below:
                message = _("Below the age of {age} a parent or guardian books: give that name.")
                self.add_error("booked_by", message.format(age=self.guardian_below))
        if said.get("website"):
            self.add_error(None, _("A hidden field was filled in, as programs do. It is empty now: press once more."))
            self.data = {**self.data.dict(), "now": self.data.getlist("now"), "website": ""}
        self._clean_stamp()
        return said

    def use_anew(self):
        """What it was sent for is booked by now: this would be another visit."""
        self.stamp = stamp()
        self.add_error(None, _("You have booked with this page already. To book another visit, press once more."))

    def _clean_stamp(self):
        """A program sends a form faster than anybody reads, or the same one for days."""
        self.stamp = self.data.get("stamp", "")
        read = read_stamp(self.stamp)
        if read is None:
            self.stamp = stamp()
            self.add_error(None, _("The page was open for a long time. Look it through and press once more."))
        elif self.errors:
            return  # it is sent again in any case
        elif read[1] < QUICKEST:
            self.add_error(None, _("That was quick. Look it through and press once more."))
        else:
            self.key = read[0]
