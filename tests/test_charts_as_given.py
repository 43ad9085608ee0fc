"""A chart file is given back as it was, or refused whole with the path of what cannot be kept."""

import json
from copy import deepcopy

import pytest

from clinic import chart_files, times
from clinic.errors import RuleBroken
from evaluations import recording, signing
from evaluations.safety import red_flags
from patients.models import Patient
from tests import make
from tests.test_chart_files import CHARTS, without_results

HEADER = ("baseline", "evaluation")
REFUSED = {"status": "refused", "value": None, "reason": "Does not want it"}
ADDENDUM = {"text": "More", "reason": "Forgotten", "by": "DC-001", "at": "2026-03-04T14:00:00Z"}


@pytest.fixture
def chart(atlanta):
    return json.loads(CHARTS["C01"].read_text(encoding="utf-8"))


def put(chart, path, value):
    node = chart
    *above, last = path
    for step in above:
        node = node[step]
    node[last] = value
    return chart


def paths_of(chart) -> set[str]:
    """The paths for which the chart is refused; nothing of it is there afterwards."""
    with pytest.raises(RuleBroken) as refused:
        chart_files.bring_in(chart)
    assert not Patient.objects.exists()
    return set(refused.value.fields)


def comes_back(chart):
    given = without_results(deepcopy(chart))
    patient = chart_files.bring_in(chart)
    exported = without_results(chart_files.take_out(patient))
    assert only(exported, given) == given
    return patient


def only(exported, given):
    """What was exported under the names that were given; more may be added to them."""
    if isinstance(given, dict) and isinstance(exported, dict):
        return {name: only(exported[name], value) for name, value in given.items() if name in exported}
    if isinstance(given, list) and isinstance(exported, list) and len(given) == len(exported):
        return [only(one, value) for one, value in zip(exported, given, strict=True)]
    return exported


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("patient", "address", "line"), None),
        (("patient", "address"), None),
        (("patient", "phone"), "+1-404-555-0134"),
        (("patient", "sex"), None),
        (("patient", "guardians"), []),
        ((*HEADER, "addenda"), [ADDENDUM]),
        ((*HEADER, "vitals", "heart_rate"), {**REFUSED, "unit": "/min"}),
        ((*HEADER, "vitals", "heart_rate"), {**REFUSED, "unit": None}),
        ((*HEADER, "vitals", "heart_rate"), {"status": "not_assessed"}),
        ((*HEADER, "vitals", "heart_rate"), {"status": "assessed", "value": 70.0, "unit": "/min", "note": ""}),
        ((*HEADER, "neuro", "hoffmann"), REFUSED),
        (("baseline", "outcomes", "counts_origin"), "recall"),
        (("baseline", "outcomes", "counts_origin"), "paper"),
        (("baseline", "outcomes", "counts_origin"), None),
        (("baseline", "conclusion"), None),
        (("baseline", "conclusion"), "Two lines,\r\nand a\ttab"),
    ],
)
def test_what_is_said_in_another_way_comes_back_so(chart, path, value):
    comes_back(put(chart, path, value))


def test_a_changed_value_is_no_longer_as_it_was_given(chart, db):
    patient = comes_back(put(chart, ("patient", "phone"), "+1-404-555-0134"))
    patient.phone = "+14045550199"
    patient.save()

    assert chart_files.take_out(patient)["patient"]["phone"] == "+1 404 555 0199"


def test_a_true_is_no_one():
    assert chart_files.differences({"a": True}, {"a": 1}) == [[["a"], True, 1]]
    assert chart_files.differences({"a": 1.0}, {"a": 1}) == []


