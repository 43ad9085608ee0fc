"""Which mails about visits are due, read off the visits and their history; nothing is planned ahead.

Notices follow what happened (booked, moved, cancelled) after a grace, so that a slip put right at once is never
mailed: what happens within the grace of the step before it counts as one step. What happened to several visits of a
patient at about the same time is one mail. Reminders go 48 hours and 2 hours ahead.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import CharField, F, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from appointments import calendar_file, letters, offer_mails, visit_mails
from appointments.models import Appointment, AppointmentEvent
from appointments.visit_mails import News
from clinic import outbox, times
from clinic.models import Message
from clinic.outbox import Due, Mail, Skip
from locations.models import Location

GRACE = timedelta(seconds=settings.NOTICE_GRACE_SECONDS)
# kind: how long ahead, and from when on it says nothing new (the shorter reminder takes over)
AHEAD = {
    "visit-reminder-48h": (timedelta(hours=48), timedelta(hours=2)),
    "visit-reminder-2h": (timedelta(hours=2), timedelta(0)),
}
KINDS = {
    "visit-booked": "a visit was booked",
    "visit-moved": "a visit was moved or changed",
    "visit-cancelled": "a visit was cancelled",
    "visit-restored": "a visit was cancelled by mistake and stands",
    "visits-changed": "several visits were booked, moved or cancelled",
    "visit-reminder-48h": "48 hours before a visit",
    "visit-reminder-2h": "2 hours before a visit",
    **offer_mails.KINDS,
}
EXPECTED = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
SEVERAL = "visits-changed"
PLACED = ("booked", "rescheduled")
TOLD = (*PLACED, "cancelled", "restored")


def due(at, since) -> list[Due]:
    """What fell due after `since` and up to `at` and has no message yet."""
    reminders = (one for kind in AHEAD for one in _reminders(kind, at, since))
    return [*_notices(at, since), *reminders, *offer_mails.due(at, since)]


def compose(message: Message) -> Mail | Skip:
    """The mail as its visits stand now, or why there is none. Locks the visits, so call it in a transaction."""
    if message.kind in offer_mails.KINDS:
        return offer_mails.compose(message)
    told = message.detail["news"] if message.kind == SEVERAL else [_only_news(message)]
    rows = Appointment.objects.select_for_update(of=("self",)).filter(pk__in=[one["visit"] for one in told])
    # In order of their ids, like whoever moves or cancels several at once: so neither waits for the other for ever.
    rows = rows.select_related("patient", "practitioner__user", "location", "type").order_by("pk")
    visits = {visit.pk: visit for visit in rows}
    overtaken = _overtaken_among(told, visits)
    outbox.leave_out(message, {_notice_key(one): reason for one in told if (reason := overtaken[one["visit"]])})
    told = [one for one in told if not overtaken[one["visit"]]]
    if not told:
        return Skip(" ".join(dict.fromkeys(overtaken.values())))
    patient = visits[told[0]["visit"]].patient
    if reason := letters.unreachable(patient):
        return Skip(reason)
    news = [_news(one, visits[one["visit"]]) for one in told]
    return visit_mails.write(
        news,
        unsubscribe_url=letters.unsubscribe_link(patient),
        attachments=[calendar_file.attachment([one.visit for one in news])],
    )


def _only_news(message: Message) -> dict:
    """What a mail about a single visit tells, as one about several keeps it."""
    return {**message.detail, "kind": message.kind, "visit": message.about_id, "last": int(message.key.split(":")[-1])}


def _news(told: dict, visit: Appointment) -> News:
    link = ""
    if told["kind"] != visit_mails.CANCELLED:
        link = letters.link("visit-link", purpose="visit", on=visit, expires_at=visit.ends_at)
    return News(told["kind"], visit, told.get("moved_from", ""), link)


def _notices(at, since) -> list[Due]:
    recent = AppointmentEvent.objects.filter(step__in=TOLD, at__gt=since - GRACE, at__lte=at - GRACE)
    recent = outbox.not_yet_owed(recent, _key(F("appointment_id"), "notice", Cast("pk", CharField())))
    events = AppointmentEvent.objects.filter(step__in=TOLD, at__lte=at, appointment__in=recent.values("appointment"))
    events = events.select_related("appointment__location").order_by("appointment", "at", "pk")
    untold = set(recent.values_list("pk", flat=True))
    found = (_notice(list(group), untold, at) for _, group in groupby(events, key=lambda e: e.appointment_id))
    by_patient = defaultdict(list)
    for notice in found:
        if notice:
            by_patient[notice.patient_id].append(notice)
    busy = _changed_just_now(by_patient, at)
    return [
        _together(patient, notices)
        for patient, notices in by_patient.items()
        if patient not in busy or any(_cannot_wait(notice, at) for notice in notices)
    ]


def _changed_just_now(patients, at) -> set[int]:
    """Patients with whose visits somebody is still at work: what comes of it goes into the same mail."""
    young = AppointmentEvent.objects.filter(
        step__in=TOLD, at__gt=at - GRACE, at__lte=at, appointment__patient__in=patients
    )
    return set(young.values_list("appointment__patient", flat=True)) if patients else set()


def _cannot_wait(notice: Due, at) -> bool:
    """Nobody waits for more than one grace longer, nor until it is too late."""
    return at >= notice.due_at + GRACE or at + GRACE >= notice.useless_after


def _together(patient_id: int, notices: list[Due]) -> Due:
    """One mail for what is due to a patient; each notice is a part of it, so that no other mail tells the same."""
    if len(notices) == 1:
        return replace(notices[0], parts=(notices[0].key,))
    told = [
        {**one.detail, "kind": one.kind, "visit": one.about_id, "last": int(one.key.split(":")[-1]),
         "useless_after": one.useless_after.isoformat()}
        for one in notices
    ]  # fmt: skip
    return Due(
        f"patient:{patient_id}:notices:{max(one['last'] for one in told)}", SEVERAL, "patients.patient", patient_id,
        patient_id, max(one.due_at for one in notices), max(one.useless_after for one in notices), {"news": told},
        tuple(one.key for one in notices),
    )  # fmt: skip


def _notice(history, untold, at) -> Due | None:
    """One notice for everything in a visit's history that the patient has not been told of yet, or None."""
    last = history[-1]
    if last.at > at - GRACE or last.pk not in untold:
        return None
    first = len(history) - 1
    while first and (history[first - 1].pk in untold or history[first].at - history[first - 1].at < GRACE):
        first -= 1
    news = _without_slips(history[first:])
    if not news:
        return None  # a slip and its undoing, and nobody was told of either
    begun, ended = news[0], news[-1]
    is_new = begun.step == "booked"
    if is_new and ended.step == "cancelled":
        return None  # booked and cancelled before anybody was told
    kind = _kind(begun, ended)
    due_at = last.at + GRACE
    useless_after = last.to_start
    if kind == "visit-moved":
        # Who turns up at the old time must not hear of it only then, nor anybody of a move into the past.
        useless_after = max(last.to_start, begun.from_start)
    if due_at >= useless_after:
        return None
    visit = last.appointment
    detail = {}
    if kind == "visit-moved" and begun.from_start != last.to_start:
        detail["moved_from"] = times.spoken(begun.from_start, _place_before(begun, visit.location).time_zone)
    if [e.step for e in news] == ["restored"]:
        detail["takes_back"] = begun.detail["undid"]
    return Due(
        f"appointment:{visit.pk}:notice:{last.pk}", kind, "appointments.appointment", visit.pk, visit.patient_id,
        due_at, useless_after, detail,
    )  # fmt: skip


