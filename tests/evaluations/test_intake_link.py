"""The questions before a visit, answered by the patient on the phone."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import booking, visit_status
from appointments.models import Appointment
from clinic import outbox
from clinic.models import Link, Message
from evaluations import catalogue, recording
from evaluations.intake import history_taking, intake_questions, self_intake
from evaluations.intake.intake_form import ITEMS
from evaluations.models import RedFlagAnswer, RedFlagEvent, SelfIntake
from evaluations.safety import red_flags
from patients import intake
from patients.models import Intake
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
BORN = "1991-11-14"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def visit(patient, chiro, atlanta, evaluation_type, desk):
    patient.consents.create(scope="email_reminders", given_at=NOW)
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=evaluation_type, starts_at=make.at(10), by=desk
    )


@pytest.fixture
def url(visit):
    return self_intake.address(visit).split("8000", 1)[-1].removeprefix("http://127.0.0.1")


@pytest.fixture
def phone(client, url):
    """A browser in which the birth date was given."""
    assert client.post(url, {"born_on": BORN}).status_code == 302
    return client


def told(visit):
    return SelfIntake.objects.get(appointment=visit)


def test_every_safety_question_is_asked_here_or_left_to_the_clinician():
    asked = [*intake_questions.NOW, *intake_questions.BEFORE, *intake_questions.NOT_ASKED]

    assert sorted(asked) == sorted(catalogue.RED_FLAGS)
    tiers = {catalogue.RED_FLAGS[code].tier for code in intake_questions.NOW}
    assert tiers == {"emergency"}
    left = {catalogue.RED_FLAGS[code].code for code in intake_questions.NOT_ASKED}
    assert {code for code, flag in catalogue.RED_FLAGS.items() if flag.tier == "emergency"} - left == set(
        intake_questions.NOW
    )


def test_every_question_is_one_of_the_reference():
    paths = {item.path for part in intake_questions.PARTS.values() for item in part.items}

    assert paths - {"preventive_medications"} <= set(ITEMS)
    assert len([path for path in paths if path.startswith("neck_indicators.")]) == 13


def test_the_mail_leads_to_the_first_part(client, visit, mailoutbox, clock):
    outbox.begin(NOW - timedelta(days=1))
    clock.move_to(make.at(11, day=make.MONDAY - timedelta(days=3)))
    outbox.send_due()
    mail = next(one for one in mailoutbox if one.subject == "Before your first visit")
    address = next(word for word in mail.body.split() if "/my/intake/" in word)
    path = address[address.index("/my/") :]

    assert "/my/" not in Message.objects.get(kind="intake-request").text
    page = client.get(path)
    assert "Your birth date" in page.content.decode()
    client.post(path, {"born_on": BORN})
    page = client.get(path).content.decode()
    assert "Begin" in page
    assert f"{path}now/" in page


def test_answers_of_parts_land_in_the_intake_to_be_confirmed(phone, visit, url, chiro, clock):
    phone.post(f"{url}headache/", {"headache_onset_age": "20", "attack_hours_min": "4", "attack_hours_max": "24.5"})
    phone.post(
        f"{url}neck/", {"neck_indicators.starts_base_of_skull": "yes", "neck_indicators.neck_stiff_before": "no"}
    )
    phone.post(f"{url}medicines/", {"acute_medication_days_month.simple": "4", "preventive_medications": "A 5 mg\n\nB"})
    answers = intake.answers_of(visit.patient)

    assert answers["attack_hours_max"] == 24.5
    assert answers["neck_indicators"] == {"starts_base_of_skull": "yes", "neck_stiff_before": "no"}
    assert answers["preventive_medications"] == [{"name": "A 5 mg"}, {"name": "B"}]
    assert told(visit).parts == ["headache", "medicines", "neck"]
    assert Intake.objects.get().changed_by is None

    clock.move_to(make.at(10))
    found = recording.start(patient=visit.patient, location=visit.location, by=chiro.user)
    assert history_taking.confirmed(found) == {}
    phone.force_login(chiro.user)
    page = phone.get(reverse("evaluation-intake", args=[found.pk])).content.decode()
    assert "Told by the patient on the phone" in page
    assert "3 of 7 parts" in page
    kept, version = history_taking.answers_for(found)
    history_taking.confirm(found, {}, version=version, by=chiro.user)
    assert history_taking.confirmed(found) == kept == answers
    assert "Told by the patient" not in phone.get(reverse("evaluation-intake", args=[found.pk])).content.decode()


def test_what_was_told_stays_while_another_part_is_saved_and_can_be_taken_back(phone, visit, url):
    phone.post(f"{url}neck/", {"neck_indicators.starts_base_of_skull": "yes"})
    phone.post(f"{url}background/", {"occupation": "Baker"})
    page = phone.get(f"{url}neck/").content.decode()
    assert 'value="yes" id="id_neck_indicators.starts_base_of_skull_0" checked' in page
    phone.post(f"{url}background/", {"occupation": ""})

    assert intake.answers_of(visit.patient)["neck_indicators"] == {"starts_base_of_skull": "yes"}
    assert intake.answers_of(visit.patient)["occupation"] is None


def test_wrong_answers_are_named_and_nothing_typed_is_lost(phone, visit, url):
    far = phone.post(f"{url}headache/", {"headache_onset_age": "200", "lifetime_attacks": "some"})
    crossed = phone.post(f"{url}headache/", {"attack_hours_min": "9", "attack_hours_max": "3"})

    assert [far.status_code, crossed.status_code] == [400, 400]
    assert 'value="some"' in far.content.decode()
    assert "The longest attack is not shorter than the shortest." in crossed.content.decode()
    assert 'value="9"' in crossed.content.decode()
    assert not Intake.objects.exists()
    assert not SelfIntake.objects.exists()


def test_red_flag_tells_patient_and_clinic_at_once(phone, visit, url, chiro, owner, mailoutbox, clock):
    outbox.begin(NOW - timedelta(minutes=1))
    answer = phone.post(f"{url}now/", {"rf_thunderclap": "yes", "rf_diplopia": "yes", "rf_ataxia": "no"})
    page = answer.content.decode()

    assert answer.status_code == 200
    assert "Call 911 now" in page
    assert 'href="tel:911"' in page
    assert "Go on with the questions" not in page
    events = RedFlagEvent.objects.order_by("code")
    assert [(e.code, e.answer, e.opened_by) for e in events] == [
        ("rf_diplopia", "yes", None), ("rf_thunderclap", "yes", None)
    ]  # fmt: skip
    assert red_flags.open_events(visit.patient)

    clock.move_to(NOW + timedelta(seconds=5))
    outbox.send_due()
    outbox.send_due()
    mails = [one for one in mailoutbox if "safety question" in one.subject]
    assert sorted(one.to[0] for one in mails) == sorted([chiro.user.email, owner.email])
    text = mails[0].body
    assert "Tier: emergency" in text
    for word in ("thunderclap", "double", "Testerson", "Avery"):
        assert word not in text.lower() + mails[0].subject
    phone.force_login(chiro.user)
    board = phone.get("/").content.decode()
    assert "told on the phone, before the visit" in board


@pytest.mark.parametrize(
    ("part", "code", "words"),
    [
        ("before", "rf_neoplasm", "Please have a doctor look at this"),
        ("before", "rf_pregnant", "Thank you for telling us"),
        ("now", "rf_suicidality", "988"),
    ],
)
def test_words_follow_the_tier(phone, visit, url, part, code, words):
    assert words in phone.post(f"{url}{part}/", {code: "yes"}).content.decode()


def test_same_answer_again_opens_nothing_more(phone, visit, url):
    for _ in range(2):
        phone.post(f"{url}before/", {"rf_neoplasm": "yes", "rf_surgery": "unknown"})

    assert RedFlagEvent.objects.count() == 2
    assert RedFlagAnswer.objects.count() == 2


def test_no_on_the_phone_is_no_answer_yet_and_takes_no_yes_back(phone, visit, url, chiro, clock):
    phone.post(f"{url}before/", {"rf_neoplasm": "yes", "rf_surgery": "no"})
    phone.post(f"{url}before/", {"rf_neoplasm": "no", "rf_surgery": "no"})

    assert [event.code for event in red_flags.open_events(visit.patient)] == ["rf_neoplasm"]
    assert "rf_surgery" not in red_flags.current_answers(visit.patient)
    clock.move_to(make.at(10))
    found = recording.start(patient=visit.patient, location=visit.location, by=chiro.user)
    assert len(red_flags.unanswered(found)) == len(catalogue.RED_FLAGS)
    phone.force_login(chiro.user)
    page = phone.get(reverse("evaluation-screening", args=[found.pk])).content.decode()
    assert page.count("on the phone: no") == 2


def test_answers_are_shown_to_nobody_without_the_birth_date(client, visit, url):
    intake.record(visit.patient, {"occupation": "Lighthouse keeper"}, by=None, by_whom="patient")
    page = client.get(f"{url}background/")
    assert (page.status_code, page["Location"]) == (302, url)
    assert client.post(f"{url}background/", {"occupation": "x"}).status_code == 302
    answers = [client.post(url, {"born_on": "1990-01-01"}).status_code for _ in range(5)]

    assert answers == [400, 400, 400, 400, 410]
    assert client.get(url).status_code == 410
    assert intake.answers_of(visit.patient) == {"occupation": "Lighthouse keeper"}


def test_cookie_of_another_link_opens_nothing(phone, visit, url, atlanta, chiro, evaluation_type, desk):
    other = make.patient(atlanta, given="Other")
    theirs = booking.book(
        patient=other, practitioner=chiro, location=atlanta, type=evaluation_type, starts_at=make.at(12), by=desk
    )
    address = self_intake.address(theirs)
    path = address[address.index("/my/") :]
    phone.cookies["intake"]["path"] = "/"

    assert "Your birth date" in phone.get(path).content.decode()
    assert phone.get(f"{path}now/").status_code == 302


@pytest.mark.parametrize("how", ["wrong", "foreign", "cancelled", "begun", "expired"])
def test_links_that_are_no_good_look_all_the_same(phone, visit, url, desk, how, clock):
    if how == "cancelled":
        visit_status.cancel(visit, by=desk)
    elif how == "begun":
        Appointment.objects.filter(pk=visit.pk).update(status="in_room")
    elif how == "expired":
        clock.move_to(NOW + timedelta(days=90))
    elif how == "foreign":
        Link.objects.update(purpose="visit")
    path = url.replace("/my/intake/", "/my/intake/x") if how == "wrong" else url

    assert [phone.get(one).status_code for one in (path, f"{path}now/")] == [410, 410]
    assert phone.post(f"{path}now/", {"rf_neoplasm": "yes"}).status_code == 410
    assert not RedFlagEvent.objects.exists()


def test_moved_visit_keeps_the_link(phone, visit, url, desk):
    booking.reschedule(visit, starts_at=make.at(10, day=make.MONDAY + timedelta(days=14)), by=desk)

    assert phone.get(url).status_code == 200


def test_no_such_part(phone, url):
    assert phone.get(f"{url}nothing/").status_code == 404


def test_every_part_in_spanish(phone, visit, url, patient):
    patient.language = "es"
    patient.save()
    for code in intake_questions.PARTS:
        page = phone.get(f"{url}{code}/").content.decode()
        assert "Guardar y continuar" in page
        assert 'lang="es"' in page
    assert "Llame al 911 ahora" in phone.post(f"{url}now/", {"rf_diplopia": "yes"}).content.decode()


def test_looking_changes_nothing_and_asks_few_questions(phone, visit, url, django_assert_max_num_queries):
    for path in (url, *(f"{url}{code}/" for code in intake_questions.PARTS)):
        with django_assert_max_num_queries(8):
            assert phone.get(path).status_code == 200
        phone.head(path)

    assert not SelfIntake.objects.exists()
    assert not Intake.objects.exists()
