"""What the database refuses about consents: a form signed on the screen changes in nothing but its withdrawal."""

from clinic import protected_rows

_KEPT = (
    "patient_id", "answers", "signed_by", "relationship", "patient_assent", "signed_on", "document_version",
    "signed_at", "typed_name", "authority_document", "drawing", "shown", "digest", "covers_thrust", "risks",
    "questions_answered", "language", "interpreter", "by_id",
)  # fmt: skip
TRIGGERS = tuple(
    protected_rows.kept_as_written(
        "patients_consentform",
        "A signed consent cannot be changed.",
        columns=_KEPT,
        where="{row}.signed_at IS NOT NULL",
    )
)


def install(schema_editor) -> None:
    protected_rows.install(schema_editor, TRIGGERS)


def remove(schema_editor) -> None:
    protected_rows.remove(schema_editor, TRIGGERS)
