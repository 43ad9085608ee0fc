from datetime import date, timedelta

from careplans import picture
from careplans.models import Phase

START = date(2027, 1, 4)


def drawn(phases, days, checkpoint=None, today=START):
    visits = [(START + timedelta(n), "placed", "Visit", "") for n in days]
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


def test_the_page_of_a_plan_without_phases(sign_in, active, chiro):
    Phase.objects.filter(plan=active).delete()

    assert sign_in(chiro.user).get(f"/care-plans/{active.pk}/").status_code == 200
