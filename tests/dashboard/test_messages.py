import html
import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import booking
from clinic import heartbeats, outbox, times, undeliverable
from clinic.models import AuditEntry, Message
from patients import mail_choices
from tests import make


@pytest.fixture
def owed(db):
    def write(patient, **fields):
        now = times.now()
        key = f"appointment:1:notice:{Message.objects.count() + 1}"
        fields = {"kind": "visit-booked", "due_at": now, "try_after": now, "useless_after": now + timedelta(days=1),
                  "patient_id": patient.pk, "to": patient.email, "status": "sent", **fields}  # fmt: skip
        return Message.objects.create(key=key, message_id=f"<{key}@example.org>", **fields)

    return write


def test_desk_sees_messages_to_patients_of_its_location_only(sign_in, desk, patient, marietta, owed):
    mine = owed(patient, subject="Your visit on Monday")
    owed(make.patient(marietta))

    answer = sign_in(desk).get(reverse("messages"))

    assert [row["message"] for row in answer.context["rows"]] == [mine]
    assert "Your visit on Monday" in answer.content.decode()


def test_owner_sees_them_all_and_filters_by_status(sign_in, owner, patient, marietta, owed):
    owed(patient)
    failed = owed(make.patient(marietta), status="failed", reason="450 Greylisted")

    every = sign_in(owner).get(reverse("messages"))
    some = sign_in(owner).get(reverse("messages"), {"status": "failed"})
    odd = sign_in(owner).get(reverse("messages"), {"status": "\x00", "page": "x"})

    assert (len(every.context["rows"]), len(odd.context["rows"])) == (2, 2)
    assert [row["message"] for row in some.context["rows"]] == [failed]
    assert "450 Greylisted" in some.content.decode()


def test_clinician_is_kept_out(sign_in, chiro):
    assert sign_in(chiro.user).get(reverse("messages")).status_code == 403


def test_page_says_when_nothing_is_being_sent(sign_in, desk):
    page = sign_in(desk).get(reverse("messages")).content.decode()

    assert "Nothing is being sent" in page
    assert "0 waiting" in page


def test_owner_has_a_failed_one_tried_again(sign_in, owner, patient, owed):
    failed = owed(patient, status="failed", attempts=5)

    sign_in(owner).post(reverse("message-try-again", args=[failed.pk]))
    sign_in(owner).post(reverse("message-try-again", args=[failed.pk]))

    failed.refresh_from_db()
    assert (failed.status, failed.attempts) == ("retry", 0)
    assert list(AuditEntry.objects.values_list("action", "by", "patient_id")) == [
        ("message.retried", owner.pk, patient.pk)
    ]


def test_it_is_tried_at_the_present_address_and_the_dead_one_stays_dead(sign_in, owner, patient, owed, fault):
    old, dead = patient.email, undeliverable.among([patient.email])
    bounced = owed(patient, status="bounced")
    patient.email = "new@example.org"
    patient.save(update_fields=["email"])
    undeliverable.flag("new@example.org", kind="bounced", reason="552 5.2.2 Mailbox full")

    sign_in(owner).post(reverse("message-try-again", args=[bounced.pk]))

    assert undeliverable.among([old, "new@example.org"]) == dead


def test_skipped_is_tried_again_as_long_as_it_is_of_use(sign_in, owner, patient, owed):
    skipped = owed(patient, status="skipped", reason="The patient has no e-mail address.")
    part = skipped.parts.create(key="x", left_out="The patient has no e-mail address.")
    late = owed(patient, status="skipped", useless_after=times.now())
    client = sign_in(owner)

    page = client.get(reverse("messages"))
    for one in (skipped, late):
        client.post(reverse("message-try-again", args=[one.pk]))

    offered = {row["message"].pk: row["can_retry"] for row in page.context["rows"]}
    for one in (skipped, late, part):
        one.refresh_from_db()
    assert offered == {skipped.pk: True, late.pk: False}
    assert (skipped.status, late.status, part.left_out) == ("retry", "skipped", "")


