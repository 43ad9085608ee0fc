from datetime import time

import pytest
from django.urls import reverse

from appointments import booking
from locations import opening, places, setup_pages
from locations.models import Location, Room
from locations.spans import Span
from tests import make
from tests.access.addresses import ours

FORM = {
    "name": "Macon", "street": "9 Example Street", "city": "Macon", "state": "GA", "postal_code": "31201",
    "time_zone": "America/New_York", "phone": "+1 478 555 0100", "parking": "",
}  # fmt: skip


@pytest.fixture
def manager(atlanta):
    return make.user("manager", atlanta)


@pytest.fixture
def visit(atlanta, chiro, adjustment, patient, desk):
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(9), by=desk
    )


def hours(*rows):
    form = {"hours-TOTAL_FORMS": len(rows), "hours-INITIAL_FORMS": 0}
    for n, (days, starts, ends) in enumerate(rows):
        form |= {f"hours-{n}-days": days, f"hours-{n}-starts": starts, f"hours-{n}-ends": ends}
    return form


def page(client, name, *args, **query):
    return client.get(reverse(name, args=args), query).content.decode()


def test_setup_begins_with_the_clinics(sign_in, owner):
    assert sign_in(owner).get(reverse("setup"))["Location"] == reverse("setup-clinics")
    assert "There is no clinic yet" in page(sign_in(owner), "setup-clinics")


def test_the_list_shows_what_a_clinic_lacks(sign_in, owner, atlanta, marietta, nashville):
    marietta.rooms.all().delete()
    nashville.opening_hours.all().delete()

    shown = page(sign_in(owner), "setup-clinics")

    for expected in ("Not ready: no room", "Not ready: no opening hours", "CST", "4 rooms"):
        assert expected in shown


def test_a_manager_sees_her_clinics_and_founds_none(sign_in, manager, marietta):
    client = sign_in(manager)

    shown = page(client, "setup-clinics")

    assert "Atlanta" in shown
    assert "Marietta" not in shown
    assert reverse("setup-clinic-new") not in shown
    assert client.get(reverse("setup-clinic", args=["marietta"])).status_code == 404
    assert client.get(reverse("setup-clinic-new")).status_code == 403


def test_a_clinic_like_another_is_one_page(sign_in, owner, atlanta):
    client = sign_in(owner)
    assert "2 evaluation rooms, 2 adjusting rooms, the opening hours" in page(client, "setup-clinic-new")

    answer = client.post(reverse("setup-clinic-new"), {**FORM, "like": "atlanta", "minutes_between": "85"})

    macon = Location.objects.get(slug="macon")
    assert answer["Location"] == reverse("setup-clinic", args=["macon"])
    assert (macon.rooms.count(), places.ways_from(macon)) == (4, {atlanta: 85})


def test_a_refused_clinic_keeps_what_was_typed(sign_in, owner, atlanta):
    answer = sign_in(owner).post(reverse("setup-clinic-new"), {**FORM, "name": "Atlanta", "like": "atlanta"})

    shown = answer.content.decode()
    assert "There is a clinic called Atlanta already" in shown
    assert 'value="+1 478 555 0100"' in shown


def test_the_address_is_saved_and_the_zone_left_to_its_own_page(sign_in, owner, visit, atlanta):
    client, address = sign_in(owner), reverse("setup-clinic-details", args=["atlanta"])

    saved = client.post(address, {**FORM, "name": "Atlanta", "time_zone": "America/Chicago"})

    assert saved["Location"] == reverse("setup-clinic", args=["atlanta"]) + "#details"
    atlanta.refresh_from_db()
    assert (atlanta.time_zone, atlanta.phone) == ("America/New_York", "+1 478 555 0100")
    assert 'href="/setup/clinics/atlanta/zone/"' in client.get(saved["Location"]).content.decode()


