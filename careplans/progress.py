"""How plans go on: their visits by what became of them, the next checkpoint, and whether they are on pace. Reads only.

Of a plan's treatment visits (its re-evaluation is a checkpoint and not counted here):

  fulfilled  took place, adjusted or only checked. Booked, missed and cancelled visits are not counted.
  booked     have a time and did not take place yet. A moved visit is one visit, at its new time.
  owed       have no time: never placed, or missed or cancelled and not booked again.
  planned    all of these: fulfilled + booked + owed. Visits let go are no longer planned.
  missed     times that the patient did not come, made good or not.

When the checkpoint is due `checkpoints` says; an evaluation signed since begins it anew.

A plan that runs is, by the first rule that holds:

  lost     after 3 visits missed in a row, or with nothing on the calendar and nobody here for 14 days (where visits
           may lie further apart, a week longer than they do)
  behind   when the re-evaluation is overdue, or 2 visits or more whose day has passed have no new time
  on pace  otherwise
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import NamedTuple

from django.db.models import Exists, F, Max, OuterRef, QuerySet, Subquery, Sum

from appointments.models import Appointment, Series
from careplans import checkpoints
from careplans.checkpoints import SUPPORTIVE, Checkpoint, Limit
from careplans.models import CarePlan, Phase
from clinic import plain_sql, times
from evaluations.models import Evaluation

ON_PACE, BEHIND, LOST = "on_pace", "behind", "lost"
LABELS = {ON_PACE: "On pace", BEHIND: "Behind", LOST: "Lost"}
_TONES = {ON_PACE: "completed", BEHIND: "arrived", LOST: "no_show"}
MISSED_IN_A_ROW, AWAY_DAYS, OVERDUE_VISITS = 3, 14, 2
RULES = (
    (
        LABELS[LOST],
        f"{MISSED_IN_A_ROW} visits missed in a row, or nothing on the calendar for {AWAY_DAYS} days;"
        " where visits lie further apart, a week longer than they do.",
    ),
    (
        LABELS[BEHIND],
        f"The re-evaluation is overdue, or {OVERDUE_VISITS} visits whose day has passed have no new time.",
    ),
    (LABELS[ON_PACE], "Otherwise. Only visits that took place count; a moved visit is not missed."),
)
_S = Appointment.Status
_SETTLES = timedelta(days=1)  # a visit of the last hours that nobody closed yet still counts as to come


@dataclass(frozen=True)
class Visits:
    """The numbers of one plan. `overdue` of those owed were wanted before today; `last_on` is when the patient was last
    here and `next_on` when next, be it to be looked at again.
    """

    fulfilled: int = 0
    booked: int = 0
    owed: int = 0
    overdue: int = 0
    missed: int = 0
    missed_in_a_row: int = 0
    let_go: int = 0
    last_on: date | None = None
    next_on: date | None = None

    @property
    def planned(self) -> int:
        return self.fulfilled + self.booked + self.owed

    @property
    def is_over(self) -> bool:
        """Nothing is to come."""
        return not self.booked and not self.owed


@dataclass(frozen=True)
class Progress:
    visits: Visits
    checkpoint: Checkpoint
    pace: str
    reason: str

    @property
    def label(self) -> str:
        return LABELS[self.pace]

    @property
    def tone(self) -> str:
        """Of the badge, by a status that looks like it."""
        return _TONES[self.pace]

    @property
    def share(self) -> int:
        """Fulfilled of planned, in percent, rounded down."""
        return 100 * self.visits.fulfilled // self.visits.planned if self.visits.planned else 0


def judge(visits: Visits, due: Checkpoint, *, starts_on: date, today: date, weeks_apart: int = 1) -> tuple[str, str]:
    """The pace and the reason for it in a sentence, by the rules above."""
    away = (today - (visits.last_on or starts_on)).days
    if visits.missed_in_a_row >= MISSED_IN_A_ROW and not visits.is_over:
        return LOST, f"{visits.missed_in_a_row} visits missed in a row."
    if visits.next_on is None and not visits.is_over and away >= max(AWAY_DAYS, 7 * (weeks_apart + 1)):
        return LOST, f"Nothing on the calendar, and not here for {checkpoints.in_days(away)}."
    if due.is_overdue:
        return BEHIND, f"The re-evaluation is {due.words}."
    if visits.overdue >= OVERDUE_VISITS:
        return BEHIND, f"{visits.overdue} visits whose day has passed have no new time."
    return ON_PACE, "Every visit took place." if visits.is_over else ""


def phase(phases: Sequence[Phase], done: int) -> Phase | None:
    """The phase of the next visit, after so many were fulfilled or let go; the last one when all were."""
    for one in phases:
        if done < one.visit_count:
            return one
        done -= one.visit_count
    return phases[-1] if phases else None


def of(plans: QuerySet, *, among: QuerySet | None = None) -> dict[int, Progress]:
    """By the id of each plan that has visits. Three queries at most, whatever their number.

    `among` are plans that hold these and are cheaper to ask for: the counting is done over them.
    """
    rows = _plans(plans)
    if not rows:
        return {}
    days = {row.zone: times.today(row.zone) for row in rows}
    series = (plans if among is None else among).exclude(series=None).order_by().values("series")
    counts = _counts(series, days)
    within = {row.series: _within(row, counts.get(row.series, _NOTHING)) for row in rows}
    nth = _nth({of: one.visits for of, one in within.items() if counts.get(of, _NOTHING).since >= one.visits})
    return {
        row.pk: _progress(row, counts.get(row.series, _NOTHING), within[row.series], nth, days[row.zone])
        for row in rows
    }


def of_plan(plan: CarePlan) -> Progress | None:
    """None before the plan has visits."""
    return of(CarePlan.objects.filter(pk=plan.pk)).get(plan.pk) if plan.series_id else None


def next_checkpoint(series: Series) -> tuple[date, int] | None:
    """By which day, and after how many more visits, the plan of the series is looked at again; None without a plan."""
    found = of(CarePlan.objects.filter(series=series))
    return next(((one.checkpoint.due_on, one.checkpoint.visits_left) for one in found.values()), None)


@dataclass(frozen=True, slots=True)
class _Row:
    pk: int
    series: int
    starts_on: date
    by: date | None
    after: int
    zone: str
    evaluated_at: datetime | None
    active_visits: int | None
    has_supportive: bool
    weeks_apart: int | None


_VISITS_OF_A_PHASE = F("visits_per_week") * (F("weeks") / F("every_weeks"))


def _plans(plans) -> list[_Row]:
    later = Evaluation.objects.in_force().filter(
        patient=OuterRef("patient"), started_at__gt=OuterRef("evaluation__started_at"), status=Evaluation.Status.SIGNED
    )
    latest = Subquery(later.order_by("-started_at").values("started_at")[:1])
    phases = Phase.objects.filter(plan=OuterRef("pk")).order_by()
    active = phases.exclude(kind__in=SUPPORTIVE).values("plan")
    found = plans.exclude(series=None).order_by("pk").annotate(
        evaluated_at=latest,
        active_visits=Subquery(active.annotate(count=Sum(_VISITS_OF_A_PHASE)).values("count")),
        has_supportive=Exists(phases.filter(kind__in=SUPPORTIVE)),
        weeks_apart=Subquery(phases.values("plan").annotate(most=Max("every_weeks")).values("most")),
    )  # fmt: skip
    columns = ("pk", "series", "starts_on", "reevaluate_by", "reevaluate_after_visits", "location__time_zone")
    added = ("evaluated_at", "active_visits", "has_supportive", "weeks_apart")
    return [_Row(*row) for row in found.values_list(*columns, *added)]


def _within(row: _Row, counts: "_Counts") -> Limit:
    """The limit of the care that the patient was in when the counting began."""
    begun_supportive = row.has_supportive and not row.active_visits
    done = counts.fulfilled - counts.since + counts.let_go
    is_supportive = begun_supportive or (row.has_supportive and done >= row.active_visits)
    found = checkpoints.limit(is_supportive=is_supportive)
    if is_supportive != begun_supportive:
        return found
    return found.stricter((row.by - row.starts_on).days if row.by else None, row.after)


# In one statement and by joins: asked visit by visit, whether one came later takes longer than all the counting.
_COUNTS = """
WITH mine AS (
    SELECT s.id, s.type_id, s.patient_id, CASE l.time_zone {today} END AS today
    FROM appointments_series s JOIN locations_location l ON l.id = s.location_id WHERE s.id IN ({series})
), came AS (
    SELECT v.series_id, MAX(a.start_minute) AS at FROM appointments_appointment a
        JOIN appointments_seriesvisit v ON v.id = a.series_visit_id JOIN mine ON mine.id = v.series_id
    WHERE a.status = 'completed' GROUP BY v.series_id
), seen AS (
    SELECT patient_id, MAX(started_at) AS at FROM evaluations_evaluation
    WHERE status = 'signed' AND patient_id IN (SELECT patient_id FROM mine) GROUP BY patient_id
), wanted AS (
    SELECT v.series_id, COUNT(*) FILTER (WHERE v.waived_reason = '') AS kept,
        COUNT(*) FILTER (WHERE v.waived_reason = '' AND v.wanted_on < mine.today) AS passed,
        COUNT(*) FILTER (WHERE v.waived_reason <> '') AS let_go
    FROM appointments_seriesvisit v JOIN mine ON mine.id = v.series_id AND mine.type_id = v.type_id
    GROUP BY v.series_id
), made AS (
    SELECT v.series_id, COUNT(*) FILTER (WHERE {treats} AND a.status = 'completed') AS fulfilled,
        COUNT(*) FILTER (WHERE {treats} AND a.status NOT IN ('completed', 'no_show', 'cancelled')) AS booked,
        COUNT(*) FILTER (WHERE {treats} AND a.status = 'no_show') AS missed,
        COUNT(*) FILTER (WHERE {treats} AND a.status = 'no_show' AND (came.at IS NULL OR a.start_minute >= came.at))
            AS in_a_row,
        COUNT(*) FILTER (WHERE {treats} AND a.status NOT IN ('no_show', 'cancelled') AND v.waived_reason = '')
            AS standing,
        COUNT(*) FILTER (WHERE {treats} AND a.status NOT IN ('no_show', 'cancelled') AND v.waived_reason = ''
            AND v.wanted_on < mine.today) AS standing_due,
        COUNT(*) FILTER (WHERE {treats} AND a.status = 'completed' AND (seen.at IS NULL OR a.starts_at >= seen.at))
            AS since,
        MAX(CASE WHEN a.status = 'completed' THEN a.start_minute END) AS last_at,
        MIN(CASE WHEN a.status NOT IN ('completed', 'no_show', 'cancelled') AND a.start_minute > %s
            THEN a.start_minute END) AS next_at
    FROM appointments_appointment a JOIN appointments_seriesvisit v ON v.id = a.series_visit_id
        JOIN mine ON mine.id = v.series_id
        LEFT JOIN came ON came.series_id = v.series_id LEFT JOIN seen ON seen.patient_id = mine.patient_id
    WHERE a.status <> 'held' GROUP BY v.series_id
)
SELECT mine.id, COALESCE(kept, 0), COALESCE(passed, 0), COALESCE(let_go, 0), COALESCE(fulfilled, 0),
    COALESCE(booked, 0), COALESCE(missed, 0), COALESCE(in_a_row, 0), COALESCE(standing, 0), COALESCE(standing_due, 0),
    COALESCE(since, 0), last_at, next_at
