"""What the database refuses about an evaluation entered in error: the declaration stays as it was made."""

from clinic import protected_rows

TRIGGERS = tuple(
    protected_rows.kept_as_written(
        "evaluations_withdrawal", "What was entered in error stays so.", unique=[("evaluation_id",)]
    )
)


def install(schema_editor) -> None:
    protected_rows.install(schema_editor, TRIGGERS)


def remove(schema_editor) -> None:
    protected_rows.remove(schema_editor, TRIGGERS)
