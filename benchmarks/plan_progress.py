"""Which of 5,000 running plans with 120,000 visits are behind or lost: against raw SQL that knows the same rules.

The plans stand in a copy of the clinics, so that their visits are in nobody's way elsewhere.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random

from appointments.models import Appointment, AppointmentType, Series, SeriesVisit
from benchmarks import clinics
from benchmarks.floor import rows
from benchmarks.pouring import pour
from benchmarks.rounds import Aim, equal, figure, race
from careplans import checkpoints, progress
from careplans.models import CarePlan, Phase
from clinic import times
from clinic.models import User
from dashboard import pace
from evaluations.models import Evaluation
from locations.models import Location, Practitioner, Room
from patients.models import Patient

SEED = 3
PLANS, VISITS, PEOPLE = 5_000, 24, 250
NIGHT = 6 * 60  # minutes into the day, UTC
BEFORE = timedelta(days=42)  # half of the visits lie behind, half ahead
STEADY = (1, 1, 1, 1, 1, 1, 0.9, 0.7, 0)  # the share of visits that a patient keeps; 0 has nothing ahead either
PHASES = (("relief", 2, 4), ("corrective", 2, 4), ("stabilisation", 2, 4))


def _visit_days() -> list[int]:
    return [7 * (n // 2) + 3 * (n % 2) for n in range(VISITS)]


def fill(plans: int) -> None:
    begun = times.today(clinics.EAST) - BEFORE
    kind = AppointmentType.objects.get(slug="adjustment").pk
    users = User.objects.bulk_create(User(email=f"pc{n}@bench.test", full_name=f"Of plans {n}") for n in range(PEOPLE))
    people = Practitioner.objects.bulk_create(Practitioner(user=user) for user in users)
    places = list(Location.objects.order_by("pk"))
    desk = User.objects.get(email="desk@bench.test").pk
    rooms = Room.objects.bulk_create(
        Room(location=places[0], name=f"Of {person.pk}", kind=Room.Kind.ADJUSTING) for person in people
    )
    noon = datetime.combine(begun, time(12), tzinfo=UTC)
    homes = list(Patient.objects.order_by("pk").values_list("pk", "home_location")[:plans])

    def plan_rows(n, patient, place):
        both = {"patient_id": patient, "location_id": place, "practitioner_id": people[n % len(people)].pk}
        evaluation = {"patient_id": patient, "location_id": place, "started_by_id": desk, "status": "signed",
                      "signed_by_id": desk, "digest": "0" * 64}  # fmt: skip
        return both, evaluation

    numbered = [(n, *plan_rows(n, *home)) for n, home in enumerate(homes)]
    pour(
        Evaluation,
        (
            {**row, "id": n + 1 + later * plans, "started_at": at, "signed_at": at}
            for later, at in ((0, noon - timedelta(days=2)), (1, noon + timedelta(days=28)))
            for n, _, row in numbered
            if not later or n % 7
        ),
    )
    pour(
        Series,
        (
            {**row, "id": n + 1, "type_id": kind, "pattern": {}, "begun_by_id": desk, "begun_at": noon}
            for n, row, _ in numbered
        ),
    )
    pour(
        CarePlan,
        (
            {
                **row, "id": n + 1, "evaluation_id": n + 1, "series_id": n + 1, "status": "active", "starts_on": begun,
                "reevaluate_by": begun + timedelta(days=21 if n % 11 == 0 else 30), "created_by_id": desk,
                "created_at": noon, "activated_at": noon,
            }
            for n, row, _ in numbered
        ),
    )  # fmt: skip
    pour(
        Phase,
        (
            {"plan_id": n + 1, "order": order, "kind": kind, "visits_per_week": per_week, "weeks": weeks}
            for n in range(plans)
            for order, (kind, per_week, weeks) in enumerate(PHASES, 1)
        ),
    )
    pour(
        SeriesVisit,
        (
            {"id": n * VISITS + k + 1, "series_id": n + 1, "number": k + 1, "stretch": 1, "type_id": kind,
             "wanted_on": begun + timedelta(days=day), "wanted_at": time(9)}
            for n in range(plans)
            for k, day in enumerate(_visit_days())
        ),
    )  # fmt: skip
    pour(Appointment, _appointments([row for _, row, _ in numbered], begun, [room.pk for room in rooms], kind))


def _appointments(plans, begun, rooms, kind) -> Iterator[dict]:
    """Each practitioner has a room and a quarter of an hour a night for each of their plans: nobody else comes then."""
    rng, today = Random(SEED), times.today(clinics.EAST)
    first = times.to_minute(datetime.combine(begun, time(), tzinfo=UTC)) + NIGHT
    for n, row in enumerate(plans):
        kept = rng.choice(STEADY)
        for k, day in enumerate(_visit_days()):
            is_past = begun + timedelta(days=day) < today
            if not is_past and not kept:
                continue
            start = first + day * 1440 + 15 * (n // len(rooms))
            came = rng.random() < kept
            status = ("completed" if came else rng.choice(("no_show", "cancelled"))) if is_past else "booked"
            yield {
                **row, "room_id": rooms[n % len(rooms)], "type_id": kind, "status": status,
                "series_visit_id": n * VISITS + k + 1,
                "starts_at": datetime.fromtimestamp(start * 60, UTC),
                "ends_at": datetime.fromtimestamp((start + 15) * 60, UTC),
                "start_minute": start, "end_minute": start + 15, "busy_from": start, "busy_until": start + 15,
                "uid": f"{n:08x}-0000-4000-8000-{k:012x}",
            }  # fmt: skip


def ask(places, user):
    found, total = pace.lines(places, user)
    return [(line.row.pk, line.progress.pace, line.patient.family_name) for line in found], total


COUNTS = """
WITH seen AS (SELECT patient_id, MAX(started_at) AS at FROM evaluations_evaluation WHERE status = 'signed'
              GROUP BY patient_id),
