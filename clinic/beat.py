"""Celery's beat for Atlas: wakes the workers at intervals, as one of any number of beats.

Celery's own scheduler waits by the wall clock (put back by an hour, it is silent for an hour), keeps a file that two
beats on one machine spoil for each other, and goes on filling the queue while no worker takes from it. This one counts
by the monotonic clock, keeps nothing, holds a lease in the database, and does not wake who has been woken often enough.
"""

import logging
import os
import socket
import time
import uuid
from datetime import timedelta

from celery import beat
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from clinic import heartbeats

log = logging.getLogger(__name__)
WAITING_AT_MOST = 10  # wake-up calls in the queue; while nobody takes them, further ones say nothing new
TRY_AGAIN = 5.0  # seconds, when the database or the broker does not answer


class Scheduler(beat.Scheduler):
    """Entries are intervals: no crontab, which a change of the clocks makes run twice or not at all."""

    def __init__(self, *args, **options):
        self.holder = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._next: dict[str, float] = {}
        self._look_at = 0.0
        super().__init__(*args, **options)

    def tick(self, *_, **__):
        """Seconds until the next tick."""
        now = time.monotonic()
        if now < self._look_at:
            return self._look_at - now
        pause = self._round(now)
        self._look_at = now + pause
        return pause

    def _round(self, now: float) -> float:
        try:
            if not self._holds():
                return min(TRY_AGAIN, settings.BEAT_SECONDS)
            due = [entry for entry in self.schedule.values() if self._next.get(entry.name, 0) <= now]
            if due and self._waiting() < WAITING_AT_MOST:
                for entry in due:
                    self.apply_async(entry, advance=False)
        except Exception as error:  # noqa: BLE001 -- database or broker, each with errors of its own: beat goes on
            log.warning("Nobody is woken: %s", str(error).strip() or type(error).__name__)
            connection.close()
            return min(TRY_AGAIN, settings.BEAT_SECONDS)
        for entry in due:
            self._next[entry.name] = now + entry.schedule.run_every.total_seconds()
        return max(0.05, min(self._next.values(), default=now + TRY_AGAIN) - now)

    def _holds(self) -> bool:
        lasts = timedelta(seconds=max(3 * settings.BEAT_SECONDS, 3))
        held = heartbeats.hold(heartbeats.BEAT, self.holder, lasts=lasts)
        if settings.BEAT_SECONDS > 30:  # between two rounds nothing is asked: leave no connection open meanwhile
            connection.close()
        return held

    def _waiting(self) -> int:
        """How many calls nobody has taken yet. A queue that does not exist has none."""
        with self.app.connection_for_write() as broker:  # anew each time: one that was lost is not asked again
            return broker.default_channel._size(self.app.conf.task_default_queue)

    def close(self):
        try:
            heartbeats.let_go(heartbeats.BEAT, self.holder)
        except (DatabaseError, InterfaceError):
            log.warning("The place of beat could not be left; it falls free by itself.")
        super().close()
