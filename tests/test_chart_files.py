"""Whole charts in and out: what comes out is what went in, and every derived result is the one worked out by hand."""

import json
from copy import deepcopy
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from careplans import planning
from clinic import chart_files
from clinic.errors import RuleBroken
from evaluations import compare_page, demo, recording, results, signing, summary
from evaluations.entry import entry_page
from evaluations.safety import red_flags
from patients.models import Patient
from tests import make

CHARTS = {path.stem: path for path in sorted(demo.CHARTS.glob("*.json"))}
ZONES = {"nashville": "America/Chicago"}


@pytest.fixture
def places(db):
    for slug in ("atlanta", "raleigh", "charlotte", "nashville", "chattanooga", "augusta"):
        make.location(slug, ZONES.get(slug, "America/New_York"))


def bring_in(path) -> int:
    said = StringIO()
    call_command("import_chart", str(path), stdout=said)
    return int(said.getvalue().split()[-1])


def take_out(patient_id) -> dict:
    said = StringIO()
    call_command("export_chart", str(patient_id), stdout=said)
    return json.loads(said.getvalue())


def without_results(node):
    if isinstance(node, dict):
        return {name: without_results(value) for name, value in node.items() if name not in chart_files.RESULTS}
    return [without_results(one) for one in node] if isinstance(node, list) else node


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_comes_back_as_it_went_in(places, name):
    original = json.loads(CHARTS[name].read_text(encoding="utf-8"))
    exported = take_out(bring_in(CHARTS[name]))
    for part in without_results(original):
        assert without_results(exported[part]) == without_results(original[part]), part
    assert exported["derived"] == original["expected"]
    for entry, given in zip(exported["diary"]["entries"], original["diary"]["entries"], strict=True):
        assert entry.get("derived") == given.get("expected", entry.get("derived"))


def test_what_came_out_goes_in_again(places, tmp_path):
    first = take_out(bring_in(CHARTS["C06"]))
    again = tmp_path / "again.json"
    again.write_text(json.dumps(first), encoding="utf-8")
    assert take_out(bring_in(again)) == first


def written(tmp_path, **parts):
    """The path of chart C01 with these parts in place of its own; KeyError leaves a part out."""
    chart = json.loads(CHARTS["C01"].read_text(encoding="utf-8")) | parts
    path = tmp_path / "chart.json"
    path.write_text(json.dumps({name: part for name, part in chart.items() if part is not KeyError}), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["diary", "red_flags", "consents", "intake"])
def test_nothing_said_of_a_part_comes_back_as_nothing(places, tmp_path, name):
    exported = take_out(bring_in(written(tmp_path, **{name: None})))
    assert exported[name] is None
    assert take_out(bring_in(written(tmp_path, **{name: KeyError})))[name] is None
    again = take_out(bring_in(written(tmp_path, **exported)))
    assert again == exported


EMPTY = {"diary": {"windows": [], "entries": []}, "red_flags": {"answers": {}, "resolutions": {}}}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_part_comes_back_empty(places, tmp_path, name):
    assert take_out(bring_in(written(tmp_path, **{name: EMPTY[name]})))[name] == EMPTY[name]


def test_what_was_written_since_is_taken_out(places, tmp_path, owner):
    patient = Patient.objects.get(pk=bring_in(written(tmp_path, red_flags=None, baseline=None, reevaluation=None,
                                                      care_plan=None)))  # fmt: skip
    red_flags.answer(patient=patient, evaluation=None, answers={"rf_chiari": "no"}, by=make.practitioner(
        patient.home_location).user)  # fmt: skip

    assert take_out(patient.pk)["red_flags"] == {"answers": {"rf_chiari": "no"}, "resolutions": {}}


