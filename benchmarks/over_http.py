"""What a browser or a program waits for: the soonest times, a booking with all its rules, a day of the calendar.

Atlas and the floors are served alike, by one gunicorn process each; the client opens a connection for each request.
"""

import json
from datetime import datetime, timedelta
from urllib.parse import urlencode

from appointments import availability
from appointments.models import Appointment, AppointmentType
from benchmarks import clinics
from benchmarks.rounds import Aim, equal, figure, race
from benchmarks.serving import ATLAS, FLOORS, served, signed_in
from benchmarks.soonest import DAYS, LIMIT
from clinic import times
from clinic.models import AuditEntry, User
from locations.models import Location
from patients.models import Patient

BOOKINGS = 10  # of each contestant in a round


def measure(run):
    with clinics.unchanged(run.small), served(ATLAS, run.small) as atlas, served(FLOORS, run.small) as floors:
        yield _soonest(run, atlas, floors)
        yield from _calendar(run, atlas, floors)
        yield _booking(run, atlas, floors)


def _soonest(run, atlas, floors):
    first = clinics.first_day()
    asked = {"type": "evaluation", "from": first, "to": first + timedelta(days=DAYS - 1), "limit": LIMIT}
    owner = signed_in(run.small, "owner")
    ours, floor = f"/api/v1/availability/?{urlencode(asked)}", f"/soonest?{urlencode(asked | {'days': DAYS})}"
    with run.small.chosen():
        slugs = dict(Location.objects.values_list("slug", "pk"))

    def slots():
        found = _json(atlas.ask(ours, headers=owner))["slots"]
        starts = [times.to_minute(datetime.fromisoformat(one["starts_at"])) for one in found]
        whose = [[slugs[one["location"]["slug"]], one["practitioner"]["id"]] for one in found]
        return [[start, *who] for start, who in zip(starts, whose, strict=True)]

    equal("soonest over HTTP", {"ours": slots, "F": lambda: _json(floors.ask(floor))})
    timed = race(
        {"ours": lambda: atlas.ask(ours, headers=owner), "F": lambda: floors.ask(floor)},
        rounds=run.rounds,
        times_a_round=10,
    )
    return figure(f"soonest {LIMIT} of {DAYS} days over HTTP", run.engine, timed, [Aim("ours", "F", at_most=4)])


def _calendar(run, atlas, floors):
    """A day of about 100 visits at some locations, then of all thirteen."""
    owner, day = signed_in(run.small, "owner"), clinics.first_day()
    with run.small.chosen():
        places = list(Location.objects.all())
        of_day = [(place.slug, Appointment.objects.at(place).on(day, place.time_zone).count()) for place in places]
    some, visits = [], 0
    for slug, count in of_day:
        if not some or (visits + count <= 105 and len(some) < len(places) - 1):
            some.append(slug)
            visits += count
    everywhere = [slug for slug, _ in of_day]
    asked = {
        f"{visits} visits at {len(some)}": some,
        f"{sum(n for _, n in of_day)} visits at {len(places)}": everywhere,
    }
    for name, slugs in asked.items():
        contestants = _days(atlas, floors, owner, day, places, slugs)
        equal(name, {who: lambda ask=ask: sorted(ask()) for who, ask in contestants.items()})
        timed = race(contestants, rounds=run.rounds, times_a_round=10)
        aims = [Aim("ours", "values()", at_most=2)] if slugs is some else []
        yield figure(f"calendar of a day, {name}", run.engine, timed, aims)
    by_size = {name: _days(atlas, floors, owner, day, places, slugs)["ours"] for name, slugs in asked.items()}
    small, large = by_size
    timed = race(by_size, rounds=run.rounds, times_a_round=10)
    yield figure("calendar of a day as it fills", run.engine, timed, [Aim(large, small, at_most=12)])


def _days(atlas, floors, owner, day, places, slugs):
    """Both ask for the ids of the visits; ours also gives columns, hours, time off, closures and the wall clock."""
    edges = [times.day_bounds(day, place.time_zone) for place in places if place.slug in slugs]
    first, last = min(edge[0] for edge in edges), max(edge[1] for edge in edges)
    named = [("location", slug) for slug in slugs]
    ours = f"/calendar/events/?{urlencode([('day', day), *named])}"
    span = [("from", times.to_minute(first)), ("to", times.to_minute(last))]
    floor = f"/day?{urlencode([*span, *named])}"
    return {
        "ours": lambda: [one["id"] for one in _json(atlas.ask(ours, headers=owner))["visits"]],
        "values()": lambda: [one["id"] for one in _json(floors.ask(floor, headers=owner))["visits"]],
    }


def _booking(run, atlas, floors):
    """Distinct free times for each; equal rows are written, and taken out again when all is measured."""
    desk = signed_in(run.small, "desk")
    with run.small.chosen():
        wanted = _free_times(run.rounds * BOOKINGS * 2 + 4)
        before = AuditEntry.objects.count()

    def booked(server, path, headers):
        body, room = wanted.pop()
        if server is floors:
            body = body | {"room": room}
        status, answer = server.ask(path, body=json.dumps(body).encode(), headers=headers)
        assert status == 201, answer
        return answer

    contestants = {
        "ours": lambda: booked(atlas, "/api/v1/appointments/", desk),
        "minimal view": lambda: booked(floors, "/book", desk),
    }
    for ask in contestants.values():
        ask(), ask()
    timed = race(contestants, rounds=run.rounds, times_a_round=BOOKINGS)
    with run.small.chosen():
        assert AuditEntry.objects.count() - before == run.rounds * BOOKINGS * 2 + 4
    aims = [Aim("ours", "minimal view", at_most=2.5)]
    return figure("a booking over HTTP, all rules", run.engine, timed, aims)


def _free_times(count: int) -> list[tuple[dict, int]]:
    """What to book: at each location one visit after the other, in a room that no visit of the data is in."""
    kind, desk = AppointmentType.objects.get(slug="adjustment"), User.objects.get(email="desk@bench.test")
    places = Location.objects.visible_to(desk, "appointment.create")
    spare = {place.pk: place.rooms.filter(kind=kind.room_kind).order_by("name").last().pk for place in places}
    first, days = clinics.first_day(), clinics.DAYS - 1
    slots = availability.find(
        type=kind, locations=places, from_day=first, to_day=first + timedelta(days=days), limit=count * 20
    ).slots
    patients = list(Patient.objects.visible_to(desk).order_by("pk").values_list("pk", flat=True))
    wanted, until = [], {}
    for slot in slots:
        start = times.to_minute(slot.starts_at)
        if until.get(slot.location.pk, 0) > start or len(wanted) == count:
            continue
        until[slot.location.pk] = start + kind.minutes
        busy = Appointment.objects.filter(start_minute__lt=start + kind.minutes, end_minute__gt=start)
        body = {"patient": next(iter(set(patients) - set(busy.values_list("patient", flat=True)))), "type": kind.slug}
        patients.remove(body["patient"])
        body |= {"practitioner": slot.practitioner.pk, "location": slot.location.slug}
        wanted.append((body | {"starts_at": slot.local_start.isoformat()}, spare[slot.location.pk]))
    assert len(wanted) == count, "too few free times"
    return wanted


def _json(answer):
    status, body = answer
    assert status == 200, body
    return json.loads(body)
