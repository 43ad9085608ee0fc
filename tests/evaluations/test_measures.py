"""Outcome measures that have to agree with each other, whichever of them comes first."""

import re

import pytest
from django.urls import reverse

from clinic.errors import RuleBroken
from evaluations import measures, signing


def days(**counts):
    return {"outcomes": {f"{what}_days_28": n for what, n in counts.items()}}


@pytest.mark.parametrize(("headache", "migraine", "good"), [(5, 5, True), (5, 6, False), (0, 0, True), (0, 1, False)])
def test_days_of_migraine_are_days_of_headache(save, evaluation, headache, migraine, good):
    together = days(headache=headache, migraine=migraine)
    if good:
        save(**together)
        assert evaluation.measures == together["outcomes"]
    else:
        with pytest.raises(RuleBroken) as refused:
            save(**together)
        assert set(refused.value.fields) == {"measures.migraine_days_28"}


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        (days(headache=5), days(migraine=6), "migraine_days_28"),
        (days(migraine=6), days(headache=5), "headache_days_28"),
    ],
)
def test_the_second_of_the_two_is_named(save, evaluation, first, second, named):
    save(**first)
    with pytest.raises(RuleBroken) as refused:
        save(**second)

    assert set(refused.value.fields) == {f"measures.{named}"}
    evaluation.refresh_from_db()
    assert evaluation.measures == first["outcomes"]


def test_another_measure_is_not_held_up_by_days_of_old(save, evaluation):
    evaluation.measures = {"headache_days_28": 5, "migraine_days_28": 20}
    evaluation.save()

    save(outcomes={"nprs_neck": 3})

    evaluation.refresh_from_db()
    assert evaluation.measures["nprs_neck"] == 3


def test_where_the_days_are_counted_from_is_said_on_the_page(evaluation, chiro, sign_in):
    client, address = sign_in(chiro.user), reverse("evaluation", args=[evaluation.pk])
    client.post(address, {"version": 0, "headache_days_28": "9", "counts_origin": "diary"})

    evaluation.refresh_from_db()
    assert evaluation.measures == {"headache_days_28": 9, "counts_origin": "diary"}
    page = client.get(address).content.decode()
    assert '<option value="diary" selected>' in page
    client.post(address, {"version": evaluation.version, "counts_origin": "guess"})
    evaluation.refresh_from_db()
    assert evaluation.measures["counts_origin"] == "diary"


@pytest.mark.parametrize(
    ("stored", "code", "said"),
    [
        ({}, "nprs_neck", False), ({"nprs_neck": 0}, "nprs_neck", True), ({"nprs_neck": None}, "nprs_neck", True),
        ({"midas_items": [0] * 5}, "midas_items", True), ({"midas_items": [0, 0, 0, 0, None]}, "midas_items", False),
        ({"ndi_items": [1] * 8 + [None] * 2}, "ndi_items", True),
        ({"ndi_items": [1] * 7 + [None] * 3}, "ndi_items", False),
        ({"hit6_items": [6] * 5 + [None]}, "hit6_total", False), ({"hit6_total": 36}, "hit6_total", True),
    ],
)  # fmt: skip
def test_a_score_is_missing_until_it_counts_or_was_not_asked(stored, code, said):
    assert (code not in measures.missing(stored, is_first=True)) is said


@pytest.mark.parametrize(
    ("stored", "is_missing"),
    [
        ({}, False), ({"headache_days_28": 0}, True), ({"migraine_days_28": 4}, True), ({"acute_med_days_28": 2}, True),
        ({"headache_days_28": 0, "counts_origin": "paper"}, False), ({"headache_days_28": None}, False),
        ({"nprs_neck": 3}, False), ({"headache_days_28": 3, "counts_origin": None}, True),
    ],
)  # fmt: skip
def test_days_that_were_counted_need_to_say_from_where(stored, is_missing):
    for is_first in (True, False):
        assert ("counts_origin" in measures.missing(stored, is_first=is_first)) is is_missing


