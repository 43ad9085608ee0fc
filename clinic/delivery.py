"""From a mail that is owed to one that is sent: rows are claimed, decided once more, handed over, and their end kept.

The steps 3 to 6 of a sweep (`clinic.outbox`). What many rows need is read and written together before the first is
sent; whether each still holds is asked at its own moment, in the transaction that marks it.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q

from clinic import mail_content, mail_kinds, times, undeliverable
from clinic.mail_content import Letter
from clinic.mail_kinds import Later, Mail, Skip
from clinic.models import Message
from clinic.post import Post, Refused, ServerAway, TryLater, Unsure

log = logging.getLogger(__name__)
S = Message.Status

BATCH = 100
LEASE = timedelta(seconds=settings.MAIL_LEASE_SECONDS)
# One more failure than these and it is given up.
BACKOFF = [timedelta(seconds=seconds) for seconds in settings.MAIL_RETRY_SECONDS]
KEPT = ("to", "subject", "text", "html")
SENDS_FOR = 240.0  # seconds; the rest is left to the next wake-up call, so that no task outlives its own call
DATABASE_BACK_WITHIN = 60.0  # seconds that a sender waits for a database that is being restarted


@dataclass(frozen=True)
class Ahead:
    """Written with its batch; sent if `holds` still says so in the transaction that marks the row."""

    letter: Letter
    holds: Callable[[], bool]


def free(at: datetime) -> Q:
    """Rows that nobody works at: waiting, or left behind by a sender that died. Leases run by the real clock."""
    return Q(status__in=[S.WAITING, S.RETRY], try_after__lte=at) | Q(status=S.CLAIMED, leased_until__lt=times.now())


@transaction.atomic
def claim(at: datetime) -> list[Message]:
    rows = Message.objects.filter(free(at)).order_by("try_after", "pk")
    # PostgreSQL: rivals take other rows instead of waiting for ours. SQLite: the whole transaction is alone.
    rows = rows.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
    ids = list(rows.values_list("pk", flat=True)[:BATCH])
    if not ids:
        return []
    lease = uuid.uuid4().hex
    in_doubt = Message.objects.filter(pk__in=ids, in_data=True)
    in_doubt.filter(status=S.CLAIMED).update(attempts=F("attempts") + 1)  # its sender died and could not count
    in_doubt.update(maybe_twice=True, in_data=False)
    Message.objects.filter(pk__in=ids).update(status=S.CLAIMED, lease=lease, leased_until=times.now() + LEASE)
    return list(Message.objects.filter(lease=lease).order_by("try_after", "pk"))


def send_claimed(at: datetime, *, call_help: Callable[[], object] | None = None) -> list[Message]:
    """Send batch after batch. `call_help` is called once, where there is more than one batch."""
    settled: list[Message] = []
    post, ends = Post(), time.monotonic() + SENDS_FOR
    try:
        while time.monotonic() < ends and (batch := claim(at)):
            if call_help and len(batch) == BATCH:
                call_help()
                call_help = None
            ahead = _write_ahead(batch)
            for position, message in enumerate(batch):
                if time.monotonic() >= ends:
                    _release(batch[position:])
                    return settled
                try:
                    settle(message, post, at, ahead.get(message.pk))
                except ServerAway as away:
                    log.log(logging.ERROR if away.is_ours else logging.WARNING, "No mail is sent: %s", away)
                    _put_back(batch[position:], at, str(away))
                    return settled
                settled.append(message)
    finally:
        post.close()
    return settled


def settle(message: Message, post: Post, at: datetime, ahead: Ahead | None = None) -> None:
    """Take one claimed row to its end or to its next try. Raises only ServerAway, and when the database stays away."""
    if message.attempts > len(BACKOFF):  # one sender after the other died of it
        _end(message, S.FAILED, f"Given up after {message.attempts} attempts. It may have reached the patient.")
        return
    if at >= message.useless_after:
        note = " An earlier attempt may have reached the patient." if message.maybe_twice else ""
        _end(message, S.MISSED, f"Its time had passed before it could be sent.{note}")
        return
    post.open()
    try:
        letter = _patiently(lambda: _prepare(message, ahead))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever is wrong with one mail must not keep the others from going out
        log.exception("Message %s cannot be composed", message.pk)
        _again(message, at, cannot_be_written(error))
        return
    if letter is not None:
        _deliver(message, letter, post, at)


def _deliver(message, letter: Letter, post, at) -> None:
    try:
        post.deliver(letter)
    except Refused as refusal:
        _end(message, S.BOUNCED if refusal.is_address else S.FAILED, str(refusal))
        if refusal.is_address and undeliverable.is_hard(str(refusal)):
            undeliverable.flag(message.to, kind=undeliverable.Kind.BOUNCED, reason=str(refusal), message=message)
    except TryLater as delay:
        _again(message, at, str(delay))
    except Unsure as doubt:
        _again(message, at, f"{doubt}. It may have reached the patient.", in_data=True)
    except Exception as error:  # as in settle: an address that the protocol cannot carry, for one
        log.exception("Message %s cannot be sent", message.pk)
        post.close()
        _again(message, at, f"It could not be sent: {type(error).__name__}.")
    else:
        reason = "An earlier attempt may have reached the patient too." if message.maybe_twice else ""
        _end(message, S.SENT_MAYBE_TWICE if message.maybe_twice else S.SENT, reason, sent_at=times.now())


def _write_ahead(batch: list[Message]) -> dict[int, Ahead]:
    """What can be written for many at once; the rest, and whatever fails here, is written one by one."""
    wanted = [message for message in batch if not message.in_data]
    found = {}
    try:
        with transaction.atomic():
            ready = mail_kinds.compose_many(wanted)
    except (OperationalError, InterfaceError):
        return {}
    except Exception:
        log.exception("A batch cannot be written together")
        return {}
    for message in wanted:
        if one := ready.get(message.pk):
            try:
                found[message.pk] = Ahead(mail_content.write(one.mail, message.message_id), one.holds)
            except Exception:  # noqa: BLE001, S112 -- it fails again by itself, and is kept with its reason then
                continue
    return found


@transaction.atomic
def _prepare(message, ahead: Ahead | None) -> Letter | None:
    """Decide by the data as they are now and mark the row `in_data`; None when there is nothing to send.

    What commits after this transaction, a cancellation say, comes too late for this mail and gets its own.
    """
    held = Message.objects.filter(pk=message.pk, lease=message.lease, status=S.CLAIMED)
    marks = {"in_data": True, "leased_until": times.now() + LEASE}
    before = {name: getattr(message, name) for name in KEPT}
    if ahead:
        if not held.update(**marks, **_kept(message, ahead.letter.mail)):
            return None
        if ahead.holds():
            return ahead.letter
    elif not held.update(**marks):
        return None  # the lease ran out and somebody else has the row
    mail = mail_kinds.compose(message)
    if isinstance(mail, Skip):
        _end(message, S.SKIPPED, mail.reason, **before)
        return None
    if isinstance(mail, Later):
        _write(message, status=S.WAITING, try_after=mail.until, reason="It waits for the end of the quiet hours.",
               in_data=False, **before)  # fmt: skip
        return None
    if fault := undeliverable.among([mail.to], is_asked_for=mail.is_asked_for):
        _end(message, S.SKIPPED, " ".join(fault.values()))
        return None
    letter = mail_content.write(mail, message.message_id)
    Message.objects.filter(pk=message.pk).update(**_kept(message, mail))
    return letter


def _kept(message, mail: Mail) -> dict[str, str]:
    """What is kept of a mail, put on the row in hand too."""
    words = mail.to, mail.subject, without_secrets(mail, mail.text), without_secrets(mail, mail.html)
    kept = dict(zip(KEPT, words, strict=True))
    for name, value in kept.items():
        setattr(message, name, value)
    return kept


def without_secrets(mail: Mail, content: str) -> str:
    for secret in mail.secrets:
        content = content.replace(secret, "…")
    return content


def rehearse(message: Message, at: datetime) -> Message:
    """The row as a sweep would leave it if the server takes every mail; what cannot be composed is listed too."""
    message.status = S.SENT
    if at >= message.useless_after:
        message.status, message.reason = S.MISSED, "Its time has passed."
        return message
    try:
        with transaction.atomic():
            mail = mail_kinds.compose(message)
            if isinstance(mail, Mail):
                mail_content.write(mail, message.message_id)
            transaction.set_rollback(True)  # the links in it were issued for nobody
    except Exception as error:  # noqa: BLE001 -- as in settle: the others are listed all the same
        message.status, message.reason = S.RETRY, cannot_be_written(error)
        return message
    if isinstance(mail, Skip):
        message.status, message.reason = S.SKIPPED, mail.reason
    elif isinstance(mail, Later):
        message.status, message.try_after = S.WAITING, mail.until
    else:
        message.to, message.subject = mail.to, mail.subject
    return message


def cannot_be_written(error: Exception) -> str:
    return f"It could not be written: {type(error).__name__}."


def _patiently(act: Callable):
    """A database that is being restarted is waited for: what the mail server has taken must not be forgotten."""
    ends = time.monotonic() + DATABASE_BACK_WITHIN
    while True:
        try:
            return act()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() >= ends:
                raise
            connection.close()
            time.sleep(0.5)


def _write(message, **changes) -> None:
    """Only while the lease is ours: a sender that was too slow must not overwrite what its successor wrote."""
    held = Message.objects.filter(pk=message.pk, lease=message.lease, status=S.CLAIMED)
    _patiently(lambda: held.update(lease="", leased_until=None, **changes))
    for name, value in changes.items():
        setattr(message, name, value)


def _end(message, status, reason, **changes) -> None:
    _write(message, status=status, reason=reason, in_data=False, **changes)


def _again(message, at, reason, *, in_data=False) -> None:
    attempts = message.attempts + 1
    if attempts > len(BACKOFF):
        said = f"{reason.rstrip('.')}. Given up after {attempts} attempts."
        _end(message, S.FAILED, said, attempts=attempts)
        return
    later = at + BACKOFF[attempts - 1]
    _write(message, status=S.RETRY, reason=reason, attempts=attempts, try_after=later, in_data=in_data)


def _put_back(messages: Iterable[Message], at, reason) -> None:
    """The server is away, which says nothing about these mails: no attempt is counted against them."""
    for message in messages:
        _write(message, status=S.RETRY, reason=reason, try_after=at + BACKOFF[0])


def _release(messages: Iterable[Message]) -> None:
    """As they were before they were claimed."""
    for message in messages:
        _write(message, status=S.RETRY if message.attempts else S.WAITING)
