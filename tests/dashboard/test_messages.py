from datetime import timedelta

import pytest
from django.urls import reverse

from clinic import times
from clinic.models import AuditEntry, Message
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


def test_manager_cannot_touch_a_message_of_another_location(sign_in, marietta, patient, owed):
    failed = owed(patient, status="failed")

    answer = sign_in(make.user("manager", marietta)).post(reverse("message-try-again", args=[failed.pk]))

    failed.refresh_from_db()
    assert (answer.status_code, failed.status) == (404, "failed")
