"""Hours that would have somebody at two clinics at once, also when one of the clinics gets another clock."""

from datetime import time, timedelta
from random import Random

import pytest
import time_machine

from appointments.models import ExtraHours, WeeklyHours
from appointments.timetable import meeting_hours, zone_change
from clinic.errors import RuleBroken
from locations.models import Closure, Location
from tests import make
from tests.make import MONDAY, at

CENTRAL, ARIZONA = "America/Chicago", "America/Phoenix"
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(at(9, day=MONDAY - 4 * DAY), tick=False) as travel:
        yield travel


@pytest.fixture
def chiro(atlanta, marietta):
    return make.practitioner(atlanta, marietta, name="Robin Sample", days=[])


@pytest.fixture
def works(chiro):
    """`works(place, 9, 12, weekday=0, …)`: every week, or with `day` once."""

    def add(place, starts, ends, *, person=chiro, day=None, **rule):
        hours = {"practitioner": person, "location": place, "starts": time(starts), "ends": time(ends)}
        if day:
            return ExtraHours.objects.create(**hours, day=day, **rule)
        return WeeklyHours.objects.create(**hours, **{"weekday": 0, **rule})

    return add


def refused(place, owner, zone=CENTRAL):
    """What the change of the zone is refused with, or nothing; then it is taken back."""
    try:
        zone_change.change(place, zone, by=owner, reason="Entered wrongly")
    except RuleBroken as error:
        refusal = error
    else:
        return ""
    assert refusal.code == "overlapping_hours"
    assert refusal.fields == {"time_zone": refusal.message}
    assert Location.objects.get(pk=place.pk).time_zone == "America/New_York"
    return refusal.message


# Atlanta goes from Eastern to Central: nine o'clock there is ten o'clock at Marietta from then on.


def test_weekly_hours_of_both(works, atlanta, marietta, owner):
    works(atlanta, 9, 12)
    works(marietta, 12, 15)

    assert refused(atlanta, owner) == (
        "Robin Sample, DC: Monday 9:00 AM to 12:00 PM here would overlap Monday 12:00 PM to 3:00 PM at Marietta, "
        "first on Monday, January 4, 2027."
    )


def test_hours_that_only_touch_are_no_matter(works, atlanta, marietta, owner):
    works(atlanta, 9, 11)
    works(marietta, 12, 15)

    assert refused(atlanta, owner) == ""


@pytest.mark.parametrize("extra_at", ["here", "there", "both"])
def test_extra_hours_of_either_or_both(extra_at, works, atlanta, marietta, owner):
    works(atlanta, 9, 12, **({"day": MONDAY} if extra_at in ("here", "both") else {}))
    works(marietta, 12, 15, **({"day": MONDAY} if extra_at in ("there", "both") else {}))

    said = refused(atlanta, owner)

    here = "the extra hours on Monday, January 4, 2027, 9:00 AM to 12:00 PM here"
    assert (here in said) == (extra_at != "there")
    assert "at Marietta" in said


def test_extra_hours_of_other_days_are_no_matter(works, atlanta, marietta, owner):
    works(atlanta, 9, 12, day=MONDAY)
    works(marietta, 12, 15, day=MONDAY + DAY)
    works(marietta, 12, 15, weekday=1)

    assert refused(atlanta, owner) == ""


def test_extra_hours_that_are_over_are_no_matter(works, atlanta, marietta, owner):
    works(atlanta, 9, 12, day=MONDAY - 7 * DAY)
    works(marietta, 12, 15)

    assert refused(atlanta, owner) == ""


@pytest.mark.parametrize(
    ("here", "there", "meets"),
    [
        ({"valid_until": MONDAY - DAY}, {}, False),  # over by the first Monday
        ({"valid_until": MONDAY}, {}, True),
        ({"valid_until": MONDAY}, {"valid_from": MONDAY + DAY}, False),
        ({"valid_until": MONDAY}, {"valid_from": MONDAY}, True),
        ({"valid_from": MONDAY + 40 * WEEK}, {}, True),
        ({"valid_from": MONDAY + 40 * WEEK}, {"valid_until": MONDAY + 39 * WEEK}, False),
        ({"valid_from": MONDAY - 200 * WEEK}, {"valid_from": MONDAY - 200 * WEEK}, True),
        ({"valid_from": MONDAY - 200 * WEEK, "valid_until": MONDAY - 100 * WEEK}, {}, False),
    ],
)
def test_hours_meet_only_while_both_are_in_effect(here, there, meets, works, atlanta, marietta, owner):
    works(atlanta, 9, 12, **here)
    works(marietta, 12, 15, **there)

    assert bool(refused(atlanta, owner)) is meets


@pytest.mark.parametrize(
    ("here", "there", "first"),
    [
        ((2, 0), (2, 1), None),  # every second week, in turn
        ((2, 0), (2, 0), MONDAY),
        ((2, 1), (1, 0), MONDAY + WEEK),
        ((2, 0), (3, 1), MONDAY + 4 * WEEK),
        ((7, 0), (8, 7), MONDAY + 7 * WEEK),
        ((7, 1), (8, 0), MONDAY + 8 * WEEK),
        ((7, 0), (8, 1), MONDAY + 49 * WEEK),
    ],
)
def test_hours_of_every_few_weeks_meet_when_their_weeks_do(here, there, first, works, atlanta, marietta, owner):
    for place, (weeks, turn), hours in ((atlanta, here, (9, 12)), (marietta, there, (12, 15))):
        works(place, *hours, every_weeks=weeks, valid_from=MONDAY + turn * WEEK)

    said = refused(atlanta, owner)

    assert said.endswith(f"first on Monday, {first:%B} {first.day}, {first.year}.") if first else said == ""