def _place_before(event: AppointmentEvent, now: Location) -> Location:
    """Where the visit was until then: the old time is told by the clock it was agreed by."""
    return now if event.left in (None, now.pk) else Location.objects.get(pk=event.left)


def _without_slips(history):
    """Without the steps that were taken back within it, and without their undoing."""
    undoings = {event.detail["undid"]: event for event in history if event.step == "restored"}
    slips = {event.pk for event in history if event.pk in undoings}
    return [e for e in history if e.pk not in slips and e.detail.get("undid") not in slips]


def _kind(begun, ended) -> str:
    if ended.step == "cancelled":
        return "visit-cancelled"
    if begun.step == "booked":
        return "visit-booked"
    was_cancelled = begun.step == "restored" and begun.from_status == Appointment.Status.CANCELLED
    return "visit-restored" if was_cancelled and begun.from_start == ended.to_start else "visit-moved"


def _reminders(kind, at, since) -> list[Due]:
    ahead, useless_before_start = AHEAD[kind]
    placed = AppointmentEvent.objects.filter(appointment=OuterRef("pk"), step__in=PLACED).order_by("-at", "-pk")
    visits = Appointment.objects.filter(
        status__in=EXPECTED, starts_at__gt=since + ahead, starts_at__lte=at + ahead
    ).annotate(placed_at=Coalesce(Subquery(placed.values("at")[:1]), "booked_at"))
    # Booked or moved later than the reminder was due: its notice has just said the same.
    visits = visits.filter(placed_at__lt=F("starts_at") - ahead)
    name = kind.removeprefix("visit-")
    visits = outbox.not_yet_owed(visits, _key(F("pk"), name, Cast("start_minute", CharField())))
    return [
        Due(
            f"appointment:{visit.pk}:{name}:{visit.start_minute}", kind, "appointments.appointment", visit.pk,
            visit.patient_id, visit.starts_at - ahead, visit.starts_at - useless_before_start,
        )
        for visit in visits.only("patient_id", "starts_at", "start_minute")
    ]  # fmt: skip


def _key(pk, name, last):
    return Concat(Value("appointment:"), Cast(pk, CharField()), Value(f":{name}:"), last, output_field=CharField())


def _notice_key(told: dict) -> str:
    return f"appointment:{told['visit']}:notice:{told['last']}"


def _overtaken_among(told: list[dict], visits: dict[int, Appointment]) -> dict[int, str]:
    """By visit, why it as it is now makes what is told of it wrong, or nothing."""
    steps = AppointmentEvent.objects.filter(step__in=TOLD, appointment__in=visits).order_by("at", "pk")
    last_told = dict(steps.values_list("appointment", "pk"))
    return {one["visit"]: _overtaken(one, visits[one["visit"]], last_told.get(one["visit"])) for one in told}


def _overtaken(told: dict, visit: Appointment, last_told: int | None) -> str:
    if told["kind"] in AHEAD:
        if visit.status not in EXPECTED:
            return f"The visit is {visit.get_status_display().lower()}."
        return "" if visit.start_minute == told["last"] else "The visit was moved since."
    if last_told != told["last"]:
        return "The visit was changed again since."
    if "useless_after" in told and times.now() >= datetime.fromisoformat(told["useless_after"]):
        return "Its time had passed before it could be sent."
    if "takes_back" in told and not outbox.was_told(f"appointment:{visit.pk}:notice:{told['takes_back']}"):
        return "The patient was never told of what was taken back."
    if told["kind"] != visit_mails.CANCELLED and visit.status not in EXPECTED:
        return f"The visit is {visit.get_status_display().lower()}."
    return ""
