import html
from datetime import timedelta

import pytest

from appointments import booking, visit_actions, visit_status
from appointments.models import Appointment
from clinic import times
from tests import make
from tests.make import MONDAY, at


def another(visit, hour, minute=0, **who):
    person = make.patient(visit.location, given=f"Kim{hour}{minute}")
    return booking.book(
        patient=person, practitioner=visit.practitioner, location=visit.location, type=visit.type,
        starts_at=at(hour, minute), by=None, by_whom="patient",
    )  # fmt: skip


def ajax(client, visit, **fields):
    return client.post(f"/appointments/{visit.pk}/move/", fields, headers={"Accept": "application/json"})


# ---- Moving


def test_drag_moves_the_visit(sign_in, desk, visit):
    answer = ajax(sign_in(desk), visit, practitioner=visit.practitioner_id, day="2027-01-04", time="11:15")

    assert answer.status_code == 200
    assert answer.json()["detail"] == (
        "Avery Testerson moved to Monday, January 4, 2027 at 11:15 AM EST, Robin Sample, DC."
    )
    visit.refresh_from_db()
    assert visit.starts_at == at(11, 15)


def test_drag_onto_a_taken_time_is_refused_with_the_nearest(sign_in, desk, visit):
    taken = another(visit, 11)

    answer = ajax(sign_in(desk), visit, practitioner=visit.practitioner_id, day="2027-01-04", time="11:00")

    assert answer.status_code == 409
    assert answer.json()["detail"] == "Robin Sample, DC already has a visit then."
    first = answer.json()["nearest"][0]
    assert set(first) == {"location", "practitioner", "day", "time", "zone", "text"}
    visit.refresh_from_db()
    assert visit.starts_at == at(10)
    assert taken.practitioner == visit.practitioner


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"day": "2027-03-14", "time": "02:30"}, "02:30 does not exist on March 14"),
        ({"day": "soon", "time": "10:00"}, "Enter a valid date."),
        ({"day": "2027-01-04", "time": "25:00"}, "Enter a valid time."),
        ({"day": "1999-01-04", "time": "10:00"}, "too far in the past"),
        ({"day": "2101-01-04", "time": "10:00"}, "too far in the past or the future"),
        ({}, "This field is required."),
        ({"day": "2027-01-04", "time": "10:00", "reason": "x" * 501}, "at most 500 characters"),
        ({"day": "2027-01-04", "time": "10:00", "reason": "a\0b"}, "Null characters"),
    ],
)
def test_move_refuses_bad_input(sign_in, desk, visit, fields, said):
    answer = ajax(sign_in(desk), visit, practitioner=visit.practitioner_id, **fields)

    assert answer.status_code == 400
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("who", ["elsewhere", "99999999999999999999999", "x"])
def test_move_refuses_a_practitioner_of_another_location(sign_in, desk, visit, marietta, who):
    other = make.practitioner(marietta)
    who = other.pk if who == "elsewhere" else who

    answer = ajax(sign_in(desk), visit, practitioner=who, day="2027-01-04", time="11:00")

    assert answer.status_code == 400
    assert "Select a valid choice" in answer.json()["detail"]


def test_move_page_works_without_script(sign_in, desk, visit):
    client = sign_in(desk)
    address = f"/appointments/{visit.pk}/move/"

    assert 'value="10:00"' in client.get(address).content.decode()
    answer = client.post(address, {"practitioner": visit.practitioner_id, "day": "2027-01-05", "time": "09:00"})

    assert answer.url == f"/appointments/{visit.pk}/"
    visit.refresh_from_db()
    assert visit.starts_at == at(9, day=MONDAY + timedelta(days=1))


def test_move_page_keeps_what_was_typed_and_offers_times(sign_in, desk, visit):
    another(visit, 11)

    answer = sign_in(desk).post(
        f"/appointments/{visit.pk}/move/",
        {"practitioner": visit.practitioner_id, "day": "2027-01-04", "time": "11:00", "reason": "Later bus"},
    )

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "already has a visit then" in page
    assert 'value="Later bus"' in page
    assert "Nearest free times" in page


