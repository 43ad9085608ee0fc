"""The benchmarks' machinery on a few visits: the anchors answer like the engine, and an unequal answer stops all."""

import json
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

from appointments.models import Appointment, AppointmentType
from benchmarks import clinics, floor, naive, report, rounds
from benchmarks.soonest import ask
from clinic import times
from locations.models import Location
from patients.models import Patient, SearchTerm


@pytest.fixture
def tiny(db):
    clinics.fill(clinics.TINY)
    return list(Location.objects.all())


@pytest.mark.parametrize(
    ("slug", "days", "limit"), [("evaluation", 14, 5), ("adjustment", 3, 400), ("workshop", 60, 9)]
)
def test_the_anchors_answer_like_the_engine(tiny, slug, days, limit):
    kind = AppointmentType.objects.get(slug=slug)
    asked = {"begin": clinics.first_day(), "days": days, "limit": limit}

    ours = ask(kind, tiny, days=days, limit=limit)

    ids = [place.pk for place in tiny]
    raw = connection.connection
    assert floor.soonest(raw, slug=slug, locations=ids, now=times.to_minute(times.now()), **asked) == ours
    assert naive.soonest(kind=kind, locations=tiny, now=times.now(), **asked) == ours
    assert ours


def test_the_clinics_have_what_was_asked_for(tiny):
    assert (Appointment.objects.count(), Patient.objects.count()) == (400, 200)
    assert SearchTerm.objects.values("patient").distinct().count() == 200


def test_different_answers_stop_the_run():
    with pytest.raises(SystemExit, match="differ"):
        rounds.equal("a question", {"ours": lambda: 1, "F": lambda: 2})


def test_rounds_are_interleaved_and_judged():
    order = []
    contestants = {who: lambda who=who: order.append(who) for who in ("ours", "F")}

    raw = rounds.race(contestants, rounds=2)

    assert order == ["ours", "F", "F", "ours"]
    assert [len(values) for values in raw.values()] == [2, 2]
    slow = rounds.figure("x", "SQLite", {"ours": [9, 3, 6], "F": [2, 2, 2]}, [rounds.Aim("ours", "F", at_most=2.5)])
    assert (slow.median_ms["ours"], slow.aims[0]["ratio"], slow.aims[0]["met"]) == (6, 3.0, False)


@pytest.mark.processes
def test_the_whole_run_with_servers_and_all(tmp_path):
    """Every measurement once on a few visits, as `make bench` runs it; then its page is written."""
    results, engine = tmp_path / "results.json", connection.vendor
    command = [sys.executable, "-m", "benchmarks", "--tiny", "--rounds", "1", "--engine", engine, "--results", results]
    done = subprocess.run(command, cwd=settings.ROOT, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    figures = json.loads(results.read_text())
    assert {one["engine"].lower() for one in figures} == {engine}
    burst = next(one for one in figures if one["name"].startswith("p95"))
    assert burst["notes"]["answers, the same start"] == {"201": 1, "409": 31}
    assert "| soonest 5 of 14 days, 13 locations |" in "\n".join(report.table(figures))
    assert "<svg" in report.drawn("SQLite", report.bars(figures))
