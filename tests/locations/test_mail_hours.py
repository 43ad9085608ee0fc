from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from hypothesis import given
from hypothesis import strategies as st

from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from locations import mail_hours
from locations.mail_hours import Calm
from tests import make

EAST, CENTRAL = "America/New_York", "America/Chicago"  # of the group's clinics
WEEK = Calm(EAST, weekdays=frozenset(range(5)))
SPRING, AUTUMN = date(2027, 3, 14), date(2027, 11, 7)  # Sundays on which the clock changes
FRIDAY = date(2027, 1, 8)


def at(day, hour, minute=0, zone=EAST):
    return make.at(hour, minute, day=day, zone=zone)


@pytest.mark.parametrize(
    ("nominal", "moved"),
    [
        (at(FRIDAY, 10), at(FRIDAY, 10)),
        (at(FRIDAY, 8), at(FRIDAY, 8)),
        (at(FRIDAY, 19, 59), at(FRIDAY, 19, 59)),
        (at(FRIDAY, 20), at(FRIDAY, 19)),
        (at(FRIDAY, 3), at(date(2027, 1, 7), 19)),
        (at(date(2027, 1, 9), 10), at(FRIDAY, 19)),
        (at(date(2027, 1, 11), 7, 59), at(FRIDAY, 19)),
    ],
    ids=["allowed", "first", "last", "evening", "night", "saturday", "before_monday_opens"],
)
def test_what_is_due_in_quiet_hours_moves_earlier(nominal, moved):
    assert WEEK.earlier(nominal) == moved


def test_a_closure_is_no_open_day_and_neither_is_what_leads_up_to_it():
    calm = Calm(EAST, weekdays=frozenset(range(5)), closed=((date(2027, 1, 4), date(2027, 1, 8)),))

    assert calm.earlier(at(date(2027, 1, 6), 12)) == at(date(2027, 1, 1), 19)
    assert calm.later(at(date(2027, 1, 6), 12)) == at(date(2027, 1, 11), 8)


def test_closed_for_longer_than_anybody_would_wait_moves_nothing():
    calm = Calm(EAST, closed=((date(2026, 1, 1), date(2028, 1, 1)),))

    assert calm.earlier(at(FRIDAY, 12)) == calm.later(at(FRIDAY, 12)) == at(FRIDAY, 12)


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("zone", [EAST, CENTRAL])
def test_the_hours_are_those_of_the_wall_clock_when_the_clock_changes(day, zone):
    calm = Calm(zone)

    def here(hour, of=day):
        return at(of, hour, zone=zone)

    assert calm.earlier(here(4)) == here(19, day - timedelta(1))
    assert calm.later(here(4)) == here(8)
    assert [calm.allows(here(8)), calm.allows(here(8) - timedelta(minutes=1))] == [True, False]
    assert [calm.allows(here(20)), calm.allows(here(20) - timedelta(minutes=1))] == [False, True]
    night = here(8).astimezone(UTC) - here(20, day - timedelta(1)).astimezone(UTC)
    assert night == timedelta(hours=11 if day == SPRING else 13)


def test_quiet_hours_that_end_in_the_gap_end_with_it():
    calm = Calm(EAST, quiet_from=time(22), quiet_until=time(2, 30))

    assert calm.later(at(SPRING, 1)) == datetime(2027, 3, 14, 7, tzinfo=UTC)


@pytest.mark.parametrize(("start", "end"), [(time(1, 30), time(8)), (time(22), time(1, 30))])
def test_in_the_hour_that_comes_twice_it_is_quiet_from_the_first_and_until_the_second(start, end):
    calm = Calm(EAST, quiet_from=start, quiet_until=end)
    first, second = (datetime(2027, 11, 7, hour, 30, tzinfo=UTC) for hour in (5, 6))

    if start < end:
        assert not calm.allows(first)
        assert not calm.allows(second)
        assert calm.allows(first - timedelta(minutes=1))
    else:
        assert not calm.allows(second - timedelta(minutes=1))
        assert calm.allows(second)


