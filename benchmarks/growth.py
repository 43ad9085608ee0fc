"""Work grows with what is asked, not with what is stored: the same questions to few rows and to many."""

from appointments import calendar_page
from appointments.models import AppointmentType
from benchmarks import clinics
from benchmarks.rounds import Aim, equal, figure, race
from benchmarks.soonest import ask
from clinic.models import User
from locations.models import Location


def measure(run):
    if run.large is None:
        return
    with run.small.chosen():
        kind, places = AppointmentType.objects.get(slug="evaluation"), list(Location.objects.all())
        owner = User.objects.get(email="owner@bench.test")
    day = calendar_page.Asked(places[:1], clinics.first_day())
    yield _figure(run, "soonest search", lambda: ask(kind, places))
    yield _figure(run, "day of the calendar", lambda: len(calendar_page.read(day, owner).visits))


def _figure(run, name, ask):
    databases = {"60,000 visits": run.small, "1,000,000 visits": run.large}

    def asked_of(database):
        def question():
            with database.chosen():
                return ask()

        return question

    contestants = {stored: asked_of(database) for stored, database in databases.items()}
    equal(name, contestants)
    timed = race(contestants, rounds=run.rounds, times_a_round=5)
    small, large = databases
    return figure(f"growth of the {name}", run.engine, timed, [Aim(large, small, at_most=1.6)])
