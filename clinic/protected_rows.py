"""Triggers by which the database itself refuses a change, whoever asks: a rule, the shell or raw SQL. Both engines."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Trigger:
    """Refuses an `event` (insert, update or delete) on the table `when` the SQL about OLD and NEW holds.

    A `truncate` is refused when the SQL holds of the whole table. It runs no trigger of rows; SQLite has none.
    """

    name: str
    table: str
    event: str
    when: str
    message: str


def install(schema_editor, triggers: Iterable[Trigger]) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for one in triggers:
        for statement in _on_sqlite(one) if is_sqlite else _on_postgresql(one):
            schema_editor.execute(statement)


def _on_sqlite(one: Trigger) -> Iterable[str]:
    if one.event != "truncate":
        yield (
            f"CREATE TRIGGER {one.name} BEFORE {one.event} ON {one.table} "
            f"WHEN {one.when.replace(' IS DISTINCT FROM ', ' IS NOT ')} "
            f"BEGIN SELECT RAISE(ABORT, '{one.message}'); END"
        )


def _on_postgresql(one: Trigger) -> Iterable[str]:
    answer, each = {"delete": ("OLD", "ROW"), "truncate": ("NULL", "STATEMENT")}.get(one.event, ("NEW", "ROW"))
    yield (
        f"CREATE FUNCTION {one.name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN "
        f"IF {one.when} THEN RAISE EXCEPTION '{one.message}' USING ERRCODE = '23000'; END IF; "
        f"RETURN {answer}; END $body$"
    )
    yield (f"CREATE TRIGGER {one.name} BEFORE {one.event} ON {one.table} FOR EACH {each} EXECUTE FUNCTION {one.name}()")


def remove(schema_editor, triggers: Iterable[Trigger]) -> None:
    for one in triggers:
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {one.name}")
        else:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {one.name} ON {one.table}")
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {one.name}()")


def kept_as_written(
    table: str,
    message: str,
    *,
    columns: Iterable[str] = (),
    where: str = "1 = 1",
    unique: Iterable[tuple[str, ...]] = (),
) -> Iterable[Trigger]:
    """Rows of the table that hold `where` stay: not deleted, not emptied away, not changed, and no other row takes
    their place: their id, or what else is `unique` of them, which SQLite would put out of the way (OR REPLACE).

    With `columns` only a change of one of these, or of the id, is refused.
    """
    old, kept = where.replace("{row}", "OLD"), where.replace("{row}", "kept")
    same = _differs(("id", *columns)) if columns else "1 = 1"
    places = [("id",), *unique]
    there = [" AND ".join(f"kept.{name} = NEW.{name}" for name in place) for place in places]
    taken = [
        f"(({_differs(place)}) AND {_some(table, f'{match} AND kept.id <> OLD.id AND {kept}')})"
        for place, match in zip(places, there, strict=True)
    ]
    yield Trigger(f"{table}_kept_update", table, "update", f"({old}) AND ({same})", message)
    yield Trigger(f"{table}_kept_place", table, "update", " OR ".join(taken), message)
    yield Trigger(f"{table}_kept_delete", table, "delete", old, message)
    found = [_some(table, f"{match} AND {kept}") for match in there]
    yield Trigger(f"{table}_kept_insert", table, "insert", " OR ".join(found), message)
    yield Trigger(f"{table}_kept_truncate", table, "truncate", _some(table, kept), message)


def _differs(columns: Iterable[str]) -> str:
    return " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in columns)


def _some(table: str, condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM {table} AS kept WHERE {condition})"  # noqa: S608