def test_two_desks_do_not_undo_each_others_move(sign_in, desk, visit, evaluation_type):
    Appointment.objects.update(type=evaluation_type)
    client, address = sign_in(desk), f"/appointments/{visit.pk}/move/"
    seen = client.get(address).context["form"].initial["seen"]
    booking.reschedule(Appointment.objects.get(), starts_at=at(14), by=desk)

    longer = {"practitioner": visit.practitioner_id, "day": "2027-01-04", "time": "10:00", "minutes": 45, "seen": seen}
    answer = client.post(address, longer | {"reason": "Needs longer"})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "It is now: Monday, January 4, 2027 at 2:00 PM EST, 15 minutes, Robin Sample, DC, Atlanta" in page
    assert 'value="Needs longer"' in page
    assert "2:00 PM" in page.partition("Now:")[2][:80]
    assert Appointment.objects.get().starts_at == at(14)

    again = client.post(address, longer | {"seen": answer.context["form"]["seen"].value()})  # decided knowingly

    assert again.status_code == 302
    assert (Appointment.objects.get().starts_at, Appointment.objects.get().lasts) == (at(10), 45)


def test_a_drag_of_what_was_made_longer_meanwhile_is_refused(sign_in, desk, visit, evaluation_type):
    Appointment.objects.update(type=evaluation_type)
    booking.reschedule(Appointment.objects.get(), starts_at=at(10), minutes=45, by=desk)
    client = sign_in(desk)
    (card,) = client.get("/calendar/events/", {"day": "2027-01-04"}).json()["visits"]
    booking.reschedule(Appointment.objects.get(), starts_at=at(10), minutes=60, by=desk)

    answer = ajax(
        client, visit, practitioner=visit.practitioner_id, day="2027-01-04", time="12:00", minutes=45, seen=card["seen"]
    )

    assert answer.status_code == 409
    assert "10:00 AM EST, 60 minutes" in answer.json()["detail"]
    assert (Appointment.objects.get().starts_at, Appointment.objects.get().lasts) == (at(10), 60)


@pytest.mark.parametrize("seen", ["soon", "-1", "99999999999999999999"])
def test_a_move_by_a_state_that_never_was_is_refused(sign_in, desk, visit, seen):
    fields = {"practitioner": visit.practitioner_id, "day": "2027-01-04", "time": "11:00", "seen": seen}

    assert ajax(sign_in(desk), visit, **fields).status_code == 400
    page = sign_in(desk).post(f"/appointments/{visit.pk}/move/", fields)
    assert (page.status_code, "Open the page again" in page.content.decode()) == (400, True)


def test_override_is_for_those_who_may(sign_in, desk, visit, atlanta):
    manager = make.user("manager", atlanta)
    evening = {"practitioner": visit.practitioner_id, "day": "2027-01-04", "time": "20:00", "override_reason": "Pain"}

    assert ajax(sign_in(desk), visit, **evening).status_code == 409
    assert ajax(sign_in(manager), visit, **evening).status_code == 200

    visit.refresh_from_db()
    assert visit.starts_at == at(20)


def test_move_to_another_location_and_length(sign_in, visit, evaluation_type, marietta):
    Appointment.objects.update(type=evaluation_type)
    there = make.practitioner(marietta)
    both = make.user("desk", visit.location, marietta)

    answer = ajax(
        sign_in(both), visit, location="marietta", practitioner=there.pk, day="2027-01-04", time="09:30", minutes=45
    )

    assert answer.status_code == 200, answer.content
    visit.refresh_from_db()
    assert (visit.location, visit.practitioner) == (marietta, there)
    assert (visit.starts_at, visit.ends_at) == (at(9, 30), at(10, 15))


def test_move_to_a_length_that_the_type_has_not_is_refused(sign_in, desk, visit):
    answer = ajax(sign_in(desk), visit, practitioner=visit.practitioner_id, day="2027-01-04", time="09:30", minutes=40)

    assert (answer.status_code, answer.json()["can_override"]) == (400, False)
    assert answer.json()["detail"] == "A visit of this type takes 15 to 15 minutes."


