"""Offers from the waitlist whose time is taken away: shown before, taken back with it, told once, looked for again."""

import re
from datetime import time, timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import booking, holds
from appointments.availability import Slot
from appointments.models import ExtraHours, Hold, Offer, TimeOff, WeeklyHours
from appointments.timetable import working_hours
from appointments.waiting import matching, offers, waitlist
from clinic import outbox, times
from clinic.models import AuditEntry
from locations import opening, places, rooms, staffing
from locations.kept_times import TimesKept
from locations.models import Closure, Room
from locations.spans import Span
from tests import make
from tests.make import MONDAY, at

NOW = at(9, day=MONDAY - timedelta(days=4))
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


def waits(given, place, kind):
    person = make.patient(place, given=given)
    person.consents.create(scope="email_reminders", given_at=times.now())
    return waitlist.add(person, waitlist.Asked(kind, [place]), by=None, by_whom="patient")


@pytest.fixture
def offer(atlanta, chiro, adjustment):
    """`offer("Ann", "Ben", hour=10)` offers one time to all of them under one hold; returns the first one's."""

    def make_(*names, hour=10, day=MONDAY, person=None, place=None):
        starts_at = at(hour, day=day)
        slot = Slot(starts_at, starts_at + timedelta(minutes=15), place or atlanta, person or chiro)
        entries = [waits(name, slot.location, adjustment) for name in names]
        return offers.make(entries, slot, minutes=60, by_whom="waitlist")[0]

    return make_


def close_the_day(atlanta, chiro, **by):
    opening.close([atlanta], starts_on=MONDAY, ends_on=MONDAY, reason="Flood", **by)


def close_everywhere(atlanta, chiro, **by):
    opening.close(None, starts_on=MONDAY, ends_on=MONDAY, reason="Holiday", **by)


def open_in_the_afternoon(atlanta, chiro, **by):
    opening.set_hours(atlanta, [Span(0, time(13), time(18))], **by)


def close_for_good(atlanta, chiro, **by):
    places.set_open(atlanta, is_open=False, **by)


def close_the_only_room(atlanta, chiro, **by):
    atlanta.rooms.filter(kind="adjusting", appointments=None).delete()
    rooms.set_open(atlanta.rooms.get(kind="adjusting"), is_open=False, **by)


def use_the_only_room_otherwise(atlanta, chiro, **by):
    atlanta.rooms.filter(kind="adjusting", appointments=None).delete()
    only = atlanta.rooms.get(kind="adjusting")
    rooms.amend(only, name=only.name, kind="evaluation", **by)


def no_hours_any_more(atlanta, chiro, **by):
    working_hours.set_week(chiro, atlanta, [], from_day=atlanta.today(), **by)


def away(atlanta, chiro, **by):
    working_hours.take_off(chiro, starts_at=at(9, 30), ends_at=at(11, 1), **by)


def leaves(atlanta, chiro, **by):
    staffing.set_active(chiro.user, is_active=False, **by)


