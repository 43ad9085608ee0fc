"""How plans go on: their visits by what became of them, the next checkpoint, and whether they are on pace. Reads only.

Of a plan's treatment visits (its re-evaluation is a checkpoint and not counted here):

  fulfilled  took place, adjusted or only checked. Booked, missed and cancelled visits are not counted.
  booked     have a time and did not take place yet. A moved visit is one visit, at its new time.
  owed       have no time: never placed, or missed or cancelled and not booked again.
  planned    all of these: fulfilled + booked + owed. Visits let go are no longer planned.
  missed     times that the patient did not come, made good or not.

The checkpoint is due on the plan's day or with its nth fulfilled visit, whichever comes first. An evaluation signed
since then begins it anew, with the same number of days and visits.

A plan that runs is, by the first rule that holds:

  lost     after 3 visits missed in a row, or with nothing on the calendar and nobody here for 14 days
  behind   when the re-evaluation is overdue, or 2 visits or more whose day has passed have no new time
  on pace  otherwise
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery

from appointments.models import HOLDS_TIME, Appointment, SeriesVisit
from careplans.models import CarePlan, Phase
from clinic import times
from evaluations.models import Evaluation

ON_PACE, BEHIND, LOST = "on_pace", "behind", "lost"
LABELS = {ON_PACE: "On pace", BEHIND: "Behind", LOST: "Lost"}
_TONES = {ON_PACE: "completed", BEHIND: "arrived", LOST: "no_show"}
MISSED_IN_A_ROW, AWAY_DAYS, OVERDUE_VISITS = 3, 14, 2
CHECKPOINT_DAYS = 30  # where a plan that was brought in names no day
RULES = (
    (LABELS[LOST], f"{MISSED_IN_A_ROW} visits missed in a row, or nothing on the calendar for {AWAY_DAYS} days."),
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
    """The numbers of one plan. `overdue` of those owed were wanted before today; `last_on` is the latest fulfilled."""

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


@dataclass(frozen=True)
class Checkpoint:
    """`visits_left` until the nth visit; 0 when that took place, on `due_on` or later."""

    due_on: date
    visits_left: int
    days_left: int

    @property
    def is_overdue(self) -> bool:
        return self.days_left < 0

    @property
    def words(self) -> str:
        return f"{_days(-self.days_left)} overdue" if self.is_overdue else _ahead(self.days_left)


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


def checkpoint(
    *,
    starts_on: date,
    by: date | None,
    after: int,
    evaluated_on: date | None,
    nth_on: date | None,
    since: int,
    today: date,
) -> Checkpoint:
    """`since` visits were fulfilled since the start or the latest evaluation, the nth of them on `nth_on`."""
    until = by or starts_on + timedelta(days=CHECKPOINT_DAYS)
    if evaluated_on:
        until = evaluated_on + (until - starts_on)
    due_on = min(until, nth_on) if nth_on else until
    return Checkpoint(due_on, max(after - since, 0), (due_on - today).days)


def judge(visits: Visits, due: Checkpoint, *, starts_on: date, today: date) -> tuple[str, str]:
    """The pace and the reason for it in a sentence, by the rules above."""
    away = (today - (visits.last_on or starts_on)).days
    is_over = not visits.booked and not visits.owed
    if visits.missed_in_a_row >= MISSED_IN_A_ROW and not is_over:
        return LOST, f"{visits.missed_in_a_row} visits missed in a row."
    if visits.next_on is None and not is_over and away >= AWAY_DAYS:
        return LOST, f"Nothing on the calendar, and not here for {_days(away)}."
    if due.is_overdue:
        return BEHIND, f"The re-evaluation is {due.words}."
    if visits.overdue >= OVERDUE_VISITS:
        return BEHIND, f"{visits.overdue} visits whose day has passed have no new time."
    return ON_PACE, "Every visit took place." if is_over else ""


def phase(phases: Sequence[Phase], done: int) -> Phase | None:
    """The phase of the next visit, after so many were fulfilled or let go; the last one when all were."""
    for one in phases:
        if done < one.visit_count:
            return one
        done -= one.visit_count
    return phases[-1] if phases else None


def of(plans: QuerySet, *, among: QuerySet | None = None) -> dict[int, Progress]:
    """By the id of each plan that has visits. Four queries at most, whatever their number.

    `among` are plans that hold these and are cheaper to ask for: the counting is done over them.
    """
    rows = _plans(plans)
    if not rows:
        return {}
    days = {row.zone: times.today(row.zone) for row in rows}
    series = (plans if among is None else among).exclude(series=None).order_by().values("series")
    wanted, made = _wanted(series, days), _made(series, days)
    nth = _nth([row for row in rows if made.get(row.series, _NOTHING)["since"] >= row.after])
    return {row.pk: _progress(row, wanted, made, nth, days[row.zone]) for row in rows}


def of_plan(plan: CarePlan) -> Progress | None:
    """None before the plan has visits."""
    return of(CarePlan.objects.filter(pk=plan.pk)).get(plan.pk) if plan.series_id else None


@dataclass(frozen=True, slots=True)
class _Row:
    pk: int
    series: int
    starts_on: date
    by: date | None
    after: int
    zone: str
    evaluated_at: datetime | None


_NOTHING = {
    "fulfilled": 0, "booked": 0, "missed": 0, "in_a_row": 0, "standing": 0, "standing_due": 0, "since": 0,
    "last_at": None, "next_at": None,
}  # fmt: skip


def _plans(plans) -> list[_Row]:
    later = Evaluation.objects.filter(
        patient=OuterRef("patient"), started_at__gt=OuterRef("evaluation__started_at"), status=Evaluation.Status.SIGNED
    )
    latest = Subquery(later.order_by("-started_at").values("started_at")[:1])
    found = plans.exclude(series=None).order_by("pk").annotate(evaluated_at=latest)
    columns = ("pk", "series", "starts_on", "reevaluate_by", "reevaluate_after_visits", "location__time_zone")
    return [_Row(*row) for row in found.values_list(*columns, "evaluated_at")]


def _passed(days: dict[str, date], path: str) -> Q:
    """Wanted on a day that is over where the series is; `path` leads to the visit."""
    if len(set(days.values())) == 1:
        return Q(**{f"{path}wanted_on__lt": next(iter(days.values()))})
    found = Q(pk=None)
    for zone, day in days.items():
        found |= Q(**{f"{path}series__location__time_zone": zone, f"{path}wanted_on__lt": day})
    return found


def _wanted(series, days) -> dict[int, tuple[int, int, int]]:
    """By series: treatment visits wanted, how many of them before today, and how many were let go."""
    rows = SeriesVisit.objects.filter(series__in=series, type=F("series__type")).order_by().values("series")
    kept = Q(waived_reason="")
    counted = rows.annotate(
        kept=Count("pk", filter=kept),
        passed=Count("pk", filter=kept & _passed(days, "")),
        let_go=Count("pk", filter=~kept),
    )
    return {row["series"]: (row["kept"], row["passed"], row["let_go"]) for row in counted}


def _made(series, days) -> dict[int, dict]:
    """By series: what became of the appointments made for its treatment visits."""
    rows = Appointment.objects.filter(
        series_visit__series__in=series, series_visit__type=F("series_visit__series__type")
    )
    done, missed = Q(status=_S.COMPLETED), Q(status=_S.NO_SHOW)
    kept = HOLDS_TIME & Q(series_visit__waived_reason="")
    booked = HOLDS_TIME & ~done
    counted = rows.order_by().values(series=F("series_visit__series")).annotate(
        fulfilled=Count("pk", filter=done),
        booked=Count("pk", filter=booked),
        missed=Count("pk", filter=missed),
        in_a_row=Count("pk", filter=missed & ~Exists(_came_later())),
        standing=Count("pk", filter=kept),
        standing_due=Count("pk", filter=kept & _passed(days, "series_visit__")),
        since=Count("pk", filter=done & ~Exists(_evaluated_later())),
        last_at=Max("starts_at", filter=done),
        next_at=Min("starts_at", filter=booked & Q(starts_at__gt=times.now() - _SETTLES)),
    )  # fmt: skip
    return {row["series"]: row for row in counted}


def _came_later() -> QuerySet:
    same = Q(series_visit__series=OuterRef("series_visit__series"), patient=OuterRef("patient"))
    return Appointment.objects.filter(same, status=_S.COMPLETED, starts_at__gt=OuterRef("starts_at"))


def _evaluated_later() -> QuerySet:
    return Evaluation.objects.filter(
        patient=OuterRef("patient"), status=Evaluation.Status.SIGNED, started_at__gt=OuterRef("starts_at")
    )


def _nth(rows: Iterable[_Row]) -> dict[int, datetime]:
    """By series: when the visit took place with which the re-evaluation became due."""
    after = {row.series: row.after for row in rows}
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


def _progress(row, wanted, made, nth, today) -> Progress:
    def day(at):
        return times.day_of(at, row.zone) if at else None

    kept, passed, let_go = wanted.get(row.series, (0, 0, 0))
    counts = made.get(row.series, _NOTHING)
    visits = Visits(
        fulfilled=counts["fulfilled"],
        booked=counts["booked"],
        owed=kept - counts["standing"],
        overdue=passed - counts["standing_due"],
        missed=counts["missed"],
        missed_in_a_row=counts["in_a_row"],
        let_go=let_go,
        last_on=day(counts["last_at"]),
        next_on=day(counts["next_at"]),
    )
    due = checkpoint(
        starts_on=row.starts_on,
        by=row.by,
        after=row.after,
        evaluated_on=day(row.evaluated_at),
        nth_on=day(nth.get(row.series)),
        since=counts["since"],
        today=today,
    )
    return Progress(visits, due, *judge(visits, due, starts_on=row.starts_on, today=today))


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _ahead(days: int) -> str:
    return "today" if days == 0 else f"in {_days(days)}"
