"""Whether a guardian is present at the visit of a child, or where a restriction asks for one (reference 4.5, 4.7)."""

from datetime import timedelta

import pytest

from clinic.errors import RuleBroken
from evaluations.notes import note_facts, note_page, note_signing


@pytest.fixture
def child(patient, note):
    patient.birth_date = note.day - timedelta(days=12 * 365)
    patient.save()
    note.refresh_from_db()
    return note


def is_asked(note):
    return any(row.field.code == "guardian" for part in note_page.parts(note, {}) for row in part.rows)


def test_of_a_grown_up_it_is_not_asked(note, write, whole, no_flags, chiro):
    write(**whole)

    assert not is_asked(note)
    assert note_signing.sign(note, by=chiro.user).is_signed


def test_of_a_child_it_is_said_before_a_treatment_is_signed(child, write, whole, no_flags, chiro):
    write(**whole)

    assert is_asked(child)
    with pytest.raises(RuleBroken) as refused:
        note_signing.sign(child, by=chiro.user)
    assert list(refused.value.fields) == ["content.guardian"]
    write(guardian=True)
    assert note_signing.sign(child, by=chiro.user).is_signed


def test_a_restriction_asks_for_one_too(note, restricted):
    restricted("guardian_present")

    assert is_asked(note)


def test_without_one_the_neck_is_not_treated(child, write, no_flags):
    write(guardian=False)

    with pytest.raises(RuleBroken) as refused:
        write(technique="nucca")
    assert (refused.value.code, list(refused.value.fields)) == ("guardian_missing", ["content.guardian"])
    assert write(adjuncts=["heat"])["kept"] == {"adjuncts": ["heat"]}


def test_what_was_done_all_the_same_is_told(child, write, whole, no_flags):
    write(**whole)
    write(guardian=False)

    assert note_facts.of(child, None)["against"] == ["No guardian was present."]
