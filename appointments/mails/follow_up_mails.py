"""Mails after a visit was missed, and before the first one; due and composed as `reminders` does.

Both wait for the end of the quiet hours. Other packages write theirs with `write`: a few sentences and who to call.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db.models import CharField, Exists, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from appointments.mails import letters
from appointments.mails.letters import WayOut
from appointments.models import Appointment, AppointmentEvent
from clinic import outbox, times
from clinic.models import Message
from clinic.outbox import Due, Later, Mail, Skip
from locations import mail_hours, mail_rules
from locations.mail_hours import Calm
from locations.mail_rules import Kind
from locations.models import Location
from patients import intake, languages
from patients.mail_choices import Topic
from patients.models import Patient

MISSED = Kind(
    "missed-visit", "Missed visit", "{number} hours after a visit that was missed, when no other is booked.", 2, 1, 72
)
INTAKE = Kind(
    "intake-request", "Questions before the first visit",
    "{number} days before an evaluation of a patient who has told nothing yet.", 3, 1, 14,
)  # fmt: skip
KINDS = {
    MISSED.name: "a visit was missed and no other is booked",
    INTAKE.name: "the patient has told nothing yet before an evaluation",
}
STILL_SENT_WITHIN = timedelta(days=3)
FARTHEST = timedelta(days=7)  # how far quiet hours and days off move a mail
_S = Appointment.Status
EXPECTED = (_S.BOOKED, _S.CONFIRMED)
_intake_pages: list[Callable[[Appointment], str]] = []


def add_intake_page(address: Callable[[Appointment], str]) -> None:
    """Where the questions before a visit are answered: named by the package that asks them, in its `apps.py`."""
    _intake_pages[:] = [address]


def due(at: datetime, since: datetime, calm: dict[int, Calm]) -> list[Due]:
    rules = mail_rules.Rules()
    return [*_missed(at, since, calm, rules), *_intake(at, since, calm, rules)]


def _missed(at, since, calm, rules) -> list[Due]:
    closed = AppointmentEvent.objects.filter(appointment=OuterRef("pk"), step="missed").order_by("-at")
    found = []
    for hours, places in rules.numbers(MISSED.name, calm).items():
        after = timedelta(hours=hours)
        rows = Appointment.objects.filter(
            location__in=places, status=_S.NO_SHOW, starts_at__gt=since - after - FARTHEST, starts_at__lte=at
        ).annotate(known_at=Subquery(closed.values("at")[:1]))
        rows = outbox.not_yet_owed(rows.filter(~_comes_again()), _key("missed"))
        for visit in rows:
            due_at = calm[visit.location_id].later((visit.known_at or visit.ends_at) + after)
            if since < due_at <= at:
                found.append(_due(visit, "missed", MISSED.name, due_at, due_at + STILL_SENT_WITHIN))
    return found


def _intake(at, since, calm, rules) -> list[Due]:
    found = []
    ahead_of = min(at, times.now())  # a forecast looks at visits that come before its end, too
    for days, places in rules.numbers(INTAKE.name, calm).items():
        ahead = timedelta(days=days)
        rows = Appointment.objects.filter(
            ~Exists(intake.told().filter(patient=OuterRef("patient"))),
            ~Exists(Appointment.objects.filter(patient=OuterRef("patient"), status=_S.COMPLETED)),
            location__in=places, type__is_evaluation=True, status__in=EXPECTED, starts_at__gt=ahead_of,
            starts_at__lte=at + ahead + FARTHEST,
        )  # fmt: skip
        for visit in outbox.not_yet_owed(rows, _key("intake")):
            due_at = max(calm[visit.location_id].earlier(visit.starts_at - ahead), _soon_after_booking(visit, calm))
            if since < due_at <= at and due_at < visit.starts_at - timedelta(hours=2):
                found.append(_due(visit, "intake", INTAKE.name, due_at, visit.starts_at - timedelta(hours=1)))
    return found


def _soon_after_booking(visit, calm) -> datetime:
    """Who books at short notice is asked an hour later: the notice comes first."""
    return calm[visit.location_id].later(visit.booked_at + timedelta(hours=1))


def _comes_again() -> Exists:
    """Whether the patient has a later visit, or had one."""
    later = Appointment.objects.holding_time().filter(patient=OuterRef("patient"), starts_at__gt=OuterRef("starts_at"))
    return Exists(later)


def _due(visit, name, kind, at, useless_after) -> Due:
    key = f"appointment:{visit.pk}:{name}"
    return Due(key, kind, "appointments.appointment", visit.pk, visit.patient_id, at, useless_after)


def _key(name):
    text = CharField()
    return Concat(Value("appointment:"), Cast("pk", text), Value(f":{name}"), output_field=text)


def compose(message: Message) -> Mail | Skip | Later:
    """The mail as things stand now, or why there is none. Locks the visit, so call it in a transaction."""
    visit = Appointment.objects.select_for_update(of=("self",)).select_related("patient", "location").get(
        pk=message.about_id
    )  # fmt: skip
    is_missed = message.kind == MISSED.name
    reason = _missed_is_over(visit) if is_missed else _intake_is_over(visit)
    reason = reason or switched_off(message.kind, visit.location)
    topic = Topic.FOLLOW_UPS if is_missed else Topic.REMINDERS
    if reason := reason or letters.unreachable(visit.patient, topic):
        return Skip(reason)
    if later := after_quiet_hours(message, visit.location):
        return later
    with languages.speaking(visit.patient):
        way_out = letters.way_out(visit.patient, topic)
        if is_missed:
            return of_missed(visit, way_out)
        return of_intake(visit, way_out, page="".join(address(visit) for address in _intake_pages))


def after_quiet_hours(message: Message, place: Location) -> Later | None:
    """A mail that is late does not go out at night."""
    now = times.now()
    if now < message.due_at + timedelta(minutes=30):
        return None
    until = mail_hours.load([place])[place.pk].later(now)
    return Later(until) if now < until < message.useless_after else None


def switched_off(kind: str, place: Location) -> str:
    return "" if mail_rules.Rules().of(kind, place.pk).is_on else "These mails were switched off since."


def _missed_is_over(visit: Appointment) -> str:
    if visit.status != _S.NO_SHOW:
        return f"The visit is {visit.get_status_display().lower()}."
    again = Appointment.objects.filter(pk=visit.pk).filter(_comes_again()).exists()
    return "The patient has another visit." if again else ""


def _intake_is_over(visit: Appointment) -> str:
    if visit.status not in EXPECTED:
        return f"The visit is {visit.get_status_display().lower()}."
    return "The patient has answered." if intake.told().filter(patient=visit.patient_id).exists() else ""


def of_missed(visit: Appointment, way_out: WayOut) -> Mail:
    when = times.spoken(visit.starts_at, visit.location.time_zone, year=False)
    said = [
        _("We expected you on {when} and missed you.").format(when=when),
        _("Shall we find another time? Please call us."),
    ]
    return write(visit.patient, visit.location, subject=_("We missed you"), said=said, way_out=way_out)


def of_intake(visit: Appointment, way_out: WayOut, *, page: str, is_first: bool = True) -> Mail:
    when = times.spoken(visit.starts_at, visit.location.time_zone, year=False)
    said = [
        _("Your first visit is on {when}.").format(when=when)
        if is_first
        else _("Your visit is on %(when)s.") % {"when": when},
        _("Before it we have some questions for you. You can answer them on your phone, in parts, and go on later."),
        _("If you cannot, please come 15 minutes earlier, so that there is time for them."),
    ]
    subject = _("Before your first visit") if is_first else _("Before your visit")
    way = (_("Answer the questions"), page)
    return write(visit.patient, visit.location, subject=subject, said=said, way_out=way_out, way=way)


def write(
    patient: Patient,
    place: Location,
    *,
    subject: str,
    said: Sequence[str],
    way_out: WayOut,
    way: tuple[str, str] = ("", ""),
) -> Mail:
    """A short mail in the language that is active: sentences, a link with its words, the clinic, who to call."""
    content = {
        "subject": subject, "said": said, "place": place, "for_whom": letters.for_whom(patient),
        "unsubscribe_url": way_out.url, "unsubscribe_label": way_out.label, "way_label": way[0], "way_url": way[1],
    }  # fmt: skip
    return Mail(
        to=patient.email,
        subject=subject,
        text=letters.tidy(render_to_string("appointments/mail/follow_up.txt", content)),
        html=render_to_string("appointments/mail/follow_up.html", content),
        headers=way_out.headers,
        secrets=tuple(url for url in (way[1], way_out.url) if url),
        sender=place.sender_name,
    )
