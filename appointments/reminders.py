"""Which mails about visits are due, read off the visits and their history; nothing is planned ahead.

Notices follow what happened (booked, moved, cancelled) after a grace, so that a slip put right at once is never
mailed: what happens within the grace of the step before it counts as one step. What happened to several visits of a
patient at about the same time is one mail. Reminders go by their steps (`visit_reminders`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from appointments.mails import (
    as_decided,
    calendar_file,
    follow_up_mails,
    letters,
    mail_samples,
    visit_mails,
    visit_reminders,
)
from appointments.mails.visit_mails import SEVERAL, News
from appointments.mails.visit_reminders import EXPECTED, PLACED
from appointments.mails.visit_reminders import KIND as REMINDER
from appointments.models import Appointment, AppointmentEvent, BookingRequest, Offer
from appointments.online import public_mails
from appointments.waiting import offer_mails
from clinic import outbox, times, tokens
from clinic.mail_kinds import Due, Later, Mail, Ready, Skip
from clinic.models import Message
from locations import mail_hours
from locations.models import Location
from patients import languages, mail_choices
from patients.mail_choices import Topic

GRACE = timedelta(seconds=settings.NOTICE_GRACE_SECONDS)
KINDS = {
    "visit-booked": "a visit was booked",
    "visit-moved": "a visit was moved or changed",
    "visit-cancelled": "a visit was cancelled",
    "visit-restored": "a visit was cancelled by mistake and stands",
    SEVERAL: "several visits were booked, moved or cancelled",
    REMINDER: "some time before a visit",
    **offer_mails.KINDS,
    **follow_up_mails.KINDS,
    **public_mails.KINDS,
}
LATE = timedelta(minutes=30)  # due in hours that are not quiet; sent later than this, the hours are looked at again
USEFUL = timedelta(hours=2)  # a reminder that would come closer to the visit does not wait for the morning
TOLD = (*PLACED, "cancelled", "restored")
WATCHED = (AppointmentEvent, Offer, BookingRequest)
VISIT_KINDS = ("visit-booked", "visit-moved", "visit-cancelled", "visit-restored", SEVERAL, REMINDER)
VISIT_TOPICS = (Topic.NOTICES, Topic.REMINDERS)
TOPICS = {
    **dict.fromkeys(VISIT_KINDS, Topic.NOTICES),
    REMINDER: Topic.REMINDERS,
    follow_up_mails.INTAKE.name: Topic.REMINDERS,
    follow_up_mails.MISSED.name: Topic.FOLLOW_UPS,
    **dict.fromkeys(offer_mails.KINDS, Topic.OFFERS),
}
SHOWN = ("patient", "practitioner__user", "location", "type")


def due(at, since) -> list[Due]:
    """What fell due after `since` and up to `at` and has no message yet."""
    sweep = visit_reminders.Sweep(at, since)
    return [
        *_notices(at, since),
        *sweep.due(),
        *offer_mails.due(at, since),
        *follow_up_mails.due(at, since, sweep.calm),
        *public_mails.due(at, since),
    ]


def compose(message: Message) -> Mail | Skip | Later:
    """The mail as its visits stand now, or why there is none. Locks the visits, so call it in a transaction."""
    if message.kind in offer_mails.KINDS:
        return offer_mails.compose(message)
    if message.kind in follow_up_mails.KINDS:
        return follow_up_mails.compose(message)
    if message.kind in public_mails.KINDS:
        return public_mails.compose(message)
    told = _told(message)
    rows = Appointment.objects.select_for_update(of=("self",)).filter(pk__in=[one["visit"] for one in told])
    # In order of their ids, like whoever moves or cancels several at once: so neither waits for the other for ever.
    visits = {visit.pk: visit for visit in rows.select_related(*SHOWN).order_by("pk")}
    overtaken = _overtaken_among(told, visits, _last_told(visits))
    outbox.leave_out(message, {_part_key(one): reason for one in told if (reason := overtaken[one["visit"]])})
    told = [one for one in told if not overtaken[one["visit"]]]
    if not told:
        return Skip(" ".join(dict.fromkeys(overtaken.values())))
    people = {visits[one["visit"]].patient_id: visits[one["visit"]].patient for one in told}
    unreachable = letters.unreachable_among(list(people.values()), TOPICS[message.kind])
    why_not = {one["visit"]: unreachable[visits[one["visit"]].patient_id] for one in told}
    outbox.leave_out(message, {_part_key(one): reason for one in told if (reason := why_not[one["visit"]])})
    told = [one for one in told if not why_not[one["visit"]]]
    if not told:
        return Skip(" ".join(dict.fromkeys(why_not.values())))
    told = _without_those_apart(message, told, visits)
    if message.kind == REMINDER and (later := _after_quiet_hours(message, [visits[one["visit"]] for one in told])):
        return later
    return _written(message, told, visits, {pk: letters.for_whom(one) for pk, one in people.items()})


def sample(kind: str, visit: Appointment) -> Mail:
    """As the mail would read for the visit, in the language that is active."""
    return mail_samples.write(kind, visit)


def compose_many(messages: Sequence[Message]) -> dict[int, Ready]:
    """Those of notices and reminders to which nothing stands in the way. What they need is read for all at once; each
    is looked at again when it is sent."""
    now = times.now()
    told = {
        one.pk: _told(one)
        for one in messages
        if one.kind in VISIT_KINDS and not (one.kind == REMINDER and now >= one.due_at + LATE)
    }
    ids = {one["visit"] for those in told.values() for one in those}
    decided_by = as_decided.read(ids)  # before all else: what changes from here on is seen
    visits = Appointment.objects.filter(pk__in=ids).select_related(*SHOWN).in_bulk()
    people = {visit.patient_id: visit.patient for visit in visits.values()}
    last_told = _last_told(visits)
    unreachable = {topic: letters.unreachable_among(list(people.values()), topic) for topic in VISIT_TOPICS}
    names = letters.for_whom_among(people.values())
    found = {}
    with tokens.written_together():
        for message in (one for one in messages if one.pk in told):
            those = told[message.pk]
            if not all(one["visit"] in visits and one["visit"] in decided_by for one in those):
                continue
            away = unreachable[TOPICS[message.kind]]
            if any(_overtaken_among(those, visits, last_told).values()):
                continue
            if any(away[visits[one["visit"]].patient_id] for one in those):
                continue
            if _apart(those, visits):
                continue
            rows = tuple(decided_by[pk] for pk in sorted({one["visit"] for one in those}))
            until = min(_useless_after(message, one, visits[one["visit"]]) for one in those)
            found[message.pk] = Ready(_written(message, those, visits, names), as_decided.Decided(rows, until))
    return found


def _apart(told: list[dict], visits: dict[int, Appointment]) -> list[dict]:
    """What must not stand in one mail with the first any more: another address, or a mail of one's own chosen."""
    first = visits[told[0]["visit"]].patient
    return [one for one in told if not mail_choices.is_written_to_with(visits[one["visit"]].patient, first)]


