"""The patient's own page: what it shows, what it takes, and who gets in."""

from datetime import timedelta

import pytest

from appointments import booking
from careplans import home_programme, plan_link_mails, plan_links, planning
from careplans.models import HomeAnswer
from clinic import outbox, times, tokens
from clinic.errors import RuleBroken
from clinic.models import Link
from clinic.outbox import Skip
from evaluations.safety import red_flags
from tests import make, signing
from tests.make import at


@pytest.fixture
def running(active):
    """The plan has begun: today is its first day or later."""
    type(active).objects.filter(pk=active.pk).update(starts_on=active.location.today() - timedelta(days=2))
    active.refresh_from_db()
    return active


def token_of(plan):
    return tokens.issue_link(purpose=plan_links.PURPOSE, on=plan, expires_at=times.now() + timedelta(days=1))


@pytest.fixture
def page(client):
    """`page(plan)` is the address of its page."""
    return lambda plan: f"/my/plan/{token_of(plan)}/"


def test_the_page_shows_the_next_visit_and_what_is_left(client, page, active, chiro, atlanta, adjustment, patient):
    booked = booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, by=chiro.user,
                          starts_at=at(10))  # fmt: skip
    type(booked).objects.filter(pk=booked.pk).update(series_visit=active.series.visits.get(number=1))

    answer = client.get(page(active))
    text = answer.content.decode()

    assert "Monday, January 4, 2027 at 10:00 AM" in text
    assert "0 of 12 visits took place, 1 booked." in text
    assert "from 10 days to 5 days" in text
    assert "Chin tucks" in text
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")
    assert len(answer.content) < 40_000


def test_a_visit_that_is_not_of_the_plan_is_shown_too(client, page, active, chiro, atlanta, patient):
    massage = make.appointment_type("massage", 30)
    booking.book(patient=patient, practitioner=chiro, location=atlanta, type=massage, by=chiro.user,
                 starts_at=at(10))  # fmt: skip

    text = client.get(page(active)).content.decode()

    assert "Monday, January 4, 2027 at 10:00 AM" in text
    assert f"<p>{massage.name}</p>" in text
    assert "No visit is booked" not in text


def test_while_a_red_flag_holds_the_plan_up_the_page_says_calmly_that_it_waits(client, page, running, chiro, atlanta):
    booking.book(patient=running.patient, practitioner=chiro, location=atlanta, type=running.series.type,
                 by=chiro.user, starts_at=at(10))  # fmt: skip
    calm = client.get(page(running)).content.decode()
    red_flags.stop_care(running.patient, running.evaluation, "rf_progressive", by=chiro.user)
    held = client.get(page(running)).content.decode().split('id="agreement"')[0]

    assert "We want to speak with you" not in calm
    assert "At home" in calm
    assert "We want to speak with you before your care goes on" in held
    assert atlanta.phone in held
    assert "We look first at how you are." in held
    assert "At home" not in held
    assert "chin tucks" not in held.lower()
    assert "We look again at how you are by" not in held
    assert "progressive" not in held.lower()  # the flag stays unnamed


def test_a_draft_waits_to_be_signed(client, page, draft):
    text = client.get(page(draft())).content.decode()

    assert "No visit is booked." in text
    assert "I have read this plan" in text


def test_its_number_of_queries_is_known(client, page, running, django_assert_max_num_queries):
    address = page(running)
    with django_assert_max_num_queries(32):
        client.get(address)


@pytest.mark.parametrize("spoil", [lambda token: token[:-1], lambda token: "x" * 43])
def test_a_wrong_link_opens_nothing(client, active, spoil):
    assert client.get(f"/my/plan/{spoil(token_of(active))}/").status_code == 410


def test_a_link_for_something_else_opens_nothing(client, active, patient):
    other = tokens.issue_link(purpose="unsubscribe", on=patient, expires_at=times.now() + timedelta(days=1))

    assert client.get(f"/my/plan/{other}/").status_code == 410


def test_reading_changes_nothing(client, page, running):
    address = page(running)
    client.get(address, {"step": "home", "day": f"{running.location.today()}", "done-chin_tucks": "yes"})
    client.head(address)

    assert not HomeAnswer.objects.exists()


# --- at home


def test_yes_and_no_for_each_day_and_the_last_word_counts(client, page, running):
    address, today = page(running), running.location.today()
    client.post(address, {"step": "home", "day": f"{today}", "done-chin_tucks": "yes"})
    client.post(address, {"step": "home", "day": f"{today - timedelta(1)}", "done-chin_tucks": "yes"})
    saved = client.post(address, {"step": "home", "day": f"{today}", "done-chin_tucks": "no"})

    assert "Noted. Thank you." in saved.content.decode()
    assert list(HomeAnswer.objects.values_list("day", "is_done")) == [(today - timedelta(1), True), (today, False)]
    assert (home_programme.kept(running).days, home_programme.kept(running).percent) == (2, 50)
    assert home_programme.kept(running) == home_programme.Kept(2, 50)


def test_what_is_left_open_stays_not_answered(client, page, running):
    client.post(page(running), {"step": "home", "day": f"{running.location.today()}", "done-chin_tucks": "maybe"})

    assert home_programme.kept(running) == home_programme.Kept(0, None)


@pytest.mark.parametrize(("back", "is_open"), [(-1, False), (0, True), (2, True), (3, False)])
def test_only_days_of_the_plan_that_are_here(running, back, is_open):
    """The plan began two days ago."""
    day = running.location.today() - timedelta(days=back)
    if is_open:
        home_programme.answer(running, day, {"chin_tucks": True})
    else:
        with pytest.raises(RuleBroken) as refused:
            home_programme.answer(running, day, {"chin_tucks": True})
        assert refused.value.code == "out_of_range"
    assert HomeAnswer.objects.exists() is is_open


