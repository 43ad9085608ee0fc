"""Red flags: asked before the neck is touched, never forgotten, closed only by a clinician.

The only writer of RedFlagAnswer and RedFlagEvent. Answers are added, never changed: a later "no" leaves the "yes"
standing until somebody resolves it (reference 1.4).
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.text import clean_note
from evaluations import catalogue, finding_rows
from evaluations.entry import drafts
from evaluations.models import Evaluation, RedFlagAnswer, RedFlagEvent
from patients import sight
from patients.models import Patient

NOT_ASKED = "not_asked"
UNANSWERED = {"unknown", "declined", NOT_ASKED}
ANSWERED_LATER = "answered_later"
RESTRICTIONS = (
    "no_hvla", "no_end_range_rotation", "instrument_only", "no_manual_neck_care", "no_manual_thrust",
    "no_deep_pressure", "no_xray", "guardian_present",
)  # fmt: skip
MODIFIED = "acknowledged_modified"
_EXTERNAL = ("name", "date", "document")
_REFERRAL = ("destination", "reason", "date", "how_sent")
# What unblocks at each tier, and what has to be written down for it.
RESOLUTIONS = {
    "emergency": {"cleared_external": _EXTERNAL, "corrected_dual": ()},
    "urgent": {"cleared_external": _EXTERNAL, "referred_no_manual_care": _REFERRAL, "corrected": ()},
    "caution": {
        MODIFIED: (),
        "acknowledged_no_change": (),
        "cleared_external": _EXTERNAL,
        "corrected": (),
    },
}
CORRECTIONS = {"corrected", "corrected_dual"}  # the value that raised the flag was entered by mistake
BY_PATIENT = "patient"
LEAST_RATIONALE = 20
LONGEST_TEXT = 2000


def questions() -> list[catalogue.RedFlag]:
    return list(catalogue.RED_FLAGS.values())


def current_answers(patient: Patient) -> dict[str, str]:
    """The latest answer to each question that was ever asked; what was entered in error did not ask."""
    counted = patient.red_flag_answers.filter(evaluation__withdrawal=None)
    return dict(counted.order_by("at", "pk").values_list("code", "answer"))


def answers_of(evaluation: Evaluation) -> dict[str, str]:
    """The latest answer to each question here; what a value raised outlives every "no" (reference 1.4)."""
    return dict(evaluation.red_flag_answers.order_by("is_automatic", "at", "pk").values_list("code", "answer"))


def raised_in(evaluation: Evaluation) -> list[str]:
    """What a value raised here; the answer is yes, whatever else was answered."""
    return sorted(set(evaluation.red_flag_answers.filter(is_automatic=True).values_list("code", flat=True)))


def unanswered(evaluation: Evaluation) -> list[catalogue.RedFlag]:
    """The full list is asked at every evaluation; what was not asked in this one."""
    asked = set(answers_of(evaluation))
    return [flag for flag in questions() if flag.code not in asked]


def open_events(patient: Patient) -> list[RedFlagEvent]:
    return list(RedFlagEvent.objects.filter(patient=patient, resolved_at=None))


def open_as_of(patient: Patient, moment: datetime | None) -> list[RedFlagEvent]:
    """What was open at an instant; now without one. A signed report keeps saying what it said on its day."""
    if moment is None:
        return open_events(patient)
    open_then = Q(resolved_at=None) | Q(resolved_at__gt=moment)
    return list(RedFlagEvent.objects.filter(open_then, patient=patient, opened_at__lte=moment))


def emergencies_of(events: Iterable[RedFlagEvent]) -> list[str]:
    """Codes of the emergency signs among them that are there; what nobody knew is none."""
    return [event.code for event in events if event.tier == "emergency" and event.answer not in UNANSWERED]


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
def answer(
    *,
    patient: Patient,
    evaluation: Evaluation | None,
    answers: dict[str, str],
    by: User,
    before: dict[str, str] | None = None,
) -> list[RedFlagEvent]:
    """Add answers; everything but "no" opens an event. Returns the events that were opened.

    An event opened because nobody knew is closed by the answer that came later. `before` is what was answered at the
    same visit already, where it has no evaluation: a "yes" of last week says nothing about today's. An evaluation gets
    a new version: whoever read it before does not sign over the answers.
    """
    sight.require(by, "evaluation.write", patient)
    if evaluation is None:
        return _answer(patient, None, answers, by=by, before=before)
    current = drafts.held(evaluation, by=by)
    opened = answer_held(current, answers, by=by)
    current.version += 1
    current.save(update_fields=["version"])
    evaluation.version = current.version
    return opened


def answer_held(evaluation: Evaluation, answers: dict[str, str], *, by: User) -> list[RedFlagEvent]:
    """As `answer`, for a save that holds the evaluation and raises its version."""
    return _answer(evaluation.patient, evaluation, answers, by=by)


def _answer(patient, evaluation, answers, *, by, before=None):
    _check_answers(answers)
    Patient.objects.select_for_update().get(pk=patient.pk)  # one open event a flag, also under two clicks at once
    if evaluation is not None:
        before = answers_of(evaluation)
    elif before is None:
        before = current_answers(patient)
    new = {code: given for code, given in answers.items() if before.get(code) != given}
    _add_answers(patient, evaluation, new, by=by)
    waiting = {event.code: event for event in open_events(patient)}
    opened = []
    for code, given in new.items():
        event = waiting.get(code)
        if event and event.answer in UNANSWERED and given not in UNANSWERED:
            _close(event, ANSWERED_LATER, by=by, rationale=f"Answered {given}.")
            event = None
        if event is None and given != "no":
            opened.append(_open(patient, evaluation, code, given, by=by))
    if new:
        audit.record("red_flags.answered", on=evaluation or patient, by=by, answers=new, before=before)
    return opened


@transaction.atomic
def told_by_patient(patient: Patient, answers: dict[str, str]) -> list[RedFlagEvent]:
    """What the patient answered alone, before a visit. Returns the events that a "yes" opened.

    A "no" is not an answer yet, until somebody at the clinic has asked; whatever else opens an event at once.
    """
    _check_answers(answers)
    Patient.objects.select_for_update().get(pk=patient.pk)
    told = {code: given for code, given in answers.items() if given != "no"}
    _add_answers(patient, None, told, by=None)
    waiting = {event.code: event for event in open_events(patient)}
    opened = []
    for code, given in told.items():
        event = waiting.get(code)
        if event and event.answer in UNANSWERED and given == "yes":
            _close(event, ANSWERED_LATER, by=None, rationale="Answered yes by the patient.")
            event = None
        if event is None:
            opened.append(_open(patient, None, code, given, by=None))
    if told:
        audit.record("red_flags.answered", on=patient, by_whom=BY_PATIENT, answers=told)
    return [event for event in opened if event.answer == "yes"]


@transaction.atomic
def stop_care(patient: Patient, evaluation: Evaluation, code: str, *, by: User) -> RedFlagEvent:
    """Care of the neck stops at every location until a clinician resolves the flag, which may be open already."""
    Patient.objects.select_for_update().get(pk=patient.pk)
    waiting = next((event for event in open_events(patient) if event.code == code), None)
    if waiting and waiting.answer not in UNANSWERED:
        return waiting
    _add_answers(patient, None, {code: "yes"}, by=by)  # a signed evaluation keeps the answers that it was signed with
    if waiting:
        _close(waiting, ANSWERED_LATER, by=by, rationale="Found worse when the plan was looked at again.")
    return _open(patient, evaluation, code, "yes", by=by)


@transaction.atomic
def raise_automatic(
    evaluation: Evaluation,
    codes: set[str],
    *,
    by: User,
    fresh: set[str] = frozenset(),
    changed: set[str] = frozenset(),
) -> list[RedFlagEvent]:
    """Open events for what was measured, whatever was answered.

    Each once in an evaluation, so that what a clinician resolved is not asked with every save. It is raised again when
    it is `fresh` (it did not follow from the values before this save), and when one of the values that this save
    `changed` raises it by itself although the flag was put down to a wrong entry.
    """
    if not codes:
        return []
    raised = set(raised_in(evaluation))
    new = (codes - raised) | _to_raise_again(evaluation, codes & raised & (fresh | changed), fresh)
    if not new:
        return []
    new = sorted(new)
    # Locked, since another evaluation of the patient may raise the same flag at the same time.
    patient = Patient.objects.select_for_update().get(pk=evaluation.patient_id)
    _add_answers(patient, evaluation, dict.fromkeys(new, "yes"), by=by, is_automatic=True)
    waiting = {event.code: event for event in open_events(patient)}
    for code in new:
        if code in waiting and waiting[code].answer in UNANSWERED:
            _close(waiting.pop(code), ANSWERED_LATER, by=by, rationale="Raised by a measurement.")
    audit.record("red_flags.raised", on=evaluation, by=by, codes=new)
    return [_open(patient, evaluation, code, "yes", by=by) for code in new if code not in waiting]


def _to_raise_again(evaluation, codes, fresh) -> set[str]:
    if not codes:
        return set()
    events = RedFlagEvent.objects.filter(patient=evaluation.patient_id, code__in=codes)
    last = {event.code: event for event in events.order_by("opened_at", "pk")}
    closed = {code for code in codes if code not in last or last[code].resolved_at is not None}
    return {code for code in closed if code in fresh or (code in last and last[code].resolution in CORRECTIONS)}


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
    audit.record("red_flag.opened", on=event, by=by, by_whom="" if by else BY_PATIENT, code=code, answer=given)
    return event


def _close(event, resolution, *, by, rationale, detail=None, restrictions=()):
    event.resolution, event.rationale, event.detail = resolution, rationale, detail or {}
    event.restrictions = list(restrictions)
    event.resolved_by, event.resolved_at = by, times.now()
    event.save(
        update_fields=["resolution", "rationale", "detail", "restrictions", "resolved_by", "resolved_at"],
    )
    whom = "" if by else BY_PATIENT
    audit.record("red_flag.resolved", on=event, by=by, by_whom=whom, code=event.code, resolution=resolution)


def resolutions_for(event: RedFlagEvent) -> dict[str, tuple[str, ...]]:
    """What a clinician may close the event with, each with the details it needs.

    What nobody answered is closed as "answered later" by the answer itself, never by hand; an emergency only so.
    """
    if event.answer not in UNANSWERED:
        return RESOLUTIONS[event.tier]
    return {} if event.tier == "emergency" else {"acknowledged_unanswered": ()}


def closes(resolution: str | None, event: RedFlagEvent) -> bool:
    """Whether the event counts as closed by what another system noted for it."""
    return resolution in resolutions_for(event) or (resolution == ANSWERED_LATER and event.answer in UNANSWERED)


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
    if not allowed:
        faults["resolution"] = "Nobody answered this yet: ask again in an evaluation."
    elif resolution not in allowed:
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
        elif text := _bad_text(value) or (_bad_day(value, event) if name == "date" else ""):
            faults[f"detail.{name}"] = text
    if resolution == MODIFIED and not restrictions:
        faults["restrictions"] = "Say how care is modified: choose at least one restriction."
    elif set(restrictions) - set(RESTRICTIONS):
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


def _bad_day(text, event):
    """Whoever was seen or written to, it was by now."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return "Give a date as 2027-01-31."
    today = event.patient.home_location.today()
    if day > today:
        return "This date is in the future."
    return "" if day >= event.patient.birth_date else "This is before the patient's birth."


@transaction.atomic
def stop(evaluation: Evaluation, *, by: User) -> Evaluation:
    """Stop for safety: what is not recorded yet is deferred, and the rest stays as it is."""
    current = drafts.held(evaluation, by=by)
    if current.status == Evaluation.Status.STOPPED:
        return current
    rest = finding_rows.unrecorded(current, catalogue.FINDINGS, reason="Stopped for safety.")
    finding_rows.write(current, rest, by=by)
    current.status = Evaluation.Status.STOPPED
    current.ended_at = times.now()
    current.version += 1
    current.save(update_fields=["status", "ended_at", "version"])
    for name in ("status", "ended_at", "version"):
        setattr(evaluation, name, getattr(current, name))
    audit.record("evaluation.stopped", on=current, by=by, deferred=len(rest))
    return current
