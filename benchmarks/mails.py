"""Mails: 10,000 that are due to a server on the loopback, a look where nothing is due, and worker and beat at rest.

F of the sending is smtplib with one connection in one process, which builds each mail from its words and keeps nothing.
N is what one would write first: each mail claimed, written and marked by itself, with a connection of its own, in two
processes like ours. The server, in a process of its own, counts what it took.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from random import Random

from django.conf import settings
from django.db import connection

from appointments.models import Appointment, AppointmentEvent
from benchmarks import rounds
from benchmarks.pouring import pour
from benchmarks.rounds import Aim, figure
from clinic import outbox, plain_sql, times
from clinic.lookout import Lookout
from clinic.models import Heartbeat, Link, Message
from patients.models import Consent

N_TAKES_A_SHARE = 5  # N is slow: it gets a fifth of the mails


def measure(run):
    yield _at_rest_in_the_database(run)
    copy = run.small.copy("mails")
    try:
        with copy.chosen():
            number = _fall_due(30 if run.is_tiny else 10_000)
        copy.wrapper.close()
        yield _sending(run, copy, number)
    finally:
        copy.drop()
    if run.engine == "SQLite":
        yield _processes_at_rest(run)


def _fall_due(wanted: int) -> int:
    """Notices of visits booked ten minutes ago, of one visit of each of so many patients; found, and not yet sent."""
    now = times.now()
    first = {}
    ahead = Appointment.objects.filter(starts_at__gt=now + timedelta(days=1)).order_by("pk")
    for pk, patient, starts_at in ahead.values_list("pk", "patient", "starts_at").iterator():
        first.setdefault(patient, (pk, starts_at))
    chosen = dict(Random(1).sample(sorted(first.items()), min(wanted, len(first))))
    AppointmentEvent.objects.all().delete()
    pour(AppointmentEvent, ({"appointment_id": pk, "step": "booked", "at": now - timedelta(minutes=10),
                             "by_whom": "desk", "to_status": "booked", "to_start": starts_at}
                            for pk, starts_at in chosen.values()))  # fmt: skip
    Consent.objects.all().delete()
    pour(Consent, ({"patient_id": pk, "scope": "email_reminders", "given_at": now} for pk in chosen))
    outbox._owe(outbox._find(now))
    return Message.objects.count()


def _sending(run, copy, number: int):
    contestants = {"ours, 2 processes": ("ours", 2), "F": ("floor", 1), "N, 2 processes": ("naive", 2)}
    raw = {who: [] for who in contestants}
    turns = list(contestants)
    for turn in range(min(run.rounds, 3)):
        for who in turns[turn % 3 :] + turns[: turn % 3]:
            name, processes = contestants[who]
            share = max(10, number // N_TAKES_A_SHARE) if name == "naive" else number
            raw[who].append(_time(copy, name, processes, share) * 1000 / share)
    return figure(
        f"a mail of {number:,} that are due", run.engine, raw,
        [Aim("F", "ours, 2 processes", at_least=1.0), Aim("N, 2 processes", "ours, 2 processes", at_least=3)],
    )  # fmt: skip


def _time(copy, name: str, processes: int, share: int) -> float:
    """Seconds from go until the last process has ended; the server must have taken each mail once."""
    with copy.chosen():
        Message.objects.update(status="sent", lease="", in_data=False)
        ids = list(Message.objects.order_by("pk").values_list("pk", flat=True)[:share])
        for begin in range(0, len(ids), 500):
            Message.objects.filter(pk__in=ids[begin : begin + 500]).update(status="waiting")
        Link.objects.all().delete()
    copy.wrapper.close()
    with tempfile.TemporaryDirectory() as folder:
        server = _start("server", folder)
        environment = {"DATABASE_URL": copy.url, "ATLAS_VAR": folder, "EMAIL_URL": f"smtp://127.0.0.1:{_line(server)}"}
        senders = [_start(name, str(share), **environment) for _ in range(processes)]
        for sender in senders:
            _line(sender)
        begun = time.perf_counter()
        for sender in senders:
            sender.stdin.write("go\n")
            sender.stdin.flush()
        codes = [sender.wait() for sender in senders]
        took = time.perf_counter() - begun
        copies, different = json.loads(server.communicate("stop\n")[0])
    if codes != [0] * processes or (copies, different) != (share, share):
        sys.exit(f"{name}: {copies} copies of {different} mails were taken, not {share}; senders ended with {codes}.")
    return took


def _start(*words, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "benchmarks.mail_senders", *words], cwd=settings.ROOT, text=True,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "clinic.settings"} | environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def _line(process) -> str:
    return process.stdout.readline().strip()


def _at_rest_in_the_database(run):
    """What beat wakes once a minute, where nothing fell due. F: `SELECT 1` and one question of an index, by Django."""
    database = run.large or run.small
    with database.chosen():
        stored = Appointment.objects.count()
        Heartbeat.objects.filter(name="sweep").delete()
        outbox.begin()
        outbox.send_due()
        lookout = Lookout()
        lookout.sweep()
        now = connection.ops.adapt_datetimefield_value(times.now())

        def floor():
            plain_sql.rows("SELECT 1")
            question = "SELECT id FROM clinic_message WHERE status = %s AND try_after <= %s ORDER BY try_after LIMIT 1"
            return plain_sql.rows(question, "waiting", now)

        def ours():
            return lookout.sweep()

        rounds.equal("nothing is due", {"ours": ours, "F": floor})
        timed = rounds.race({"ours": ours, "F": floor}, rounds=run.rounds, times_a_round=50)
        looks = rounds.race({"a look": outbox.send_due}, rounds=3)["a look"]
        Heartbeat.objects.all().delete()
    return figure(
        f"nothing due among {stored:,} visits", run.engine, timed, [Aim("ours", "F", at_most=3)],
        **{"ms of a look at everything, every five minutes or after a change": round(min(looks), 1)},
    )  # fmt: skip


def _processes_at_rest(run):
    """Worker and beat of the embedded default, as `make run` starts them, on the clinics of this run."""
    seconds = 3 if run.is_tiny else 150
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"DATABASE_URL": run.small.url, "ATLAS_VAR": folder, "LOG_LEVEL": "WARNING"}
        environment.pop("REDIS_URL", None)
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
        celery = [sys.executable, "-m", "celery", "--app=clinic", "--quiet"]
        commands = ([*celery, "worker", "--pool=solo", *quiet], [*celery, "beat", "--pidfile=", "--loglevel=WARNING"])
        with run.small.chosen():
            outbox.begin()
        run.small.wrapper.close()
        started = [subprocess.Popen(one, cwd=settings.ROOT, env=environment) for one in commands]
        try:
            time.sleep(2 if run.is_tiny else 20)  # until they are up, and the first look is over
            before, begun = [_cpu(one.pid) for one in started], time.monotonic()
            time.sleep(seconds)
            passed = time.monotonic() - begun
            used = [_cpu(one.pid) - was for one, was in zip(started, before, strict=True)]
        finally:
            for one in started:
                one.terminate()
            for one in started:
                one.wait()
    raw = {"worker and beat": [sum(used) * 1000 / passed], "1 % of a core": [10.0]}
    found = figure("a second of worker and beat with nothing to do", run.engine, raw,
                   [Aim("worker and beat", "1 % of a core", at_most=1)])  # fmt: skip
    found.notes |= {"ms of the worker alone": round(used[0] * 1000 / passed, 2), "seconds watched": round(passed)}
    return found


def _cpu(pid: int) -> float:
    """Seconds of processor that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
