"""What the Medicare papers of a visit lack (reference 4.9), each rule on both sides. No database."""

from datetime import date, timedelta

import pytest

from evaluations.notes import note_facts

FIRST = date(2027, 1, 4)  # of the treatments
SHOWN, NOT_SHOWN = {"sufficient": True}, {"sufficient": False}
WHOLE = {"medicare_active": True, "medicare_at": True, "medicare_level": "C1", "change": "better"}
REST = {"medicare_active": False, "medicare_abn": True, "medicare_level": "C1"}


def lacking(content, letters=SHOWN):
    return note_facts.medicare(content, letters, FIRST)["lacking"]


def test_nothing_lacks_of_active_care_and_of_maintenance_with_its_papers():
    assert (lacking(WHOLE), lacking(REST)) == ([], [])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({name: value for name, value in WHOLE.items() if name != "medicare_level"}, "level of the subluxation"),
        (WHOLE | {"medicare_level": ""}, "level of the subluxation"),
        (WHOLE | {"medicare_at": False}, "modifier AT"),
        ({name: value for name, value in WHOLE.items() if name != "medicare_at"}, "modifier AT"),
        ({name: value for name, value in WHOLE.items() if name != "change"}, "change since the last visit"),
        (REST | {"medicare_abn": False}, "ABN"),
        ({name: value for name, value in REST.items() if name != "medicare_abn"}, "ABN"),
    ],
)
def test_each_that_lacks_is_named_alone(content, sentence):
    found = lacking(content)

    assert len(found) == 1
    assert sentence in found[0]


@pytest.mark.parametrize(
    ("days", "letters", "rests_on"),
    [
        (-365, NOT_SHOWN, "xray"), (-366, NOT_SHOWN, ""), (0, NOT_SHOWN, "xray"), (91, NOT_SHOWN, "xray"),
        (92, NOT_SHOWN, ""), (-366, SHOWN, "part"), (92, SHOWN, "part"), (None, SHOWN, "part"), (None, NOT_SHOWN, ""),
        (-365, SHOWN, "xray"),
    ],
)  # fmt: skip
def test_the_subluxation_rests_on_a_film_of_its_time_or_on_what_was_found(days, letters, rests_on):
    taken = {} if days is None else {"medicare_xray_on": (FIRST + timedelta(days)).isoformat()}

    found = note_facts.medicare(WHOLE | taken, letters, FIRST)

    assert found["rests_on"] == rests_on
    told = [text for text in found["lacking"] if "P.A.R.T." in text]
    assert bool(told) == (rests_on == "")
    if told:
        assert ("too old or too late" in told[0]) == (days is not None)


@pytest.mark.parametrize(("content", "asked"), [({}, False), ({"pain": 3}, False), ({"medicare_abn": False}, True)])
def test_papers_are_asked_for_where_the_note_speaks_of_them(content, asked):
    assert note_facts._is_medicare(content) is asked
