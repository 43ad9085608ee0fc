"""The first five evaluations of the next fourteen days: 60 practitioners, 13 locations."""

from datetime import timedelta
from itertools import pairwise

from django.test.utils import CaptureQueriesContext

from appointments import availability
from appointments.models import AppointmentType
from benchmarks import clinics, floor, naive
from benchmarks.rounds import Aim, equal, figure, race
from clinic import times
from locations.models import Location, Practitioner

DAYS, LIMIT = 14, 5


def ask(kind, places, *, days=DAYS, limit=LIMIT, practitioners=None):
    """The measured call; the answer as the anchors give it."""
    found = availability.find(
        type=kind,
        locations=places,
        practitioners=practitioners,
        from_day=clinics.first_day(),
        to_day=clinics.first_day() + timedelta(days=days - 1),
        limit=limit,
    )
    return [(times.to_minute(slot.starts_at), slot.location.pk, slot.practitioner.pk) for slot in found.slots]


def ask_floor(raw, kind, places, *, days=DAYS, limit=LIMIT):
    return floor.soonest(
        raw,
        slug=kind.slug,
        locations=[place.pk for place in places],
        begin=clinics.first_day(),
        days=days,
        limit=limit,
        now=times.to_minute(times.now()),
    )


def measure(run):
    with run.small.chosen():
        kind, places = AppointmentType.objects.get(slug="evaluation"), list(Location.objects.all())
        raw = run.small.raw()
        contestants = {
            "ours": lambda: ask(kind, places),
            "F": lambda: ask_floor(raw, kind, places),
            "N": lambda: naive.soonest(
                kind=kind, locations=places, begin=clinics.first_day(), days=DAYS, limit=LIMIT, now=times.now()
            ),
        }
        equal("soonest", contestants)
        timed = race(contestants, rounds=run.rounds, times_a_round={"ours": 5, "F": 5})
        aims = [Aim("ours", "F", at_most=3), Aim("N", "ours", at_least=60)]
        yield figure(f"soonest {LIMIT} of {DAYS} days, {len(places)} locations", run.engine, timed, aims)
        yield _queries(run, kind, places)


def _queries(run, kind, places):
    everybody = list(Practitioner.objects.select_related("user"))
    longest = AppointmentType(**{f.attname: getattr(kind, f.attname) for f in kind._meta.concrete_fields})
    longest.minutes = clinics.NEVER_FREE  # nothing is found, so that every chunk is asked

    def count(asked, **question):
        with CaptureQueriesContext(run.small.wrapper) as caught:
            ask(asked, places, **question)
        return len(caught)

    counts = {
        "one practitioner, one day": count(kind, days=1, practitioners=everybody[:1], limit=1),
        "all practitioners, one day": count(kind, days=1, practitioners=everybody, limit=1),
        "all practitioners, 14 days": count(kind, days=14, practitioners=everybody, limit=1),
    }
    by_chunk = [count(longest, days=days) for days in range(1, 41)]
    chunk = max(after - before for before, after in pairwise(by_chunk))
    same = len(set(counts.values())) == 1
    answer = figure("queries of a search", run.engine, {}, **counts)
    answer.aims = [
        {"what": "queries of a further chunk of days", "ratio": chunk, "aim": "at most 3", "met": chunk <= 3},
        {"what": "different counts", "ratio": len(set(counts.values())), "aim": "the same", "met": same},
    ]
    return answer
