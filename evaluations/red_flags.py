"""Red flags: asked before the neck is touched, never forgotten, closed only by a clinician.

The only writer of RedFlagAnswer and RedFlagEvent. Answers are added, never changed: a later "no" leaves the "yes"
standing until somebody resolves it (reference 1.4).
"""

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import clean_note
from evaluations import catalogue, finding_rows
from evaluations.checking import Checked
from evaluations.models import Evaluation, RedFlagAnswer, RedFlagEvent
from patients import sight
from patients.models import Patient

NOT_ASKED = "not_asked"
UNANSWERED = {"unknown", "declined", NOT_ASKED}
RESTRICTIONS = (
    "no_hvla", "no_end_range_rotation", "instrument_only", "no_manual_neck_care", "no_manual_thrust",
    "no_deep_pressure", "no_xray", "guardian_present",
)  # fmt: skip
_EXTERNAL = ("name", "date", "document")
_REFERRAL = ("destination", "reason", "date", "how_sent")
# What unblocks at each tier, and what has to be written down for it.
RESOLUTIONS = {
    "emergency": {"cleared_external": _EXTERNAL, "corrected_dual": ()},
    "urgent": {"cleared_external": _EXTERNAL, "referred_no_manual_care": _REFERRAL, "corrected": ()},
    "caution": {
        "acknowledged_modified": (),
        "acknowledged_no_change": (),
        "cleared_external": _EXTERNAL,
        "corrected": (),
    },
}
LEAST_RATIONALE = 20
LONGEST_TEXT = 2000


def questions() -> list[catalogue.RedFlag]:
    return list(catalogue.RED_FLAGS.values())


def current_answers(patient: Patient) -> dict[str, str]:
    """The latest answer to each question that was ever asked."""
    return dict(patient.red_flag_answers.order_by("at", "pk").values_list("code", "answer"))


def answers_of(evaluation: Evaluation) -> dict[str, str]:
    return dict(evaluation.red_flag_answers.order_by("at", "pk").values_list("code", "answer"))


def unanswered(evaluation: Evaluation) -> list[catalogue.RedFlag]:
    """The full list is asked at every evaluation; what was not asked in this one."""
    asked = set(answers_of(evaluation))
    return [flag for flag in questions() if flag.code not in asked]


def open_events(patient: Patient) -> list[RedFlagEvent]:
    return list(RedFlagEvent.objects.filter(patient=patient, resolved_at=None))


def blocks_care(patient: Patient) -> list[RedFlagEvent]:
    """What stands between the patient and care of the neck, at every location; empty when nothing does.

    Besides the open events, an unsaved event with the answer `not_asked` for each question never asked.
    """
    asked = set(current_answers(patient))
    never = [
        RedFlagEvent(patient=patient, code=flag.code, tier=flag.tier, answer=NOT_ASKED)
        for flag in questions()
        if flag.code not in asked
    ]
    return open_events(patient) + never


@transaction.atomic
def answer(*, patient: Patient, evaluation: Evaluation | None, answers: dict[str, str], by: User) -> list[RedFlagEvent]:
    """Add answers; everything but "no" opens an event. Returns the events that were opened.

    An event opened because nobody knew is closed by the answer that came later.
    """
    sight.require(by, "evaluation.write", patient)
    _check_answers(answers)
    if evaluation is not None and evaluation.is_signed:
        raise RuleBroken("The evaluation is signed; write an addendum.", code="signed")
    Patient.objects.select_for_update().get(pk=patient.pk)  # one open event a flag, also under two clicks at once
    before = answers_of(evaluation) if evaluation else current_answers(patient)
    new = {code: given for code, given in answers.items() if before.get(code) != given}
    _add_answers(patient, evaluation, new, by=by)
    waiting = {event.code: event for event in open_events(patient)}
    opened = []
    for code, given in new.items():
        event = waiting.get(code)
        if event and event.answer in UNANSWERED and given not in UNANSWERED:
            _close(event, "answered_later", by=by, rationale=f"Answered {given}.")
            event = None
        if event is None and given != "no":
            opened.append(_open(patient, evaluation, code, given, by=by))
    if new:
        audit.record("red_flags.answered", on=evaluation or patient, by=by, answers=new, before=before)
    return opened


