"""A mail that asks the patient of a running plan to book, sent by one click from the worklist: asking, and the mail.

Read off the plan's history like the mail with the link. No word of the plan or of health is in it.
"""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.mails import follow_up_mails, follow_ups, letters
from appointments.models import FollowUp
from careplans import blocks, planning
from careplans.models import CarePlan, PlanEvent
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import Message, User
from clinic.outbox import Due, Later, Mail, Skip
from locations.models import Location
from patients import languages
from patients.mail_choices import Topic
from patients.models import Patient

STEP, KIND = "asked_to_book", "please-book"
KINDS = {KIND: "the desk asked the patient to book"}
ABOUT = "careplans.planevent"
STILL_SENT_WITHIN = timedelta(days=2)
AT_MOST_EVERY = timedelta(days=3)
COMES_BACK = timedelta(days=3)


@transaction.atomic
def ask(plan: CarePlan, *, by: User) -> None:
    """Have the mail sent; the line leaves the worklist for some days. Raises RuleBroken where no mail can be."""
    plan = planning.locked(plan, by=by, needs={planning.Status.ACTIVE}, step="asked about", action="careplan.schedule")
    planning.refuse(blocks.of_running(plan))
    if reason := letters.unreachable(plan.patient, Topic.FOLLOW_UPS):
        raise RuleBroken(reason, code="unreachable")
    last = plan.history.filter(step=STEP, at__gt=times.now() - AT_MOST_EVERY).first()
    if last:
        day = times.local(last.at, plan.location.time_zone)
        raise RuleBroken(f"A mail went out on {day:%B} {day.day} already: call instead.", code="asked_already")
    planning.record(plan, STEP, by=by)
    follow_ups.record(
        patient=plan.patient, location=plan.location, about=FollowUp.About.PACE, result=FollowUp.Result.LEFT_MESSAGE,
        note="By mail: please book.", again_on=plan.location.today() + COMES_BACK, by=by,
    )  # fmt: skip


def due(at, since) -> list[Due]:
    asked = PlanEvent.objects.filter(step=STEP, at__gt=since, at__lte=at).select_related("plan")
    owed = {f"{KIND}:{event.pk}": event for event in asked}
    known = set(Message.objects.filter(key__in=owed).values_list("key", flat=True))
    return [
        Due(key, KIND, ABOUT, event.pk, event.plan.patient_id, event.at, event.at + STILL_SENT_WITHIN)
        for key, event in owed.items()
        if key not in known
    ]


def compose(message: Message) -> Mail | Skip | Later:
    plan = PlanEvent.objects.select_related("plan__patient", "plan__location").get(pk=message.about_id).plan
    if not plan.is_active:
        return Skip("The plan does not run any more.")
    if stopped := blocks.of_running(plan):
        return Skip(stopped[0].message)
    if reason := letters.unreachable(plan.patient, Topic.FOLLOW_UPS):
        return Skip(reason)
    if later := follow_up_mails.after_quiet_hours(message, plan.location):
        return later
    with languages.speaking(plan.patient):
        return write(plan.patient, plan.location, letters.way_out(plan.patient, Topic.FOLLOW_UPS))


def write(patient: Patient, place: Location, way_out: letters.WayOut) -> Mail:
    """The words alone, in the language that is active."""
    said = [_("Please book your next visit."), _("Call us, and we find a time that suits you.")]
    return follow_up_mails.write(patient, place, subject=_("Please book your next visit"), said=said, way_out=way_out)