FROM mine LEFT JOIN wanted ON wanted.series_id = mine.id LEFT JOIN made ON made.series_id = mine.id
"""


_TREATS = "v.type_id = mine.type_id"


class _Counts(NamedTuple):
    """Of the treatment visits of a series: those wanted, how many of them before today, those let go; and what became
    of the appointments made for them. When the patient was here last and is next, be it
    to be looked at again, in minutes."""

    kept: int = 0
    passed: int = 0
    let_go: int = 0
    fulfilled: int = 0
    booked: int = 0
    missed: int = 0
    in_a_row: int = 0
    standing: int = 0
    standing_due: int = 0
    since: int = 0
    last_at: int | None = None
    next_at: int | None = None


_NOTHING = _Counts()


def _counts(series: QuerySet, days: dict[str, date]) -> dict[int, _Counts]:
    """By series; `days` is the present one by the zone where a series is."""
    of_series, params = series.query.sql_with_params()
    statement = _COUNTS.format(series=of_series, today="WHEN %s THEN %s " * len(days), treats=_TREATS)
    to_come = times.to_minute(times.now() - _SETTLES)
    rows = plain_sql.rows(statement, *chain.from_iterable(days.items()), *params, to_come)
    return {pk: _Counts(*counts) for pk, *counts in rows}


def _evaluated_later() -> QuerySet:
    return Evaluation.objects.in_force().filter(
        patient=OuterRef("patient"), status=Evaluation.Status.SIGNED, started_at__gt=OuterRef("starts_at")
    )


def _nth(after: dict[int, int]) -> dict[int, datetime]:
    """By series: when the visit took place with which the re-evaluation became due; given after how many that is."""
    if not after:
        return {}
    done = Appointment.objects.filter(
        ~Exists(_evaluated_later()),
        status=_S.COMPLETED,
        series_visit__series__in=list(after),
        series_visit__type=F("series_visit__series__type"),
    )
    found: dict[int, list[datetime]] = {}
    for series, at in done.order_by("starts_at").values_list("series_visit__series", "starts_at"):
        found.setdefault(series, []).append(at)
    return {series: starts[after[series] - 1] for series, starts in found.items()}


def _progress(row: _Row, counts: _Counts, within: Limit, nth: dict[int, datetime], today: date) -> Progress:
    def day(at):
        return times.day_of(at, row.zone) if at else None

    here, comes = counts.last_at, counts.next_at
    visits = Visits(
        fulfilled=counts.fulfilled,
        booked=counts.booked,
        owed=counts.kept - counts.standing,
        overdue=counts.passed - counts.standing_due,
        missed=counts.missed,
        missed_in_a_row=counts.in_a_row,
        let_go=counts.let_go,
        last_on=max(filter(None, (here and day(times.from_minute(here)), day(row.evaluated_at))), default=None),
        next_on=comes and day(times.from_minute(comes)),
    )
    due = checkpoints.due(
        starts_on=row.starts_on,
        within=within,
        evaluated_on=day(row.evaluated_at),
        nth_on=day(nth.get(row.series)),
        since=counts.since,
        today=today,
    )
    judged = judge(visits, due, starts_on=row.starts_on, today=today, weeks_apart=row.weeks_apart or 1)
    return Progress(visits, due, *judged)
