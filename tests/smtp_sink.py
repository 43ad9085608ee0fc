"""A real mail server on the loopback that misbehaves as told and keeps a copy of whatever it was handed."""

import email
import socket
from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class Sink:
    """`mode`: take, greylist (450 at RCPT), refuse (550 at RCPT), later (451 after DATA), drop (take, then hang up)."""

    def __init__(self, mode):
        self.mode = mode
        self.copies = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.mode == "greylist":
            return "450 4.2.0 Greylisted"
        if self.mode == "refuse" or address.startswith("gone@"):
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.mode == "later":
            return "451 4.3.0 Try later"
        self.copies.append(email.message_from_bytes(envelope.content))
        if self.mode == "drop":
            server.transport.abort()
        return "250 OK"


class Server(Controller):
    def factory(self):
        if self.handler.mode != "locked":
            return SMTP(self.handler)
        return SMTP(
            self.handler,
            auth_require_tls=False,
            authenticator=lambda *_: AuthResult(success=False, handled=False),
        )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def smtp_sink(settings, mode="take"):
    sink = Sink(mode)
    server = Server(sink, hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 10
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "demo" if mode == "locked" else ""
    sink.port = settings.EMAIL_PORT
    try:
        yield sink
    finally:
        server.stop()
