"""The parts of a chart file that are the person's: patient, intake, consents and diary."""

import unicodedata
from datetime import date
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from phonenumber_field.phonenumber import to_python

from clinic import chart_files, json_checks, times
from clinic.chart_files import Bringing
from clinic.text import clean_line
from locations.models import Location
from patients import diary, intake, registering
from patients.models import Consent, ConsentForm, Guardian, ImportedChart, Intake, Patient

PARTS = ("patient", "intake", "consents", "diary")
MAY_BE_NOTHING = ("diary", "red_flags")  # null in a file is one thing, an empty object another
AS_GIVEN = "$.as_given"
_SCHEMA = json_checks.schema(Path(__file__).with_name("chart_schema.json"))
_PATIENT = {
    "given", "family", "birth_date", "sex", "gender_identity", "pronouns", "language", "phone", "email", "address",
    "home_location", "mrn", "guardians",
}  # fmt: skip
_ADDRESS = {"line", "city", "state", "postal_code"}
_SCOPES = {
    "examination": Consent.Scope.EXAMINATION,
    "chiropractic_care": Consent.Scope.CHIROPRACTIC_CARE,
    "photography": Consent.Scope.PHOTOGRAPHY,
    "telecom_reminders": Consent.Scope.EMAIL_REMINDERS,
}
_FORM = {*_SCOPES, "signed_by", "relationship", "date", "document_version", "patient_assent"}


def faults(chart: dict) -> dict[str, str]:
    found = json_checks.faults({name: chart[name] for name in PARTS if name in chart}, _SCHEMA)
    if found:
        return found
    said = chart["patient"]
    found = _person_faults(said)
    place = Location.objects.filter(slug=said["home_location"]).first()
    if place is None:
        return found | {"$.patient.home_location": "There is no such location."}
    born = date.fromisoformat(said["birth_date"])
    if message := registering.age_fault(born, place.today()):
        return found | {"$.patient.birth_date": message}
    if chart.get("intake") is not None:
        age = Patient(birth_date=born).age_on(place.today())
        found |= intake.faults(chart["intake"], age=age, at="$.intake")
    if chart.get("diary") is not None:
        found |= diary.faults(chart["diary"], place.time_zone, at="$.diary")
    return found


def _person_faults(said) -> dict[str, str]:
    found, address = {}, said.get("address") or {}
    lines = {
        **{f"given[{n}]": name for n, name in enumerate(said["given"])},
        **{name: said.get(name) for name in ("family", "gender_identity", "pronouns", "mrn")},
        **{f"address.{name}": address.get(name) for name in ("line", "city", "state", "postal_code")},
    }
    checks = [(name, value, clean_line) for name, value in lines.items()] + [
        ("email", said.get("email"), validate_email)
    ]
    for name, value, check in checks:
        try:
            check(value or "") if value else None
        except ValidationError as error:
            found[f"$.patient.{name}"] = error.messages[0]
    phones = {"phone": said.get("phone")}
    phones |= {f"guardians[{n}].phone": one.get("phone") for n, one in enumerate(said.get("guardians") or [])}
    for name, number in phones.items():
        if number and not to_python(number).is_valid():
            found[f"$.patient.{name}"] = "This is no telephone number."
    return found


def bring_in(chart: dict, bringing: Bringing) -> None:
    """Write the person first: the other packages hang their parts on `bringing.patient`."""
    bringing.patient = patient = _register(chart["patient"])
    kept = {f"$.patient.{name}": value for name, value in chart["patient"].items() if name not in _PATIENT}
    given = [unicodedata.normalize("NFC", name).strip() for name in chart["patient"]["given"]]
    if given != patient.given_name.split(" "):
        kept["$.patient.given"] = given
    address = chart["patient"].get("address") or {}
    kept |= {f"$.patient.address.{name}": address[name] for name in address if name not in _ADDRESS}
    kept |= {f"$.{name}": value for name, value in chart.items() if name in bringing.besides}
    kept["$.nothing"] = [name for name in MAY_BE_NOTHING if chart.get(name) is None]
    ImportedChart.objects.create(patient=patient, at=times.now(), besides=kept)
    if chart.get("intake") is not None:
        intake.record(patient, chart["intake"], by=None, by_whom=bringing.by_whom)
    if chart.get("consents") is not None:
        _sign(patient, chart["consents"], bringing.by_whom)
    if chart.get("diary") is not None:
        diary.add(patient, chart["diary"], zone=patient.home_location.time_zone)
    patient.refresh_from_db()
    given = {name: chart[name] for name in PARTS if chart.get(name) is not None}
    keep(patient, {AS_GIVEN: chart_files.differences(given, take_out(patient))})


