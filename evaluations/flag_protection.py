"""What the database refuses about red flags: one that was raised is never taken back, and is closed once, as its tier
allows and by somebody. A row that goes or changes would lift an emergency at every location.
"""

from clinic import protected_rows
from clinic.protected_rows import Trigger
from evaluations.safety import red_flags

TABLE = "evaluations_redflagevent"
MESSAGE = "A red flag that was raised cannot be changed."
_RAISED = ("patient_id", "evaluation_id", "code", "tier", "answer", "opened_at", "opened_by_id")


def _list(names):
    return ", ".join(f"'{name}'" for name in sorted(names))


def _as_its_tier_allows():
    """SQL about OLD, the open flag, and NEW, which closes it."""
    for tier, names in red_flags.RESOLUTIONS.items():
        yield f"(OLD.tier = '{tier}' AND OLD.answer = 'yes' AND NEW.resolution IN ({_list(names)}))"
    yield f"(OLD.answer <> 'yes' AND NEW.resolution = '{red_flags.ANSWERED_LATER}')"
    yield "(OLD.answer <> 'yes' AND OLD.tier <> 'emergency' AND NEW.resolution = 'acknowledged_unanswered')"


def _triggers():
    yield from protected_rows.kept_as_written(TABLE, MESSAGE, columns=_RAISED)
    yield Trigger(f"{TABLE}_closed_update", TABLE, "update", "OLD.resolved_at IS NOT NULL", MESSAGE)
    closes = "OLD.resolved_at IS NULL AND NEW.resolved_at IS NOT NULL"
    allowed = " OR ".join(_as_its_tier_allows())
    nobody = f"(NEW.resolved_by_id IS NULL AND NEW.resolution <> '{red_flags.ANSWERED_LATER}')"  # the patient answers
    second = (
        "(NEW.resolution = 'corrected_dual' AND (OLD.proposed_by_id IS NULL"
        " OR NEW.proposed_by_id IS DISTINCT FROM OLD.proposed_by_id OR NEW.resolved_by_id = OLD.proposed_by_id))"
    )
    unlawful = f"{closes} AND (NOT ({allowed}) OR {nobody} OR {second})"
    yield Trigger(f"{TABLE}_closes_update", TABLE, "update", unlawful, MESSAGE)
    # OR REPLACE on SQLite puts the open flag out of the way of another of the same kind, and runs no trigger of it.
    same = f"SELECT 1 FROM {TABLE} AS kept WHERE kept.patient_id = NEW.patient_id AND kept.code = NEW.code"  # noqa: S608
    twice = f"NEW.resolved_at IS NULL AND EXISTS ({same} AND kept.resolved_at IS NULL)"
    yield Trigger(f"{TABLE}_open_insert", TABLE, "insert", twice, MESSAGE)


TRIGGERS = tuple(_triggers())


def install(schema_editor) -> None:
    protected_rows.install(schema_editor, TRIGGERS)


def remove(schema_editor) -> None:
    protected_rows.remove(schema_editor, TRIGGERS)
