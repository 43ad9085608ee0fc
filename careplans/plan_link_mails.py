"""The mail with the patient's own page of a plan, read off the plan's history: somebody asked for it to be sent."""

from datetime import timedelta

from django.utils.translation import gettext as _

from appointments.mails import follow_up_mails, letters
from appointments.mails.letters import WayOut
from careplans import plan_links
from careplans.models import PlanEvent
from clinic.models import Message
from clinic.outbox import Due, Mail, Skip
from locations.models import Location
from patients import languages
from patients.mail_choices import Topic
from patients.models import Patient

KIND = "plan-link"
KINDS = {KIND: "the patient's page of a care plan was asked for"}
STILL_SENT_WITHIN = timedelta(days=2)
ABOUT = "careplans.planevent"


def due(at, since) -> list[Due]:
    asked = PlanEvent.objects.filter(step="link_sent", at__gt=since, at__lte=at).select_related("plan")
    owed = {f"plan-link:{event.pk}": event for event in asked}
    known = set(Message.objects.filter(key__in=owed).values_list("key", flat=True))
    return [
        Due(key, KIND, ABOUT, event.pk, event.plan.patient_id, event.at, event.at + STILL_SENT_WITHIN)
        for key, event in owed.items()
        if key not in known
    ]


def compose(message: Message) -> Mail | Skip:
    plan = PlanEvent.objects.select_related("plan__patient", "plan__location").get(pk=message.about_id).plan
    if not plan.is_under_way:
        return Skip("The plan is over.")
    if reason := letters.unreachable(plan.patient, Topic.NOTICES):
        return Skip(reason)
    with languages.speaking(plan.patient):
        way_out = letters.way_out(plan.patient, Topic.NOTICES)
        return write(plan.patient, plan.location, way_out, url=plan_links.address(plan))


def write(patient: Patient, place: Location, way_out: WayOut, *, url: str) -> Mail:
    """The words alone, in the language that is active. None about health: mails are read over shoulders."""
    said = [
        _("Your page at the clinic: your next visit, what was agreed, and what you can do at home."),
        _("The page is yours alone: please do not pass this mail on."),
    ]
    subject, way = _("Your page at the clinic"), (_("Open your page"), url)
    return follow_up_mails.write(patient, place, subject=subject, said=said, way_out=way_out, way=way)
