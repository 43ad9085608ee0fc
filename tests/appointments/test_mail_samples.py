"""Mails as patients read them, on real visits; and one of them sent as a test to who asks."""

import re
from email import message_from_bytes, policy

import pytest
from django.core import mail as post
from django.db import transaction
from icalendar import Calendar

from appointments.mails import mail_samples, mail_tests
from clinic import mail_kinds, times
from clinic.models import AuditEntry, Link, Message
from patients import registering
from patients.mail_choices import Topic
from patients.models import Patient
from tests import make
from tests.smtp_sink import smtp_sink
from tests.test_every_mail import HOW, READ_OVER_A_SHOULDER, SAYS_HEALTH, TO_STAFF, links_in

PAGE = "/setup/mails/samples/"
TEST = f"{PAGE}test/?at=atlanta"


@pytest.fixture
def manager(atlanta):
    return make.user("manager", atlanta)


def test_every_kind_that_patients_get_can_be_shown_in_both_languages(visit):
    assert set(mail_kinds.to_patients()) == set(HOW) - TO_STAFF
    for kind in mail_kinds.to_patients():
        english, spanish = mail_samples.in_every_language(kind, visit)
        assert english.mail.subject != spanish.mail.subject, kind
        assert english.mail.text != spanish.mail.text, kind
        assert links_in(english.mail) or kind == "visit-cancelled", kind
        for one in (english, spanish):
            shown = f"{one.mail.subject}\n{one.mail.text[:READ_OVER_A_SHOULDER]}"
            assert not SAYS_HEALTH.search(shown), f"{kind}: {shown}"


def test_a_sample_writes_nothing_and_hands_out_no_link(visit):
    before = times.now()
    for kind in mail_kinds.to_patients():
        mail_samples.in_every_language(kind, visit)

    visit.refresh_from_db()
    assert (Link.objects.count(), Message.objects.count()) == (0, 0)
    assert visit.status == "booked"
    assert not AuditEntry.objects.filter(at__gt=before).exists()


def test_the_sample_of_a_notice_reads_as_what_is_sent(visit):
    visit.patient.consents.create(scope="email_reminders", given_at=times.now())
    last = visit.history.latest("pk").pk
    message = Message(kind="visit-booked", key=f"appointment:{visit.pk}:notice:{last}", about_id=visit.pk, detail={})
    with transaction.atomic():
        sent = mail_kinds.compose(message)
    shown = mail_samples.in_every_language("visit-booked", visit)[0].mail

    def without_tokens(text):
        return re.sub(r"/my/(\w+)/[\w-]+/", r"/my/\1/…/", text)

    assert (shown.subject, without_tokens(shown.text)) == (sent.subject, without_tokens(sent.text))
    assert without_tokens(shown.html) == without_tokens(sent.html)


def test_the_page_shows_the_next_visit_and_writes_down_that_it_did(sign_in, manager, visit):
    page = sign_in(manager).get(f"{PAGE}?at=atlanta&kind=visit-cancelled").content.decode()

    assert "Your visit on Monday, January 4 at 10:00 AM EST is cancelled" in page
    assert "Su visita" in page
    assert "METHOD:CANCEL" in page
    assert "has not agreed to e-mails" in page
    assert AuditEntry.objects.get(action="mail.previewed").patient_id == visit.patient_id


def test_a_patient_is_found_by_name_and_others_are_out_of_sight(sign_in, manager, visit, marietta, adjustment):
    registering.index_all([visit.patient])
    client = sign_in(manager)
    found = client.get(f"{PAGE}?find=testers&kind=visit-reminder")
    nobody = client.get(f"{PAGE}?find=nobodyofthatname&kind=visit-reminder")
    elsewhere = sign_in(make.user("manager", marietta))

    assert found.context["chosen"] == visit
    assert (nobody.status_code, nobody.context["chosen"]) == (200, None)
    assert elsewhere.get(f"{PAGE}?visit={visit.pk}").status_code == 404
    assert (
        elsewhere.post(
            TEST.replace("atlanta", "marietta"), {"kind": "visit-booked", "visit": visit.pk, "language": "en"}
        ).status_code
        == 404
    )
    assert sign_in(make.user("desk", visit.location)).get(PAGE).status_code == 403
    assert not post.outbox


@pytest.mark.parametrize(
    ("typed", "field"), [("kind=incident-opened", "kind"), ("kind=%00", "kind"), (f"find={'a' * 300}", "find")]
)
def test_what_is_typed_wrong_is_named(sign_in, manager, visit, typed, field):
    answer = sign_in(manager).get(f"{PAGE}?{typed}")

    assert answer.status_code == 400
    assert field in answer.context["form"].errors


def test_a_test_goes_to_who_asks_and_claims_nothing(sign_in, manager, visit, settings):
    client = sign_in(manager)
    with smtp_sink(settings) as sink:
        answer = client.post(TEST, {"kind": "visit-booked", "visit": visit.pk, "language": "es"}, follow=True)
    (raw,) = sink.copies
    mail = message_from_bytes(raw.as_bytes(), policy=policy.default)
    entry = Calendar.from_ical(next(p for p in mail.walk() if p.get_content_type() == "text/calendar").get_content())
    (event,) = entry.walk("VEVENT")
    html = mail.get_body(("html",)).get_content()

    assert f"on its way to {manager.email}" in answer.content.decode()
    assert mail["To"] == manager.email
    assert mail["Subject"].startswith("[Test] Su visita")
    assert "No patient was written to" in html
    assert "No patient was written to" in mail.get_body(("plain",)).get_content()
    assert (mail["List-Unsubscribe"], entry["METHOD"], event.get("ATTENDEE")) == (None, "PUBLISH", None)
    assert str(visit.uid) not in str(event["UID"])
    assert not Message.objects.exists()
    assert not Link.objects.exists()
    asked = AuditEntry.objects.get(action=mail_tests.ASKED)
    assert (asked.by, asked.patient_id, asked.detail["to"]) == (manager, visit.patient_id, manager.email)
    for url in re.findall(r'href="(http[^"]+/(?:my|book)/[^"]+)"', html):
        assert client.get(url.partition("example.org")[2] or "/" + url.split("/", 3)[3]).status_code in (404, 410)


def test_tests_are_counted_and_a_server_that_is_away_is_named(sign_in, manager, visit, settings, monkeypatch):
    monkeypatch.setattr(mail_tests, "AN_HOUR", 2)
    client = sign_in(manager)
    asked = {"kind": "visit-booked", "visit": visit.pk, "language": "en"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    away = client.post(TEST, asked, follow=True).content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    client.post(TEST, asked)
    refused = client.post(TEST, asked, follow=True).content.decode()

    assert "The test was not sent. The mail server cannot be reached" in away
    assert "At most 2 tests in an hour." in refused
    assert len(post.outbox) == 1


def test_why_the_patient_would_get_none_goes_by_the_topic(sign_in, manager, visit):
    Patient.objects.get(pk=visit.patient_id).consents.create(scope="email_reminders", given_at=times.now())
    Patient.objects.get(pk=visit.patient_id).stopped_mails.create(topic=Topic.REMINDERS, at=times.now())
    client = sign_in(manager)

    reasons = [client.get(f"{PAGE}?kind={kind}").context["why_not"] for kind in ("visit-reminder", "visit-booked")]

    assert reasons == ["The patient has stopped these mails: reminders before a visit.", ""]