def _without_those_apart(message: Message, told: list[dict], visits: dict[int, Appointment]) -> list[dict]:
    """The rest; of those apart each patient gets a mail of their own, owed from now on."""
    apart, rest = defaultdict(list), told
    for one in _apart(told, visits):
        apart[visits[one["visit"]].patient_id].append(one)
    for patient_id, those in apart.items():
        rest = [one for one in rest if one not in those]
        outbox.send_apart(message, patient_id=patient_id, detail={"news": those},
                          keys=map(_part_key, those), rest={"news": rest})  # fmt: skip
    return rest


def _told(message: Message) -> list[dict]:
    return message.detail["news"] if "news" in message.detail else [_only_news(message)]


def _useless_after(message: Message, told: dict, visit: Appointment) -> datetime:
    if message.kind == REMINDER:
        return visit.starts_at
    return datetime.fromisoformat(told["useless_after"]) if "useless_after" in told else message.useless_after


def _written(message: Message, told: list[dict], visits: dict[int, Appointment], names: dict[int, str]) -> Mail:
    patient = visits[told[0]["visit"]].patient
    with languages.speaking(patient):
        news = [_news(one, visit, names[visit.patient_id]) for one in told for visit in [visits[one["visit"]]]]
        return visit_mails.write(
            news,
            way_out=letters.way_out(patient, TOPICS[message.kind]),
            attachments=calendar_file.attachments([one.visit for one in visit_mails.in_order(news)]),
        )


def _after_quiet_hours(message: Message, visits: list[Appointment]) -> Later | None:
    """A reminder that is late (the mail server was away) still does not go out at night, if the morning will do."""
    now = times.now()
    if now < message.due_at + LATE:
        return None
    first = min(visits, key=lambda visit: visit.starts_at)
    until = mail_hours.load([first.location])[first.location_id].later(now)
    return Later(until) if now < until <= first.starts_at - USEFUL else None


def _only_news(message: Message) -> dict:
    """What a mail about a single visit tells, as one about several keeps it."""
    return {**message.detail, "kind": message.kind, "visit": message.about_id, "last": int(message.key.split(":")[-1])}


def _news(told: dict, visit: Appointment, for_whom: str) -> News:
    link = ""
    if told["kind"] != visit_mails.CANCELLED:
        link = letters.link("visit-link", purpose="visit", on=visit, expires_at=visit.ends_at)
    was = told.get("was")
    moved_from = times.spoken(datetime.fromisoformat(was["at"]), was["zone"]) if was else told.get("moved_from", "")
    return News(told["kind"], visit, moved_from, link, for_whom)