def test_opening_hours_are_a_time_and_its_days(sign_in, manager, atlanta):
    client = sign_in(manager)

    client.post(
        reverse("setup-clinic-hours", args=["atlanta"]),
        hours((["0", "2"], "08:00", "12:00"), (["5"], "09:00", "13:00"), ([], "", "")),
    )

    morning = {"starts": time(8), "ends": time(12)}
    assert opening.spans_of(atlanta) == [Span(0, **morning), Span(2, **morning), Span(5, time(9), time(13))]
    shown = page(client, "setup-clinic", "atlanta")
    assert 'name="hours-INITIAL_FORMS" value="2"' in shown


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(["0"], "17:00", "09:00")], "Monday 5:00 PM to 9:00 AM ends before it starts"),
        ([(["0"], "08:00", "12:00"), (["0"], "11:00", "17:00")], "overlap"),
        ([(["0"], "08:00", "")], "Until when?"),
        ([([], "08:00", "12:00")], "On which days?"),
    ],
)
def test_refused_hours_keep_what_was_typed(sign_in, manager, atlanta, rows, said):
    before = opening.spans_of(atlanta)

    answer = sign_in(manager).post(reverse("setup-clinic-hours", args=["atlanta"]), hours(*rows))

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert f'value="{rows[0][1]}"' in answer.content.decode()
    assert opening.spans_of(atlanta) == before


def test_rooms_are_added_renamed_closed_and_opened(sign_in, manager, atlanta):
    client = sign_in(manager)
    client.post(reverse("setup-room-new", args=["atlanta"]), {"room-name": "Quiet room", "room-kind": "adjusting"})
    room = Room.objects.get(name="Quiet room")
    typed = {f"room-{room.pk}-name": "Rest room", f"room-{room.pk}-kind": "evaluation"}

    for do, expected in (
        ({}, ("Rest room", True)),
        ({"do": "close"}, ("Rest room", False)),
        ({"do": "open"}, ("Rest room", True)),
    ):
        client.post(reverse("setup-room", args=[room.pk]), {**typed, **do})
        room.refresh_from_db()
        assert (room.name, room.is_open) == expected


def test_a_booked_room_is_not_closed_and_the_page_says_why(sign_in, manager, atlanta, marietta, visit):
    client, pk = sign_in(manager), visit.room_id
    typed = {f"room-{pk}-name": "Renamed", f"room-{pk}-kind": "adjusting", "do": "close"}

    refused = client.post(reverse("setup-room", args=[pk]), typed)

    assert refused.status_code == 400
    assert "Adjusting 1 cannot be closed: 1 visit ahead" in refused.content.decode()
    assert 'value="Renamed"' in refused.content.decode()
    assert client.post(reverse("setup-room", args=[marietta.rooms.first().pk]), typed).status_code == 404


def test_a_second_room_of_the_same_name_is_refused(sign_in, manager, atlanta):
    answer = sign_in(manager).post(
        reverse("setup-room-new", args=["atlanta"]), {"room-name": "Adjusting 1", "room-kind": "adjusting"}
    )

    assert "has a room called Adjusting 1 already" in answer.content.decode()


def test_ways_are_saved_together_or_not_at_all(sign_in, owner, atlanta, marietta, nashville):
    client, address = sign_in(owner), reverse("setup-clinic-ways", args=["atlanta"])
    make.travel(atlanta, nashville, 240)

    refused = client.post(address, {"to-marietta-minutes": "35", "to-nashville-minutes": "far"})
    assert refused.status_code == 400
    assert 'value="far"' in refused.content.decode()
    assert places.ways_from(atlanta) == {nashville: 240}

    client.post(address, {"to-marietta-minutes": "35", "to-nashville-minutes": ""})
    assert places.ways_from(atlanta) == {marietta: 35}


def test_closing_and_deleting_name_what_is_in_the_way(sign_in, owner, atlanta, visit):
    client = sign_in(owner)

    closing = client.post(reverse("setup-clinic-state", args=["atlanta"]), {"do": "close"})
    refused = client.post(reverse("setup-clinic-delete", args=["atlanta"]))
    assert (closing.status_code, refused.status_code) == (409, 409)
    assert "Show them on the calendar" in closing.content.decode()
    assert "1 appointment, 1 patient would be lost" in refused.content.decode()

    type(visit).objects.all().delete()
    client.post(reverse("setup-clinic-state", args=["atlanta"]), {"do": "close"})
    assert "Open Atlanta again" in page(client, "setup-clinic", "atlanta")


