"""Mails and the pages behind their links, in every language: complete, discreet, by the same clock."""

import os
import re
from datetime import timedelta

import polib
import pytest
import time_machine
from django.utils import translation

from appointments import booking, reminders, visit_status
from appointments.mails import visit_mails
from appointments.mails.letters import WayOut
from appointments.mails.visit_mails import News
from clinic import catalogs, outbox, times, tokens, undeliverable, wordings
from clinic.models import Message
from patients import languages, mail_choices
from patients.mail_choices import Topic
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
GRACE = reminders.GRACE


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def person(atlanta):
    def made(**fields):
        someone = make.patient(atlanta, **fields)
        someone.consents.create(scope="email_reminders", given_at=NOW)
        return someone

    return made


@pytest.fixture
def book(chiro, atlanta, adjustment, desk):
    def booked(patient, hour=10):
        return booking.book(
            patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(hour), by=desk
        )

    return booked


def test_every_text_is_there_in_every_language():
    for catalogue in catalogs.SOURCES.glob("*.po"):
        assert wordings.lacking(catalogue) == ([], [])


def test_a_text_that_a_catalogue_lacks_is_noticed(tmp_path):
    (tmp_path / "es.po").write_text('msgid ""\nmsgstr "Language: es\\n"\n\nmsgid "Nobody says this."\nmsgstr "x"\n')

    missing, unused = wordings.lacking(tmp_path / "es.po")

    assert wordings.Wording("Your visit is booked.") in missing
    assert wordings.Wording("{left} try left.", plural="{left} tries left.") in missing
    assert unused == [wordings.Wording("Nobody says this.")]


def test_translations_keep_the_places_for_what_is_filled_in():
    places = re.compile(r"\{\w*\}|%\(\w+\)s")
    for entry in polib.pofile(str(catalogs.SOURCES / "es.po")):
        for said in [entry.msgstr, *entry.msgstr_plural.values()]:
            if said:
                assert sorted(places.findall(said)) == sorted(places.findall(entry.msgid_plural or entry.msgid))


def test_catalogues_are_compiled_once_and_again_when_they_change(tmp_path):
    source = tmp_path / "es.po"
    source.write_text((catalogs.SOURCES / "es.po").read_text())

    first = catalogs.make_ready(tmp_path, tmp_path / "made")
    again = catalogs.make_ready(tmp_path, tmp_path / "made")
    later = first[0].stat().st_mtime + 5
    os.utime(source, (later, later))

    assert (len(first), again) == (1, [])
    assert catalogs.make_ready(tmp_path, tmp_path / "made") == first


@pytest.mark.parametrize(
    ("language", "spoken"),
    [("en", "Monday, January 4, 2027 at 10:00 AM EST"), ("es", "lunes 4 de enero de 2027, 10:00 AM EST"),
     ("es-MX", "lunes 4 de enero de 2027, 10:00 AM EST"), ("fr", "Monday, January 4, 2027 at 10:00 AM EST")],
)  # fmt: skip
def test_a_patient_is_spoken_to_in_their_language_or_else_in_english(atlanta, language, spoken):
    with languages.speaking(make.patient(atlanta, language=language)):
        assert times.spoken(make.at(10), "America/New_York") == spoken


def test_the_mail_comes_in_the_language_of_the_patient_and_so_does_its_page(book, person, mailoutbox, client):
    book(person(language="es"))

    outbox.send_due(NOW + GRACE)

    mail = mailoutbox[0]
    page = client.get(re.search(r"/my/visits/\S+", mail.body)[0]).content.decode()
    assert mail.subject == "Su visita del lunes 4 de enero, 10:00 AM EST"
    assert '<html lang="es">' in mail.alternatives[0][0]
    assert "SUMMARY:Su visita" in mail.attachments[0].get_payload(decode=True).decode()
    assert ('<html lang="es">' in page, "Cancelar esta visita" in page) == (True, True)
    assert translation.get_language() == "en-us"


