"""One of two desks that saw the same visits and move each of them to a time of their own, at the same moment.

Usage: python -m tests.appointments.moving_rivals NUMBER ROUNDS FOLDER. There is a round for each visit, in which both
wait for each other by files in the folder. After so many ROUNDS the sequence is compared with the visit as it was read
before the lock: the control that must fail. Prints a list of [status, code, start] by round.
"""

import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from appointments import conflicts  # noqa: E402
from appointments.as_seen import Seen  # noqa: E402
from appointments.models import Appointment  # noqa: E402
from clinic.models import User  # noqa: E402
from tests.appointments.processes import start  # noqa: E402

PATIENCE = 120  # seconds; a machine that is slow only makes them meet later


def meet(folder, number, n):
    (folder / f"{n}-{number}").touch()
    until = time.monotonic() + PATIENCE
    while not (folder / f"{n}-{1 - number}").exists():
        assert time.monotonic() < until, "the other one never came"
        time.sleep(0.0005)


def slowly(find):
    """Between what a move reads under the lock and what it writes the other one comes for certain."""

    def look(*args):
        time.sleep(0.05)
        return find(*args)

    return look


def look_before_the_lock():
    compare = Seen.check
    Seen.check = lambda seen, fresh: compare(seen, seen.visit)


def main():
    number, rounds, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    conflicts.find = slowly(conflicts.find)
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(User.objects.get(email="rival@example.org"))
    visits = list(Appointment.objects.order_by("starts_at"))
    start()
    answers = []
    for n, visit in enumerate(visits):
        if n == rounds:
            look_before_the_lock()
        body = {
            "starts_at": (visit.starts_at + timedelta(hours=3 + number)).isoformat(),
            "expected_sequence": visit.sequence,
        }
        meet(folder, number, n)
        answer = client.post(f"/api/v1/appointments/{visit.pk}/reschedule/", body)
        said = answer.json()
        answers.append([answer.status_code, said.get("code", ""), said.get("starts_at", "")])
    connection.close()
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
