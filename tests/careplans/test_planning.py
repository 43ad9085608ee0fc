from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from careplans import blocks, planning, revising
from careplans.models import CarePlan
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from evaluations.models import Evaluation, RedFlagEvent
from evaluations.safety import restrictions
from locations.models import Practitioner
from patients.signatures import Signature
from tests import make
from tests.make import MONDAY


def refused(rule, *args, **kwargs):
    with pytest.raises(RuleBroken) as caught:
        rule(*args, **kwargs)
    return caught.value


def flag(patient, code="rf_positional", **fields):
    fields = {"tier": "urgent", "answer": "yes", "opened_at": times.now(), **fields}
    return RedFlagEvent.objects.create(patient=patient, code=code, **fields)


def resolved(patient, code, restrictions, *, days_ago=0):
    return flag(
        patient, code, resolution="acknowledged_modified", resolved_at=times.now() - timedelta(days=days_ago),
        restrictions=restrictions,
    )  # fmt: skip


def test_draft_writes_what_it_says(draft, signed, chiro):
    plan = draft(note="Two pillows.")

    assert (plan.patient, plan.status, plan.note) == (signed.patient, "draft", "Two pillows.")
    assert list(plan.phases.values_list("order", "kind", "visits_per_week", "weeks")) == [
        (1, "relief", 2, 4), (2, "corrective", 1, 4),
    ]  # fmt: skip
    assert list(plan.goals.values_list("metric", "unit", "baseline", "target")) == [("migraine_days_28", "d", 10, 5)]
    assert list(plan.interventions.values_list("code", flat=True)) == ["palmer_toggle_recoil", "chin_tucks"]
    assert list(plan.history.values_list("step", "by")) == [("drafted", chiro.user.pk)]
    assert AuditEntry.objects.get(action="care_plan.drafted").patient_id == signed.patient_id


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"phases": []}, "no_phase", "phases"),
        ({"phases": [{"kind": "relief", "visits_per_week": 4, "weeks": 4}]}, "too_many_visits", "phases"),
        ({"phases": [{"kind": "relief", "visits_per_week": 8, "weeks": 1}]}, "invalid", "phases.0.visits_per_week"),
        ({"phases": [{"kind": "relief", "visits_per_week": 1, "weeks": 0}]}, "invalid", "phases.0.weeks"),
        ({"phases": [{"kind": "cure", "visits_per_week": 1, "weeks": 1}]}, "invalid", "phases.0.kind"),
        ({"interventions": ["magic"]}, "unknown_code", "interventions.0.code"),
        ({"interventions": ["nucca", "nucca"]}, "invalid", "interventions.1.code"),
        ({"interventions": [{"code": "heat", "dose": "a\x00"}]}, "invalid", "interventions.0.dose"),
        ({"note": "a\x00b"}, "invalid", "note"),
        ({"note": "a" * 5001}, "invalid", "note"),
        ({"starts_on": date(2040, 1, 1)}, "out_of_range", "starts_on"),
        ({"reevaluate_by": MONDAY}, "invalid", "reevaluate_by"),
        ({"reevaluate_by": MONDAY + timedelta(31)}, "invalid", "reevaluate_by"),
        ({"reevaluate_after_visits": 13}, "invalid", "reevaluate_after_visits"),
    ],
)
def test_draft_refuses(draft, changes, code, field):
    error = refused(draft, **changes)

    assert (error.code, list(error.fields), error.status) == (code, [field], 400)
    assert not CarePlan.objects.exists()


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"metric": "happiness"}, "unknown_metric", "goals.0.metric"),
        ({"target": 10}, "bad_target", "goals.0.target"),
        ({"target": 12}, "bad_target", "goals.0.target"),
        ({"baseline": 40}, "bad_target", "goals.0.target"),
        ({"due_on": MONDAY}, "invalid", "goals.0.due_on"),
    ],
)
def test_draft_refuses_a_goal(draft, said, change, code, field):
    error = refused(draft, goals=[{**said["goals"][0], **change}])

    assert (error.code, list(error.fields)) == (code, [field])


