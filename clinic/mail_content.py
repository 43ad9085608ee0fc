"""A mail in the form in which it is handed over: its headers and parts as bytes (RFC 5322, RFC 2045 to 2047).

Written out, since this is done for every mail: the library's way over objects took a third of what a mail costs. Bodies
are quoted-printable, so that no server on the way has to change them; it also keeps the boundaries out of them.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass
from email import message_from_bytes
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import cached_property, lru_cache

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives
from django.core.mail.message import sanitize_address

from clinic import times
from clinic.mail_kinds import Attachment, Mail

_MOST_IN_A_LINE = 76  # letters of a header that needs no folding


@dataclass(frozen=True)
class Letter:
    """`recipient` is the address as the protocol carries it."""

    mail: Mail
    sender: str
    recipient: str
    content: bytes

    @cached_property
    def as_email(self) -> "Email":
        """For mail backends that do not speak SMTP."""
        return Email(self)


class Email(EmailMultiAlternatives):
    """The same bytes, as Django's backends take a mail."""

    def __init__(self, letter: Letter):
        mail, self.content = letter.mail, letter.content
        super().__init__(mail.subject, mail.text, from_email=letter.sender, to=[mail.to], headers=dict(mail.headers))
        self.attach_alternative(mail.html, "text/html")
        self.attachments += [part for part in self.message().walk() if part.get_filename()]

    def message(self):
        return message_from_bytes(self.content)


def write(mail: Mail, message_id: str) -> Letter:
    """Raises ValueError on whatever would not survive as a mail, a line break in a header for one."""
    sender = _sender(mail.sender, settings.DEFAULT_FROM_EMAIL)
    headers = {
        "Subject": mail.subject, "From": sender, "To": sanitize_address(mail.to, "utf-8"),
        "Date": format_datetime(times.now()), "Message-ID": message_id, "Auto-Submitted": "auto-generated",
        **mail.headers, "MIME-Version": "1.0",
    }  # fmt: skip
    both = _several("alternative", [_text("plain", mail.text), _text("html", mail.html)])
    body = _several("mixed", [both, *map(_attached, mail.attachments)]) if mail.attachments else both
    head = "".join(_header(name, value) for name, value in headers.items())
    return Letter(mail, sender, headers["To"], head.encode("ascii") + body)


@lru_cache(maxsize=100)
def _sender(name: str, otherwise: str) -> str:
    usual, address = parseaddr(otherwise)
    return formataddr((name or usual, address))


def _header(name: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise BadHeaderError(f"A line break in {name}.")
    if not value.isascii():
        value = Header(value, "utf-8", header_name=name).encode(linesep="\r\n")
    elif len(name) + len(value) > _MOST_IN_A_LINE and " " in value:
        value = Header(value, "ascii", header_name=name).encode(linesep="\r\n")
    return f"{name}: {value}\r\n"


def _text(kind: str, content: str) -> bytes:
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    lines = content.replace("\r\n", "\n").replace("\r", "\n").encode()
    return head.encode() + binascii.b2a_qp(lines).replace(b"\n", b"\r\n")


def _attached(part: Attachment) -> bytes:
    head = (
        f"Content-Type: {part.content_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{part.name}"\r\n\r\n'
    )
    return head.encode() + base64.encodebytes(part.content).replace(b"\n", b"\r\n")


def _several(kind: str, parts: list[bytes]) -> bytes:
    boundary = f"=_{secrets.token_hex(12)}"  # "=_" is in no quoted-printable text, nor in base64
    begins = f"--{boundary}\r\n".encode()
    inside = b"".join(begins + part + b"\r\n" for part in parts)
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'
    return head.encode() + inside + f"--{boundary}--\r\n".encode()
