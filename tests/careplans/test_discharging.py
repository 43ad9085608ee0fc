"""How a plan ends: with the reason, the final measures, what remains, and when to come back."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from appointments import booking
from careplans import discharging, planning
from careplans.models import CarePlan
from clinic.errors import RuleBroken
from evaluations.models import Evaluation
from tests import make

SAID = {"return_if": "It comes back.", "residual": "Turns less to the left.", "home": "Chin tucks."}


def evaluated_again(plan, by, **measures):
    first = plan.evaluation
    return Evaluation.objects.create(
        patient=plan.patient, location=plan.location, started_by=by, kind="reevaluation", status="signed",
        started_at=first.started_at + timedelta(hours=1), signed_at=first.signed_at + timedelta(hours=1), signed_by=by,
        digest="0" * 64, measures=measures,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("goals_met", "completed"), ("plateau", "completed"), ("referred_out", "discontinued"),
        ("patient_choice", "discontinued"), ("non_attendance", "discontinued"), ("safety", "discontinued"),
    ],
)  # fmt: skip
def test_each_reason_ends_the_plan(active, chiro, reason, status):
    kept = discharging.discharge(active, reason=reason, why="As agreed.", by=chiro.user, **SAID)

    plan = CarePlan.objects.get()
    assert (plan.status, plan.series.is_open, kept.reason) == (status, False, reason)
    assert plan.history.last().reason == f"{kept.get_reason_display()}: As agreed."


def test_final_measures_and_impression_come_from_the_last_evaluation(active, chiro):
    evaluated_again(active, chiro.user, migraine_days_28=6, pgic_1_to_7=2)

    kept = discharging.discharge(active, reason="goals_met", by=chiro.user, **SAID)

    assert kept.pgic == 2
    assert [(one["metric"], one["last"], one["percent"]) for one in kept.measures] == [("migraine_days_28", "6", 80)]


def test_round_numbers_are_written_as_people_read_them(active, chiro):
    active.goals.update(baseline="20.00", target="10.00")
    evaluated_again(active, chiro.user, migraine_days_28=20)

    kept = discharging.discharge(active, reason="plateau", by=chiro.user, **SAID)

    assert [(one["baseline"], one["target"], one["last"]) for one in kept.measures] == [("20", "10", "20")]


def test_the_summary_says_which_visits_are_still_booked(sign_in, active, chiro, atlanta, adjustment, patient):
    booked = booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, by=chiro.user,
                          starts_at=make.at(10))  # fmt: skip
    type(booked).objects.filter(pk=booked.pk).update(series_visit=active.series.visits.get(number=1))
    discharging.discharge(active, reason="patient_choice", why="Moves away.", by=chiro.user, **SAID)

    client, link = sign_in(chiro.user), f'href="/series/{active.series_id}/">Cancel'
    assert link in client.get(f"/care-plans/{active.pk}/").content.decode()
    assert link in client.get(f"/care-plans/{active.pk}/discharge/summary/").content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "bored"}, "reason"), ({"pgic": 8}, "pgic"), ({"pgic": 0}, "pgic"),
        ({"return_if": "  "}, "return_if"),
        ({"residual": "a" * 2001}, "residual"), ({"home": "\x00"}, "home"), ({"why": "a\nb"}, "reason"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_ends(active, chiro, changes, field):
    with pytest.raises(RuleBroken) as refused:
        discharging.discharge(active, **({"reason": "goals_met", "by": chiro.user} | SAID | changes))

    assert list(refused.value.fields) == [field]
    active.refresh_from_db()
    assert active.is_active


def test_nobody_is_discharged_twice_or_from_a_draft(draft, active, chiro):
    discharging.discharge(active, reason="goals_met", by=chiro.user, **SAID)

    for plan in (active, draft()):
        with pytest.raises(RuleBroken) as refused:
            discharging.discharge(plan, reason="goals_met", by=chiro.user, **SAID)
        assert refused.value.code == "wrong_status"


def test_the_desk_discharges_nobody(active, desk):
    with pytest.raises(PermissionDenied):
        discharging.discharge(active, reason="goals_met", by=desk, **SAID)


def test_on_the_page_and_on_paper(client, draft, chiro, adjustment):
    plan = draft(diagnoses=["M99.01 Segmental dysfunction, cervical"], referrals=["Dr. Vega, neurology"])
    plan = planning.activate(planning.sign_consent(plan, name="Avery Testerson", by=chiro.user), by=chiro.user)
    client.force_login(chiro.user)
    form = client.get(f"/care-plans/{plan.pk}/discharge/").content.decode()
    assert "Dr. Vega, neurology" in form
    assert "Chin tucks" in form
    assert "call 911" in form

    late = client.post(f"/care-plans/{plan.pk}/discharge/", {"reason": "", "residual": "Kept text."})
    assert late.status_code == 400
    assert "Kept text." in late.content.decode()
    done = client.post(f"/care-plans/{plan.pk}/discharge/", {"reason": "goals_met", "pgic": 1, **SAID}, follow=True)

    text = done.content.decode()
    assert "Goals reached" in text
    assert "M99.01 Segmental dysfunction, cervical" in text
    assert "1 of 7" in text
    assert "Turns less to the left." in text
    assert client.get(f"/care-plans/{plan.pk}/discharge/").status_code == 302
    assert "Discharge summary" in client.get(f"/care-plans/{plan.pk}/").content.decode()
    assert "M99.01" in client.get(f"/care-plans/{plan.pk}/print/").content.decode()


def test_by_the_api(api, active, chiro):
    path = f"/api/v1/care-plans/{active.pk}/discharge/"
    client = api(chiro.user)

    assert client.post(path, {"reason": "plateau"}).json()["fields"].keys() == {"return_if"}
    answer = client.post(path, {"reason": "plateau", "return_if": "Worse again.", "pgic": 4})

    assert answer.status_code == 200
    assert answer.json()["discharge"]["reason"] == "plateau"
    assert client.post(path, {"reason": "plateau", "return_if": "Worse."}).status_code == 409


@pytest.mark.parametrize("line", ["Neck pain", "m99.01", "M99.01x", "Ä99.01", "M9"])
def test_a_diagnosis_begins_with_its_code(draft, line):
    with pytest.raises(RuleBroken) as refused:
        draft(diagnoses=[line])

    assert list(refused.value.fields) == ["diagnoses"]


def test_diagnoses_and_referrals_are_part_of_what_is_agreed(draft):
    plan = draft(diagnoses=["M99.01", "G44.86 Cervicogenic headache"], referrals=["From Dr. Vega"])

    said = str(plan.versions.get().document)
    assert "G44.86 Cervicogenic headache" in said
    assert "From Dr. Vega" in said


def test_the_summary_as_a_pdf(sign_in, active, chiro):
    client, address = sign_in(chiro.user), f"/care-plans/{active.pk}/discharge/summary.pdf"
    assert "Nobody was discharged" in client.get(address).content.decode()
    discharging.discharge(active, reason="goals_met", by=chiro.user, **SAID)

    answer = client.get(address)
    page = client.get(f"/care-plans/{active.pk}/discharge/summary/").content.decode()

    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
    assert f'href="{address}"' in page