@transaction.atomic
def raise_automatic(evaluation: Evaluation, codes: set[str], *, by: User) -> list[RedFlagEvent]:
    """Open events for what was measured, whatever was answered; each once in an evaluation."""
    if not codes:
        return []
    raised = set(evaluation.red_flag_answers.filter(is_automatic=True).values_list("code", flat=True))
    new = sorted(codes - raised)
    if not new:
        return []
    patient = evaluation.patient
    _add_answers(patient, evaluation, dict.fromkeys(new, "yes"), by=by, is_automatic=True)
    waiting = {event.code: event for event in open_events(patient)}
    for code in new:
        if code in waiting and waiting[code].answer in UNANSWERED:
            _close(waiting.pop(code), "answered_later", by=by, rationale="Raised by a measurement.")
    audit.record("red_flags.raised", on=evaluation, by=by, codes=new)
    return [_open(patient, evaluation, code, "yes", by=by) for code in new if code not in waiting]


def _check_answers(answers):
    faults = {}
    if not isinstance(answers, dict):
        faults["red_flags"] = "Give an object of codes and answers."
        answers = {}
    for code, given in answers.items():
        if code not in catalogue.RED_FLAGS:
            faults[f"red_flags.{str(code)[:40]}"] = "There is no such question."
        elif given not in RedFlagAnswer.Answer.values:
            faults[f"red_flags.{code}"] = f"Give one of {', '.join(RedFlagAnswer.Answer.values)}."
    if faults:
        raise RuleBroken("; ".join(faults.values()), code="invalid_answer", fields=faults, status=400)


def _add_answers(patient, evaluation, answers, *, by, is_automatic=False):
    now = times.now()
    RedFlagAnswer.objects.bulk_create(
        RedFlagAnswer(
            patient=patient, evaluation=evaluation, code=code, answer=given, is_automatic=is_automatic, by=by, at=now
        )
        for code, given in answers.items()
    )


def _open(patient, evaluation, code, given, *, by):
    event = RedFlagEvent.objects.create(
        patient=patient,
        evaluation=evaluation,
        code=code,
        tier=catalogue.RED_FLAGS[code].tier,
        answer=given,
        opened_at=times.now(),
        opened_by=by,
    )
    audit.record("red_flag.opened", on=event, by=by, code=code, answer=given)
    return event


def _close(event, resolution, *, by, rationale, detail=None, restrictions=()):
    event.resolution, event.rationale, event.detail = resolution, rationale, detail or {}
    event.restrictions = list(restrictions)
    event.resolved_by, event.resolved_at = by, times.now()
    event.save(
        update_fields=["resolution", "rationale", "detail", "restrictions", "resolved_by", "resolved_at"],
    )
    audit.record("red_flag.resolved", on=event, by=by, code=event.code, resolution=resolution)


def resolutions_for(event: RedFlagEvent) -> dict[str, tuple[str, ...]]:
    """What may close the event, each with the details it needs."""
    if event.answer not in UNANSWERED:
        return RESOLUTIONS[event.tier]
    if event.tier == "emergency":  # it has to be asked again
        return {"answered_later": ()}
    return {"answered_later": (), "acknowledged_unanswered": ()}


def may_resolve(event: RedFlagEvent, by: User) -> bool:
    """Clinicians of the patient's locations; never the desk, never the patient."""
    return (
        hasattr(by, "practitioner")
        and Patient.objects.visible_to(by, "red_flag.resolve").filter(pk=event.patient_id).exists()
    )


