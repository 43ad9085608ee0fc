"""Whose clinical record a clinician reads: of patients treated where they work, and for an hour with a reason."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse

from appointments import booking, visit_status
from careplans.models import CarePlan
from clinic import outbox, times
from clinic.errors import Closed, RuleBroken
from clinic.models import AuditEntry, Message
from evaluations import recording, signing
from evaluations.models import Evaluation
from patients import chart_opening, sight
from patients.models import ChartOpening, Patient
from tests import make
from tests.access.addresses import ask
from tests.access.world import word

REASON = {"reason": "covering", "words": "Covering for a colleague today."}
LONG_AGO = timedelta(days=400)


@pytest.fixture
def lapsed(atlanta):
    """A patient of Atlanta whom nothing ties to it any more."""
    patient = make.patient(atlanta)
    Patient.objects.filter(pk=patient.pk).update(created_at=times.now() - LONG_AGO)
    return patient


@pytest.fixture
def treats(chiro):
    return lambda patient, action="evaluation.write": (
        Patient.objects.visible_to(chiro.user, action).filter(pk=patient.pk).exists()
    )


def examined(patient, chiro, location, ago):
    at = times.now() - ago
    return Evaluation.objects.create(patient=patient, location=location, started_by=chiro.user, started_at=at)


def planned(patient, chiro, location, status):
    evaluation = examined(patient, chiro, location, LONG_AGO)
    CarePlan.objects.create(
        patient=patient, evaluation=evaluation, location=location, practitioner=chiro, status=status,
        starts_on=make.MONDAY, created_by=chiro.user, created_at=times.now(),
    )  # fmt: skip


# --- what ties a patient to a clinic


def test_a_new_patient_is_treated_where_they_registered(patient, treats):
    assert treats(patient)


def test_a_patient_known_but_not_seen_for_a_year_is_not_treated(lapsed, treats):
    assert not treats(lapsed)
    assert treats(lapsed, "patient.read")


def test_a_visit_ties_and_a_cancelled_one_does_not(lapsed, treats, chiro, atlanta, adjustment, desk):
    visit = booking.book(patient=lapsed, practitioner=chiro, location=atlanta, type=adjustment, by=desk,
                         starts_at=make.at(10))  # fmt: skip
    assert treats(lapsed)

    visit_status.cancel(visit, by=desk)

    assert not treats(lapsed)


def test_a_visit_elsewhere_does_not_tie(lapsed, treats, marietta, adjustment):
    there = make.practitioner(marietta)
    lapsed.locations.add(marietta)
    booking.book(patient=lapsed, practitioner=there, location=marietta, type=adjustment, by=there.user,
                 starts_at=make.at(10))  # fmt: skip

    assert not treats(lapsed)


@pytest.mark.parametrize(("ago", "is_tied"), [(timedelta(days=300), True), (LONG_AGO, False)])
def test_an_examination_ties_for_a_year(lapsed, treats, chiro, atlanta, ago, is_tied):
    examined(lapsed, chiro, atlanta, ago)

    assert treats(lapsed) == is_tied


@pytest.mark.parametrize(("status", "is_tied"), [("active", True), ("on_hold", True), ("completed", False)])
def test_a_plan_ties_while_it_runs(lapsed, treats, chiro, atlanta, status, is_tied):
    planned(lapsed, chiro, atlanta, status)

    assert treats(lapsed) == is_tied


def test_what_is_asked_of_one_patient_is_one_query(lapsed, patient, chiro, django_assert_num_queries):
    chiro.user.assignments.count()
    with django_assert_num_queries(2):  # the roles of the user, once a request
        may = sight.allowed(chiro.user, lapsed)

    assert ("patient.read" in may, "evaluation.read" in may, "chart.open" in may) == (True, False, True)
    assert "evaluation.write" in sight.allowed(chiro.user, patient)


# --- outside of it


def test_pages_show_the_way_to_open_the_chart(clinics):
    here, colleague = clinics.here, clinics.principal("clinician")
    evaluation = here.lapsed.evaluations.get()

    for address in ("evaluation", "evaluation-print", "evaluation-compare"):
        answer = ask(colleague, "GET", reverse(address, args=[evaluation.pk]))
        assert (answer.status, answer.written) == (403, set())
        assert f"/patients/{here.lapsed.pk}/open/?next=%2Fevaluations%2F{evaluation.pk}%2F" in answer.text
        assert word("here", "closed") not in answer.text
    answer = ask(colleague, "GET", f"/api/v1/evaluations/{evaluation.pk}/")
    assert (answer.status, answer.response.json()["code"]) == (403, "not_treated")
    assert ask(clinics.principal("clinician", "elsewhere"), "GET", f"/evaluations/{evaluation.pk}/").status == 404
    assert "Open with a reason" in ask(colleague, "GET", f"/patients/{here.lapsed.pk}/").text
    assert "Open with a reason" not in ask(colleague, "GET", f"/patients/{here.patient.pk}/").text
    assert "Open with a reason" not in ask(clinics.principal("desk"), "GET", f"/patients/{here.lapsed.pk}/").text


def test_rules_refuse_what_the_pages_do_not_show(lapsed, chiro, atlanta):
    evaluation = examined(lapsed, chiro, atlanta, LONG_AGO)

    with pytest.raises(PermissionDenied):
        recording.save(evaluation, findings=[], version=0, by=chiro.user, conclusion="x")
    with pytest.raises(Closed):
        sight.require(chiro.user, "evaluation.read", lapsed)


# --- opened with a reason


def open_it(clinics, **changes):
    address = reverse("chart-open", args=[clinics.here.lapsed.pk])
    return ask(clinics.principal("clinician"), "POST", address, {**REASON, "next": "/patients/", **changes})


def test_an_opened_chart_is_read_for_an_hour_and_every_reading_kept(clinics):
    here, colleague = clinics.here, clinics.principal("clinician")
    evaluation, plan = here.lapsed.evaluations.get(), here.lapsed.care_plans.get()

    answer = open_it(clinics, next=f"/evaluations/{evaluation.pk}/")

    assert answer.response["Location"] == f"/evaluations/{evaluation.pk}/"
    assert ask(colleague, "GET", f"/evaluations/{evaluation.pk}/").response["Location"].endswith("/print/")
    opening = ChartOpening.objects.get(by=colleague.user)
    for address in (f"/evaluations/{evaluation.pk}/print/", f"/care-plans/{plan.pk}/", f"/care-plans/{plan.pk}/print/"):
        page = ask(colleague, "GET", address)
        assert page.status == 200
        assert "Opened with a reason" in page.text
        assert word("here", "closed") in page.text
        assert AuditEntry.objects.latest("pk").detail == {"opening": opening.pk}
    assert "Start evaluation" not in ask(colleague, "GET", f"/patients/{here.lapsed.pk}/").text

    with times.as_of(opening.until):
        assert ask(colleague, "GET", f"/care-plans/{plan.pk}/").status == 403


def test_it_is_open_to_nobody_else_and_to_no_other_chart(clinics):
    here = clinics.here
    open_it(clinics)
    other = make.patient(here.place)
    Patient.objects.filter(pk=other.pk).update(created_at=times.now() - LONG_AGO)
    elsewhere = make.practitioner(here.place)

    assert "evaluation.read" in sight.allowed(here.chiro.user, here.lapsed)
    assert "evaluation.read" not in sight.allowed(here.chiro.user, other)
    assert "evaluation.read" not in sight.allowed(elsewhere.user, here.lapsed)


def test_it_gives_an_addendum_and_no_other_writing(clinics):
    here = clinics.here
    evaluation = here.lapsed.evaluations.get()
    open_it(clinics)
    may = sight.allowed(here.chiro.user, here.lapsed)

    assert {"evaluation.read", "evaluation.amend", "careplan.read"} <= may
    assert may.isdisjoint({"evaluation.write", "careplan.write", "red_flag.resolve"})
    with pytest.raises(PermissionDenied):
        recording.save(evaluation, findings=[], version=0, by=here.chiro.user)
    evaluation.signed_at = times.now()
    signing.add(evaluation, text="Seen on call.", reason="On call.", by=here.chiro.user)


@pytest.mark.parametrize("wrong", [{"reason": ""}, {"reason": "bored"}, {"words": "short"}, {"words": "x\x00" * 20}])
def test_a_reason_is_needed(clinics, wrong):
    answer = open_it(clinics, **wrong)

    assert answer.status == 400
    assert answer.response.context["form"].errors.keys() == wrong.keys()
    assert ChartOpening.objects.count() == 2


def test_who_treats_the_patient_needs_no_reason(chiro, patient):
    with pytest.raises(RuleBroken, match="You treat this patient"):
        chart_opening.open_chart(patient, **REASON, by=chiro.user)


def test_only_a_clinician_of_the_patients_clinics_opens(lapsed, desk, owner, marietta):
    for user in (desk, owner, make.practitioner(marietta).user):
        with pytest.raises(Http404):
            chart_opening.open_chart(lapsed, **REASON, by=user)


def test_a_second_opening_while_one_runs_is_the_same(lapsed, chiro):
    first = chart_opening.open_chart(lapsed, **REASON, by=chiro.user)

    assert chart_opening.open_chart(lapsed, **REASON, by=chiro.user) == first


def test_the_password_is_asked_again_and_what_was_typed_is_kept(client, lapsed, chiro):
    client.login(email=chiro.user.email, password="demo-clinic")
    address = reverse("chart-open", args=[lapsed.pk])

    asked = client.post(address, REASON)
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert not ChartOpening.objects.exists()
    client.post(asked["Location"], {"password": "demo-clinic"})

    assert ChartOpening.objects.get().words == REASON["words"]


# --- looked at by somebody else


def test_the_owner_and_the_manager_are_told_by_mail(lapsed, chiro, atlanta, marietta):
    manager, owner = make.user("manager", atlanta), make.user("owner")
    make.user("manager", marietta)
    chart_opening.open_chart(lapsed, **REASON, by=chiro.user)

    outbox.send_due()
    outbox.send_due()

    sent = Message.objects.filter(kind="chart-opened")
    assert {message.to for message in sent} == {manager.email, owner.email}
    assert all(message.status == "sent" for message in sent)
    assert lapsed.given_name not in sent[0].text + sent[0].subject


def test_somebody_else_looks_at_it(sign_in, lapsed, chiro, atlanta, owner):
    opening = chart_opening.open_chart(lapsed, **REASON, by=chiro.user)
    make.user("owner")
    address = reverse("chart-opening-review", args=[opening.pk])
    page = sign_in(owner).get(reverse("chart-openings")).content.decode()
    assert "To be looked at" in page
    assert REASON["words"] in page

    refused = sign_in(owner).post(address, {"finding": "ok"})
    assert (refused.status_code, 'value="ok"' in refused.content.decode()) == (400, True)
    sign_in(owner).post(address, {"finding": "Covered that day, in order."})

    opening.refresh_from_db()
    assert (opening.reviewed_by, opening.finding) == (owner, "Covered that day, in order.")
    with pytest.raises(RuleBroken, match="already"):
        chart_opening.review(opening, finding="Looked at it again.", by=owner)


def test_nobody_looks_at_what_they_opened_themselves(lapsed, chiro):
    chiro.user.assignments.create(role="owner")
    opening = chart_opening.open_chart(lapsed, **REASON, by=chiro.user)

    with pytest.raises(RuleBroken, match="themselves"):
        chart_opening.review(opening, finding="All in order here.", by=chiro.user)


def test_what_nobody_looked_at_within_a_day_stands_out(sign_in, lapsed, chiro, owner):
    with times.as_of(times.now() - timedelta(days=2)):
        chart_opening.open_chart(lapsed, **REASON, by=chiro.user)

    assert "Overdue" in sign_in(owner).get(reverse("chart-openings")).content.decode()


def test_the_auditor_sees_that_it_happened_and_not_who_the_patient_is(sign_in, lapsed, chiro):
    chart_opening.open_chart(lapsed, **REASON, by=chiro.user)

    page = sign_in(make.user("auditor")).get(reverse("chart-openings")).content.decode()

    assert f"Number {lapsed.pk}" in page
    assert REASON["words"] not in page
    assert lapsed.given_name not in page
