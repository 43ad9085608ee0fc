"""Entered in error: a draft or a signed evaluation of the wrong patient counts for nothing and can still be read."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404
from django.urls import reverse

from careplans import planning
from clinic import chart_files, times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from dashboard import unsigned
from evaluations import compare_page, recording, signing, withdrawing
from evaluations.entry import entry_page
from evaluations.models import Evaluation, Withdrawal
from evaluations.safety import red_flags
from tests import make

PULSE = {"code": "heart_rate", "value": 70}
WHY = "It is about her sister."


@pytest.fixture
def signed(answered, save, chiro):
    save(PULSE, version=answered.version)
    return signing.sign(answered, by=chiro.user)


def withdraw(evaluation, by, **said):
    sent = {"reason": WHY, "confirmed": True, "version": evaluation.version, **said}
    return withdrawing.withdraw(evaluation, by=by.user, **sent)


def stored(evaluation):
    return Evaluation.objects.filter(pk=evaluation.pk).values().get()


def test_a_signed_evaluation_in_error_stays_as_it_was_signed(signed, chiro):
    before = stored(signed)

    withdraw(signed, chiro)

    assert stored(signed) == before
    now = Evaluation.objects.get(pk=signed.pk)
    assert signing.is_intact(now)
    assert (now.status, now.standing, now.is_in_force) == ("signed", "entered_in_error", False)
    assert (now.withdrawal.reason, now.withdrawal.by) == (WHY, chiro.user)
    entry = AuditEntry.objects.get(action="evaluation.entered_in_error")
    assert (entry.detail["reason"], entry.by) == (WHY, chiro.user)


def test_it_counts_for_nothing_that_follows(signed, patient, atlanta, chiro):
    assert list(patient.evaluations.in_force()) == [signed]
    withdraw(signed, chiro)

    assert list(patient.evaluations.in_force()) == []
    again = recording.start(patient=patient, location=atlanta, by=chiro.user)
    assert again.kind == Evaluation.Kind.INITIAL
    assert entry_page.last_signed(again) is None
    assert compare_page.context(again)["history"] == [again]
    with pytest.raises(RuleBroken) as refused:
        planning.draft(evaluation=signed, by=chiro.user, practitioner=chiro, location=atlanta)
    assert refused.value.code == "evaluation_unsigned"


def test_its_answers_count_as_not_given_and_what_it_raised_stays_open(answered, patient, chiro):
    red_flags.answer(patient=patient, evaluation=answered, answers={"rf_ataxia": "yes"}, by=chiro.user)
    assert [event.code for event in red_flags.blocks_care(patient)] == ["rf_ataxia"]

    withdraw(answered, chiro)

    assert red_flags.current_answers(patient) == {}
    blocking = red_flags.blocks_care(patient)
    assert [event.code for event in blocking if event.pk] == ["rf_ataxia"]
    assert len(blocking) == len(red_flags.questions()) + 1


def test_a_draft_in_error_is_closed_as_it_stands(answered, save, patient, chiro, book):
    visit = book(times.now().replace(second=0, microsecond=0))
    Evaluation.objects.filter(pk=answered.pk).update(appointment=visit)
    save(PULSE, version=answered.version)
    assert list(unsigned.waiting(chiro.user)) == [answered]

    answered.refresh_from_db()
    withdraw(answered, chiro)

    now = Evaluation.objects.get(pk=answered.pk)
    assert (now.status, now.is_signed, signing.is_intact(now)) == ("entered_in_error", True, True)
    assert [one.code for one in now.findings.all()] == ["heart_rate"]
    assert list(unsigned.waiting(chiro.user)) == []
    with pytest.raises(RuleBroken) as refused:
        save(PULSE, version=now.version)
    assert refused.value.code == "signed"
    other = recording.start(patient=patient, location=visit.location, by=chiro.user, appointment=visit)
    assert (other.appointment, other == now) == (visit, False)


def test_the_visit_of_a_signed_one_in_error_gets_one_other_evaluation(evaluation, patient, chiro, book, save):
    visit = book(times.now().replace(second=0, microsecond=0))
    Evaluation.objects.filter(pk=evaluation.pk).update(appointment=visit)
    red_flags.stop(evaluation, by=chiro.user)
    withdraw(signing.sign(evaluation, by=chiro.user), chiro)

    begun = [
        recording.start(patient=patient, location=visit.location, by=chiro.user, appointment=visit) for _ in range(2)
    ]

    assert begun[0] == begun[1] != evaluation
    assert begun[0].appointment is None


@pytest.mark.parametrize(
    ("said", "code", "fields"),
    [
        ({"reason": " "}, "invalid", ["reason"]),
        ({"reason": "Too short"}, "invalid", ["reason"]),
        ({"reason": "x" * 501}, "invalid", ["reason"]),
        ({"reason": "Another\npatient's."}, "invalid", ["reason"]),
        ({"confirmed": False}, "invalid", ["confirmed"]),
        ({"confirmed": "yes", "version": True}, "invalid", ["confirmed", "version"]),
        ({"version": 0}, "stale", []),
    ],
)
def test_it_takes_a_reason_and_a_second_look(signed, chiro, said, code, fields):
    with pytest.raises(RuleBroken) as refused:
        withdraw(signed, chiro, **said)

    assert (refused.value.code, list(refused.value.fields or {})) == (code, fields)
    assert not Withdrawal.objects.exists()


def test_nobody_declares_it_twice(signed, chiro):
    withdraw(signed, chiro)
    with pytest.raises(RuleBroken) as refused:
        withdraw(signed, chiro)
    assert refused.value.code == "entered_in_error"


def test_only_a_clinician_of_the_place_declares_it(signed, chiro):
    elsewhere = make.practitioner(make.location("raleigh"))
    with pytest.raises(Http404):
        withdraw(signed, elsewhere)
    assert not Withdrawal.objects.exists()


@pytest.mark.parametrize(
    "undo",
    [
        lambda made: made.delete(),
        lambda made: Withdrawal.objects.filter(pk=made.pk).update(reason="None."),
        lambda made: Withdrawal.objects.filter(pk=made.pk).delete(),
        lambda made: Withdrawal.objects.bulk_update([made], ["at"]),
    ],
)
def test_the_declaration_stays(signed, chiro, undo):
    made = withdraw(signed, chiro)
    with pytest.raises(IntegrityError), transaction.atomic():
        undo(made)
    assert Withdrawal.objects.get().reason == WHY


def test_page_shows_whose_record_it_is_and_keeps_what_was_typed(signed, patient, chiro, sign_in):
    client, address = sign_in(chiro.user), reverse("evaluation-entered-in-error", args=[signed.pk])
    assert address in client.get(reverse("evaluation", args=[signed.pk])).content.decode()
    shown = client.get(address).content.decode()
    assert f"{patient}, born" in shown
    assert "1 finding<" in shown

    refused = client.post(address, {"reason": WHY, "version": signed.version})
    assert refused.status_code == 400
    assert WHY.replace("'", "&#x27;") in refused.content.decode()
    assert not Withdrawal.objects.exists()

    client.post(address, {"reason": WHY, "confirmed": "yes", "version": signed.version})
    record = client.get(reverse("evaluation", args=[signed.pk])).content.decode()
    assert "Entered in error." in record
    assert WHY in record
    assert address not in record
    for name in ("evaluation-print", "evaluation-report"):
        assert "Entered in error" in client.get(reverse(name, args=[signed.pk])).content.decode()


def test_a_draft_leads_to_the_page(evaluation, chiro, sign_in):
    address = reverse("evaluation-entered-in-error", args=[evaluation.pk])
    assert address in sign_in(chiro.user).get(reverse("evaluation", args=[evaluation.pk])).content.decode()


def test_the_api_takes_it_and_says_so(signed, chiro, api):
    client, address = api(chiro.user), f"/api/v1/evaluations/{signed.pk}/"
    assert client.get(address).json()["entered_in_error"] is None
    sent = {"reason": WHY, "confirmed": False, "version": signed.version}
    refused = client.post(f"{address}entered-in-error/", json.dumps(sent), content_type="application/json")
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["confirmed"])

    told = client.post(
        f"{address}entered-in-error/", json.dumps(sent | {"confirmed": True}), content_type="application/json"
    ).json()

    assert (told["status"], told["entered_in_error"]["reason"]) == ("entered_in_error", WHY)
    assert client.get(f"{address}summary/").json()["status"] == "entered_in_error"


def test_a_chart_takes_it_along(signed, patient, chiro):
    withdraw(signed, chiro)

    chart = chart_files.take_out(patient)
    other = chart_files.bring_in(chart)

    assert chart["baseline"]["evaluation"]["status"] == "entered_in_error"
    assert chart["red_flags"]["answers"] == {}
    assert chart["derived"]["baseline"] is None
    assert list(other.evaluations.in_force()) == []