def test_an_evaluation_entered_in_error_comes_back_so_and_counts_for_nothing(places, tmp_path):
    chart = json.loads(CHARTS["C01"].read_text(encoding="utf-8"))
    chart["reevaluation"]["evaluation"]["status"] = "entered_in_error"
    path = written(tmp_path, **chart)

    patient = Patient.objects.get(pk=bring_in(path))
    exported = take_out(patient.pk)

    assert exported["reevaluation"]["evaluation"]["status"] == "entered_in_error"
    assert without_results(exported["reevaluation"]) == without_results(chart["reevaluation"])
    sound, wrong = patient.evaluations.order_by("started_at")
    assert (sound.is_in_force, wrong.is_in_force, signing.is_intact(wrong)) == (True, False, True)
    assert list(patient.evaluations.in_force()) == [sound]
    by = make.practitioner(patient.home_location).user
    now = recording.start(patient=patient, location=patient.home_location, by=by)
    assert entry_page.last_signed(now) == sound
    assert "entered_in_error" not in {one.status for one in compare_page.context(now)["history"]}
    with pytest.raises(RuleBroken) as refused:
        planning.draft(evaluation=wrong, by=by, practitioner=by.practitioner, location=patient.home_location)
    assert refused.value.code == "evaluation_unsigned"
    assert exported["derived"]["baseline"] is not None
    assert (exported["derived"]["reevaluation"], exported["derived"]["change"]) == (None, None)


def test_a_first_evaluation_in_error_is_the_baseline_of_nothing(places, tmp_path):
    chart = json.loads(CHARTS["C01"].read_text(encoding="utf-8"))
    chart["baseline"]["evaluation"]["status"] = "entered_in_error"
    derived = take_out(bring_in(written(tmp_path, **chart)))["derived"]
    assert (derived["baseline"], derived["change"]) == (None, None)
    assert derived["reevaluation"]["hit6_band"] == "some"


def test_a_first_evaluation_that_nobody_signed_is_the_baseline_of_nothing(places, tmp_path):
    chart = json.loads(CHARTS["C01"].read_text(encoding="utf-8"))
    chart["baseline"]["evaluation"] |= {"status": "in_progress", "ended_at": None, "duration_minutes": None}
    derived = take_out(bring_in(written(tmp_path, **chart)))["derived"]
    assert derived["change"] is None
    assert derived["reevaluation"] == chart["expected"]["reevaluation"]


def test_a_file_and_the_page_call_the_same_patient_established(places):
    chart = json.loads(CHARTS["C01"].read_text(encoding="utf-8"))
    chart["baseline"]["evaluation"]["kind"] = "reevaluation"
    leg = {"status": "assessed", "value": 4.0, "unit": "mm", "direction": "right"}
    chart["baseline"]["evaluation"]["alignment"]["leg_length_inequality"] = leg
    patient = chart_files.bring_in(chart)
    first = patient.evaluations.earliest("started_at")
    found = results.of(first.findings.all(), first.measures, summary.who(first))["results"]
    assert next(line["says"] for line in found if line["code"] == "lli") == "yes"
    assert chart_files.take_out(patient)["derived"]["baseline"]["lli_flag"] is True


def test_a_chart_brought_in_is_signed_and_intact(places):
    patient = Patient.objects.get(pk=bring_in(CHARTS["C07"]))
    evaluations = list(patient.evaluations.all())
    assert len(evaluations) == 2
    assert all(signing.is_intact(one) for one in evaluations)
    assert {one.signed_by.full_name for one in evaluations} == {"DC-007"}
    assert not any(one.signed_by.is_active for one in evaluations)


def changed(name, path, value):
    chart = json.loads(CHARTS[name].read_text(encoding="utf-8"))
    node = chart
    *above, last = path
    for step in above:
        node = node[step]
    if value is KeyError:
        del node[last]
    else:
        node[last] = value
    return chart


def added(at):
    return {"text": "A word more.", "reason": "Left out.", "at": at}


