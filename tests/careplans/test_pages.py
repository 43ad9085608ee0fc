import pytest
import time_machine

from appointments.models import Appointment
from careplans import planning
from careplans.models import CarePlan
from tests import make, signing
from tests.careplans.test_planning import flag


def rows(name, *given):
    data = {f"{name}-TOTAL_FORMS": "3", f"{name}-INITIAL_FORMS": "1"}
    return data | {f"{name}-{n}-{field}": value for n, row in enumerate(given) for field, value in row.items()}


@pytest.fixture
def typed(chiro, atlanta):
    return {
        "practitioner": chiro.pk,
        "location": atlanta.pk,
        "starts_on": "2027-01-04",
        "reevaluate_by": "2027-02-01",
        "reevaluate_after_visits": "12",
        "interventions": ["nucca", "heat"],
        "note": "Two pillows.",
        **rows("phases", {"kind": "relief", "visits_per_week": "2", "weeks": "4"}),
        **rows("goals", {"metric": "migraine_days_28", "baseline": "10", "target": "", "due_on": "2027-03-01"}),
    }


def test_a_plan_from_the_form_to_the_calendar(sign_in, signed, chiro, typed, adjustment):
    client = sign_in(chiro.user)
    assert client.get(f"/care-plans/new/?evaluation={signed.pk}").status_code == 200

    client.post(f"/care-plans/new/?evaluation={signed.pk}", typed)
    plan = CarePlan.objects.get()
    assert [(g.baseline, g.target) for g in plan.goals.all()] == [(10, 5)]
    assert list(plan.interventions.values_list("code", "dose")) == [
        ("nucca", ""), ("heat", "10-20 min, with a skin barrier"),
    ]  # fmt: skip
    assert "Informed consent is not signed." in client.get(f"/care-plans/{plan.pk}/").content.decode()
    client.post(f"/care-plans/{plan.pk}/consent/", signing.BOTH | signing.shown(plan))
    client.post(f"/care-plans/{plan.pk}/step/", {"step": "activate"})
    page = client.get(f"/care-plans/{plan.pk}/").content.decode()
    assert f'href="/series/{CarePlan.objects.get().series_id}/place/"' in page
    assert "Two pillows." in client.get(f"/care-plans/{plan.pk}/print/").content.decode()


def test_a_refused_plan_keeps_what_was_typed(sign_in, signed, chiro, typed):
    typed["phases-0-visits_per_week"] = "4"

    page = sign_in(chiro.user).post(f"/care-plans/new/?evaluation={signed.pk}", typed).content.decode()

    assert "Relief takes at most 12 visits in 28 days." in page
    assert "Two pillows." in page
    assert not CarePlan.objects.exists()


def test_a_fault_is_shown_at_its_row(sign_in, signed, chiro, typed):
    typed |= {"goals-0-target": "12", "phases-1-weeks": "4"}

    answer = sign_in(chiro.user).post(f"/care-plans/new/?evaluation={signed.pk}", typed)
    assert answer.context["phases"][1].errors["kind"] == ["Fill this in, or empty the whole row."]
    del typed["phases-1-weeks"]
    answer = sign_in(chiro.user).post(f"/care-plans/new/?evaluation={signed.pk}", typed)

    assert answer.context["goals"][0].errors["target"] == ["Migraine days in 28 days gets better when it falls."]


