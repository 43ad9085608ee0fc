"""One rival of the race for a practitioner's day: a process of its own that writes hours at one of three clinics.

Usage: python -m tests.appointments.hours_rivals NUMBER [--unguarded | --without-locks]. In each round all want the
same hours of one practitioner, the first two as extra hours of the Monday, the third for every Monday. Prints JSON: how
often each answer came. `--unguarded` runs the rule without its transaction and its locks, `--without-locks` in its
transaction with the locks switched off: the controls that must fail.
"""

import collections
import json
import os
import sys
import time
from datetime import time as clock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection  # noqa: E402

from appointments.models import ExtraHours  # noqa: E402
from appointments.timetable import working_hours  # noqa: E402
from appointments.timetable.working_hours import Shift  # noqa: E402
from clinic import locks  # noqa: E402
from clinic.errors import RuleBroken  # noqa: E402
from clinic.models import User  # noqa: E402
from locations.models import Location, Practitioner  # noqa: E402
from locations.spans import Span  # noqa: E402
from tests.appointments import processes  # noqa: E402
from tests.make import MONDAY  # noqa: E402

ROUND = 0.3  # seconds; a slow machine only makes rivals meet later
GAP = 0.05  # between what a rule reads and what it writes: time enough for somebody else


def slowly(save):
    def later(*args, **kwargs):
        time.sleep(GAP)
        return save(*args, **kwargs)

    return later


def then_wait(check):
    def look(*args):
        check(*args)
        time.sleep(GAP)

    return look


def write(number, chiro, place, owner):
    span = Span(0, clock(9), clock(12))
    if "--unguarded" in sys.argv:
        working_hours.add_extra.__wrapped__(chiro, place, day=MONDAY, span=span, by=owner)
    elif number == 2:
        working_hours.set_week(chiro, place, [Shift(span)], from_day=MONDAY, by=owner)
    else:
        working_hours.add_extra(chiro, place, day=MONDAY, span=span, by=owner)


def main():
    number = int(sys.argv[1])
    ExtraHours.save = slowly(ExtraHours.save)
    working_hours._refuse_extra_elsewhere = then_wait(working_hours._refuse_extra_elsewhere)
    if "--without-locks" in sys.argv or "--unguarded" in sys.argv:
        locks.hold = lambda *wanted, shared=False: None
    owner = User.objects.get(email="owner@example.org")
    place = Location.objects.get(slug=f"c{number}")
    people = list(Practitioner.objects.select_related("user").order_by("pk"))
    came = collections.Counter()
    processes.start()
    begun = (time.monotonic() // ROUND + 2) * ROUND  # one clock for all processes of a machine
    for n, chiro in enumerate(people):
        time.sleep(max(0, begun + n * ROUND - time.monotonic()))
        try:
            write(number, chiro, place, owner)
            came["written"] += 1
        except RuleBroken as refused:
            came[refused.code] += 1
    connection.close()
    sys.stdout.write(json.dumps(came))


if __name__ == "__main__":
    main()
