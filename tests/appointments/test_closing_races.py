"""Time is taken away while others book it, by real processes on the engine under test.

Afterwards every visit in that time is one of those that the closing page listed; a booking that came later was refused.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from appointments.models import Appointment
from locations.models import Room
from tests import make
from tests.appointments.closing_rivals import WAYS

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
BOOKERS = 3
ROUNDS = len(WAYS) * (10 if os.environ.get("LONG_RACES") else 2)


@pytest.fixture
def arena(transactional_db):
    """For each round a clinic with a chiropractor and one room of the kind."""
    made = []
    for n in range(ROUNDS):
        place = make.location(f"c{n}", rooms=0)
        Room.objects.create(location=place, kind=Room.Kind.ADJUSTING, name="Only")
        chiro = make.practitioner(place)
        type(chiro.user).objects.filter(pk=chiro.user_id).update(email=f"chiro{n}@example.org")
        made.append(place)
    make.appointment_type()
    for _ in range(20):
        make.patient(made[0]).locations.set(made)
    make.user("desk", *made, email="rival@example.org")
    make.user("owner", email="owner@example.org")
    return made


def fight(folder, *extra):
    """(how often each answer came to the bookers, the visits that the closer was told of by round)."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    environment = os.environ | {"DATABASE_URL": url, "ATLAS_VAR": str(settings.VAR)}
    command = [sys.executable, "-W", "ignore", "-m", "tests.appointments.closing_rivals"]
    processes = [
        subprocess.Popen(
            [*command, role, str(seed), str(ROUNDS), str(folder), *extra],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=settings.ROOT, text=True,
        )
        for seed, role in enumerate(["close", *["book"] * BOOKERS])
    ]  # fmt: skip
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = []
    for process in processes:
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0
        said.append(json.loads(output))
    return sum(map(Counter, said[1:]), Counter()), said[0]


def untold(hit):
    """Rounds in which a visit stands in the time that was taken away and that nobody was told of."""
    wrong = {}
    for n, told in hit.items():
        standing = set(Appointment.objects.filter(location__slug=f"c{n}").values_list("pk", flat=True))
        if told is not None and standing - set(told):
            wrong[WAYS[int(n) % len(WAYS)]] = standing - set(told)
    return wrong


def test_what_is_taken_away_is_refused_or_listed(arena, tmp_path):
    answers, hit = fight(tmp_path)

    assert len(hit) == ROUNDS
    assert all(told is None or isinstance(told, list) for told in hit.values()), hit
    assert answers["booked"] > ROUNDS
    assert sum(answers.values()) - answers["booked"] > ROUNDS  # and refused after
    assert sum(bool(told) for told in hit.values()) >= ROUNDS / 3  # both sides met
    assert untold(hit) == {}


def test_control_that_looks_first_and_books_later_leaves_visits_that_nobody_was_told_of(arena, tmp_path):
    _, hit = fight(tmp_path, "--unguarded")

    assert untold(hit) != {}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="On SQLite a writing transaction is alone as it is.")
def test_control_without_the_locks_leaves_visits_that_nobody_was_told_of(arena, tmp_path):
    _, hit = fight(tmp_path, "--without-locks")

    assert untold(hit) != {}
