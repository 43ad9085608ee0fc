"""The clinics that are measured: 13 locations, 60 practitioners, 90 days of visits, all from one seed.

The first day is the Monday after next, so that everything lies ahead of whoever books. Days before it hold the same
visits again, thirteen weeks apart, until there are as many as asked for: what is stored grows, what is asked does not.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from random import Random
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db.models import Max

from appointments.models import Appointment, AppointmentType, TimeOff, WeeklyHours
from benchmarks.people import enrol
from benchmarks.pouring import bare, pour
from clinic import times
from clinic.models import User
from locations.models import Closure, Location, OpeningHours, Practitioner, Room, StaffAssignment, TravelTime
from patients.models import Patient, SearchTerm

SEED = 1
EDITION = 4  # raise it when the same seed makes other clinics: kept databases are made anew
DAYS, PERIOD = 90, 91  # thirteen weeks, so that copies fall on the same weekdays
EAST, CENTRAL = "America/New_York", "America/Chicago"
PLACES = (
    "Alpharetta", "Atlanta", "Augusta", "Charleston", "Charlotte", "Chattanooga", "Columbia", "Greenville", "Knoxville",
    "Marietta", "Nashville", "Raleigh", "Savannah",
)  # fmt: skip
NEIGHBOURS = {0: (1, 35), 1: (9, 30), 9: (0, 30), 4: (11, 150), 5: (8, 110), 6: (7, 100), 2: (6, 75), 3: (12, 120)}
FAR = 150  # minutes between all others: nobody works at both
MORNING, AFTERNOON = (time(9), time(13)), (time(14), time(18))
GAPS = (10, 15, 20, 30, 45, 60, 75)
NEVER_FREE = 200  # minutes: within the working hours, and longer than any gap
KINDS = (("adjustment", 15), ("adjustment", 20), ("adjustment", 30), ("evaluation", 60))


@dataclass(frozen=True)
class Size:
    """How much is stored. `practitioners` share the 13 locations in turn; the first location has two more."""

    visits: int = 60_000
    patients: int = 10_000
    practitioners: int = 60


TINY = Size(visits=400, patients=200, practitioners=40)
SMALL = Size()
LARGE = Size(visits=1_000_000, patients=1_000_000)


def first_day() -> date:
    today = times.today(EAST)
    return today + timedelta(days=14 - today.weekday())


def fill(size: Size) -> None:
    rng = Random(SEED)
    places = _places(size)
    people = _people(places, size)
    _types()
    _hours(people, places, rng)
    is_much = size.visits + size.patients > 200_000
    with bare(Patient, SearchTerm, Appointment) if is_much else nullcontext():
        enrol(size.patients, places)
        pour(Appointment, _copies(list(_Diary(people, places, size, rng).visits()), size.visits))


def _places(size) -> list[Location]:
    places = Location.objects.bulk_create(
        Location(slug=name.lower(), name=name, city=name, state="GA", time_zone=CENTRAL if n == 10 else EAST)
        for n, name in enumerate(PLACES)
    )
    each = size.practitioners // len(places) + 4
    kinds = [*[(Room.Kind.ADJUSTING, f"Adjusting {n:02}") for n in range(each)],
             *[(Room.Kind.EVALUATION, f"Evaluation {n}") for n in (1, 2)]]  # fmt: skip
    Room.objects.bulk_create(Room(location=place, name=name, kind=kind) for place in places for kind, name in kinds)
    OpeningHours.objects.bulk_create(
        OpeningHours(location=place, weekday=day, opens=time(8), closes=time(18))
        for place in places
        for day in range(5)
    )
    near = {frozenset((a, b)): minutes for a, (b, minutes) in NEIGHBOURS.items()}
    TravelTime.objects.bulk_create(
        TravelTime(origin=places[a], destination=places[b], minutes=near.get(frozenset((a, b)), FAR))
        for a, b in combinations(range(len(places)), 2)
    )
    holiday, training = first_day() + timedelta(days=31), first_day() + timedelta(days=43)
    Closure.objects.create(starts_on=holiday, ends_on=holiday, reason="Holiday")
    Closure.objects.create(location=places[2], starts_on=training, ends_on=training, reason="Training")
    return places


def _people(places, size) -> list[tuple[Practitioner, int]]:
    """Practitioners, each with the number of the home location; and two who sign in: the owner and a desk."""
    homes = [*(n % len(places) for n in range(size.practitioners - 2)), 0, 0]
    names = [*((f"dc{n}", f"Practitioner {n:02}") for n in range(len(homes))), ("owner", "Olive"), ("desk", "Dana")]
    *dcs, owner, desk = User.objects.bulk_create(
        User(email=f"{mailbox}@bench.test", full_name=name, password=make_password(None)) for mailbox, name in names
    )
    Role = StaffAssignment.Role  # noqa: N806
    StaffAssignment.objects.bulk_create(
        [*(StaffAssignment(user=dc, location=places[n], role=Role.CLINICIAN) for dc, n in zip(dcs, homes, strict=True)),
         StaffAssignment(user=owner, role=Role.OWNER),
         StaffAssignment(user=owner, role=Role.MANAGER),
         *(StaffAssignment(user=desk, location=place, role=Role.DESK) for place in places[:2])]
    )  # fmt: skip
    return list(zip(Practitioner.objects.bulk_create(Practitioner(user=user) for user in dcs), homes, strict=True))


def _types() -> None:
    """No notice and no limit ahead: what is measured is the search, on any day of the year."""
    rows = (
        ("evaluation", 60, 45, Room.Kind.EVALUATION, 5),
        ("adjustment", 15, 10, Room.Kind.ADJUSTING, 0),
        ("workshop", NEVER_FREE, 60, Room.Kind.EVALUATION, 0),
    )
    known = {field.name for field in AppointmentType._meta.fields}
    free = {name: value for name, value in (("notice_minutes", 0), ("horizon_days", 365)) if name in known}
    AppointmentType.objects.bulk_create(
        AppointmentType(
            slug=slug, name=slug.capitalize(), minutes=minutes, least_minutes=least, most_minutes=minutes * 2,
            room_kind=kind, buffer_after=after, is_evaluation=kind == Room.Kind.EVALUATION, **free,
        )
        for slug, minutes, least, kind, after in rows
    )  # fmt: skip


def _halves(n: int, home: int) -> Iterator[tuple[int, int, tuple]]:
    """(weekday, number of the location, hours) of practitioner `n`; every fifth also works at the neighbour's."""
    other = NEIGHBOURS.get(home, (home, 0))[0]
    for day in range(5):
        whole_day_away = n % 5 == 3 and day == 2
        afternoon_away = n % 10 == 0 and day == 3 and NEIGHBOURS.get(home, (0, 99))[1] <= 60
        yield day, other if whole_day_away else home, MORNING
        yield day, other if whole_day_away or afternoon_away else home, AFTERNOON


