from datetime import date, timedelta
from itertools import pairwise

import pytest

from careplans import picture
from careplans.models import Phase

START = date(2027, 1, 4)


def drawn(phases, days, checkpoint=None, today=START):
    visits = [picture.Seen(START + timedelta(n), "placed", "Visit", "") for n in days]
    return picture.draw(START, phases, visits, checkpoint=checkpoint, today=today)


def test_dots_never_overlap():
    found = drawn([("Corrective", "corrective", 52)], [0, 0, 1, 2, 5, 7, 100])

    for one in found.dots:
        for other in found.dots:
            assert one is other or one.row != other.row or abs(one.x - other.x) >= picture.DOT
    assert found.dots[-1].row == 0
    assert found.below > max(dot.y for dot in found.dots)


def test_dots_with_room_stand_in_one_row():
    assert {dot.row for dot in drawn([("Relief", "relief", 4)], [0, 2, 4, 7]).dots} == {0}


def test_a_plan_without_phases_has_a_picture():
    assert drawn([], []).bars == []
    found = drawn([], [3, 60], checkpoint=START + timedelta(30))
    assert [dot.x for dot in found.dots] == sorted(dot.x for dot in found.dots)
    assert found.dots[0].x < found.checkpoint_x < found.dots[1].x <= picture.WIDTH - picture.MARGIN


@pytest.mark.parametrize("days", [[-9, 0, 3], [0, 3, 70]])
def test_visits_moved_beyond_the_phases_lie_on_their_days(days):
    found = drawn([("Relief", "relief", 2)], days)
    gaps = [later.x - one.x for one, later in pairwise(found.dots)]

    assert gaps[0] / gaps[1] == pytest.approx((days[1] - days[0]) / (days[2] - days[1]), rel=0.05)
    assert all(picture.MARGIN <= dot.x <= picture.WIDTH - picture.MARGIN for dot in found.dots)
    assert all(bar.width >= 1 for bar in found.bars)


@pytest.mark.parametrize(("day", "is_late"), [(5, False), (13, True)])
def test_the_words_of_a_late_checkpoint_stand_left_of_it(day, is_late):
    assert drawn([("Relief", "relief", 2)], [], checkpoint=START + timedelta(day)).is_late is is_late


def test_a_short_phase_of_a_long_plan_has_a_bar():
    found = drawn([("Relief", "relief", 1), ("Corrective", "corrective", 390)], [])

    assert [bar.width > 0 for bar in found.bars] == [True, True]


def test_a_draft_is_drawn_with_the_days_that_it_would_want(sign_in, draft, chiro):
    plan = draft()
    client = sign_in(chiro.user)
    shown = client.get(f"/care-plans/{plan.pk}/").context["picture"]
    edited = client.get(f"/care-plans/{plan.pk}/edit/").context["picture"]

    assert [dot.seen.state for dot in shown.dots] == ["wanted"] * 13
    assert sum(dot.seen.is_checkpoint for dot in shown.dots) == 1
    assert [dot.seen for dot in shown.dots] == [dot.seen for dot in edited.dots]


def test_the_page_of_a_plan_without_phases(sign_in, active, chiro):
    Phase.objects.filter(plan=active).delete()

    assert sign_in(chiro.user).get(f"/care-plans/{active.pk}/").status_code == 200
