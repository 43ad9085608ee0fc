"""Whether a patient whose plan runs gets further visits: told to the calendar, which knows no plans. Reads only.

What stops the plan (safety, consent) stops each visit of the kind that it gives, however it is booked. What only keeps
the plan from growing, and a pause, can be gone against with a reason: the visit is then no visit of the plan. The
re-evaluation and whatever else is bookable stays so: the patient is to be seen.
"""

from django.db.models import Q

from appointments.conflicts import HELD_BACK, Conflict
from appointments.models import AppointmentType, Series
from careplans import blocks, planning, safety_hold
from careplans.blocks import Block
from careplans.models import CarePlan
from clinic.errors import RuleBroken
from patients.models import Patient

PAUSED = Block("on_hold", "The care plan is on hold.", "The clinician in charge takes it up again.")


def gate(series: Series, *, for_checkpoint: bool = False) -> RuleBroken | None:
    """Of a plan's visits: an overdue re-evaluation does not keep the re-evaluation back. Of a series beside the plan:
    as of a single visit.
    """
    plan = CarePlan.objects.filter(series=series).with_names().first()
    if plan:
        found = blocks.of_running(plan) or ([] if for_checkpoint else blocks.of_more(plan))
        return blocks.refusal(found) if found else None
    stop = None if for_checkpoint else against(series.patient, series.type)
    return RuleBroken(stop.message, code=stop.code) if stop else None


def against(patient: Patient, type: AppointmentType) -> Conflict | None:
    """Why a visit of the type is not booked for the patient beside the plan."""
    plan = _in_force(patient, type)
    if plan is None:
        return None
    if stops := blocks.of_running(plan):
        return _conflict(stops[0], stops[0].code)
    more = blocks.of_more(plan) if plan.is_active else [PAUSED]
    return _conflict(more[0], HELD_BACK) if more else None


def _in_force(patient, type) -> CarePlan | None:
    """The plan that gives visits of the type: the active one, else the latest on hold. One that was brought in may
    have no series yet."""
    running = CarePlan.objects.filter(patient=patient, status__in=safety_hold.RUNNING)
    if not running.exists():
        return None  # asked at every booking, and the plan with all its names takes longer to ask
    without = Q(series=None) if type.slug == planning.VISIT_TYPE else Q(pk=None)
    return running.filter(Q(series__type=type) | without).with_names().order_by("status", "-pk").first()


def _conflict(block: Block, code: str) -> Conflict:
    return Conflict(code, f"{block.message} {block.advice}", field="type")
