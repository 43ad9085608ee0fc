"""One rival of the closing race: a process of its own that books, or that takes the time away that others book.

Usage: python -m tests.appointments.closing_rivals book|close SEED ROUNDS FOLDER [--unguarded | --without-locks]. In
round n all are at the clinic `c<n>`: the closer waits until something is booked there, and leaves a file in the folder
once the time is taken away; bookers go on until they have tried after that. So both meet on the slowest machine too.
Prints JSON: of a booker how often each answer came, of the closer by round the ids of the visits that are hit as it is
told afterwards, or null where closing was refused. `--unguarded` books after a check that was made outside of any lock
and transaction, `--without-locks` by the real rule with the advisory locks switched off: the controls that must fail.
"""

import collections
import json
import os
import random
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from appointments import booking, calendars, conflicts  # noqa: E402
from appointments.conflicts import Wanted  # noqa: E402
from appointments.models import Appointment, AppointmentType  # noqa: E402
from appointments.timetable import closed_days, working_hours  # noqa: E402
from clinic import locks  # noqa: E402
from clinic.errors import RuleBroken  # noqa: E402
from clinic.models import User  # noqa: E402
from locations import opening, places, rooms, staffing  # noqa: E402
from locations.models import Location, Practitioner  # noqa: E402
from patients.models import Patient  # noqa: E402
from tests.make import MONDAY, at  # noqa: E402

BEFORE, AFTER = 2, 2  # visits before the time is taken away, tries of each booker after it
WAYS = ("closure", "opening", "week", "away", "room", "clinic", "left")


class Round:
    """What a round is about, read anew as a request would."""

    def __init__(self, n):
        self.place = Location.objects.get(slug=f"c{n}")
        self.chiro = Practitioner.objects.select_related("user").get(user__email=f"chiro{n}@example.org")
        self.way = WAYS[n % len(WAYS)]

    def ahead(self):
        return Appointment.objects.filter(location=self.place, status="booked")

    def close(self, owner):
        """Take the time away; the ids of the visits that are hit, read as the page reads them."""
        match self.way:
            case "closure":
                opening.close([self.place], starts_on=MONDAY, ends_on=MONDAY, reason="Flood", by=owner)
                return [visit.pk for visit in closed_days.hit(closed_days.ahead([self.place]), [self.place], owner)]
            case "opening":
                opening.set_hours(self.place, [], by=owner)
            case "week":
                working_hours.set_week(self.chiro, self.place, [], from_day=self.place.today(), by=owner)
            case "away":
                working_hours.take_off(self.chiro, starts_at=at(0), ends_at=at(23), by=owner)
            case "left":
                staffing.set_active(self.chiro.user, is_active=False, by=owner)
            case "room":
                rooms.set_open(self.place.rooms.get(), is_open=False, by=owner)
                return []
            case "clinic":
                places.set_open(self.place, is_open=False, by=owner)
                return []
        return [visit.pk for visit in working_hours.outside(self.chiro, self.place)]


def slowly(find):
    """Between what a booking reads and what it writes lies time enough for somebody else."""

    def look(*args):
        found = find(*args)
        time.sleep(0.01)
        return found

    return look


def book(now, chance, kind, patients, desk):
    wanted = Wanted(
        chance.choice(patients), now.chiro, now.place, kind, at(9) + timedelta(minutes=chance.randrange(0, 420, 5)), 15
    )
    if "--unguarded" in sys.argv:
        here = calendars.rooms_by_location([now.place.pk], kind.room_kind)[now.place.pk]
        found, room, _ = conflicts.find(wanted, here)
        time.sleep(0.03)
        if found:
            return found[0].code
        with transaction.atomic():
            booking.write(Appointment(patient=wanted.patient, type=kind), replace(wanted, room=room))
        return "booked"
    booking.book(
        patient=wanted.patient, practitioner=now.chiro, location=now.place, type=kind, starts_at=wanted.starts_at,
        by=desk,
    )  # fmt: skip
    return "booked"


def books(chance, rounds, folder):
    desk = User.objects.get(email="rival@example.org")
    kind, patients = AppointmentType.objects.get(), list(Patient.objects.all())
    came = collections.Counter()
    for n in range(rounds):
        now, after = Round(n), 0
        while after < AFTER:
            after += (folder / str(n)).exists()
            try:
                came[book(now, chance, kind, patients, desk)] += 1
            except RuleBroken as refused:
                came[refused.code] += 1
    return came


def closes(rounds, folder):
    owner = User.objects.get(email="owner@example.org")
    hit = {}
    for n in range(rounds):
        now = Round(n)
        while now.ahead().count() < BEFORE:
            time.sleep(0.01)
        try:
            hit[n] = now.close(owner)
        except RuleBroken as refused:
            hit[n] = None if refused.code == "in_the_way" else refused.message
        (folder / str(n)).touch()
    return hit


def main():
    role, seed, rounds, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    conflicts.find = slowly(conflicts.find)
    if "--without-locks" in sys.argv:
        locks.hold = lambda *wanted, shared=False: None
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()  # all rivals start together
    said = closes(rounds, folder) if role == "close" else books(random.Random(seed), rounds, folder)
    connection.close()
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
