"""The link to the questions before a visit, sent by hand while somebody waits for it: the only writer of IntakeAsk.

The mail goes the way of all mails: to nobody who has not agreed, to no address that takes none.
"""

from datetime import timedelta

from django.db import transaction

from appointments.mails import follow_up_mails, letters
from appointments.models import Appointment
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import Message, User
from clinic.outbox import Due, Mail, Skip
from evaluations.intake import self_intake
from evaluations.intake.intake_questions import PARTS
from evaluations.models import IntakeAsk
from patients import languages
from patients.mail_choices import Topic

KIND = "intake-link"
KINDS = {KIND: "the questions before a visit were sent by hand"}
ABOUT = "evaluations.intakeask"
TOPIC = Topic.REMINDERS
NOT_AGAIN_FOR = timedelta(minutes=10)  # the mail is on its way
MOST, EACH = 3, timedelta(days=1)
STILL_SENT_WITHIN = timedelta(days=1)


@transaction.atomic
def ask(visit: Appointment, *, by: User) -> IntakeAsk:
    """Have the link mailed at once. Raises RuleBroken: `wrong_status`, `unreachable`, `too_many` (429)."""
    fresh = Appointment.objects.select_for_update(of=("self",)).select_related("patient", "location").get(pk=visit.pk)
    if reason := _is_over(fresh):
        raise RuleBroken(reason, code="wrong_status")
    if reason := letters.unreachable(fresh.patient, TOPIC):
        raise RuleBroken(reason, code="unreachable")
    _check_rate(fresh)
    made = IntakeAsk.objects.create(appointment=fresh, by=by, asked_at=times.now())
    audit.record("intake.link_asked", on=fresh.patient, by=by, visit=fresh.pk)
    return made


def _is_over(visit) -> str:
    if visit.status not in self_intake.BEFORE_THE_VISIT:
        return f"The visit is {visit.get_status_display().lower()}."
    if visit.starts_at <= times.now():
        return "The visit has begun."
    return ""


def _check_rate(visit):
    now = times.now()
    asked = [one.asked_at for one in visit.intake_asks.filter(asked_at__gt=now - EACH).order_by("asked_at")]
    if not asked:
        return
    again = asked[-1] + NOT_AGAIN_FOR
    if len(asked) >= MOST:
        again = max(again, asked[-MOST] + EACH)
    if now < again:
        zone = visit.location.time_zone
        last, again = (times.spoken(one, zone, year=False) for one in (asked[-1], again))
        raise RuleBroken(f"The link was sent on {last}. Again from {again} on.", code="too_many", status=429)


def due(at, since) -> list[Due]:
    asks = IntakeAsk.objects.filter(asked_at__gt=since, asked_at__lte=at).select_related("appointment")
    owed = {_key(one): one for one in asks}
    known = set(Message.objects.filter(key__in=owed).values_list("key", flat=True))
    return [
        Due(key, KIND, ABOUT, one.pk, one.appointment.patient_id, one.asked_at, one.asked_at + STILL_SENT_WITHIN)
        for key, one in owed.items()
        if key not in known
    ]


def _key(ask: IntakeAsk) -> str:
    return f"{KIND}:{ask.pk}"


def compose(message: Message) -> Mail | Skip:
    found = IntakeAsk.objects.select_related("appointment__patient", "appointment__location").get(pk=message.about_id)
    visit = found.appointment
    if reason := _is_over(visit) or letters.unreachable(visit.patient, TOPIC):
        return Skip(reason)
    with languages.speaking(visit.patient):
        way_out = letters.way_out(visit.patient, TOPIC)
        return follow_up_mails.of_intake(visit, way_out, page=self_intake.address(visit), is_first=False)


def sample(visit: Appointment) -> Mail:
    """As the mail would read for the patient of the visit, in the language that is active; its links lead nowhere."""
    page = letters.link_nowhere("intake-link")
    return follow_up_mails.of_intake(visit, letters.way_out_nowhere(), page=page, is_first=False)


def panel(visit: Appointment, user: User) -> dict | None:
    """What was sent for this visit, by hand or by itself, and how far the patient is; None where nobody is asked."""
    asks = {_key(one): one for one in visit.intake_asks.select_related("by").order_by("asked_at")}
    sent = Message.objects.filter(key__in=[*asks, f"appointment:{visit.pk}:intake"]).in_bulk(field_name="key")
    kept = self_intake.kept(visit)
    if not (visit.type.is_evaluation or sent or asks):
        return None
    zone = visit.location.time_zone
    lines = [
        {"at": times.local(sent[key].due_at if key in sent else asks[key].asked_at, zone), "message": sent.get(key),
         "by": asks[key].by if key in asks else None}
        for key in {**sent, **asks}
    ]  # fmt: skip
    return {
        "lines": sorted(lines, key=lambda line: line["at"]),
        "done": len(kept.parts),
        "of": len(PARTS),
        "changed_at": times.local(kept.changed_at, zone) if kept.changed_at else None,
        "why_not": _is_over(visit) or letters.unreachable(visit.patient, TOPIC),
    }
