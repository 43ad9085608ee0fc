"""The intake gone through at an evaluation: kept, confirmed, read again, and what follows from it."""

import pytest
from django.urls import reverse

from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from evaluations import recording, signing
from evaluations.intake import history_taking, intake_page
from evaluations.intake.intake_form import ITEMS, ROWS, IntakeForm
from evaluations.safety import red_flags
from patients import intake
from patients.models import Intake
from tests.evaluations.conftest import read_chart
from tests.evaluations.test_criteria import MIGRAINE

OVERUSE = {"acute_medication_days_month": {"simple": 15}}


def form_of(answers, **changes):
    """The form as the page sends it back, with the changes typed."""
    form = IntakeForm(answers=answers)
    data = {}
    for path in ITEMS:
        value = form[path].value()
        if value not in (None, "", []):
            data[path] = value
    for name, rows in form.rows.items():
        data |= {f"{name}-TOTAL_FORMS": rows.total_form_count(), f"{name}-INITIAL_FORMS": rows.initial_form_count()}
        for n, values in enumerate(rows.initial or []):
            data |= {f"{name}-{n}-{column}": values[column] for column in ROWS[name] if column in values}
    return data | {"version": 0} | changes


@pytest.fixture
def address(evaluation):
    return reverse("evaluation-intake", args=[evaluation.pk])


@pytest.fixture
def elder(patient):
    patient.birth_date = patient.birth_date.replace(year=1950)
    patient.save()
    return patient


@pytest.fixture
def page(sign_in, chiro):
    return sign_in(chiro.user)


def test_answers_typed_on_the_page_are_kept_and_confirmed(page, address, evaluation, chiro):
    sent = form_of(
        {},
        lifetime_attacks="5", attack_hours_min="4.5", unilateral="yes", triggers=["stress", "light"],
        occupation="Welder",
        **{
            "aura.present": "no", "neck_indicators.neck_stiff_before": "unknown",
            "preventive_medications-0-name": "Topiramate", "preventive_medications-0-dose": "50 mg",
        },
    )  # fmt: skip

    answer = page.post(address, sent)

    assert answer.status_code == 302
    evaluation.refresh_from_db()
    kept = Intake.objects.get()
    assert kept.answers == evaluation.intake["answers"] == {
        "lifetime_attacks": 5, "attack_hours_min": 4.5, "unilateral": "yes", "triggers": ["stress", "light"],
        "aura": {"present": "no"}, "neck_indicators": {"neck_stiff_before": "unknown"}, "occupation": "Welder",
        "preventive_medications": [{"name": "Topiramate", "dose": "50 mg"}],
    }  # fmt: skip
    assert evaluation.intake["confirmed_by"] == chiro.user.pk
    assert AuditEntry.objects.filter(action="intake.confirmed", by=chiro.user, about_id=evaluation.pk).exists()


@pytest.mark.parametrize("name", ["C01", "C03", "C06", "C07", "C09", "C10"])
def test_saving_a_page_on_which_nothing_was_touched_changes_no_answer(page, address, elder, evaluation, name):
    answers = read_chart(name)["intake"]
    intake.record(elder, answers, by=None, by_whom="test")

    page.post(address, form_of(answers, version=1))

    assert Intake.objects.get().answers == answers
    evaluation.refresh_from_db()
    assert evaluation.intake["answers"] == answers


def test_one_change_leaves_the_other_answers_as_they_came(page, address, patient):
    answers = {
        **read_chart("C01")["intake"],
        "prior_care": [{"type": "PT", "result": "helped", "place": "Macon"}, "Massage"],
        "surgeries": ["Knee", "Tonsils"],
    }
    intake.record(patient, answers, by=None, by_whom="test")

    page.post(address, form_of(answers, version=1, **{"aura.present": "yes", "prior_care-0-date": "2020"}))

    assert Intake.objects.get().answers == answers | {
        "aura": {"present": "yes"},
        "prior_care": [{"type": "PT", "result": "helped", "place": "Macon", "date": "2020"}, {"type": "Massage"}],
    }