def _register(said: dict) -> Patient:
    address = said.get("address") or {}
    patient = registering.register(
        given_name=" ".join(said["given"]),
        family_name=said.get("family") or "",
        birth_date=date.fromisoformat(said["birth_date"]),
        home_location=Location.objects.get(slug=said["home_location"]),
        by=None,
        by_whom="a chart file",
        confirm_duplicate=True,
        sex=said.get("sex") or Patient.Sex.UNKNOWN,
        gender_identity=said.get("gender_identity") or "",
        pronouns=said.get("pronouns") or "",
        language=said.get("language") or "en",
        phone=said.get("phone") or "",
        email=said.get("email") or "",
        street=address.get("line") or "",
        city=address.get("city") or "",
        state=address.get("state") or "",
        postal_code=address.get("postal_code") or "",
        record_number=said.get("mrn") or "",
    )
    Guardian.objects.bulk_create(
        Guardian(
            patient=patient,
            name=one["name"],
            relationship=one.get("relationship") or "",
            phone=one.get("phone") or "",
            portal_access=one.get("portal_access") or "",
            authority_document=one.get("legal_authority_document") or "",
        )
        for one in said.get("guardians") or []
    )
    return patient


def _sign(patient: Patient, said: dict, by_whom: str) -> None:
    answers = {name: said[name] for name in said if name not in _FORM - set(_SCOPES)}
    ConsentForm.objects.create(
        patient=patient,
        answers=answers,
        signed_by=said["signed_by"],
        relationship=said.get("relationship") or "",
        patient_assent=said.get("patient_assent"),
        signed_on=date.fromisoformat(said["date"]),
        document_version=said.get("document_version") or "",
    )
    for name, scope in _SCOPES.items():
        if said.get(name):
            registering.give_consent(patient, scope, by=None, by_whom=by_whom)


def keep(patient: Patient, besides: dict) -> None:
    """For the packages above: what their part of the file said that has no place of its own, by JSON path."""
    row = patient.imported_chart
    row.besides |= besides
    row.save(update_fields=["besides"])


def kept(patient: Patient, prefix: str) -> dict:
    """What was kept right below the prefix, by its name there; nothing for a chart that was written here."""
    row = ImportedChart.objects.filter(patient=patient).first()
    besides = row.besides if row else {}
    below = {path.removeprefix(prefix): value for path, value in besides.items() if path.startswith(prefix)}
    return {name: value for name, value in below.items() if "." not in name}


def take_out(patient: Patient) -> dict:
    """The four parts as they stand now."""
    chart = {name: value for name, value in kept(patient, "$.").items() if name != "nothing"}
    chart["patient"] = _person(patient) | kept(patient, "$.patient.")
    answers = Intake.objects.filter(patient=patient).values_list("answers", flat=True).first()
    chart["intake"] = answers
    chart["consents"] = _consents(patient)
    chart["diary"] = or_nothing(patient, "diary", diary.as_file(patient))
    chart_files.as_given(chart, chart.pop("as_given", []))
    return chart


def or_nothing(patient: Patient, name: str, part: dict) -> dict | None:
    """None for a part of which the file said nothing at all, as long as nothing was written since."""
    said_nothing = name in kept(patient, "$.").get("nothing", ())
    return None if said_nothing and not any(part.values()) else part


def _person(patient: Patient) -> dict:
    address = {
        "line": patient.street,
        "city": patient.city,
        "state": patient.state,
        "postal_code": patient.postal_code,
        **kept(patient, "$.patient.address."),
    }
    said = {
        "given": patient.given_name.split(" "),
        "family": patient.family_name or None,
        "birth_date": patient.birth_date.isoformat(),
        "sex": patient.sex,
        "gender_identity": patient.gender_identity or None,
        "pronouns": patient.pronouns or None,
        "language": patient.language,
        "phone": _phone(patient.phone),
        "email": patient.email or None,
        "address": address if any(address.values()) else None,
        "home_location": patient.home_location.slug,
        "mrn": patient.record_number or None,
    }
    guardians = [
        {
            "name": one.name,
            "relationship": one.relationship or None,
            "phone": _phone(one.phone),
            "portal_access": one.portal_access or None,
            "legal_authority_document": one.authority_document or None,
        }
        for one in patient.guardians.all()
    ]
    return said | ({"guardians": guardians} if guardians else {})


def _phone(number) -> str | None:
    return number.as_international.replace("-", " ") if number else None


def _consents(patient: Patient) -> dict | None:
    form = patient.consent_forms.last()
    if form is None:
        return None
    said = {
        **form.answers,
        "signed_by": form.signed_by,
        "relationship": form.relationship or None,
        "date": form.signed_on.isoformat(),
        "document_version": form.document_version or None,
    }
    return said if form.patient_assent is None else said | {"patient_assent": form.patient_assent}
