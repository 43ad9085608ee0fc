"""One connection to the mail server, and what its answers mean for the mail that is being handed over."""

import contextlib
import smtplib
import ssl

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.message import sanitize_address

from clinic.mail_content import Letter


class ServerAway(Exception):  # noqa: N818 -- reads as the sentence it is
    """No mail can be sent now, whichever it is. `is_ours` when the settings are at fault: password, certificate."""

    def __init__(self, reason, *, is_ours=False):
        super().__init__(reason)
        self.is_ours = is_ours


class Refused(Exception):  # noqa: N818
    """This mail will never be taken (5xx). `is_address` when it was the recipient that was refused."""

    def __init__(self, reason, *, is_address=False):
        super().__init__(reason)
        self.is_address = is_address


class TryLater(Exception):  # noqa: N818
    """This mail was surely not taken, but may be later (4xx, or the connection was lost before the content)."""


class Unsure(Exception):  # noqa: N818
    """The connection was lost while the content was handed over: the server may have taken the mail or not."""


class Post:
    """Opened when first needed, reused for every mail of a sweep, opened anew after it was lost."""

    def __init__(self, **options):
        """`options` as the mail backend takes them: `timeout` in seconds, where it is not that of the settings."""
        self._backend = get_connection(**options)

    def open(self) -> None:
        """Raises ServerAway."""
        try:
            self._backend.open()
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
            self._abandon()
            raise ServerAway(f"The mail server refuses our settings: {_said(error)}", is_ours=True) from error
        except OSError as error:  # SMTPException is one too
            self._abandon()
            raise ServerAway(f"The mail server cannot be reached: {_said(error)}") from error

    def deliver(self, letter: Letter) -> None:
        """Hand over one mail to its one recipient. Raises Refused, TryLater or Unsure."""
        smtp = getattr(self._backend, "connection", None)
        if not isinstance(smtp, smtplib.SMTP):  # mails as files: written whole or not at all
            try:
                self._backend.send_messages([letter.as_email])
            except OSError as error:
                raise TryLater(f"The mail could not be written: {_said(error)}") from error
            return
        # Step by step instead of sendmail(): only so is it known whether the connection was lost before or in DATA.
        self._before_content(smtp.ehlo_or_helo_if_needed)
        returns_to = settings.BOUNCE_ADDRESS or letter.sender
        self._judge(*self._before_content(smtp.mail, sanitize_address(returns_to, "utf-8")))
        self._judge(*self._before_content(smtp.rcpt, letter.recipient), is_address=True)
        try:
            answer = smtp.data(letter.content)
        except smtplib.SMTPDataError as error:
            answer = error.smtp_code, error.smtp_error
        except OSError as error:
            self._abandon()
            raise Unsure(f"The connection was lost while sending: {_said(error)}") from error
        self._judge(*answer)

    def close(self) -> None:
        """What was accepted stays accepted, however the server takes our leave."""
        with contextlib.suppress(OSError):
            self._backend.close()
        self._abandon()

    def _before_content(self, step, *arguments):
        try:
            return step(*arguments)
        except OSError as error:
            self._abandon()
            raise TryLater(f"The connection was lost before sending: {_said(error)}") from error

    def _judge(self, code, text, *, is_address=False):
        if code in {250, 251, 252}:
            return
        reason = f"{code} {text.decode('utf-8', 'replace')}"
        if code == 421:  # the server hangs up
            self._abandon()
        else:
            with contextlib.suppress(OSError):
                self._backend.connection.rset()
        if 500 <= code < 600:
            raise Refused(reason, is_address=is_address)
        raise TryLater(reason)

    def _abandon(self):
        for name in ("connection", "_partial_connection"):
            smtp = getattr(self._backend, name, None)
            if isinstance(smtp, smtplib.SMTP):
                smtp.close()
                setattr(self._backend, name, None)


def _said(error) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    return str(error) or type(error).__name__
