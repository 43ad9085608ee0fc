"""Locks on what has no row of its own to lock: the calendar of a person, a room, a place. Held until COMMIT.

Kinds are taken in the order of their numbers and things in that of their ids, so that two who want several never wait
for each other. SQLite has nothing to lock: there every transaction is IMMEDIATE and so the only writer.
"""

from collections.abc import Iterable

from django.db import connection, transaction

# The first of the two numbers of an advisory lock; the second is an id.
LOCATION, PRACTITIONER, ROOM, PATIENT = 7100, 7101, 7102, 7103


def hold(*wanted: tuple[int, Iterable], shared: bool = False) -> None:
    """Lock (kind, rows); read what you decide on afterwards. Safe to repeat. `shared` waits only for who is alone."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Locks need a transaction that holds them.")
    keys = sorted({(kind, one.pk) for kind, many in wanted for one in many})
    if connection.vendor != "postgresql" or not keys:
        return
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:  # unnest keeps the order of its arrays
        kinds, ids = zip(*keys, strict=True)
        statement = f"SELECT {function}(kind, id) FROM unnest(%s::int[], %s::int[]) AS wanted (kind, id)"  # noqa: S608
        cursor.execute(statement, [list(kinds), list(ids)])