def test_move_to_a_chosen_room(sign_in, desk, visit):
    other = visit.location.rooms.filter(kind="adjusting").exclude(pk=visit.room_id).get()

    ajax(sign_in(desk), visit, practitioner=visit.practitioner_id, day="2027-01-04", time="10:00", room=other.pk)

    visit.refresh_from_db()
    assert (visit.room, visit.starts_at) == (other, at(10))


def test_refused_hours_say_who_could_override(sign_in, desk, visit, atlanta):
    evening = {"practitioner": visit.practitioner_id, "day": "2027-01-04", "time": "20:00"}

    offers = [
        ajax(sign_in(who), visit, **evening).json()["can_override"]
        for who in (desk, make.user("manager", atlanta), visit.practitioner.user)
    ]

    assert offers == [False, True, True]


def test_drag_answers_with_its_undoing(sign_in, desk, visit):
    client = sign_in(desk)

    undo = ajax(client, visit, practitioner=visit.practitioner_id, day="2027-01-04", time="11:15").json()["undo"]
    back = client.post(undo["url"], {"event": undo["event"]}, headers={"Accept": "application/json"})

    assert back.json() == {
        "detail": "Taken back. Avery Testerson: booked, Monday, January 4, 2027 at 10:00 AM EST, Robin Sample, DC.",
        "undo": None,
    }
    visit.refresh_from_db()
    assert visit.starts_at == at(10)


# ---- The page of a visit, and its steps


@pytest.mark.usefixtures("that_morning")
def test_visit_page_tells_facts_steps_and_history(sign_in, desk, visit):
    visit_status.confirm(visit, by=desk, reason="By phone")

    page = sign_in(desk).get(f"/appointments/{visit.pk}/").content.decode()

    assert "Monday, January 4, 2027, 10:00 AM to 10:15 AM EST" in page
    assert "Reason: By phone" in page
    assert 'value="arrive"' in page
    assert 'value="confirm"' not in page
    assert "Cancel the visit" in page
    assert "Move the visit" in page


def test_visit_page_tells_from_when_to_when(sign_in, desk, visit):
    booking.reschedule(visit, starts_at=at(11), by=desk)

    page = sign_in(desk).get(f"/appointments/{visit.pk}/").content.decode()

    assert "From Monday, January 4, 2027 at 10:00 AM EST to Monday, January 4, 2027 at 11:00 AM EST" in page


def test_owner_reads_a_visit_but_changes_nothing(sign_in, owner, visit):
    client = sign_in(owner)

    page = client.get(f"/appointments/{visit.pk}/").content.decode()

    assert "Avery Testerson" in page
    assert "Cancel the visit" not in page
    assert client.post(f"/appointments/{visit.pk}/step/", {"step": "confirm"}).status_code == 403
    assert client.get(f"/appointments/{visit.pk}/move/").status_code == 403


def test_visit_of_another_location_does_not_exist(sign_in, visit, marietta):
    client = sign_in(make.user("desk", marietta))
    address = f"/appointments/{visit.pk}/"

    answers = [client.get(address), client.get(address + "move/"), client.post(address + "step/", {"step": "arrive"})]

    assert [a.status_code for a in answers] == [404, 404, 404]


def test_visit_page_shows_what_other_packages_offer(sign_in, desk, visit, monkeypatch):
    monkeypatch.setattr(visit_actions, "_actions", [])
    visit_actions.add("appointments/_found_patients.html", action="appointment.read")
    visit_actions.add("appointments/_slots.html", action="evaluation.write")

    assert visit_actions.templates(desk, visit.location) == ["appointments/_found_patients.html"]
    assert sign_in(desk).get(f"/appointments/{visit.pk}/").status_code == 200


