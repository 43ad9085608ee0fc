"""Whether further visits may be placed now: asked of the series, and of the packages above. Reads only.

A visit beside the series is asked about too: booked from the calendar, online or from the waitlist, it would be a way
round what keeps those of the series back.
"""

from collections.abc import Callable

from django.utils.translation import gettext as _

from appointments.conflicts import Conflict
from appointments.models import AppointmentType, Series
from clinic.errors import RuleBroken
from clinic.models import User
from patients.models import Patient

_gates: list[Callable[..., RuleBroken | None]] = []
_of_visits: list[Callable[[Patient, AppointmentType], Conflict | None]] = []


def add(gate: Callable[..., RuleBroken | None]) -> None:
    """Packages above say, from `apps.py`, why the visits of a series may not be placed now; `for_checkpoint` asks
    about its checkpoint alone.
    """
    _gates.append(gate)


def add_of_visits(gate: Callable[[Patient, AppointmentType], Conflict | None]) -> None:
    """The same of one visit of a type: `HELD_BACK` where a reason of somebody authorised is enough, any other code
    where none is.
    """
    _of_visits.append(gate)


def refusal(series: Series, *, for_checkpoint: bool = False) -> RuleBroken | None:
    """Why nothing of the series, or not even its checkpoint, may be placed now, or None."""
    if not series.is_open:
        return RuleBroken("The series is closed: no more visits are placed.", code="wrong_status")
    return next((refused for gate in _gates if (refused := gate(series, for_checkpoint=for_checkpoint))), None)


def against_visit(patient: Patient, type: AppointmentType, *, by: User | None) -> Conflict | None:
    """Why the patient gets no further visit of the type now, or None. Patients themselves are asked to call."""
    found = next((found for gate in _of_visits if (found := gate(patient, type))), None)
    if found and by is None:
        return Conflict("call_first", _("We arrange this visit with you by phone: please call us."), field="type")
    return found