def test_a_link_that_is_no_good_is_answered_in_the_language_of_the_browser(client, db):
    page = client.get("/my/visits/nothing/", headers={"Accept-Language": "es-US,es;q=0.9"}).content.decode()

    assert "Este enlace ya no sirve" in page


def test_a_moved_visit_tells_its_old_time_in_the_language_too(book, person, desk, clock, mailoutbox):
    visit = book(person(language="es"))
    outbox.send_due(NOW + GRACE)
    clock.shift(timedelta(hours=1))
    booking.reschedule(visit, starts_at=make.at(14), by=desk)
    outbox.send_due(NOW + timedelta(hours=1) + GRACE)

    assert "Antes: lunes 4 de enero de 2027, 10:00 AM EST" in mailoutbox[1].body


def test_the_mail_says_where_to_park_who_to_call_and_what_to_bring(book, person, atlanta, adjustment, mailoutbox):
    type(atlanta).objects.update(parking="Behind the house", sender_name="Front desk")
    type(adjustment).objects.update(preparation="Bring glasses.", preparation_es="Traiga sus gafas.")
    book(person())
    book(person(language="es"), hour=11)

    outbox.send_due(NOW + GRACE)

    english, spanish = mailoutbox
    for said in (
        "Behind the house",
        "Questions? Call +1 404 555 0100",
        "Bring glasses.",
        "Map: https://www.google.com/",
    ):
        assert said in english.body
    assert 'href="tel:+14045550100"' in english.alternatives[0][0]
    assert "Traiga sus gafas." in spanish.body
    assert english.from_email == "Front desk <clinic@example.org>"


def test_a_cancellation_says_nothing_of_what_to_bring(book, person, adjustment, desk, clock, mailoutbox):
    type(adjustment).objects.update(preparation="Bring glasses.")
    visit = book(person())
    outbox.send_due(NOW + GRACE)
    clock.shift(timedelta(hours=1))
    visit_status.cancel(visit, by=desk)
    outbox.send_due(NOW + timedelta(hours=1) + GRACE)

    assert ["Bring glasses." in mail.body for mail in mailoutbox] == [True, False]


def test_who_shares_an_address_is_named_and_nobody_else(book, person, mailoutbox):
    book(person(given="Ann", email="home@example.org"))
    book(person(given="Ben", email="Home@example.org"), hour=11)
    book(person(given="Cleo"), hour=12)

    outbox.send_due(NOW + GRACE)

    assert [re.findall(r"^For: (\w+)$", mail.body, re.M) for mail in mailoutbox] == [["Ann"], ["Ben"], []]
    assert not [mail.subject for mail in mailoutbox if re.search("Ann|Ben|Cleo", mail.subject)]


def test_what_was_sent_is_kept_as_it_was_seen_but_for_its_links(book, person, mailoutbox):
    book(person())

    outbox.send_due(NOW + GRACE)

    kept = Message.objects.get()
    assert "/my/" not in kept.html + kept.text
    assert re.sub(r"http://127\S+?/my/[^\"\s]+", "…", mailoutbox[0].alternatives[0][0]) == kept.html


def stop_link(mail):
    return re.search(r"/my/unsubscribe/\S+/", mail.body)[0]


def test_one_click_stops_the_kind_of_mail_that_it_stands_in(book, person, client, mailoutbox):
    patient = person()
    book(patient)
    outbox.send_due(NOW + GRACE)
    outbox.send_due(NOW + timedelta(hours=35))
    header = re.search(r"<http://[^/]+(/my/\S+)>", mailoutbox[1].extra_headers["List-Unsubscribe"])[1]

    answer = client.post(header, {"List-Unsubscribe": "One-Click"})
    outbox.send_due(make.at(10) - timedelta(hours=1, minutes=59))

    assert (answer.status_code, mail_choices.stopped_by(patient)) == (200, [Topic.REMINDERS])
    assert list(Message.objects.order_by("pk").values_list("kind", "status", "reason")) == [
        ("visit-booked", "sent", ""),
        ("visit-reminder", "sent", ""),
        ("visit-reminder", "skipped", "The patient has stopped these mails: reminders before a visit."),
    ]


