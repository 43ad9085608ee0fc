import pytest

from clinic.errors import RuleBroken
from evaluations import catalogue, recording, red_flags, signing
from evaluations.models import Evaluation, RedFlagAnswer
from tests import make

DOCUMENT = {"name": "Dr. Outside", "date": "2027-01-04", "document": "letter.pdf"}
REFERRAL = {"destination": "Neurology", "reason": "Signs", "date": "2027-01-04", "how_sent": "fax"}
WHY = "Discussed with the patient at length."


@pytest.fixture
def ask(patient, evaluation, chiro):
    def act(**answers):
        return red_flags.answer(patient=patient, evaluation=evaluation, answers=answers, by=chiro.user)

    return act


def codes(events):
    return sorted(event.code for event in events)


def test_everything_blocks_until_it_was_asked(patient, answered):
    assert red_flags.blocks_care(patient) == []
    assert len(red_flags.blocks_care(make.patient(patient.home_location))) == len(catalogue.RED_FLAGS)


@pytest.mark.parametrize("given", ["yes", "unknown", "declined"])
def test_anything_but_no_opens_an_event(ask, patient, answered, given):
    ask(rf_ataxia=given)

    assert [(e.code, e.tier, e.answer) for e in red_flags.blocks_care(patient)] == [("rf_ataxia", "emergency", given)]


def test_a_later_no_keeps_the_yes(ask, patient):
    ask(rf_ataxia="yes")
    ask(rf_ataxia="no")

    assert codes(red_flags.open_events(patient)) == ["rf_ataxia"]
    assert list(RedFlagAnswer.objects.values_list("answer", flat=True)) == ["yes", "no"]


def test_a_later_answer_closes_an_unknown(ask, patient):
    [event] = ask(rf_ataxia="unknown")
    ask(rf_ataxia="no")

    event.refresh_from_db()
    assert event.resolution == "answered_later"
    assert red_flags.open_events(patient) == []


MEASURED = [
    ({"code": "bp_systolic", "qualifiers": {"side": "left"}, "value": 139}, []),
    ({"code": "bp_systolic", "qualifiers": {"side": "left"}, "value": 140}, ["rf_hypertension"]),
    ({"code": "bp_diastolic", "qualifiers": {"side": "left"}, "value": 120}, ["rf_bp_crisis", "rf_hypertension"]),
    ({"code": "body_temperature", "value": 37.9}, []),
    ({"code": "body_temperature", "value": 38.0}, ["rf_systemic"]),
    ({"code": "hoffmann", "qualifiers": {"side": "left"}, "value": "positive"}, ["rf_myelopathy"]),
    ({"code": "babinski", "qualifiers": {"side": "left"}, "value": "extensor"}, ["rf_myelopathy"]),
    ({"code": "ankle_clonus_beats", "qualifiers": {"side": "left"}, "value": 2}, []),
    ({"code": "ankle_clonus_beats", "qualifiers": {"side": "left"}, "value": 3}, ["rf_myelopathy"]),
    ({"code": "inverted_supinator", "qualifiers": {"side": "left"}, "value": "positive"}, ["rf_myelopathy"]),
    ({"code": "nystagmus", "value": "positive"}, ["rf_nystagmus"]),
    ({"code": "horner", "qualifiers": {"side": "left"}, "value": "positive"}, ["rf_horner"]),
    ({"code": "beighton_score", "value": 4}, []),
    ({"code": "beighton_score", "value": 5}, ["rf_hypermobility"]),
    ({"code": "atlantodental_interval", "value": 3.1}, ["rf_instability"]),
    ({"code": "lateral_mass_overhang", "value": 7}, ["rf_fracture"]),
    ({"code": "lateral_mass_overhang", "value": 6.9}, []),
    ({"code": "atlantodental_interval", "value": 3.0}, []),
    ({"code": "bp_systolic", "qualifiers": {"side": "right"}, "value": 179}, ["rf_hypertension"]),
    ({"code": "bp_systolic", "qualifiers": {"side": "right"}, "value": 180}, ["rf_bp_crisis", "rf_hypertension"]),
    ({"code": "bp_diastolic", "qualifiers": {"side": "left"}, "value": 89}, []),
    ({"code": "bp_diastolic", "qualifiers": {"side": "left"}, "value": 90}, ["rf_hypertension"]),
    ({"code": "bp_diastolic", "qualifiers": {"side": "left"}, "value": 119}, ["rf_hypertension"]),
    ({"code": "babinski", "qualifiers": {"side": "left"}, "value": "equivocal"}, []),
    ({"code": "gait", "value": "spastic"}, ["rf_myelopathy"]),
    ({"code": "gait", "value": "ataxic"}, []),
    ({"code": "reflex", "qualifiers": {"reflex": "biceps", "side": "left"}, "value": 3}, []),
    ({"code": "reflex", "qualifiers": {"reflex": "biceps", "side": "left"}, "value": 4}, ["rf_myelopathy"]),
    (
        {"code": "cranial_nerve", "qualifiers": {"nerve": "VII", "side": "left"}, "value": "abnormal"},
        ["rf_neuro_deficit"],
    ),
    ({"code": "sharp_purser", "value": "positive"}, ["rf_instability"]),
    ({"code": "alar_ligament", "qualifiers": {"side": "left"}, "value": "positive"}, ["rf_instability"]),
    ({"code": "transverse_ligament", "value": "positive"}, ["rf_instability"]),
    ({"code": "vbi_positional", "qualifiers": {"side": "left"}, "value": "negative"}, []),
    ({"code": "myotome_strength", "qualifiers": {"level": "C5", "side": "left"}, "value": "0"}, []),  # one root
    ({"code": "hoffmann", "qualifiers": {"side": "left"}, "status": "refused", "reason": "declined"}, []),
]


