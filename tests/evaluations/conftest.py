import json
from datetime import timedelta
from pathlib import Path

import pytest

import evaluations
from appointments.models import Appointment
from clinic import times
from evaluations import catalogue, finding_paths, recording
from evaluations.models import RedFlagEvent
from evaluations.notes import note_fields, note_signing, visit_notes
from evaluations.safety import red_flags

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


# --- notes of visits


@pytest.fixture
def book(patient, chiro, atlanta, adjustment):
    """`book(at)` puts a visit of the patient at any instant; a row, since the rules book no past."""

    def act(starts_at):
        start = times.to_minute(starts_at)
        return Appointment.objects.create(
            patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=15), start_minute=start, end_minute=start + 15, busy_from=start,
            busy_until=start + 15, room=atlanta.rooms.filter(kind="adjusting").first(), status="in_room",
        )  # fmt: skip

    return act


@pytest.fixture
def visit_today(book):
    return book(times.now().replace(second=0, microsecond=0))


@pytest.fixture
def note(visit_today, chiro):
    return visit_notes.start(visit_today, by=chiro.user)


@pytest.fixture
def write(note, chiro):
    """`write(pain=3, …)` saves fields of the note on its current version."""

    def act(*, version=None, operation=None, by=None, **content):
        return visit_notes.save(
            note, content=content, version=note.version if version is None else version, operation=operation,
            by=by or chiro.user,
        )  # fmt: skip

    return act


@pytest.fixture
def no_flags(patient, chiro):
    """Every red flag was asked once and answered no."""
    red_flags.answer(patient=patient, evaluation=None, answers=dict.fromkeys(catalogue.RED_FLAGS, "no"), by=chiro.user)


@pytest.fixture
def restricted(patient, chiro):
    """`restricted(code)` puts the restriction on the patient, as resolving a flag does."""

    def act(*codes):
        now = times.now()
        RedFlagEvent.objects.create(
            patient=patient, code="rf_osteoporosis", tier="caution", answer="yes", opened_at=now, resolved_at=now,
            resolved_by=chiro.user, resolution="acknowledged_modified", restrictions=list(codes), rationale="Old.",
        )  # fmt: skip

    return act


@pytest.fixture
def whole():
    """A routine visit, complete."""
    return {
        "change": "better", "pain": 4, "safety": dict.fromkeys(note_fields.SAFETY, "no"), "leg": "left", "leg_mm": 6,
        "segments_found": [{"at": "C1 left", "tenderness": 2, "tone": 1}], "response": "improved", "phase": "relief",
        "technique": "nucca", "segments": ["C1 left"], "leg_after": "even", "leg_mm_after": 0, "pain_after": 2,
        "reaction": "none", "next_visit": "Thursday",
    }  # fmt: skip


@pytest.fixture
def signed_before(book, whole, no_flags, chiro):
    """The signed note of the visit three days ago."""
    at = times.now().replace(second=0, microsecond=0) - timedelta(days=3)
    with times.as_of(at):
        before = visit_notes.start(book(at), by=chiro.user)
        visit_notes.save(before, content=whole, version=0, by=chiro.user)
        return note_signing.sign(before, by=chiro.user)


@pytest.fixture
def signed_note(note, write, whole, no_flags, chiro):
    write(**whole)
    return note_signing.sign(note, by=chiro.user)
