"""Work grows with what is asked, not with what is stored: the same questions to few rows and to many."""

from appointments.models import AppointmentType
from benchmarks.rounds import Aim, figure, race
from benchmarks.soonest import ask
from locations.models import Location


def measure(run):
    if run.large is None:
        return
    databases = {"60,000 visits": run.small, "1,000,000 visits": run.large}
    with run.small.chosen():
        kind, places = AppointmentType.objects.get(slug="evaluation"), list(Location.objects.all())

    def asked_of(database):
        def question():
            with database.chosen():
                return ask(kind, places)

        return question

    contestants = {name: asked_of(database) for name, database in databases.items()}
    for question in contestants.values():
        question()
    timed = race(contestants, rounds=run.rounds, times_a_round=5)
    small, large = databases
    yield figure("growth of the soonest search", run.engine, timed, [Aim(large, small, at_most=1.6)])