@pytest.mark.parametrize(("finding", "raised"), MEASURED)
def test_a_measurement_raises_its_flag_over_a_no(answered, save, patient, finding, raised):
    save(finding, version=answered.version)

    assert codes(red_flags.open_events(patient)) == raised


def root(level, value, side="left"):
    return {"code": "myotome_strength", "qualifiers": {"level": level, "side": side}, "value": value}


@pytest.mark.parametrize(
    ("found", "raised"),
    [
        ([root("C5", "3"), root("C6", "3")], ["rf_multilevel_root"]),
        ([root("C5", "3"), root("C6", "4-")], []),
        ([root("C5", "3"), root("C5", "0", "right")], []),  # left and right of one root
    ],
)
def test_roots_count_from_grade_three_down(save, patient, found, raised):
    save(*found)

    assert codes(red_flags.open_events(patient)) == raised


@pytest.mark.parametrize(
    ("born", "score", "raised"),
    [(1970, 4, ["rf_hypermobility"]), (1970, 3, []), (1991, 4, []), (1991, 5, ["rf_hypermobility"]),
     (2018, 5, ["rf_minor"]), (2018, 6, ["rf_hypermobility", "rf_minor"])],
)  # fmt: skip
def test_hypermobility_goes_by_age_and_a_minor_is_flagged_at_the_start(patient, atlanta, chiro, born, score, raised):
    patient.birth_date = patient.birth_date.replace(year=born)
    patient.save()
    evaluation = recording.start(patient=patient, location=atlanta, by=chiro.user)

    recording.save(
        evaluation, findings=[{"code": "beighton_score", "value": score}], version=evaluation.version, by=chiro.user
    )

    assert codes(red_flags.open_events(patient)) == raised


def test_two_lost_roots_raise_a_flag(save, patient):
    save({"code": "myotome_strength", "qualifiers": {"level": "C5", "side": "left"}, "value": "3"})
    assert red_flags.open_events(patient) == []
    save({"code": "reflex", "qualifiers": {"reflex": "triceps", "side": "left"}, "value": 0})
    assert codes(red_flags.open_events(patient)) == ["rf_multilevel_root"]


@pytest.mark.parametrize(
    ("code", "resolution", "fields", "allowed"),
    [
        ("rf_ataxia", "cleared_external", {"detail": DOCUMENT}, True),
        ("rf_ataxia", "cleared_external", {"detail": {}}, False),
        ("rf_ataxia", "corrected", {}, False),
        ("rf_ataxia", "acknowledged_modified", {}, False),
        ("rf_chiari", "corrected", {}, True),
        ("rf_chiari", "referred_no_manual_care", {"detail": REFERRAL}, True),
        ("rf_chiari", "referred_no_manual_care", {"detail": {"reason": "x"}}, False),
        ("rf_chiari", "acknowledged_no_change", {}, False),
        ("rf_minor", "acknowledged_modified", {"restrictions": ["no_hvla"]}, True),
        ("rf_minor", "acknowledged_modified", {"restrictions": ["no_fun"]}, False),
        ("rf_minor", "acknowledged_no_change", {"rationale": "x" * 19}, False),
        ("rf_minor", "acknowledged_no_change", {"rationale": "x\x00" * 19}, False),
    ],
)
def test_a_tier_is_closed_only_as_it_allows(ask, patient, chiro, code, resolution, fields, allowed):
    [event] = ask(**{code: "yes"})
    fields = {"rationale": WHY, **fields}

    if allowed:
        red_flags.resolve(event, resolution=resolution, by=chiro.user, **fields)
    else:
        with pytest.raises(RuleBroken, match=r"."):
            red_flags.resolve(event, resolution=resolution, by=chiro.user, **fields)

    assert (red_flags.open_events(patient) == []) == allowed


def test_a_referral_forbids_manual_care_of_the_neck(ask, chiro):
    [event] = ask(rf_chiari="yes")

    event = red_flags.resolve(
        event, resolution="referred_no_manual_care", by=chiro.user, rationale=WHY, detail=REFERRAL
    )  # fmt: skip

    assert event.restrictions == ["no_manual_neck_care"]


def test_an_emergency_is_corrected_by_two_clinicians(ask, patient, atlanta, chiro):
    [event] = ask(rf_ataxia="yes")
    second = make.practitioner(atlanta).user
    propose = {"resolution": "corrected_dual", "rationale": "Wrong patient."}

    red_flags.resolve(event, by=chiro.user, **propose)
    with pytest.raises(RuleBroken, match="second clinician"):
        red_flags.resolve(event, by=chiro.user, **propose)
    assert codes(red_flags.open_events(patient)) == ["rf_ataxia"]
    red_flags.resolve(event, by=second, **propose)

    assert red_flags.open_events(patient) == []


def test_the_desk_and_strangers_resolve_nothing(ask, desk, nashville):
    [event] = ask(rf_minor="yes")

    for person in (desk, make.practitioner(nashville).user):
        with pytest.raises(RuleBroken, match="Only a clinician"):
            red_flags.resolve(event, resolution="corrected", by=person, rationale=WHY)


def test_stopping_defers_the_rest_and_can_be_signed(evaluation, save, chiro):
    save({"code": "heart_rate", "value": 70})

    red_flags.stop(evaluation, by=chiro.user)
    signing.sign(evaluation, by=chiro.user)

    assert evaluation.status == Evaluation.Status.STOPPED
    assert evaluation.is_signed
    assert evaluation.findings.get(code="heart_rate").value == 70
    assert set(evaluation.findings.exclude(code="heart_rate").values_list("status", flat=True)) == {"deferred_unsafe"}
