import pytest

from appointments.recurring.patterns import Stretch
from careplans import contents


@pytest.mark.parametrize(
    ("phases", "most"),
    [
        ([], 0), ([(3, 4)], 12), ([(3, 8)], 12), ([(4, 2), (1, 4)], 10), ([(1, 2), (4, 4)], 16), ([(5, 2)], 10),
        ([(1, 8, 2)], 2), ([(1, 2, 2), (3, 4)], 12), ([(3, 2), (1, 4, 4)], 7),
    ],
)  # fmt: skip
def test_most_visits_in_four_weeks(phases, most):
    assert contents.most_in_28_days([Stretch(*phase) for phase in phases]) == most
