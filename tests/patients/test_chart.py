from datetime import UTC, datetime

import pytest

from patients import chart, sight


@pytest.fixture
def empty_chart(monkeypatch):
    for name in ("_providers", "_actions", "_panels"):
        monkeypatch.setattr(chart, name, [])


def test_timeline_of_all_providers_latest_first(empty_chart, patient, desk):
    early, late = (chart.Entry(at=datetime(2027, 1, day, tzinfo=UTC), title=str(day)) for day in (1, 2))
    chart.add_timeline(lambda patient, user: [early])
    chart.add_timeline(lambda patient, user: [late])

    assert chart.timeline(patient, desk) == [late, early]


def test_actions_only_those_the_user_may_take(empty_chart, patient, desk):
    chart.add_action("Edit", "patients", action="patient.write", icon="plus", query=lambda p: {"type": "x"})
    chart.add_action("Evaluate", "patients", action="evaluation.write")

    url = f"/patients/?patient={patient.pk}&type=x"
    assert chart.actions(patient, sight.allowed(desk, patient)) == [{"label": "Edit", "icon": "plus", "url": url}]


def test_panels_without_context_or_right_are_left_out(empty_chart, patient, desk, rf):
    request = rf.get("/")
    request.user = desk
    chart.add_panel("clinic/_messages.html", lambda patient, user: {"messages": []}, action="patient.read")
    chart.add_panel("clinic/_messages.html", lambda patient, user: None, action="patient.read")
    chart.add_panel("clinic/_messages.html", lambda patient, user: {}, action="evaluation.read")

    assert len(chart.panels(patient, request, sight.allowed(desk, patient))) == 1
