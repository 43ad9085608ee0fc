"""The public pages, as a browser asks them: find a time, say who comes, book by the link in the mail."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments import availability, booking
from appointments.models import Appointment, BookingRequest, Hold
from appointments.online import public_booking, public_forms, public_times
from clinic import outbox, times
from clinic.models import Message
from patients.models import Patient
from tests import make

WHEN = make.at(10)
LINK = re.compile(r"/book/confirm/[\w-]+/")


# --- the way through


def test_a_new_patient_books_by_the_link_in_the_mail(client, link, robin, mailoutbox):
    url = link()
    page = client.get(url)
    done = client.post(url, {"step": "book"})

    visit = Appointment.objects.get()
    patient = Patient.objects.get()
    assert (page.status_code, done.status_code) == (200, 200)
    assert (visit.starts_at, visit.practitioner, visit.patient, visit.status) == (WHEN, robin, patient, "booked")
    step = visit.history.get()
    assert (step.step, step.by, step.by_whom) == ("booked", None, "the patient, on the public page")
    assert (patient.name, patient.email, str(patient.phone)) == ("Avery Testerson", "avery@example.org", "+14045550123")
    assert patient.consents.get().scope == "email_reminders"
    assert patient.intake.answers == {"neck_indicators": {"neck_stiff_before": "yes", "after_load_or_bag": "no"}}
    request = BookingRequest.objects.get()
    assert (request.visit, request.hold, request.heard_from, request.was_known) == (visit, None, "search", False)
    assert not Hold.objects.exists()


def test_the_notice_of_the_booking_takes_the_usual_way(client, link, mailoutbox, clock):
    client.post(link(), {"step": "book"})
    clock.shift(600)
    outbox.send_due()

    assert mailoutbox[0].subject.startswith("Please confirm:")
    assert Message.objects.filter(kind="visit-booked", status="sent").count() == 1


def test_the_time_is_held_while_the_mail_is_on_its_way(send, taken, clock):
    send()

    hold = Hold.objects.get()
    assert (hold.starts_at, hold.held_until - BookingRequest.objects.get().asked_at) == (WHEN, timedelta(minutes=30))
    with pytest.raises(booking.RuleBroken) as refused:
        taken()
    until = "until Thursday, December 31 at 9:30 AM EST"
    assert (refused.value.code, refused.value.message) == (
        "slot_taken", f"This time is held for an online booking {until}.",
    )  # fmt: skip
    clock.shift(31 * 60)
    assert taken().starts_at == WHEN


def test_the_calendar_says_for_whom_the_time_is_held(send, sign_in, desk):
    send()
    day = {"day": "2027-01-04", "view": "list"}

    assert "Held until 9:30 AM, online booking" in sign_in(desk).get(reverse("calendar"), day).content.decode()


# --- what is typed


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("given_name", ""), ("given_name", "\x00"), ("given_name", "a" * 201), ("family_name", "\u202e"),
        ("birth_date", "yesterday"), ("birth_date", "2090-01-01"), ("birth_date", "1700-01-01"), ("birth_date", ""),
        ("email", "nobody"), ("email", ""), ("phone", "12"), ("phone", "\x00"), ("now", []),
        ("wants_mails", "perhaps"), ("agrees", ""), ("heard_from", "a bird"), ("neck_neck_stiff_before", "often"),
        ("booked_by", "\x07"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field_and_keeps_what_was_typed(client, form, field, typed):
    answer = client.post(reverse("book-time"), form(**{field: typed}))

    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    kept = answer.content.decode()
    assert 'value="Avery"' in kept or field == "given_name"
    assert 'value="avery@example.org"' in kept or field == "email"
    assert (BookingRequest.objects.count(), Hold.objects.count()) == (0, 0)


def test_for_a_child_a_grown_up_is_named(client, form, link):
    refused = client.post(reverse("book-time"), form(birth_date="2015-05-05"))
    assert list(refused.context["form"].errors) == ["booked_by"]

    client.post(link(birth_date="2015-05-05", booked_by="Kim Testerson"), {"step": "book"})
    assert "Kim Testerson" in Patient.objects.get().note


def test_an_emergency_says_what_to_do_at_once_and_books_nothing(client, form):
    answer = client.post(reverse("book-time"), form(now=["rf_thunderclap"], email="wrong"))

    said = answer.content.decode()
    assert "Call 911 now" in said
    assert 'href="tel:911"' in said
    assert 'value="Avery"' in said
    assert (BookingRequest.objects.count(), Hold.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "query",
    ["type=nonsense&slot=x", "type=evaluation", "type=evaluation&slot=2027-01-04T15:00:00Z",
     "type=evaluation&slot=2027-01-04T15:00:00Z|nowhere|1", "type=evaluation&slot=9999-01-01T00:00:00Z|atlanta|1"],
)  # fmt: skip
def test_an_address_that_names_no_time_leads_back_to_the_times(client, robin, query):
    for answer in (client.get(f"{reverse('book-time')}?{query}"),
                   client.post(reverse("book-time"), dict(part.split("=") for part in query.split("&")))):  # fmt: skip
        assert (answer.status_code, answer["Location"]) == (302, reverse("book"))


@pytest.mark.parametrize("slot", ["2027-01-04T15:07:00Z|atlanta|{}", "2027-01-04T05:00:00Z|atlanta|{}",
                                  "2020-01-06T15:00:00Z|atlanta|{}", "2099-12-31T23:59:00Z|atlanta|{}",
                                  "2027-01-04T15:00:00Z|atlanta|99999999999999999999"])  # fmt: skip
def test_a_time_that_is_not_offered_shows_the_nearest(client, form, robin, slot):
    made_up = slot.format(robin.pk)
    seen = client.get(reverse("book-time"), {"type": "evaluation", "slot": made_up})
    sent = client.post(reverse("book-time"), form(slot=made_up))

    assert (seen.status_code, sent.status_code) == (200, 409)
    for answer in (seen, sent):
        assert "no longer free" in answer.content.decode()
        assert answer.content.decode().count('name="slot"') == public_times.NEAREST
    assert 'value="Avery"' in sent.content.decode()


def test_the_type_is_called_by_its_spanish_name_in_spanish_where_it_has_one(client, robin, visit_type, slot, link):
    pages = [reverse("book"), f"{reverse('book-time')}?type=evaluation&slot={slot.replace('|', '%7C')}", link()]
    in_english = [client.get(url, headers={"accept-language": "es"}).content.decode() for url in pages]
    visit_type.name_es = "Evaluación"
    visit_type.save()
    in_spanish = [client.get(url, headers={"accept-language": "es"}).content.decode() for url in pages]

    assert ["Evaluation" in page for page in in_english] == [True] * 3
    assert [("Evaluación" in page, "Evaluation" in page) for page in in_spanish] == [(True, False)] * 3


def test_what_is_not_marked_is_not_offered(client, robin, visit_type, adjustment, slot, form):
    assert "9:15 AM EST" in client.get(reverse("book"), {"at": "atlanta"}).content.decode()
    assert client.get(reverse("book-time"), {"type": "adjustment", "slot": slot}).status_code == 302
    robin.is_bookable_online = False
    robin.save()

    assert "cannot be booked here" in client.get(reverse("book"), {"at": "atlanta"}).content.decode()
    assert client.post(reverse("book-time"), form()).status_code == 409
    visit_type.is_bookable_online = False
    visit_type.save()
    assert client.get(reverse("book-time"), {"type": "evaluation", "slot": slot}).status_code == 302


# --- programs and too much


def test_a_form_sent_twice_is_one_request(client, form):
    sent = form()
    answers = [client.post(reverse("book-time"), sent) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert (BookingRequest.objects.count(), Hold.objects.count()) == (1, 1)


def test_a_form_that_is_corrected_takes_the_place_of_the_first(client, form, mailoutbox, clock):
    sent = form(email="avrey@example.org")
    client.post(reverse("book-time"), sent)
    outbox.send_due()
    wrong = LINK.search(mailoutbox[-1].body)[0]
    clock.shift(60)
    corrected = client.post(reverse("book-time"), sent | {"email": "avery@example.org"})
    outbox.send_due()
    right = LINK.search(mailoutbox[-1].body)[0]

    assert corrected.status_code == 302
    assert [mail.to for mail in mailoutbox] == [["avrey@example.org"], ["avery@example.org"]]
    assert client.get(wrong).status_code == 410
    assert Hold.objects.count() == 1
    assert client.post(right, {"step": "book"}).status_code == 200
    assert Appointment.objects.get().patient.email == "avery@example.org"
    assert BookingRequest.objects.count() == 2  # the first counts as one that was asked for


def test_a_correction_that_is_refused_leaves_the_first(client, form, taken, slot):
    sent = form()
    client.post(reverse("book-time"), sent)
    taken(14)
    refused = client.post(reverse("book-time"), sent | {"slot": slot.replace("T15", "T19")})

    assert refused.status_code == 409
    assert BookingRequest.objects.get().hold.starts_at == WHEN


def test_a_form_of_which_the_visit_is_booked_is_another_when_it_is_changed(client, form, link, clock):
    sent = form()
    client.post(link(stamp=sent["stamp"]), {"step": "book"})
    clock.shift(60)
    other = sent | {"given_name": "Ann", "slot": sent["slot"].replace("T15", "T19")}
    asked = client.post(reverse("book-time"), other)
    stamp = re.search(r'name="stamp" value="([^"]+)"', asked.content.decode())[1]
    clock.shift(60)

    assert (asked.status_code, "booked with this page already" in asked.content.decode()) == (409, True)
    assert client.post(reverse("book-time"), other | {"stamp": stamp}).status_code == 302


def test_programs_are_asked_to_press_again(client, form, clock):
    filled = client.post(reverse("book-time"), form(website="https://example.org"))
    quick = client.post(reverse("book-time"), form() | {"stamp": public_forms.stamp()})
    forged = client.post(reverse("book-time"), form(stamp="forged"))
    old = form()
    clock.shift(timedelta(hours=4))
    late = client.post(reverse("book-time"), old)

    for answer in (filled, quick, forged, late):
        assert answer.status_code == 400
        assert list(answer.context["form"].errors) == ["__all__"]
        assert 'value="Avery"' in answer.content.decode()
    assert not BookingRequest.objects.exists()
    assert "example.org" not in re.search(r'name="website"[^>]*', filled.content.decode())[0]
    again = re.search(r'name="stamp" value="([^"]+)"', late.content.decode())[1]
    clock.shift(10)
    assert client.post(reverse("book-time"), {**old, "stamp": again}).status_code == 302


def test_an_address_and_a_network_have_their_limits(form, robin, clock):
    times_ = [slot.mark for slot in availability.find(
        type=public_times.types()[0], locations=public_times.places([robin]), from_day=make.MONDAY,
        to_day=make.MONDAY + timedelta(days=4), limit=200).slots if slot.starts_at.minute == 0]  # fmt: skip

    def ask(n, address, network):
        sent = form(slot=str(times_[n]), email=address)
        return Client(REMOTE_ADDR=network).post(reverse("book-time"), sent).status_code

    of_one = [ask(n, "same@example.org", f"198.51.100.{n}") for n in range(4)]
    assert of_one == [302, 302, 302, 429]
    held = [ask(n, f"p{n}@example.org", f"192.0.2.{n}") for n in range(4, 14)]
    assert held == [302] * 10
    assert Hold.objects.count() == public_booking.HELD_AT_ONCE  # at one clinic; the next is asked for, and not held
    clock.shift(timedelta(minutes=31))
    of_network = [ask(n, f"q{n}@example.org", "203.0.113.9") for n in range(14, 26)]
    assert of_network == [302] * 12
    assert Hold.objects.filter(held_until__gt=times.now()).count() == public_booking.HELD_FOR_A_NETWORK
    clock.shift(timedelta(minutes=31))
    assert ask(26, "same@example.org", "203.0.113.9") == 429
    assert ask(26, "same@example.org", "203.0.113.10") == 302  # the hour of the address is over


def test_who_gets_no_hold_is_told_so_and_books_all_the_same(client, form, mailoutbox, monkeypatch):
    monkeypatch.setattr(public_booking, "HELD_FOR_A_NETWORK", 0)
    page = client.post(reverse("book-time"), form(), follow=True).content.decode()
    outbox.send_due()

    assert "Not kept, many book just now" in page
    assert "We keep the time" not in mailoutbox[0].body
    assert client.post(LINK.search(mailoutbox[0].body)[0], {"step": "book"}).status_code == 200
    assert Appointment.objects.get().starts_at == WHEN


def test_another_site_cannot_send_the_form(form):
    assert Client(enforce_csrf_checks=True).post(reverse("book-time"), form()).status_code == 403


# --- words


def test_pages_and_mail_are_in_the_language_of_the_browser_or_as_chosen(client, form, mailoutbox, robin):
    spanish = client.get(reverse("book"), headers={"accept-language": "es"})
    chosen = client.get(reverse("book"), {"lang": "es"})
    stays = client.get(reverse("book"))
    client.post(reverse("book-time"), form())
    outbox.send_due()

    for page in (spanish, chosen, stays):
        assert '<html lang="es">' in page.content.decode()
        assert "Reservar una visita" in page.content.decode()
    assert mailoutbox[0].subject == "Confirme por favor: lunes 4 de enero, 10:00 AM EST"
    assert BookingRequest.objects.get().language == "es"


def test_no_subject_or_address_has_a_word_about_health(link, mailoutbox, send):
    url = link()

    assert mailoutbox[0].subject == "Please confirm: Monday, January 4 at 10:00 AM EST"
    assert not re.search("avery|evaluation|neck", url, re.I)


def test_who_wants_no_mails_gets_only_the_one(client, link, mailoutbox, clock):
    page = client.post(link(wants_mails="no"), {"step": "book"})
    clock.shift(600)
    outbox.send_due()

    assert "we write no further mails" in page.content.decode()
    assert len(mailoutbox) == 1


# --- what a page costs


def test_each_page_asks_a_known_number_of_queries(client, form, robin, link, slot):
    counts = {}

    def count(name, ask):
        with CaptureQueriesContext(connection) as asked:
            ask()
        counts[name] = sum(not one["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")) for one in asked)

    for _ in range(2):
        count("soonest", lambda: client.get(reverse("book")))
        count("clinic", lambda: client.get(reverse("book"), {"at": "atlanta"}))
        count("details", lambda: client.get(reverse("book-time"), {"type": "evaluation", "slot": slot}))
        for _more in range(3):  # more to choose from costs no more
            other = make.practitioner(public_times.places([robin])[0])
            other.is_bookable_online = True
            other.save()
    sent = form()
    count("send", lambda: client.post(reverse("book-time"), sent))
    url = link(slot=f"2027-01-04T16:00:00Z|atlanta|{other.pk}")
    count("look", lambda: client.get(url))
    count("book", lambda: client.post(url, {"step": "book"}))

    assert {name: counts[name] for name in ("soonest", "clinic", "details", "look")} == {
        "soonest": 7, "clinic": 7, "details": 8, "look": 2,
    }  # fmt: skip
    assert (counts["send"] <= 30, counts["book"] <= 60) == (True, True)  # the locks of PostgreSQL are statements
