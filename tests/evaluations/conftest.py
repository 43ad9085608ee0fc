import json
from pathlib import Path

import pytest

import evaluations
from clinic import times
from evaluations import catalogue, finding_paths, recording, red_flags

CHARTS = Path(evaluations.__file__).parent / "demo_charts"


def read_chart(name):
    return json.loads((CHARTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def chart():
    return read_chart("C01")


@pytest.fixture
def sent(chart):
    """Every finding of the chart's first evaluation, in the shape of the API."""
    return finding_paths.read_findings(chart["baseline"]["evaluation"])


@pytest.fixture
def evaluation(patient, atlanta, chiro):
    return recording.start(patient=patient, location=atlanta, by=chiro.user)


@pytest.fixture
def answered(evaluation, chiro):
    """The evaluation with every red flag answered no."""
    red_flags.answer(
        patient=evaluation.patient,
        evaluation=evaluation,
        answers=dict.fromkeys(catalogue.RED_FLAGS, "no"),
        by=chiro.user,
    )
    return evaluation


@pytest.fixture
def save(evaluation, chiro):
    """`save(finding, …)` saves on the evaluation as its clinician."""

    def act(*findings, by=None, **fields):
        return recording.save(
            evaluation, findings=list(findings), version=fields.pop("version", evaluation.version),
            by=by or chiro.user, **fields,
        )  # fmt: skip

    return act


@pytest.fixture
def password_asked(sign_in, chiro):
    """A client signed in as the clinician whose password was just asked again."""
    client = sign_in(chiro.user)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": times.now().timestamp(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(chiro.user.pk)
    session.save()
    return client
