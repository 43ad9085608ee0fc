"""The patient moves a visit by the link in a mail, or asks for an earlier day."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import booking
from appointments.models import Appointment, WaitlistEntry
from appointments.online import visit_links
from clinic import tokens
from clinic.models import Link
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
BORN = "1991-11-14"


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
def token(visit):
    return tokens.issue_link(purpose="visit", on=visit, expires_at=visit.ends_at)


@pytest.fixture
def url(token):
    return reverse("visit-link-move", args=[token])


def mark(starts_at, practitioner, place="atlanta"):
    return f"{starts_at.isoformat()}|{place}|{practitioner.pk}"


def chosen(chiro, at=None, **more):
    return {"to": mark(at or make.at(11), chiro), "seen": 0, "born_on": BORN, **more}


def offered(page):
    return re.findall(r'name="to" value="([^"]+)"', page.content.decode())


def where(visit):
    return Appointment.objects.values_list("starts_at", "practitioner", "sequence", "status").get(pk=visit.pk)


def test_page_offers_what_the_engine_finds_in_the_zone_of_the_clinic(client, visit, url):
    page = client.get(url)
    content = page.content.decode()

    assert page.status_code == 200
    assert len(offered(page)) > 100
    assert len(re.findall("<summary>", content)) == 5
    assert "Monday, January 4, 2027" in content
    assert "9:15 AM" in content
    assert content.count("(EST)") == 5
    assert f"2027-01-04T15:00:00Z|atlanta|{visit.practitioner_id}" not in offered(page)  # where it is now
    assert visit.patient.family_name not in content


def test_each_offered_time_can_be_had_and_later_days_go_on(client, visit, url, chiro):
    first = client.get(url)
    later = re.search(r"\?from=(\d{4}-\d\d-\d\d)", first.content.decode())[1]
    second = client.get(url, {"from": later})

    assert not set(offered(first)) & set(offered(second))
    answer = client.post(url, {"to": offered(second)[-1], "seen": 0, "born_on": BORN})
    assert answer.status_code == 200
    assert "Your visit is moved" in answer.content.decode()


def test_moving_tells_the_history_and_asks_to_confirm_anew(client, visit, url, chiro):
    visit_links.confirm(visit, seen=visit.sequence)
    answer = client.post(url, chosen(chiro))

    assert answer.status_code == 200
    assert where(visit) == (make.at(11), chiro.pk, 1, "booked")
    last = visit.history.last()
    assert (last.step, last.by, last.by_whom) == ("rescheduled", None, "patient")


def test_same_button_twice_moves_once(client, visit, url, chiro):
    answers = [client.post(url, chosen(chiro)).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert visit.history.filter(step="rescheduled").count() == 1


def test_replayed_after_it_was_moved_on_moves_nothing(client, visit, url, chiro, desk):
    client.post(url, chosen(chiro))
    booking.reschedule(Appointment.objects.get(), starts_at=make.at(14), by=desk)
    answer = client.post(url, chosen(chiro))

    assert answer.status_code == 409
    assert where(visit)[0] == make.at(14)


def test_lost_time_leaves_the_visit_and_shows_others(client, visit, url, chiro, atlanta, adjustment, desk):
    other = make.patient(atlanta, given="Quill", family="Otherperson")
    booking.book(patient=other, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(11), by=desk)
    answer = client.post(url, chosen(chiro))
    content = answer.content.decode()

    assert answer.status_code == 409
    assert "just been taken" in content
    assert offered(answer)
    assert "Otherperson" not in content
    assert "Quill" not in content
    assert where(visit)[0] == make.at(10)


@pytest.mark.parametrize(
    "at",
    [
        make.at(11, 7),  # not a start of the type
        make.at(7),  # outside the hours
        NOW - timedelta(days=1),
        NOW + timedelta(minutes=1),
    ],
)
def test_time_that_is_not_offered_is_not_given(client, visit, url, chiro, at):
    assert client.post(url, chosen(chiro, at)).status_code == 409
    assert where(visit)[0] == make.at(10)


def test_notice_of_the_type_counts(client, visit, url, chiro, adjustment):
    adjustment.notice_minutes = 60 * 24 * 5
    adjustment.save()

    assert not [one for one in offered(client.get(url)) if one.startswith("2027-01-04")]
    assert client.post(url, chosen(chiro)).status_code == 409


def test_other_clinics_and_made_up_people_are_not_reached(client, visit, url, chiro, nashville):
    elsewhere = make.practitioner(nashville)
    for to in (mark(make.at(11), elsewhere, "nashville"), mark(make.at(11), elsewhere), "x", "", "1|2|3",
               "2027-01-04T16:00:00Z|atlanta|9999999", "2027-01-04T16:00:00Z"):  # fmt: skip
        assert client.post(url, chosen(chiro, to=to)).status_code in {400, 409}
    assert where(visit) == (make.at(10), chiro.pk, 0, "booked")


def test_others_at_the_clinic_when_asked_for(client, visit, url, chiro, atlanta):
    other = make.practitioner(atlanta, name="Sky Second")

    assert "Sky Second" not in client.get(url).content.decode()
    page = client.get(url, {"with": "anybody"})
    answer = client.post(url, chosen(chiro, to=mark(make.at(11), other), **{"with": "anybody"}))

    assert "Sky Second" in page.content.decode()
    assert answer.status_code == 200
    assert where(visit)[1] == other.pk


def test_wrong_birth_dates_move_nothing_and_end_the_link(client, visit, url, chiro):
    answers = [client.post(url, chosen(chiro, born_on="1990-01-01")) for _ in range(5)]

    assert [a.status_code for a in answers] == [400, 400, 400, 400, 410]
    assert f'value="2027-01-04T16:00:00Z|atlanta|{chiro.pk}" checked' in answers[0].content.decode()
    assert client.post(url, chosen(chiro)).status_code == 410
    assert where(visit)[0] == make.at(10)


def test_late_window_of_the_type(client, visit, url, token, chiro, adjustment, clock):
    adjustment.late_cancel_hours = 24
    adjustment.save()
    clock.move_to(make.at(10) - timedelta(hours=24, minutes=1))
    assert "Choose another time" in client.get(reverse("visit-link", args=[token])).content.decode()

    clock.move_to(make.at(10) - timedelta(hours=23, minutes=59))
    page = client.get(reverse("visit-link", args=[token])).content.decode()
    assert "Choose another time" not in page
    assert "less than 24 hours before your visit" in page
    assert not offered(client.get(url))
    assert client.post(url, chosen(chiro)).status_code == 409
    client.post(reverse("visit-link", args=[token]), {"step": "cancel", "seen": visit.sequence, "born_on": BORN})
    assert visit.history.last().reason == "Cancelled by the link in a mail, later than 24 hours before the visit"


def test_in_spanish(client, visit, url, patient):
    patient.language = "es"
    patient.save()

    assert "Cambiar su visita" in client.get(url).content.decode()


@pytest.mark.parametrize("typed", ["2027-13-01", "x" * 4000, "9999-12-31", "0001-01-01", "-1"])
def test_any_day_in_the_address_shows_a_page(client, visit, url, typed):
    assert client.get(url, {"from": typed}).status_code == 200


def test_opening_changes_nothing(client, visit, url, django_assert_max_num_queries):
    before = where(visit), list(Link.objects.values())
    for method in (client.get, client.head):
        with django_assert_max_num_queries(20):
            method(url)

    assert (where(visit), list(Link.objects.values())) == before


# --- an earlier day


def test_waiting_for_an_earlier_day_twice_is_one_entry(client, visit, token, chiro):
    url = reverse("visit-link", args=[token])
    for _ in range(2):
        answer = client.post(url, {"step": "sooner", "seen": 0, "part": ["mornings", "x"], "anybody": "on"})
    entry = WaitlistEntry.objects.get()

    assert "You are on our list for an earlier day" in answer.content.decode()
    assert (entry.sooner_than_id, entry.added_by, entry.by_whom) == (visit.pk, None, "patient")
    assert str(entry.as_wishes) == "mornings"
    assert not entry.practitioners.exists()

    client.post(url, {"step": "not-sooner", "seen": 0})
    again = client.post(url, {"step": "not-sooner", "seen": 0})
    entry.refresh_from_db()
    assert entry.outcome == "withdrawn"
    assert again.status_code == 200
    assert where(visit)[3] == "booked"


def test_wanting_only_the_same_practitioner(client, visit, token, chiro):
    client.post(reverse("visit-link", args=[token]), {"step": "sooner", "seen": 0})

    assert [one.pk for one in WaitlistEntry.objects.get().practitioners.all()] == [chiro.pk]


@pytest.mark.parametrize("said", [{}, {"seen": ""}, {"seen": "0"}, {"seen": "x"}])
def test_an_earlier_day_than_another_time_than_was_shown_is_not_waited_for(client, visit, token, desk, said):
    url = reverse("visit-link", args=[token])
    shown = client.get(url).content.decode()
    booking.reschedule(visit, starts_at=make.at(15), by=desk)

    answer = client.post(url, {"step": "sooner", **said})

    assert (answer.status_code, WaitlistEntry.objects.count()) == (409, 0)
    assert "Your visit was changed meanwhile. This is how it stands now." in answer.content.decode()
    assert shown.count('name="seen" value="0"') == answer.content.decode().count('name="seen" value="1"') == 3
    assert client.post(url, {"step": "sooner", "seen": "1"}).status_code == 200
    listed = client.get(url).content.decode()
    booking.reschedule(visit, starts_at=make.at(16), by=desk)
    stale = client.post(url, {"step": "not-sooner", **said})
    assert (stale.status_code, WaitlistEntry.objects.get().is_waiting) == (409, True)
    assert listed.count('name="seen" value="1"') == 3
    assert client.post(url, {"step": "not-sooner", "seen": "2"}).status_code == 200
    assert not WaitlistEntry.objects.get().is_waiting