def test_doses_of_the_home_programme_are_typed_and_others_stay(sign_in, signed, chiro, typed):
    client = sign_in(chiro.user)
    chosen = {"interventions": ["nucca", "chin_tucks", "side_bends"], "dose_chin_tucks": "5 x 3 s, once a day"}
    client.post(f"/care-plans/new/?evaluation={signed.pk}", typed | chosen | {"dose_side_bends": ""})
    plan = CarePlan.objects.get()
    assert dict(plan.interventions.values_list("code", "dose")) == {
        "nucca": "", "chin_tucks": "5 x 3 s, once a day", "side_bends": "",
    }  # fmt: skip
    plan.interventions.filter(code="nucca").update(dose="Light")

    page = client.get(f"/care-plans/{plan.pk}/edit/")
    assert 'value="5 x 3 s, once a day"' in page.content.decode()
    again = {field.html_name: field.value() or "" for field in page.context["form"].home_doses}
    again |= {"interventions": chosen["interventions"], "version": 1}
    client.post(f"/care-plans/{plan.pk}/edit/", typed | again)

    plan.refresh_from_db()
    assert (plan.version, dict(plan.interventions.values_list("code", "dose"))) == (
        2, {"nucca": "Light", "chin_tucks": "5 x 3 s, once a day", "side_bends": ""},
    )  # fmt: skip
    wrong = client.post(f"/care-plans/{plan.pk}/edit/", typed | {"version": 2, "dose_chin_tucks": "a\x00"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (200, ["dose_chin_tucks"])


def test_edit_a_draft(sign_in, draft, chiro, typed):
    plan = draft()
    client = sign_in(chiro.user)
    assert 'value="2027-01-04"' in client.get(f"/care-plans/{plan.pk}/edit/").content.decode()

    client.post(f"/care-plans/{plan.pk}/edit/", typed | {"version": plan.version})

    assert [phase.visit_count for phase in plan.phases.all()] == [8]


def test_who_left_is_not_silently_replaced(sign_in, draft, chiro, atlanta):
    plan = draft()
    colleague = make.practitioner(atlanta, name="Alex Second")
    chiro.weekly_hours.all().delete()

    chosen = sign_in(colleague.user).get(f"/care-plans/{plan.pk}/edit/").content.decode()
    chosen = chosen[chosen.index('name="practitioner"') :]

    chosen = chosen[: chosen.index("</select>")]
    assert "selected" not in chosen
    assert chosen.index(f'<option value="">{chiro} no longer works here') < chosen.index("Alex Second")


def test_a_day_of_the_history_is_the_clinics(sign_in, active, chiro):
    with time_machine.travel(make.at(20, 30), tick=False):
        planning.hold(active, by=chiro.user)

    page = sign_in(chiro.user).get(f"/care-plans/{active.pk}/").content.decode()

    held = page[: page.index("Held")]
    assert held[held.rindex("<time") :].endswith(">Jan 4, 2027</time> ")


def test_a_plan_that_is_over_is_not_edited(sign_in, active, chiro):
    planning.complete(active, by=chiro.user)

    assert sign_in(chiro.user).get(f"/care-plans/{active.pk}/edit/").url == f"/care-plans/{active.pk}/"


def test_refused_steps_say_why(sign_in, draft, chiro):
    plan = draft()

    answer = sign_in(chiro.user).post(f"/care-plans/{plan.pk}/step/", {"step": "activate"})
    assert (answer.status_code, answer.context["refused"]) == (409, "Informed consent is not signed.")
    answer = sign_in(chiro.user).post(f"/care-plans/{plan.pk}/step/", {"step": "discontinue"})
    assert answer.context["refused"] == "Say why the plan is discontinued."
    answer = sign_in(chiro.user).post(f"/care-plans/{plan.pk}/consent/", {**signing.BOTH, "name": "\x00"})

    assert (answer.status_code, list(answer.context["signature"].errors)) == (400, ["name"])


def test_enter_in_the_reason_takes_no_step(sign_in, active, chiro):
    page = sign_in(chiro.user).get(f"/care-plans/{active.pk}/").content.decode()

    form = page[page.index(f'action="/care-plans/{active.pk}/step/"') :]
    assert form[form.index("<button") :].startswith("<button hidden disabled")


def test_a_row_more_is_there_for_the_script(sign_in, signed, chiro):
    page = sign_in(chiro.user).get(f"/care-plans/new/?evaluation={signed.pk}").content.decode()

    assert 'name="goals-__prefix__-metric"' in page
    assert page.count("data-more hidden") == 2


def test_the_visits_of_a_plan_are_not_placed_over_a_red_flag(sign_in, active, desk, patient):
    address = f"/series/{active.series_id}/place/"
    assert "10:00" not in sign_in(desk).get(address).content.decode()
    flag(patient)

    shown = sign_in(desk).get(address)
    refused = sign_in(desk).post(address, {"weekdays": ["0", "2"], "at_time": "10:00", "visit-1": "skip"})

    assert [a.context["stopped"] for a in (shown, refused)] == ["A red flag is not resolved."] * 2
    assert (shown.status_code, refused.status_code) == (200, 409)


def test_the_desk_puts_a_plan_on_the_calendar_without_seeing_it(sign_in, active, desk, patient):
    client = sign_in(desk)
    page = client.get(f"/patients/{patient.pk}/").content.decode()
    assert "2 a week for 4 weeks, then once a week for 4 weeks" in page
    assert "Migraine days" not in page

    address = f"/series/{active.series_id}/place/"
    asked = {"weekdays": ["0", "2"], "at_time": "10:00", "stretch": "1"}
    shown = client.get(address, asked)
    chosen = {row.name: row.chosen.value for row in shown.context["rows"]}
    answer = client.post(address, {**asked, **chosen}, follow=True)

    assert "8 visits on the calendar." in answer.content.decode()
    assert Appointment.objects.filter(series_visit__series=active.series).count() == 8


@pytest.mark.parametrize("query", ["", "?evaluation=x", "?patient=-1"])
def test_new_without_an_evaluation(sign_in, chiro, query):
    assert sign_in(chiro.user).get(f"/care-plans/new/{query}").status_code == 400


def test_new_from_the_patient_takes_the_latest_signed_evaluation(sign_in, signed, patient, chiro):
    answer = sign_in(chiro.user).get(f"/care-plans/new/?patient={patient.pk}")

    assert answer.context["evaluation"] == signed


def test_who_may_see_pages(sign_in, active, desk, marietta):
    address = f"/care-plans/{active.pk}/"
    elsewhere = make.practitioner(marietta).user

    assert [sign_in(who).get(address).status_code for who in (desk, elsewhere)] == [403, 404]
    assert [sign_in(who).post(f"{address}step/", {"step": "hold"}).status_code for who in (desk, elsewhere)] == [
        403,
        404,
    ]
    assert planning.allowed(active) == ["hold", "complete", "discontinue"]
