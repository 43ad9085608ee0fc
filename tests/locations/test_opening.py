from datetime import time, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from locations import opening
from locations.models import Closure
from locations.spans import Span
from tests import make

MORNING, AFTERNOON = Span(0, time(8), time(12)), Span(0, time(13), time(18))


@pytest.fixture
def day(atlanta):
    return atlanta.today() + timedelta(30)


def test_hours_are_replaced(atlanta, owner):
    opening.set_hours(atlanta, [AFTERNOON, MORNING], by=owner)

    assert opening.spans_of(atlanta) == [MORNING, AFTERNOON]
    said = AuditEntry.objects.get(action="location.hours").detail["hours"]
    assert said == ["Monday 8:00 AM to 12:00 PM", "Monday 1:00 PM to 6:00 PM"]


def test_refused_hours_change_nothing(atlanta, owner):
    before = opening.spans_of(atlanta)

    with pytest.raises(RuleBroken, match="overlap"):
        opening.set_hours(atlanta, [MORNING, Span(0, time(11), time(13))], by=owner)

    assert opening.spans_of(atlanta) == before


def test_a_manager_sets_the_hours_of_her_own_clinic(atlanta, marietta):
    manager = make.user("manager", atlanta)

    opening.set_hours(atlanta, [MORNING], by=manager)
    with pytest.raises(Http404):
        opening.set_hours(marietta, [MORNING], by=manager)


def test_the_desk_sets_no_hours(atlanta, desk):
    with pytest.raises(PermissionDenied):
        opening.set_hours(atlanta, [MORNING], by=desk)


def test_a_closure_of_several_clinics_is_a_row_each(atlanta, marietta, owner, day):
    made = opening.close([atlanta, marietta], starts_on=day, ends_on=day, reason="Flood", by=owner)

    assert {c.location for c in made} == {atlanta, marietta} == {c.location for c in Closure.objects.all()}


def test_a_holiday_of_the_group_is_one_row_and_the_owners(atlanta, owner, day):
    with pytest.raises(PermissionDenied):
        opening.close(None, starts_on=day, ends_on=day, reason="Holiday", by=make.user("manager", atlanta))

    (made,) = opening.close(None, starts_on=day, ends_on=day, reason=" Holiday ", by=owner)

    assert (made.location, made.reason) == (None, "Holiday")


@pytest.mark.parametrize(
    ("starts", "ends", "reason", "field"),
    [(1, 0, "Flood", "ends_on"), (-3, -2, "Flood", "ends_on"), (1, 93, "Flood", "ends_on"), (1, 1, " ", "reason")],
)
def test_a_closure_that_makes_no_sense_is_refused(atlanta, owner, starts, ends, reason, field):
    today = atlanta.today()

    with pytest.raises(RuleBroken) as refused:
        opening.close([atlanta], starts_on=today + timedelta(starts), ends_on=today + timedelta(ends), reason=reason,
                      by=owner)  # fmt: skip

    assert list(refused.value.fields) == [field]


def test_nothing_is_closed_twice(atlanta, marietta, owner, day):
    opening.close([atlanta], starts_on=day, ends_on=day + timedelta(2), reason="Flood", by=owner)

    with pytest.raises(RuleBroken, match="Atlanta is closed then already: Flood"):
        opening.close([atlanta, marietta], starts_on=day, ends_on=day, reason="Party", by=owner)
    opening.close(None, starts_on=day, ends_on=day, reason="Holiday", by=owner)

    assert Closure.objects.count() == 2


def test_a_closure_of_no_clinic_is_refused(owner, day):
    with pytest.raises(RuleBroken, match="at least one clinic"):
        opening.close([], starts_on=day, ends_on=day, reason="Flood", by=owner)


def test_a_closure_is_taken_back(atlanta, owner, day):
    (made,) = opening.close([atlanta], starts_on=day, ends_on=day, reason="Flood", by=owner)

    opening.reopen(made, by=owner)

    assert not Closure.objects.exists()
    assert AuditEntry.objects.get(action="closure.taken_back").detail["reason"] == "Flood"
