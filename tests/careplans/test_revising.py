"""A plan that runs is changed as a new version: what happened stays, what is to come is wanted anew."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.core.exceptions import PermissionDenied

from appointments import booking, visit_status
from appointments.recurring import series as visits
from appointments.recurring import standing
from careplans import blocks, planning, progress, reevaluating, revising, versions
from clinic.errors import RuleBroken
from evaluations.models import Evaluation
from tests import make
from tests.make import MONDAY, at


@pytest.fixture
def change(said, atlanta, chiro):
    """`change(plan, **changes)` revises the plan as somebody who read its present version."""

    def revise(plan, *, seen=None, by=None, **changes):
        who = {"by": by or chiro.user, "practitioner": chiro, "location": atlanta, "reason": "Came back from holidays."}
        return revising.revise(plan, seen=seen or plan.version, **(who | said | changes))

    return revise


@pytest.fixture
def booked(active, chiro, atlanta, adjustment, patient):
    """Two visits of the running plan are on the calendar."""
    for number, day in ((1, MONDAY), (2, MONDAY + timedelta(days=2))):
        visit = booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, by=chiro.user,
                             starts_at=at(10, day=day))  # fmt: skip
        type(visit).objects.filter(pk=visit.pk).update(series_visit=active.series.visits.get(number=number))
    return active


def wanted(plan):
    treatments = [one for one in standing.of(plan.series) if one.visit.type_id == plan.series.type_id]
    return [one for one in treatments if one.is_owed], [one for one in treatments if one.is_on_calendar]


def test_the_old_version_stays_readable_with_its_signature(active, change):
    plan = change(active, phases=[{"kind": "relief", "visits_per_week": 1, "weeks": 3}], note="Less often.")

    assert (plan.status, plan.version) == ("active", 2)
    old, new = plan.versions.all()
    assert old.agreements.get().typed_name == "Avery Testerson"
    assert "2 visits a week for 4 weeks" in str(old.document)
    assert "1 visit a week for 3 weeks" in str(new.document)
    assert new.reason == "Came back from holidays."
    assert plan.history.last().reason == "Came back from holidays."
    assert {one["what"] for one in versions.changes(old.document, new.document)} == {"Visits", "Note"}


def test_what_stands_on_the_calendar_stays_and_the_rest_is_wanted_anew(booked, change):
    plan = change(booked, phases=[{"kind": "corrective", "visits_per_week": 1, "weeks": 5}])

    owed, placed = wanted(plan)
    assert (len(placed), len(owed)) == (2, 3)
    assert progress.of_plan(plan).visits.planned == 5
    days = [one.visit.wanted_on for one in owed]
    assert min(days) > MONDAY + timedelta(days=2)
    assert all(later - day == timedelta(days=7) for day, later in pairwise(days))
    assert len({one.visit.number for one in standing.of(plan.series)}) == len(standing.of(plan.series))


def test_a_plan_gets_more_visits(active, change):
    plan = change(active, phases=[{"kind": "corrective", "visits_per_week": 3, "weeks": 6}])

    owed, _ = wanted(plan)
    assert len(owed) == 18
    assert len({one.visit.wanted_on for one in owed}) == 18
    assert {one.visit.stretch for one in owed} == {1}


def test_more_visits_than_agreed_are_the_one_extension_by_at_most_the_same_length(active, change):
    def lengthened(weeks):
        return {"phases": [{"kind": "corrective", "visits_per_week": 1, "weeks": weeks}]}

    with pytest.raises(RuleBroken) as twice_as_long:
        change(active, **lengthened(25))  # 12 were agreed
    plan = change(active, **lengthened(13))
    with pytest.raises(RuleBroken) as again:
        change(plan, **lengthened(14))
    planning.sign_consent(plan, name="Avery Testerson", by=plan.created_by)
    with pytest.raises(RuleBroken) as by_the_button:
        planning.extend(plan, by=plan.created_by, reason="Better.")

    assert (twice_as_long.value.code, again.value.code, by_the_button.value.code) == (
        "too_many_visits", "extended_before", "extended_before",
    )  # fmt: skip
    plan.refresh_from_db()
    assert (plan.version, [event.step for event in plan.history.all()][-3:]) == (
        2, ["extended", "revised", "agreed"],
    )  # fmt: skip


def test_missed_visits_are_still_owed(booked, change, chiro, time_machine):
    missed = booked.series.visits.get(number=1).appointments.get()
    time_machine.move_to(at(12))
    visit_status.no_show(missed, by=chiro.user)

    plan = change(booked, phases=[{"kind": "relief", "visits_per_week": 2, "weeks": 2}])

    owed, placed = wanted(plan)
    assert (len(owed), len(placed)) == (3, 1)
    assert missed.series_visit_id in [one.visit.pk for one in owed]


def test_fewer_visits_than_happened_are_refused(booked, change):
    with pytest.raises(RuleBroken) as refused:
        change(booked, phases=[{"kind": "relief", "visits_per_week": 1, "weeks": 1}])

    assert (refused.value.code, list(refused.value.fields)) == ("too_few_visits", ["phases"])
    booked.refresh_from_db()
    assert (booked.version, booked.phases.count()) == (1, 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"reason": "  "}, "reason"), ({"starts_on": MONDAY + timedelta(days=1)}, "starts_on")],
)
def test_a_running_plan_keeps_its_first_day_and_needs_a_reason(active, change, changes, field):
    with pytest.raises(RuleBroken) as refused:
        change(active, **changes)

    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"goals": []}, "no_goal"),
        ({"goals": [{"metric": "frt_left", "baseline": 20, "target": 40, "due_on": date(2027, 3, 1)}]},
         "no_patient_reported_goal"),
        ({"reevaluate_by": None}, "no_checkpoint"),
    ],
)  # fmt: skip
def test_a_running_plan_keeps_what_every_plan_has(active, change, changes, code):
    with pytest.raises(RuleBroken) as refused:
        change(active, **changes)

    assert refused.value.code == code


def test_an_overdue_reevaluation_lets_visits_be_taken_away_and_not_added(active, change, time_machine):
    time_machine.move_to(at(9, day=date(2027, 3, 1)))
    assert [one.code for one in blocks.of_more(active)] == ["reevaluation_overdue"]

    with pytest.raises(RuleBroken) as refused:
        change(active, phases=[{"kind": "corrective", "visits_per_week": 2, "weeks": 12}])
    assert refused.value.code == "reevaluation_overdue"
    assert change(active, phases=[{"kind": "corrective", "visits_per_week": 1, "weeks": 2}]).version == 2


def test_a_plan_on_hold_is_changed_and_stays_on_hold(active, change, chiro):
    plan = change(planning.hold(active, by=chiro.user, reason="Travels."))

    assert (plan.status, plan.series.is_open) == ("on_hold", False)


def test_a_plan_that_is_over_stays_as_it_is(active, change, chiro):
    with pytest.raises(RuleBroken) as refused:
        change(planning.complete(active, by=chiro.user))

    assert refused.value.code == "wrong_status"


def test_the_desk_revises_nothing(active, change, desk):
    with pytest.raises(PermissionDenied):
        change(active, by=desk)


def test_who_read_an_older_version_is_told_what_changed(active, change, chiro, atlanta):
    colleague = make.practitioner(atlanta)
    change(active, by=colleague.user, note="Ice after each visit.", reason="Sore after visits.")

    with pytest.raises(RuleBroken) as refused:
        change(active, seen=1, note="Heat before each visit.")

    found = refused.value
    assert (found.code, found.status, found.conflict["version"]) == ("changed_meanwhile", 409, 2)
    assert found.conflict["saved_by"] == str(colleague.user)
    assert found.conflict["reason"] == "Sore after visits."
    assert found.conflict["changes"] == [{"what": "Note", "before": [], "after": ["Ice after each visit."]}]
    assert str(colleague.user) in found.message


@pytest.mark.parametrize("seen", [5, -1])
def test_a_version_that_there_is_not(active, change, seen):
    with pytest.raises(RuleBroken) as refused:
        change(active, seen=seen)

    assert (refused.value.status, list(refused.value.fields)) == (400, ["version"])


def test_an_extension_meanwhile_counts_as_a_change(active, change, chiro):
    planning.extend(active, by=chiro.user, reason="Once more.")

    with pytest.raises(RuleBroken) as refused:
        change(active, seen=1)

    assert refused.value.code == "changed_meanwhile"
    assert [one["what"] for one in refused.value.conflict["changes"]] == ["Visits"]


def body_of(plan, said, **more):
    phases, goals = said["phases"], [goal | {"due_on": f"{goal['due_on']}"} for goal in said["goals"]]
    return {
        "practitioner": plan.practitioner_id, "location": plan.location.slug, "starts_on": f"{plan.starts_on}",
        "phases": phases, "goals": goals, "interventions": [{"code": "nucca"}], "reevaluate_by": "2027-02-01",
        "version": plan.version, "reason": "Softer.", **more,
    }  # fmt: skip


def test_by_the_api(api, active, said, chiro):
    client = api(chiro.user)
    answer = client.post(f"/api/v1/care-plans/{active.pk}/revise/", body_of(active, said))
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert answer.json()["interventions"] == [{"code": "nucca", "dose": ""}]

    late = client.post(f"/api/v1/care-plans/{active.pk}/revise/", body_of(active, said, version=1))

    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")
    assert [one["what"] for one in late.json()["conflict"]["changes"]] == ["Technique", "At home"]


def form_of(plan, **more):
    """The form as the page of the plan would send it back."""
    rows = {"phases-TOTAL_FORMS": 2, "phases-INITIAL_FORMS": 2, "goals-TOTAL_FORMS": 1, "goals-INITIAL_FORMS": 1}
    for n, phase in enumerate(plan.phases.all()):
        rows |= {f"phases-{n}-{name}": getattr(phase, name) for name in ("kind", "visits_per_week", "weeks")}
    for n, goal in enumerate(plan.goals.all()):
        rows |= {f"goals-{n}-{name}": getattr(goal, name) for name in ("metric", "baseline", "target", "due_on")}
    return {
        **rows, "version": plan.version, "practitioner": plan.practitioner_id, "location": plan.location_id,
        "reevaluate_by": plan.reevaluate_by, "reevaluate_after_visits": 12, "interventions": ["nucca"],
        "reason": "Softer.", "note": "", **more,
    }  # fmt: skip


def test_on_the_page(client, active, chiro):
    client.force_login(chiro.user)
    assert b"Save as version 2" in client.get(f"/care-plans/{active.pk}/edit/").content

    answer = client.post(f"/care-plans/{active.pk}/edit/", form_of(active), follow=True)

    assert "The plan says this as version 2" in answer.content.decode()
    page = client.get(f"/care-plans/{active.pk}/versions/2/").content.decode()
    assert "What it says differently than version 1" in page
    assert "NUCCA" in page
    assert "Chin tucks" in client.get(f"/care-plans/{active.pk}/versions/1/").content.decode()


def test_on_the_page_the_second_sees_what_the_first_changed_and_keeps_what_was_typed(client, active, chiro, change):
    change(active, note="Ice after each visit.", reason="Sore after visits.")
    client.force_login(chiro.user)

    late = client.post(f"/care-plans/{active.pk}/edit/", form_of(active, version=1, note="Heat before each visit."))

    text = late.content.decode()
    assert late.status_code == 409
    assert "was first: this is version 2 now" in text
    assert "Ice after each visit." in text
    assert "Heat before each visit." in text
    assert 'name="version" value="2"' in text
    shown = late.context["form"]
    assert shown["reevaluate_by"].value() == f"{active.reevaluate_by}"
    assert (shown["reevaluate_after_visits"].value(), shown["reason"].value()) == ("12", "Softer.")
    again = client.post(f"/care-plans/{active.pk}/edit/", form_of(active, version=2, note="Heat before each visit."))
    assert again.status_code == 302
    active.refresh_from_db()
    assert (active.version, active.note) == (3, "Heat before each visit.")


def test_a_revised_plan_can_still_be_judged(active, change, chiro, signed):
    plan = change(active)
    later = Evaluation.objects.create(
        patient=plan.patient, location=plan.location, started_by=chiro.user, kind="reevaluation", status="signed",
        started_at=signed.started_at + timedelta(days=1), signed_at=signed.signed_at + timedelta(days=1),
        signed_by=chiro.user, digest="0" * 64,
    )  # fmt: skip

    kept = reevaluating.record(
        plan, evaluation=later, result="unknown", decision="go_on", reason="Better.", by=chiro.user
    )

    assert kept.plan.version == 2


def test_visits_let_go_are_not_wanted_again(booked, change, chiro):
    row = booked.series.visits.get(number=5)
    visits.waive(row, by=chiro.user, reason="Travels.")

    plan = change(booked, phases=[{"kind": "relief", "visits_per_week": 2, "weeks": 2}])

    owed, placed = wanted(plan)
    assert (len(owed), len(placed)) == (1, 2)
    assert plan.series.visits.get(pk=row.pk).waived_reason == "Travels."
