"""What is held for somebody who has not verified it yet ends with what it was held for."""

import pytest

from appointments import visit_types
from appointments.models import Appointment, Hold
from clinic import times
from locations import opening, places, rooms, staffing
from tests.make import MONDAY


def close(robin, visit_type, atlanta, owner):
    places.set_open(atlanta, is_open=False, by=owner)


def close_the_day(robin, visit_type, atlanta, owner):
    opening.close([atlanta], starts_on=MONDAY, ends_on=MONDAY, reason="Flood", by=owner)


def stop_the_practitioner(robin, visit_type, atlanta, owner):
    staffing.offer_online(robin, is_offered=False, by=owner)


def lock_the_practitioner_out(robin, visit_type, atlanta, owner):
    staffing.set_active(robin.user, is_active=False, by=owner)


def stop_the_type(robin, visit_type, atlanta, owner):
    visit_types.amend(visit_type, is_bookable_online=False, by=owner)


@pytest.mark.parametrize("end", [close, close_the_day, stop_the_practitioner, lock_the_practitioner_out, stop_the_type])
def test_the_time_is_free_and_the_link_says_so(client, link, robin, visit_type, atlanta, owner, end):
    url = link()
    held = Hold.objects.get()
    end(robin, visit_type, atlanta, owner)
    seen, pressed = client.get(url), client.post(url, {"step": "book"})

    held.refresh_from_db()
    assert held.held_until <= times.now()
    assert "Kept until" not in seen.content.decode()
    assert (seen.status_code, pressed.status_code) == (200, 409)
    assert not Appointment.objects.exists()


def test_what_is_still_possible_is_held_on(client, link, robin, visit_type, atlanta, owner):
    url = link()
    visit_types.amend(visit_type, buffer_after=5, by=owner)
    opening.close([atlanta], starts_on=MONDAY.replace(day=11), ends_on=MONDAY.replace(day=11), reason="Flood",
                       by=owner)  # fmt: skip

    assert Hold.objects.get().held_until > times.now()
    assert client.post(url, {"step": "book"}).status_code == 200


def test_a_time_whose_room_goes_is_booked_in_another(client, link, atlanta, owner):
    url = link()
    room = Hold.objects.get().room
    rooms.set_open(room, is_open=False, by=owner)

    assert client.post(url, {"step": "book"}).status_code == 200
    assert Appointment.objects.get().room != room
