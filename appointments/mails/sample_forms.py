from django import forms
from django.conf import settings

from appointments.models import Appointment
from clinic import mail_kinds
from clinic.text import clean_line
from locations.forms import dress

BIGGEST_ID = 2**63 - 1


class SampleForm(forms.Form):
    """Which mail, and for which visit it is written."""

    kind = forms.ChoiceField(label="Mail: sent because")
    visit = forms.TypedChoiceField(label="Written for", coerce=int, required=False, empty_value=None)
    find = forms.CharField(
        label="Find a patient", required=False, max_length=200, validators=[clean_line],
        help_text="Name, birth date or phone. Left empty, the next visits are listed.",
    )  # fmt: skip

    def __init__(self, data=None, *, visits=(), **options):
        super().__init__(data, **options)
        self.fields["kind"].choices = [(kind, why.capitalize()) for kind, why in mail_kinds.to_patients().items()]
        self.fields["visit"].choices = [(one.pk, _line(one)) for one in visits]
        dress(self, "kind", ("find", "visit"))


class TryOutForm(forms.Form):
    """Which mail goes out as a test, in which language."""

    kind = forms.ChoiceField()
    visit = forms.IntegerField(min_value=1, max_value=BIGGEST_ID)
    language = forms.ChoiceField(choices=settings.LANGUAGES)

    def __init__(self, data=None):
        super().__init__(data)
        self.fields["kind"].choices = mail_kinds.to_patients().items()


def _line(visit: Appointment) -> str:
    at = visit.local_start
    return f"{visit.patient}, {at:%a %b} {at.day}, {at:%I:%M %p}, {visit.location}".replace(" 0", " ")
