from datetime import UTC, timedelta

import pytest
import time_machine
from icalendar import Calendar

from appointments import booking, visit_status
from appointments.mails import calendar_file
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def visit(chiro, atlanta, adjustment, desk, patient):
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(10), by=desk
    )


def entry(visit):
    return Calendar.from_ical(calendar_file.render(visit)).walk("VEVENT")[0]


def test_entry_says_when_in_the_zone_of_the_place(visit):
    calendar = Calendar.from_ical(calendar_file.render(visit))

    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["America/New_York"]
    assert entry(visit).start.astimezone(UTC) == visit.starts_at
    assert entry(visit)["DTSTART"].params["TZID"] == "America/New_York"
    assert entry(visit)["DTEND"].dt.astimezone(UTC) == visit.ends_at


def test_method_stands_in_the_body_and_in_the_mime_type(visit, desk):
    (asked,) = calendar_file.attachments([visit])
    visit_status.cancel(visit, by=desk)
    (taken_back,) = calendar_file.attachments([visit])

    methods = [(p.content_type.rpartition("; ")[2], str(Calendar.from_ical(p.content)["METHOD"]))
               for p in (asked, taken_back)]  # fmt: skip
    assert methods == [('method="REQUEST"', "REQUEST"), ('method="CANCEL"', "CANCEL")]


def test_uid_stays_and_sequence_rises(visit, desk):
    entries = [entry(visit)]
    visit = booking.reschedule(visit, starts_at=make.at(11), by=desk)
    entries.append(entry(visit))
    visit_status.cancel(visit, by=desk)
    entries.append(entry(visit))

    assert len({str(e["UID"]) for e in entries}) == 1
    assert [e["SEQUENCE"] for e in entries] == [0, 1, 2]
    assert [str(e["STATUS"]) for e in entries] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]


def test_title_says_nothing_about_health_or_name(visit):
    text = calendar_file.render(visit).decode()

    assert str(entry(visit)["SUMMARY"]) == "Your visit"
    assert [w for w in (visit.patient.family_name, visit.type.name, "DC") if w in text] == []
    assert f"mailto:{visit.patient.email}" in text.replace("\r\n ", "")


def test_summer_time_is_right_on_the_clients_side(patient, chiro, atlanta, adjustment, desk):
    summer = make.at(10, day=make.MONDAY + timedelta(weeks=26))

    visit = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=summer, by=desk
    )

    assert entry(visit).start.astimezone(UTC) == summer.astimezone(UTC)
    assert "TZNAME:EDT" in calendar_file.render(visit).decode()


def test_long_and_odd_words_survive_and_no_line_is_longer_than_allowed(visit):
    visit.location.name = "Clínica; «Ñandú», a\\b " + "é" * 90
    visit.patient.email = f"{'a' * 60}@{'b' * 50}.example.org"
    content = calendar_file.render(visit)
    event = Calendar.from_ical(content).walk("VEVENT")[0]

    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert str(event["LOCATION"]).startswith(visit.location.name)
    assert str(event["ATTENDEE"]) == f"mailto:{visit.patient.email}"
    assert (event["SEQUENCE"], str(event["UID"])) == (0, f"{visit.uid}@atlas")
    assert event["DTSTAMP"].dt == NOW.astimezone(UTC)
