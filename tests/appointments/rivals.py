"""One rival of the race test: a process of its own that tries to book overlapping visits through the API.

Usage: python -m tests.appointments.rivals SEED ATTEMPTS [--unguarded]. Prints how often each status came back. With
--unguarded it checks for itself and then inserts, without lock or constraint: the control that must fail.
"""

import collections
import json
import os
import random
import sys
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from appointments.models import Appointment, AppointmentType  # noqa: E402
from clinic.models import User  # noqa: E402
from locations.models import Practitioner, Room  # noqa: E402
from patients.models import Patient  # noqa: E402
from tests.appointments.processes import start  # noqa: E402
from tests.make import at  # noqa: E402


def attempt(client, chance, ids):
    body = {
        "patient": chance.choice(ids["patients"]),
        "practitioner": chance.choice(ids["practitioners"]),
        "location": "atlanta",
        "type": "adjustment",
        "starts_at": (at(9) + timedelta(minutes=chance.randrange(0, 420, 5))).isoformat(),
    }
    answer = client.post("/api/v1/appointments/", body)
    if answer.status_code == 201 and chance.random() < 0.7:  # free it again, so that the fight goes on
        answer_id = answer.json()["id"]
        client.post(f"/api/v1/appointments/{answer_id}/cancel/", {})
    return f"{answer.status_code} {answer.json().get('code', '')}".strip()


def unguarded(chance, ids):
    """Check, then insert, as most schedulers do. All rivals want the same times in the same order."""
    who, start = ids["practitioners"][0], 30_000_000 + ids["round"] * 20
    ids["round"] += 1
    if Appointment.objects.filter(practitioner=who, start_minute__lt=start + 15, end_minute__gt=start).exists():
        return "409"
    room = Room.objects.first()
    Appointment.objects.create(
        patient_id=chance.choice(ids["patients"]), practitioner_id=who, room=room, location=room.location,
        type=AppointmentType.objects.first(), starts_at=at(9), ends_at=at(10), start_minute=start,
        end_minute=start + 15,
        busy_from=start, busy_until=start + 15,
    )  # fmt: skip
    return "201"


def main():
    chance = random.Random(int(sys.argv[1]))
    ids = {
        "round": 0,
        "patients": list(Patient.objects.values_list("pk", flat=True)),
        "practitioners": list(Practitioner.objects.values_list("pk", flat=True)),
    }
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(User.objects.get(email="rival@example.org"))
    start()
    came_back = collections.Counter()
    for _ in range(int(sys.argv[2])):
        if "--unguarded" in sys.argv:
            came_back[unguarded(chance, ids)] += 1
        else:
            came_back[attempt(client, chance, ids)] += 1
    connection.close()
    sys.stdout.write(json.dumps(came_back))


if __name__ == "__main__":
    main()