def test_an_answer_can_be_taken_back(page, address, patient):
    intake.record(patient, {"nprs_usual": 0, "triggers": ["light"]}, by=None, by_whom="test")
    sent = form_of({"nprs_usual": 0, "triggers": ["light"]}, version=1)
    assert sent["nprs_usual"] == 0
    del sent["nprs_usual"], sent["triggers"]

    page.post(address, sent)

    assert Intake.objects.get().answers == {"nprs_usual": None, "triggers": None}


WRONG = [
    ("lifetime_attacks", "many", "Give a whole number."),
    ("lifetime_attacks", "-1", "Give 0 or more."),
    ("lifetime_attacks", "9" * 12, "Give 99999 or less."),
    ("attack_hours_min", "nan", "Give a number."),
    ("attack_hours_min", "0", "Give 0.1 or more."),
    ("attack_hours_max", "1", "The longest attack is not shorter than the shortest."),
    ("aura.minutes_each", "4321", "Give 4320 or less."),
    ("neck_indicators.neck_stiff_before", "perhaps", "Select a valid choice."),
    ("triggers", "gluten", "Select a valid choice."),
    ("headache_onset_age", "80", "The patient is"),
    ("occupation", "a\x00b", "Remove the invisible"),
    ("occupation", "a\u202eb", "Remove the invisible"),
    ("allergies", "x" * 5001, "Ensure this value has at most 5000"),
]


@pytest.mark.parametrize(("field", "typed", "said"), WRONG, ids=[f"{field} {typed[:8]!r}" for field, typed, _ in WRONG])
def test_what_is_wrong_is_named_at_its_field_and_nothing_typed_is_lost(page, address, field, typed, said):
    sent = form_of({}, **{"attack_hours_min": "4", "sleep_position": "on the left side", field: typed})

    answer = page.post(address, sent)

    assert answer.status_code == 400
    form = answer.context["form"]
    assert list(form.errors) == [field]
    assert said in form.errors[field][0]
    assert form[field].value() == ([typed] if field == "triggers" else typed)
    assert form["sleep_position"].value() == "on the left side"
    assert not Intake.objects.exists()


def test_a_form_without_its_rows_is_an_error_and_not_a_fault(page, address):
    assert page.post(address, {"version": "0"}).status_code == 400
    assert page.post(address, form_of({}, version="x")).status_code == 400


def test_two_who_save_at_once_do_not_overwrite_each_other(page, address, patient):
    intake.record(patient, {"lifetime_attacks": 5}, by=None, by_whom="test")

    answer = page.post(address, form_of({}, version=0, lifetime_attacks="7"))

    assert answer.status_code == 409
    assert Intake.objects.get().answers == {"lifetime_attacks": 5}
    assert answer.context["form"]["lifetime_attacks"].value() == "7"
    assert answer.context["version"] == 1  # saving again is a decision
    assert page.post(address, form_of({}, version=1, lifetime_attacks="7")).status_code == 302
    assert Intake.objects.get().answers == {"lifetime_attacks": 7}


def test_saved_by_itself_it_answers_with_the_state_and_what_follows(page, address):
    by_itself = {"HTTP_X_SAVE": "autosave"}

    saved = page.post(address, form_of({}, lifetime_attacks="5"), **by_itself).content.decode()
    failed = page.post(address, form_of({}, version=1, lifetime_attacks="x"), **by_itself).content.decode()
    stale = page.post(address, form_of({}, version=0, lifetime_attacks="9"), **by_itself).content.decode()

    assert 'id="intake-version" value="1"' in saved
    assert "Attacks so far, in all: Give a whole number." in failed
    assert "Not saved" in stale
    assert "intake-version" not in stale  # the page stays stale: nothing is overwritten unseen
    assert Intake.objects.get().answers == {"lifetime_attacks": 5}


def test_hostile_text_is_shown_as_text(page, address):
    page.post(address, form_of({}, occupation="<script>alert(1)</script>{{7*7}}"))

    shown = page.get(address).content.decode()

    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in shown


