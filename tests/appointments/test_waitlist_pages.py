import re
from datetime import time, timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments.models import Appointment, Hold, Offer, WaitlistEntry
from appointments.waiting import offers, waitlist
from appointments.wishes import PARTS, Wishes
from clinic import outbox, tokens
from tests import make
from tests.make import MONDAY, at

NOW = at(9, day=MONDAY - timedelta(days=4))
ASKED = {"type": "adjustment", "urgency": "0"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def page(sign_in, desk):
    client = sign_in(desk)
    return lambda address, **query: client.get(address, query).content.decode()


@pytest.fixture
def send(sign_in, desk):
    client = sign_in(desk)

    def post(address, **form):
        answer = client.post(address, form, follow=True)
        answer.text_ = answer.content.decode()
        return answer

    return post


def names(markup):
    return re.findall(r'<a class="row-link" href="/waitlist/\d+/">(\w+)', markup)


def value(starts_at, place, chiro):
    return f"{starts_at.isoformat()}|{place.slug}|{chiro.pk}"


def test_the_list_is_in_the_order_of_offers_and_says_why(page, waits, clock):
    waits("Ann")
    clock.shift(timedelta(minutes=1))
    waits("Ben", urgency=2, wishes=Wishes((0,), (PARTS["mornings"],)))
    waits("Cleo", urgency=1)

    shown = page("/waitlist/")

    assert names(shown) == ["Ben", "Cleo", "Ann"]
    assert "Urgent, waiting since today, asked for Atlanta, Mondays, mornings" in shown


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"urgency": "2"}, ["Ben"]),
        ({"type": "checkup"}, ["Cleo"]),
        ({"location": "marietta"}, ["Dan"]),
        ({"location": "any"}, ["Ben", "Ann", "Cleo", "Dan"]),
        ({"location": "nonsense", "urgency": "9", "type": "none"}, ["Ben", "Ann", "Cleo", "Dan"]),
        ({"state": "offered"}, ["Ann"]),
        ({"state": "closed"}, ["Eve"]),
    ],
)
def test_the_list_is_narrowed(sign_in, waits, atlanta, marietta, chiro, query, expected):
    both = make.user("desk", atlanta, marietta)
    ann = waits("Ann")
    waits("Ben", urgency=2)
    waits("Cleo", type=make.appointment_type("checkup"))
    waitlist.add(make.patient(marietta, given="Dan"), waitlist.Asked(ann.type, [marietta]), by=both)
    offers.take_off(waits("Eve"), by=both)
    offers.make([ann], _slot(atlanta, chiro), minutes=60, by=both)

    assert names(sign_in(both).get("/waitlist/", query).content.decode()) == expected


def _slot(place, chiro, hour=10):
    return offers.Slot(at(hour), at(hour, 15), place, chiro)


def test_the_list_shows_nobody_of_other_clinics(sign_in, waits, desk, marietta):
    waits("Ann")
    assert names(sign_in(desk).get("/waitlist/").content.decode()) == ["Ann"]

    elsewhere = sign_in(make.user("desk", marietta))

    assert names(elsewhere.get("/waitlist/", {"location": "any"}).content.decode()) == []
    assert elsewhere.get(f"/waitlist/{WaitlistEntry.objects.get().pk}/").status_code == 404


def test_the_list_costs_the_same_for_one_and_for_many(sign_in, desk, waits, django_assert_max_num_queries):
    client = sign_in(desk)
    for n in range(6):
        waits(f"P{n}")

    with django_assert_max_num_queries(22):
        client.get("/waitlist/")


