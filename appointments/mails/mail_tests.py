"""A mail to patients tried out: the sample for a real visit, sent to the address of the person who asks.

No row of Message is written: nobody was written to. What went out says that it is a test, its links lead nowhere, and
its calendar file is no request and names no visit. That it was asked for, and how often, is in the audit log.
"""

import uuid
from copy import copy
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.html import format_html

from appointments.mails import calendar_file
from appointments.models import Appointment
from clinic import audit, mail_content, mail_kinds, times
from clinic.errors import RuleBroken
from clinic.mail_kinds import Mail
from clinic.models import AuditEntry, User
from clinic.post import Post, Refused, ServerAway, TryLater, Unsure

ASKED = "mail.tried_out"
AN_HOUR = 20  # by one person
PATIENCE = 10  # seconds: somebody waits for the page
NOTE = "A test that {who} asked for. No patient was written to, and the links lead nowhere."


def send(kind: str, visit: Appointment, *, language: str, by: User) -> str:
    """Send it to the address of `by`, which is returned. Raises RuleBroken: `too_many`, `not_sent`."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        since = times.now() - timedelta(hours=1)
        if AuditEntry.objects.filter(action=ASKED, by=by, at__gt=since).count() >= AN_HOUR:
            raise RuleBroken(f"At most {AN_HOUR} tests in an hour.", code="too_many", status=429)
        audit.record(ASKED, on=visit, by=by, kind=kind, language=language, to=by.email)
    with translation.override(language):
        mail = marked(mail_kinds.sample(kind, copy(visit)), to=by)
    _hand_over(mail)
    return by.email


def marked(mail: Mail, *, to: User) -> Mail:
    """The same to somebody else, as a test. Without the headers by which mail programs unsubscribe by themselves."""
    note = NOTE.format(who=to.full_name or to.email)
    return replace(
        mail,
        to=to.email,
        subject=f"[Test] {mail.subject}",
        text=f"{note}\n\n{mail.text}",
        html=mail.html.replace("<body>", format_html("<body><p><strong>{}</strong></p>", note), 1),
        attachments=tuple(calendar_file.as_test(part) for part in mail.attachments),
        headers={},
    )


def _hand_over(mail: Mail) -> None:
    domain = urlsplit(settings.BASE_URL).hostname or "localhost"
    letter = mail_content.write(mail, f"<test-{uuid.uuid4().hex}@{domain}>")
    post = Post(timeout=PATIENCE)
    try:
        post.open()
        post.deliver(letter)
    except (ServerAway, Refused, TryLater, Unsure) as failed:
        raise RuleBroken(f"The test was not sent. {failed}", code="not_sent") from failed
    finally:
        post.close()
