"""What the comparison page shows: lines by section, paired bars for range of motion, a trend for each score."""

from dataclasses import dataclass, field

from evaluations import catalogue, clusters, comparison, field_words, scoring
from evaluations.comparison import Change, Score, Taken
from evaluations.entry import normals
from evaluations.models import Evaluation, Finding
from evaluations.readings import Readings

# Of the drawings, in their own units.
BAR_WIDTH, BAR_MOST, LABEL = 480, 120, 150
TREND_WIDTH, TREND_HEIGHT, TREND_MARGIN = 300, 84, 10


@dataclass(frozen=True)
class Shown:
    """One line in words."""

    label: str
    place: str
    baseline: str
    last: str
    now: str
    change: str
    verdict: str
    limits: str = ""  # of a score with more than one published limit, which of them the change reaches

    @property
    def is_change(self):
        return self.verdict not in {"", comparison.SAME, comparison.WITHIN}


@dataclass(frozen=True)
class Section:
    """What is to be read at once, and what is as it was."""

    label: str
    lines: list[Shown] = field(default_factory=list)
    same: list[Shown] = field(default_factory=list)


@dataclass(frozen=True)
class Bar:
    """`baseline` is None too where it was measured in another way: a picture beside it would compare the two."""

    motion: str
    baseline: int | None
    now: int | None
    baseline_width: float
    now_width: float
    normal_x: float
    verdict: str


@dataclass(frozen=True)
class Trend:
    """`runs` are stretches without a gap, each as the points of a polyline; `marks` are (x, y, words)."""

    label: str
    runs: list[str]
    marks: list[tuple[float, float, str]]
    first: str
    latest: str


@dataclass(frozen=True)
class Compared:
    """An evaluation beside the patient's first and last one before it; no `first` where it is itself the first."""

    history: list[Evaluation]
    first: Evaluation | None
    last: Evaluation | None
    findings: list[Change]
    scores: list[Change]
    taken: tuple[Taken, Taken | None, Taken]  # baseline, last, now

    @property
    def now(self) -> Taken:
        return self.taken[2]


def compared(evaluation: Evaluation) -> Compared:
    """Two queries, however many evaluations the patient has. Drafts count only as the one that is looked at.

    Without anything before it every baseline is a gap.
    """
    history = [
        one
        for one in evaluation.patient.evaluations.select_related("location", "withdrawal").order_by("started_at", "pk")
        if one.pk == evaluation.pk or (one.is_in_force and one.started_at < evaluation.started_at)
    ]
    before = [one for one in history if one.pk != evaluation.pk]
    first, last = before[0] if before else None, before[-1] if len(before) > 1 else None
    wanted = {one.pk for one in (first, last, evaluation) if one}
    rows = {pk: [] for pk in wanted}
    for row in Finding.objects.filter(evaluation__in=wanted):
        rows[row.evaluation_id].append(row)
    baseline, latest, now = (
        Taken(Readings(rows[one.pk]), one.measures) if one else None for one in (first, last, evaluation)
    )
    baseline = baseline or Taken(Readings([]), {})
    return Compared(
        history,
        first,
        last,
        comparison.findings(baseline, latest, now),
        comparison.scores(baseline, latest, now),
        (baseline, latest, now),
    )


def context(evaluation: Evaluation) -> dict:
    """What the clinician's page shows; empty for a first evaluation."""
    found = compared(evaluation)
    if found.first is None:
        return {"history": found.history, "sections": [], "scores": [], "bars": [], "trends": []}
    return {
        "history": found.history,
        "first": found.first,
        "last": found.last,
        "sections": _sections(found),
        "scores": [_score(line) for line in found.scores],
        "bars": bars(found.findings),
        "trends": trends(found.history),
    }


def _sections(compared: Compared) -> list[Section]:
    found: dict[str, Section] = {}
    for line in compared.findings:
        entry = catalogue.FINDINGS[line.code]
        section = found.setdefault(entry.section, Section(catalogue.SECTIONS[entry.section]))
        (section.same if line.verdict == comparison.SAME else section.lines).append(_shown(entry, line, compared.taken))
    return [found[code] for code in catalogue.SECTIONS if code in found]


