"""The page on which an evaluation is filled in: every part with what is missing in it, the clock, and what follows."""

from dataclasses import dataclass

from clinic import times
from evaluations import catalogue, measures, results, summary
from evaluations.entry import form_rows, muscles, pacing, spine
from evaluations.models import Evaluation, Finding, RedFlagAnswer
from evaluations.safety import deferring, red_flags


@dataclass
class PartOfPage:
    """One part: its sections, or questions, scores or the conclusion; the seconds spent on it."""

    part: catalogue.Part
    sections: list[form_rows.Section]
    seconds: int
    budget: int
    unanswered: int = 0

    @property
    def missing(self) -> int:
        """How much is looked for and has no status yet."""
        return self.unanswered + sum(missing_in(section) for section in self.sections)

    @property
    def clock(self) -> str:
        return pacing.clock(self.seconds)

    @property
    def budget_words(self) -> str:
        return pacing.budget_words(self.budget)

    @property
    def is_over(self) -> bool:
        return self.seconds > self.budget


def missing_in(section: form_rows.Section) -> int:
    return sum(cell.is_expected and not cell.is_said for cell in section.cells)


def last_signed(evaluation: Evaluation) -> Evaluation | None:
    """The signed evaluation before this one: what its values are carried forward from."""
    before = evaluation.patient.evaluations.in_force().filter(started_at__lt=evaluation.started_at)
    return before.select_related("location").order_by("started_at", "pk").last()


def findings_of(evaluation: Evaluation, last: Evaluation | None) -> tuple[list[Finding], list[Finding]]:
    """What is recorded now, and what was last time; one query."""
    now, before = [], []
    for row in Finding.objects.filter(evaluation__in=[evaluation, *([last] if last else [])]):
        (now if row.evaluation_id == evaluation.pk else before).append(row)
    return now, before


def parts_of(evaluation: Evaluation, findings: list[Finding], before: list[Finding]) -> list[PartOfPage]:
    minutes, clocks = booked(evaluation), evaluation.section_seconds
    return [
        PartOfPage(
            part,
            form_rows.sections_of(part, findings, before),
            clocks.get(part.code, 0),
            pacing.budget(part, minutes),
        )
        for part in catalogue.PARTS
    ]


def context(
    evaluation: Evaluation, parts: list[PartOfPage], findings, *, last, answers=None, outcomes=None, conclusion=None
) -> dict:
    """Everything the template shows; the last three are what was typed where that was refused."""
    answers = red_flags.answers_of(evaluation) if answers is None else answers
    scores = evaluation.measures if outcomes is None else outcomes
    is_first = evaluation.kind == Evaluation.Kind.INITIAL
    _count_the_rest(parts, evaluation, answers, measures.missing(scores, is_first=is_first), conclusion)
    events = red_flags.open_events(evaluation.patient)
    found = results.of(findings, evaluation.measures, summary.who(evaluation))
    departing = set(found["outside"])
    cells = [cell for one in parts for section in one.sections for cell in section.cells]
    for cell in cells:
        cell.departs = cell.name in departing
    return {
        "evaluation": evaluation,
        "parts": parts,
        "sections": [section for one in parts for section in one.sections],
        "last": last,
        "results": found["results"],
        "spine": spine.drawing(),
        "muscles": muscles.views(),
        "missing": sum(one.missing for one in parts),
        "open_events": events,
        "left_out": deferring.reason(events),
        "has_emergency": any(event.tier == "emergency" for event in events),
        "emergencies": red_flags.emergencies_of(events),
        "questions": [(flag, answers.get(flag.code, "")) for flag in red_flags.questions()],
        "answer_choices": RedFlagAnswer.Answer.choices,
        "outcomes": outcome_rows(scores, expected=measures.expected(is_first=is_first)),
        "origins": list(measures.ORIGIN_WORDS.items()),
        "origin": scores.get(measures.ORIGIN),
        "is_counted": measures.is_counted(scores),
        "counted": measures.COUNTED,
        "items": item_rows(scores),
        "eq_state": scores.get(measures.EQ_STATE),
        "pace": pace(evaluation),
        "until": evaluation.appointment and evaluation.appointment.ends_at,
    }


def _count_the_rest(parts, evaluation, answers, unasked, conclusion) -> None:
    """What is missing and is no finding: the intake, answers, scores, the conclusion."""
    missing = {
        "history": int(evaluation.intake is None),
        "red_flags": len(catalogue.RED_FLAGS) - len(answers),
        "outcomes": len(unasked),
        "summary": int(not (conclusion or evaluation.conclusion).strip()),
    }
    for one in parts:
        one.unanswered = missing.get(one.part.code, 0)


def outcome_rows(values, *, expected):
    """(measure, value, is it expected, was it said that it was not asked)."""
    return [
        (measure, values.get(code), code in expected, code in values and values[code] is None)
        for code, measure in measures.MEASURES.items()
    ]


def item_rows(values):
    """The instruments whose items are typed: (code, label, what an item may be, [(number, value)], how many are needed
    where it is expected, was it not asked)."""
    rows = []
    for code, (many, _, _) in measures.LISTS.items():
        given = values.get(code) or []
        typed = [(n + 1, given[n] if n < len(given) else None) for n in range(many)]
        least, not_asked = measures.LEAST_ANSWERED.get(code), code in values and values[code] is None
        rows.append((code, measures.LIST_LABELS[code], measures.item_words(code), typed, least, not_asked))
    return rows


def pace(evaluation: Evaluation) -> pacing.Pace:
    visit = evaluation.appointment
    starts_at = visit.starts_at if visit else evaluation.started_at
    return pacing.of(evaluation.section_seconds, starts_at=starts_at, booked=booked(evaluation), now=times.now())


def history_clock(evaluation: Evaluation) -> PartOfPage:
    """Of the page on which the history is taken."""
    part = catalogue.PART_BY_CODE["history"]
    return PartOfPage(part, [], evaluation.section_seconds.get(part.code, 0), pacing.budget(part, booked(evaluation)))


def booked(evaluation: Evaluation) -> int:
    """The minutes of the visit."""
    visit = evaluation.appointment
    return pacing.booked_minutes(visit and visit.starts_at, visit and visit.ends_at)
