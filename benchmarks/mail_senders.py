"""The contestants of `benchmarks.mails`, each a process: says that it is ready, waits for a line, sends, ends."""

import asyncio
import email
import json
import os
import smtplib
import sys
from collections import Counter
from email.mime.text import MIMEText
from urllib.parse import urlsplit


def ready(word="ready"):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()
    sys.stdin.readline()


def server():
    """Takes everything; at the end says how many copies it took, of how many mails."""
    from aiosmtpd.controller import Controller

    taken = Counter()

    class Handler:
        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            head = envelope.content[:4000].partition(b"\r\n\r\n")[0]
            taken[email.message_from_bytes(head)["Message-ID"]] += 1
            return "250 OK"

    from tests.smtp_sink import free_port

    control = Controller(Handler(), hostname="127.0.0.1", port=free_port(), loop=asyncio.new_event_loop())
    control.start()
    ready(control.port)
    control.stop()
    print(json.dumps([sum(taken.values()), len(taken)]))


def ours(share):
    from clinic import delivery, times

    delivery.SENDS_FOR = 3600
    ready()
    delivery.send_claimed(times.now())


def built(mail, message_id):
    """As one builds a mail with Django; with the library itself it takes as long."""
    from django.core.mail import EmailMultiAlternatives

    headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated", **mail.headers}
    email = EmailMultiAlternatives(mail.subject, mail.text, to=[mail.to], headers=headers)
    email.attach_alternative(mail.html, "text/html")
    for one in mail.attachments:
        part = MIMEText(one.content.decode(), "calendar", "utf-8")
        part.add_header("Content-Disposition", "attachment", filename=one.name)
        email.attach(part)
    return email


def floor(share):
    """One connection, one process: each mail is built from its words and sent, and nothing is read or kept."""
    from clinic import mail_kinds
    from clinic.models import Message

    with django.db.transaction.atomic():
        mail = mail_kinds.compose(Message.objects.filter(status="waiting").order_by("pk")[0])
        django.db.transaction.set_rollback(True)
    where = urlsplit(os.environ["EMAIL_URL"])
    ready()
    smtp = smtplib.SMTP(where.hostname, where.port)
    for number in range(share):
        content = built(mail, f"<{number}@floor>").message().as_bytes(linesep="\r\n")
        smtp.sendmail("clinic@example.org", [mail.to], content)
    smtp.quit()


def naive(share):
    """One mail after the other: claim it, write it, open a connection, send it, mark it."""
    from django.core.mail import get_connection

    from clinic import mail_kinds, times
    from clinic.models import Message

    ready()
    while True:
        with django.db.transaction.atomic():
            rows = Message.objects.filter(status="waiting").order_by("pk")
            locks = django.db.connection.features.has_select_for_update_skip_locked
            message = rows.select_for_update(skip_locked=locks).first()
            if message is None:
                return
            Message.objects.filter(pk=message.pk).update(status="claimed")
        with django.db.transaction.atomic():
            mail = mail_kinds.compose(message)
        email = built(mail, message.message_id)
        email.connection = get_connection()
        email.send()
        Message.objects.filter(pk=message.pk).update(
            status="sent", sent_at=times.now(), to=mail.to, subject=mail.subject, text=mail.text, html=mail.html
        )


if __name__ == "__main__":
    name = sys.argv[1]
    if name == "server":
        server()
    else:
        import django
        import django.db

        django.setup()
        {"ours": ours, "floor": floor, "naive": naive}[name](int(sys.argv[2]))