def test_draft_refuses_the_same_goal_twice_and_too_many(draft, said):
    assert list(refused(draft, goals=said["goals"] * 2).fields) == ["goals.1.metric"]
    assert list(refused(draft, goals=said["goals"] * 21).fields) == ["goals"]


def test_draft_refuses_a_practitioner_who_left(draft, chiro):
    chiro.is_active = False

    assert list(refused(draft).fields) == ["practitioner"]


def test_draft_needs_a_signed_evaluation(draft, evaluated, patient):
    assert refused(draft, evaluation=evaluated(patient, days=None)).code == "evaluation_unsigned"


def test_draft_is_for_clinicians_of_the_location(signed, said, atlanta, marietta, chiro, desk):
    stranger = make.practitioner(marietta)
    for user, error in ((desk, PermissionDenied), (stranger.user, Http404)):
        with pytest.raises(error):
            planning.draft(evaluation=signed, by=user, practitioner=chiro, location=atlanta, **said)


def test_revise_replaces_and_asks_for_agreement_again(ready, said, atlanta, chiro):
    said["phases"] = [{"kind": "relief", "visits_per_week": 1, "weeks": 2}]
    said["interventions"] = [{"code": "nucca", "dose": "both sides"}]

    plan = revising.revise(ready, seen=ready.version, by=chiro.user, practitioner=chiro, location=atlanta, **said)

    assert [(p.order, p.visit_count) for p in plan.phases.all()] == [(1, 2)]
    assert list(plan.interventions.values_list("code", "dose")) == [("nucca", "both sides")]
    assert [b.code for b in blocks.of(plan)] == ["agreement_missing"]
    assert [e.step for e in plan.history.all()] == ["drafted", "consent_signed", "agreed", "revised"]


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a" * 201])
def test_consent_needs_a_name(draft, chiro, name):
    assert list(refused(planning.sign_consent, draft(), name=name, by=chiro.user).fields) == ["name"]


def test_activate_owes_the_visits_of_the_phases(ready, chiro, adjustment):
    plan = planning.activate(ready, by=chiro.user)

    assert (plan.status, plan.activated_at is not None) == ("active", True)
    visits = list(plan.series.visits.values_list("number", "stretch", "wanted_on"))
    assert [(number, stretch) for number, stretch, _ in visits] == [
        *((n, 1) for n in range(1, 9)), *((n, 2) for n in range(9, 13)),
    ]  # fmt: skip
    assert [day for _, _, day in visits[:2]] == [date(2027, 1, 5), date(2027, 1, 7)]
    last = plan.history.last()
    assert (last.step, last.from_status, last.to_status) == ("activated", "draft", "active")


def test_the_re_evaluation_is_one_of_the_visits(ready, chiro, adjustment):
    make.appointment_type("re-evaluation", 45)

    plan = planning.activate(ready, by=chiro.user)

    checkpoint = plan.series.visits.get(type__slug="re-evaluation")
    assert (checkpoint.number, checkpoint.wanted_on) == (8, date(2027, 1, 28))  # the last wanted day by February 1
    assert plan.series.visits.count() == 13


def test_activate_needs_the_type_of_the_visits(ready, chiro):
    assert refused(planning.activate, ready, by=chiro.user).code == "no_visit_type"


def blocked(plan, by, code):
    assert [b.code for b in blocks.of(plan)] == [code]
    error = refused(planning.activate, plan, by=by)
    assert (error.code, error.status) == (code, 409)
    plan.refresh_from_db()
    assert plan.status == "draft"


def rest_on(plan, evaluation):
    CarePlan.objects.filter(pk=plan.pk).update(evaluation=evaluation)
    return CarePlan.objects.get(pk=plan.pk)


def test_activate_with_an_unsigned_evaluation(ready, evaluated, patient, chiro):
    blocked(rest_on(ready, evaluated(patient, days=None)), chiro.user, "evaluation_unsigned")


