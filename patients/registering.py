"""Registering patients and what they agreed to: the only writer of Patient, SearchTerm and Consent.

A person who may be known already is not registered twice unless somebody says that it is another person.
"""

import unicodedata
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access
from locations.models import Location
from patients import queries, search_terms
from patients.models import Consent, Patient, SearchTerm

OLDEST_YEARS = 130
FIELDS = (
    "given_name", "family_name", "birth_date", "sex", "email", "phone", "street", "city", "state", "postal_code",
    "language", "home_location", "note", "gender_identity", "pronouns", "record_number", "has_joint_mails",
)  # fmt: skip


def register(
    *,
    given_name: str,
    birth_date: date,
    home_location: Location,
    by: User | None,
    family_name: str = "",
    email_reminders: bool = False,
    confirm_duplicate: bool = False,
    by_whom: str = "",
    **details,
) -> Patient:
    """Register one patient at a location.

    Raises RuleBroken `possible_duplicate` with the ids in `fields`, or `invalid` (400) naming each wrong field.
    """
    if by is not None:
        access.require(by, "patient.create", home_location)
    given = {"given_name": given_name, "family_name": family_name, "birth_date": birth_date, **details}
    patient = Patient(home_location=home_location, **_tidy(given))
    _check(patient)
    if not confirm_duplicate:
        _refuse_known(patient, by)
    with transaction.atomic():
        patient.save(force_insert=True)
        patient.locations.add(home_location)
        _index(patient)
        audit.record("patient.created", on=patient, by=by, by_whom=by_whom)
        if email_reminders:
            give_consent(patient, Consent.Scope.EMAIL_REMINDERS, by=by, by_whom=by_whom)
    return patient


def check(*, home_location: Location, **details) -> None:
    """Raise what `register` would of wrong fields, without looking for anybody."""
    _check(Patient(home_location=home_location, **_tidy(details)))


@transaction.atomic
def amend(patient: Patient, *, by: User | None, by_whom: str = "", **changes) -> Patient:
    """Change contact or identity; writes which fields changed, never what they held, to the audit log."""
    fresh = _own(patient, by)
    if "home_location" in changes and changes["home_location"] != fresh.home_location and by is not None:
        access.require(by, "patient.create", changes["home_location"])
    changed = [name for name, value in _tidy(changes).items() if getattr(fresh, name) != value]
    for name in changed:
        setattr(fresh, name, _tidy(changes)[name])
    _check(fresh)
    if changed:
        fresh.save(update_fields=changed)
        fresh.locations.add(fresh.home_location)
        _index(fresh)
        audit.record("patient.amended", on=fresh, by=by, by_whom=by_whom, fields=sorted(changed))
    return fresh


@transaction.atomic
def give_consent(patient: Patient, scope: str, *, by: User | None, by_whom: str = "") -> Consent:
    """Safe to repeat: a consent that stands is returned as it is."""
    fresh = _own(patient, by)
    consent = fresh.consents.filter(scope=scope, withdrawn_at=None).first()
    if consent is None:
        consent = fresh.consents.create(scope=scope, given_at=times.now(), by=by)
        audit.record("consent.given", on=fresh, by=by, by_whom=by_whom, scope=str(scope))
    return consent


@transaction.atomic
def withdraw_consent(patient: Patient, scope: str, *, by: User | None, by_whom: str = "") -> None:
    """Safe to repeat. The row stays, closed: that it was once given remains known."""
    fresh = _own(patient, by)
    if fresh.consents.filter(scope=scope, withdrawn_at=None).update(withdrawn_at=times.now()):
        audit.record("consent.withdrawn", on=fresh, by=by, by_whom=by_whom, scope=str(scope))


def index_all(patients) -> None:
    """Search terms of patients that were written in bulk and have none yet."""
    SearchTerm.objects.bulk_create(
        SearchTerm(patient=patient, term=term) for patient in patients for term in sorted(_terms(patient))
    )


def _own(patient: Patient, by: User | None) -> Patient:
    """The patient read again under a lock, if the user may change this one."""
    if by is not None and not Patient.objects.visible_to(by, "patient.write").filter(pk=patient.pk).exists():
        raise PermissionDenied
    return Patient.objects.select_for_update().get(pk=patient.pk)


def _tidy(given: dict) -> dict:
    """Text in NFC and without blanks around it: José typed in two ways is one José."""
    if unknown := set(given) - set(FIELDS):
        raise TypeError(f"Not fields of a patient: {sorted(unknown)}")
    return {
        name: unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else value
        for name, value in given.items()
    }


def _check(patient: Patient) -> None:
    """Raises RuleBroken with every wrong field at once."""
    fields = {}
    try:
        patient.clean_fields()
    except ValidationError as error:
        fields = {name: " ".join(said) for name, said in error.message_dict.items()}
    if "birth_date" not in fields:
        age = age_fault(patient.birth_date, patient.home_location.today())
        fields |= {"birth_date": age} if age else {}
    if fields:
        detail = " ".join(dict.fromkeys(fields.values()))
        raise RuleBroken(detail, code="invalid", fields=fields, status=400)


def age_fault(born: date, today: date) -> str:
    if born > today:
        return "The birth date is in the future."
    if today.year - born.year > OLDEST_YEARS:
        return f"The birth date is more than {OLDEST_YEARS} years ago."
    return ""


def _refuse_known(patient: Patient, by: User | None) -> None:
    known = queries.may_be_the_same(
        by,
        given_name=patient.given_name,
        family_name=patient.family_name,
        birth_date=patient.birth_date,
        email=patient.email,
        phone=patient.phone,
    )
    if known:
        message = "This person may be known already. Look first, or say that it is another person."
        raise RuleBroken(message, code="possible_duplicate", fields={"duplicates": [person.pk for person in known]})


def _terms(patient: Patient) -> set[str]:
    return search_terms.terms(
        given_name=patient.given_name,
        family_name=patient.family_name,
        birth_date=patient.birth_date,
        phone=str(patient.phone),
        email=patient.email,
    )


def _index(patient: Patient) -> None:
    wanted = _terms(patient)
    patient.search_terms.exclude(term__in=wanted).delete()
    known = set(patient.search_terms.values_list("term", flat=True))
    SearchTerm.objects.bulk_create(SearchTerm(patient=patient, term=term) for term in sorted(wanted - known))
