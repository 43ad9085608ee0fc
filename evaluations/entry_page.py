"""The page on which an evaluation is filled in: every part with what is missing in it, the clock, and what follows."""

from dataclasses import dataclass

from evaluations import catalogue, form_rows, measures, red_flags, results, spine, summary
from evaluations.models import Evaluation, Finding, RedFlagAnswer

ON_PACE_SECONDS = 120  # a difference from the plan that is not worth a word


@dataclass
class PartOfPage:
    """One part: its sections, or questions, scores or the conclusion; the seconds spent on it."""

    part: catalogue.Part
    sections: list[form_rows.Section]
    seconds: int
    unanswered: int = 0

    @property
    def missing(self) -> int:
        """How much is looked for and has no status yet."""
        return self.unanswered + sum(missing_in(section) for section in self.sections)

    @property
    def clock(self) -> str:
        return f"{self.seconds // 60}:{self.seconds % 60:02}"

    @property
    def is_over(self) -> bool:
        return self.seconds > self.part.minutes * 60


def missing_in(section: form_rows.Section) -> int:
    return sum(cell.is_expected and not cell.status for cell in section.cells)


def last_signed(evaluation: Evaluation) -> Evaluation | None:
    """The signed evaluation before this one: what its values are carried forward from."""
    before = evaluation.patient.evaluations.filter(signed_at__isnull=False, started_at__lt=evaluation.started_at)
    return before.select_related("location").order_by("started_at", "pk").last()


def findings_of(evaluation: Evaluation, last: Evaluation | None) -> tuple[list[Finding], list[Finding]]:
    """What is recorded now, and what was last time; one query."""
    now, before = [], []
    for row in Finding.objects.filter(evaluation__in=[evaluation, *([last] if last else [])]):
        (now if row.evaluation_id == evaluation.pk else before).append(row)
    return now, before


def parts_of(evaluation: Evaluation, findings: list[Finding], before: list[Finding]) -> list[PartOfPage]:
    return [
        PartOfPage(part, form_rows.sections_of(part, findings, before), evaluation.section_seconds.get(part.code, 0))
        for part in catalogue.PARTS
    ]


def context(evaluation: Evaluation, parts: list[PartOfPage], findings, *, last, answers=None, outcomes=None) -> dict:
    """Everything the template shows; `answers` and `outcomes` are what was typed where that was refused."""
    answers = red_flags.answers_of(evaluation) if answers is None else answers
    parts[0].unanswered = len(catalogue.RED_FLAGS) - len(answers)
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
        "missing": sum(one.missing for one in parts),
        "open_events": events,
        "has_emergency": any(event.tier == "emergency" for event in events),
        "questions": [(flag, answers.get(flag.code, "")) for flag in red_flags.questions()],
        "answer_choices": RedFlagAnswer.Answer.choices,
        "outcomes": outcome_rows(evaluation.measures if outcomes is None else outcomes),
        "items": item_rows(evaluation.measures if outcomes is None else outcomes),
        "pace": pace(evaluation),
    }


def outcome_rows(values):
    return [(measure, values.get(measure.code)) for measure in measures.MEASURES.values()]


def item_rows(values):
    """The instruments whose items are typed: (code, label, most, [(number, value)])."""
    rows = []
    for code, (many, most, _) in measures.LISTS.items():
        given = values.get(code) or []
        typed = [(n + 1, given[n] if n < len(given) else None) for n in range(many)]
        rows.append((code, measures.LIST_LABELS[code], most, typed))
    return rows


def pace(evaluation: Evaluation) -> dict:
    """How the hour goes: spent and booked minutes, and by how much the parts begun are over or under their plan."""
    visit = evaluation.appointment
    booked = (visit.ends_at - visit.starts_at).total_seconds() / 60 if visit else catalogue.BUDGET_MINUTES
    spent = sum(evaluation.section_seconds.values())
    return {
        "booked": round(booked),
        "until": visit.ends_at if visit else None,
        "spent": spent // 60,
        "words": pace_words(evaluation.section_seconds),
        "share": min(100, round(spent / 60 / booked * 100)) if booked else 100,
    }


def pace_words(seconds: dict[str, int]) -> str:
    """Only what is over counts: a part that took less has not lost anything yet."""
    over = sum(max(0, seconds.get(part.code, 0) - part.minutes * 60) for part in catalogue.PARTS)
    return f"{over // 60} min over the plan" if over >= ON_PACE_SECONDS else "on pace"