WAYS = [
    close_the_day, close_everywhere, open_in_the_afternoon, close_for_good, close_the_only_room,
    use_the_only_room_otherwise, no_hours_any_more, away, leaves,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_what_takes_the_time_away_shows_the_offer_first(way, offer, atlanta, chiro, owner):
    made = offer("Ann")
    rows = [model.objects.count() for model in (Closure, TimeOff, WeeklyHours)]

    with pytest.raises(TimesKept) as refused:
        way(atlanta, chiro, by=owner)

    (row,) = refused.value.in_the_way["offers"]
    assert (refused.value.code, refused.value.status) == ("in_the_way", 409)
    assert (row["id"], row["patient"]["name"]) == (made.pk, "Ann Testerson")
    made.refresh_from_db()
    assert offers.is_standing(made)
    assert [model.objects.count() for model in (Closure, TimeOff, WeeklyHours)] == rows
    assert not WeeklyHours.objects.exclude(valid_until=None).exists()
    atlanta.refresh_from_db()
    chiro.refresh_from_db()
    assert atlanta.is_open
    assert chiro.is_active
    assert atlanta.opening_hours.count() == 5


@pytest.mark.parametrize("agreed", ["what was shown", "whichever"])
@pytest.mark.parametrize("way", WAYS)
def test_and_takes_it_back_with_the_time(way, agreed, offer, atlanta, chiro, owner):
    made = offer("Ann", "Ben")
    ids = None if agreed == "whichever" else [one.pk for one in Offer.objects.all()]

    way(atlanta, chiro, by=owner, agreed=ids)

    for one in Offer.objects.select_related("entry"):
        assert (one.answer, one.answered_by, one.hold, one.entry.outcome) == ("withdrawn", str(owner), None, "")
    assert not Hold.objects.exists()
    entry = AuditEntry.objects.filter(action="waitlist.withdrawn").order_by("pk").first()
    assert (entry.by, entry.detail["offer"]) == (owner, made.pk)
    assert entry.detail["why"]


@pytest.mark.parametrize("way", WAYS)
def test_who_agreed_to_less_than_is_hit_is_asked_again(way, offer, atlanta, chiro, owner):
    known, _new = offer("Ann"), offer("Ben", hour=11)

    with pytest.raises(TimesKept) as refused:
        way(atlanta, chiro, by=owner, agreed=[known.pk])

    assert len(refused.value.in_the_way["offers"]) == 2
    assert Offer.objects.filter(answer="").count() == 2


@pytest.mark.parametrize(
    "hits_nothing",
    [
        lambda atlanta, chiro, owner: opening.close(
            [atlanta], starts_on=MONDAY + WEEK, ends_on=MONDAY + WEEK, reason="Paint", by=owner
        ),
        lambda atlanta, chiro, owner: working_hours.take_off(
            chiro, starts_at=at(10, 15), ends_at=at(12), by=owner
        ),
        lambda atlanta, chiro, owner: working_hours.take_off(chiro, starts_at=at(9), ends_at=at(10), by=owner),
        lambda atlanta, chiro, owner: opening.set_hours(atlanta, [Span(0, time(10), time(10, 15))], by=owner),
        lambda atlanta, chiro, owner: rooms.set_open(
            atlanta.rooms.filter(kind="evaluation").first(), is_open=False, by=owner
        ),
    ],
)  # fmt: skip
def test_an_offer_beside_what_is_taken_away_stands(hits_nothing, offer, atlanta, chiro, owner):
    made = offer("Ann")

    hits_nothing(atlanta, chiro, owner)

    made.refresh_from_db()
    assert offers.is_standing(made)
    assert offers.accept(made, by=None, by_whom="patient").starts_at == at(10)


def test_a_time_goes_on_in_another_room(offer, atlanta, chiro, owner):
    made = offer("Ann")
    room = made.hold.room

    rooms.set_open(room, is_open=False, by=owner)

    visit = offers.accept(Offer.objects.get(), by=None, by_whom="patient")
    assert visit.room != room
    assert (visit.room.kind, visit.room.is_open) == (Room.Kind.ADJUSTING, True)


def test_a_hold_there_that_ran_out_and_was_not_swept_up_is_in_nobodys_way(offer, atlanta, adjustment, owner, clock):
    made = offer("Ann")
    other = atlanta.rooms.filter(kind="adjusting").exclude(pk=made.hold.room_id).get()
    holds.place(
        practitioner=make.practitioner(atlanta), location=atlanta, type=adjustment, starts_at=at(10), room=other,
        until=times.now() + timedelta(minutes=1),
    )  # fmt: skip
    clock.shift(timedelta(minutes=2))

    rooms.set_open(made.hold.room, is_open=False, by=owner)

    assert offers.accept(Offer.objects.get(), by=None, by_whom="patient").room == other


def test_two_times_are_not_put_into_the_same_new_room(offer, atlanta, chiro, adjustment, owner):
    people = [chiro, *(make.practitioner(atlanta) for _ in range(2))]
    atlanta.rooms.create(name="Adjusting 3", kind="adjusting")
    for n, person in enumerate(people):
        offer(f"Ann{n}", person=person)
    adjustment.room_kind, adjustment.buffer_after = Room.Kind.EVALUATION, 0
    adjustment.save()
    spare = atlanta.rooms.create(name="Spare", kind="other")

    rooms.set_open(spare, is_open=False, by=owner, agreed=None)

    kept = list(Hold.objects.select_related("room"))
    assert sorted(hold.room.name for hold in kept) == ["Evaluation 1", "Evaluation 2"]
    assert [one.answer for one in Offer.objects.order_by("pk")].count("withdrawn") == 1


def test_a_time_finds_a_room_for_as_long_as_it_is_kept(offer, atlanta, chiro, adjustment, owner):
    """The buffers of its type were more when it was offered; what is next to it would be overlapped."""
    adjustment.buffer_after = 10
    adjustment.save()
    made = offer("Ann")
    adjustment.buffer_after = 0
    adjustment.save()
    other = atlanta.rooms.filter(kind="adjusting").exclude(pk=made.hold.room_id).get()
    booking.book(
        patient=make.patient(atlanta), practitioner=make.practitioner(atlanta), location=atlanta, type=adjustment,
        starts_at=at(10, 20), room=other, by=make.user("desk", atlanta),
    )  # fmt: skip

    rooms.set_open(made.hold.room, is_open=False, by=owner, agreed=None)

    assert Offer.objects.get().answer == "withdrawn"


def test_it_ends_where_the_other_room_is_taken_then(offer, atlanta, chiro, adjustment, owner):
    made = offer("Ann")
    booking.book(
        patient=make.patient(atlanta), practitioner=make.practitioner(atlanta), location=atlanta, type=adjustment,
        starts_at=at(10), by=make.user("desk", atlanta),
    )  # fmt: skip

    with pytest.raises(TimesKept):
        rooms.set_open(made.hold.room, is_open=False, by=owner)


def test_extra_hours_taken_back_take_their_offers_along(offer, atlanta, owner):
    person = make.practitioner(atlanta, days=[])
    extra = ExtraHours.objects.create(
        practitioner=person, location=atlanta, day=MONDAY, starts=time(9), ends=time(12)
    )  # fmt: skip
    made = offer("Ann", person=person)

    with pytest.raises(TimesKept):
        working_hours.remove_extra(extra, by=owner)
    working_hours.remove_extra(ExtraHours.objects.get(), by=owner, agreed=[made.pk])

    made.refresh_from_db()
    assert made.answer == "withdrawn"


def test_what_is_over_or_answered_is_in_nobodys_way(offer, atlanta, owner, clock):
    offers.decline(offer("Ann"), by=None, by_whom="patient")
    offer("Ben", hour=11)
    clock.shift(timedelta(hours=2))

    close_the_day(atlanta, None, by=owner)

    assert list(Offer.objects.order_by("pk").values_list("answer", flat=True)) == ["declined", ""]


def test_offers_out_of_sight_are_not_shown_but_end_all_the_same(offer, atlanta, nashville, chiro):
    WeeklyHours.objects.create(practitioner=chiro, location=nashville, weekday=1, starts=time(9), ends=time(17))
    here, there = offer("Ann"), offer("Silas", day=MONDAY + timedelta(1), hour=11, place=nashville)
    manager = make.user("manager", atlanta)
    span = {"starts_at": at(0), "ends_at": at(23, day=MONDAY + timedelta(2)), "by": manager}

    with pytest.raises(TimesKept) as refused:
        working_hours.take_off(chiro, **span)
    assert [row["id"] for row in refused.value.in_the_way["offers"]] == [here.pk]
    assert "Silas" not in f"{refused.value.in_the_way} {refused.value.message}"
    working_hours.take_off(chiro, **span, agreed=[here.pk])

    there.refresh_from_db()
    assert there.answer == "withdrawn"


def test_the_visits_that_are_hit_are_shown_beside_the_offers(offer, visit, atlanta, chiro, owner):
    offer("Ann", hour=11)

    for way in (close_the_day, no_hours_any_more, leaves, lambda *a, **by: working_hours.take_off(
        chiro, starts_at=at(9), ends_at=at(12), **by
    )):  # fmt: skip
        with pytest.raises(TimesKept) as refused:
            way(atlanta, chiro, by=owner)
        assert [row["id"] for row in refused.value.in_the_way["visits"]] == [visit.pk]


def test_who_was_written_to_is_told_once_and_who_was_not_is_not(offer, atlanta, chiro, owner, mailoutbox, clock):
    offer("Ann")
    clock.shift(offers.GRACE)
    outbox.send_due()
    offer("Ben", hour=11)

    close_the_day(atlanta, chiro, by=owner, agreed=None)
    for _ in range(3):
        clock.shift(offers.GRACE)
        outbox.send_due()

    assert [(mail.subject.split(":")[0], mail.to) for mail in mailoutbox] == [
        ("A time is free", [Offer.objects.get(entry__patient__given_name="Ann").entry.patient.email]),
        ("No longer free", [Offer.objects.get(entry__patient__given_name="Ann").entry.patient.email]),
    ]
    assert "The time we offered you is no longer free" in mailoutbox[1].body


def test_the_entry_is_looked_for_again_at_once(
    offer, atlanta, chiro, owner, monkeypatch, django_capture_on_commit_callbacks
):
    offer("Ann")
    told = []
    monkeypatch.setattr("appointments.waiting.freed_time._wake", lambda: told.append(True))

    with django_capture_on_commit_callbacks(execute=True):
        close_the_day(atlanta, chiro, by=owner, agreed=None)
    (again,) = matching.offer_free_times()

    assert told == [True]
    assert again.starts_at.date() != MONDAY
    assert again.entry.patient.given_name == "Ann"


# --- the pages


def hidden(page) -> dict:
    """What the page would send on, by the hidden fields of its form."""
    found = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page):
        found.setdefault(name, []).append(value)
    return found


