"""Rows by the million: COPY on PostgreSQL, one prepared statement on SQLite."""

import json
from collections.abc import Iterable
from contextlib import contextmanager
from itertools import chain

from django.db import connection, models, transaction

from clinic.no_overlap import NoOverlap


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
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", prepared)
    if "id" in first and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), MAX(id)) FROM {table}"
            )


def _prepared(field, value):
    if value is None:
        return None
    prepared = field.get_db_prep_save(value, connection)
    # JSON comes wrapped for a parameter; COPY wants its text.
    return json.dumps(value) if isinstance(field, models.JSONField) else prepared


@contextmanager
def bare(*models):
    """The tables without their own indexes and constraints: building these over full tables is many times faster.

    SQLite would have to remake a table for a constraint, so there they stay.
    """
    is_postgresql = connection.vendor == "postgresql"
    with connection.schema_editor() as editor:
        for model in models:
            for index in model._meta.indexes:
                editor.remove_index(model, index)
            for constraint in _costly(model) if is_postgresql else ():
                editor.remove_constraint(model, constraint)
    yield
    with connection.schema_editor() as editor:
        for model in models:
            for index in model._meta.indexes:
                editor.add_index(model, index)
            for constraint in _costly(model) if is_postgresql else ():
                editor.add_constraint(model, constraint)


def _costly(model):
    return [c for c in model._meta.constraints if isinstance(c, NoOverlap | models.UniqueConstraint)]
