"""HIT-6 as six neutral boxes: the allowed values, the total that they make, and never a guess (reference 3.1, 3.2)."""

import pytest

from clinic.errors import RuleBroken
from evaluations import measures


@pytest.mark.parametrize(
    ("items", "total"),
    [
        ([6] * 6, 36),
        ([13] * 6, 78),
        ([6, 8, 10, 11, 13, 13], 61),
        ([6, 8, 10, 11, 13, None], None),
        ([None] * 6, None),
    ],
)
def test_the_total_is_the_sum_of_all_six_or_none(items, total):
    assert measures.check({"hit6_items": items})["hit6_total"] == total


@pytest.mark.parametrize(
    "items", [[7, 6, 6, 6, 6, 6], [12] * 6, [0] * 6, [14] * 6, [6] * 5, [6] * 7, ["6"] * 6, [6.0] * 6, [True] * 6, "x"]
)
def test_what_no_item_can_be_is_refused(items):
    with pytest.raises(RuleBroken) as refused:
        measures.check({"hit6_items": items})

    assert list(refused.value.fields) == ["measures.hit6_items"]


@pytest.mark.parametrize("total", [37, 39, 77, 35, 79])
def test_an_impossible_total_is_refused(total):
    with pytest.raises(RuleBroken):
        measures.check({"hit6_total": total})


def test_a_total_without_items_stays_and_one_against_them_is_refused():
    assert measures.check({"hit6_total": 60}) == {"hit6_total": 60}
    assert measures.check({"hit6_total": 36, "hit6_items": [6] * 6})["hit6_total"] == 36
    for stored, given in (
        ({}, {"hit6_total": 60, "hit6_items": [6] * 6}),
        ({"hit6_items": [6] * 6}, {"hit6_total": 60}),
    ):
        with pytest.raises(RuleBroken, match="The six items come to 36"):
            measures.check(given, stored)


def test_other_measures_leave_the_total_alone():
    assert measures.check({"nprs_neck": 3}, {"hit6_total": 60}) == {"nprs_neck": 3}
    assert measures.check({"hit6_items": None}, {"hit6_total": 60}) == {"hit6_items": None}


def test_the_page_has_six_boxes_and_says_what_follows(client, chiro, evaluation):
    client.force_login(chiro.user)
    typed = {f"hit6_items{n}": "10" for n in range(1, 7)}

    answer = client.post(f"/evaluations/{evaluation.pk}/", {"version": 0, **typed})

    evaluation.refresh_from_db()
    assert (answer.status_code, evaluation.measures["hit6_total"]) == (302, 60)
    page = client.get(f"/evaluations/{evaluation.pk}/").content.decode()
    assert page.count('name="hit6_items') == 6
    assert "60, severe" in page