@transaction.atomic
def resolve(
    event: RedFlagEvent,
    *,
    resolution: str,
    by: User,
    rationale: str,
    detail: dict | None = None,
    restrictions: tuple[str, ...] | list[str] = (),
) -> RedFlagEvent:
    """Close an event as its tier allows.

    `corrected_dual` takes two clinicians: the first call leaves the event open and waiting for the second.
    """
    event = RedFlagEvent.objects.select_for_update().get(pk=event.pk)
    if event.resolved_at is not None:
        raise RuleBroken("This was resolved already.", code="resolved")
    if not may_resolve(event, by):
        raise RuleBroken("Only a clinician of the patient's locations resolves a red flag.", code="not_a_clinician")
    _check_resolution(event, resolution, rationale, detail or {}, restrictions)
    if resolution == "corrected_dual" and event.proposed_by_id in {None, by.pk}:
        if event.proposed_by_id == by.pk:
            raise RuleBroken("A second clinician has to confirm the correction.", code="second_clinician")
        event.proposed_by, event.rationale = by, rationale
        event.save(update_fields=["proposed_by", "rationale"])
        audit.record("red_flag.correction_proposed", on=event, by=by, code=event.code)
        return event
    if resolution == "corrected_dual":
        rationale = f"{event.rationale}\nConfirmed: {rationale}"
    if resolution == "referred_no_manual_care":
        restrictions = [*restrictions, "no_manual_neck_care"]
    _close(event, resolution, by=by, rationale=rationale, detail=detail, restrictions=dict.fromkeys(restrictions))
    return event


def _check_resolution(event, resolution, rationale, detail, restrictions):
    faults = {}
    allowed = resolutions_for(event)
    if resolution not in allowed:
        faults["resolution"] = f"A flag of this kind is closed by {' or '.join(allowed)}."
    least = LEAST_RATIONALE if event.tier == "caution" else 1
    if not isinstance(rationale, str) or len(rationale.strip()) < least:
        faults["rationale"] = f"Say why, in at least {least} characters."
    elif text := _bad_text(rationale):
        faults["rationale"] = text
    for name in allowed.get(resolution, ()):
        value = detail.get(name)
        if not isinstance(value, str) or not value.strip():
            faults[f"detail.{name}"] = "This is needed."
        elif text := _bad_text(value):
            faults[f"detail.{name}"] = text
    if set(restrictions) - set(RESTRICTIONS):
        faults["restrictions"] = f"Choose from {', '.join(RESTRICTIONS)}."
    if faults:
        raise RuleBroken("; ".join(faults.values()), code="invalid_resolution", fields=faults, status=400)


def _bad_text(text):
    if len(text) > LONGEST_TEXT:
        return f"At most {LONGEST_TEXT} characters."
    try:
        clean_note(text)
    except ValidationError as error:
        return error.messages[0]
    return ""


@transaction.atomic
def stop(evaluation: Evaluation, *, by: User) -> Evaluation:
    """Stop for safety: what is not recorded yet is deferred, and the rest stays as it is."""
    current = Evaluation.objects.select_for_update().get(pk=evaluation.pk)
    sight.require(by, "evaluation.write", evaluation.patient)
    if current.is_signed:
        raise RuleBroken("The evaluation is signed; write an addendum.", code="signed")
    if current.status == Evaluation.Status.STOPPED:
        return current
    rows = list(current.findings.values_list("code", "qualifier_key"))
    recorded = set(rows)
    rest = [
        Checked(entry.code, "deferred_unsafe", place, reason="Stopped for safety.")
        for entry in catalogue.FINDINGS.values()
        for place in entry.places()
        # A finding recorded for both sides at once has no side in its key.
        if not recorded & {(entry.code, catalogue.key_of(p)) for p in (place, _without_side(place))}
    ]
    finding_rows.write(current, rest, by=by)
    current.status = Evaluation.Status.STOPPED
    current.ended_at = times.now()
    current.version += 1
    current.save(update_fields=["status", "ended_at", "version"])
    for name in ("status", "ended_at", "version"):
        setattr(evaluation, name, getattr(current, name))
    audit.record("evaluation.stopped", on=current, by=by, deferred=len(rest))
    return current


def _without_side(place):
    return {name: value for name, value in place.items() if name != "side"}
