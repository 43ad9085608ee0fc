"""Every field of the JSON bodies of evaluations, notes and incidents, given something of another type."""

import pytest

from evaluations.notes import note_fields
from tests import make
from tests.wrong_types import EVERYTHING, taken

# Each endpoint with a sound body, and the kinds that each of its fields takes.
EVALUATION = "/api/v1/evaluations/{evaluation}/"
NOTE = "/api/v1/visit-notes/{note}/"
BODIES = {
    ("post", "/api/v1/evaluations/"): ({"patient": 1}, {"patient": "number", "appointment": "number null"}),
    ("patch", EVALUATION): (
        {"version": 0},
        {"version": "number", "findings": "list", "operation": "text", "red_flags": "object",
         "section_seconds": "object", "measures": "object", "conclusion": "text"},
    ),
    ("put", EVALUATION + "intake/"): ({"version": 0, "answers": {}}, {"version": "number", "answers": "object"}),
    ("post", EVALUATION + "sign/"): ({}, {"version": "number"}),
    ("post", EVALUATION + "addenda/"): ({"text": "x", "reason": "x"}, {"text": "text", "reason": "text"}),
    ("post", EVALUATION + "entered-in-error/"): (
        {"version": 0, "reason": "of another patient", "confirmed": True},
        {"version": "number", "reason": "text", "confirmed": "truth"},
    ),
    ("post", "/api/v1/visit-notes/"): ({}, {"appointment": "number"}),
    ("patch", NOTE): ({"version": 1}, {"version": "number", "content": "object", "operation": "text"}),
    ("post", NOTE + "sign/"): ({}, {"version": "number"}),
    ("post", NOTE + "addenda/"): (
        {"text": "x", "reason": "x"}, {"text": "text", "reason": "text", "serious_reaction": "truth"}
    ),
    ("post", "/api/v1/incidents/{incident}/steps/"): (
        {"step": "remark", "text": "x"}, {"step": "text", "text": "text"}
    ),
}  # fmt: skip


@pytest.fixture
def address(evaluation, note, write, chiro):
    write(reaction="serious", reaction_what="x", reaction_when="at_once", reaction_action="x")
    return lambda text: text.format(evaluation=evaluation.pk, note=note.pk, incident=note.incident.pk)


@pytest.mark.parametrize("code", note_fields.FIELDS)
def test_a_field_of_a_note_takes_any_type_without_a_fault_of_ours(code):
    for value in EVERYTHING:
        kept, faults = note_fields.check({code: value}, {})
        assert {*kept, *(name.split(".")[0] for name in faults)} == {code}, value


@pytest.mark.parametrize(("method", "url"), BODIES)
def test_another_type_is_refused_and_the_field_named(api, chiro, atlanta, address, method, url):
    ask = getattr(api(make.user("manager", atlanta) if "incidents" in url else chiro.user), method)

    assert taken(lambda body: ask(address(url), body, format="json"), *BODIES[method, url]) == []
