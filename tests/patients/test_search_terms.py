from datetime import date

import pytest

from patients import search_terms


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("Avery Test", ["avery", "test"]),
        ("Jo Smith", ["smith", "jo"]),
        ("ann 0142", ["0142", "ann"]),
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


def test_terms_hold_names_birth_date_ends_of_phone_mail_and_sounds():
    found = search_terms.terms(
        given_name="José", family_name="Smith-Jones", birth_date=date(1985, 3, 4), phone="+14045550142",
        email="Jo@Example.org",
    )  # fmt: skip

    firsts = ("", "1985-03-04", "4045550142", "5550142", "0142", "jo@example.org", "~smt", "~jns", "~js")
    assert found == {
        "smith jones jose", "jones smith jose", "jose smith jones",
        *(f"{first} smith jones jose" for first in firsts),
    }  # fmt: skip


@pytest.mark.parametrize(
    "alike",
    [
        ("smith", "smyth", "smitth", "schmidt"), ("jonson", "johnson", "johnsen"), ("kathryn", "catherine"),
        ("steven", "stephen"), ("nguyen", "nguyn"), ("ann", "anne"),
    ],
)  # fmt: skip
def test_names_of_one_sound(alike):
    assert len({search_terms.sound(word) for word in alike}) == 1


def test_a_number_has_no_sound():
    assert search_terms.sound("0142") == ""