def test_neither_a_signed_evaluation_nor_its_copy_of_the_answers_changes(page, address, answered, patient, chiro):
    history_taking.confirm(answered, {"lifetime_attacks": 5}, version=0, by=chiro.user)
    signing.sign(answered, by=chiro.user)

    refused = page.post(address, form_of({}, version=1, lifetime_attacks="9"))
    intake.record(patient, {"lifetime_attacks": 50}, by=None, by_whom="patient")
    shown = page.get(address)

    assert refused.status_code == 409
    assert signing.is_intact(answered)
    assert history_taking.confirmed(answered) == {"lifetime_attacks": 5}
    assert [line.value for _, lines in shown.context["told"] for line in lines] == ["5"]
    assert b'name="lifetime_attacks"' not in shown.content


def test_what_is_confirmed_is_part_of_what_is_signed(answered, chiro):
    history_taking.confirm(answered, {"lifetime_attacks": 5}, version=0, by=chiro.user)
    before = signing.canonical(signing.sign(answered, by=chiro.user))
    answered.intake = {**answered.intake, "answers": {"lifetime_attacks": 6}}

    assert signing.canonical(answered) != before


def test_an_intake_not_gone_through_is_said_before_signing(answered, chiro):
    assert "intake" in {one.part for one in signing.missing(answered)}
    history_taking.confirm(answered, {}, version=0, by=chiro.user)
    assert "intake" not in {one.part for one in signing.missing(answered)}


# --- flags that follow from what is told


@pytest.mark.parametrize(
    ("answers", "raised"),
    [
        ({"acute_medication_days_month": {"simple": 14}}, []),
        (OVERUSE, ["rf_painkiller"]),
        ({"acute_medication_days_month": {"triptan": 10}}, ["rf_painkiller"]),
        ({"headache_onset_age": 30}, []),
    ],
)
def test_painkiller_days_raise_their_caution_over_a_no(answered, patient, chiro, answers, raised):
    history_taking.confirm(answered, answers, version=0, by=chiro.user)

    assert [event.code for event in red_flags.open_events(patient)] == raised


@pytest.mark.parametrize(("onset", "raised"), [(49, []), (50, ["rf_older_onset"])])
def test_a_first_headache_from_fifty_on_raises_its_flag(atlanta, chiro, elder, onset, raised):
    evaluation = recording.start(patient=elder, location=atlanta, by=chiro.user)

    history_taking.confirm(evaluation, {"headache_onset_age": onset}, version=0, by=chiro.user)

    assert [event.code for event in red_flags.open_events(elder)] == raised


def test_what_the_patient_told_before_raises_its_flag_when_the_evaluation_begins(atlanta, chiro, patient):
    intake.record(patient, OVERUSE, by=None, by_whom="patient")

    recording.start(patient=patient, location=atlanta, by=chiro.user)

    assert [event.code for event in red_flags.open_events(patient)] == ["rf_painkiller"]


def test_the_flag_is_raised_once_an_evaluation(answered, patient, chiro):
    history_taking.confirm(answered, OVERUSE, version=0, by=chiro.user)
    [event] = red_flags.open_events(patient)
    why = "Spoken about with the prescriber."
    red_flags.resolve(event, resolution="acknowledged_no_change", rationale=why, by=chiro.user)

    history_taking.confirm(answered, {"nprs_usual": 3}, version=1, by=chiro.user)

    assert red_flags.open_events(patient) == []


# --- in words and over the API


def test_every_entity_says_what_it_rests_on():
    shown = {entity.code: entity for entity in intake_page.entities({**MIGRAINE, "pulsating": None}, age=30)}

    assert shown["1.1"].verdict == "unknown"
    assert ("Five attacks or more", "met") in shown["1.1"].conditions
    told = {one.label: one.value for one in shown["1.1"].inputs}
    assert told["Throbbing or pulsating"] == "not answered"
    assert told["Shortest attack"] == "4 hours"
    assert told["On one side of the head"] == "yes"
    assert all(entity.inputs for entity in shown.values())