def test_a_clinic_set_up_by_mistake_is_deleted(sign_in, owner, atlanta):
    answer = sign_in(owner).post(reverse("setup-clinic-delete", args=["atlanta"]))

    assert answer["Location"] == reverse("setup-clinics")
    assert not Location.objects.exists()


def test_people_are_invited_and_listed(sign_in, owner, atlanta):
    client = sign_in(owner)

    client.post(
        reverse("setup-invite"),
        {"full_name": "Kim Newcomer", "email": "kim@example.org", "role": "desk", "locations": ["atlanta"]},
    )

    shown = page(client, "setup-people")
    for expected in ("Kim Newcomer", "Front desk: Atlanta", "No password yet", "Owner: whole group"):
        assert expected in shown


def test_a_refused_invitation_keeps_what_was_typed(sign_in, owner, atlanta):
    answer = sign_in(owner).post(
        reverse("setup-invite"), {"full_name": "Kim Newcomer", "email": owner.email, "role": "desk"}
    )

    assert "Choose at least one clinic." in answer.content.decode()
    assert 'value="Kim Newcomer"' in answer.content.decode()


def test_roles_and_the_sign_in_of_a_person(sign_in, owner, desk, marietta):
    client = sign_in(owner)
    person = reverse("setup-person", args=[desk.pk])

    client.post(reverse("setup-role-give", args=[desk.pk]), {"role": "manager", "locations": ["marietta"]})
    assert "Location manager" in page(client, "setup-person", desk.pk)
    answer = client.post(reverse("setup-role-take", args=[desk.assignments.get(role="desk").pk]))
    assert answer["Location"] == person
    client.post(reverse("setup-person-state", args=[desk.pk]), {"do": "disable"})
    assert "Switch it on again" in page(client, "setup-person", desk.pk)
    refused = client.post(reverse("setup-role-take", args=[owner.assignments.get().pk]))
    assert (refused.status_code, "the last owner" in refused.content.decode()) == (409, True)
    assert client.post(reverse("setup-invite-again", args=[desk.pk])).status_code == 409
    refused = client.post(reverse("setup-role-give", args=[desk.pk]), {"role": "desk"})
    assert "Choose at least one clinic." in refused.content.decode()


def test_people_of_other_clinics_are_out_of_sight(sign_in, manager, marietta):
    stranger = make.user("desk", marietta)
    client = sign_in(manager)

    assert stranger.full_name not in page(client, "setup-people")
    assert client.get(reverse("setup-person", args=[stranger.pk])).status_code == 404
    assert client.post(reverse("setup-role-take", args=[stranger.assignments.get().pk])).status_code == 404


@pytest.mark.parametrize("name", ["setup-clinics", "setup-clinic-new", "setup-people"])
def test_lists_ask_the_same_number_of_queries_for_any_length(sign_in, owner, django_assert_max_num_queries, name):
    for n in range(6):
        make.user("desk", make.location(f"clinic-{n}"))
    client = sign_in(owner)

    with django_assert_max_num_queries(12):
        client.get(reverse(name))


def test_every_setup_page_is_marked_as_of_one_tab(rf, owner):
    marked = {}
    for address in ours():
        if address.template.startswith("setup/") and address.template != "setup/":
            request = rf.get(address.path(*("1" for _ in address.parameters)))
            request.user = owner
            marked[address.template] = [tab["label"] for tab in setup_pages.tabs(request) if tab["is_here"]]

    assert {"setup/ways/", "setup/rooms/{pk}/", "setup/hours/{kind}/{pk}/take-back/"} <= marked.keys()
    assert {template: tabs for template, tabs in marked.items() if len(tabs) != 1} == {}
    assert marked["setup/ways/"] == ["Clinics"]
