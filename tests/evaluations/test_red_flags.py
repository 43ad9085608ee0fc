from datetime import timedelta

import pytest

from clinic import times
from clinic.errors import RuleBroken
from evaluations import catalogue, recording, report_page, signing
from evaluations.models import Evaluation, RedFlagAnswer
from evaluations.safety import red_flags
from tests import make

DOCUMENT = {"name": "Dr. Outside", "date": "2026-11-04", "document": "letter.pdf"}
REFERRAL = {"destination": "Neurology", "reason": "Signs", "date": "2026-11-04", "how_sent": "fax"}
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
    ({"code": "ankle_clonus_beats", "qualifiers": {"side": "right"}, "value": 0}, []),
    ({"code": "nystagmus", "value": "negative"}, []),
    ({"code": "horner", "qualifiers": {"side": "right"}, "value": "negative"}, []),
    ({"code": "cranial_nerve", "qualifiers": {"nerve": "II", "side": "right"}, "value": "normal"}, []),
    ({"code": "sharp_purser", "value": "negative"}, []),
    ({"code": "reflex", "qualifiers": {"reflex": "biceps", "side": "left"}, "value": 0}, []),  # one root
    ({"code": "myotome_strength", "qualifiers": {"level": "C5", "side": "left"}, "value": "NT"}, []),
    ({"code": "myotome_strength", "qualifiers": {"level": "C5", "side": "left"}, "value": "4-"}, []),
    ({"code": "myotome_strength", "qualifiers": {"level": "C5", "side": "left"}, "value": "3"}, ["rf_multilevel_root"]),
    ({"code": "myotome_strength", "qualifiers": {"level": "C5", "side": "left"}, "value": "0"}, ["rf_multilevel_root"]),
    ({"code": "hoffmann", "qualifiers": {"side": "left"}, "status": "refused", "reason": "declined"}, []),
]


@pytest.mark.parametrize(("finding", "raised"), MEASURED)
def test_a_measurement_raises_its_flag_over_a_no(answered, save, patient, finding, raised):
    save(finding, version=answered.version)

    assert codes(red_flags.open_events(patient)) == raised


def root(level, value, side="left"):
    return {"code": "myotome_strength", "qualifiers": {"level": level, "side": side}, "value": value}


def reflex(which, value, side="left"):
    return {"code": "reflex", "qualifiers": {"reflex": which, "side": side}, "value": value}


@pytest.mark.parametrize(
    ("found", "raised"),
    [
        ([reflex("biceps", 0), reflex("triceps", 0)], ["rf_multilevel_root"]),
        ([reflex("biceps", 0), reflex("triceps", 1)], []),
        ([reflex("biceps", 0), reflex("biceps", 0, "right")], []),  # left and right of one root
        ([reflex("biceps", 0), root("C5", "4-")], []),
    ],
)
def test_reflexes_lost_at_two_roots_raise_a_flag(save, patient, found, raised):
    save(*found)

    assert codes(red_flags.open_events(patient)) == raised


WEAKER = [
    pytest.param("5", "3", ["rf_multilevel_root"], id="new"),
    pytest.param("4-", "3", ["rf_multilevel_root"], id="new, from the grade above"),
    pytest.param("3", "2", ["rf_multilevel_root"], id="worse"),
    pytest.param("NT", "3", ["rf_multilevel_root"], id="not testable before"),
    pytest.param(None, "3", ["rf_multilevel_root"], id="not graded before"),
    pytest.param("3", "3", [], id="as before"),
    pytest.param("2", "3", [], id="better"),
    pytest.param("3", "4-", [], id="better than weak"),
]


@pytest.mark.parametrize(("before", "now", "raised"), WEAKER)
def test_a_weakness_is_a_flag_when_it_is_new_or_worse(patient, atlanta, chiro, before, now, raised):
    def examine(value):
        one = recording.start(patient=patient, location=atlanta, by=chiro.user)
        if value:
            recording.save(one, findings=[root("C7", value)], version=one.version, by=chiro.user)
        return one

    with times.as_of(times.now() - timedelta(days=30)):
        earlier = examine(before)
        red_flags.stop(earlier, by=chiro.user)
        signing.sign(earlier, by=chiro.user)
        for event in red_flags.open_events(patient):
            red_flags.resolve(event, resolution="corrected", by=chiro.user, rationale=WHY)
    with times.as_of(times.now() - timedelta(days=15)):
        examine("3" if before == "5" else "5")  # a draft says nothing yet
        for event in red_flags.open_events(patient):
            red_flags.resolve(event, resolution="corrected", by=chiro.user, rationale=WHY)

    examine(now)

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
        ("rf_minor", "acknowledged_modified", {"restrictions": []}, False),
        ("rf_minor", "acknowledged_modified", {}, False),
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