@pytest.mark.parametrize(
    ("part", "started_at", "good"),
    [
        ("reevaluation", "2026-03-03T09:00:00-05:00", True),  # the very time of the baseline
        ("reevaluation", "2026-03-03T08:59:59-05:00", False),
        ("baseline", "2030-03-04T09:00:00-05:00", False),
        ("baseline", "1991-11-13T09:00:00-05:00", False),
        ("baseline", "1991-11-14T09:00:00-05:00", True),
    ],
)
def test_evaluations_stand_in_the_order_of_time(chart, part, started_at, good):
    header = chart[part]["evaluation"]
    header |= {"started_at": started_at, "ended_at": started_at}
    header.pop("duration_minutes", None)
    if good:
        comes_back(chart)
    else:
        named = "reevaluation" if started_at.startswith("2030") else part
        assert f"$.{named}.evaluation.started_at" in paths_of(chart)


def test_the_far_future_is_refused(chart):
    del chart["reevaluation"]
    for years, good in ((2, False), (1, True)):
        day = times.now().replace(year=times.now().year + years)
        begun = times.local(day, "America/New_York").isoformat()
        header = {**chart["baseline"]["evaluation"], "started_at": begun, "ended_at": begun}
        header.pop("duration_minutes", None)
        chart["baseline"]["evaluation"] = header
        if good:
            comes_back(chart)
        else:
            assert paths_of(chart) == {"$.baseline.evaluation.started_at"}


def test_evaluations_between_stand_in_order_too(chart):
    between = deepcopy(chart["baseline"])
    between["evaluation"] |= {"started_at": "2026-03-02T09:00:00-05:00", "ended_at": "2026-03-02T09:50:00-05:00"}
    between["evaluation"].pop("duration_minutes", None)
    chart["further_evaluations"] = [between]

    assert paths_of(chart) == {"$.further_evaluations[0].evaluation.started_at"}


@pytest.mark.parametrize("missing", ["baseline", "reevaluation"])
def test_each_evaluation_has_its_place(chart, missing):
    chart["further_evaluations"] = [deepcopy(chart["baseline"])]
    chart[missing] = None

    assert f"$.{missing}" in paths_of(chart)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"ended_at": "2026-03-03T08:59:00-05:00"}, "ended_at"),
        ({"ended_at": "2026-03-04T09:00:01-05:00"}, "ended_at"),
        ({"status": "in_progress", "ended_at": None, "addenda": [ADDENDUM]}, "addenda"),
        ({"status": "stopped_red_flag", "signed": False, "addenda": [ADDENDUM]}, "addenda"),
        ({"signed": False}, "signed"),
        ({"signed": True}, "signed"),
        ({"examiner": "\ud800"}, "examiner"),
        ({"started_at": "9999-12-31T23:00:00-05:00"}, "started_at"),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, "started_at"),
    ],
)
def test_what_cannot_be_is_refused_at_its_path(chart, changes, path):
    header = chart["baseline"]["evaluation"]
    header.pop("duration_minutes", None)
    header |= changes

    assert paths_of(chart) == {f"$.baseline.evaluation.{path}"}


@pytest.mark.parametrize("ended", ["2026-03-03T09:00:00-05:00", "2026-03-04T09:00:00-05:00"])
def test_an_evaluation_lasts_from_no_time_to_a_day(chart, ended):
    header = chart["baseline"]["evaluation"]
    header.pop("duration_minutes", None)
    header["ended_at"] = ended

    comes_back(chart)


def test_stopped_and_not_signed_stays_so(chart):
    del chart["reevaluation"]
    chart["baseline"]["evaluation"] |= {"status": "stopped_red_flag", "signed": False}

    [evaluation] = comes_back(chart).evaluations.all()

    assert evaluation.status == evaluation.Status.STOPPED
    assert not evaluation.is_signed


def test_stopped_here_and_not_signed_is_not_signed_elsewhere(atlanta, chiro, patient):
    evaluation = recording.start(patient=patient, location=atlanta, by=chiro.user)
    red_flags.stop(evaluation, by=chiro.user)

    exported = chart_files.take_out(patient)
    [other] = chart_files.bring_in(exported).evaluations.all()

    assert exported["baseline"]["evaluation"]["signed"] is False
    assert not other.is_signed
    signing.sign(evaluation, by=chiro.user)
    assert "signed" not in chart_files.take_out(patient)["baseline"]["evaluation"]