def test_a_patient_is_put_on_the_list(send, patient, atlanta, chiro, adjustment):
    answer = send(
        "/waitlist/new/", patient=patient.pk, type="adjustment", urgency="2", locations=["atlanta"],
        practitioners=[chiro.pk], weekdays=["0", "2"], windows=["00:00-12:00"], starts="17:30", ends="18:00",
        until_day="2027-02-01", note="Rings at five",
    )  # fmt: skip

    entry = WaitlistEntry.objects.get()
    assert answer.redirect_chain == [(f"/waitlist/{entry.pk}/", 302)]
    assert "Rings at five" in answer.text_
    assert (entry.urgency, entry.by_whom, f"{entry.until_day}") == (2, entry.added_by.full_name, "2027-02-01")
    assert (list(entry.locations.all()), list(entry.practitioners.all())) == ([atlanta], [chiro])
    assert entry.as_wishes == Wishes((0, 2), (PARTS["mornings"], (time(17, 30), time(18))))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"starts": "17:00"}, "Fill in both, or neither."),
        ({"until_day": "2020-01-01"}, "The last day is before the first, or has passed."),
        ({"windows": "00:00-25:00"}, "Select a valid choice."),
        ({"starts": "09:00", "ends": "09:05"}, "fits into none of these hours"),
        ({"starts": "12:00", "ends": "11:00"}, "A stretch of the day ends after it starts."),
        ({"from_day": "0001-01-01"}, "too far in the past"),
        ({"type": "none"}, "Select a valid choice."),
        ({"note": "a\u202eb"}, "Remove the invisible or control characters."),
    ],
)
def test_a_refusal_names_the_field_and_loses_nothing(send, patient, adjustment, wrong, said):
    answer = send("/waitlist/new/", patient=patient.pk, **{**ASKED, "weekdays": "4", "note": "Keeps this"} | wrong)

    assert answer.status_code == 400
    assert said in answer.text_
    assert re.findall(r'<input[^>]*name="weekdays"[^>]*checked[^>]*>', answer.text_) != []
    assert wrong.get("note", "Keeps this") in answer.text_
    assert not WaitlistEntry.objects.exists()


def test_who_waits_already_is_said_so(send, waits, patient):
    waits(patient=patient)

    answer = send("/waitlist/new/", patient=patient.pk, **ASKED)

    assert answer.status_code == 400
    assert "already waits for this" in answer.text_


def test_a_sooner_day_for_a_visit_there_is(send, patient, visit):
    send("/waitlist/new/", patient=patient.pk, **ASKED, sooner_than=visit.pk)

    assert WaitlistEntry.objects.get().sooner_than == visit


def test_what_is_waited_for_is_changed_and_odd_hours_are_kept(send, page, waits, atlanta):
    entry = waits("Ann", wishes=Wishes((0,), ((time(9, 20), time(10, 40)), PARTS["evenings"])), note="Before")

    shown = page(f"/waitlist/{entry.pk}/edit/")
    assert re.search(r'value="09:20-10:40"[^>]*checked', shown)
    assert "9:20 AM to 10:40 AM" in shown
    send(f"/waitlist/{entry.pk}/edit/", type="adjustment", urgency="1", windows=["09:20-10:40"], locations=["atlanta"])

    entry.refresh_from_db()
    assert (entry.urgency, entry.note, entry.as_wishes) == (1, "", Wishes((), ((time(9, 20), time(10, 40)),)))


def test_the_page_of_an_entry_lists_the_soonest_times(page, waits, chiro, atlanta):
    entry = waits("Ann", wishes=Wishes((0,), (PARTS["afternoons"],)))

    shown = page(f"/waitlist/{entry.pk}/")

    assert re.findall(r'numbers">(\w+, \w+ \d+, \d+:\d+ \w+ EST)', shown)[0] == "Mon, Jan 4, 12:00 PM EST"
    assert f'href="/waitlist/{entry.pk}/offer/?slot=2027-01-04T17%3A00%3A00%2B00%3A00%7Catlanta%7C{chiro.pk}"' in shown


def test_a_time_is_offered_to_one(send, page, waits, chiro, atlanta, adjustment):
    ann, ben = waits("Ann"), waits("Ben")
    waits("Cleo", wishes=Wishes((3,)))

    shown = page(f"/waitlist/{ann.pk}/offer/", slot=value(at(10), atlanta, chiro))
    assert re.findall(r'name="entries" value="(\d+)"( checked)?', shown) == [
        (str(ann.pk), " checked"), (str(ben.pk), ""),
    ]  # fmt: skip
    answer = send(
        f"/waitlist/{ann.pk}/offer/", slot=value(at(10), atlanta, chiro), entries=[ann.pk], minutes="30", offer="yes"
    )

    made = Offer.objects.get()
    assert (made.entry, made.starts_at, made.expires_at) == (ann, at(10), NOW + offers.GRACE + timedelta(minutes=30))
    assert "An offer is out" in answer.text_
    assert "33 minutes left" in answer.text_


