from datetime import date

import pytest

from clinic.errors import RuleBroken
from patients import queries, registering


@pytest.fixture
def stone(atlanta, desk):
    return registering.register(
        given_name="Zoë", family_name="O'Hara-Stone", birth_date=date(1985, 3, 14), phone="+14045550142",
        home_location=atlanta, by=desk,
    )  # fmt: skip


@pytest.mark.parametrize(
    "typed",
    ["zoe", "ZO", "sto zo", "o'hara", "1985-03-14", "3/14/1985", "1985-03", "0142", "404-555-0142", "404555", ""],
)
def test_found_by(stone, desk, typed):
    assert list(queries.search(desk, typed)) == [stone]


@pytest.mark.parametrize("typed", ["toe", "zoe x", "3/15/1985", "%", "_", "\\", "z%", "a\x00b", "..."])
def test_not_found_by(stone, desk, typed):
    assert list(queries.search(desk, typed)) == []


@pytest.mark.parametrize("typed", ["x" * 201, "a b c d e f g h i"])
def test_too_long_a_search_is_refused(stone, desk, typed):
    with pytest.raises(RuleBroken) as refused:
        queries.search(desk, typed)

    assert (refused.value.status, list(refused.value.fields)) == (400, ["search"])


def test_search_stays_in_scope(stone, marietta, desk, owner):
    other = registering.register(
        given_name="Zoe", birth_date=date(1990, 1, 1), home_location=marietta, by=None, by_whom="import"
    )

    assert list(queries.search(desk, "zoe")) == [stone]
    assert set(queries.search(owner, "zoe")) == {stone, other}
