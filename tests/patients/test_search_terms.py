from datetime import date

import pytest

from patients import search_terms


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("Avery Test", ["avery", "test"]),
        ("  JOSÉ ", ["jose"]),
        ("O’Brien", ["obrien"]),
        ("Smith-Jones", ["smith", "jones"]),
        ("3/14/1985", ["1985-03-14"]),
        ("1985-3-4 ann", ["1985-03-04", "ann"]),
        ("1985-1", ["1985-1"]),
        ("(404) 555-0142", ["4045550142"]),
        ("+1 404 555 0142", ["4045550142"]),
        ("0142", ["0142"]),
        ("李", ["李"]),
        ("%", ["%"]),
        ("", []),
        ("....", []),
    ],
)
def test_asked_words(typed, asked):
    assert search_terms.asked(typed) == asked


def test_terms_hold_names_birth_date_and_ends_of_phone():
    found = search_terms.terms(names=["José", "Smith-Jones"], birth_date=date(1985, 3, 4), phone="+14045550142")

    assert found == {"jose", "smith", "jones", "1985-03-04", "4045550142", "5550142", "0142"}