def _notices(at, since) -> list[Due]:
    recent = AppointmentEvent.objects.filter(step__in=TOLD, at__gt=since - GRACE, at__lte=at - GRACE)
    recent = outbox.not_yet_owed(recent, _key(F("appointment_id"), "notice", Cast("pk", CharField())))
    events = AppointmentEvent.objects.filter(step__in=TOLD, at__lte=at, appointment__in=recent.values("appointment"))
    events = list(events.select_related("appointment__location").order_by("appointment", "at", "pk"))
    untold = set(recent.values_list("pk", flat=True))
    unheard = _unheard([event for event in events if event.pk not in untold])
    histories = groupby(events, key=lambda event: event.appointment_id)
    found = (_notice(list(group), untold, unheard, at) for _, group in histories)
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


def _unheard(events: Sequence[AppointmentEvent]) -> set[int]:
    """Steps whose mail was owed and did not go out (no address yet, moved again first), nor any other since."""
    silent = outbox.not_gone_out(_notice_key(event) for event in events)
    events = [event for event in events if _notice_key(event) in silent]
    heard = defaultdict(lambda: times.EARLIEST)
    for key, gone_at in outbox.gone_out_to({event.appointment.patient_id for event in events}):
        name, about = key.split(":")[:2]
        if name == "appointment":
            heard[int(about)] = max(heard[int(about)], gone_at)
    return {event.pk for event in events if event.at > heard[event.appointment_id]}


def _notice(history, untold, unheard, at) -> Due | None:
    """One notice for everything in a visit's history that the patient has not been told of yet, or None."""
    last = history[-1]
    if last.at > at - GRACE or last.pk not in untold:
        return None
    first, to_tell = len(history) - 1, untold | unheard
    while first and (history[first - 1].pk in to_tell or history[first].at - history[first - 1].at < GRACE):
        first -= 1
    news = _without_slips(history[first:])
    if not news:
        return None  # a slip and its undoing, and nobody was told of either
    begun, ended = news[0], news[-1]
    if begun.step == "booked" and begun.pk in untold and ended.step == "cancelled":
        return None  # booked and cancelled before anybody was told; who had no address may know of it all the same
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
    if kind == "visit-moved" and _is_as_before(begun, visit):
        return None  # another room, or agreed to as it stands
    if kind == "visit-moved" and begun.from_start != last.to_start:
        zone = _place_before(begun, visit.location).time_zone
        detail["was"] = {"at": begun.from_start.isoformat(), "zone": zone}  # said in the patient's language when sent
    if [e.step for e in news] == ["restored"]:
        detail["takes_back"] = begun.detail["undid"]
    return Due(
        _notice_key(last), kind, "appointments.appointment", visit.pk, visit.patient_id, due_at, useless_after, detail,
    )  # fmt: skip


def _is_as_before(begun: AppointmentEvent, visit: Appointment) -> bool:
    """Nothing that a patient comes by is different."""
    was = begun.detail.get("was", {})
    before = begun.from_start, was.get("practitioner"), was.get("location"), was.get("minutes")
    return before == (visit.starts_at, visit.practitioner_id, visit.location_id, visit.lasts)


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


def _notice_key(event: AppointmentEvent) -> str:
    return f"appointment:{event.appointment_id}:notice:{event.pk}"


def _key(pk, name, last):
    return Concat(Value("appointment:"), Cast(pk, CharField()), Value(f":{name}:"), last, output_field=CharField())


def _part_key(told: dict) -> str:
    if told["kind"] == REMINDER:
        return visit_reminders.key_of(told["visit"], told["hours"], told["last"])
    return f"appointment:{told['visit']}:notice:{told['last']}"


def _last_told(visits: dict[int, Appointment]) -> dict[int, int]:
    steps = AppointmentEvent.objects.filter(step__in=TOLD, appointment__in=visits).order_by("at", "pk")
    return dict(steps.values_list("appointment", "pk"))


def _overtaken_among(told: list[dict], visits: dict[int, Appointment], last_told: dict[int, int]) -> dict[int, str]:
    """By visit, why it as it is now makes what is told of it wrong, or nothing."""
    return {one["visit"]: _overtaken(one, visits[one["visit"]], last_told.get(one["visit"])) for one in told}


def _overtaken(told: dict, visit: Appointment, last_told: int | None) -> str:
    if told["kind"] == REMINDER:
        return visit_reminders.overtaken(told, visit)
    if last_told != told["last"]:
        return "The visit was changed again since."
    if "useless_after" in told and times.now() >= datetime.fromisoformat(told["useless_after"]):
        return "Its time had passed before it could be sent."
    if "takes_back" in told and not outbox.was_told(f"appointment:{visit.pk}:notice:{told['takes_back']}"):
        return "The patient was never told of what was taken back."
    if told["kind"] != visit_mails.CANCELLED and visit.status not in EXPECTED:
        return f"The visit is {visit.get_status_display().lower()}."
    return ""