def _hours(people, places, rng) -> None:
    WeeklyHours.objects.bulk_create(
        WeeklyHours(practitioner=person, location=places[where], weekday=day, starts=starts, ends=ends)
        for n, (person, home) in enumerate(people)
        for day, where, (starts, ends) in _halves(n, home)
    )
    rows = []
    for person, home in people:
        for _ in range(3):
            begin = times.instant(first_day() + timedelta(days=rng.randrange(DAYS)), time(13), places[home].time_zone)
            hours = rng.choice((5, 24, 5 * 24))
            rows.append(TimeOff(practitioner=person, starts_at=begin, ends_at=begin + timedelta(hours=hours)))
    TimeOff.objects.bulk_create(rows)


class _Diary:
    """Fills the working hours of the 90 days; every practitioner has a room, evaluations share two a location."""

    def __init__(self, people, places, size, rng):
        self.people, self.places, self.size, self.rng = people, places, size, rng
        self.kinds = dict(AppointmentType.objects.values_list("slug", "pk"))
        self.rooms, self.away = defaultdict(list), defaultdict(list)
        for room in Room.objects.order_by("name"):
            self.rooms[room.location_id, room.kind].append(room.pk)
        for row in TimeOff.objects.all():
            self.away[row.practitioner_id].append((times.to_minute(row.starts_at), times.to_minute(row.ends_at)))
        self.closed = {(c.location_id, c.starts_on) for c in Closure.objects.all()}
        self.patients_seen = [0] * len(places)
        self.room_until: dict[int, int] = {}

    def visits(self) -> Iterator[tuple]:
        """(start, end, busy until, person, location, room, type, patient) by their ids."""
        for day in (first_day() + timedelta(days=n) for n in range(DAYS)):
            for starts, ends in (MORNING, AFTERNOON):
                seats = [0] * len(self.places)
                for n, (person, home) in enumerate(self.people):
                    for weekday, where, hours in _halves(n, home):
                        if weekday == day.weekday() and hours[0] == starts and self._is_open(where, day):
                            yield from self._half(person, where, day, (starts, ends), seats[where])
                            seats[where] += 1

    def _is_open(self, where, day):
        return not {(None, day), (self.places[where].pk, day)} & self.closed

    def _half(self, person, where, day, hours, seat):
        place = self.places[where]
        minute, end = (times.to_minute(times.instant(day, edge, place.time_zone)) for edge in hours)
        while minute < end:
            slug, length = self.rng.choices(KINDS, (40, 30, 25, 5))[0]
            gap = self.rng.choice(GAPS) if self.rng.random() < 0.2 else 0
            until = minute + length + (5 if slug == "evaluation" else 0)
            room = self._room(place, slug, seat, minute)
            is_away = any(a < until and b > minute for a, b in self.away[person.pk])
            if room is None or minute + length > end or is_away:
                minute += 15
                continue
            self.room_until[room] = until
            patient = self._patient(where)
            yield minute, minute + length, until, person.pk, place.pk, room, self.kinds[slug], patient
            minute = until + gap

    def _room(self, place, slug, seat, minute):
        if slug == "adjustment":
            return self.rooms[place.pk, Room.Kind.ADJUSTING][seat]
        free = (r for r in self.rooms[place.pk, Room.Kind.EVALUATION] if self.room_until.get(r, 0) <= minute)
        return next(free, None)

    def _patient(self, where):
        """Those at home there, one after the other: nobody comes twice before everybody came once."""
        of_place = (self.size.patients - 1 - where) // len(self.places) + 1
        self.patients_seen[where] += 1
        return 1 + where + self.patients_seen[where] % of_place * len(self.places)