def test_two_clocks_that_differ_for_a_part_of_the_year_only(works, atlanta, marietta, owner):
    """Arizona has no summer time: two hours behind Atlanta in winter, three in summer."""
    works(atlanta, 9, 12, weekday=2)
    works(marietta, 14, 15, weekday=2)

    said = refused(atlanta, owner, ARIZONA)

    assert said.endswith("first on Wednesday, March 17, 2027.")


def test_hours_over_midnight_meet_those_of_the_next_day(works, atlanta, marietta, owner):
    works(atlanta, 22, 6, weekday=6, ends_next_day=True, valid_until=MONDAY - DAY)
    works(marietta, 6, 9, valid_from=MONDAY)

    assert "Sunday 10:00 PM to 6:00 AM on the next day here" in refused(atlanta, owner)


def test_and_the_last_of_hours_that_end_on_the_day_before_the_others_begin(works, atlanta, marietta):
    night = works(atlanta, 22, 6, weekday=6, ends_next_day=True, valid_until=MONDAY - DAY)
    morning = works(marietta, 5, 9, valid_from=MONDAY)

    found = meeting_hours.first(night, morning)

    assert (found.day, found.other_day) == (MONDAY - DAY, MONDAY)
    assert meeting_hours.first(morning, night).day == MONDAY


def test_everybody_who_would_be_at_two_places_is_named(works, atlanta, marietta, nashville, owner):
    other = make.practitioner(atlanta, name="Ada Other", days=[])
    works(atlanta, 9, 12)
    works(marietta, 12, 15)
    works(atlanta, 9, 12, person=other, weekday=3)
    works(nashville, 11, 13, person=other, weekday=3)  # one hour behind, as Atlanta then

    said = refused(atlanta, owner)

    assert said.startswith("Ada Other, DC: Thursday")
    assert "; Robin Sample, DC: Monday" in said


def test_of_many_the_first_are_named_and_the_others_counted(works, atlanta, marietta, owner):
    for weekday in range(7):
        works(atlanta, 9, 12, weekday=weekday)
        works(marietta, 12, 15, weekday=weekday)

    assert refused(atlanta, owner).endswith("; and 2 more.")


def test_who_left_and_clinics_that_closed_are_in_nobodys_way(works, atlanta, marietta, owner, chiro):
    works(atlanta, 9, 12)
    works(marietta, 12, 15)
    Location.objects.filter(pk=marietta.pk).update(is_open=False)
    assert refused(atlanta, owner) == ""
    Location.objects.filter(pk=marietta.pk).update(is_open=True)
    atlanta.refresh_from_db()
    type(chiro).objects.filter(pk=chiro.pk).update(is_active=False)
    assert refused(marietta, owner, CENTRAL) == ""


def test_days_on_which_a_clinic_is_closed_do_not_count(works, atlanta, marietta, owner):
    works(atlanta, 9, 12, day=MONDAY)
    works(marietta, 12, 15)
    Closure.objects.create(location=marietta, starts_on=MONDAY, ends_on=MONDAY, reason="Paint")

    assert refused(atlanta, owner) == ""


def test_hours_here_and_there_are_read_by_a_few_queries(works, atlanta, marietta, django_assert_max_num_queries):
    for weekday in range(7):
        works(atlanta, 9, 12, weekday=weekday)
        works(marietta, 13, 15, weekday=weekday)
        works(atlanta, 18, 19, day=MONDAY + weekday * DAY)

    with django_assert_max_num_queries(3):
        meeting_hours.refuse_at(atlanta)


@pytest.mark.parametrize("seed", range(20))
def test_it_finds_what_a_walk_over_every_minute_finds(seed, works, atlanta, marietta):
    """Against an oracle: each minute of four months, by the plain rules."""
    chance = Random(seed)
    Location.objects.filter(pk=marietta.pk).update(time_zone=chance.choice([CENTRAL, ARIZONA, "America/New_York"]))
    marietta.refresh_from_db()
    rows = []
    for place in (atlanta, marietta):
        begins = MONDAY + timedelta(days=chance.randrange(0, 60))
        starts = chance.randrange(0, 23)
        length = chance.randrange(1, 5)
        rows.append(
            works(
                place, starts, (starts + length) % 24, weekday=chance.randrange(7), valid_from=begins,
                valid_until=begins + timedelta(days=chance.randrange(0, 60)), every_weeks=chance.randrange(1, 5),
                ends_next_day=starts + length >= 24,
            )
        )  # fmt: skip

    both = set.intersection(*({minute for span in _walk(row) for minute in span} for row in rows))

    assert (meeting_hours.first(*rows) is not None) == bool(both)


def _walk(row):
    """By every day from its first to its last, as its docstring says: a weekday, and each n-th week from the first."""
    monday = row.valid_from - timedelta(days=row.valid_from.weekday())
    for n in range((row.valid_until - row.valid_from).days + 1):
        day = row.valid_from + n * DAY
        if day.weekday() == row.weekday and (day - monday).days // 7 % row.every_weeks == 0:
            ends_on = day + DAY if row.ends_next_day else day
            zone = row.location.time_zone
            first = int(make.at(row.starts.hour, day=day, zone=zone).timestamp()) // 60
            yield range(first, int(make.at(row.ends.hour, day=ends_on, zone=zone).timestamp()) // 60)