def test_of_a_few_the_first_to_accept_has_it_and_the_others_are_told(
    send, client, waits, chiro, atlanta, mailoutbox, clock
):
    ann, ben, cleo = waits("Ann"), waits("Ben"), waits("Cleo")
    send(f"/waitlist/{ann.pk}/offer/", slot=value(at(10), atlanta, chiro), entries=[ann.pk, ben.pk, cleo.pk], offer="1")
    clock.shift(offers.GRACE)
    outbox.send_due()
    assert [mail.subject.split(":")[0] for mail in mailoutbox] == ["A time is free"] * 3
    first = Offer.objects.get(entry=ben)

    answer = send(f"/offers/{first.pk}/answer/", step="accept")
    outbox.send_due()

    assert "Booked for Ben" in answer.text_
    assert Appointment.objects.get().patient == ben.patient
    assert not Hold.objects.exists()
    told = {mail.to[0] for mail in mailoutbox if mail.subject.startswith("No longer free")}
    assert told == {ann.patient.email, cleo.patient.email}
    link = tokens.issue_link(purpose="offer", on=Offer.objects.get(entry=ann), expires_at=at(10))
    assert "Somebody else took this time first." in client.get(reverse("offer-link", args=[link])).content.decode()
    assert "Somebody else was first" in send(f"/offers/{Offer.objects.get(entry=ann).pk}/answer/", step="decline").text_


@pytest.mark.parametrize(
    ("step", "answer", "said"),
    [("decline", "declined", "declined and keeps the place"), ("take-back", "withdrawn", "Taken back from Ann")],
)
def test_an_offer_is_declined_on_the_phone_or_taken_back(send, waits, chiro, atlanta, desk, step, answer, said):
    entry = waits("Ann")
    (made,) = offers.make([entry], _slot(atlanta, chiro), minutes=60, by=desk)

    shown = send(f"/offers/{made.pk}/answer/", step=step).text_

    made.refresh_from_db()
    assert (made.answer, Hold.objects.count(), entry.is_waiting) == (answer, 0, True)
    assert said in shown
    assert "What was offered" in shown


def test_a_time_is_booked_at_once(send, waits, chiro, atlanta):
    entry = waits("Ann", reachable=False)

    answer = send(f"/waitlist/{entry.pk}/offer/", slot=value(at(11), atlanta, chiro), book="yes")

    assert "Booked for Ann" in answer.text_
    entry.refresh_from_db()
    assert (entry.outcome, entry.visit.starts_at) == ("booked", at(11))


def test_nothing_is_offered_inside_the_notice(send, waits, chiro, atlanta, adjustment):
    adjustment.notice_minutes = 24 * 60 * 5
    adjustment.save()
    entry = waits("Ann")

    answer = send(
        f"/waitlist/{entry.pk}/offer/", slot=value(at(9, 15), atlanta, chiro), entries=[entry.pk], offer="yes"
    )

    assert answer.status_code == 409
    assert "too near to be offered" in answer.text_
    assert not Offer.objects.exists()
    assert not Hold.objects.exists()


def test_a_taken_time_is_refused_with_the_nearest_and_what_was_ticked(send, waits, visit, chiro, atlanta):
    ann, ben = waits("Ann"), waits("Ben")

    answer = send(f"/waitlist/{ann.pk}/offer/", slot=value(at(10), atlanta, chiro), entries=[ben.pk], offer="yes")

    assert answer.status_code == 409
    assert "already has a visit then" in answer.text_
    assert "Nearest free times" in answer.text_
    assert re.findall(r'value="(\d+)" checked', answer.text_) == [str(ben.pk)]


@pytest.mark.parametrize("slot", ["", "x", "2027-01-04T10:00|atlanta|1", "9999-12-31T23:59:59+00:00|atlanta|1", "||"])
def test_a_time_that_was_not_offered_is_refused(send, waits, chiro, slot):
    entry = waits("Ann")

    answer = send(f"/waitlist/{entry.pk}/offer/", slot=slot, entries=[entry.pk], offer="yes")

    assert answer.status_code == 400
    assert not Offer.objects.exists()


