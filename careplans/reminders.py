"""Mails to patients under a care plan: a re-evaluation is due, visits run out, none is booked. Derived from progress.

Asked by the first sweep of each clock hour, since nothing here turns on minutes. A patient gets one of these mails in
two weeks at most, the most pressing first. No word of the plan or of health is in them.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Exists, Max, OuterRef
from django.utils.translation import gettext as _

from appointments.mails import follow_up_mails, letters
from appointments.models import Appointment
from careplans import asking_to_book, plan_link_mails, progress
from careplans.models import CarePlan, PlanEvent
from careplans.progress import Progress
from clinic import outbox, times
from clinic.models import Message
from clinic.outbox import Due, Later, Mail, Skip
from evaluations.models import Evaluation
from locations import mail_hours, mail_rules
from locations.mail_rules import Kind
from locations.models import Location
from patients import languages
from patients.mail_choices import Topic
from patients.models import Patient

REEVALUATION = Kind(
    "re-evaluation-due", "Re-evaluation due",
    "{number} days before a re-evaluation is due, when none is booked.", 7, 0, 30,
)  # fmt: skip
NO_VISIT = Kind(
    "no-future-visit", "No visit ahead", "{number} days after the last visit of a plan, when none is booked.", 7, 1, 60
)
RUNNING_OUT = Kind(
    "plan-running-out", "Visits run out",
    "When {number} visits of a plan or fewer are still booked and others are not.", 1, 1, 10,
)  # fmt: skip
ORDER = (REEVALUATION, NO_VISIT, RUNNING_OUT)
KINDS = {
    REEVALUATION.name: "a re-evaluation is due and none is booked",
    NO_VISIT.name: "a care plan runs and no visit is booked",
    RUNNING_OUT.name: "few visits of a care plan are still booked",
    **plan_link_mails.KINDS,
    **asking_to_book.KINDS,
}
TOPICS = dict.fromkeys(KINDS, Topic.FOLLOW_UPS) | {plan_link_mails.KIND: Topic.NOTICES}
AT_MOST_EVERY = timedelta(days=14)
WATCHED = (PlanEvent,)
STILL_SENT_WITHIN = timedelta(days=3)
IN_THE_MORNING = time(10)


@dataclass(frozen=True)
class _Case:
    plan: CarePlan
    progress: Progress


def due(at: datetime, since: datetime) -> list[Due]:
    return [*plan_link_mails.due(at, since), *asking_to_book.due(at, since), *_due_this_hour(at, since)]


def _due_this_hour(at: datetime, since: datetime) -> list[Due]:
    if _hour(since + outbox.OVERLAP) == _hour(at):
        return []
    cases = _cases()
    if not cases:
        return []
    calm, rules = mail_hours.load(), mail_rules.Rules()
    told, evaluated = _told_lately(cases, at), _evaluated(cases)
    found = []
    for case in cases:
        plan = case.plan
        day = times.day_of(at, plan.location.time_zone)
        due_at = calm[plan.location_id].later(times.instant(day, IN_THE_MORNING, plan.location.time_zone))
        if plan.patient_id in told or not since < due_at <= at:
            continue
        if key := _pressing(case, rules, evaluated.get(plan.patient_id, 0)):
            kind, name = key
            found.append(Due(f"plan:{plan.pk}:{name}", kind, "careplans.careplan", plan.pk, plan.patient_id, due_at,
                             due_at + STILL_SENT_WITHIN))  # fmt: skip
    known = set(Message.objects.filter(key__in=[one.key for one in found]).values_list("key", flat=True))
    return [one for one in found if one.key not in known]


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _cases(plan: CarePlan | None = None) -> list[_Case]:
    """Active plans with visits, of patients who have no evaluation ahead, with their progress."""
    ahead = Appointment.objects.holding_time().filter(
        patient=OuterRef("patient"), type__is_evaluation=True, starts_at__gt=times.now()
    )
    plans = CarePlan.objects.filter(~Exists(ahead), status=CarePlan.Status.ACTIVE).exclude(series=None)
    if plan is not None:
        plans = plans.filter(pk=plan.pk)
    found = progress.of(plans)
    rows = CarePlan.objects.filter(pk__in=found).select_related("location", "patient")
    return [_Case(row, found[row.pk]) for row in rows.order_by("pk")]


def _pressing(case: _Case, rules: mail_rules.Rules, evaluated: int) -> tuple[str, str] | None:
    """The kind that is due first of all, and the rest of its key."""
    keys = {
        REEVALUATION.name: f"re-evaluation:{evaluated}",
        NO_VISIT.name: f"no-visit:{case.progress.visits.last_on or case.plan.starts_on}",
        RUNNING_OUT.name: f"running-out:{case.progress.visits.fulfilled}",
    }
    for kind in ORDER:
        rule = rules.of(kind.name, case.plan.location_id)
        if rule.is_on and holds(kind.name, case, rule.number):
            return kind.name, keys[kind.name]
    return None


def holds(kind: str, case: _Case, number: int) -> bool:
    """Whether what the mail says is so."""
    visits = case.progress.visits
    if kind == REEVALUATION.name:
        return case.progress.checkpoint.days_left <= number
    if kind == NO_VISIT.name:
        today = times.today(case.plan.location.time_zone)
        return (
            not visits.booked and visits.owed > 0 and (today - (visits.last_on or case.plan.starts_on)).days >= number
        )
    return 0 < visits.booked <= number and visits.owed > 0


def _told_lately(cases: list[_Case], at: datetime) -> set[int]:
    rows = Message.objects.filter(
        kind__in=[kind.name for kind in ORDER],
        patient_id__in=[case.plan.patient_id for case in cases],
        due_at__gt=at - AT_MOST_EVERY,
    )
    return set(rows.values_list("patient_id", flat=True))


def _evaluated(cases: list[_Case]) -> dict[int, int]:
    """By patient, the id of the latest signed evaluation: a checkpoint counts from it."""
    rows = Evaluation.objects.in_force().filter(
        patient__in=[case.plan.patient_id for case in cases], status=Evaluation.Status.SIGNED
    )
    return dict(rows.order_by().values("patient").annotate(latest=Max("pk")).values_list("patient", "latest"))


def compose(message: Message) -> Mail | Skip | Later:
    """The mail as the plan goes on now, or why there is none."""
    if message.kind in plan_link_mails.KINDS:
        return plan_link_mails.compose(message)
    if message.kind in asking_to_book.KINDS:
        return asking_to_book.compose(message)
    plan = CarePlan.objects.select_related("patient", "location").get(pk=message.about_id)
    if reason := _over(message.kind, plan) or letters.unreachable(plan.patient, Topic.FOLLOW_UPS):
        return Skip(reason)
    if later := follow_up_mails.after_quiet_hours(message, plan.location):
        return later
    with languages.speaking(plan.patient):
        return write(message.kind, plan.patient, plan.location, letters.way_out(plan.patient, Topic.FOLLOW_UPS))


def _over(kind: str, plan: CarePlan) -> str:
    if reason := follow_up_mails.switched_off(kind, plan.location):
        return reason
    number = mail_rules.Rules().of(kind, plan.location_id).number
    cases = _cases(plan)
    return "" if cases and holds(kind, cases[0], number) else "It is no longer so: something was booked or changed."


def write(kind: str, patient: Patient, place: Location, way_out: letters.WayOut) -> Mail:
    """The words alone, in the language that is active."""
    said = {
        REEVALUATION.name: _("It is time for a longer visit, to see how you are doing. None is booked yet."),
        NO_VISIT.name: _("You have no visit booked with us at the moment."),
        RUNNING_OUT.name: _("Your next visit is one of the last that are booked. Others are still to be booked."),
    }
    sentences = [_("Please book your next visit."), said[kind], _("Call us, and we find a time that suits you.")]
    return follow_up_mails.write(
        patient, place, subject=_("Please book your next visit"), said=sentences, way_out=way_out
    )


def sample(kind: str, visit: Appointment) -> Mail:
    """As the mail would read for the patient of the visit, in the language that is active."""
    to, way_out = (visit.patient, visit.location), letters.way_out_nowhere()
    if kind == plan_link_mails.KIND:
        return plan_link_mails.write(*to, way_out, url=letters.link_nowhere("plan-link"))
    if kind == asking_to_book.KIND:
        return asking_to_book.write(*to, way_out)
    return write(kind, *to, way_out)
