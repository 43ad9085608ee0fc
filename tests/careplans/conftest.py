from datetime import date, timedelta

import pytest

from careplans import planning
from clinic import times
from evaluations.catalogue import RED_FLAGS
from evaluations.models import Evaluation
from evaluations.safety import red_flags
from tests.make import MONDAY


@pytest.fixture
def evaluated(atlanta, chiro):
    """`evaluated(patient, days=1)` gives an evaluation signed so many days ago, or an unsigned one for None."""

    def write(patient, days=1):
        at = times.now() - timedelta(days=days or 0)
        signature = {"status": "signed", "signed_by": chiro.user, "signed_at": at, "digest": "0" * 64}
        return Evaluation.objects.create(
            patient=patient, location=atlanta, started_by=chiro.user, started_at=at,
            **({} if days is None else signature),
        )  # fmt: skip

    return write


@pytest.fixture
def signed(evaluated, patient, chiro):
    """A signed evaluation of `patient`, every red flag answered "no"."""
    red_flags.answer(patient=patient, evaluation=None, answers=dict.fromkeys(RED_FLAGS, "no"), by=chiro.user)
    return evaluated(patient)


@pytest.fixture
def said():
    """What a sound plan says: two a week for four weeks, then one a week for four."""
    return {
        "starts_on": MONDAY,
        "phases": [
            {"kind": "relief", "visits_per_week": 2, "weeks": 4},
            {"kind": "corrective", "visits_per_week": 1, "weeks": 4},
        ],
        "goals": [{"metric": "migraine_days_28", "baseline": 10, "target": 5, "due_on": date(2027, 3, 1)}],
        "interventions": ["palmer_toggle_recoil", "chin_tucks"],
        "reevaluate_by": date(2027, 2, 1),
    }


@pytest.fixture
def draft(signed, atlanta, chiro, said):
    """`draft(**changes)` writes a draft of the sound plan with the changes."""

    def write(**changes):
        return planning.draft(
            **{"evaluation": signed, "by": chiro.user, "practitioner": chiro, "location": atlanta, **said, **changes}
        )

    return write


@pytest.fixture
def ready(draft, chiro):
    """A draft with consent: nothing stands against it."""
    return planning.sign_consent(draft(), name="Avery Testerson", by=chiro.user)


@pytest.fixture
def active(ready, chiro, adjustment):
    return planning.activate(ready, by=chiro.user)