LISTING = ("baseline", "evaluation", "alignment", "listing_c1", "value")
ADDED = "$.baseline.evaluation.addenda"
SYSTOLIC = ("baseline", "evaluation", "vitals", "bp", "left", "systolic")


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("patient", "birth_date"), "2026-02-30", "$.patient.birth_date"),
        (("patient", "birth_date"), KeyError, "$.patient.birth_date"),
        (("patient", "birth_date"), "2999-01-01", "$.patient.birth_date"),
        (("patient", "given"), [], "$.patient.given"),
        (("patient", "given"), ["A\x00"], "$.patient.given[0]"),
        (("patient", "email"), "nobody", "$.patient.email"),
        (("patient", "phone"), "12", "$.patient.phone"),
        (("patient", "home_location"), "atlantis", "$.patient.home_location"),
        (("patient", "sex"), "f", "$.patient.sex"),
        (("surprise",), 1, "$.surprise"),
        (("intake", "lifetime_attacks"), -1, "$.intake.lifetime_attacks"),
        (("intake", "lifetime_attacks"), "many", "$.intake.lifetime_attacks"),
        (("intake", "attack_hours_max"), 1, "$.intake.attack_hours_max"),
        (("intake", "recall_migraine_days_month"), 20, "$.intake.recall_migraine_days_month"),
        (("intake", "headache_onset_age"), 80, "$.intake.headache_onset_age"),
        (("intake", "neck_indicators", "nose"), "yes", "$.intake.neck_indicators.nose"),
        (("intake", "unilateral"), "perhaps", "$.intake.unilateral"),
        (("red_flags", "answers", "rf_thunderclap"), "maybe", "$.red_flags.answers.rf_thunderclap"),
        (("red_flags", "answers", "rf_none"), "no", "$.red_flags.answers.rf_none"),
        (("consents", "date"), "yesterday", "$.consents.date"),
        ((*SYSTOLIC, "value"), 400, "$.baseline.evaluation.vitals.bp.left.systolic.value"),
        ((*SYSTOLIC, "value"), "120", "$.baseline.evaluation.vitals.bp.left.systolic.value"),
        ((*SYSTOLIC, "value"), None, "$.baseline.evaluation.vitals.bp.left.systolic.value"),
        ((*SYSTOLIC, "status"), "done", "$.baseline.evaluation.vitals.bp.left.systolic.status"),
        ((*SYSTOLIC, "status"), "refused", "$.baseline.evaluation.vitals.bp.left.systolic.reason"),
        ((*SYSTOLIC, "unit"), "kPa", "$.baseline.evaluation.vitals.bp.left.systolic.unit"),
        ((*SYSTOLIC, "mood"), "good", "$.baseline.evaluation.vitals.bp.left.systolic.mood"),
        ((*SYSTOLIC, "value"), 60, "$.baseline.evaluation.vitals.bp.left"),
        (("baseline", "evaluation", "vitals", "aura"), {"status": "assessed"}, "$.baseline.evaluation.vitals.aura"),
        (("baseline", "evaluation", "posture"), 3, "$.baseline.evaluation.posture"),
        (("baseline", "evaluation", "location"), "atlantis", "$.baseline.evaluation.location"),
        (("baseline", "evaluation", "timezone"), "America/Chicago", "$.baseline.evaluation.timezone"),
        (("baseline", "evaluation", "started_at"), "2026-03-03T09:00:00", "$.baseline.evaluation.started_at"),
        (("baseline", "evaluation", "started_at"), "2026-03-03T09:00:00-04:00", "$.baseline.evaluation.started_at"),
        (("baseline", "evaluation", "ended_at"), "2026-03-03T08:00:00-05:00", "$.baseline.evaluation.ended_at"),
        (("baseline", "evaluation", "duration_minutes"), 5, "$.baseline.evaluation.duration_minutes"),
        (("baseline", "evaluation", "addenda"), [added("1990-01-01T09:00:00-05:00")], f"{ADDED}[0].at"),
        (("baseline", "evaluation", "addenda"), [added("2090-01-01T09:00:00-05:00")], f"{ADDED}[0].at"),
        (("baseline", "evaluation", "kind"), "first", "$.baseline.evaluation.kind"),
        (LISTING, "PSR", "$.baseline.evaluation.alignment.listing_c1"),
        (("baseline", "outcomes", "hit6_total"), 37, "$.baseline.outcomes.hit6_total"),
        (("baseline", "outcomes", "mood"), 3, "$.baseline.outcomes.mood"),
        (("baseline", "outcomes", "midas_items"), [90, 3, 0, 0, 0], "$.baseline.outcomes.midas_items"),
        (("diary", "windows", 0, "end"), "2026-01-01", "$.diary.windows[0].end"),
        (("diary", "entries", 0, "end"), "2026-02-10T06:00:00-05:00", "$.diary.entries[0].end"),
        (("diary", "entries", 0, "onset"), "2026-02-10T06:40:00-04:00", "$.diary.entries[0].onset"),
        (("diary", "entries", 0, "peak"), 11, "$.diary.entries[0].peak"),
        (("diary", "entries", 1, "date"), KeyError, "$.diary.entries[1]"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_whole_and_the_fault_named(places, path, value, fault):
    with pytest.raises(RuleBroken) as refused:
        chart_files.bring_in(changed("C01", path, value))
    assert any(where.startswith(fault) for where in refused.value.fields), refused.value.fields
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"restrictions": 5}, "restrictions"), ({"restrictions": True}, "restrictions"),
        ({"restrictions": "no_hvla"}, "restrictions"), ({"restrictions": {"a": 1}}, "restrictions"),
        ({"restrictions": [1]}, "restrictions[0]"), ({"restrictions": [["x"]]}, "restrictions[0]"),
        ({"restrictions": ["no_hvla", "no_fun"]}, "restrictions[1]"), ({"rationale": ["x"]}, "rationale"),
        ({"date": {"on": "Monday"}}, "date"),
    ],
)  # fmt: skip
def test_a_wrong_resolution_is_refused_and_its_field_named(places, said, fault):
    chart = json.loads(CHARTS["C01"].read_text(encoding="utf-8"))
    chart["red_flags"]["answers"]["rf_osteoporosis"] = "yes"
    chart["red_flags"]["resolutions"] = {"rf_osteoporosis": {"resolution": "acknowledged_modified", **said}}
    with pytest.raises(RuleBroken) as refused:
        chart_files.bring_in(chart)
    assert list(refused.value.fields) == [f"$.red_flags.resolutions.rf_osteoporosis.{fault}"]


