"""How a plan ended, in a chart file: under `discharge` of the plan, by the names that the API has too."""

from datetime import datetime

from django.core.exceptions import ValidationError

from careplans import metrics
from careplans.models import CarePlan, Discharge
from clinic import times
from clinic.text import clean_line, clean_note
from patients import chart_file as person
from patients.models import Patient

AT = "$.care_plan.discharge"
OVER = {CarePlan.Status.COMPLETED, CarePlan.Status.DISCONTINUED}
_LINES, _NOTES = ("why", "summary_to", "by"), ("residual", "home", "return_if")
_TEXTS = {**dict.fromkeys(_LINES, clean_line), **dict.fromkeys(_NOTES, clean_note)}


def faults(said: dict, status: str) -> dict[str, str]:
    """`status` is that of the plan, in our words."""
    found = {}
    if status not in OVER:
        found[AT] = "Only a plan that is over has a discharge."
    for name, rule in _TEXTS.items():
        try:
            rule(said.get(name, ""))
        except ValidationError as error:
            found[f"{AT}.{name}"] = error.messages[0]
    for n, one in enumerate(said.get("measures", ())):
        if one["metric"] not in metrics.METRICS:
            found[f"{AT}.measures[{n}].metric"] = "This is not one of the metrics."
    return found


def bring_in(said: dict, plan: CarePlan) -> None:
    written = Discharge.objects.create(
        plan=plan,
        reason=said["reason"],
        measures=said.get("measures", []),
        pgic=said.get("pgic"),
        by=plan.created_by,
        at=datetime.fromisoformat(said["at"]),
        **{name: said.get(name, "") for name in _TEXTS if name != "by"},
    )
    ours = take_out(written)
    kept = {f"{AT}.{name}": value for name, value in said.items() if value != ours[name]}
    person.keep(plan.patient, kept)


def take_out(written: Discharge) -> dict:
    """As it was written here; `with_what_was_kept` gives back how a file had said it."""
    names = ("reason", "why", "measures", "pgic", "residual", "home", "return_if", "summary_to")
    at = times.local(written.at, written.plan.location.time_zone).isoformat()
    return {name: getattr(written, name) for name in names} | {"at": at, "by": str(written.by)}


def with_what_was_kept(written: Discharge, patient: Patient) -> dict:
    return take_out(written) | person.kept(patient, f"{AT}.")
