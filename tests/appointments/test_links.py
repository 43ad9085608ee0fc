from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from appointments import booking, visit_status
from clinic import tokens
from clinic.models import Link
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def visit(patient, chiro, atlanta, adjustment, desk):
    patient.consents.create(scope="email_reminders", given_at=NOW)
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(10), by=desk
    )


@pytest.fixture
def url(visit):
    token = tokens.issue_link(purpose="visit", on=visit, expires_at=visit.ends_at)
    return reverse("visit-link", args=[token])


@pytest.fixture
def stop_url(visit):
    token = tokens.issue_link(purpose="unsubscribe", on=visit.patient, expires_at=NOW + timedelta(days=90))
    return reverse("visit-mails-stop", args=[token])


def state(visit):
    visit.refresh_from_db()
    links = list(Link.objects.order_by("pk").values_list("revoked_at", "used_at", "wrong_tries"))
    return visit.status, visit.history.count(), visit.patient.consents.filter(withdrawn_at=None).count(), links


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_any_link_changes_nothing(client, visit, url, stop_url, method):
    before = state(visit)

    answers = [getattr(client, method)(address) for address in (url, f"{url}visit.ics", stop_url)]

    assert [a.status_code for a in answers] == [200, 200, 200]
    assert [a["Referrer-Policy"] for a in answers] == ["no-referrer"] * 3
    assert state(visit) == before


def test_confirming_twice_confirms_once(client, visit, url):
    first = client.post(url, {"step": "confirm", "seen": visit.sequence})
    second = client.post(url, {"step": "confirm", "seen": visit.sequence})

    assert (first.status_code, second.status_code) == (200, 200)
    assert list(visit.history.values_list("step", "by", "by_whom")[1:]) == [("confirmed", None, "patient")]


def test_button_works_where_browsers_hide_the_origin(visit, url):
    answer = Client(enforce_csrf_checks=True).post(
        url, {"step": "confirm", "seen": visit.sequence}, headers={"origin": "null"}
    )

    visit.refresh_from_db()
    assert (answer.status_code, visit.status) == (200, "confirmed")


def test_cancel_with_the_birth_date_cancels_and_spends_the_link(client, visit, url, clock):
    """Pressed twice it says the same twice; to who does not know the birth date, and later, it is a spent link."""
    right = {"step": "cancel", "seen": visit.sequence, "born_on": "1991-11-14"}
    done, again = client.post(url, right), client.post(url, right)
    history = visit.history.count()
    others = [client.post(url, right | {"born_on": "1991-11-15"}), client.post(url, {"step": "confirm", "seen": "0"}),
              client.get(url), client.post(f"{url}move/", right)]  # fmt: skip
    clock.shift(tokens.AGAIN_FOR)
    others.append(client.post(url, right))

    visit.refresh_from_db()
    assert (done.status_code, again.status_code, visit.status) == (200, 200, "cancelled")
    assert again.content == done.content
    assert [one.status_code for one in others] == [410] * 5
    assert len({one.content for one in others}) == 1
    assert visit.history.last().by_whom == "patient"
    assert (visit.history.count(), Link.objects.get().wrong_tries) == (history, 1)


def test_a_spent_link_is_no_way_to_guess_the_birth_date(client, visit, url):
    right = {"step": "cancel", "seen": visit.sequence, "born_on": "1991-11-14"}
    client.post(url, right)
    wrong = [client.post(url, right | {"born_on": f"1991-11-{day:02}"}).status_code for day in range(1, 6)]

    assert [*wrong, client.post(url, right).status_code] == [410] * 6


def test_cancel_by_a_confirmed_patient_works(client, visit, url):
    client.post(url, {"step": "confirm", "seen": visit.sequence})
    client.post(url, {"step": "cancel", "seen": visit.sequence, "born_on": "1991-11-14"})

    visit.refresh_from_db()
    assert visit.status == "cancelled"


def test_fifth_wrong_birth_date_kills_the_link(client, visit, url):
    answers = [
        client.post(url, {"step": "cancel", "seen": visit.sequence, "born_on": "1990-01-01"}).status_code
        for _ in range(5)
    ]
    right = client.post(url, {"step": "cancel", "seen": visit.sequence, "born_on": "1991-11-14"})

    visit.refresh_from_db()
    assert answers == [400, 400, 400, 400, 410]
    assert (right.status_code, visit.status) == (410, "booked")


