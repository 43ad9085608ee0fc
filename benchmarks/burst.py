"""32 people want the same time at once, or times that overlap; against 32 who want times that nobody else wants.

Eight worker processes, two cores. What counts is checked before what it takes: one winner in each round, everybody
else told so, no error of the server, no deadlock.
"""

import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

from appointments import availability
from appointments.models import Appointment, AppointmentType
from benchmarks import clinics
from benchmarks.rounds import Aim, figure
from benchmarks.serving import ATLAS, served, signed_in
from locations.models import Location
from patients.models import Patient

CLIENTS, WORKERS, ROUNDS = 32, 8, 60
APART = (0, 5, 10)  # minutes between overlapping starts of 15-minute visits
ONE, OVERLAPPING, DISTINCT = "the same start", "overlapping starts", "distinct times"


def measure(run):
    rounds = 2 if run.is_tiny else ROUNDS
    owner = signed_in(run.small, "owner")
    with run.small.chosen():
        plan = _plan(rounds)
    before = _deadlocks(run.small)
    p95, took, answers = defaultdict(list), defaultdict(list), defaultdict(Counter)
    with (
        clinics.unchanged(run.small),
        served(ATLAS, run.small, workers=WORKERS) as atlas,
        ThreadPoolExecutor(CLIENTS) as clients,
    ):
        _round(clients, atlas, owner, plan.pop()[1])  # every worker has loaded its code and opened its connection
        for name, bodies in plan:
            found = _round(clients, atlas, owner, bodies)
            _judge(name, Counter(status for status, _ in found))
            answers[name].update(str(status) for status, _ in found)
            milliseconds = sorted(ms for _, ms in found)
            took[name] += milliseconds
            p95[name].append(milliseconds[int(CLIENTS * 0.95)])
    deadlocks = _deadlocks(run.small) - before
    aims = [Aim(name, DISTINCT, at_most=3) for name in (ONE, OVERLAPPING)]
    notes = {f"answers, {name}": dict(answers[name]) for name in answers}
    notes |= {
        f"median and slowest, {name}": f"{statistics.median(ms):.0f} and {max(ms):.0f} ms" for name, ms in took.items()
    }
    found = figure(f"p95 of {CLIENTS} clients at once, {WORKERS} workers", run.engine, p95, aims, **notes)
    found.aims.append({"what": "deadlocks", "ratio": deadlocks, "aim": "none", "met": deadlocks == 0})
    yield found


def _round(clients, atlas, headers, bodies):
    """(status, ms) of each client; all of them wait until the last is ready."""
    ready = Barrier(len(bodies))

    def ask(body):
        ready.wait()
        begun = time.perf_counter()
        status, _ = atlas.ask("/api/v1/appointments/", body=body, headers=headers)
        return status, (time.perf_counter() - begun) * 1000

    return list(clients.map(ask, bodies))


def _judge(name, answers):
    wanted = {201: CLIENTS} if name == DISTINCT else {201: 1, 409: CLIENTS - 1}
    if answers != wanted:
        sys.exit(f"{name}: {dict(answers)} instead of {wanted}")


def _plan(rounds: int) -> list[tuple[str, list[bytes]]]:
    """The rounds, contested and distinct in turn, each on times of its own; the last one is for warming up."""
    kind, everybody = AppointmentType.objects.get(slug="adjustment"), set(Patient.objects.values_list("pk", flat=True))
    day, plan = clinics.first_day(), []
    while len(plan) < rounds * 2 + 1:
        free = _free_people(kind, day)
        booked = Appointment.objects.filter(starts_at__date__in=(day, day + timedelta(days=1)))
        patients = sorted(everybody - set(booked.values_list("patient", flat=True)))
        day += timedelta(days=1)
        while len(free) > CLIENTS and len(patients) >= CLIENTS * 2 and len(plan) < rounds * 2 + 1:
            one = free.pop()
            apart = APART if len(plan) // 2 % 2 else (0,)
            contested = [_body(kind, patients.pop(), one, n % len(apart) * APART[1]) for n in range(CLIENTS)]
            plan.append((OVERLAPPING if apart is APART else ONE, contested))
            plan.append((DISTINCT, [_body(kind, patients.pop(), free.pop(), 0) for _ in range(CLIENTS)]))
    return [*plan[: rounds * 2], (DISTINCT, plan[-1][1])]


def _free_people(kind, day) -> list:
    """One free half-hour of each practitioner on that day."""
    slots = availability.find(
        type=kind, minutes=kind.most_minutes, locations=Location.objects.all(), from_day=day, to_day=day, limit=5000
    ).slots
    return list({slot.practitioner.pk: slot for slot in slots}.values())


def _body(kind, patient, slot, later) -> bytes:
    starts_at: datetime = slot.local_start + timedelta(minutes=later)
    wanted = {"patient": patient, "practitioner": slot.practitioner.pk, "location": slot.location.slug}
    return json.dumps(wanted | {"type": kind.slug, "starts_at": starts_at.isoformat()}).encode()


def _deadlocks(database) -> int:
    if not database.is_postgresql:
        return 0
    raw = database.raw()
    raw.execute("SELECT pg_stat_clear_snapshot()")
    return raw.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()[0]