def _shown(entry, line: Change, taken) -> Shown:
    unit = normals.UNITS.get(entry.unit, entry.unit)
    place = ", ".join(field_words.spoken(line.place[name]) for name in entry.allowed if name in line.place)
    values = [_words(entry, value, unit) for value in (line.baseline, line.last, line.now)]
    values[1] = _of_last(line, values[1])
    values = [words or absent(entry, line.place, one) for words, one in zip(values, taken, strict=True)]
    return Shown(entry.label, place, *values, _plus(line.change, unit), line.verdict)


def absent(entry, place: dict, taken: Taken | None) -> str:
    """What stands in the place of a value: refused, deferred for safety, …; empty where nothing was recorded."""
    status = taken.readings.status(entry.code, **place) if taken else ""
    return "" if status == Finding.Status.ASSESSED else _STATUS.get(status, "")


_STATUS = {value: words.lower() for value, words in Finding.Status.choices}


def _of_last(line: Change, words: str) -> str:
    return words if line.is_last_comparable else f"{words} (not surely measured as now)"


def _words(entry, value, unit) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(field_words.spoken(one) for one in value) or "none"
        case str():
            return value or "no listing" if entry.kind == "listing" else field_words.spoken(value)
    if not entry.directions:
        return with_unit(value, unit)
    toward = entry.directions[0] if value < 0 else entry.directions[1] if value > 0 else ""
    return f"{with_unit(abs(value), unit)} {toward}".strip()


def with_unit(value, unit) -> str:
    return f"{value}{unit}" if not unit or unit.startswith("°") else f"{value} {unit}"


def _plus(change, unit) -> str:
    """`+10°`, `−6`: a true minus sign, and a plus where it rose."""
    if change is None:
        return ""
    words = with_unit(abs(change), unit)
    return f"+{words}" if change > 0 else f"−{words}" if change < 0 else words


def _score(line: Change) -> Shown:
    score = comparison.SCORES[line.code]
    values = ["" if value is None else with_unit(value, score.unit) for value in (line.baseline, line.last, line.now)]
    values[1] = _of_last(line, values[1])
    reached = scoring.limits(line.code, line.change, line.baseline)
    limits = "; ".join(f"{words}: {'reached' if yes else 'not reached'}" for words, yes in reached)
    return Shown(score.label, "", *values, _plus(line.change, score.unit), line.verdict, limits)


def bars(lines: list[Change]) -> list[Bar]:
    found = {
        line.code.removeprefix("rom_"): line
        for line in lines
        if line.code.startswith("rom_") and line.place.get("mode") == "active" and len(line.place) == 1
    }
    return [
        _bar(field_words.heading(motion), found[motion], normal)
        for motion, normal in clusters.NORMAL_MOTION.items()
        if motion in found
    ]


def _bar(motion: str, line: Change, normal: int) -> Bar:
    before = None if line.verdict in comparison.NOT_COMPARED else line.baseline
    return Bar(motion, before, line.now, _width(before), _width(line.now), LABEL + _width(normal), line.verdict)


def _width(degrees) -> float:
    return round((degrees or 0) * (BAR_WIDTH - LABEL) / BAR_MOST, 1)


def trends(history: list[Evaluation]) -> list[Trend]:
    taken = [Taken(Readings([]), one.measures) for one in history]
    days = [one.started_at for one in history]
    found = []
    for score in comparison.SCORES.values():
        values = comparison.trend(score, taken)
        if sum(value is not None for value in values) > 1:
            found.append(_trend(score, days, values))
    return found


def _trend(score: Score, days, values) -> Trend:
    span = (days[-1] - days[0]).total_seconds() or 1
    wide, high = TREND_WIDTH - 2 * TREND_MARGIN, TREND_HEIGHT - 2 * TREND_MARGIN
    most = max([score.most, *(float(value) for value in values if value is not None)])
    runs, marks, run = [], [], []
    for day, value in zip(days, values, strict=True):
        if value is None:
            runs, run = [*runs, run], []
            continue
        x = round(TREND_MARGIN + wide * (day - days[0]).total_seconds() / span, 1)
        share = (float(value) - score.least) / (most - score.least)
        y = round(TREND_MARGIN + high * (1 - min(max(share, 0), 1)), 1)
        run.append(f"{x},{y}")
        marks.append((x, y, f"{day:%B} {day.day}, {day.year}: {with_unit(value, score.unit)}"))
    taken = [value for value in values if value is not None]
    runs = [" ".join(points) for points in [*runs, run] if len(points) > 1]
    return Trend(score.label, runs, marks, with_unit(taken[0], score.unit), with_unit(taken[-1], score.unit))