def test_the_same_hour_twice_is_no_quiet_at_all():
    calm = Calm(EAST, quiet_from=time(8), quiet_until=time(8))

    assert [calm.earlier(at(FRIDAY, hour)) == at(FRIDAY, hour) for hour in (0, 3, 8, 23)] == [True] * 4


SPRING_MINUTES, AUTUMN_MINUTES = (
    st.integers(0, 60 * 24 * 25).map(lambda n, day=day: datetime(*day, tzinfo=UTC) + timedelta(minutes=n))
    for day in ((2027, 3, 1), (2027, 10, 25))
)
ANY_TIME = SPRING_MINUTES | AUTUMN_MINUTES
CALMS = st.builds(
    Calm,
    st.sampled_from([EAST, "America/Chicago", "Australia/Lord_Howe"]),
    st.sampled_from([time(20), time(1, 30), time(0)]),
    st.sampled_from([time(8), time(2, 30), time(0)]),
    st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    st.sampled_from([(), ((date(2027, 3, 10), date(2027, 3, 16)),)]),
)


@given(CALMS, ANY_TIME, st.integers(0, 20_000))
def test_it_never_moves_later_and_whatever_is_due_is_within_reach(calm, nominal, minutes):
    now = nominal - timedelta(minutes=minutes)
    due = calm.earlier(nominal)

    assert due <= nominal
    assert calm.allows(due) or due == nominal
    assert due > now or nominal <= calm.last_moved_to(now)
    assert calm.allows(calm.later(nominal)) or calm.later(nominal) == nominal


@given(CALMS, ANY_TIME, st.integers(0, 600))
def test_what_is_due_earlier_never_moves_behind_what_is_due_later(calm, one, minutes):
    other = one + timedelta(minutes=minutes)

    assert calm.earlier(one) <= calm.earlier(other) + mail_hours.MARGIN


def test_a_location_has_its_own_hours_or_those_of_the_group(atlanta, nashville, owner):
    mail_hours.set_hours(None, quiet_from=time(19), quiet_until=time(9), on_open_days_only=False, by=owner)
    mail_hours.set_hours(nashville, quiet_from=time(21), quiet_until=time(7), on_open_days_only=True, by=owner)

    found = mail_hours.load()

    assert found[atlanta.pk] == Calm(EAST, time(19), time(9))
    assert found[nashville.pk] == Calm("America/Chicago", time(21), time(7), frozenset(range(5)))


def test_forgotten_hours_are_those_of_the_group_again(atlanta, owner):
    mail_hours.set_hours(atlanta, quiet_from=time(21), quiet_until=time(7), on_open_days_only=False, by=owner)

    mail_hours.forget(atlanta, by=owner)
    mail_hours.forget(atlanta, by=owner)

    assert mail_hours.of(atlanta).quiet_from == time(20)
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "mail_hours.set", "mail_hours.forgotten"
    ]  # fmt: skip


def test_reading_them_asks_four_questions_however_many_clinics(atlanta, marietta, nashville, django_assert_num_queries):
    with django_assert_num_queries(4):
        mail_hours.load()


def test_four_hours_of_the_day_must_be_left(owner, db):
    mail_hours.set_hours(None, quiet_from=time(20), quiet_until=time(16), on_open_days_only=True, by=owner)

    with pytest.raises(RuleBroken) as refused:
        mail_hours.set_hours(None, quiet_from=time(20), quiet_until=time(16, 1), on_open_days_only=True, by=owner)

    assert list(refused.value.fields) == ["quiet_until"]


def test_who_may_set_them(atlanta, marietta, desk):
    hours = {"quiet_from": time(20), "quiet_until": time(8), "on_open_days_only": True}
    manager = make.user("manager", atlanta)
    mail_hours.set_hours(atlanta, by=manager, **hours)

    for place, by, refusal in ((atlanta, desk, PermissionDenied), (marietta, manager, Http404),
                               (None, manager, PermissionDenied)):  # fmt: skip
        with pytest.raises(refusal):
            mail_hours.set_hours(place, by=by, **hours)