def test_nobody_ticked_is_refused(send, waits, chiro, atlanta):
    entry = waits("Ann")

    answer = send(f"/waitlist/{entry.pk}/offer/", slot=value(at(10), atlanta, chiro), offer="yes")

    assert (answer.status_code, "Tick at least one" in answer.text_) == (400, True)


def test_a_patient_is_taken_off(send, waits):
    entry = waits("Ann")

    assert "is off the list" in send(f"/waitlist/{entry.pk}/take-off/", reason="Moves away.").text_
    assert "no longer on the list" in send(f"/waitlist/{entry.pk}/take-off/").text_
    entry.refresh_from_db()
    assert (entry.outcome, entry.closed_reason) == ("withdrawn", "Moves away.")
    assert send(f"/waitlist/{entry.pk}/take-off/", reason="\u202e").status_code == 400


def test_an_offer_out_of_sight_is_not_shown(sign_in, waits, atlanta, marietta, adjustment):
    both = make.user("desk", atlanta, marietta)
    there = make.practitioner(marietta, name="Kim Elsewhere")
    entry = waits("Ann", locations=[])
    entry.patient.locations.add(marietta)
    (made,) = offers.make([entry], _slot(marietta, there), minutes=60, by=both)
    client = sign_in(make.user("desk", atlanta))

    shown = client.get(f"/waitlist/{entry.pk}/").content.decode()

    assert "A clinic out of your sight has offered them a time." in shown
    assert "Kim Elsewhere" not in shown
    assert client.post(f"/offers/{made.pk}/answer/", {"step": "accept"}).status_code == 404
    assert Offer.objects.get().answer == ""


def test_from_the_booking_page_the_search_is_taken_along(page, patient, adjustment, atlanta, chiro):
    shown = page(
        "/appointments/new/", patient=patient.pk, type="adjustment", location="atlanta", practitioner=chiro.pk,
        from_day="2027-01-04",
    )  # fmt: skip
    (link,) = re.findall(r'href="(/waitlist/new/[^"]*)"', shown)

    form = page(link.replace("&amp;", "&"))

    assert re.search(r'value="adjustment"\s+selected', form)
    assert re.search(rf'value="{chiro.pk}"[^>]*checked', form)
    assert re.search(r'value="atlanta"[^>]*checked', form)


def test_the_patients_page_and_the_worklists_lead_to_it(page, waits):
    entry = waits("Ann", urgency=2)

    assert f'href="/waitlist/{entry.pk}/"' in page(f"/patients/{entry.patient_id}/")
    assert 'Waitlist <span class="count is-some">1</span>' in page("/worklists/")


def test_clinics_near_those_ticked_are_waited_for_too(sign_in, patient, atlanta, marietta, adjustment):
    make.travel(atlanta, marietta, 35)
    client = sign_in(make.user("desk", atlanta, marietta))

    client.post("/waitlist/new/", {"patient": patient.pk, **ASKED, "locations": ["atlanta"], "within": "40"})

    assert set(WaitlistEntry.objects.get().locations.all()) == {atlanta, marietta}


def test_who_waits_from_a_later_day_on_sees_the_times_from_then_on(page, waits, adjustment, chiro):
    adjustment.horizon_days = 180
    adjustment.save()
    begins = MONDAY + timedelta(days=70)  # further away than the two months that are looked through

    shown = page(f"/waitlist/{waits(from_day=begins).pk}/")

    assert re.findall(r'class="numbers">(\w+, \w+ \d+)', shown)[:1] == [f"{begins:%a, %b} {begins.day}"]


def test_where_nothing_is_free_it_says_from_when_on(page, waits, chiro):
    begins = MONDAY + timedelta(days=70)
    entry = waits(from_day=begins)
    chiro.weekly_hours.all().delete()

    assert f"is free in two months from {begins:%B} {begins.day} on" in page(f"/waitlist/{entry.pk}/")
    assert "is free in two months from today on" in page(f"/waitlist/{waits('Ben').pk}/")
