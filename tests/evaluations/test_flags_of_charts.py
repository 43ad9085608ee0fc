"""Red flags on their way through a chart file: what is stopped here is stopped wherever the file is brought in."""

import pytest

from clinic import chart_files
from evaluations import catalogue, recording
from evaluations.safety import red_flags, restrictions
from tests import make
from tests.evaluations.conftest import read_chart

CRISIS = [
    {"code": "bp_systolic", "qualifiers": {"side": "left"}, "value": 200},
    {"code": "bp_diastolic", "qualifiers": {"side": "left"}, "value": 110},
]
WHY = "Discussed with the patient at length."


def open_codes(patient):
    return sorted(event.code for event in red_flags.blocks_care(patient))


def sent_elsewhere(patient):
    """The patient's chart, and the patient it becomes when it is brought in."""
    chart = chart_files.take_out(patient)
    return chart, chart_files.bring_in(chart)


def ask(evaluation, chiro, **answers):
    red_flags.answer(patient=evaluation.patient, evaluation=evaluation, answers=answers, by=chiro.user)


def test_what_was_measured_here_stops_care_there(answered, save, patient):
    save(*CRISIS, version=answered.version)

    chart, other = sent_elsewhere(patient)

    assert chart["derived"]["red_flags_positive"] == ["rf_bp_crisis", "rf_hypertension"]
    assert chart["derived"]["care_plan_blocked_at_screen"] is True
    assert chart["derived"]["care_plan_blocked_at_plan_activation"] is True
    assert open_codes(other) == open_codes(patient) == ["rf_bp_crisis", "rf_hypertension"]


@pytest.mark.parametrize(
    ("said", "exported", "is_open"),
    [
        (["no", "yes"], "yes", True),
        (["yes", "no"], "yes", True),
        (["unknown", "yes"], "yes", True),
        (["no", "unknown"], "unknown", True),
        (["unknown", "no"], "no", False),
        (["declined", "unknown"], "unknown", True),
    ],
)
def test_a_yes_outlives_every_no_and_else_the_last_answer_counts(answered, chiro, patient, said, exported, is_open):
    for given in said:
        ask(answered, chiro, rf_ataxia=given)

    chart, other = sent_elsewhere(patient)

    assert chart["red_flags"]["answers"]["rf_ataxia"] == exported
    assert chart["derived"]["care_plan_blocked_at_plan_activation"] is is_open
    assert open_codes(other) == open_codes(patient) == (["rf_ataxia"] if is_open else [])


def test_a_flag_of_the_next_evaluation_goes_along(answered, atlanta, chiro, patient):
    again = recording.start(patient=patient, location=atlanta, by=chiro.user)
    ask(again, chiro, rf_chiari="yes")

    chart, other = sent_elsewhere(patient)

    assert chart["derived"]["red_flags_positive"] == ["rf_chiari"]
    assert open_codes(other) == ["rf_chiari"]


def test_a_flag_told_again_after_it_was_closed_is_open(answered, atlanta, chiro, patient):
    ask(answered, chiro, rf_minor="yes")
    [event] = red_flags.open_events(patient)
    red_flags.resolve(event, resolution="acknowledged_no_change", by=chiro.user, rationale=WHY)
    closed, _ = sent_elsewhere(patient)
    again = recording.start(patient=patient, location=atlanta, by=chiro.user)
    ask(again, chiro, rf_minor="yes")

    chart, other = sent_elsewhere(patient)

    resolved = {"resolution": "acknowledged_no_change", "rationale": WHY, "restrictions": []}
    assert closed["red_flags"]["resolutions"] == {"rf_minor": resolved}
    assert closed["derived"]["care_plan_blocked_at_plan_activation"] is False
    assert chart["red_flags"]["resolutions"] == {}
    assert chart["derived"]["care_plan_blocked_at_plan_activation"] is True
    assert open_codes(other) == ["rf_minor"]


def test_what_was_restricted_here_is_restricted_there(answered, chiro, patient):
    ask(answered, chiro, rf_osteoporosis="yes")
    [event] = red_flags.open_events(patient)
    red_flags.resolve(
        event, resolution="acknowledged_modified", by=chiro.user, rationale=WHY, restrictions=["no_hvla", "no_xray"]
    )

    _, other = sent_elsewhere(patient)

    assert open_codes(other) == []
    assert restrictions.of(other) == restrictions.of(patient) == ["no_hvla", "no_xray"]
    [there] = other.red_flag_events.all()
    assert there.rationale == WHY