@pytest.mark.parametrize("given", ["unknown", "declined"])
@pytest.mark.parametrize("code", ["rf_thunderclap", "rf_chiari", "rf_minor"])
def test_what_nobody_answered_is_not_answered_by_hand(ask, patient, chiro, code, given):
    [event] = ask(**{code: given})

    with pytest.raises(RuleBroken) as refused:
        red_flags.resolve(event, resolution="answered_later", by=chiro.user, rationale=WHY)

    assert set(refused.value.fields) == {"resolution"}
    assert codes(red_flags.open_events(patient)) == [code]
    ask(**{code: "no"})
    assert red_flags.open_events(patient) == []


@pytest.mark.parametrize(("code", "may"), [("rf_thunderclap", False), ("rf_chiari", True), ("rf_minor", True)])
def test_an_emergency_that_nobody_answered_is_not_acknowledged_away(ask, patient, chiro, code, may):
    [event] = ask(**{code: "unknown"})

    if may:
        red_flags.resolve(event, resolution="acknowledged_unanswered", by=chiro.user, rationale=WHY)
    else:
        with pytest.raises(RuleBroken, match="ask again"):
            red_flags.resolve(event, resolution="acknowledged_unanswered", by=chiro.user, rationale=WHY)

    assert (red_flags.open_events(patient) == []) == may


@pytest.mark.parametrize(
    ("day", "good"),
    [(0, True), (1, False), ("yesterday", False), ("2026-13-01", False), ("1850-01-01", False)],
)
def test_a_letter_is_of_a_day_that_has_been(ask, patient, chiro, day, good):
    [event] = ask(rf_ataxia="yes")
    if isinstance(day, int):
        day = (patient.home_location.today() + timedelta(days=day)).isoformat()
    fields = {"resolution": "cleared_external", "rationale": WHY, "detail": {**DOCUMENT, "date": day}}

    if good:
        red_flags.resolve(event, by=chiro.user, **fields)
    else:
        with pytest.raises(RuleBroken) as refused:
            red_flags.resolve(event, by=chiro.user, **fields)
        assert set(refused.value.fields) == {"detail.date"}

    assert (red_flags.open_events(patient) == []) == good


def pressure(systolic, side="left"):
    return {"code": "bp_systolic", "qualifiers": {"side": side}, "value": systolic}


CORRECTED, CAUTION = {"resolution": "corrected"}, {"resolution": "acknowledged_no_change"}
RAISED_AGAIN = [
    pytest.param(CORRECTED, [190, 130, 210], ["rf_bp_crisis", "rf_hypertension"], id="a mistake, then a true one"),
    pytest.param(CORRECTED, [190, 179], ["rf_hypertension"], id="the right value is below the limit of one"),
    pytest.param(CORRECTED, [190, 180], ["rf_bp_crisis", "rf_hypertension"], id="the right value raises both"),
    pytest.param(CORRECTED, [190, 139], [], id="the right value is below both"),
    pytest.param(CORRECTED, [190, 190], [], id="sent again, and not changed"),
    pytest.param(CAUTION, [150, 155], [], id="acknowledged, and still so"),
    pytest.param(CAUTION, [150, 139, 140], ["rf_hypertension"], id="acknowledged, gone, and back"),
]


@pytest.mark.parametrize(("resolved", "values", "again"), RAISED_AGAIN)
def test_a_flag_that_was_resolved_is_raised_again(save, patient, chiro, resolved, values, again):
    first, *later = values
    save(pressure(first))
    for event in red_flags.open_events(patient):
        red_flags.resolve(event, by=chiro.user, rationale=WHY, **resolved)
    for value in later:
        save(pressure(value))

    assert codes(red_flags.open_events(patient)) == again


def test_a_minor_is_no_wrong_entry_again_with_every_save(atlanta, chiro, patient):
    patient.birth_date = patient.birth_date.replace(year=2018)
    patient.save()
    evaluation = recording.start(patient=patient, location=atlanta, by=chiro.user)
    [event] = red_flags.open_events(patient)
    red_flags.resolve(event, resolution="corrected", by=chiro.user, rationale=WHY)

    recording.save(evaluation, findings=[pressure(120)], version=evaluation.version, by=chiro.user)

    assert red_flags.open_events(patient) == []


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


def test_a_no_after_the_measurement_leaves_the_yes_in_the_record(save, evaluation, chiro):
    save({"code": "nystagmus", "value": "positive"})
    said_no = dict.fromkeys(catalogue.RED_FLAGS, "no")
    red_flags.answer(patient=evaluation.patient, evaluation=evaluation, answers=said_no, by=chiro.user)
    assert red_flags.answers_of(evaluation) == said_no | {"rf_nystagmus": "yes"}
    assert [event.code for event in red_flags.open_events(evaluation.patient)] == ["rf_nystagmus"]
    told = dict(report_page.for_clinician(evaluation)["answers"])
    assert told["yes, raised by a value"] == [catalogue.RED_FLAGS["rf_nystagmus"].label]
    assert catalogue.RED_FLAGS["rf_nystagmus"].label not in told["no"]
