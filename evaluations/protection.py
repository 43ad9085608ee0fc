"""Triggers by which the database itself refuses to change what was signed, whoever asks: rule, shell or raw SQL."""

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
    for table in (*APPEND_ONLY, "evaluations_finding"):
        its_own = f"(SELECT evaluation_id FROM {table} WHERE id = NEW.id)"  # noqa: S608
        held = _there(EVALUATION, "signed_at IS NOT NULL", its_own)
        yield f"{table}_stays_insert", table, "insert", _there(table) if table in APPEND_ONLY else held
    for table in OF_AN_EVALUATION:
        yield f"{table}_signed_insert", table, "insert", "signed(NEW)"
    yield "finding_signed_update", "evaluations_finding", "update", "signed(OLD) OR signed(NEW)"
    yield "finding_signed_delete", "evaluations_finding", "delete", "signed(OLD)"


def _there(table, condition="1 = 1", row="NEW.id"):
    """SQL: whether the table has that row already, under the condition."""
    return f"EXISTS (SELECT 1 FROM {table} WHERE id = {row} AND {condition})"  # noqa: S608


def _condition(when):
    for row in ("OLD", "NEW"):
        question = _there(EVALUATION, "signed_at IS NOT NULL", f"{row}.evaluation_id")
        when = when.replace(f"signed({row})", question)
    return when


def install(schema_editor) -> None:
    for name, table, event, when in _triggers():
        condition = _condition(when)
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} "
                f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
            )
        else:
            answer = "OLD" if event == "delete" else "NEW"
            schema_editor.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN "
                f"IF {condition} THEN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = '23000'; END IF; "
                f"RETURN {answer}; END $body$"
            )
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
            )


def remove(schema_editor) -> None:
    for name, table, _event, _when in _triggers():
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {name}()")