def closing(**given):
    return {"reason": "Snow & ice", "starts_on": MONDAY.isoformat(), "ends_on": "", "where": "group", **given}


def test_the_page_of_closures_lists_the_offers_beside_the_visits(offer, visit, sign_in, owner):
    made = offer("Ann", hour=11)
    offer("Ben", day=MONDAY + WEEK)

    shown = sign_in(owner).get(reverse("setup-closures"), closing()).content.decode()

    assert "1 visit on these days" in shown
    assert "1 offer to patients of the waitlist" in shown
    assert "Ann Testerson" in shown
    assert "Ben Testerson" not in shown
    assert f'<input type="hidden" name="agreed" value="{made.pk}">' in shown


def test_who_saw_them_there_closes_with_one_button(offer, sign_in, owner):
    made = offer("Ann")

    answer = sign_in(owner).post(reverse("setup-closures"), closing(agreed=[made.pk]))

    assert answer.status_code == 302
    made.refresh_from_db()
    assert made.answer == "withdrawn"


def test_who_did_not_see_them_is_asked_and_nothing_typed_is_lost(offer, sign_in, owner):
    offer("Ann")
    client = sign_in(owner)

    asked = client.post(reverse("setup-closures"), closing())
    page = asked.content.decode()

    assert asked.status_code == 409
    assert "nothing was changed yet" in page
    assert "Monday, January 4, 2027 at 10:00 AM EST" in page
    assert not Closure.objects.exists()
    typed = {name: values for name, values in hidden(page).items() if name != "csrfmiddlewaretoken"}
    typed["reason"] = [typed["reason"][0].replace("&amp;", "&")]
    assert client.post(reverse("setup-closures"), typed).status_code == 302
    assert Closure.objects.get().reason == "Snow & ice"
    assert Offer.objects.get().answer == "withdrawn"