@pytest.mark.parametrize(("days", "found"), [(29, []), (31, ["evaluation_too_old"])])
def test_activate_by_the_age_of_the_evaluation(ready, evaluated, patient, days, found):
    assert [b.code for b in blocks.of(rest_on(ready, evaluated(patient, days=days)))] == found


def test_an_old_evaluation_that_was_signed_late_is_old(ready, evaluated, patient):
    evaluation = evaluated(patient, days=31)
    evaluation.pk, evaluation.signed_at = None, times.now()
    evaluation.save()

    assert [block.code for block in blocks.of(rest_on(ready, evaluation))] == ["evaluation_too_old"]


def test_activate_after_the_day_of_the_re_evaluation(ready, chiro):
    day = ready.location.today()
    CarePlan.objects.update(reevaluate_by=day)
    assert blocks.of(CarePlan.objects.get()) == []

    CarePlan.objects.update(reevaluate_by=day - timedelta(days=1))

    blocked(CarePlan.objects.get(), chiro.user, "checkpoint_passed")


def test_activate_with_an_old_evaluation(ready, evaluated, patient, chiro):
    blocked(rest_on(ready, evaluated(patient, days=31)), chiro.user, "evaluation_too_old")


def test_activate_with_an_old_evaluation_that_was_signed_late(ready, patient, atlanta, chiro):
    found = Evaluation.objects.create(
        patient=patient, location=atlanta, started_by=chiro.user, started_at=times.now() - timedelta(days=31),
        status="signed", signed_by=chiro.user, signed_at=times.now(), digest="0" * 64,
    )  # fmt: skip

    blocked(rest_on(ready, found), chiro.user, "evaluation_too_old")


@pytest.mark.parametrize(("days", "found"), [(28, []), (29, ["checkpoint_passed"])])
def test_activate_while_the_re_evaluation_is_still_to_come(ready, days, found):
    """It is wanted by February 1, 28 days after the start."""
    with times.as_of(make.at(12, day=make.MONDAY + timedelta(days=days))):
        assert [b.code for b in blocks.of(ready) if b.code != "evaluation_too_old"] == found


def test_activate_with_red_flags_never_asked(draft, evaluated, atlanta, chiro):
    plan = draft(evaluation=evaluated(make.patient(atlanta, given="Blake")))

    blocked(planning.sign_consent(plan, name="B. T.", by=chiro.user), chiro.user, "red_flags_unanswered")


def test_activate_with_an_open_red_flag(ready, patient, chiro):
    flag(patient)

    blocked(ready, chiro.user, "red_flag_open")


def test_activate_without_consent(draft, chiro):
    plan = draft()
    planning.agree(plan, Signature("Avery Testerson"), by=chiro.user)

    blocked(plan, chiro.user, "consent_missing")


def test_activate_without_the_agreement(ready, said, atlanta, chiro):
    changed = revising.revise(ready, seen=ready.version, by=chiro.user, practitioner=chiro, location=atlanta, **said)

    blocked(changed, chiro.user, "agreement_missing")


def test_activate_without_a_goal(draft, chiro):
    blocked(planning.sign_consent(draft(goals=[]), name="A. T.", by=chiro.user), chiro.user, "no_goal")


def test_activate_without_a_goal_that_the_patient_reports(draft, chiro):
    measured = {"metric": "rom_active_flexion", "baseline": 40, "target": 50, "due_on": date(2027, 3, 1)}
    plan = planning.sign_consent(draft(goals=[measured]), name="A. T.", by=chiro.user)

    blocked(plan, chiro.user, "no_patient_reported_goal")


def test_activate_without_a_checkpoint(draft, chiro):
    plan = planning.sign_consent(draft(reevaluate_by=None), name="A. T.", by=chiro.user)

    blocked(plan, chiro.user, "no_checkpoint")


def test_activate_what_a_restriction_forbids(ready, patient, chiro):
    resolved(patient, "rf_osteoporosis", ["no_manual_thrust"])

    blocked(ready, chiro.user, "intervention_forbidden")


