"""What the database refuses about visit notes: a signed one, an addendum and a step of an incident stay as they are."""

from clinic import protected_rows

TRIGGERS = (
    *protected_rows.kept_as_written(
        "evaluations_visitnote",
        "A signed visit note cannot be changed.",
        where="{row}.signed_at IS NOT NULL",
        unique=[("appointment_id",)],
    ),
    *protected_rows.kept_as_written("evaluations_noteaddendum", "An addendum cannot be changed."),
    *protected_rows.kept_as_written("evaluations_incidentstep", "A step of an incident cannot be changed."),
)


def install(schema_editor) -> None:
    protected_rows.install(schema_editor, TRIGGERS)


def remove(schema_editor) -> None:
    protected_rows.remove(schema_editor, TRIGGERS)