def test_the_page_offers_to_stop_this_kind_or_all_and_looking_stops_nothing(book, person, client, mailoutbox):
    patient = person()
    book(patient)
    outbox.send_due(NOW + GRACE)
    url = stop_link(mailoutbox[0])

    page = client.get(url).content.decode()
    before = mail_choices.stopped_by(patient), patient.consents.filter(withdrawn_at=None).count()
    client.post(url, {"stop": "all"})

    assert "Stop only these: Mails when a visit is booked" in page
    assert before == ([], 1)
    assert (mail_choices.stopped_by(patient), patient.consents.filter(withdrawn_at=None).count()) == ([], 0)


def test_links_in_mails_sent_before_kinds_could_be_stopped_still_stop_all(person, client):
    patient = person()
    token = tokens.issue_link(purpose="unsubscribe", on=patient, expires_at=NOW + timedelta(days=1))

    client.post(f"/my/unsubscribe/{token}/")

    assert not patient.consents.filter(withdrawn_at=None).exists()


def test_a_kind_taken_up_again_is_sent_again(book, person, desk, mailoutbox):
    patient = person()
    mail_choices.stop(patient, Topic.NOTICES, by=desk)
    mail_choices.stop(patient, Topic.NOTICES, by=desk)
    book(patient)
    outbox.send_due(NOW + GRACE)
    mail_choices.resume(patient, Topic.NOTICES, by=desk, reason="Asked for them again.")
    book(patient, hour=11)
    outbox.send_due(NOW + GRACE)

    assert len(mailoutbox) == 1


NEWS = [(kind,) for kind in visit_mails.SUBJECTS] + [(kind, kind) for kind in visit_mails.SUBJECTS_OF_SEVERAL]
# Words by which somebody who looks over a shoulder would learn what the patient is treated for, or that they are.
ABOUT_HEALTH = re.compile(
    r"head|migr|pain|ache|spin|neck|cervic|chiro|treat|therap|adjust|evaluat|exam|care|health|symptom|diagn|doctor|"
    r"patient|dolor|cabeza|cuello|column|quiro|tratam|terap|ajust|evalua|exám|cuidad|salud|síntom|paciente|médic",
    re.I,
)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kinds", NEWS, ids="+".join)
def test_no_subject_and_no_first_line_tells_anything_of_health(book, person, kinds, language):
    visits = [book(person(given="Migraina", language=language), hour=10 + n) for n in range(len(kinds))]
    with translation.override(language):
        mail = visit_mails.write(
            [News(kind, visit) for kind, visit in zip(kinds, visits, strict=True)], way_out=WayOut("")
        )

    first_line = mail.text.splitlines()[0]
    shown_first = re.sub(r"<title>.*?</title>|<[^>]+>", " ", mail.html).split()[:12]
    assert ABOUT_HEALTH.findall(" ".join([mail.subject, first_line, *shown_first, mail.sender])) == []


@pytest.mark.parametrize("said", ["Your migraine visit", "Reminder of your adjustment", "Su ajuste de columna"])
def test_words_about_health_are_found(said):
    assert ABOUT_HEALTH.search(said)


def test_a_refused_address_is_written_to_no_more_until_somebody_mends_it(book, person, desk, mailoutbox):
    patient = person(email="Gone@example.org")
    undeliverable.flag("gone@example.org", kind="bounced", reason="550 5.1.1 No such user")
    book(patient)
    outbox.send_due(NOW + GRACE)
    undeliverable.mend("GONE@example.org", by=desk)
    book(patient, hour=11)
    outbox.send_due(NOW + GRACE)

    assert len(mailoutbox) == 1
    assert Message.objects.order_by("pk").first().reason == ("Mail to this address comes back: 550 5.1.1 No such user")
