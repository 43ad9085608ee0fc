"""A mail server that counts how many copies of each mail it took and misbehaves as told, at a stage of a mail.

`when(stage, mail number)` is asked at each stage and answers with what to do; None is to behave.
"""

import contextlib
import email
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from tests.smtp_sink import free_port

BEFORE, DURING, AFTER = "before DATA", "in DATA, not yet taken", "taken, not yet told"


class Sink:
    """`began` counts mails that were announced; `taken` the copies of each that it answers for, by Message-ID."""

    def __init__(self):
        self.taken = Counter()
        self.to = {}
        self.at = {}
        self.links = []
        self.began = 0
        self.connections = 0
        self.when = lambda stage, number: None
        self._lock = threading.Lock()

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        with self._lock:
            self.began += 1
            envelope.number = self.began
        envelope.mail_from = address
        return self._act(server, BEFORE, envelope) or "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if refusal := self._act(server, DURING, envelope):
            return refusal
        mail = email.message_from_bytes(envelope.content)
        with self._lock:
            self.taken[mail["Message-ID"]] += 1
            self.to[mail["Message-ID"]] = envelope.rcpt_tos[0]
            self.at.setdefault(mail["Message-ID"], []).append(time.monotonic())
        return self._act(server, AFTER, envelope) or "250 OK"

    def _act(self, server, stage, envelope):
        """An answer, or None. `hang up` ends the connection; a callable is called, and a number of seconds waited."""
        do = self.when(stage, envelope.number)
        if callable(do):  # in a thread: here is a loop, where Django refuses to ask the database
            with ThreadPoolExecutor(1) as pool:
                do = pool.submit(do).result()
        if do == "hang up":
            server.transport.abort()
            return "250 OK"
        if isinstance(do, int | float):
            time.sleep(do)
            return None
        return do

    @property
    def copies(self):
        return sum(self.taken.values())

    @property
    def doubled(self):
        return {message_id: copies for message_id, copies in self.taken.items() if copies > 1}


class _Server(Controller):
    def factory(self):
        self.handler.connections += 1
        return SMTP(self.handler)


@contextlib.contextmanager
def open_sink(port=None):
    sink = Sink()
    server = _Server(sink, hostname="127.0.0.1", port=port or free_port())
    server.start()
    sink.port, sink.server = server.port, server
    try:
        yield sink
    finally:
        server.stop()