came AS (SELECT v.series_id, MAX(a.starts_at) AS at FROM appointments_appointment a
         JOIN appointments_seriesvisit v ON v.id = a.series_visit_id WHERE a.status = 'completed' GROUP BY v.series_id),
wanted AS (SELECT series_id, COUNT(*) AS kept, COUNT(*) FILTER (WHERE wanted_on < %s) AS passed
           FROM appointments_seriesvisit WHERE waived_reason = '' GROUP BY series_id),
made AS (SELECT v.series_id, COUNT(*) FILTER (WHERE a.status = 'completed') AS fulfilled,
                COUNT(*) FILTER (WHERE a.status NOT IN ('completed', 'no_show', 'cancelled')) AS booked,
                COUNT(*) FILTER (WHERE a.status NOT IN ('no_show', 'cancelled') AND v.wanted_on < %s) AS standing_due,
                COUNT(*) FILTER (WHERE a.status = 'no_show' AND (c.at IS NULL OR a.starts_at > c.at)) AS in_a_row,
                COUNT(*) FILTER (WHERE a.status = 'completed' AND a.starts_at >= s.at) AS since,
                MIN(CASE WHEN a.status NOT IN ('completed', 'no_show', 'cancelled') AND a.starts_at > %s
                    THEN a.starts_at END) AS next_at
         FROM appointments_appointment a JOIN appointments_seriesvisit v ON v.id = a.series_visit_id
         LEFT JOIN came c ON c.series_id = v.series_id LEFT JOIN seen s ON s.patient_id = a.patient_id
         GROUP BY v.series_id),
care AS (SELECT plan_id,
                SUM(CASE WHEN kind <> 'stabilisation' THEN visits_per_week * (weeks / every_weeks) END) AS active,
                MAX(CASE WHEN kind = 'stabilisation' THEN 1 ELSE 0 END) AS supportive
         FROM careplans_phase GROUP BY plan_id)
SELECT p.id, p.series_id, p.starts_on, p.reevaluate_by, p.reevaluate_after_visits, l.time_zone, e.started_at, seen.at,
       wanted.kept, wanted.passed, fulfilled, booked, standing_due, in_a_row, since, next_at, came.at,
       care.active, care.supportive
