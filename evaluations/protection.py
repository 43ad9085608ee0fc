"""Triggers by which the database itself refuses to change what was signed, whoever asks: rule, shell or raw SQL."""

from clinic import protected_rows
from clinic.protected_rows import Trigger

MESSAGE = "A signed evaluation cannot be changed."
APPEND_ONLY = ("evaluations_addendum", "evaluations_redflaganswer")
OF_AN_EVALUATION = ("evaluations_finding", "evaluations_redflaganswer")
EVALUATION = "evaluations_evaluation"


def _triggers():
    """Each as (name, table, event, when): `when` is SQL about OLD and NEW; `signed(OLD)` asks about its evaluation."""
    for event in ("update", "delete"):
        yield f"signed_stays_{event}", EVALUATION, event, "OLD.signed_at IS NOT NULL"
        for table in APPEND_ONLY:
            yield f"{table}_stays_{event}", table, event, "1 = 1"
    # REPLACE puts a row in another's place on SQLite and runs no trigger of the one that goes.
    yield "signed_stays_insert", EVALUATION, "insert", _there(EVALUATION, "signed_at IS NOT NULL")
    of_its_visit = _there(EVALUATION, "signed_at IS NOT NULL", "NEW.appointment_id", column="appointment_id")
    yield "signed_visit_stays_insert", EVALUATION, "insert", of_its_visit
    # Nor does UPDATE OR REPLACE, which takes the id or the visit of another row.
    moved = "NEW.appointment_id IS DISTINCT FROM OLD.appointment_id"
    yield "signed_visit_stays_update", EVALUATION, "update", f"{moved} AND {of_its_visit}"
    for table in (EVALUATION, "evaluations_finding"):
        yield f"{table}_id_stays", table, "update", "NEW.id IS DISTINCT FROM OLD.id"
    for table in (*APPEND_ONLY, "evaluations_finding"):
        its_own = f"(SELECT evaluation_id FROM {table} WHERE id = NEW.id)"  # noqa: S608
        held = _there(EVALUATION, "signed_at IS NOT NULL", its_own)
        yield f"{table}_stays_insert", table, "insert", _there(table) if table in APPEND_ONLY else held
    for table in OF_AN_EVALUATION:
        yield f"{table}_signed_insert", table, "insert", "signed(NEW)"
    # TRUNCATE on PostgreSQL runs no trigger of rows.
    signed_ids = f"(SELECT id FROM {EVALUATION} WHERE signed_at IS NOT NULL)"  # noqa: S608
    kept = {EVALUATION: f"id IN {signed_ids}", "evaluations_finding": f"evaluation_id IN {signed_ids}"}
    for table in (EVALUATION, "evaluations_finding", *APPEND_ONLY):
        some = f"EXISTS (SELECT 1 FROM {table} WHERE {kept.get(table, '1 = 1')})"  # noqa: S608
        yield f"{table}_stays_truncate", table, "truncate", some
    yield "finding_signed_update", "evaluations_finding", "update", "signed(OLD) OR signed(NEW)"
    yield "finding_signed_delete", "evaluations_finding", "delete", "signed(OLD)"


def _there(table, condition="1 = 1", row="NEW.id", column="id"):
    """SQL: whether the table has that row already, under the condition."""
    return f"EXISTS (SELECT 1 FROM {table} WHERE {column} = {row} AND {condition})"  # noqa: S608


def _condition(when):
    for row in ("OLD", "NEW"):
        question = _there(EVALUATION, "signed_at IS NOT NULL", f"{row}.evaluation_id")
        when = when.replace(f"signed({row})", question)
    return when


TRIGGERS = tuple(Trigger(name, table, event, _condition(when), MESSAGE) for name, table, event, when in _triggers())


def install(schema_editor) -> None:
    protected_rows.install(schema_editor, TRIGGERS)


def remove(schema_editor) -> None:
    protected_rows.remove(schema_editor, TRIGGERS)
