from datetime import date

import pytest

from clinic.errors import RuleBroken
from patients import queries, registering
from patients.models import Patient
from tests import make


@pytest.fixture
def stone(atlanta, desk):
    return registering.register(
        given_name="Zoë", family_name="O'Hara-Stone", birth_date=date(1985, 3, 14), phone="+14045550142",
        email="zoe.stone@example.org", home_location=atlanta, by=desk,
    )  # fmt: skip


def found(user, typed, **page):
    return [one.pk for one in queries.search(user, typed, **page)]


def register(place, given, family="", born=date(1990, 1, 1), **more):
    return registering.register(
        given_name=given, family_name=family, birth_date=born, home_location=place, by=None, by_whom="import",
        confirm_duplicate=True, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    "typed",
    [
        "zoe", "ZO", "sto zo", "o'hara", "1985-03-14", "3/14/1985", "1985-03", "0142", "404-555-0142", "404555", "",
        "zoe 0142", "3/14/1985 0142", "zoe.stone@ex", "Zoe zoe.stone@example.org",
    ],
)  # fmt: skip
def test_found_by(stone, desk, typed):
    assert found(desk, typed) == [stone.pk]


@pytest.mark.parametrize("typed", ["toe", "zoe x", "3/15/1985", "%", "_", "\\", "z%", "a\x00b", "...", "zoe 0143", "~"])
def test_not_found_by(stone, desk, typed):
    assert found(desk, typed) == []


@pytest.mark.parametrize("typed", ["x" * 201, "a b c d e f g h i"])
def test_too_long_a_search_is_refused(stone, desk, typed):
    with pytest.raises(RuleBroken) as refused:
        queries.search(desk, typed)

    assert (refused.value.status, list(refused.value.fields)) == (400, ["search"])


def test_found_in_the_order_of_the_word_and_then_of_the_name(atlanta, desk):
    people = [
        register(atlanta, given, family)
        for given, family in (("Jo", "Stone"), ("Ann", "Stone"), ("Émile", "Stoner"), ("Stone", "Abel"), ("B", "Zz"))
    ]

    assert found(desk, "sto") == [people[n].pk for n in (3, 1, 0, 2)]
    assert found(desk, "") == [people[n].pk for n in (3, 1, 0, 2, 4)]


def test_found_once_where_two_names_begin_alike(atlanta, desk):
    one = register(atlanta, "John", "Johnson")

    assert found(desk, "joh") == [one.pk]
    assert found(desk, "johnson john") == [one.pk]


@pytest.mark.parametrize("typed", ["", "s", "s a", "1990-01"])
def test_pages_follow_each_other_without_gap_or_repeat(atlanta, desk, typed):
    for n in range(7):
        register(atlanta, f"A{chr(98 + n)} Sam", "Smith")
    whole, pages, after = found(desk, typed), [], None

    while page := found(desk, typed, limit=3, after=after):
        pages += page
        after = page[-1]

    assert pages == whole
    assert len(set(whole)) == 7


def test_search_stays_in_scope(stone, marietta, desk, owner):
    other = register(marietta, "Zoe")

    assert found(desk, "zoe") == [stone.pk]
    assert set(found(owner, "zoe")) == {stone.pk, other.pk}
    assert found(make.user("auditor"), "zoe") == []
    for user in (desk, owner):
        assert set(found(user, "")) == set(Patient.objects.visible_to(user).values_list("pk", flat=True))


@pytest.mark.parametrize("typed", ["Smitth", "Smyth", "Schmidt john", "simth jon", "SMITT"])
def test_sounding_like(atlanta, marietta, desk, typed):
    smith = register(atlanta, "John", "Smith")
    register(marietta, "John", "Smith")
    register(atlanta, "John", "Semantoudakis")

    assert [one.pk for one in queries.sounding_like(desk, typed)] == [smith.pk]


@pytest.mark.parametrize("typed", ["", "1985-03-14", "0142", "aeiou", "x@example.org", "Miller"])
def test_nobody_sounds_like(stone, desk, typed):
    assert queries.sounding_like(desk, typed) == []


@pytest.mark.parametrize(
    ("phone", "spoken"), [("+14045550142", "(404) 555-0142"), ("+49301234567", "+49301234567"), ("", "")]
)
def test_phone_as_it_is_read_aloud(atlanta, desk, phone, spoken):
    register(atlanta, "Avery", phone=phone)

    assert queries.search(desk, "avery")[0].spoken_phone == spoken


def test_search_is_two_queries_beside_the_roles(stone, desk, django_assert_num_queries):
    queries.search(desk, "zoe")

    with django_assert_num_queries(2):
        queries.search(desk, "zoe 0142")


def test_the_same_person_by_name_mail_or_phone(stone, desk):
    def known(**given):
        return queries.may_be_the_same(
            desk, **{"given_name": "X", "family_name": "Y", "birth_date": date(1985, 3, 14), **given}
        )

    assert known() == []
    assert known(given_name="Zoe", family_name="Ohara Stone") == [stone]
    assert known(given_name="Zoe", family_name="Ohara Stone", birth_date=date(1985, 3, 15)) == []
    assert known(email="Zoe.Stone@Example.org") == [stone]
    assert known(phone="+14045550142") == [stone]