def test_an_evaluation_of_no_length_goes_out_and_in(atlanta, chiro, patient):
    with times.as_of(times.now()):
        evaluation = recording.start(patient=patient, location=atlanta, by=chiro.user)
        red_flags.stop(evaluation, by=chiro.user)
        signing.sign(evaluation, by=chiro.user)

    exported = chart_files.take_out(patient)

    assert chart_files.take_out(chart_files.bring_in(exported))["baseline"] == exported["baseline"]


def test_counts_taken_here_go_out_with_their_origin(atlanta, chiro, patient):
    evaluation = recording.start(patient=patient, location=atlanta, by=chiro.user)
    counted = {"headache_days_28": 9, "counts_origin": "diary"}
    recording.save(evaluation, findings=[], version=evaluation.version, by=chiro.user, outcomes=counted)

    exported = chart_files.take_out(patient)

    assert exported["baseline"]["outcomes"]["counts_origin"] == "diary"
    [other] = chart_files.bring_in(exported).evaluations.all()
    assert other.measures["counts_origin"] == "diary"


def test_who_observed_it_then_did_not_observe_it_again(chart, chiro, atlanta):
    del chart["reevaluation"]
    chart["baseline"]["evaluation"]["vitals"]["heart_rate"]["observer"] = "A student"
    put(chart, ("baseline", "evaluation", "status"), "amended")
    patient = comes_back(chart)
    patient.locations.add(atlanta)
    again = recording.start(patient=patient, location=atlanta, by=chiro.user)
    recording.save(again, findings=[{"code": "heart_rate", "value": 66}], version=again.version, by=chiro.user)

    exported = chart_files.take_out(patient)

    assert exported["baseline"]["evaluation"]["vitals"]["heart_rate"]["observer"] == "A student"
    assert "observer" not in exported["reevaluation"]["evaluation"]["vitals"]["heart_rate"]
    third = recording.start(patient=patient, location=atlanta, by=chiro.user)
    assert chart_files.take_out(patient)["baseline"]["evaluation"]["status"] == "amended"
    assert third.status == "in_progress"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (("title",), "$.title"),
        (("baseline", "conclusion"), "$.baseline.conclusion"),
        (("intake", "occupation"), "$.intake.occupation"),
        (("patient", "given", 0), "$.patient.given[0]"),
        ((*HEADER, "vitals", "heart_rate", "observer"), "$.baseline.evaluation.vitals.heart_rate.observer"),
        ((*HEADER, "vitals", "heart_rate", "note"), "$.baseline.evaluation.vitals.heart_rate.note"),
    ],
)
@pytest.mark.parametrize("text", ["\x00", "a\ud800b", "\x1b[2J", "\x00\ud800"])
def test_text_that_no_database_takes_is_refused_at_its_path(chart, path, named, text):
    assert paths_of(put(chart, path, text)) == {named}


def test_a_name_of_a_field_is_text_too(chart):
    chart["patient"]["a\ud800"] = 1

    assert paths_of(chart) == {"$.patient.'a\\ud800'"}


def test_a_diary_beyond_all_calendars_is_refused(chart):
    chart["diary"]["entries"][0]["onset_at"] = "9999-12-31T23:59:00-05:00"

    assert paths_of(chart) == {"$.diary.entries[0].onset_at"}


@pytest.mark.parametrize("between", [None, 1, "x", []])
def test_an_evaluation_between_is_one(chart, between):
    chart["further_evaluations"] = [between]

    assert paths_of(chart) == {"$.further_evaluations[0]"}


@pytest.fixture
def patient(atlanta):
    return make.patient(atlanta)