@pytest.fixture
def raleigh(db):
    return make.location("raleigh", "America/New_York")


@pytest.fixture
def told_no(atlanta, raleigh):
    """The chart of a patient who answered no to everything."""
    chart = read_chart("C01")
    chart["red_flags"] = {"answers": dict.fromkeys(catalogue.RED_FLAGS, "no"), "resolutions": {}}
    return chart


def with_pressure(chart, systolic, part="baseline"):
    pressure = {"status": "assessed", "value": systolic, "unit": "mm[Hg]"}
    chart[part]["evaluation"]["vitals"]["bp"]["left"]["systolic"] = pressure
    return chart


@pytest.mark.parametrize("part", ["baseline", "reevaluation"])
@pytest.mark.parametrize(
    ("systolic", "raised"),
    [(139, []), (140, ["rf_hypertension"]), (179, ["rf_hypertension"]), (180, ["rf_bp_crisis", "rf_hypertension"])],
)
def test_the_values_of_a_chart_brought_in_raise_their_flags(told_no, systolic, part, raised):
    chart = with_pressure(told_no, systolic, part)

    patient = chart_files.bring_in(chart)

    assert open_codes(patient) == raised
    exported, other = sent_elsewhere(patient)
    assert exported["red_flags"] == chart["red_flags"]  # as its file said; the values say the rest
    assert open_codes(other) == raised


def test_what_the_file_says_of_a_measured_flag_closes_it(told_no):
    chart = with_pressure(told_no, 150)
    chart["red_flags"]["resolutions"] = {"rf_hypertension": "acknowledged_no_change"}

    patient = chart_files.bring_in(chart)

    assert open_codes(patient) == []
    assert chart_files.take_out(patient)["red_flags"] == chart["red_flags"]


def test_not_knowing_is_answered_by_the_value(told_no):
    chart = with_pressure(told_no, 150)
    chart["red_flags"]["answers"]["rf_hypertension"] = "unknown"
    chart["red_flags"]["resolutions"] = {"rf_hypertension": "acknowledged_unanswered"}

    patient = chart_files.bring_in(chart)

    [event] = red_flags.open_events(patient)
    assert (event.code, event.answer) == ("rf_hypertension", "yes")
    assert chart_files.take_out(patient)["red_flags"] == chart["red_flags"]


def test_a_yes_of_the_file_is_not_asked_again_by_its_values(told_no):
    chart = with_pressure(with_pressure(told_no, 150), 155, "reevaluation")
    chart["red_flags"]["answers"]["rf_hypertension"] = "yes"
    chart["red_flags"]["resolutions"] = {"rf_hypertension": "acknowledged_no_change"}

    assert open_codes(chart_files.bring_in(chart)) == []


@pytest.mark.parametrize(("before", "now", "raised"), [("3", "3", []), ("5", "3", ["rf_multilevel_root"])])
def test_a_weakness_of_the_next_evaluation_is_new_or_was_there(told_no, before, now, raised):
    for part, grade in (("baseline", before), ("reevaluation", now)):
        told_no[part]["evaluation"]["neuro"]["myotome_strength"]["C5"]["left"]["value"] = grade
    if before == "3":  # it was new then
        told_no["red_flags"]["answers"]["rf_multilevel_root"] = "yes"
        told_no["red_flags"]["resolutions"] = {"rf_multilevel_root": "corrected"}

    assert open_codes(chart_files.bring_in(told_no)) == raised


def test_what_the_file_noted_of_a_no_closes_no_later_yes(told_no, chiro, atlanta):
    told_no["red_flags"]["resolutions"] = {"rf_chiari": "corrected"}
    patient = chart_files.bring_in(told_no)
    assert chart_files.take_out(patient)["red_flags"]["resolutions"] == {"rf_chiari": "corrected"}
    patient.locations.add(atlanta)
    ask(recording.start(patient=patient, location=atlanta, by=chiro.user), chiro, rf_chiari="yes")

    exported = chart_files.take_out(patient)

    assert "rf_chiari" not in exported["red_flags"]["resolutions"]
    assert exported["derived"]["care_plan_blocked_at_plan_activation"] is True
