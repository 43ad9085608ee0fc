"""Calendars to subscribe to, of a patient and of a practitioner."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from icalendar import Calendar

from appointments import booking, visit_status
from appointments.mails import calendar_file
from appointments.models import Appointment, ExtraHours
from appointments.online import calendar_feeds
from clinic import tokens
from clinic.models import AuditEntry, Link
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def visit(patient, chiro, atlanta, adjustment, desk):
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(10), by=desk
    )


@pytest.fixture
def feed(visit, desk):
    address = calendar_feeds.make(visit.patient, by=desk)
    return address[address.index("/my/") :]


@pytest.fixture
def work_feed(visit, chiro):
    address = calendar_feeds.make(chiro, by=chiro.user)
    return address[address.index("/my/") :]


def _book(patient, person, place, kind, at):
    booking.book(
        patient=patient, practitioner=person, location=place, type=kind, starts_at=at, by=None, by_whom="patient"
    )


def entries(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


def test_visit_has_the_uid_of_the_mail_and_a_rising_sequence(client, visit, feed, desk):
    in_mail = Calendar.from_ical(calendar_file.render(visit)).walk("VEVENT")[0]
    first = entries(client, feed)[0]
    booking.reschedule(visit, starts_at=make.at(11), by=desk)
    moved = entries(client, feed)[0]
    visit_status.cancel(Appointment.objects.get(), by=desk)
    cancelled = entries(client, feed)[0]

    assert first["uid"] == moved["uid"] == cancelled["uid"] == in_mail["uid"]
    assert [one["sequence"] for one in (first, moved, cancelled)] == [0, 1, 2]
    assert [one["status"] for one in (first, moved, cancelled)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert moved.decoded("dtstart") == make.at(11)


def test_feed_of_a_patient_has_no_word_about_health_nor_of_anybody_else(client, visit, feed, atlanta, chiro, desk):
    content = client.get(feed).content.decode()

    assert "SUMMARY:Your visit" in content
    for word in (visit.type.name, visit.patient.family_name, visit.patient.given_name, "Robin", visit.patient.email):
        assert word.lower() not in content.lower()


def test_feed_of_a_practitioner_shows_initials_only(client, visit, work_feed):
    content = client.get(work_feed).content.decode()

    assert "SUMMARY:A. T." in content
    for word in (visit.patient.family_name, visit.patient.given_name, visit.type.name, visit.patient.email):
        assert word.lower() not in content.lower()


def test_feed_in_the_language_of_the_patient(client, visit, feed, patient):
    patient.language = "es"
    patient.save()

    assert "SUMMARY:Su visita" in client.get(feed).content.decode()


@pytest.mark.parametrize("zone", ["America/New_York", "America/Chicago"])
def test_wall_clock_is_right_on_both_sides_of_both_changes(client, adjustment, desk, zone, clock):
    place = make.location("spot", zone)
    person = make.practitioner(place)
    patient = make.patient(place)
    clock.move_to(datetime(2027, 3, 1, 12, tzinfo=ZoneInfo(zone)))
    wanted = []
    for day in (date(2027, 3, 12), date(2027, 3, 15), date(2027, 11, 5), date(2027, 11, 8)):
        at = make.at(10, day=day, zone=zone)
        booking.book(
            patient=patient,
            practitioner=person,
            location=place,
            type=adjustment,
            starts_at=at,
            by=None,
            by_whom="patient",
        )
        wanted.append(at)
    address = calendar_feeds.make(patient, by=None, by_whom="patient")
    found = entries(client, address[address.index("/my/") :])

    assert [one.decoded("dtstart") for one in found] == wanted
    assert {one.decoded("dtstart").hour for one in found} == {10}
    assert {one["dtstart"].params["TZID"] for one in found} == {zone}


def test_second_pass_of_the_repeated_hour_is_that_instant(client, adjustment, atlanta, clock):
    night = date(2027, 11, 7)
    clock.move_to(make.at(9, day=date(2027, 11, 1)))
    person = make.practitioner(atlanta)
    ExtraHours.objects.create(practitioner=person, location=atlanta, day=night, starts=time(0, 30), ends=time(4))
    zone = ZoneInfo("America/New_York")
    wanted = [datetime(2027, 11, 7, 1, 30, fold=fold, tzinfo=zone) for fold in (0, 1)]
    for at in wanted:
        _book(make.patient(atlanta), person, atlanta, adjustment, at)
    address = calendar_feeds.make(person, by=None, by_whom="test")
    found = entries(client, address[address.index("/my/") :])

    assert [one.decoded("dtstart").timestamp() for one in found] == [at.timestamp() for at in wanted]


def test_unchanged_is_said_in_short_and_changed_is_sent(client, visit, feed, desk, clock):
    first = client.get(feed)
    same = client.get(feed, headers={"if-none-match": first["ETag"]})
    by_date = client.get(feed, headers={"if-modified-since": first["Last-Modified"]})
    clock.shift(timedelta(hours=1))
    visit_status.confirm(visit, by=desk)
    booking.reschedule(Appointment.objects.get(), starts_at=make.at(11), by=desk)
    changed = client.get(feed, headers={"if-none-match": first["ETag"]})

    assert [same.status_code, by_date.status_code, changed.status_code] == [304, 304, 200]
    assert changed["ETag"] != first["ETag"]


def test_bytes_are_the_same_until_something_happens(client, visit, feed, clock):
    first = client.get(feed).content
    clock.shift(timedelta(hours=3))

    assert client.get(feed).content == first


def test_few_questions_whatever_the_number_of_visits(
    client, patient, chiro, atlanta, adjustment, desk, feed, work_feed, django_assert_num_queries
):
    for hour in range(11, 16):
        booking.book(
            patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(hour), by=desk
        )
    with django_assert_num_queries(2):
        assert len(entries(client, feed)) == 6
    with django_assert_num_queries(3):
        assert len(entries(client, work_feed)) == 6


def test_revoked_replaced_and_wrong_addresses_look_all_the_same(client, visit, feed, desk, clock):
    second = calendar_feeds.make(visit.patient, by=desk)
    second = second[second.index("/my/") :]
    foreign = tokens.issue_link(purpose="visit", on=visit, expires_at=visit.ends_at)
    assert client.get(second).status_code == 200
    answers = [client.get(feed), client.get("/my/calendar/x.ics"), client.get(reverse("calendar-feed", args=[foreign]))]
    calendar_feeds.revoke(visit.patient, by=desk)
    answers.append(client.get(second))

    assert {one.status_code for one in answers} == {410}
    assert len({one.content for one in answers}) == 1
    assert [e.action for e in AuditEntry.objects.filter(action__startswith="calendar_feed").order_by("pk")] == [
        "calendar_feed.made", "calendar_feed.made", "calendar_feed.revoked"
    ]  # fmt: skip


def test_who_left_has_no_feed(client, chiro, work_feed):
    assert client.get(work_feed).status_code == 200
    chiro.is_active = False
    chiro.save()

    assert client.get(work_feed).status_code == 410


def test_reading_writes_nothing(client, visit, feed):
    before = list(Link.objects.values())
    client.get(feed)
    client.head(feed)

    assert list(Link.objects.values()) == before


def test_patient_makes_and_ends_an_address_with_the_birth_date(client, visit):
    token = tokens.issue_link(purpose="visit", on=visit, expires_at=visit.ends_at)
    url = reverse("visit-link-feed", args=[token])
    wrong = client.post(url, {"step": "make", "born_on": "1990-01-01"})
    made = client.post(url, {"step": "make", "born_on": "1991-11-14"})
    address = made.context["address"]

    assert wrong.status_code == 400
    assert client.get(address[address.index("/my/") :]).status_code == 200
    assert address not in client.get(url).content.decode()
    client.post(url, {"step": "revoke", "born_on": "1991-11-14"})
    assert client.get(address[address.index("/my/") :]).status_code == 410


def test_desk_and_practitioner_make_theirs(client, visit, desk, chiro):
    client.force_login(desk)
    url = f"{reverse('patient-feed')}?patient={visit.patient_id}"
    page = client.post(url, {"step": "make"})
    assert "/my/calendar/" in page.content.decode()
    assert (
        client.get(f"{reverse('patient-feed')}?patient={visit.patient_id}").content.decode().count("/my/calendar/") == 0
    )
    assert client.post(reverse("practitioner-feed", args=[chiro.pk])).status_code == 403
    client.force_login(chiro.user)
    page = client.post(reverse("practitioner-feed", args=[chiro.pk]), {"step": "make"})
    assert "/my/calendar/" in page.content.decode()


def test_nobody_makes_a_feed_of_a_colleague(client, chiro, atlanta):
    other = make.practitioner(atlanta)
    client.force_login(other.user)

    assert client.post(reverse("practitioner-feed", args=[chiro.pk]), {"step": "make"}).status_code == 404
    assert not Link.objects.exists()