@pytest.mark.usefixtures("that_morning")
def test_step_is_taken_and_leads_on(sign_in, desk, visit):
    answer = sign_in(desk).post(f"/appointments/{visit.pk}/step/", {"step": "arrive", "next": "/calendar/"})

    assert answer.url == "/calendar/"
    visit.refresh_from_db()
    assert visit.status == "arrived"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_step_never_leads_away(sign_in, desk, visit, address):
    answer = sign_in(desk).post(f"/appointments/{visit.pk}/step/", {"step": "arrive", "next": address})

    assert answer.url == f"/appointments/{visit.pk}/"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"step": "complete"}, "already booked"),
        ({"step": "dance"}, "Select a valid choice"),
        ({}, "This field is required."),
        ({"step": "cancel", "reason": "x" * 501}, "at most 500 characters"),
    ],
)
def test_step_that_is_refused_says_why(sign_in, desk, visit, fields, said):
    answer = sign_in(desk).post(f"/appointments/{visit.pk}/step/", fields, follow=True)

    assert said in answer.content.decode()
    visit.refresh_from_db()
    assert visit.status == "booked"


def test_cancelling_keeps_the_reason(sign_in, desk, visit):
    sign_in(desk).post(f"/appointments/{visit.pk}/step/", {"step": "cancel", "reason": "Has the flu"})

    visit.refresh_from_db()
    assert visit.status == "cancelled"
    assert visit.history.last().reason == "Has the flu"


def test_visit_of_another_day_says_when_its_steps_open(sign_in, desk, visit, api):
    client, address = sign_in(desk), f"/appointments/{visit.pk}/"
    assert "can be said on the day of the visit" in client.get(address).content.decode()

    page = html.unescape(client.post(f"{address}step/", {"step": "arrive"}, follow=True).content.decode())
    answer = api(desk).post(f"/api/v1{address}arrive/", {})

    said = (
        f"“Arrived” can be said on the day of the visit, which is {times.spoken(visit.starts_at, 'America/New_York')}."
    )
    assert said in page
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (409, "too_early", said)
    assert visit.history.count() == 1


def test_steps_are_never_taken_by_get(sign_in, desk, visit):
    assert sign_in(desk).get(f"/appointments/{visit.pk}/step/").status_code == 405


@pytest.mark.usefixtures("that_morning")
def test_visit_page_takes_a_wrong_click_back(sign_in, desk, visit):
    client = sign_in(desk)
    client.post(f"/appointments/{visit.pk}/step/", {"step": "arrive"})
    step = visit.history.last()

    page = client.get(f"/appointments/{visit.pk}/").content.decode()
    answer = client.post(f"/appointments/{visit.pk}/undo/", {"event": step.pk, "next": "/calendar/"}, follow=True)

    assert "Take back “Arrived”" in page
    assert answer.redirect_chain[0][0] == "/calendar/"
    assert "Taken back. Avery Testerson: booked" in answer.content.decode()
    page = client.get(f"/appointments/{visit.pk}/").content.decode()
    assert "Undone (took back “arrived”)" in page
    assert "Take back “" not in page


@pytest.mark.parametrize(
    ("event", "said"), [("", "This field is required."), ("x", "Enter a whole number"), ("1", "no step to take back")]
)
def test_undo_that_is_refused_says_why(sign_in, desk, visit, event, said):
    answer = sign_in(desk).post(f"/appointments/{visit.pk}/undo/", {"event": event}, follow=True)

    assert said in answer.content.decode()


@pytest.mark.parametrize("name", ["confirm", "cancel", "arrive"])
@pytest.mark.usefixtures("that_morning")
def test_step_on_a_stale_page_is_refused_and_says_where_the_visit_is(sign_in, desk, visit, name):
    client, address = sign_in(desk), f"/appointments/{visit.pk}/"
    seen = f'name="seen" value="{visit.sequence}"'
    assert client.get(address).content.decode().count(seen) == 3  # confirm, arrive and cancel
    stale = {"step": name, "reason": "Has the flu", "seen": visit.sequence}
    booking.reschedule(visit, starts_at=at(14), by=desk)

    page = html.unescape(client.post(f"{address}step/", stale, follow=True).content.decode())
    json = client.post(f"{address}step/", stale, headers={"Accept": "application/json"})

    assert "Somebody changed the visit meanwhile. It is now: Monday, January 4, 2027 at 2:00 PM EST" in page
    assert json.status_code == 409
    visit.refresh_from_db()
    assert (visit.status, visit.history.count()) == ("booked", 2)
    client.post(f"{address}step/", {**stale, "seen": visit.sequence})
    assert visit.history.count() == 3
