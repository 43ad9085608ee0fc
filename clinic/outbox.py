"""Mails owed and sent: the only writer of Message.

A sweep, safe to run from any number of processes at once and to be killed at any point:

1. Find what fell due: `<app>.reminders.due` of each package reads it off the data; nothing is planned ahead.
2. Insert a row each. The unique key makes a second one impossible, whoever inserts first. A mail that tells of several
   things at once has a part for each, with a unique key of its own: no two mails tell of the same.
3. Claim up to BATCH rows by a conditional update, under a lease that runs out; commit.
4. For each row: open the connection if it is not open, then, in one transaction, see that the lease still holds, let
   `<app>.reminders.compose` decide by the data as they are now, and mark the row `in_data`; commit.
5. Send, always with the Message-ID of the row, outside of any transaction.
6. Write how it ended.

Killed before 4, a row is sent by a later sweep. Killed between 4 and 6, nobody can know whether the mail went out: it
is sent again and flagged, and given up like any other when no attempt was answered.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet

from clinic import delivery, heartbeats, mail_kinds, times
from clinic.mail_kinds import Due, Later, Mail, Skip
from clinic.models import Message, MessagePart

__all__ = ["Due", "Later", "Mail", "Skip"]
log = logging.getLogger(__name__)
S = Message.Status

OVERLAP = timedelta(days=1)  # looked at again each time: a row may be committed long after the instant it names
SWEEP, BEGINS = "sweep", "mail begins"
CLOCKS_DIFFER = timedelta(minutes=5)
NEWEST, NEWEST_WITHIN, FEW = 10, timedelta(days=1), 3  # mails by which it is told whether the mail server takes any
OPEN = (S.WAITING, S.RETRY, S.CLAIMED)
_BY_HAND = "Tried again by hand."
_SENT = Q(message__status__in=[S.SENT, S.SENT_MAYBE_TWICE])
_GONE_OUT = Q(left_out="") & (_SENT | Q(message__in_data=True) | Q(message__maybe_twice=True))


@dataclass(frozen=True)
class Health:
    """Whether mails go out: what waits, since when, and who was last heard from.

    `refused` are the newest mails that were tried, where the mail server took none of them.
    """

    backlog: int
    oldest_due_at: datetime | None
    last_beat_at: datetime | None
    last_worker_at: datetime | None
    is_beat_silent: bool
    is_worker_silent: bool
    waits_until: datetime | None
    refused: int = 0

    @property
    def is_late(self) -> bool:
        return self.is_beat_silent or self.is_worker_silent or self.waits_until is not None or self.refused > 0


def begin(at: datetime | None = None) -> None:
    """Owe nothing that fell due before: for a clinic whose data were loaded, not lived."""
    heartbeats.note(BEGINS, at)


def health() -> Health:
    late = Message.objects.filter(status__in=OPEN, due_at__lte=times.now())
    found = late.aggregate(backlog=Count("pk"), oldest=Min("due_at"))
    pulse = heartbeats.pulse()
    return Health(
        found["backlog"], found["oldest"], pulse.beat_at, pulse.worker_at, pulse.is_beat_silent,
        pulse.is_worker_silent, waits_until(times.now()), _refused(times.now()),
    )  # fmt: skip


def _refused(now: datetime) -> int:
    """One or two may be at fault themselves, unless the server took no mail at all: then no attempt is counted."""
    tried = (
        ~Q(reason__in=["", _BY_HAND]) & Q(status=S.RETRY)
        | Q(status__in=[S.FAILED, S.BOUNCED])
        | Q(sent_at__gt=now - NEWEST_WITHIN)
    )
    newest = Message.objects.filter(tried, due_at__gt=now - NEWEST_WITHIN, due_at__lte=now).order_by("-due_at", "-pk")
    newest = list(newest.values_list("status", "attempts")[:NEWEST])
    if any(status in (S.SENT, S.SENT_MAYBE_TWICE) for status, _ in newest):
        return 0
    is_away = any(status == S.RETRY and not attempts for status, attempts in newest)
    return len(newest) if is_away or len(newest) >= FEW else 0


def send_due(
    at: datetime | None = None, *, dry_run: bool = False, call_help: Callable[[], object] | None = None
) -> list[Message]:
    """Run one sweep as of `at` (now); returns the rows it settled.

    A dry run composes everything and rolls back: the rows returned are as they would be written.
    """
    moment = at or times.now()
    if at is None and _clock_went_back(moment):
        return []
    owed = _find(moment)
    if dry_run:
        waiting = Message.objects.filter(delivery.free(moment)).order_by("due_at", "pk")
        return [delivery.rehearse(message, moment) for message in [*waiting, *(one.message for one in owed)]]
    _owe(owed)
    if at is None:
        heartbeats.note(SWEEP, moment)
    return delivery.send_claimed(moment, call_help=call_help)


def send_rest(*, call_help: Callable[[], object] | None = None) -> list[Message]:
    """Help a sweep that is at work: send what it found, and look for nothing."""
    moment = times.now()
    return [] if _clock_went_back(moment) else delivery.send_claimed(moment, call_help=call_help)


def upcoming(until: datetime) -> list[Message]:
    """What is owed, and what will fall due by then as things stand now: rows as they are, and rows not yet written."""
    waiting = Message.objects.filter(status__in=OPEN, due_at__lte=until)
    return [*waiting, *(one.message for one in _find(until))]


def due_by(until: datetime) -> list[datetime]:
    """When what nobody owes yet will fall due until then, as things stand now."""
    return [one.message.due_at for one in _find(until)]


def counts(messages: QuerySet) -> dict[str, int]:
    """How many of these messages stand how, by status."""
    return dict(messages.order_by().values("status").annotate(count=Count("pk")).values_list("status", "count"))


def may_try_again(message: Message) -> bool:
    """Whether it was not sent, and could be: what was skipped as long as it is of use, once nothing is in its way."""
    if message.status == S.SKIPPED:
        return message.useless_after > times.now()
    return message.status in (S.FAILED, S.BOUNCED)


@transaction.atomic
def try_again(message: Message) -> bool:
    """Put one that was not sent back, to be decided anew; False when it is no longer one."""
    fresh = Message.objects.select_for_update().get(pk=message.pk)
    if not may_try_again(fresh):
        return False
    MessagePart.objects.filter(message=fresh).update(left_out="")
    Message.objects.filter(pk=fresh.pk).update(status=S.RETRY, attempts=0, try_after=times.now(), reason=_BY_HAND)
    return True


def belongs_to(patient_id: int, *, key: str) -> None:
    """Whose the mail is is known from now on."""
    Message.objects.filter(key=key, patient_id=None).update(patient_id=patient_id)


def forget(keys: Iterable[str]) -> None:
    """Of mails about what is deleted nothing is kept but that there was one, and how it ended."""
    Message.objects.filter(key__in=list(keys)).update(to="", subject="", text="", html="")


def not_yet_owed(queryset, key):
    """Rows of any queryset of which no message tells, by its key or that of a part; `key` is a database expression."""
    told = (Exists(model.objects.filter(key=OuterRef("message_key"))) for model in (Message, MessagePart))
    return queryset.alias(message_key=key).filter(*(~one for one in told))


def leave_out(message: Message, reasons: Mapping[str, str]) -> None:
    """Keep why a mail that is just being written does not tell of some of its parts, by their keys."""
    for key, reason in reasons.items():
        MessagePart.objects.filter(message=message.pk, key=key).update(left_out=reason)


def send_apart(message: Message, *, patient_id: int, detail: dict, keys: Iterable[str], rest: dict) -> None:
    """A mail to several, just being written, must not go to one of them: their parts become a mail of their own.

    `rest` is what the mail itself still tells.
    """
    made = Message.objects.create(
        key=f"{message.key}:apart:{patient_id}", kind=message.kind, patient_id=patient_id, about="patients.patient",
        about_id=patient_id, detail=detail, due_at=message.due_at, try_after=message.due_at,
        useless_after=message.useless_after, message_id=_message_id(),
    )  # fmt: skip
    MessagePart.objects.filter(message=message.pk, key__in=list(keys)).update(message=made)
    Message.objects.filter(pk=message.pk).update(detail=rest)


def was_told(key: str) -> bool:
    """Whether a mail went out, or is just going out, that tells of the part."""
    return MessagePart.objects.filter(_GONE_OUT, key=key).exists()


def not_gone_out(keys: Iterable[str]) -> set[str]:
    """Those of the parts that a mail was owed for which did not tell of them."""
    owed = MessagePart.objects.filter(key__in=list(keys))
    return set(owed.filter(~_GONE_OUT).values_list("key", flat=True))


def gone_out_to(patients: Iterable[int]) -> list[tuple[str, datetime]]:
    """The parts that these patients were told of, each by its key, and when."""
    theirs = Q(message__patient_id__in=list(patients)) | Q(patient_id__in=list(patients))
    rows = MessagePart.objects.filter(theirs, _GONE_OUT).values_list("key", "message__sent_at")
    return [(key, sent_at or times.now()) for key, sent_at in rows]


def why(message: Message) -> str:
    """What made the mail due, in words."""
    return mail_kinds.of(message.kind).KINDS[message.kind]


def waits_until(now: datetime) -> datetime | None:
    """Nothing is sent before, where a mail was sent by a clock ahead of this one: one of the two was wrong."""
    newest = Message.objects.aggregate(at=Max("sent_at"))["at"]
    return newest if newest is not None and now < newest - CLOCKS_DIFFER else None


def believe_the_clock() -> int:
    """Somebody says that it is right by now: what was sent by the wrong one counts as sent now. Returns how many."""
    now = times.now()
    return Message.objects.filter(sent_at__gt=now).update(sent_at=now)


def _clock_went_back(now) -> bool:
    is_behind = waits_until(now) is not None
    if is_behind:
        log.error("The clock of this machine is behind the newest mail sent: nothing is sent until it is right.")
    return is_behind


@dataclass(frozen=True)
class Owed:
    """A row that is not saved yet, with the keys of its parts."""

    message: Message
    parts: tuple[str, ...]
    patients: Mapping[str, int]


def _find(at) -> list[Owed]:
    """Unsaved rows of what fell due since the last sweep, so after an outage also of what was missed."""
    marks = heartbeats.marks(SWEEP, BEGINS)
    since = min(marks.get(SWEEP, times.now()), at) - OVERLAP
    since = max(since, marks.get(BEGINS, since))
    found: Iterable[Due] = (due for module in mail_kinds.modules() for due in module.due(at, since))
    return [
        Owed(
            parts=due.parts,
            patients=due.patients,
            message=Message(
                key=due.key,
                kind=due.kind,
                patient_id=due.patient_id,
                about=due.about,
                about_id=due.about_id,
                detail=due.detail,
                due_at=due.due_at,
                try_after=due.due_at,
                useless_after=due.useless_after,
                message_id=_message_id(),
            ),
        )
        for due in found
    ]


def _message_id() -> str:
    return f"<{uuid.uuid4().hex}@{urlsplit(settings.BASE_URL).hostname or 'localhost'}>"


def _owe(found: Iterable[Owed]) -> None:
    """Keep what nobody owes yet. Where a rival was first with a part, the rest of the mail waits for the next sweep."""
    found = list(found)
    in_parts = [one for one in found if one.parts]
    try:
        _owe_in_parts(in_parts)
    except IntegrityError:
        for one in in_parts:
            with suppress(IntegrityError):
                _owe_in_parts([one])
    alone = [one.message for one in found if not one.parts]
    Message.objects.bulk_create(alone, ignore_conflicts=True, batch_size=500)


@transaction.atomic
def _owe_in_parts(found: list[Owed]) -> None:
    Message.objects.bulk_create([one.message for one in found], batch_size=500)
    MessagePart.objects.bulk_create(
        [
            MessagePart(message=one.message, key=key, patient_id=one.patients.get(key))
            for one in found
            for key in one.parts
        ],
        batch_size=500,
    )
