from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse

from appointments import booking
from appointments.mails import follow_ups
from appointments.models import FollowUp
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from tests import make

A, R = FollowUp.About, FollowUp.Result


@pytest.fixture
def visit(atlanta, chiro, adjustment, patient, desk):
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(9), by=desk
    )


@pytest.fixture
def call(patient, atlanta, desk):
    def record(**given):
        return follow_ups.record(**{"patient": patient, "location": atlanta, "about": A.MISSED, "by": desk, **given})

    return record


def test_a_call_without_an_answer_comes_back_tomorrow(call, visit, desk, atlanta):
    made = call(result=R.NO_ANSWER, appointment=visit)

    assert (made.again_on, made.by, made.appointment) == (atlanta.today() + timedelta(1), desk, visit)
    assert AuditEntry.objects.get(action="follow_up.recorded").detail == {"about": "missed", "result": "no_answer"}


def test_a_settled_call_does_not_come_back(call):
    assert call(result=R.SETTLED).is_done


def test_every_call_stays_on_record(call):
    first, second = call(result=R.NO_ANSWER), call(result=R.DECLINED, note="Moves away")

    assert list(FollowUp.objects.all()) == [second, first]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"result": R.DECLINED}, "note"),
        ({"result": R.SETTLED, "days": 3}, "again_on"),
        ({"result": R.NO_ANSWER, "days": 0}, "again_on"),
        ({"result": R.NO_ANSWER, "days": 91}, "again_on"),
        ({"result": R.SETTLED, "about": A.UNCONFIRMED}, "result"),
        ({"result": R.NO_ANSWER, "note": "bell\x07"}, "note"),
        ({"result": "danced"}, "result"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(call, atlanta, given, field):
    if "days" in given:
        given["again_on"] = atlanta.today() + timedelta(given.pop("days"))

    with pytest.raises(RuleBroken) as refused:
        call(**given)

    assert list(refused.value.fields) == [field]
    assert not FollowUp.objects.exists()


def test_a_patient_out_of_sight_does_not_exist(call, marietta):
    with pytest.raises(Http404):
        call(result=R.SETTLED, patient=make.patient(marietta))


def test_an_owner_keeps_no_calls(call, owner):
    with pytest.raises(PermissionDenied):
        call(result=R.SETTLED, by=owner)


def test_the_page_records_a_call_and_goes_back_to_the_list(sign_in, desk, visit):
    back = f"{reverse('worklists')}?list=missed"

    answer = sign_in(desk).post(
        reverse("follow-up"), {"about": "missed", "visit": visit.pk, "result": "left_message", "next": back}
    )

    assert (answer.status_code, answer["Location"]) == (302, back)
    assert FollowUp.objects.get().result == R.LEFT_MESSAGE


def test_a_refusal_on_the_page_keeps_what_was_typed(sign_in, desk, visit):
    answer = sign_in(desk).post(
        reverse("follow-up"),
        {"about": "missed", "visit": visit.pk, "result": "declined", "again_on": "2027-01-05", "next": "//elsewhere"},
    )

    page = answer.content.decode()
    assert answer.status_code == 400
    assert "This result is final" in page
    assert 'value="2027-01-05"' in page
    assert 'href="/"' in page
    assert not FollowUp.objects.exists()


def test_a_call_about_nobody_in_sight_is_not_found(sign_in, desk, marietta):
    stranger = make.patient(marietta)

    for given in ({}, {"patient": stranger.pk, "location": marietta.pk}, {"visit": 999}):
        answer = sign_in(desk).post(reverse("follow-up"), {"about": "missed", "result": "no_answer", **given})
        assert answer.status_code == 404


def test_calls_are_on_the_time_line_of_the_patient(sign_in, desk, call, patient):
    call(result=R.CALL_AGAIN, note="after six")

    page = sign_in(desk).get(reverse("patient", args=[patient.pk])).content.decode()

    assert "Call: asked to be called again" in page
    assert "after six" in page
