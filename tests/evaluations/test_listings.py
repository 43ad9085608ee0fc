import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.errors import RuleBroken
from evaluations import listings, recording
from evaluations.listings import WrongListing, mirror, normal


@pytest.mark.parametrize("prefix", ["", "S", "I"])
@pytest.mark.parametrize("side", ["R", "L"])
@pytest.mark.parametrize("rotation", ["", "A", "P"])
@pytest.mark.parametrize("system", ["palmer_hio", "knee_chest"])
def test_the_eighteen_palmer_listings_of_the_atlas(prefix, side, rotation, system):
    text = f"A{prefix}{side}{rotation}"
    assert normal(text, system=system, level="C1") == text


@pytest.mark.parametrize(
    ("system", "level", "text"),
    [
        ("palmer_hio", "C2", "PRI"), ("palmer_hio", "C2", "P"), ("palmer_hio", "C2", "PLS-BR"),
        ("palmer_hio", "C2", "BL"), ("palmer_hio", "C2", "ESR"), ("gonstead", "C1", "AILP"),
        ("gonstead", "C2", "PRS-LA"), ("gonstead", "C2", "PL-SP"), ("blair", "C1", "ASR/PIL"), ("blair", "C1", "DAS"),
        ("blair", "C1", "DPI"), ("blair", "C1", "PIR"), ("nucca", "C1", "L1.25 A0.50"), ("nucca", "C1", "R0.00"),
        ("blair", "C2", "spinous a touch left"), ("diversified", "C1", "as I see it"), (None, "C1", "asr"),
        ("palmer_hio", "C0", "PS-RS"), ("palmer_hio", "C1", ""),
    ],
)  # fmt: skip
def test_what_a_system_takes_is_kept(system, level, text):
    assert normal(text, system=system, level=level) == text


@pytest.mark.parametrize(
    ("system", "level", "text"),
    [
        ("palmer_hio", "C1", "PSR"), ("palmer_hio", "C1", "AS"), ("palmer_hio", "C1", "ASRS"),
        ("gonstead", "C1", "AR"), ("gonstead", "C2", "PRI-BL"), ("palmer_hio", "C2", "PRI-SP"), ("blair", "C1", "AIR"),
        ("blair", "C1", "ASR/"), ("nucca", "C1", "L1.30"), ("nucca", "C1", "1.25"), ("nucca", "C1", "L10.25"),
        ("nucca", "C1", "L1.25 A15.25"), ("atlas_orthogonal", "C1", "ASR"), ("diversified", "C1", "x" * 65),
        ("palmer_hio", "C2", "C2"),
    ],
)  # fmt: skip
def test_what_a_system_does_not_take_is_refused(system, level, text):
    with pytest.raises(WrongListing):
        normal(text, system=system, level=level)


@pytest.mark.parametrize(
    ("system", "level", "typed", "kept"),
    [
        ("palmer_hio", "C1", "  asrp ", "ASRP"),
        ("palmer_hio", "C2", "2cpr", "PR"),
        ("palmer_hio", "C2", "axis pri", "PRI"),
        ("gonstead", "C2", "C2 PLI-la", "PLI-LA"),
        ("nucca", "C1", "l1.5  a.5".replace("a.5", "a0.5"), "L1.50 A0.50"),
        ("nucca", "C1", "R2A0.25", "R2.00 A0.25"),
    ],
)
def test_a_listing_is_kept_in_one_form(system, level, typed, kept):
    assert normal(typed, system=system, level=level) == kept


@pytest.mark.parametrize(
    ("system", "level", "text", "other"),
    [
        ("palmer_hio", "C1", "ASRP", "ASLP"),
        ("palmer_hio", "C2", "PRI-BL", "PLI-BR"),
        ("gonstead", "C2", "PRS-LA", "PLS-LA"),
        ("blair", "C1", "ASR/PIL", "ASL/PIR"),
        ("nucca", "C1", "L1.25 A0.50", "R1.25 A0.50"),
        ("diversified", "C1", "RIGHT", "RIGHT"),
        ("palmer_hio", "C1", "", ""),
    ],
)
def test_a_mirrored_listing_changes_its_sides_and_not_its_contact(system, level, text, other):
    assert mirror(text, system=system, level=level) == other


GRAMMARS = [(system, level) for system, levels in listings.GRAMMARS.items() for level in levels]


@given(st.data())
def test_the_mirror_of_a_listing_is_a_listing_and_comes_back(data):
    system, level = data.draw(st.sampled_from(GRAMMARS))
    grammar = re.compile(listings.GRAMMARS[system][level])
    try:
        text = normal(data.draw(st.from_regex(grammar, fullmatch=True)), system=system, level=level)
    except WrongListing:
        return  # degrees off the quarter
    assert normal(text, system=system, level=level) == text
    other = mirror(text, system=system, level=level)
    assert normal(other, system=system, level=level) == other
    assert mirror(other, system=system, level=level) == text


def test_each_grammar_has_an_example_of_its_own():
    for system, level in GRAMMARS:
        example = listings.EXAMPLES[system, level]
        assert normal(example, system=system, level=level) == example


def finding(code, value):
    return {"code": code, "qualifiers": {}, "status": "assessed", "value": value}


@pytest.fixture
def recorded(db, chiro, patient, atlanta):
    return recording.start(patient=patient, location=atlanta, by=chiro.user)


def save(evaluation, chiro, *findings):
    recording.save(evaluation, findings=list(findings), version=evaluation.version, by=chiro.user)


def listing_of(evaluation, code="listing_c1"):
    return evaluation.findings.get(code=code).value


def test_a_listing_is_saved_in_one_form(recorded, chiro):
    save(recorded, chiro, finding("listing_c1", "asrp "), finding("listing_system", "palmer_hio"))
    assert listing_of(recorded) == "ASRP"


def test_a_listing_that_does_not_fit_its_system_is_refused_at_its_field(recorded, chiro):
    save(recorded, chiro, finding("listing_system", "blair"))
    with pytest.raises(RuleBroken) as refused:
        save(recorded, chiro, finding("listing_c2", "PR"), finding("listing_c1", "ASRP"))
    assert list(refused.value.fields) == ["findings.1.value"]
    assert "ASR/PIL" in refused.value.fields["findings.1.value"]
    assert recorded.findings.count() == 1


def test_a_system_that_the_listing_does_not_fit_is_refused_and_names_the_listing(recorded, chiro):
    save(recorded, chiro, finding("listing_c1", "ASRP"))
    with pytest.raises(RuleBroken) as refused:
        save(recorded, chiro, finding("listing_system", "nucca"))
    assert "ASRP" in refused.value.fields["findings.0.value"]


def test_a_system_chosen_later_puts_the_listing_in_its_form(recorded, chiro):
    save(recorded, chiro, finding("listing_c1", "l1.5"))
    assert listing_of(recorded) == "l1.5"
    save(recorded, chiro, finding("listing_system", "nucca"))
    assert listing_of(recorded) == "L1.50"