def test_an_origin_that_is_missing_is_named_on_the_page_and_before_signing(evaluation, save, chiro, sign_in):
    save(outcomes=dict.fromkeys(measures.EXPECTED, "not_asked"))
    save(outcomes={"headache_days_28": 9})
    page = sign_in(chiro.user).get(reverse("evaluation", args=[evaluation.pk])).content.decode()
    assert 'data-missing="outcomes">1<' in page
    assert re.search(r'data-measure="counts_origin" data-expected', page)
    named = "Outcomes: what the days of 28 are counted from"
    assert named in [one.text for one in signing.missing(evaluation)]
    save(outcomes={"counts_origin": "recall"})
    assert not [one for one in signing.missing(evaluation) if one.part == "outcomes"]


def test_the_impression_of_change_is_asked_only_later():
    assert "pgic_1_to_7" not in measures.missing({}, is_first=True)
    assert "pgic_1_to_7" in measures.missing({}, is_first=False)


def test_null_takes_a_value_back_and_not_asked_is_kept_as_null(save, evaluation):
    save(outcomes={"nprs_neck": 3, "hit6_total": 60})
    save(version=1, outcomes={"nprs_neck": None, "hit6_total": measures.NOT_ASKED, "midas_items": measures.NOT_ASKED})
    evaluation.refresh_from_db()
    assert evaluation.measures == {"hit6_total": None, "midas_items": None}
    assert "nprs_neck" in measures.missing(evaluation.measures, is_first=True)
    assert not {"hit6_total", "midas_items"} & set(measures.missing(evaluation.measures, is_first=True))
    save(version=2, outcomes={"hit6_items": [6, 6, 6, 6, 6, None]})
    evaluation.refresh_from_db()
    assert "hit6_total" not in evaluation.measures  # begun, and no total yet


@pytest.mark.parametrize(
    ("items", "total", "good"),
    [
        ([6, 6, 6, 6, 6, None], 43, True), ([6, 6, 6, 6, 6, None], 42, False), ([6, 6, 6, 6, 6, None], 78, False),
        ([13, 13, None, None, None, None], 50, True), ([13, 13, None, None, None, None], 49, False),
        ([13, 13, None, None, None, None], 36, False), ([None] * 6, 36, True), ([None] * 6, 78, True),
        ([8, 8, 8, 8, 8, 8], 48, True), ([8, 8, 8, 8, 8, 8], 50, False),
    ],
)  # fmt: skip
def test_a_total_that_the_items_cannot_come_to_is_refused(items, total, good):
    for given, stored in (
        ({"hit6_items": items, "hit6_total": total}, {}),
        ({"hit6_total": total}, {"hit6_items": items}),
    ):
        if good:
            assert measures.check(given, stored)["hit6_total"] == total
        else:
            with pytest.raises(RuleBroken) as refused:
                measures.check(given, stored)
            assert set(refused.value.fields) == {"measures.hit6_total"}


@pytest.mark.parametrize(
    ("given", "field"),
    [({"nonsense": "not_asked"}, "nonsense"), ({"nprs_neck": "not asked"}, "nprs_neck"),
     ({"eq5d5l_state": 21111}, "eq5d5l_state"), ({"eq5d5l_state": "21116"}, "eq5d5l_state"),
     ({"midas_headache_days": 93}, "midas_headache_days"), ({"midas_mean_pain": 11}, "midas_mean_pain")],
)  # fmt: skip
def test_what_is_no_score_is_named(save, given, field):
    with pytest.raises(RuleBroken) as broken:
        save(outcomes=given)
    assert list(broken.value.fields) == [f"measures.{field}"]


def test_a_chart_file_does_not_say_not_asked():
    with pytest.raises(RuleBroken):
        measures.check({"nprs_neck": measures.NOT_ASKED})
