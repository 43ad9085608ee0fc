"""Every field of the JSON bodies of care plans and their templates, given something of another type."""

import pytest

from tests.wrong_types import taken

SAID = {
    "practitioner": 1, "location": "atlanta", "starts_on": "2027-01-04",
    "phases": [{"kind": "relief", "visits_per_week": 2, "weeks": 4}],
}  # fmt: skip
SAID_TAKES = {
    "practitioner": "number", "location": "text", "starts_on": "text", "phases": "list", "goals": "list",
    "interventions": "list", "reevaluate_by": "text null", "reevaluate_after_visits": "number", "note": "text",
    "diagnoses": "list", "referrals": "list",
}  # fmt: skip
SKETCH_TAKES = {
    "phases": "list", "goals": "list", "interventions": "list", "reevaluate_after_visits": "number",
    "reevaluate_after_days": "number", "aim": "text", "note": "text",
}  # fmt: skip
PLAN = "/api/v1/care-plans/{plan}/"
SKETCH = {"name": "x", "phases": SAID["phases"], "goals": [{"metric": "migraine_days_28", "weeks": 4}]}
BODIES = {
    ("post", "/api/v1/care-plans/"): (
        {**SAID, "evaluation": 1}, SAID_TAKES | {"evaluation": "number", "template": "number null"}
    ),
    ("post", PLAN + "revise/"): ({**SAID, "version": 1}, SAID_TAKES | {"version": "number", "reason": "text"}),
    ("post", PLAN + "reevaluate/"): (
        {"result": "improved", "decision": "go_on", "reason": "x"},
        dict.fromkeys(("result", "decision", "reason"), "text") | {"evaluation": "number"},
    ),
    ("post", PLAN + "discharge/"): (
        {"reason": "goals_met", "return_if": "x"},
        dict.fromkeys(("reason", "why", "residual", "home", "return_if", "summary_to"), "text")
        | {"pgic": "number null"},
    ),
    ("post", PLAN + "consent/"): (
        {"name": "x"},
        dict.fromkeys(("name", "signer", "relationship", "authority_document", "language", "interpreter"), "text")
        | {"assent": "truth null", "drawing": "list", "scopes": "object", "risks": "list",
           "questions_answered": "truth", "consent_digest": "text", "plan_digest": "text"},
    ),
    ("post", PLAN + "schedule/"): (
        {"weekdays": [0], "at_time": "10:00"}, {"weekdays": "list", "at_time": "text", "phase": "number"}
    ),
    **{("post", f"{PLAN}{step}/"): ({}, {"reason": "text"}) for step in ("hold", "resume", "complete", "discontinue")},
    ("post", "/api/v1/plan-templates/"): (SKETCH, SKETCH_TAKES | {"name": "text"}),
}  # fmt: skip


@pytest.mark.parametrize(("method", "url"), BODIES)
def test_another_type_is_refused_and_the_field_named(api, chiro, desk, owner, draft, method, url):
    ask = getattr(api(desk if "schedule" in url else owner if "templates" in url else chiro.user), method)
    address = url.format(plan=draft().pk)

    assert taken(lambda body: ask(address, body, format="json"), *BODIES[method, url]) == []