@pytest.mark.parametrize(
    ("ended", "warns"),
    [
        (["sent", "failed", "failed", "failed"], False),
        (["failed", "failed"], False),
        (["failed", "bounced", "retry"], True),
        (["retry"], True),
        (["skipped", "missed", "waiting"], False),
    ],
)
def test_page_says_when_the_mail_server_takes_nothing(sign_in, desk, patient, owed, ended, warns):
    heartbeats.note(heartbeats.BEAT)
    heartbeats.note(heartbeats.WORKER)
    for status in ended:
        how = {"sent": {"sent_at": times.now()}, "waiting": {}}.get(status, {"reason": "The mail server is away."})
        owed(patient, status=status, **how)
    answer = sign_in(desk).get(reverse("messages"))

    assert ("The mail server took none of the last" in answer.content.decode()) is warns
    assert answer.context["health"].is_late is warns


def test_manager_cannot_touch_a_message_of_another_location(sign_in, marietta, patient, owed):
    failed = owed(patient, status="failed")

    answer = sign_in(make.user("manager", marietta)).post(reverse("message-try-again", args=[failed.pk]))

    failed.refresh_from_db()
    assert (answer.status_code, failed.status) == (404, "failed")


@pytest.fixture
def fault(patient):
    return undeliverable.flag(patient.email.upper(), kind="bounced", reason="550 5.1.1 No such user")


def test_a_mail_is_shown_as_it_was_seen_and_that_it_was_read_is_kept(sign_in, desk, patient, owed):
    sent = owed(patient, subject="Your visit", text="Your visit is booked.", html="<p>Your <b>visit</b> & more</p>")

    page = sign_in(desk).get(reverse("message", args=[sent.pk])).content.decode()

    assert 'sandbox srcdoc="&lt;p&gt;Your &lt;b&gt;visit&lt;/b&gt; &amp; more&lt;/p&gt;"' in page
    assert list(AuditEntry.objects.values_list("action", "patient_id")) == [("message.read", patient.pk)]


def test_everything_said_to_a_patient_and_to_nobody_else(sign_in, desk, patient, atlanta, owed, fault):
    mine = owed(patient)
    other = owed(make.patient(atlanta))
    joint = owed(make.patient(atlanta))
    joint.parts.create(key="x", patient_id=patient.pk)

    answer = sign_in(desk).get(reverse("patient-messages"), {"patient": patient.pk})

    shown = {row["message"] for row in answer.context["rows"]}
    assert (shown, other in shown) == ({mine, joint}, False)
    assert "550 5.1.1 No such user" in answer.content.decode()


@pytest.mark.parametrize("typed", ["", "x", "0", "9" * 30, "\x00", "²"])
def test_messages_of_nobody_are_not_found(sign_in, desk, typed):
    assert sign_in(desk).get(reverse("patient-messages"), {"patient": typed}).status_code == 404


def test_how_mails_ended_is_counted_for_those_in_sight(sign_in, desk, patient, marietta, owed):
    for status in ("sent", "sent_maybe_twice", "bounced", "skipped"):
        owed(patient, status=status)
    owed(patient, due_at=times.now() - timedelta(days=8))
    owed(make.patient(marietta))

    answer = sign_in(desk).get(reverse("messages"))

    counts = answer.context["counts"]
    assert {one["label"]: one["count"] for one in counts} == {
        "Sent": 2, "Failed": 0, "Came back": 1, "Skipped": 1, "Missed its time": 0
    }  # fmt: skip
    links = re.findall(r'<dd class="numbers"><a href="([^"]+)">(\d+)<', answer.content.decode())
    opened = [sign_in(desk).get(reverse("messages") + html.unescape(url)) for url, _ in links]
    assert [one.context["page"].paginator.count for one in opened] == [int(count) for _, count in links]
    assert sign_in(desk).get(reverse("messages"), {"status": "sent"}).context["page"].paginator.count == 3


def test_patients_at_addresses_that_fail_are_a_list_until_mended(sign_in, desk, patient, marietta, fault):
    client = sign_in(desk)
    elsewhere = make.patient(marietta)
    undeliverable.flag(elsewhere.email, kind="bounced", reason="gone")

    before = client.get(reverse("message-addresses"))
    client.post(reverse("address-mend", args=[patient.pk]))
    after = client.get(reverse("message-addresses"))
    refused = client.post(reverse("address-mend", args=[elsewhere.pk]))

    assert [row["patient"] for row in before.context["rows"]] == [patient]
    assert (after.context["rows"], refused.status_code) == ([], 404)
    assert "Every address takes mail" in after.content.decode()


