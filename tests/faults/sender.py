"""One sweep in a process of its own: `python -m tests.faults.sender`.

The controls: `naive` does what one would write first, without lease, without a mark before the content; `stale` looks
at nothing again once its mails are written.
"""

import sys

import django

django.setup()

from django.db import transaction  # noqa: E402

from appointments.mails import as_decided  # noqa: E402
from clinic import mail_content, mail_kinds, outbox, times  # noqa: E402
from clinic.models import Message  # noqa: E402
from clinic.post import Post  # noqa: E402


def naive():
    outbox._owe(outbox._find(times.now()))
    post = Post()
    for message in Message.objects.filter(status="waiting").order_by("pk"):
        with transaction.atomic():
            letter = mail_content.write(mail_kinds.compose(message), message.message_id)
        post.open()
        post.deliver(letter)
        Message.objects.filter(pk=message.pk).update(status="sent")


if "stale" in sys.argv:
    as_decided.Decided.__call__ = lambda self: True
if "naive" in sys.argv:
    naive()
else:
    outbox.send_due()