@pytest.mark.parametrize("typed", ["", "yesterday", "0000-00-00", "1991-11-14\x00", "9" * 5000])
def test_birth_date_that_is_none_is_an_error_on_the_field(client, visit, url, typed):
    answer = client.post(url, {"step": "cancel", "seen": visit.sequence, "born_on": typed})

    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["born_on"]
    assert Link.objects.get().wrong_tries == 0


@pytest.mark.parametrize("step", ["confirm", "cancel", "sooner"])
def test_once_it_has_begun_it_is_shown_and_nothing_is_done(client, visit, url, clock, step):
    clock.move_to(visit.starts_at)
    before = state(visit)

    shown = client.get(url).content.decode()
    answer = client.post(url, {"step": step, "seen": visit.sequence, "born_on": "1991-11-14"})

    assert "Monday, January 4, 2027 at 10:00 AM EST" in shown
    assert [word in shown for word in ('value="confirm"', 'value="cancel"', "To move it to another time")] == [
        False, False, True,
    ]  # fmt: skip
    assert (answer.status_code, state(visit)) == (400, before)


def test_unknown_step_is_refused(client, visit, url):
    assert client.post(url, {"step": "complete"}).status_code == 400


def test_links_that_are_no_good_look_all_the_same(client, visit, url, stop_url, clock):
    foreign = stop_url.replace("unsubscribe", "visits")
    pages = [client.get(reverse("visit-link", args=[t])) for t in ("x", "a" * 43, "%00")] + [client.get(foreign)]
    clock.move_to(visit.ends_at)
    pages.append(client.get(url))

    assert {p.status_code for p in pages} == {410}
    assert len({p.content for p in pages}) == 1


def test_link_to_a_visit_cancelled_by_the_desk_is_gone(client, visit, url, desk):
    visit_status.cancel(visit, by=desk)

    assert client.get(url).status_code == 410


def test_unsubscribe_in_one_click_withdraws_the_consent(visit, stop_url):
    client = Client(enforce_csrf_checks=True)

    first = client.post(stop_url, {"List-Unsubscribe": "One-Click"})
    second = client.post(stop_url, {"List-Unsubscribe": "One-Click"})

    assert (first.status_code, second.status_code) == (200, 200)
    assert visit.patient.consents.filter(withdrawn_at=None).count() == 0


def test_unsubscribe_with_a_wrong_link_is_gone(client, visit):
    assert client.post(reverse("visit-mails-stop", args=["x"])).status_code == 410


def test_page_names_the_zone_and_not_the_patient(client, visit, url):
    page = client.get(url).content.decode()

    assert "Monday, January 4, 2027 at 10:00 AM EST" in page
    assert visit.patient.family_name not in page


@pytest.mark.parametrize("said", [{}, {"seen": ""}, {"seen": "x"}, {"seen": "0"}, {"seen": "9" * 400}])
@pytest.mark.parametrize("step", ["confirm", "cancel"])
def test_nobody_confirms_or_cancels_a_time_they_were_not_shown(client, visit, url, desk, step, said):
    booking.reschedule(visit, starts_at=make.at(14), by=desk)
    before = state(visit)

    answer = client.post(url, {"step": step, "born_on": "1991-11-14", **said})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Your visit was changed meanwhile" in page
    assert "2:00" in page
    assert f'name="seen" value="{visit.sequence}"' in page
    assert state(visit) == before


def test_a_moved_visit_that_the_desk_confirmed_is_not_confirmed_by_an_old_page(client, visit, url, desk):
    seen = visit.sequence
    moved = booking.reschedule(visit, starts_at=make.at(14), by=desk)
    visit_status.confirm(moved, by=desk)

    assert client.post(url, {"step": "confirm", "seen": seen}).status_code == 409


def test_the_page_shown_anew_confirms_and_cancels_the_time_it_shows(client, visit, url, desk):
    booking.reschedule(visit, starts_at=make.at(14), by=desk)
    stale = client.post(url, {"step": "confirm", "seen": "0"})
    seen = stale.context["visit"].sequence

    confirmed = client.post(url, {"step": "confirm", "seen": seen})
    cancelled = client.post(url, {"step": "cancel", "seen": seen, "born_on": "1991-11-14"})

    visit.refresh_from_db()
    assert (stale.status_code, confirmed.status_code, cancelled.status_code) == (409, 200, 200)
    assert visit.status == "cancelled"
