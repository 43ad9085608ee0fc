"""Statements in plain SQL, for the few places where the ORM takes longer to write one than the database to answer it.

Only for reading, and only what runs on PostgreSQL and SQLite alike. Values are parameters; ids may stand in the text.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import connection


def rows(sql: str, *params) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)  # without any the statement is not looked through for marks
        return cursor.fetchall()


def ids(some: Iterable[int]) -> str:
    """For `IN (…)`: whole numbers and nothing else, sorted; never empty, because SQL has no empty list."""
    return ", ".join(str(int(one)) for one in sorted(some)) or "NULL"


def marks(some: Iterable[int]) -> tuple[str, list[int]]:
    """As `ids` with the values beside: the text is the same for as many, and PostgreSQL plans it once (ADR 0018)."""
    values = sorted(int(one) for one in some)
    return ", ".join(["%s"] * len(values)) or "NULL", values


def instant(value: datetime) -> datetime:
    """SQLite gives instants without their zone, which is UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)
