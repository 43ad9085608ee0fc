"""What the database refuses about plans: a version once written, an agreement once signed, stay as they are."""

from clinic import protected_rows

MESSAGES = {
    "careplans_planversion": "A version of a care plan cannot be changed.",
    "careplans_agreement": "A signed agreement cannot be changed.",
    "careplans_plantemplateversion": "A version of a template cannot be changed.",
}

UNIQUE = {
    "careplans_planversion": [("plan_id", "number")],
    "careplans_plantemplateversion": [("template_id", "number")],
}


def _triggers(tables):
    return [
        one for table in tables
        for one in protected_rows.kept_as_written(table, MESSAGES[table], unique=UNIQUE.get(table, ()))
    ]  # fmt: skip


def install(schema_editor, *tables: str) -> None:
    """Of these tables, or of all."""
    protected_rows.install(schema_editor, _triggers(tables or MESSAGES))


def remove(schema_editor, *tables: str) -> None:
    protected_rows.remove(schema_editor, _triggers(tables or MESSAGES))