def test_the_page_counts_the_signs_of_the_neck_and_scores_nothing(page, address):
    page.post(
        address, form_of({}, **{"neck_indicators.neck_stiff_before": "yes", "neck_indicators.radiates_forward": "no"})
    )

    shown = page.get(address).content.decode()

    assert '<strong class="numbers">1 of 13</strong> signs of the neck present, 11 not known' in shown
    assert "score" not in shown.replace("not scored", "").replace("_score", "").lower()


def test_the_api_confirms_the_intake_and_answers_with_the_entities(api, chiro, evaluation):
    address = f"/api/v1/evaluations/{evaluation.pk}/intake/"
    client = api(chiro.user)

    answer = client.put(address, {"version": 0, "answers": MIGRAINE}, format="json")

    assert answer.status_code == 200
    entities = {entity["code"]: entity for entity in answer.json()["entities"]}
    assert entities["1.1"]["met"] is True
    assert entities["1.1"]["inputs"]["lifetime_attacks"] == 5
    assert entities["11.2.1"]["met"] is None
    assert answer.json()["neck_indicators"]["of"] == 13
    assert client.get(address).json() == answer.json()
    assert client.put(address, {"version": 0, "answers": {}}, format="json").status_code == 409
    wrong = client.put(address, {"version": 1, "answers": {"aura": {"minutes_each": -1}}}, format="json")
    assert (wrong.status_code, wrong.json()["fields"]) == (400, {"aura.minutes_each": "Give 0 or more."})


@pytest.mark.parametrize("answers", [[], "x", None, 5, {"no_such": 1}])
def test_the_api_refuses_what_is_no_set_of_answers(api, chiro, evaluation, answers):
    address = f"/api/v1/evaluations/{evaluation.pk}/intake/"
    assert api(chiro.user).put(address, {"version": 0, "answers": answers}, format="json").status_code == 400


def test_the_rule_names_a_version_that_is_none(evaluation, chiro):
    with pytest.raises(RuleBroken) as refused:
        history_taking.confirm(evaluation, {"lifetime_attacks": 5}, version="1", by=chiro.user)
    assert refused.value.fields == {"version": "Give the version that was read."}


@pytest.mark.parametrize(("total", "wrong"), [(20, False), (19, True), (0, True), (None, False)])
def test_all_days_of_medicine_are_not_fewer_than_those_of_one_kind(total, wrong):
    answers = {"acute_medication_days_month": {"simple": 20, "triptan": None}, "total_acute_days_month": total}

    assert set(intake.faults(answers)) == ({"$.total_acute_days_month"} if wrong else set())


def test_the_clock_of_the_history_runs_on_its_page_and_only_forward(page, address, evaluation):
    page.post(address, form_of({}, lifetime_attacks="5", seconds="540"))
    evaluation.refresh_from_db()
    assert evaluation.section_seconds == {"history": 540}
    for older in ("30", "", "x", "9" * 9):
        page.post(address, form_of({"lifetime_attacks": 5}, version=1, seconds=older))
    evaluation.refresh_from_db()
    assert evaluation.section_seconds == {"history": 540}
    shown = page.get(address).content.decode()
    assert 'id="history-clock" data-seconds="540" data-budget="720"' in shown
    assert ">9:00</span> / 12 min" in shown


def test_the_examination_counts_the_intake_and_its_clock_among_the_parts(page, evaluation, address):
    at = reverse("evaluation", args=[evaluation.pk])
    assert 'data-missing="history">1<' in page.get(at).content.decode()
    page.post(address, form_of({}, lifetime_attacks="5", seconds="780"))
    shown = page.get(at).content.decode()
    assert 'data-missing="history">done<' in shown
    assert 'data-clock="history" data-seconds="780" data-budget="720">13:00<' in shown
    assert '<a href="#part-history" data-to="history" class="is-over">' in shown
