"""The states of a plan, under any sequence of what can be done to it: refused or done, never a fault, never a state
that cannot be.
"""

import os
from datetime import time, timedelta

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from careplans import blocks, discharging, planning, progress, reevaluating, revising, unjudged
from careplans.models import CarePlan, Discharge
from clinic.errors import RuleBroken
from evaluations.models import Evaluation

S = CarePlan.Status
# From a status to those that a step may lead to; what is over stays over.
MAY_BECOME = {
    S.DRAFT: {S.DRAFT, S.ACTIVE, S.DISCONTINUED},
    S.ACTIVE: {S.ACTIVE, S.ON_HOLD, S.COMPLETED, S.DISCONTINUED},
    S.ON_HOLD: {S.ON_HOLD, S.ACTIVE, S.COMPLETED, S.DISCONTINUED},
    S.COMPLETED: {S.COMPLETED},
    S.DISCONTINUED: {S.DISCONTINUED},
}
REASONS = st.sampled_from(["As agreed.", "", "  "])
PHASES = st.lists(
    st.fixed_dictionaries({
        "kind": st.sampled_from(["relief", "corrective", "stabilisation", "no such"]),
        "visits_per_week": st.integers(0, 3), "weeks": st.integers(0, 4),
    }), max_size=3,
)  # fmt: skip


class Plans(RuleBasedStateMachine):
    world: "World"
    drafts = Bundle("drafts")

    def __init__(self):
        super().__init__()
        self.was = {}
        self.each = transaction.atomic()  # what one sequence writes is gone before the next
        self.each.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.each.__exit__(None, None, None)

    @rule(target=drafts)
    def write(self):
        if CarePlan.objects.count() >= 3:
            return multiple()
        return self.world.draft().pk

    def act(self, pk, verb, **given):
        plan = CarePlan.objects.with_names().get(pk=pk)
        before = plan.version, plan.history.count()
        try:
            verb(plan, by=self.world.by, **given)
        except RuleBroken as refused:
            self.refused(refused)
            fresh = CarePlan.objects.get(pk=pk)
            assert (fresh.status, fresh.version, fresh.history.count()) == (plan.status, *before)

    def refused(self, broken):
        assert broken.code
        assert broken.message
        assert broken.status in {400, 409}

    @rule(pk=drafts)
    def sign(self, pk):
        self.act(pk, planning.sign_consent, name="Avery Testerson")

    @rule(pk=drafts, step=st.sampled_from(list(planning.STEPS)), reason=REASONS)
    def take(self, pk, step, reason):
        self.act(pk, lambda plan, by: planning.take(step, plan, by=by, reason=reason))

    @rule(pk=drafts, phases=PHASES, reason=REASONS, late=st.booleans())
    def revise(self, pk, phases, reason, late):
        said = self.world.said | {"phases": phases or self.world.said["phases"]}
        version = CarePlan.objects.get(pk=pk).version
        self.act(pk, revising.revise, seen=version - late, reason=reason, practitioner=self.world.chiro,
                 location=self.world.place, **said)  # fmt: skip

    @rule(pk=drafts)
    def sign_and_activate(self, pk):
        self.sign(pk)
        self.act(pk, planning.activate)

    @rule(pk=drafts, reason=REASONS)
    def extend(self, pk, reason):
        self.act(pk, planning.extend, reason=reason)

    @rule(pk=drafts)
    def support(self, pk):
        self.act(pk, planning.support, reason="Better.")

    @rule(pk=drafts, phase=st.integers(0, 4))
    def schedule(self, pk, phase):
        self.act(pk, planning.schedule, weekdays=[0, 2, 4], at_time=self.world.time, phase=phase)

    @rule(hours=st.integers(1, 3))
    def evaluate(self, hours):
        self.world.evaluate(hours)

    @rule(
        pk=drafts, result=st.sampled_from(reevaluating.Result), decision=st.sampled_from(reevaluating.Decision),
        reason=REASONS,
    )  # fmt: skip
    def judge(self, pk, result, decision, reason):
        plan = CarePlan.objects.with_names().get(pk=pk)
        waiting = unjudged.latest(plan) or plan.evaluation
        self.act(pk, reevaluating.record, evaluation=waiting, result=result, decision=decision, reason=reason)

    @rule(pk=drafts, reason=st.sampled_from(Discharge.Reason))
    def discharge(self, pk, reason):
        self.act(pk, discharging.discharge, reason=reason, return_if="It comes back.")

    @invariant()
    def every_state_can_be(self):
        plans = list(CarePlan.objects.with_names())
        assert sum(plan.is_active for plan in plans) <= 1
        for plan in plans:
            assert plan.status in MAY_BECOME[self.was.get(plan.pk, S.DRAFT)]
            self.was[plan.pk] = plan.status
            begun = plan.status in {S.ACTIVE, S.ON_HOLD, S.COMPLETED}
            assert not begun or (plan.activated_at and plan.series_id)
            assert plan.series is None or plan.series.is_open == plan.is_active
            assert list(plan.versions.values_list("number", flat=True)) == list(range(1, plan.version + 1))
            steps = list(plan.history.order_by("at", "pk"))
            assert steps[-1].to_status == plan.status
            assert Discharge.objects.filter(plan=plan).exists() <= (plan.status in {S.COMPLETED, S.DISCONTINUED})
            if plan.series:
                found = progress.of_plan(plan).visits
                wanted = sum(phase.visit_count for phase in plan.phases.all())
                assert found.planned + found.let_go == wanted
            blocks.now(plan)


class World:
    def __init__(self, draft, said, chiro, place, patient, at_time):
        self.draft, self.said, self.chiro, self.place, self.patient = draft, said, chiro, place, patient
        self.by, self.time = chiro.user, at_time

    def evaluate(self, hours):
        last = Evaluation.objects.filter(patient=self.patient).order_by("-started_at").first()
        at = last.started_at + timedelta(hours=hours)
        Evaluation.objects.create(
            patient=self.patient, location=self.place, started_by=self.by, started_at=at, status="signed",
            signed_by=self.by, signed_at=at, digest="0" * 64, kind="reevaluation", measures={"migraine_days_28": 6},
        )  # fmt: skip


def test_no_sequence_of_steps_leads_where_a_plan_cannot_be(draft, said, chiro, atlanta, patient, signed, adjustment):
    Plans.world = World(draft, said, chiro, atlanta, patient, time(9))
    long = bool(os.environ.get("LONG_RACES"))
    run_state_machine_as_test(
        Plans,
        settings=settings(
            max_examples=40 if long else 12, stateful_step_count=30 if long else 18, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