def test_every_page_that_takes_time_away_asks_first(offer, sign_in, owner, atlanta, chiro):
    offer("Ann")
    atlanta.rooms.filter(kind="adjusting", appointments=None).delete()
    room = atlanta.rooms.get(kind="adjusting")
    no_rows = {"atlanta-hours-TOTAL_FORMS": 0, "atlanta-hours-INITIAL_FORMS": 0}
    client = sign_in(owner)

    for address, typed in (
        (reverse("setup-clinic-hours", args=["atlanta"]), {"hours-TOTAL_FORMS": 0, "hours-INITIAL_FORMS": 0}),
        (reverse("setup-clinic-state", args=["atlanta"]), {"do": "close"}),
        (reverse("setup-room", args=[room.pk]),
         {"do": "close", f"room-{room.pk}-name": room.name, f"room-{room.pk}-kind": room.kind}),
        (reverse("setup-person-state", args=[chiro.user_id]), {"do": "disable"}),
        (reverse("setup-hours", args=[chiro.pk, "atlanta"]), {"atlanta-from_day": atlanta.today(), **no_rows}),
        (reverse("setup-away", args=[chiro.pk]), {"away-starts_on": MONDAY}),
    ):  # fmt: skip
        asked = client.post(address, typed)
        page = asked.content.decode()
        assert asked.status_code == 409, address
        assert "Ann Testerson" in page
        assert "Leave everything as it is" in page
        assert {name: values[0] for name, values in hidden(page).items() if name in typed} == {
            name: str(value) for name, value in typed.items()
        }
        assert client.get(re.search(r'href="([^"]+)">Leave everything', page)[1]).status_code == 200
        assert Offer.objects.get().answer == ""
    typed = {"away-starts_on": MONDAY, "agreed": [Offer.objects.get().pk]}
    assert client.post(reverse("setup-away", args=[chiro.pk]), typed).status_code == 302
    assert Offer.objects.get().answer == "withdrawn"


