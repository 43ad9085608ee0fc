"""Evaluations and red flags that were recorded elsewhere, written as the history they are.

Beside `recording`, `signing` and `red_flags` the only writer of their tables, and only for a chart that is brought in:
nobody here examined or signed, so each stands under its examiner's own name, who cannot sign in.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime

from clinic import times
from clinic.models import User
from evaluations import catalogue, finding_rows, signing
from evaluations.entry.checking import Checked
from evaluations.models import Addendum, Evaluation, RedFlagAnswer, RedFlagEvent
from evaluations.safety import red_flags
from locations.models import Location
from patients.models import Patient

Status = Evaluation.Status


def examiner(name: str) -> User:
    """Who stands for an examiner of another system: a name, no role, no password."""
    mailbox = hashlib.sha256(name.encode()).hexdigest()[:16]
    email = f"examiner-{mailbox}@charts.invalid"
    return User.objects.filter(email=email).first() or User.objects.create_user(email, full_name=name, is_active=False)


def write(
    patient: Patient,
    *,
    location: Location,
    kind: str,
    status: str,
    started_at: datetime,
    ended_at: datetime | None,
    by: str,
    findings: list[Checked],
    outcomes: dict,
    conclusion: str = "",
    intake: dict | None = None,
) -> Evaluation:
    """Write one evaluation, still open; `close` signs it. Everything was checked before."""
    user = examiner(by)
    evaluation = Evaluation.objects.create(
        patient=patient,
        location=location,
        kind=kind,
        status=status if status == Status.STOPPED else Status.IN_PROGRESS,
        started_by=user,
        started_at=started_at,
        ended_at=ended_at,
        examiner=by,
        measures=outcomes,
        conclusion=conclusion,
        intake=_as_told(intake, started_at, user) if intake else None,
    )
    with times.as_of(ended_at or started_at):
        finding_rows.write(evaluation, findings, by=user)
    return evaluation


def _as_told(answers, at, user) -> dict:
    return {"answers": answers, "version": 1, "confirmed_at": at.isoformat(), "confirmed_by": user.pk}


def close(evaluation: Evaluation, status: str, addenda: list[dict]) -> None:
    """Sign as the examiner did, and add what was added."""
    if status == Status.IN_PROGRESS or evaluation.ended_at is None:
        return
    evaluation.status = status if status in {Status.STOPPED, Status.ENTERED_IN_ERROR} else Status.SIGNED
    evaluation.age_when_signed = evaluation.age
    evaluation.signed_at = evaluation.ended_at
    evaluation.signed_by = evaluation.started_by
    evaluation.version += 1
    evaluation.digest = signing.digest_of(evaluation)
    evaluation.save()
    for one in addenda:
        Addendum.objects.create(
            evaluation=evaluation,
            text=one["text"],
            reason=one["reason"],
            by=examiner(one.get("by") or evaluation.examiner),
            at=datetime.fromisoformat(one["at"]),
        )


def answer(
    patient: Patient,
    evaluation: Evaluation | None,
    answers: dict[str, str],
    resolutions: dict,
    *,
    by: User,
    at: datetime,
    measured: Collection[str] = (),
) -> None:
    """Write the answers of the screen, and an event for each that was not a no; closed where its resolution allows.

    The events of what was `measured` are for `raise_measured`.
    """
    RedFlagAnswer.objects.bulk_create(
        RedFlagAnswer(patient=patient, evaluation=evaluation, code=code, answer=given, by=by, at=at)
        for code, given in answers.items()
    )
    for code, given in answers.items():
        if given != "no" and code not in measured:
            _event(patient, evaluation, code, given, resolutions.get(code), by=by, at=at)


def raise_measured(evaluation: Evaluation, codes: Collection[str], resolutions: dict) -> None:
    """Raise what the values of the evaluation say although its screen did not; call it before `close`."""
    at, by = evaluation.started_at, evaluation.started_by
    RedFlagAnswer.objects.bulk_create(
        RedFlagAnswer(
            patient=evaluation.patient, evaluation=evaluation, code=code, answer="yes", is_automatic=True, by=by, at=at
        )
        for code in codes
    )
    for code in codes:
        _event(evaluation.patient, evaluation, code, "yes", resolutions.get(code), by=by, at=at)


def _event(patient, evaluation, code, given, resolution, *, by, at):
    said = resolution if isinstance(resolution, dict) else {"resolution": resolution}
    event = RedFlagEvent(
        patient=patient,
        evaluation=evaluation,
        code=code,
        tier=catalogue.RED_FLAGS[code].tier,
        answer=given,
        opened_at=at,
        opened_by=by,
        # What was noted and closes nothing at this tier is kept beside the open event.
        detail={name: value for name, value in said.items() if value is not None},
    )
    if red_flags.closes(said["resolution"], event):
        event.resolution, event.rationale = said["resolution"], said.get("rationale") or "As the chart brought in says."
        event.restrictions = said.get("restrictions") or []
        event.resolved_at, event.resolved_by = at, by
    event.save()
