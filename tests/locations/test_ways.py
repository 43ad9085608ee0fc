import pytest
from django.urls import reverse

from clinic.models import AuditEntry
from locations import nearby, places, ways
from locations.models import TravelTime
from tests import make

ADDRESS = "setup-ways"


def test_a_way_is_as_long_back_and_none_to_the_same_clinic(atlanta, marietta):
    make.travel(atlanta, marietta, 30)
    known = ways.read()

    assert known.between(atlanta.pk, marietta.pk) == known.between(marietta.pk, atlanta.pk) == 30
    assert known.between(atlanta.pk, atlanta.pk) == 0
    assert known.knows(atlanta.pk, atlanta.pk)


def test_a_way_that_nobody_entered_is_longer_than_any_that_can_be(atlanta, marietta, nashville, owner):
    places.set_travel(atlanta, nashville, ways.LONGEST, by=owner)
    known = ways.read()

    assert known.between(atlanta.pk, marietta.pk) == ways.UNKNOWN > ways.LONGEST == nearby.FURTHEST
    assert not known.knows(atlanta.pk, marietta.pk)


def test_no_way_known_is_not_no_way_at_all(atlanta, marietta):
    make.travel(atlanta, marietta, 0)

    assert ways.read().between(atlanta.pk, marietta.pk) == 0
    assert nearby.within(0, atlanta, [marietta, atlanta]) == [marietta, atlanta]


@pytest.mark.parametrize(("pairs", "longest"), [([], 720), ([(0, 1)], 720), ([(0, 1), (1, 2), (0, 2)], 90)])
def test_how_far_one_has_to_look_round_is_the_longest_way_there_may_be(
    pairs, longest, atlanta, marietta, nashville, django_assert_num_queries
):
    for one, other in pairs:
        make.travel((atlanta, marietta, nashville)[one], (atlanta, marietta, nashville)[other], 30 * (one + other))

    with django_assert_num_queries(1):
        assert ways.read().longest == longest


def test_a_single_clinic_has_no_ways(atlanta):
    assert ways.read().longest == 0
    assert ways.missing([atlanta]) == []


def test_what_is_not_in_the_table_is_near_to_nothing(atlanta, marietta, nashville):
    make.travel(atlanta, marietta, 30)

    assert nearby.within(30, atlanta, [atlanta, marietta, nashville]) == [atlanta, marietta]
    assert nearby.within(29, atlanta, [atlanta, marietta, nashville]) == [atlanta]
    assert nearby.within(nearby.FURTHEST, atlanta, [atlanta, marietta, nashville]) == [atlanta, marietta]


def test_the_missing_pairs_of_open_clinics(atlanta, marietta, nashville, owner):
    make.travel(atlanta, nashville, 240)

    assert ways.missing([atlanta, marietta, nashville]) == [(atlanta, marietta), (marietta, nashville)]
    assert ways.missing([nashville]) == [(nashville, marietta)]
    places.set_open(marietta, is_open=False, by=owner)
    assert ways.missing([atlanta, nashville]) == []


def test_the_list_of_clinics_warns_of_them(sign_in, owner, atlanta, marietta, nashville):
    client = sign_in(owner)
    shown = client.get(reverse("setup-clinics")).content.decode()
    assert "not known for 3 pairs of clinics" in shown
    assert reverse(ADDRESS) in shown

    for one, other in ((atlanta, marietta), (marietta, nashville), (atlanta, nashville)):
        make.travel(one, other, 30)

    assert "not known" not in client.get(reverse("setup-clinics")).content.decode()
    assert "Every way is known" in client.get(reverse(ADDRESS)).content.decode()


def test_all_are_entered_on_one_page(sign_in, owner, atlanta, marietta, nashville):
    client = sign_in(owner)
    assert "Atlanta – Marietta" in client.get(reverse(ADDRESS)).content.decode()

    saved = client.post(reverse(ADDRESS), {"atlanta-marietta-minutes": "30", "marietta-nashville-minutes": "0"})

    assert saved.status_code == 302
    known = ways.read()
    assert known.between(atlanta.pk, marietta.pk) == 30
    assert known.between(marietta.pk, nashville.pk) == 0
    assert not known.knows(atlanta.pk, nashville.pk)
    assert AuditEntry.objects.filter(action="travel.changed", by=owner).count() == 2


def test_one_number_fills_what_is_left_empty(sign_in, owner, atlanta, marietta, nashville):
    sign_in(owner).post(reverse(ADDRESS), {"atlanta-marietta-minutes": "30", "rest-minutes": "300"})

    assert sorted(TravelTime.objects.values_list("minutes", flat=True)) == [30, 300, 300]


@pytest.mark.parametrize("wrong", ["-1", "601", "half an hour", "1e3", "9" * 30])
def test_a_wrong_number_saves_none_and_loses_nothing(wrong, sign_in, owner, atlanta, marietta, nashville):
    client = sign_in(owner)
    for name in ("atlanta-nashville-minutes", "rest-minutes"):
        refused = client.post(reverse(ADDRESS), {"atlanta-marietta-minutes": "37", name: wrong})

        page = refused.content.decode()
        assert refused.status_code == 400
        assert 'value="37"' in page
        assert f'value="{wrong}"' in page
        assert not TravelTime.objects.exists()


def test_a_manager_enters_the_ways_from_her_clinics(sign_in, atlanta, marietta, nashville):
    client = sign_in(make.user("manager", nashville))

    shown = client.get(reverse(ADDRESS)).content.decode()
    assert "Nashville – Atlanta" in shown
    assert "Atlanta – Marietta" not in shown
    client.post(reverse(ADDRESS), {"nashville-atlanta-minutes": "240", "atlanta-marietta-minutes": "1"})

    assert TravelTime.objects.get().minutes == 240


def test_the_page_asks_as_much_for_many_as_for_two(sign_in, owner, atlanta, marietta, django_assert_max_num_queries):
    client = sign_in(owner)
    for n in range(8):
        make.location(f"place-{n}")

    with django_assert_max_num_queries(8):
        client.get(reverse(ADDRESS))
