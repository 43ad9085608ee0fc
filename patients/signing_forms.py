"""The forms of what is signed on the screen. They check shapes; what may be signed is decided by the rules."""

from django import forms

from clinic.errors import RuleBroken
from clinic.text import clean_line
from patients import consent_texts, signatures
from patients.consenting import Said
from patients.models import Patient
from patients.signatures import Signature

_PATIENT, _GUARDIAN = "patient", "guardian"


def _line(label, most, **options):
    return forms.CharField(label=label, max_length=most, validators=[clean_line], **options)


class SignatureForm(forms.Form):
    """Who signs. The drawing is filled by `drawing.js`; without script the typed name is the signature."""

    signer = forms.ChoiceField(
        label="Who signs?",
        choices=[(_PATIENT, "The patient"), (_GUARDIAN, "A parent or guardian")],
        widget=forms.RadioSelect,
        initial=_PATIENT,
    )
    relationship = _line("Related as (mother, father, guardian)", 60, required=False)
    authority_document = _line("What shows that you may sign (birth certificate, court order)", 100, required=False)
    assent = forms.BooleanField(label="I am the patient, it was explained to me, and I want this.", required=False)
    name = _line("Full name of who signs", 200, widget=forms.TextInput({"autocomplete": "off"}))
    drawing = forms.CharField(required=False, max_length=60_000, widget=forms.HiddenInput({"data-drawing": ""}))

    def __init__(self, *args, is_minor, **options):
        super().__init__(*args, **options)
        if is_minor:
            self.initial.setdefault("signer", _GUARDIAN)

    def clean_drawing(self):
        try:
            strokes = signatures.read_drawing(self.cleaned_data["drawing"])
        except ValueError:
            raise forms.ValidationError("This is no drawing.") from None
        if message := signatures.drawing_fault(strokes):
            raise forms.ValidationError(message)
        return strokes

    def signature(self) -> Signature:
        said = self.cleaned_data
        if said["signer"] == _PATIENT:
            return Signature(said["name"], drawing=said["drawing"])
        return Signature(
            said["name"], True, said["relationship"], said["authority_document"], said["assent"], said["drawing"]
        )


class ConsentPart(forms.Form):
    """What is ticked on the consent form. Nothing is ticked before but what the patient agreed to earlier."""

    risks = forms.MultipleChoiceField(label="What may happen: I have read", widget=forms.CheckboxSelectMultiple)
    scopes = forms.MultipleChoiceField(label="I agree", widget=forms.CheckboxSelectMultiple)
    questions_answered = forms.BooleanField(label="My questions were answered.")
    language = forms.CharField(label="Spoken language, by its code", max_length=5, initial="en")
    interpreter = _line("Interpreter, if there was one", 200, required=False)

    def __init__(self, *args, form: consent_texts.Form, patient: Patient, **options):
        super().__init__(*args, **options)
        self._form = form
        self.fields["risks"].choices = form.risks
        self.fields["scopes"].choices = [(s.code, f"{s.label}{' (needed)' if s.needed else ''}") for s in form.scopes]
        standing = patient.consents.filter(withdrawn_at=None).values_list("scope", flat=True)
        self.initial.setdefault("scopes", [scope for scope in standing if scope not in form.needed])
        self.initial.setdefault("language", patient.language)

    def clean_scopes(self):
        ticked = self.cleaned_data["scopes"]
        if missing := self._form.needed - set(ticked):
            labels = [s.label for s in self._form.scopes if s.code in missing]
            raise forms.ValidationError(f"Care needs your agreement {' and '.join(labels)}.")
        return ticked

    def said(self) -> Said:
        given = self.cleaned_data
        return Said(
            scopes={scope.code: scope.code in given["scopes"] for scope in self._form.scopes},
            risks=given["risks"],
            questions_answered=given["questions_answered"],
            language=given["language"],
            interpreter=given["interpreter"],
        )


def show(broken: RuleBroken, *shown: forms.Form) -> None:
    """Each fault of a refused signature at its field; what has none stands above the first form."""
    for name, text in (broken.fields or {"": broken.message}).items():
        form = next((one for one in shown if name in one.fields and name != "drawing"), None)
        (form or shown[0]).add_error(name if form else None, text)
