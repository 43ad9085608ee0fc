"""What the patient tells before being examined: the answers that may be given, and the only writer of Intake.

The shape is `intake_schema.json` (reference 1.1 and 1.3). Answers are kept as they were given; what follows from them
is worked out elsewhere and never stored.
"""

from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from clinic import audit, json_checks, times
from clinic.errors import RuleBroken
from clinic.models import User
from patients.models import Intake, Patient

ON_BOOKING = {"neck_indicators"}  # may be told on the public page, long before the questions are gone through
SCHEMA = json_checks.schema(Path(__file__).with_name("intake_schema.json"))


def faults(answers: object, *, age: int | None = None, at: str = "$") -> dict[str, str]:
    """What is wrong with the answers, by JSON path. `age` in years, where it is known."""
    found = json_checks.faults(answers, SCHEMA, at=at)
    if found:
        return found
    shortest, longest = answers.get("attack_hours_min"), answers.get("attack_hours_max")
    if None not in (shortest, longest) and shortest > longest:
        found[f"{at}.attack_hours_max"] = "The longest attack is not shorter than the shortest."
    headache, migraine = answers.get("recall_headache_days_month"), answers.get("recall_migraine_days_month")
    if None not in (headache, migraine) and migraine > headache:
        found[f"{at}.recall_migraine_days_month"] = "Not more days than with headache."
    total = answers.get("total_acute_days_month")
    used = [days for days in (answers.get("acute_medication_days_month") or {}).values() if days is not None]
    if total is not None and total < max(used, default=0):
        found[f"{at}.total_acute_days_month"] = "Not fewer days than with one kind of them."
    onset = answers.get("headache_onset_age")
    if None not in (onset, age) and onset > age:
        found[f"{at}.headache_onset_age"] = f"The patient is {age}."
    return found


@transaction.atomic
def record(
    patient: Patient, answers: dict, *, by: User | None, version: int | None = None, by_whom: str = ""
) -> Intake:
    """Keep the answers given, beside those given before. Raises RuleBroken `invalid` (400) and `stale`.

    `version` is the one that was read; None where nobody read any.
    """
    if by is not None and not Patient.objects.visible_to(by, "patient.write").filter(pk=patient.pk).exists():
        raise Http404
    Patient.objects.select_for_update().get(pk=patient.pk)
    intake = Intake.objects.filter(patient=patient).first()
    if intake and version is not None and version != intake.version:
        raise RuleBroken("Somebody changed the answers after they were read.", code="stale")
    if not isinstance(answers, dict):
        answers = {"answers": answers}
    all_answers = {**(intake.answers if intake else {}), **answers}
    if wrong := faults(all_answers, age=patient.age):
        fields = {path.removeprefix("$."): text for path, text in wrong.items()}
        raise RuleBroken(" ".join(dict.fromkeys(fields.values())), code="invalid", fields=fields, status=400)
    if intake is None:
        intake = Intake(patient=patient, version=0)
    intake.answers, intake.version = all_answers, intake.version + 1
    intake.changed_at, intake.changed_by = times.now(), by
    intake.save()
    audit.record("intake.saved", on=patient, by=by, by_whom=by_whom, answered=sorted(answers))
    return intake


def told() -> QuerySet:
    """Of everybody who told more than what may be told when a visit is booked."""
    return Intake.objects.filter(answers__has_any_keys=sorted(SCHEMA.schema["properties"].keys() - ON_BOOKING))


def answers_of(patient: Patient) -> dict:
    """What the patient told so far; empty when nobody asked."""
    return Intake.objects.filter(patient=patient).values_list("answers", flat=True).first() or {}