def test_an_addendum_of_the_minute_of_signing_is_brought_in(places):
    ended = json.loads(CHARTS["C01"].read_text(encoding="utf-8"))["baseline"]["evaluation"]["ended_at"]

    patient = chart_files.bring_in(changed("C01", ("baseline", "evaluation", "addenda"), [added(ended)]))

    assert [one.text for one in patient.evaluations.last().addenda.all()] == ["A word more."]


def test_every_fault_is_named_at_once(places, tmp_path):
    chart = changed("C01", ("intake", "lifetime_attacks"), -1)
    chart["baseline"]["outcomes"]["hit6_total"] = 37
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(chart), encoding="utf-8")
    with pytest.raises(CommandError) as refused:
        call_command("import_chart", str(path))
    assert "$.intake.lifetime_attacks: Give 0 or more." in str(refused.value)
    assert "$.baseline.outcomes.hit6_total: This total cannot come about." in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"patient": 1, "patient": 2}', '{"id": NaN}', "[" * 100_000])
def test_what_is_no_chart_file_is_refused(db, text, tmp_path):
    path = tmp_path / "wrong.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match="chart file"):
        call_command("import_chart", str(path))


def test_an_acknowledgement_alone_leaves_an_emergency_open(places):
    chart = json.loads(CHARTS["C01"].read_text(encoding="utf-8"))
    chart["red_flags"] = deepcopy(chart["red_flags"])
    chart["red_flags"]["answers"]["rf_thunderclap"] = "yes"
    chart["red_flags"]["resolutions"] = {"rf_thunderclap": "acknowledged_no_change"}
    patient = chart_files.bring_in(chart)
    exported = chart_files.take_out(patient)
    assert exported["red_flags"]["resolutions"] == {"rf_thunderclap": "acknowledged_no_change"}
    assert exported["derived"]["care_plan_blocked_at_plan_activation"] is True
    assert [event.code for event in patient.red_flag_events.filter(resolved_at=None)] == ["rf_thunderclap"]


def test_a_chart_without_an_examination_goes_in_and_out(places):
    chart = {"patient": json.loads(CHARTS["C01"].read_text(encoding="utf-8"))["patient"]}
    exported = chart_files.take_out(chart_files.bring_in(chart))
    assert exported["patient"] == chart["patient"]
    assert exported["baseline"] is None
    assert exported["derived"]["migraine_without_aura_all_met"] is None


def test_nobody_is_no_chart(db):
    with pytest.raises(CommandError, match="no patient"):
        call_command("export_chart", "999")


def test_numbers_keep_their_digits(places):
    exported = take_out(bring_in(CHARTS["C01"]))
    original = json.loads(CHARTS["C01"].read_text(encoding="utf-8"), parse_float=Decimal)
    assert exported["baseline"]["evaluation"]["posture"]["craniovertebral_angle"]["value"] == float(
        original["baseline"]["evaluation"]["posture"]["craniovertebral_angle"]["value"]
    )
