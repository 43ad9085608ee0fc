"""Plan templates of the group: versions, who may write them, and plans that begin with one."""

from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction

from careplans import plan_templates, planning
from careplans.demo import TEMPLATES
from careplans.models import CarePlan, PlanTemplate
from careplans.plan_templates import Sketch
from clinic.errors import RuleBroken
from evaluations.models import Evaluation
from tests.careplans.test_planning import resolved

SOUND = Sketch(
    phases=[{"kind": "relief", "visits_per_week": 2, "weeks": 4}],
    goals=[{"metric": "hit6_total", "weeks": 8}, {"metric": "frt_left", "weeks": 4}],
    interventions=["diversified", "nucca", "slow_neck_rolls"],
    note="Look at the desk.",
)


@pytest.fixture
def template(owner):
    return plan_templates.create("Relief", SOUND, by=owner)


def refused(rule, *args, **kwargs):
    with pytest.raises(RuleBroken) as caught:
        rule(*args, **kwargs)
    return caught.value


def test_a_change_is_a_new_version_and_the_old_one_stays(template, owner):
    written = plan_templates.change(template, replace(SOUND, note="No desk."), version=1, by=owner)

    assert (written.number, plan_templates.latest(template).number) == (2, 2)
    assert [one.sketch["note"] for one in template.versions.order_by("number")] == ["Look at the desk.", "No desk."]


def test_saving_the_same_writes_no_version(template, owner):
    assert plan_templates.change(template, SOUND, version=1, by=owner).number == 1


def test_of_two_who_change_at_once_one_is_told(template, owner):
    plan_templates.change(template, replace(SOUND, note="One."), version=1, by=owner)

    assert refused(plan_templates.change, template, replace(SOUND, note="Two."), version=1, by=owner).code == "stale"
    assert template.versions.count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phases": []}, "phases"),
        ({"phases": [{"kind": "relief", "visits_per_week": 4, "weeks": 4}]}, "phases"),
        ({"phases": [{"kind": "other", "visits_per_week": 1, "weeks": 4}]}, "phases.0.kind"),
        ({"phases": [{"kind": "relief", "visits_per_week": 8, "weeks": 1}]}, "phases.0.visits_per_week"),
        ({"goals": []}, "goals"),
        ({"goals": [{"metric": "frt_left", "weeks": 8}]}, "goals"),
        ({"goals": [{"metric": "mood", "weeks": 8}]}, "goals.0.metric"),
        ({"goals": [{"metric": "hit6_total", "weeks": 0}]}, "goals.0.weeks"),
        ({"goals": [{"metric": "hit6_total", "weeks": 105}]}, "goals.0.weeks"),
        ({"goals": [{"metric": "hit6_total", "weeks": 8}] * 2}, "goals.1.metric"),
        ({"interventions": ["magic"]}, "interventions.0.code"),
        ({"reevaluate_after_days": 31}, "reevaluate_after_days"),
        ({"reevaluate_after_days": 0}, "reevaluate_after_days"),
        ({"reevaluate_after_visits": 13}, "reevaluate_after_visits"),
        ({"note": "\x00"}, "note"),
        ({"aim": "x" * 5001}, "aim"),
    ],
)
def test_a_template_is_checked_as_a_plan_is(owner, changes, field):
    broken = refused(plan_templates.create, "Other", replace(SOUND, **changes), by=owner)

    assert (broken.status, list(broken.fields)[:1]) == (400, [field])
    assert not PlanTemplate.objects.exists()


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "\x00"])
def test_a_template_has_a_name(owner, name):
    assert list(refused(plan_templates.create, name, SOUND, by=owner).fields) == ["name"]


def test_a_name_is_taken_once(template, owner):
    assert refused(plan_templates.create, " Relief ", SOUND, by=owner).code == "name_taken"


def test_only_the_owner_writes_templates(template, chiro, desk):
    for person in (chiro.user, desk):
        with pytest.raises(PermissionDenied):
            plan_templates.create("Other", SOUND, by=person)
        with pytest.raises(PermissionDenied):
            plan_templates.change(template, SOUND, version=1, by=person)
        with pytest.raises(PermissionDenied):
            plan_templates.offer(template, yes=False, by=person)


@pytest.mark.parametrize("change", ["SET sketch = '{}'", "SET number = 7"])
def test_the_database_keeps_old_versions(template, change):
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE careplans_plantemplateversion {change}")


def test_the_proposal_takes_numbers_from_the_patient_and_leaves_out_what_is_forbidden(template, evaluated, patient):
    evaluation = evaluated(patient, days=None)
    Evaluation.objects.filter(pk=evaluation.pk).update(measures={"hit6_total": 64})
    evaluation.refresh_from_db()
    resolved(patient, "rf_osteoporosis", ["no_hvla", "no_end_range_rotation"])

    found = plan_templates.proposal(plan_templates.latest(template), evaluation, starts_on=date(2027, 1, 4))

    assert found.left_out == ["Diversified, may include rotation", "Slow neck rolls, half circles only"]
    assert [row["code"] for row in found.said["interventions"]] == ["nucca"]
    assert found.said["goals"] == [
        {"metric": "hit6_total", "baseline": Decimal(64), "target": Decimal(58), "due_on": date(2027, 3, 1)},
        {"metric": "frt_left", "due_on": date(2027, 2, 1)},
    ]
    assert found.said["reevaluate_by"] == date(2027, 2, 1)


