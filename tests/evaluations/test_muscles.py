"""The drawing of the muscles: every muscle of the catalogue once on each side, and the sides are the patient's."""

from evaluations import catalogue
from evaluations.entry import muscles


def test_every_muscle_is_drawn_once_on_each_side():
    drawn = [(one.muscle, one.side) for view in muscles.views() for one in view.bellies]
    palpated = [(place["muscle"], place["side"]) for place in catalogue.FINDINGS["muscle_tone"].places()]
    assert sorted(drawn) == sorted(palpated)


def test_left_is_on_the_left_from_behind_and_on_the_right_from_the_front():
    for view in muscles.views():
        for one in view.bellies:
            is_on_the_left = one.x < muscles.MIDDLE
            assert is_on_the_left == ((one.side == "left") == (view.code == "behind")), one


def test_the_sides_mirror_each_other_within_the_picture():
    for view in muscles.views():
        at = {(one.muscle, one.side): (one.x, one.y) for one in view.bellies}
        for (muscle, side), (x, y) in at.items():
            assert at[muscle, {"left": "right", "right": "left"}[side]] == (round(view.width - x, 1), y)
        assert all(0 < x < view.width and 0 < y < view.height for x, y in at.values())
