"""Whether the informed consent that a patient signed still covers what a plan means to do (clinical reference 4.7).

A new one is needed each year, before the first thrust, and after a serious reaction to care. `fault` is pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from careplans.models import CarePlan
from clinic import times
from evaluations import interventions
from evaluations.models import Incident
from locations.models import Location
from patients import consenting
from patients.models import ConsentForm, Patient

GOOD_FOR = timedelta(days=365)
NOT_THRUST, NOTHING_MANUAL = ("no_hvla", "no_manual_thrust"), ("no_manual_neck_care",)
_THRUST = frozenset({interventions.HVLA, interventions.THRUST})


@dataclass(frozen=True)
class Fault:
    """Why the consent is not enough; what `stops_running` holds for a plan that was begun too."""

    code: str
    message: str
    stops_running: bool = False


def has_thrust(codes: Iterable[str]) -> bool:
    """Whether one of the interventions is a thrust: then the consent has to name it."""
    return any(interventions.KNOWN[code].force in _THRUST for code in codes if code in interventions.KNOWN)


def fault(
    form: ConsentForm | None, *, thrust: bool, today: date, reacted_at: datetime | None = None, zone: str = "UTC"
) -> Fault | None:
    """The first thing that is wrong with the latest form; None when it covers care as planned.

    `reacted_at` is when the latest serious reaction to care was recorded. Of a form that was brought in only the day is
    known: a reaction on that day, in the clinic's `zone`, counts as after it.
    """
    if form is None:
        return Fault("consent_missing", "Informed consent is not signed.")
    if form.withdrawn_at:
        return Fault("consent_withdrawn", "The patient has taken the consent back.", stops_running=True)
    if today - form.signed_on > GOOD_FOR:
        day = f"{form.signed_on:%B} {form.signed_on.day}, {form.signed_on.year}"
        return Fault("consent_expired", f"The consent was signed on {day}: over a year ago.", stops_running=True)
    if reacted_at and _is_before(form, reacted_at, zone):
        message = "There was a serious reaction to care after the consent was signed."
        return Fault("consent_before_reaction", message, stops_running=True)
    if thrust and not form.covers_thrust:
        message = "The consent does not name a quick push (thrust), and the plan has one."
        return Fault("consent_without_thrust", message, stops_running=True)
    return None


def _is_before(form: ConsentForm, moment: datetime, zone: str) -> bool:
    return form.signed_at < moment if form.signed_at else form.signed_on <= times.day_of(moment, zone)


def of(patient: Patient, *, codes: Iterable[str], place: Location) -> Fault | None:
    """The same, for these interventions at this patient."""
    reacted_at = Incident.objects.filter(patient=patient).order_by("-opened_at").values_list("opened_at", flat=True)
    return fault(
        consenting.latest(patient),
        thrust=has_thrust(codes),
        today=place.today(),
        reacted_at=reacted_at.first(),
        zone=place.time_zone,
    )


def restrictions(plan: CarePlan) -> tuple[str, ...]:
    """What may not be done at a visit while the consent does not cover the plan that runs."""
    found = of_plan(plan)
    if found is None or not found.stops_running:
        return ()
    return NOT_THRUST if found.code == "consent_without_thrust" else NOTHING_MANUAL


def of_plan(plan: CarePlan) -> Fault | None:
    return of(plan.patient, codes=[row.code for row in plan.interventions.all()], place=plan.location)