FROM careplans_careplan p JOIN locations_location l ON l.id = p.location_id
JOIN evaluations_evaluation e ON e.id = p.evaluation_id JOIN wanted ON wanted.series_id = p.series_id
JOIN made ON made.series_id = p.series_id LEFT JOIN came ON came.series_id = p.series_id
LEFT JOIN seen ON seen.patient_id = p.patient_id LEFT JOIN care ON care.plan_id = p.id WHERE p.status = 'active'
"""
NTH = """SELECT v.series_id, a.starts_at FROM appointments_appointment a
JOIN appointments_seriesvisit v ON v.id = a.series_visit_id JOIN careplans_careplan p ON p.series_id = v.series_id
WHERE a.status = 'completed' AND v.series_id IN ({})
AND a.starts_at >= (SELECT MAX(started_at) FROM evaluations_evaluation e WHERE e.patient_id = a.patient_id)
ORDER BY a.starts_at"""
NAMES = """SELECT p.id, t.family_name FROM careplans_careplan p JOIN patients_patient t ON t.id = p.patient_id
WHERE p.id IN ({})"""


def floor(raw):
    """One day for all clinics: it is asked while it is the same day at each."""
    today, now = times.today(clinics.EAST), times.now() - timedelta(days=1)
    is_sqlite = raw.__class__.__module__.startswith("sqlite3")
    marks = (str(today), str(today), str(now)[:19]) if is_sqlite else (today, today, now)
    found = rows(raw, COUNTS, *marks)
    due = {row[1]: row[4] for row in found if row[14] >= row[4]}
    done = {}
    if due:
        for series, at in rows(raw, NTH.format(",".join(map(str, due)))):
            done.setdefault(series, []).append(at)
    lagging = []
    for pk, series, starts_on, by, after, zone, first, last, kept, passed, fulfilled, booked, *rest in found:
        standing_due, in_a_row, since, next_at, came, active, supportive = rest
        evaluated_on = _day(last, zone) if last > first else None
        here_on = max(filter(None, (_day(came, zone), evaluated_on)), default=None)
        visits = progress.Visits(
            fulfilled, booked, kept - fulfilled - booked, passed - standing_due, 0, in_a_row, 0, here_on,
            _day(next_at, zone),
        )  # fmt: skip
        nth_on = _day(done[series][after - 1], zone) if series in done else None
        at = checkpoints.due(
            starts_on=_date(starts_on),
            within=checkpoints.limit(is_supportive=True) if supportive and fulfilled - since >= active
            else checkpoints.limit(is_supportive=False).stricter((_date(by) - _date(starts_on)).days, after),
            evaluated_on=evaluated_on, nth_on=nth_on, since=since, today=today,
        )  # fmt: skip
        pace_, _ = progress.judge(visits, at, starts_on=_date(starts_on), today=today)
        if pace_ != progress.ON_PACE:
            lagging.append((pace_ != progress.LOST, visits.last_on or date.min, pk, pace_))
    lagging.sort()
    shown = lagging[: pace.SHOWN]
    names = dict(rows(raw, NAMES.format(",".join(str(one[2]) for one in shown)))) if shown else {}
    return [(pk, pace_, names[pk]) for _, _, pk, pace_ in shown], len(lagging)


def _date(value):
    return date.fromisoformat(value) if isinstance(value, str) else value


def _day(value, zone):
    if isinstance(value, str):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return times.day_of(value, zone) if value else None


def measure(run):
    plans = 50 if run.is_tiny else PLANS
    database = run.small.copy("plans")
    with database.chosen():
        fill(plans)
        with database.wrapper.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if database.is_postgresql else "ANALYZE")
    try:
        with database.chosen():
            owner, places, raw = (
                User.objects.get(email="owner@bench.test"),
                list(Location.objects.all()),
                database.raw(),
            )
            contestants = {"ours": partial(ask, places, owner), "raw SQL": partial(floor, raw)}
            equal("plans not on pace", contestants)
            _, total = ask(places, owner)
            assert 0 < total < plans, "all plans are alike"
            timed = race(contestants, rounds=run.rounds)
            visits = SeriesVisit.objects.count()
            name = f"not on pace, of {plans:,} plans with {visits:,} visits"
            yield figure(name, run.engine, timed, [Aim("ours", "raw SQL", at_most=3)], lagging=total)
            raw.close()
    finally:
        database.drop()