def test_the_api_says_what_is_in_the_way_and_goes_on_when_that_is_confirmed(offer, api, owner, atlanta):
    made = offer("Ann")
    atlanta.rooms.filter(kind="adjusting", appointments=None).delete()
    room = atlanta.rooms.get(kind="adjusting")

    for ask in (
        lambda **more: api(owner).put("/api/v1/locations/atlanta/hours/", {"hours": [], **more}, format="json"),
        lambda **more: api(owner).post(f"/api/v1/rooms/{room.pk}/close/", more, format="json"),
    ):
        said = ask().json()
        assert (ask().status_code, said["code"]) == (409, "in_the_way")
        assert [row["id"] for row in said["in_the_way"]["offers"]] == [made.pk]
        assert Offer.objects.get().answer == ""
    assert ask(confirm="perhaps").json()["fields"] == {"confirm": "Must be a valid boolean."}
    assert ask(confirm=True).status_code == 200
    assert Offer.objects.get().answer == "withdrawn"


@pytest.mark.parametrize("nonsense", ["x", "", "-1", "9" * 30, "1.5", "٣"])
def test_a_wrong_agreement_is_none(nonsense, offer, sign_in, owner):
    offer("Ann")

    assert sign_in(owner).post(reverse("setup-closures"), closing(agreed=nonsense)).status_code == 409
    assert Offer.objects.get().answer == ""


def test_what_is_asked_does_not_grow_with_the_offers(offer, atlanta, chiro, owner, django_assert_max_num_queries):
    for hour in (10, 11, 12, 13):
        offer(f"Ann {hour}", f"Ben {hour}", hour=hour)

    with django_assert_max_num_queries(20), pytest.raises(TimesKept):
        close_the_day(atlanta, chiro, by=owner)
