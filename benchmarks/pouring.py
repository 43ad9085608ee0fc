"""Rows by the million: COPY on PostgreSQL, one prepared statement on SQLite."""

from collections.abc import Iterable
from contextlib import contextmanager
from itertools import chain

from django.db import connection, transaction


def pour(model, rows: Iterable[dict]) -> None:
    """Write rows, given as {attname: value}; every other column gets what a new instance would have."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    fields = [field for field in model._meta.concrete_fields if not field.primary_key or field.attname in first]
    blank = model()
    usual = [(f.attname, f.get_db_prep_save, _prepared(f, f.pre_save(blank, add=True))) for f in fields]
    prepared = (
        [prepare(row[name], connection) if name in row else value for name, prepare, value in usual]
        for row in chain([first], rows)
    )
    columns = ", ".join(connection.ops.quote_name(f.column) for f in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in prepared:
                    copy.write_row([_as_text(value) for value in row])
        else:
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", prepared)
    if "id" in first and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), MAX(id)) FROM {table}"
            )


def _prepared(field, value):
    return None if value is None else field.get_db_prep_save(value, connection)


def _as_text(value):
    """JSON comes wrapped for a parameter; COPY wants its text."""
    return value.dumps(value.obj) if hasattr(value, "dumps") and value.dumps else value


@contextmanager
def without_exclusions(model):
    """PostgreSQL builds an exclusion constraint several times faster over a full table than row by row."""
    ours = [c for c in model._meta.constraints if c.name.startswith("no_overlap")]
    if connection.vendor != "postgresql":
        ours = []
    with connection.schema_editor() as editor:
        for constraint in ours:
            editor.execute(constraint.remove_sql(model, editor))
    yield
    with connection.schema_editor() as editor:
        for constraint in ours:
            editor.execute(constraint.create_sql(model, editor))