def test_a_running_plan_never_changes_with_its_template(template, draft, chiro, owner, adjustment):
    plan = draft(made_from=plan_templates.latest(template))
    plan = planning.activate(planning.sign_consent(plan, name="A. T.", by=chiro.user), by=chiro.user)
    before = [list(plan.phases.values()), list(plan.goals.values()), list(plan.interventions.values())]

    changed = replace(SOUND, phases=[{"kind": "corrective", "visits_per_week": 1, "weeks": 1}])
    plan_templates.change(template, changed, version=1, by=owner)
    plan_templates.offer(template, yes=False, by=owner)

    plan.refresh_from_db()
    assert [list(plan.phases.values()), list(plan.goals.values()), list(plan.interventions.values())] == before
    assert str(plan.made_from) == "Relief, version 1"
    assert plan.series.visits.count() == sum(phase.visit_count for phase in plan.phases.all())


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_demo_templates_are_sound(owner, name):
    plan_templates.create(name, TEMPLATES[name], by=owner)


# --- pages and API


def typed(sketch, **more):
    rows = {"phases": sketch.phases, "goals": sketch.goals}
    data = {f"{name}-{count}_FORMS": len(found) for name, found in rows.items() for count in ("TOTAL", "INITIAL")}
    for name, found in rows.items():
        data |= {f"{name}-{n}-{field}": value for n, row in enumerate(found) for field, value in row.items()}
    said = {key: value for key, value in asdict(sketch).items() if key not in rows}
    return {**data, **said, **more}


def test_the_owner_writes_a_template_on_the_page(sign_in, owner):
    client = sign_in(owner)
    assert "There are no templates yet" in client.get("/setup/plan-templates/").content.decode()
    answer = client.post("/setup/plan-templates/new/", typed(replace(SOUND, reevaluate_after_days=90), name="Mine"))
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["reevaluate_after_days"])
    assert client.post("/setup/plan-templates/new/", typed(SOUND, name="Mine")).status_code == 302

    template = PlanTemplate.objects.get()
    address = f"/setup/plan-templates/{template.pk}/"
    assert client.post(address, typed(replace(SOUND, note="New."), version="1")).status_code == 302
    stale = client.post(address, typed(replace(SOUND, note="Newer."), version="1"))
    assert (stale.status_code, "Newer." in stale.content.decode()) == (409, True)
    assert client.post(address, typed(SOUND, version="²")).status_code == 409
    assert "Look at the desk." in client.get(f"{address}versions/1/").content.decode()
    client.post(f"{address}state/", {"do": "put_away"})
    assert "not offered" in client.get("/setup/plan-templates/").content.decode()


def test_a_plan_begins_with_a_template_and_is_adjusted(sign_in, signed, chiro, atlanta, template):
    client = sign_in(chiro.user)
    address = f"/care-plans/new/?evaluation={signed.pk}&template={template.pk}"
    page = client.get(address)
    assert "Look at the desk." in page.content.decode()
    assert [row.initial["metric"] for row in page.context["goals"].forms if row.initial] == ["hit6_total", "frt_left"]

    adjusted = typed(replace(SOUND, goals=[{"metric": "hit6_total"}], interventions=["nucca"], note="Adjusted."))
    adjusted |= {"goals-0-baseline": "64", "goals-0-due_on": "2027-03-01", "location": atlanta.pk,
                 "practitioner": chiro.pk, "starts_on": "2027-01-04", "reevaluate_by": "2027-02-01"}  # fmt: skip
    assert client.post(address, adjusted).status_code == 302

    plan = CarePlan.objects.get()
    assert (plan.note, str(plan.made_from)) == ("Adjusted.", "Relief, version 1")
    assert "Relief, version 1" in client.get(f"/care-plans/{plan.pk}/").content.decode()


def test_a_template_put_away_is_not_used(sign_in, signed, chiro, template, owner):
    plan_templates.offer(template, yes=False, by=owner)
    client = sign_in(chiro.user)

    assert client.get(f"/care-plans/new/?evaluation={signed.pk}&template={template.pk}").status_code == 404
    assert "Begin with a template" not in client.get(f"/care-plans/new/?evaluation={signed.pk}").content.decode()


def test_templates_over_the_api(api, owner, chiro, signed, atlanta):
    body = {name: value for name, value in asdict(SOUND).items() if value != ""}
    made = api(owner).post("/api/v1/plan-templates/", {**body, "name": "Relief"}, format="json")
    assert (made.status_code, made.json()["version"]) == (201, 1)
    address = f"/api/v1/plan-templates/{made.json()['id']}/"
    assert api(chiro.user).put(address, {**body, "version": 1}, format="json").status_code == 403
    changed = api(owner).put(address, {**body, "note": "New.", "version": 1}, format="json").json()
    assert (changed["version"], changed["note"]) == (2, "New.")
    stale = api(owner).put(address, {**body, "note": "Newer.", "version": 1}, format="json")
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    unknown = api(owner).put(address, {**body, "version": 2, "colour": "red"}, format="json")
    assert (unknown.status_code, list(unknown.json()["fields"])) == (400, ["colour"])
    assert api(chiro.user).get("/api/v1/plan-templates/").json()["results"][0]["name"] == "Relief"

    said = api(chiro.user).get(f"{address}proposal/", {"evaluation": signed.pk}).json()
    assert said.pop("left_out") == []
    said["goals"] = [{"metric": "hit6_total", "baseline": 64, "due_on": said["goals"][0]["due_on"]}]
    wanted = {**said, "evaluation": signed.pk, "practitioner": chiro.pk, "location": "atlanta"}
    plan = api(chiro.user).post("/api/v1/care-plans/", wanted, format="json")
    assert (plan.status_code, plan.json()["template"]["version"]) == (201, 2)
    assert api(chiro.user).get(f"{address}proposal/", {"evaluation": "x"}).status_code == 400
