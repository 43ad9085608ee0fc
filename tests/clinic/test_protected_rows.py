"""What the database itself refuses about rows that stay as written, by the shortest ways round a rule: raw SQL."""

from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction

from clinic import protected_rows

TRIGGERS = tuple(
    protected_rows.kept_as_written(
        "letters", "A signed letter stays.", columns=["words"], where="{row}.signed = 1", unique=[("number",)]
    )
)
# The signed letter has the id 1 and the number 10; the draft 2 and 20. On SQLite OR REPLACE puts out of the way what
# stands there, and runs no trigger of it.
REPLACING = {
    "takes its id": "UPDATE {or_replace} letters SET id = 1 WHERE id = 2",
    "takes its number": "UPDATE {or_replace} letters SET number = 10 WHERE id = 2",
    "takes both": "UPDATE {or_replace} letters SET id = 1, number = 10 WHERE id = 2",
    "a new one takes its id": "INSERT {or_replace} INTO letters VALUES (1, 30, 'x', 0)",
    "a new one takes its number": "INSERT {or_replace} INTO letters VALUES (3, 10, 'x', 0)",
}
CHANGING = {
    "other words": "UPDATE letters SET words = 'x' WHERE signed = 1",
    "another id": "UPDATE letters SET id = 4 WHERE signed = 1",
    "deleted": "DELETE FROM letters WHERE signed = 1",
}
ALLOWED = {
    "a draft is changed": "UPDATE letters SET words = 'x', id = 5, number = 50 WHERE id = 2",
    "a draft takes the place of a draft": "UPDATE {or_replace} letters SET id = 3 WHERE id = 2",
    "what is not kept of a signed one": "UPDATE letters SET number = 40 WHERE id = 1",
    "a new one": "INSERT INTO letters VALUES (9, 90, 'x', 1)",
    "a draft is deleted": "DELETE FROM letters WHERE signed = 0",
}


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("{or_replace}", "OR REPLACE" if connection.vendor == "sqlite" else ""))


@pytest.fixture
def letters(db):
    run("CREATE TABLE letters (id integer PRIMARY KEY, number integer UNIQUE, words text, signed integer)")
    run("INSERT INTO letters VALUES (1, 10, 'signed', 1), (2, 20, 'draft', 0)")


@pytest.fixture
def kept(letters):
    protected_rows.install(SimpleNamespace(connection=connection, execute=run), TRIGGERS)


def signed():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, number, words FROM letters WHERE signed = 1")
        return cursor.fetchall()


@pytest.mark.parametrize("name", [*REPLACING, *CHANGING])
def test_a_signed_row_stays_whatever_is_tried(kept, name):
    with pytest.raises(IntegrityError), transaction.atomic():
        run({**REPLACING, **CHANGING}[name])

    assert signed() == [(1, 10, "signed")]


@pytest.mark.parametrize("name", ALLOWED)
def test_others_change_as_they_like(kept, name):
    run(ALLOWED[name])

    assert (1, "signed") in [(pk, words) for pk, _, words in signed()]


@pytest.mark.parametrize("name", REPLACING)
def test_without_the_triggers_sqlite_would_put_it_out_of_the_way(letters, name):
    if connection.vendor == "sqlite":
        run(REPLACING[name])
        assert signed() == []
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            run(REPLACING[name])


@pytest.mark.parametrize(
    "table",
    ["patients_consentform", "careplans_planversion", "careplans_agreement", "careplans_plantemplateversion",
     "evaluations_visitnote", "evaluations_noteaddendum", "evaluations_incidentstep",
     "evaluations_redflagevent", "evaluations_withdrawal"],
)  # fmt: skip
def test_every_kept_table_refuses_to_have_its_place_taken(db, table):
    known = {
        "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = %s",
        "postgresql": "SELECT count(*) FROM pg_trigger WHERE tgname = %s",
    }
    with connection.cursor() as cursor:
        cursor.execute(known[connection.vendor], [f"{table}_kept_place"])

        assert cursor.fetchone() == (1,)
