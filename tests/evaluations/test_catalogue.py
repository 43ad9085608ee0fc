import pytest

from evaluations import catalogue

GOOD = {"code": "x", "label": "X", "section": "vitals", "kind": "integer", "source": "K", "unit": "deg",
        "min": "0", "max": "9", "step": "1"}  # fmt: skip


def test_the_catalogue_is_whole():
    assert (len(catalogue.FINDINGS), len(catalogue.RED_FLAGS)) == (112, 46)
    assert {s for part in catalogue.PARTS for s in part.sections} == set(catalogue.SECTIONS)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "colour"}, {"section": "hands"}, {"side": "top"}, {"min": "many"}, {"min": "9"}, {"step": "0"},
        {"unit": ""}, {"kind": "choice"}, {"choices": ["a"]}, {"side": "direction"}, {"qualifiers": {"level": []}},
        {"taste": "sweet"},
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named(fault):
    with pytest.raises(catalogue.CatalogueError, match=r"^x: "):
        catalogue.read_findings([{**GOOD, **fault}])


def test_a_code_is_used_once():
    with pytest.raises(catalogue.CatalogueError, match="x: the code is used twice"):
        catalogue.read_findings([GOOD, GOOD])
