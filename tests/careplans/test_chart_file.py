"""A plan in the chart file: with its diagnoses, referrals and how it ended."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from careplans import discharging
from careplans.models import CarePlan, Discharge
from patients.models import Patient
from tests import make
from tests.test_chart_files import CHARTS, bring_in, places, take_out  # noqa: F401 -- `places` is a fixture

pytestmark = pytest.mark.usefixtures("places")
DISCHARGE = {
    "reason": "plateau", "why": "No gain since June.", "pgic": 3, "residual": "Turns less to the left.",
    "home": "Chin tucks.\nA walk.", "return_if": "It comes back.", "summary_to": "Dr. Example",
    "at": "2026-09-01T10:30:00-04:00", "by": "DC-001",
    "measures": [{"metric": "hit6_total", "label": "HIT-6", "baseline": "64", "target": "58", "last": "59.5",
                  "on": "2026-08-30", "percent": 75, "unit": ""}],
}  # fmt: skip
LINES = {
    "diagnoses": ["M99.01 Segmental dysfunction, cervical", "G43.709 Chronic migraine"],
    "referrals": ["From Dr. Example, neurology."],
}


@pytest.fixture
def chart(tmp_path):
    """`chart(**changes)` is the path of chart C01 with these in its plan."""

    def write(**changes):
        said = json.loads(CHARTS["C01"].read_text(encoding="utf-8"))
        said["care_plan"] |= changes
        path = tmp_path / "chart.json"
        path.write_text(json.dumps(said), encoding="utf-8")
        return path

    return write


def plan_of(patient_id):
    return take_out(patient_id)["care_plan"]


def test_what_a_plan_ended_with_comes_back_as_it_went_in(chart, tmp_path):
    changes = {"status": "completed", "discharge": DISCHARGE, **LINES}
    given = json.loads(chart(**changes).read_text(encoding="utf-8"))["care_plan"]

    patient = bring_in(chart(**changes))

    assert plan_of(patient) == given
    plan = CarePlan.objects.get()
    assert (plan.status, plan.diagnoses, plan.referrals) == ("completed", LINES["diagnoses"], LINES["referrals"])
    kept = Discharge.objects.get()
    assert (kept.reason, kept.pgic, kept.home) == ("plateau", 3, "Chin tucks.\nA walk.")
    again = tmp_path / "again.json"
    again.write_text(json.dumps(take_out(patient)), encoding="utf-8")
    assert plan_of(bring_in(again)) == given


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "revoked", "discharge": DISCHARGE | {"reason": "safety", "at": "2026-09-01T14:30:00Z"}},
        {"status": "discontinued", "discharge": {"reason": "safety", "return_if": "Worse.",
                                                 "at": "2026-09-01T10:30:00-04:00"}},
        {"discharge": None}, {"diagnoses": None, "referrals": []}, {"restrictions": []}, {"goals": None},
        {"techniques": None, "adjuncts": None, "home_program": None},
        {"diagnoses": [{"code": "G43.709", "system": "ICD-10-CM"}], "outcome": {"result": "improved"}},
    ],
)  # fmt: skip
def test_what_is_said_in_another_way_comes_back_as_it_was_sent(chart, changes):
    back = plan_of(bring_in(chart(**changes)))

    assert {name: back[name] for name in changes if name != "discharge"} == {
        name: value for name, value in changes.items() if name != "discharge"
    }
    if given := changes.get("discharge"):
        assert {name: back["discharge"][name] for name in given} == given
    else:
        assert back.get("discharge") is None


def test_a_file_without_them_is_read_and_says_nothing_of_them(chart):
    back = plan_of(bring_in(chart()))

    assert set(back) & {*LINES, "discharge"} == set()
    assert (CarePlan.objects.get().diagnoses, Discharge.objects.count()) == ([], 0)


def test_a_discharge_that_was_written_here_comes_back_the_same(chart, owner, tmp_path):
    patient = bring_in(chart(status="active", start_date="2026-10-01", **LINES))
    said = {name: DISCHARGE[name] for name in ("reason", "why", "pgic", "residual", "home", "return_if", "summary_to")}
    clinician = make.practitioner(CarePlan.objects.get().location, name="Robin Sample").user
    discharging.discharge(CarePlan.objects.get(), by=clinician, **said)

    first = take_out(patient)
    again = tmp_path / "again.json"
    again.write_text(json.dumps(first), encoding="utf-8")

    assert take_out(bring_in(again)) == first
    written = first["care_plan"]["discharge"]
    assert {name: written[name] for name in said} == said
    assert (written["by"], len(written["measures"])) == ("Robin Sample", CarePlan.objects.first().goals.count())


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"diagnoses": ["Migraine"]}, "$.care_plan.diagnoses[0]"),
        ({"diagnoses": ["G43.709", "M99.01 a\u202eb"]}, "$.care_plan.diagnoses[1]"),
        ({"referrals": ["x" * 201]}, "$.care_plan.referrals[0]"),
        ({"referrals": ["x"] * 13}, "$.care_plan.referrals"),
        ({"diagnoses": "G43.709"}, "$.care_plan.diagnoses"),
        ({"status": "active", "discharge": DISCHARGE}, "$.care_plan.discharge"),
        ({"discharge": DISCHARGE | {"reason": "bored"}}, "$.care_plan.discharge.reason"),
        ({"discharge": DISCHARGE | {"pgic": 8}}, "$.care_plan.discharge.pgic"),
        ({"discharge": DISCHARGE | {"at": "2026-09-01T10:30:00"}}, "$.care_plan.discharge.at"),
        ({"discharge": DISCHARGE | {"return_if": ""}}, "$.care_plan.discharge.return_if"),
        ({"discharge": DISCHARGE | {"why": "a\nb"}}, "$.care_plan.discharge.why"),
        ({"discharge": DISCHARGE | {"mood": "good"}}, "$.care_plan.discharge.mood"),
        ({"discharge": {"reason": "safety"}}, "$.care_plan.discharge.at"),
        ({"discharge": DISCHARGE | {"measures": [{"metric": "luck", "baseline": "1", "target": "2"}]}},
         "$.care_plan.discharge.measures[0].metric"),
        ({"discharge": DISCHARGE | {"measures": [DISCHARGE["measures"][0] | {"on": "2026-02-30"}]}},
         "$.care_plan.discharge.measures[0].on"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path_and_nothing_is_brought_in(chart, changes, fault):
    with pytest.raises(CommandError) as refused:
        call_command("import_chart", str(chart(**{"status": "completed"} | changes)), stdout=StringIO())

    assert fault in str(refused.value)
    assert not Patient.objects.exists()


def test_what_was_changed_here_is_not_hidden_by_what_the_file_said(chart):
    given = {"diagnoses": None, "phases": ["relief"], "frequency": [{"per_week": 1, "weeks": 4}] * 2}
    patient = bring_in(chart(**given))
    plan = CarePlan.objects.get()
    assert plan_of(patient)["phases"] == ["relief"]

    plan.version, plan.diagnoses = 2, LINES["diagnoses"]
    plan.save()

    back = plan_of(patient)
    assert (back["diagnoses"], back["phases"]) == (LINES["diagnoses"], ["relief", "relief"])
