"""Mails that come back (delivery status notifications, RFC 3464), read into reports.

The part `message/delivery-status` says of each recipient what became of the mail; the part after it holds the mail
itself or its headers, and in these the Message-ID. What a server writes in a form of its own is left to people.
"""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message as Mail

from clinic import undeliverable
from clinic.delivery_reports import Report, Said

SAID = {"failed": Said.BOUNCED, "delayed": Said.DELAYED, "delivered": Said.DELIVERED, "relayed": Said.DELIVERED}


def read(content: bytes) -> list[Report]:
    """One report for each recipient; none when the mail is no such notification."""
    mail = message_from_bytes(content, policy=policy.compat32)
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            return list(_of_recipients(part.get_payload(), _message_id(mail)))
    return []


def _of_recipients(blocks: list[Mail], message_id: str) -> Iterator[Report]:
    """The first block is about the mail, each further one about a recipient."""
    for block in blocks[1:]:
        said = SAID.get(_field(block, "Action").lower())
        recipient = _address(block, "Original-Recipient") or _address(block, "Final-Recipient")
        if said is None or not recipient:
            continue
        status = _field(block, "Status").split(" ")[0]
        told = _field(block, "Diagnostic-Code").partition(";")[2].strip()
        reason = told or status
        # What the server said is more precise than its class; given up after days of 4.x, the mailbox may be good.
        is_hard = said == Said.BOUNCED and not status.startswith("4.") and undeliverable.is_hard(f"{told} {status}")
        yield Report(said, recipient, message_id, " ".join(reason.split()), is_hard)


def _message_id(mail: Mail) -> str:
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822" and part.is_multipart():
            return _field(part.get_payload(0), "Message-ID")
        if kind == "text/rfc822-headers":
            headers = part.get_payload(decode=True) or b""
            return _field(message_from_bytes(headers, policy=policy.compat32), "Message-ID")
    return ""


def _address(block: Mail, name: str) -> str:
    """`rfc822; somebody@example.org`; the type before the semicolon is left away."""
    kind, _, address = _field(block, name).partition(";")
    return address.strip().strip("<>") if kind.strip().lower() in {"rfc822", "utf-8"} else ""


def _field(block: Mail, name: str) -> str:
    return " ".join(str(block.get(name, "")).split())
