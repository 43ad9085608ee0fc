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
is sent once more and flagged, and never a third time.
"""

import logging
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.mime.base import MIMEBase
from importlib import import_module
from importlib.util import find_spec
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, Max, Min, OuterRef, Q

from clinic import times
from clinic.models import Heartbeat, Message, MessagePart
from clinic.post import Post, Refused, ServerAway, TryLater, Unsure

log = logging.getLogger(__name__)
S = Message.Status

BATCH = 100
LEASE = timedelta(minutes=10)  # longer than the four steps of one mail at 120 s each
BACKOFF = [timedelta(minutes=m) for m in (5, 15, 60, 60)]  # one more failure than these and it is given up
OVERLAP = timedelta(days=1)  # looked at again each time: a row may be committed long after the instant it names
SWEEP, BEGINS = "sweep", "mail begins"
OPEN = (S.WAITING, S.RETRY, S.CLAIMED)


@dataclass(frozen=True)
class Due:
    """A mail that fell due. After `useless_after` it is not sent any more but listed as missed.

    `parts` are the keys of what it tells of, where more than one mail could come to tell of the same.
    """

    key: str
    kind: str
    about: str
    about_id: int
    patient_id: int | None
    due_at: datetime
    useless_after: datetime
    detail: dict = field(default_factory=dict)
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mail:
    """What to send. `secrets` are the links in it: left out of the copy that is kept."""

    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[MIMEBase, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skip:
    """Not to be sent, and why."""

    reason: str


@dataclass(frozen=True)
class Health:
    backlog: int
    oldest_due_at: datetime | None
    last_beat_at: datetime | None
    is_late: bool


def heartbeat() -> None:
    Heartbeat.objects.update_or_create(name="beat", defaults={"at": times.now()})


def begin(at: datetime | None = None) -> None:
    """Owe nothing that fell due before: for a clinic whose data were loaded, not lived."""
    Heartbeat.objects.update_or_create(name=BEGINS, defaults={"at": at or times.now()})


def health() -> Health:
    now = times.now()
    late = Message.objects.filter(status__in=OPEN, due_at__lte=now).aggregate(oldest=Min("due_at"))
    beat = Heartbeat.objects.filter(name="beat").first()
    return Health(
        backlog=Message.objects.filter(status__in=OPEN, due_at__lte=now).count(),
        oldest_due_at=late["oldest"],
        last_beat_at=beat.at if beat else None,
        is_late=beat is None or beat.at < now - timedelta(minutes=5),
    )


def send_due(at: datetime | None = None, *, dry_run: bool = False) -> list[Message]:
    """Run one sweep as of `at` (now); returns the rows it settled.

    A dry run composes everything and rolls back: the rows returned are as they would be written.
    """
    moment = at or times.now()
    if at is None and _clock_went_back(moment):
        log.error("The clock of this machine is behind the newest mail sent: nothing is sent until it is right.")
        return []
    owed = _find(moment)
    if dry_run:
        waiting = Message.objects.filter(_free(moment)).order_by("due_at", "pk")
        return [_rehearse(message, moment) for message in [*waiting, *(one.message for one in owed)]]
    _owe(owed)
    if at is None:
        Heartbeat.objects.update_or_create(name=SWEEP, defaults={"at": moment})
    return _send_claimed(moment)


def try_again(message: Message) -> bool:
    """Put a failed or bounced row back; False when it is no longer one."""
    gave_up = Message.objects.filter(pk=message.pk, status__in=[S.FAILED, S.BOUNCED])
    return bool(gave_up.update(status=S.RETRY, attempts=0, try_after=times.now(), reason="Tried again by hand."))


def not_yet_owed(queryset, key):
    """Rows of any queryset of which no message tells, by its key or that of a part; `key` is a database expression."""
    told = (Exists(model.objects.filter(key=OuterRef("message_key"))) for model in (Message, MessagePart))
    return queryset.alias(message_key=key).filter(*(~one for one in told))


def leave_out(message: Message, reasons: Mapping[str, str]) -> None:
    """Keep why a mail that is just being written does not tell of some of its parts, by their keys."""
    for key, reason in reasons.items():
        MessagePart.objects.filter(message=message.pk, key=key).update(left_out=reason)


def was_told(key: str) -> bool:
    """Whether a mail went out, or is just going out, that tells of the part."""
    sent = (S.SENT, S.SENT_MAYBE_TWICE, S.CLAIMED)
    return MessagePart.objects.filter(key=key, left_out="", message__status__in=sent).exists()


def _modules():
    names = [f"{layer}.reminders" for layer in settings.LAYERS]
    return [import_module(name) for name in names if find_spec(name)]


def _module_of(kind):
    return next(module for module in _modules() if kind in module.KINDS)


def why(message: Message) -> str:
    """What made the mail due, in words."""
    return _module_of(message.kind).KINDS[message.kind]


def _clock_went_back(now) -> bool:
    newest = Message.objects.aggregate(at=Max("sent_at"))["at"]
    return newest is not None and now < newest - timedelta(minutes=5)


@dataclass(frozen=True)
class Owed:
    """A row that is not saved yet, with the keys of its parts."""

    message: Message
    parts: tuple[str, ...]


def _find(at) -> list[Owed]:
    """Unsaved rows of what fell due since the last sweep, so after an outage also of what was missed."""
    marks = dict(Heartbeat.objects.filter(name__in=[SWEEP, BEGINS]).values_list("name", "at"))
    since = min(marks.get(SWEEP, times.now()), at) - OVERLAP
    since = max(since, marks.get(BEGINS, since))
    found: Iterable[Due] = (due for module in _modules() for due in module.due(at, since))
    domain = urlsplit(settings.BASE_URL).hostname or "localhost"
    return [
        Owed(
            parts=due.parts,
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
                message_id=f"<{uuid.uuid4().hex}@{domain}>",
            ),
        )
        for due in found
    ]


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
        [MessagePart(message=one.message, key=key) for one in found for key in one.parts], batch_size=500
    )


def _free(at) -> Q:
    """Rows that nobody works at: waiting, or left behind by a sender that died. Leases run by the real clock."""
    return Q(status__in=[S.WAITING, S.RETRY], try_after__lte=at) | Q(status=S.CLAIMED, leased_until__lt=times.now())


@transaction.atomic
def _claim(at) -> list[Message]:
    rows = Message.objects.filter(_free(at)).order_by("try_after", "pk")
    # PostgreSQL: rivals take other rows instead of waiting for ours. SQLite: the whole transaction is alone.
    rows = rows.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
    ids = list(rows.values_list("pk", flat=True)[:BATCH])
    lease = uuid.uuid4().hex
    again = Message.objects.filter(pk__in=ids, in_data=True, maybe_twice=False)
    again.update(maybe_twice=True, in_data=False)
    Message.objects.filter(pk__in=ids).update(status=S.CLAIMED, lease=lease, leased_until=times.now() + LEASE)
    return list(Message.objects.filter(lease=lease).order_by("try_after", "pk"))


def _send_claimed(at) -> list[Message]:
    settled = []
    post = Post()
    try:
        while batch := _claim(at):
            for position, message in enumerate(batch):
                try:
                    _settle(message, post, at)
                except ServerAway as away:
                    log.log(logging.ERROR if away.is_ours else logging.WARNING, "No mail is sent: %s", away)
                    _put_back(batch[position:], at, str(away))
                    return settled
                settled.append(message)
    finally:
        post.close()
    return settled


def _settle(message, post, at) -> None:
    """Take one claimed row to its end or to its next try. Raises only ServerAway."""
    if message.in_data:  # the second time in doubt
        _end(message, S.SENT_MAYBE_TWICE, "Twice the connection was lost while sending; not tried a third time.")
        return
    if at >= message.useless_after:
        note = " An earlier attempt may have reached the patient." if message.maybe_twice else ""
        _end(message, S.MISSED, f"Its time had passed before it could be sent.{note}")
        return
    post.open()
    try:
        mail = _prepare(message)
    except Exception as error:  # whatever is wrong with one mail must not keep the others from going out
        log.exception("Message %s cannot be composed", message.pk)
        _again(message, at, _cannot_be_written(error))
        return
    if mail is not None:
        _deliver(message, mail, post, at)


def _deliver(message, mail, post, at) -> None:
    try:
        post.deliver(mail)
    except Refused as refusal:
        _end(message, S.BOUNCED if refusal.is_address else S.FAILED, str(refusal))
    except TryLater as delay:
        _again(message, at, str(delay))
    except Unsure as doubt:
        _again(message, at, str(doubt), in_data=True)
    except Exception as error:  # as in _settle: an address that the protocol cannot carry, for one
        log.exception("Message %s cannot be sent", message.pk)
        post.close()
        _again(message, at, f"It could not be sent: {type(error).__name__}.")
    else:
        reason = "An earlier attempt may have reached the patient too." if message.maybe_twice else ""
        _end(message, S.SENT_MAYBE_TWICE if message.maybe_twice else S.SENT, reason, sent_at=times.now())


@transaction.atomic
def _prepare(message) -> EmailMultiAlternatives | None:
    """Decide by the data as they are now and mark the row `in_data`; None when there is nothing to send.

    What commits after this transaction, a cancellation say, comes too late for this mail and gets its own.
    """
    held = Message.objects.filter(pk=message.pk, lease=message.lease, status=S.CLAIMED)
    if not held.update(in_data=True, leased_until=times.now() + LEASE):
        return None  # the lease ran out and somebody else has the row
    mail = _module_of(message.kind).compose(message)
    if isinstance(mail, Skip):
        _end(message, S.SKIPPED, mail.reason)
        return None
    built = _build(mail, message.message_id)
    kept = mail.text
    for secret in mail.secrets:
        kept = kept.replace(secret, "…")
    message.to, message.subject, message.text = mail.to, mail.subject, kept
    message.save(update_fields=["to", "subject", "text"])
    return built


def _build(mail, message_id) -> EmailMultiAlternatives:
    """Raises on whatever would not survive as a mail, a line break in a header for one."""
    headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated", **mail.headers}
    built = EmailMultiAlternatives(mail.subject, mail.text, to=[mail.to], headers=headers)
    built.attach_alternative(mail.html, "text/html")
    for part in mail.attachments:
        built.attach(part)
    built.message().as_bytes()
    return built


def _rehearse(message, at) -> Message:
    """The row as a sweep would leave it if the server takes every mail; what cannot be composed is listed too."""
    message.status = S.SENT
    if at >= message.useless_after:
        message.status, message.reason = S.MISSED, "Its time has passed."
        return message
    try:
        with transaction.atomic():
            mail = _module_of(message.kind).compose(message)
            if isinstance(mail, Mail):
                _build(mail, message.message_id)
            transaction.set_rollback(True)  # the links in it were issued for nobody
    except Exception as error:  # noqa: BLE001 -- as in _settle: the others are listed all the same
        message.status, message.reason = S.RETRY, _cannot_be_written(error)
        return message
    if isinstance(mail, Skip):
        message.status, message.reason = S.SKIPPED, mail.reason
    else:
        message.to, message.subject = mail.to, mail.subject
    return message


def _cannot_be_written(error) -> str:
    return f"It could not be written: {type(error).__name__}."


def _write(message, **changes) -> None:
    """Only while the lease is ours: a sender that was too slow must not overwrite what its successor wrote."""
    held = Message.objects.filter(pk=message.pk, lease=message.lease, status=S.CLAIMED)
    held.update(lease="", leased_until=None, **changes)
    for name, value in changes.items():
        setattr(message, name, value)


def _end(message, status, reason, **changes) -> None:
    _write(message, status=status, reason=reason, in_data=False, **changes)


def _again(message, at, reason, *, in_data=False) -> None:
    attempts = message.attempts + 1
    if attempts > len(BACKOFF):
        _end(message, S.FAILED, f"{reason} Given up after {attempts} attempts.", attempts=attempts)
        return
    later = at + BACKOFF[attempts - 1]
    _write(message, status=S.RETRY, reason=reason, attempts=attempts, try_after=later, in_data=in_data)


def _put_back(messages, at, reason) -> None:
    """The server is away, which says nothing about these mails: no attempt is counted against them."""
    for message in messages:
        _write(message, status=S.RETRY, reason=reason, try_after=at + BACKOFF[0])
