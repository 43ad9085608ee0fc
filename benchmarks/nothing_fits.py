"""The worst case: 90 days are searched and nobody has the time."""

from appointments.models import AppointmentType
from benchmarks import clinics
from benchmarks.rounds import Aim, equal, figure, race
from benchmarks.soonest import ask, ask_floor
from locations.models import Location


def measure(run):
    with run.small.chosen():
        kind, places, raw = AppointmentType.objects.get(slug="workshop"), list(Location.objects.all()), run.small.raw()
        contestants = {
            "ours": lambda: ask(kind, places, days=clinics.DAYS),
            "F": lambda: ask_floor(raw, kind, places, days=clinics.DAYS),
        }
        equal("nothing fits", contestants)
        assert run.is_tiny or contestants["F"]() == [], "something fits after all"
        timed = race(contestants, rounds=run.rounds)
        yield figure(f"nothing fits in {clinics.DAYS} days", run.engine, timed, [Aim("ours", "F", at_most=3)])
