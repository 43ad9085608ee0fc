"""Films: pregnancy is asked about, what they are for and which there are already, and why they are repeated."""

import pytest

from clinic.errors import RuleBroken
from evaluations import imaging, signing
from evaluations.models import Evaluation
from evaluations.safety import red_flags

WORDS = "Measured before care; no earlier films."


def film(value="xray", **more):
    return {"code": "imaging_modality", "value": value, **more}


@pytest.fixture
def repeated(answered):
    Evaluation.objects.update(kind=Evaluation.Kind.REEVALUATION)
    answered.refresh_from_db()
    return answered


@pytest.mark.parametrize(
    ("value", "note", "asked"),
    [
        ("none", "", False),
        ("mri", "", False),  # no radiation
        ("xray", "", True),
        ("xray", WORDS, False),
        ("cbct", "", True),
        ("ct", "", True),
        ("cta_mra", "", True),
    ],
)
def test_a_film_is_asked_what_it_is_for_and_kept(answered, save, value, note, asked):
    found = save(film(value, note=note), version=answered.version)

    assert bool(found["warnings"]) is asked
    assert answered.findings.get().value == value
    assert any(m.text.startswith("Imaging:") for m in signing.missing(answered)) is asked


def test_the_first_film_is_signed_without_words_and_a_repeated_one_is_not(answered, save, chiro):
    save(film(), version=answered.version)
    signing.sign(answered, by=chiro.user)

    assert answered.is_signed


def test_a_repeated_film_needs_a_reason(repeated, save, chiro):
    save(film(), version=repeated.version)

    with pytest.raises(RuleBroken, match="why films are repeated") as refused:
        signing.sign(repeated, by=chiro.user)

    assert refused.value.code == "films_without_reason"
    repeated.refresh_from_db()
    save(film(note="Fell off a ladder last week."), version=repeated.version)
    assert signing.sign(repeated, by=chiro.user).is_signed


@pytest.mark.parametrize("value", ["none", "mri"])
def test_no_film_needs_none(repeated, save, chiro, value):
    save(film(value), version=repeated.version)

    assert signing.sign(repeated, by=chiro.user).is_signed


def test_what_was_stopped_is_signed_all_the_same(repeated, save, chiro):
    save(film(), version=repeated.version)
    red_flags.stop(repeated, by=chiro.user)

    assert signing.sign(repeated, by=chiro.user).is_signed


@pytest.mark.parametrize(
    ("age", "sex", "said", "asked"),
    [
        (10, "female", "unknown", True),
        (9, "female", "unknown", False),
        (55, "female", "declined", True),
        (56, "female", "declined", False),
        (30, "male", "unknown", False),
        (30, "unknown", "yes", True),
        (30, "female", "yes", True),
        (30, "female", "no", False),
        (30, "female", None, True),
    ],
)
def test_pregnancy_is_ruled_out_before_a_film(evaluation, save, chiro, age, sex, said, asked):
    patient = evaluation.patient
    today = patient.home_location.today()
    patient.birth_date, patient.sex = today.replace(year=today.year - age, day=1, month=1), sex
    patient.save()
    if said:
        red_flags.answer(patient=patient, evaluation=evaluation, answers={imaging.PREGNANT: said}, by=chiro.user)

    found = save(film(note=WORDS))

    assert ("Pregnancy is not ruled out" in "".join(found["warnings"].values())) is asked
    assert any("Pregnancy" in one.text for one in signing.missing(evaluation)) is asked
