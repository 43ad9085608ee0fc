"""What mail servers say of a mail after they took it: delivered, delayed, come back, reported as unwanted.

Reports come twice, out of order and, by mail, from anybody: each is safe to repeat, what came back stays so whatever
is said later, and a report by mail counts only with the Message-ID, which nobody but the recipient's side knows.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from django.db import transaction

from clinic import times, undeliverable
from clinic.models import Message

S = Message.Status
LONGEST = 254  # letters of an address; our ids have fewer
GONE_OUT = (S.SENT, S.SENT_MAYBE_TWICE)
FOUND_BY_ADDRESS_WITHIN = timedelta(days=7)


class Said(StrEnum):
    DELIVERED = "delivered"
    DELAYED = "delayed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


@dataclass(frozen=True)
class Report:
    """`is_hard` where the address itself is at fault. `message_id` is the header's, with or without its brackets."""

    said: Said
    recipient: str
    message_id: str = ""
    reason: str = ""
    is_hard: bool = False


@transaction.atomic
def record(report: Report, *, is_trusted: bool) -> Message | None:
    """Write what is said to the message it is about; None where that cannot be told.

    Only a trusted report (signed, or with our secret) is believed without the Message-ID: by its address alone.
    """
    if not all(map(_can_be_kept, (report.recipient, report.message_id))):
        return None
    report = replace(report, reason="".join(one if one.isprintable() else " " for one in report.reason))
    message = _about(report, is_trusted)
    if message is None:
        if is_trusted and report.recipient:
            _flag(report, None)
        return None
    if report.said == Said.DELIVERED and message.delivered_at is None and message.status in GONE_OUT:
        _write(message, delivered_at=times.now())
    elif report.said == Said.DELAYED and message.status in GONE_OUT and message.delivered_at is None:
        _write(message, reason=f"Delayed: {report.reason}"[:500])
    elif report.said == Said.BOUNCED and message.status in GONE_OUT:
        _write(message, status=S.BOUNCED, reason=report.reason[:500] or "It came back.")
    elif report.said == Said.COMPLAINED and message.status in GONE_OUT:
        _write(message, reason="The patient reported it as unwanted.")
    _flag(report, message)
    return message


def _can_be_kept(words: str) -> bool:
    """Written by anybody: what no address and no id can be is not even looked for."""
    return isinstance(words, str) and len(words) <= LONGEST and words.isprintable()


def _about(report: Report, is_trusted: bool) -> Message | None:
    rows = Message.objects.select_for_update()
    recipient = undeliverable.folded(report.recipient)
    if report.message_id:
        found = rows.filter(message_id=f"<{report.message_id.strip().strip('<>')}>").first()
        if found is not None:
            return found if not recipient or undeliverable.folded(found.to) == recipient else None
    if not is_trusted or not recipient:
        return None
    since = times.now() - FOUND_BY_ADDRESS_WITHIN
    latest = rows.filter(to__iexact=recipient, sent_at__gt=since, status__in=[*GONE_OUT, S.BOUNCED])
    return latest.order_by("-sent_at").first()


def _flag(report: Report, message: Message | None) -> None:
    address = message.to if message else report.recipient
    if report.said == Said.BOUNCED and report.is_hard:
        reason = report.reason or "It came back."
        undeliverable.flag(address, kind=undeliverable.Kind.BOUNCED, reason=reason, message=message)
    elif report.said == Said.COMPLAINED:
        reason = "reported to the mail service"
        undeliverable.flag(address, kind=undeliverable.Kind.COMPLAINED, reason=reason, message=message)


def _write(message: Message, **changes) -> None:
    Message.objects.filter(pk=message.pk).update(**changes)
    for name, value in changes.items():
        setattr(message, name, value)
