"""A rival of the history test: one desk among several that books, moves, cancels, plans series and accepts offers.

Usage: python -m tests.appointments.desk_rivals NUMBER ACTIONS, or NUMBER ROUNDS --series [--unguarded]. Prints a list
of the answers it got, as [what, answer's status, body].
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

from appointments.models import Appointment, AppointmentType, Offer  # noqa: E402
from clinic import times  # noqa: E402
from clinic.models import User  # noqa: E402
from locations.models import Practitioner, Room  # noqa: E402
from patients.models import Patient  # noqa: E402
from tests.appointments.processes import start  # noqa: E402
from tests.make import MONDAY, at  # noqa: E402

API = "/api/v1"
DAYS = [MONDAY + timedelta(days=n) for n in (0, 2, 7)]


class Desk:
    def __init__(self, number):
        self.number, self.chance, self.answers = number, random.Random(number), []
        self.client = APIClient(raise_request_exception=False)
        self.client.force_authenticate(User.objects.get(email="rival@example.org"))
        self.patients = list(Patient.objects.filter(given_name="Busy").values_list("pk", flat=True))
        self.people = list(Practitioner.objects.values_list("pk", flat=True))
        self.keys = 0

    def post(self, what, path, body, **headers):
        answer = self.client.post(f"{API}{path}", body, headers=headers)
        self.answers.append([what, answer.status_code, answer.json()])
        return answer

    def key(self):
        self.keys += 1
        return {"Idempotency-Key": f"{self.number}-{self.keys}"}

    def somewhen(self):
        """Few times and many who want them."""
        return at(9, day=self.chance.choice(DAYS)) + timedelta(minutes=self.chance.randrange(0, 150, 5))

    def where(self):
        return {
            "practitioner": self.chance.choice(self.people),
            "location": self.chance.choice(("atlanta", "marietta")),
        }

    def book(self):
        body = {
            "patient": self.chance.choice(self.patients), "type": "adjustment",
            "starts_at": self.somewhen().isoformat(), **self.where(),
        }  # fmt: skip
        key = self.key()
        first = self.post("book", "/appointments/", body, **key)
        if self.chance.random() < 0.3:  # the answer got lost on the way: asked again, it is the same
            again = self.client.post(f"{API}/appointments/", body, headers=key)
            if first.status_code == 201:
                assert (again.status_code, again.json()) == (201, first.json())
            elif again.status_code == 201:
                self.answers[-1] = ["book", 201, again.json()]  # what stood in the way was gone by then

    def move(self):
        if visit := self.some_visit():
            self.post(
                "move", f"/appointments/{visit}/reschedule/", {"starts_at": self.somewhen().isoformat(), **self.where()}
            )

    def cancel(self):
        if visit := self.some_visit():
            self.post("cancel", f"/appointments/{visit}/cancel/", {"reason": "Ill"})

    def some_visit(self):
        """Anybody's: two desks may well take the same."""
        standing = Appointment.objects.holding_time().order_by("pk").values_list("pk", flat=True)
        return self.chance.choice(list(standing) or [None])

    def plan(self):
        body = {
            "patient": self.chance.choice(self.patients), "type": "adjustment", "location": "atlanta",
            "practitioner": self.chance.choice(self.people), "starts_on": f"{MONDAY}", "weekdays": [0, 2],
            "at_time": "10:00", "stretches": [{"visits_per_week": 1, "weeks": 2}],
        }  # fmt: skip
        proposal = self.client.post(f"{API}/series/propose/", body).json()
        visits = [
            {"number": one["number"], "starts_at": one["proposed"]["starts_at"],
             "practitioner": one["proposed"]["practitioner"]["id"]}
            if one["proposed"] else {"number": one["number"], "skip": "Nothing is free"}
            for one in proposal["visits"]
        ]  # fmt: skip
        self.post("plan", "/series/", {**body, "visits": visits}, **self.key())

    def accept(self):
        offers = list(Offer.objects.filter(answer="").order_by("pk").values_list("pk", flat=True))
        if offers:
            offer = self.chance.choice(offers)
            self.post(f"accept {offer}", f"/offers/{offer}/accept/", {})

    def work(self, actions):
        todo = [self.book] * 4 + [self.move] * 3 + [self.cancel] * 2 + [self.plan, self.accept, self.accept]
        for _ in range(actions):
            self.chance.choice(todo)()

    def plan_the_same(self, rounds, *, guarded):
        """Every desk wants the same two times in each round, for another patient."""
        person, patient = self.people[0], self.patients[self.number % len(self.patients)]
        for n in range(rounds):
            starts = [at(9, day=day) + timedelta(minutes=15 * n) for day in DAYS[:2]]
            if not guarded:
                self.answers.append(["plan", unguarded(person, patient, starts), {}])
                continue
            body = {
                "patient": patient, "type": "adjustment", "location": "atlanta", "practitioner": person,
                "starts_on": f"{MONDAY}", "weekdays": [0, 2], "at_time": "09:00",
                "stretches": [{"visits_per_week": 2, "weeks": 1}],
                "visits": [{"number": number, "starts_at": when.isoformat(), "practitioner": person}
                           for number, when in enumerate(starts, 1)],
            }  # fmt: skip
            self.post("plan", "/series/", body, **self.key())


def unguarded(person, patient, starts):
    """Look at all times, then write them one by one, as schedulers do that propose and then save."""
    minutes = [times.to_minute(when) for when in starts]
    mine = Appointment.objects.filter(practitioner=person, start_minute__in=minutes)
    if mine.exists():
        return 409
    room, kind = Room.objects.first(), AppointmentType.objects.first()
    for when, minute in zip(starts, minutes, strict=True):
        Appointment.objects.create(
            patient_id=patient, practitioner_id=person, room=room, location=room.location, type=kind, starts_at=when,
            ends_at=when + timedelta(minutes=15), start_minute=minute, end_minute=minute + 15, busy_from=minute,
            busy_until=minute + 15,
        )  # fmt: skip
    return 201


def main():
    desk, count = Desk(int(sys.argv[1])), int(sys.argv[2])
    start()
    if "--series" in sys.argv:
        desk.plan_the_same(count, guarded="--unguarded" not in sys.argv)
    else:
        desk.work(count)
    connection.close()
    sys.stdout.write(json.dumps(desk.answers))


if __name__ == "__main__":
    main()