def test_activate_what_the_plan_itself_restricts(ready):
    assert blocks.of(ready) == []
    ready.restrictions = ["no_manual_neck_care"]
    ready.interventions.create(code="diversified")

    assert [block.code for block in blocks.of(ready)].count("intervention_forbidden") >= 1


def test_a_later_resolution_of_the_same_flag_lifts_the_restriction(ready, patient):
    resolved(patient, "rf_osteoporosis", ["no_manual_thrust"], days_ago=5)
    resolved(patient, "rf_osteoporosis", [], days_ago=1)

    assert (restrictions.of(patient), blocks.of(ready)) == ([], [])


def test_activate_beside_another_active_plan(active, draft, chiro):
    second = planning.sign_consent(draft(), name="A. T.", by=chiro.user)

    blocked(second, chiro.user, "another_active_plan")


def test_activate_twice(active, chiro):
    assert refused(planning.activate, active, by=chiro.user).code == "wrong_status"


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (["hold"], "on_hold"), (["hold", "resume"], "active"), (["complete"], "completed"),
        (["hold", "complete"], "completed"), (["discontinue"], "discontinued"),
        (["hold", "discontinue"], "discontinued"),
    ],
)  # fmt: skip
def test_steps_of_an_active_plan(active, chiro, steps, status):
    plan = active
    for step in steps:
        plan = planning.take(step, plan, by=chiro.user, reason="Because.")

    assert plan.status == status
    assert [e.reason for e in plan.history.all()][-len(steps) :] == ["Because."] * len(steps)


@pytest.mark.parametrize("step", ["activate", "hold", "resume", "complete", "discontinue"])
def test_nothing_follows_the_end(active, chiro, step):
    plan = planning.complete(active, by=chiro.user)

    assert planning.allowed(plan) == []
    assert refused(planning.take, step, plan, by=chiro.user, reason="Because.").code == "wrong_status"


def test_unknown_step(active, chiro):
    assert refused(planning.take, "cure", active, by=chiro.user).code == "unknown_step"


def test_take_activates(ready, chiro, adjustment):
    assert planning.take("activate", ready, by=chiro.user).status == "active"


def test_discontinue_needs_a_reason(active, chiro):
    assert list(refused(planning.discontinue, active, by=chiro.user, reason=" ").fields) == ["reason"]


def test_a_reason_is_one_line(active, chiro):
    assert list(refused(planning.hold, active, by=chiro.user, reason="a\x00").fields) == ["reason"]


def test_resume_is_blocked_by_a_new_red_flag(active, patient, chiro):
    plan = planning.hold(active, by=chiro.user)
    flag(patient)

    assert refused(planning.resume, plan, by=chiro.user).code == "red_flag_open"


def test_an_old_evaluation_does_not_stop_a_plan_that_runs(active, evaluated, patient, chiro):
    plan = rest_on(planning.hold(active, by=chiro.user), evaluated(patient, days=90))

    assert planning.resume(plan, by=chiro.user).status == "active"


def test_activate_without_a_clinician(ready, chiro, atlanta):
    Practitioner.objects.filter(pk=chiro.pk).update(is_active=False)
    ready.practitioner.refresh_from_db()
    colleague = make.practitioner(atlanta)

    blocked(ready, colleague.user, "no_clinician")


@pytest.mark.parametrize("change", ["draft", "revise"])
def test_what_a_restriction_forbids_is_not_written_down(change, draft, said, atlanta, chiro, patient):
    plan = draft(interventions=["nucca"])
    resolved(patient, "rf_osteoporosis", ["no_manual_thrust"])
    said["interventions"] = ["nucca", "palmer_toggle_recoil"]
    who = {"by": chiro.user, "practitioner": chiro, "location": atlanta, **said}

    broken = refused(planning.draft, evaluation=plan.evaluation, **who) if change == "draft" else refused(
        revising.revise, plan, seen=plan.version, **who)  # fmt: skip

    assert (broken.code, broken.status, list(broken.fields)) == (
        "intervention_forbidden", 400, ["interventions.1.code"],
    )  # fmt: skip
    assert [row.code for row in plan.interventions.all()] == ["nucca"]
