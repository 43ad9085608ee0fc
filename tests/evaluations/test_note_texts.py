import pytest

from evaluations.notes import note_texts
from evaluations.notes.note_fields import FIELDS


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("C1R t0 m0", "C1 right: tenderness 0, tone 0"),
        ("C1R t1 m1", "C1 right: tenderness 1, tone 1"),
        ("C1L t4 m-1 h", "C1 left: tenderness 4, tone -1, reproduces the headache: yes"),
        ("C2L t2 h-", "C2 left: tenderness 2, reproduces the headache: no"),
    ],
)
def test_a_grade_is_read_as_the_number_it_is(typed, said):
    field = next(one for one in FIELDS.values() if one.kind == "findings")

    assert note_texts.in_words(field, note_texts.read(field, typed)) == said