def _copies(diary, wanted: int) -> Iterator[dict]:
    """The visits of the 90 days, thinned to at most what is wanted; then the same, further and further back."""
    if len(diary) > min(wanted, 60_000):
        diary = sorted(Random(SEED).sample(diary, min(wanted, 60_000)))
    rng, written, copy = Random(SEED), 0, 0
    while written < wanted:
        back = copy * PERIOD * 1440
        for start, end, until, person, place, room, kind, patient in diary[: wanted - written]:
            yield {
                "patient_id": patient, "practitioner_id": person, "location_id": place, "room_id": room,
                "type_id": kind, "status": "completed" if copy else "booked",
                "starts_at": datetime.fromtimestamp((start - back) * 60, UTC),
                "ends_at": datetime.fromtimestamp((end - back) * 60, UTC),
                "start_minute": start - back, "end_minute": end - back,
                "busy_from": start - back, "busy_until": until - back,
                "uid": UUID(int=rng.getrandbits(128), version=4),
            }  # fmt: skip
        written += min(len(diary), wanted - written)
        copy += 1


@contextmanager
def unchanged(database):
    """Visits that are booked meanwhile are taken out again."""
    with database.chosen():
        newest = Appointment.with_holds.aggregate(newest=Max("pk"))["newest"] or 0
    try:
        yield
    finally:
        with database.chosen():
            Appointment.with_holds.filter(pk__gt=newest).delete()
