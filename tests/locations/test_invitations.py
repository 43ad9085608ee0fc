import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from clinic import outbox, times
from clinic.models import Message
from locations import staffing


@pytest.fixture
def kim(atlanta, owner):
    return staffing.invite(
        full_name="Kim Newcomer", email="kim@example.org", role="desk", locations=[atlanta], by=owner
    )


def path_in(mail_):
    return re.search(r"http://[^/]+(/welcome/\S+)", mail_.body).group(1)


def test_the_invitation_is_mailed_once_and_its_link_not_kept(kim, owner):
    outbox.send_due()
    outbox.send_due()

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["kim@example.org"], "Your sign-in to Atlas")
    assert str(owner) in sent.body
    kept = Message.objects.get()
    assert (kept.status, kept.patient_id) == ("sent", None)
    assert path_in(sent) not in kept.text


def test_the_link_leads_to_a_password_and_then_to_the_sign_in(kim, client):
    outbox.send_due()
    page = path_in(mail.outbox[0])
    chosen = "correct horse battery"

    assert "Welcome, Kim Newcomer" in client.get(page).content.decode()
    assert not type(kim).objects.get(pk=kim.pk).has_usable_password()
    answer = client.post(page, {"password": chosen, "again": chosen})

    assert answer["Location"] == reverse("account_login")
    assert client.login(email="kim@example.org", password=chosen)
    gone = client.get(page)
    assert (gone.status_code, "no longer works" in gone.content.decode()) == (404, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"password": "correct horse battery", "again": "wrong horse battery"}, "The two passwords differ."),
        ({"password": "password12", "again": "password12"}, "too common"),
        ({"password": "", "again": ""}, "This field is required."),
    ],
)
def test_a_password_that_is_no_good_is_refused(kim, client, given, said):
    outbox.send_due()

    answer = client.post(path_in(mail.outbox[0]), given)

    assert said in answer.content.decode()
    assert not type(kim).objects.get(pk=kim.pk).has_usable_password()


def test_a_link_of_somebody_switched_off_opens_nothing(kim, owner, client):
    outbox.send_due()
    staffing.set_active(kim, is_active=False, by=owner)

    assert client.get(path_in(mail.outbox[0])).status_code == 404
    assert client.get("/welcome/nonsense/").status_code == 404


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (lambda kim, owner: staffing.set_active(kim, is_active=False, by=owner), "switched off"),
        (lambda kim, owner: staffing.invite_again(kim, by=owner), "invited again"),
        (lambda kim, owner: (kim.set_password("x"), kim.save()), "a password already"),
    ],
)
def test_an_invitation_that_was_overtaken_is_not_mailed(kim, owner, happens, reason):
    happens(kim, owner)

    outbox.send_due()

    skipped = Message.objects.filter(status="skipped").get()
    assert reason in skipped.reason


def test_an_old_invitation_is_missed_and_not_sent_late(kim):
    with times.as_of(times.now() + timedelta(days=3)):
        outbox.send_due(times.now())

    assert mail.outbox == []
