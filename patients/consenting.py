"""Informed consent signed on the screen, and taken back: with `chart_file` the only writer of ConsentForm.

What is kept is the very document that was shown, with its digest; the database refuses to change it (`protection.py`).
Each scope that was ticked is a consent from then on (`registering.give_consent`), each that was not ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import checked_reason, clean_line
from locations.models import Location
from patients import consent_texts, documents, registering, sight
from patients.models import Consent, ConsentForm, Patient
from patients.signatures import Signature

CARE = Consent.Scope.CHIROPRACTIC_CARE
# As chart files name them.
ANSWERS = {Consent.Scope.EMAIL_REMINDERS: "telecom_reminders"}
OF_ANSWER = {name: scope for scope, name in ANSWERS.items()}


@dataclass(frozen=True)
class Said:
    """What was ticked. `scopes` maps scope to yes or no; what it leaves out stays as it was, and what the form needs is
    yes. `risks` are those acknowledged, None where they were not asked one by one.
    """

    scopes: Mapping[str, bool] = field(default_factory=dict)
    risks: Sequence[str] | None = None
    questions_answered: bool | None = None
    language: str = "en"
    interpreter: str = ""


def document(patient: Patient, place: Location, *, thrust: bool) -> dict:
    """What is shown to be signed today."""
    form = consent_texts.current(place.today())
    return form.document(patient=patient.name, place=place.name, thrust=thrust)


@transaction.atomic
def sign(
    patient: Patient, signature: Signature, *, place: Location, thrust: bool, by: User, said: Said | None = None,
    digest: str = "",
) -> ConsentForm:  # fmt: skip
    """Sign the current form. `digest` is of what was shown: another one is refused, `changed_meanwhile`."""
    said = said or Said()
    sight.require(by, "patient.write", patient)
    fresh = Patient.objects.select_for_update().get(pk=patient.pk)
    form, shown = consent_texts.current(place.today()), document(fresh, place, thrust=thrust)
    signature = signature.checked(fresh, place)
    _check(form, said)
    if digest and digest != documents.digest(shown):
        raise RuleBroken("The form changed while it was read. Read it again, then sign.", code="changed_meanwhile")
    scopes = {**said.scopes, **dict.fromkeys(form.needed, True)}
    now = times.now()
    signed = ConsentForm.objects.create(
        patient=fresh,
        answers={ANSWERS.get(scope, scope): scopes[scope] for scope in sorted(scopes)},
        signed_by=signature.name if signature.is_guardian else "patient",
        typed_name=signature.name,
        relationship=signature.relationship,
        authority_document=signature.authority_document,
        patient_assent=signature.assent,
        drawing=list(signature.drawing),
        signed_on=times.day_of(now, place.time_zone),
        signed_at=now,
        document_version=form.version,
        shown=shown,
        digest=documents.digest(shown),
        covers_thrust=thrust,
        risks=[code for code, _ in form.risks] if said.risks is None else list(said.risks),
        questions_answered=said.questions_answered,
        language=said.language,
        interpreter=said.interpreter.strip(),
        by=by,
    )
    for scope, yes in scopes.items():
        change = registering.give_consent if yes else registering.withdraw_consent
        change(fresh, scope, by=by)
    audit.record("consent_form.signed", on=fresh, by=by, form=signed.pk, version=form.version, digest=signed.digest)
    return signed


def _check(form: consent_texts.Form, said: Said) -> None:
    faults = {}
    known = {scope.code for scope in form.scopes}
    for scope, yes in said.scopes.items():
        if scope not in known:
            faults["scopes"] = "The form has no such part."
        elif scope in form.needed and not yes:
            faults["scopes"] = "Without this there is nothing to sign: care needs both."
    if said.risks is not None and set(said.risks) != {code for code, _ in form.risks}:
        faults["risks"] = "Each risk is to be read and ticked."
    if said.questions_answered is False:
        faults["questions_answered"] = "Answer the questions first."
    if len(said.language) > 5 or not said.language.replace("-", "").isalpha():
        faults["language"] = "Give the language by its code, such as en or es."
    try:
        clean_line(said.interpreter)
    except ValidationError as error:
        faults["interpreter"] = error.messages[0]
    if len(said.interpreter) > 200:
        faults["interpreter"] = "At most 200 characters."
    if faults:
        raise RuleBroken(next(iter(faults.values())), code="invalid", fields=faults, status=400)


@transaction.atomic
def withdraw(form: ConsentForm, *, by: User, reason: str) -> ConsentForm:
    """The patient takes back what was signed; the form stays readable. Safe to repeat."""
    sight.require(by, "patient.write", form.patient)
    patient = Patient.objects.select_for_update().get(pk=form.patient_id)
    form = ConsentForm.objects.get(pk=form.pk)
    reason = checked_reason(reason, needed="Say in the patient's words why, or that no reason was given.")
    if form.withdrawn_at:
        return form
    ConsentForm.objects.filter(pk=form.pk).update(withdrawn_at=times.now(), withdrawn_reason=reason)
    form.refresh_from_db()
    standing = patient.consent_forms.filter(withdrawn_at=None).exclude(pk=form.pk)
    kept = {name for one in standing for name, yes in one.answers.items() if yes}
    for name, yes in form.answers.items():
        scope = OF_ANSWER.get(name, name)
        if yes and name not in kept and scope in Consent.Scope.values:
            registering.withdraw_consent(patient, scope, by=by)
    audit.record("consent_form.withdrawn", on=patient, by=by, form=form.pk, reason=reason)
    return form


def take_back(patient: Patient, *, by: User, reason: str) -> ConsentForm:
    """The same of the form that stands. Raises RuleBroken `consent_missing` where there is none."""
    form = latest(patient)
    if form is None:
        raise RuleBroken("There is no consent to take back.", code="consent_missing")
    return withdraw(form, by=by, reason=reason)


def latest(patient: Patient) -> ConsentForm | None:
    """The form of the patient's last word on care, withdrawn or not."""
    forms = patient.consent_forms.order_by("signed_on", "pk")
    return next((form for form in reversed(forms) if form.answers.get(CARE)), None)