def test_another_address_in_the_chart_takes_the_patient_off_the_list(sign_in, desk, patient, fault):
    type(patient).objects.filter(pk=patient.pk).update(email="right@example.org")

    assert sign_in(desk).get(reverse("message-addresses")).context["rows"] == []


@pytest.fixture
def tomorrow(atlanta, chiro, adjustment, desk):
    """Two visits on Wednesday, seen on Monday morning: one patient agreed to mails, the other did not."""
    with time_machine.travel(make.at(9, day=make.MONDAY - timedelta(days=4)), tick=False) as clock:
        for n, agreed in enumerate((True, False)):
            person = make.patient(atlanta, given=f"Person{n}")
            if agreed:
                person.consents.create(scope="email_reminders", given_at=times.now())
            booking.book(
                patient=person, practitioner=chiro, location=atlanta, type=adjustment, by=desk,
                starts_at=make.at(11 + n, day=make.MONDAY + timedelta(days=3)),
            )  # fmt: skip
        outbox.send_due(times.now() + timedelta(minutes=3))
        clock.move_to(make.at(9))
        outbox.send_due()
        yield clock


def test_tomorrows_mails_are_told_and_none_is_sent(tomorrow, sign_in, desk, mailoutbox):
    sent, rows = len(mailoutbox), Message.objects.count()

    answer = sign_in(desk).get(reverse("messages-tomorrow"))

    lines = [(str(row["line"].patient), row["line"].why_not) for _, rows in answer.context["days"] for row in rows]
    assert lines == [
        ("Person0 Testerson", ""), ("Person1 Testerson", "The patient has not agreed to e-mails about visits.")
    ]  # fmt: skip
    assert (len(mailoutbox), Message.objects.count()) == (sent, rows)


def test_tomorrows_mails_to_patients_elsewhere_are_not_shown(tomorrow, sign_in, marietta):
    answer = sign_in(make.user("desk", marietta)).get(reverse("messages-tomorrow"))

    assert answer.context["total"] == 0


def test_these_pages_ask_the_same_number_of_questions_however_many_rows(
    tomorrow, sign_in, desk, patient, owed, django_assert_max_num_queries
):
    for _ in range(5):
        owed(patient)
    client = sign_in(desk)

    for name, most, query in (("messages", 16, {}), ("patient-messages", 18, {"patient": patient.pk}),
                              ("messages-tomorrow", 36, {}), ("message-addresses", 10, {})):  # fmt: skip
        with django_assert_max_num_queries(most):
            assert client.get(reverse(name), query).status_code == 200


def test_desk_takes_up_again_what_the_patient_stopped_with_a_reason(sign_in, desk, patient):
    for topic in (mail_choices.Topic.REMINDERS, mail_choices.Topic.OFFERS):
        mail_choices.stop(patient, topic, by=None, by_whom="patient")
    client = sign_in(desk)
    url = reverse("mails-resume", args=[patient.pk])

    page = client.get(f"{reverse('patient-messages')}?patient={patient.pk}").content.decode()
    without = client.post(url, {"topic": "reminders", "reason": " "}, follow=True)
    assert page.count("Send them again") == 2
    assert "Say why" in without.content.decode()
    assert len(mail_choices.stopped_by(patient)) == 2
    again = client.post(url, {"topic": "reminders", "reason": "Asked on the phone."}, follow=True)
    twice = client.post(url, {"topic": "reminders", "reason": "Asked on the phone."}, follow=True)

    assert "The patient gets these mails again." in again.content.decode()
    assert "were not stopped" in twice.content.decode()
    assert mail_choices.stopped_by(patient) == [mail_choices.Topic.OFFERS]
    entry = AuditEntry.objects.get(action="mails.resumed")
    assert (entry.by, entry.detail) == (desk, {"topic": "reminders", "reason": "Asked on the phone."})


def test_resuming_is_refused_for_strangers_and_for_nonsense(sign_in, desk, patient, marietta):
    client = sign_in(desk)
    stranger = make.patient(marietta)

    assert client.post(reverse("mails-resume", args=[stranger.pk]), {"topic": "reminders"}).status_code == 404
    assert client.post(reverse("mails-resume", args=[patient.pk]), {"topic": "everything"}).status_code == 400
    assert client.get(reverse("mails-resume", args=[patient.pk])).status_code == 405
