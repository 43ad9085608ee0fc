import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils import timezone

from clinic import times

TWICE = {
    "America/New_York": [(5, "1:30 AM EDT"), (6, "1:30 AM EST")],
    "America/Chicago": [(6, "1:30 AM CDT"), (7, "1:30 AM CST")],
}


def written(at, form="{{ at|zoned:'g:i A' }}"):
    return Template(form).render(Context({"at": at}))


@pytest.mark.parametrize("zone", TWICE)
def test_the_hour_that_comes_twice_is_named(zone):
    for hour, expected in TWICE[zone]:
        instant = datetime(2027, 11, 7, hour, 30, tzinfo=UTC)
        assert written(times.local(instant, zone)) == expected
        with timezone.override(zone):
            assert written(instant) == expected  # as a plain instant within {% timezone %}
        assert written(times.local(instant, zone), "{{ at|zone }}") == expected[-3:]


def test_an_ordinary_day_and_nothing():
    assert written(times.local(datetime(2027, 7, 1, 14, tzinfo=UTC), "America/New_York")) == "10:00 AM EDT"
    assert (written(None), written(None, "{{ at|zone }}"), written("")) == ("", "", "")


def test_no_template_leaves_the_zone_to_django():
    """`date:"… e"` writes no zone in the hour that comes twice."""
    found = [
        f"{path.name}: {said}"
        for app in ("clinic", "locations", "patients", "appointments", "evaluations", "careplans", "dashboard")
        for path in Path(settings.ROOT, app, "templates").rglob("*.*")
        for said in re.findall(r"""\|(?:date|time):["'][^"']*\be\b[^"']*["']""", path.read_text())
    ]

    assert found == []


@pytest.mark.parametrize("zone", TWICE)
def test_where_the_zone_goes_without_saying_it_is_said_in_that_hour_only(zone):
    form = "{{ at|clock:'g:i A' }}"
    for hour, expected in TWICE[zone]:
        assert written(times.local(datetime(2027, 11, 7, hour, 30, tzinfo=UTC), zone), form) == expected
    assert written(times.local(datetime(2027, 11, 7, 18, tzinfo=UTC), zone), form) in {"1:00 PM", "12:00 PM"}
    assert written(None, form) == ""
