"""One rival of the race test: a desk that brings plans back in step with the calendar, while others do the same.

Usage: python -m tests.careplans.rearranging_rivals NUMBER ROUNDS [--unguarded]. Prints a list of [series, status, code,
how many visits were written]. With --unguarded what was proposed is written down visit by visit, without lock, without
asking whether it is still so, without constraint: the control that must fail.
"""

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

from appointments.models import Appointment, Series  # noqa: E402
from appointments.recurring import rearranging  # noqa: E402
from clinic import times  # noqa: E402
from clinic.models import User  # noqa: E402
from locations.models import Room  # noqa: E402
from tests.appointments.processes import start  # noqa: E402
from tests.make import at  # noqa: E402


class Desk:
    def __init__(self, number):
        self.chance = random.Random(number)
        self.client = APIClient(raise_request_exception=False)
        self.client.force_authenticate(User.objects.get(email="rival@example.org"))

    def ask(self, series, way):
        return self.client.post(f"/api/v1/series/{series}/propose-rest/", {"way": way}).json()["visits"]

    def cancel_one(self, series):
        standing = Appointment.objects.holding_time().filter(series_visit__series=series, starts_at__gt=times.now())
        visit = self.chance.choice(list(standing.values_list("pk", flat=True)))
        self.client.post(f"/api/v1/appointments/{visit}/cancel/", {"reason": "Ill"})

    def bring_in_step(self, series):
        way = self.chance.choice(["keep", "shift"])
        rows = [row for row in self.ask(series, way) if row["asks"]]
        if not rows:
            self.cancel_one(series)
            rows = [row for row in self.ask(series, way) if row["asks"]]
        said = [
            {"number": row["number"], "sequence": row["sequence"], "starts_at": row["proposed"]["starts_at"],
             "practitioner": row["proposed"]["practitioner"]["id"]}
            if row["proposed"] else {"number": row["number"], "sequence": row["sequence"], "skip": "Full."}
            for row in rows
        ]  # fmt: skip
        if not said:
            return [series, 204, "", 0]
        answer = self.client.post(f"/api/v1/series/{series}/rearrange/", {"visits": said, "reason": "In step."})
        body = answer.json()
        return [series, answer.status_code, body.get("code", ""), len(body.get("visits", []))]


def unguarded(series):
    """Look, then write each visit where it was free, as schedulers do."""
    written = 0
    for line in rearranging.of(series).propose():
        if line.slot is None:
            continue
        visit = series.visits.get(number=int(line.wish.key))
        row = line.wish.moving or Appointment(patient=series.patient, type=visit.type, series_visit=visit)
        row.practitioner, row.location, row.starts_at = line.slot.practitioner, line.slot.location, line.slot.starts_at
        row.ends_at = row.starts_at + timedelta(minutes=line.wish.minutes)
        row.start_minute = row.busy_from = times.to_minute(row.starts_at)
        row.end_minute = row.busy_until = times.to_minute(row.ends_at)
        row.room = Room.objects.filter(location=row.location, kind=visit.type.room_kind).first()
        row.save()
        written += 1
    return [series.pk, 200, "", written]


def main():
    number, rounds = int(sys.argv[1]), int(sys.argv[2])
    desk, plans = Desk(number), list(Series.objects.order_by("pk").values_list("pk", flat=True))
    start()
    answers = []
    with times.as_of(at(12)):  # the first visits were missed this morning
        for n in range(rounds):
            series = plans[n % len(plans)]
            if "--unguarded" in sys.argv:
                answers.append(unguarded(Series.objects.with_names().get(pk=series)))
            else:
                answers.append(desk.bring_in_step(series))
    connection.close()
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