@pytest.mark.parametrize(("back", "is_open"), [(6, True), (7, False)])
def test_not_longer_back_than_one_remembers(running, back, is_open):
    type(running).objects.filter(pk=running.pk).update(starts_on=running.location.today() - timedelta(days=20))
    running.refresh_from_db()

    assert (running.location.today() - timedelta(days=back) in home_programme.days(running)) is is_open


def test_what_is_not_in_the_programme_is_refused(running):
    with pytest.raises(RuleBroken) as refused:
        home_programme.answer(running, running.location.today(), {"hydration": True})

    assert refused.value.code == "unknown_code"


def test_a_plan_that_is_over_takes_no_answers(running, chiro):
    planning.complete(running, by=chiro.user)
    with pytest.raises(RuleBroken) as refused:
        home_programme.answer(running, running.location.today(), {"chin_tucks": True})

    assert refused.value.code == "wrong_status"


@pytest.mark.parametrize("day", ["", "yesterday", "2027-13-01", "9999-12-31", "0001-01-01"])
def test_a_day_that_is_none(client, page, running, day):
    address = page(running)

    assert client.post(address, {"step": "home", "day": day, "done-chin_tucks": "yes"}).status_code == 400
    assert client.get(address, {"day": day}).status_code == 200


# --- the agreement


def signed(plan, **changes):
    said = {"step": "agree", **signing.SIGNATURE, "born_on": f"{plan.patient.birth_date}",
            "plan_digest": plan.versions.get().digest}  # fmt: skip
    return {**said, **changes}


def test_the_patient_signs_at_home(client, page, draft):
    plan = draft()

    answer = client.post(page(plan), signed(plan, drawing="[[1,1,5,5,9,9]]"))

    assert "Signed. Thank you." in answer.content.decode()
    agreement = plan.versions.get().agreements.get()
    assert (agreement.typed_name, agreement.by, agreement.drawing) == ("Avery Testerson", None, [[1, 1, 5, 5, 9, 9]])
    assert plan.history.last().by is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"born_on": "1990-01-01"}, 400),
        ({"born_on": ""}, 400),
        ({"name": ""}, 400),
        ({"plan_digest": "0" * 64}, 409),
        ({"plan_digest": ""}, 409),
        ({"signer": "guardian"}, 400),
        ({"drawing": "[[1]]"}, 400),
        ({"step": "dance"}, 400),
    ],
)
def test_half_a_signature_is_none(client, page, draft, changes, status):
    plan = draft()

    assert client.post(page(plan), signed(plan, **changes)).status_code == status
    assert not plan.versions.get().agreements.exists()


def test_after_five_wrong_birth_dates_the_link_is_dead(client, page, draft):
    plan = draft()
    address = page(plan)
    answers = [client.post(address, signed(plan, born_on="1990-01-01")).status_code for _ in range(5)]

    assert answers == [400, 400, 400, 400, 410]
    assert client.post(address, signed(plan)).status_code == 410
    assert client.get(address).status_code == 410


# --- the mail


def test_the_link_comes_by_mail_and_is_kept_nowhere(sign_in, active, chiro, patient, client, mailoutbox):
    patient.consents.create(scope="email_reminders", given_at=times.now())
    outbox.begin()
    sign_in(chiro.user).post(f"/care-plans/{active.pk}/send-link/")

    outbox.send_due()

    mail = next(one for one in mailoutbox if one.subject == "Your page at the clinic")
    address = next(line for line in mail.body.splitlines() if "/my/plan/" in line)
    client.logout()
    assert client.get("/my/plan/" + address.split("/my/plan/")[1]).status_code == 200
    assert "plan" not in mail.subject.lower()
    token = address.rstrip("/").rsplit("/", 1)[1]
    assert not Link.objects.filter(token_hash=token).exists()


def test_nobody_is_written_to_who_did_not_agree(sign_in, active, chiro):
    answer = sign_in(chiro.user).post(f"/care-plans/{active.pk}/send-link/", follow=True)

    assert "has not agreed to e-mails" in answer.content.decode()
    assert not active.history.filter(step="link_sent").exists()


def test_of_a_plan_that_ended_meanwhile_there_is_no_mail(active, chiro, patient):
    patient.consents.create(scope="email_reminders", given_at=times.now())
    plan_links.ask(active, by=chiro.user)
    planning.complete(active, by=chiro.user)
    event = active.history.get(step="link_sent")

    class About:
        about_id = event.pk

    assert plan_link_mails.compose(About) == Skip("The plan is over.")


def test_a_wrong_birth_date_is_said_in_spanish_too(client, page, draft):
    plan = draft()
    type(plan.patient).objects.filter(pk=plan.patient_id).update(language="es")

    text = client.post(page(plan), signed(plan, born_on="1990-01-01")).content.decode()

    assert "Quedan 4 intentos." in text


def test_who_reads_spanish_reads_it_in_spanish(client, page, active):
    type(active.patient).objects.filter(pk=active.patient_id).update(language="es")

    text = client.get(page(active)).content.decode()

    assert '<html lang="es">' in text
    for said in ("Su próxima visita", "Lo que queda", "para aliviar el dolor", "de 10 days a 5 days hasta el lunes"):
        assert said in text
    for said in ("Your next visit", "What is left", "took place", "We look again"):
        assert said not in text
