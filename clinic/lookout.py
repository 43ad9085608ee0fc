"""Spares a sweep its look at everything while nothing can have fallen due.

A look also finds what will fall due within LOOKS_AHEAD if nothing changes. Until the first of that, one statement tells
whether anything did change (a new row of history, of the audit, of what packages name in WATCHED) and whether a mail
waits. Whatever that could overlook is seen LOOKS_AHEAD later at the latest. Each process remembers for itself.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import connection

from clinic import mail_kinds, outbox, plain_sql, times
from clinic.models import AuditEntry, Message

LOOKS_AHEAD = timedelta(minutes=5)


class Lookout:
    def __init__(self):
        self._seen: tuple | None = None
        self._looked_at = self._quiet_until = times.EARLIEST

    def sweep(self, *, call_help: Callable[[], object] | None = None) -> list[Message]:
        """As `outbox.send_due` does now, or nothing where there is nothing to do."""
        now = times.now()
        if self._looked_at <= now < self._quiet_until and self._state(now) == self._seen:
            return []
        self._seen = None
        state = self._state(now)  # first: what comes while we look is a change
        settled = outbox.send_due(call_help=call_help)
        if not settled and not state[0]:
            self._seen, self._looked_at, self._quiet_until = state, now, _first_due(now)
        return settled

    def _state(self, now: datetime) -> tuple:
        """Whether a mail waits, and the newest row of each table that is watched; one statement."""
        moment = connection.ops.adapt_datetimefield_value(now)
        return plain_sql.rows(_statement(), moment, moment)[0]


@lru_cache
def _statement() -> str:
    watched = [AuditEntry, *(table for module in mail_kinds.modules() for table in getattr(module, "WATCHED", ()))]
    newest = ", ".join(f"(SELECT max(id) FROM {table._meta.db_table})" for table in watched)  # noqa: S608 -- our tables
    messages = Message._meta.db_table
    return f"""
        SELECT EXISTS (SELECT 1 FROM {messages} WHERE status IN ('waiting', 'retry') AND try_after <= %s)
            OR EXISTS (SELECT 1 FROM {messages} WHERE status = 'claimed' AND leased_until < %s), {newest}
    """  # noqa: S608 -- names of our own tables


def _first_due(now: datetime) -> datetime:
    ahead = now + LOOKS_AHEAD
    return min((due for due in outbox.due_by(ahead)), default=ahead)
