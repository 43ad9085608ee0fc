"""The thirteen invented clinics, who works there, and the five people one signs in as."""

from datetime import date, time, timedelta
from itertools import cycle, islice, product

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from clinic.demo import World
from clinic.models import User
from locations.models import Closure, Location, OpeningHours, Practitioner, Room, StaffAssignment, TravelTime

Role = StaffAssignment.Role
PASSWORD = "demo-clinic"  # noqa: S105 -- for invented people, printed at every start
EAST, CENTRAL = "America/New_York", "America/Chicago"
# The first three are the small clinic: two neighbours, and another time zone.
PLACES = (
    ("atlanta", "Atlanta", "GA", "30303", "404", EAST, "12 Example Street"),
    ("marietta", "Marietta", "GA", "30060", "770", EAST, "48 Example Street"),
    ("nashville", "Nashville", "TN", "37203", "615", CENTRAL, "301 Example Street"),
    ("alpharetta", "Alpharetta", "GA", "30009", "678", EAST, "7 Example Street"),
    ("augusta", "Augusta", "GA", "30901", "706", EAST, "115 Example Street"),
    ("savannah", "Savannah", "GA", "31401", "912", EAST, "22 Example Street"),
    ("greenville", "Greenville", "SC", "29601", "864", EAST, "90 Example Street"),
    ("columbia", "Columbia", "SC", "29201", "803", EAST, "64 Example Street"),
    ("charleston", "Charleston", "SC", "29401", "843", EAST, "5 Example Street"),
    ("chattanooga", "Chattanooga", "TN", "37402", "423", EAST, "130 Example Street"),
    ("knoxville", "Knoxville", "TN", "37902", "865", EAST, "77 Example Street"),
    ("charlotte", "Charlotte", "NC", "28202", "704", EAST, "210 Example Street"),
    ("raleigh", "Raleigh", "NC", "27601", "919", EAST, "36 Example Street"),
)
TRAVEL = (
    ("atlanta", "marietta", 30), ("atlanta", "alpharetta", 35), ("marietta", "alpharetta", 30),
    ("augusta", "columbia", 75), ("savannah", "charleston", 120), ("greenville", "charlotte", 105),
    ("columbia", "charlotte", 95), ("columbia", "greenville", 100), ("chattanooga", "knoxville", 110),
    ("chattanooga", "atlanta", 120), ("nashville", "chattanooga", 135), ("charlotte", "raleigh", 150),
    ("charleston", "columbia", 125), ("charleston", "augusta", 145), ("atlanta", "augusta", 140),
    ("atlanta", "greenville", 145), ("atlanta", "savannah", 240), ("knoxville", "charlotte", 225),
    ("nashville", "knoxville", 170),
)  # fmt: skip
HOLIDAYS = (((1, 1), "New Year's Day"), ((7, 4), "Independence Day"), ((12, 25), "Christmas Day"))
PARKING = (
    "Free in the yard behind the house.",
    "Two hours free at the kerb.",
    "In the garage next door; ask for a ticket.",
)


def load(world: World) -> None:
    world.locations = _places(world.size.locations)
    _rooms_and_hours(world.locations)
    _travel({place.slug: place for place in world.locations})
    _closures(world)
    secret = make_password(PASSWORD)  # one hash for all: argon2 is slow on purpose
    _sign_ins(world, secret)
    _practitioners(world, secret)


def area_code(place: Location) -> str:
    return next(row[4] for row in PLACES if row[0] == place.slug)


def _places(limit):
    return Location.objects.bulk_create(
        Location(
            slug=slug, name=name, street=street, city=name, state=state, postal_code=code, time_zone=zone,
            phone=f"+1 {area} 555 0100", parking=PARKING[n % len(PARKING)],
        )
        for n, (slug, name, state, code, area, zone, street) in enumerate(PLACES[:limit])
    )  # fmt: skip


def _rooms_and_hours(places):
    rooms = [*((f"Evaluation {n}", Room.Kind.EVALUATION) for n in (1, 2)),
             *((f"Adjusting {n}", Room.Kind.ADJUSTING) for n in (1, 2, 3, 4))]  # fmt: skip
    Room.objects.bulk_create(Room(location=p, name=name, kind=kind) for p in places for name, kind in rooms)
    OpeningHours.objects.bulk_create(
        OpeningHours(location=place, weekday=day, opens=time(8), closes=time(18) if day < 5 else time(13))
        for place in places
        for day in range(6)
    )


def _travel(by_slug):
    """A way between any two, by the neighbours on it."""
    rows = []
    for (one, other), minutes in _shortest().items():
        if one in by_slug and other in by_slug and by_slug[one].pk < by_slug[other].pk:
            rows.append(TravelTime(origin=by_slug[one], destination=by_slug[other], minutes=minutes))
    TravelTime.objects.bulk_create(rows)


def _shortest() -> dict[tuple[str, str], int]:
    slugs = [row[0] for row in PLACES]
    table = {pair: minutes for one, other, minutes in TRAVEL for pair in ((one, other), (other, one))}
    for by_way_of, one, other in product(slugs, repeat=3):
        if one != other and (one, by_way_of) in table and (by_way_of, other) in table:
            detour = table[one, by_way_of] + table[by_way_of, other]
            table[one, other] = min(detour, table.get((one, other), detour))
    return table


def _closures(world):
    """The group's holidays of these two years, and a day each for two of the clinics."""
    today = world.now.date()
    days = [(date(year, *fixed), name) for year in (today.year, today.year + 1) for fixed, name in HOLIDAYS]
    days += [(_fourth_thursday(year), "Thanksgiving") for year in (today.year, today.year + 1)]
    rows = [Closure(starts_on=day, ends_on=day, reason=name) for day, name in days]
    for place, ahead, reason in zip(
        world.locations[-2:], (16, -25), ("Floor being renewed", "Training day"), strict=True
    ):
        day = today + timedelta(ahead)
        rows.append(Closure(location=place, starts_on=day, ends_on=day, reason=reason))
    Closure.objects.bulk_create(rows)


def _fourth_thursday(year):
    first = date(year, 11, 1)
    return first + timedelta((3 - first.weekday()) % 7 + 21)


def _sign_ins(world, secret):
    atlanta, marietta, nashville = world.locations[:3]
    for name, full_name, role, places in (
        ("owner", "Olive Ownerby", Role.OWNER, [None]),
        ("manager", "Marta Managerson", Role.MANAGER, [nashville]),
        ("desk", "Dana Deskwell", Role.DESK, [atlanta, marietta]),
        ("chiro", "Robin Atlasby", Role.CLINICIAN, [atlanta, marietta]),
        ("auditor", "Audra Ledgerton", Role.AUDITOR, [None]),
    ):
        user = _person(name, full_name, secret)
        _assign(user, role, places)
        if role == Role.CLINICIAN:
            _enrol(world, user, [atlanta, marietta])
        if role == Role.DESK:
            world.desk_of = {place.pk: user for place in places}


def _assign(user, role, places):
    StaffAssignment.objects.bulk_create(StaffAssignment(user=user, location=place, role=role) for place in places)


def _enrol(world, user, places):
    practitioner = Practitioner.objects.create(user=user, is_bookable_online=True)
    world.practitioners.append(practitioner)
    world.places_of[practitioner.pk] = places


def _practitioners(world, secret):
    """Spread over the clinics in turn; every fifth also works at the nearest neighbour."""
    names = world.faker("staff")
    near = _nearest(world.locations)
    where = cycle(world.locations[1:] + world.locations[:1])
    for n, place in enumerate(islice(where, world.size.practitioners - 1)):
        places = [place, near[place]] if n % 5 == 3 and place in near else [place]
        user = _colleague(names, f"dc{n + 1}", secret)
        _assign(user, Role.CLINICIAN, places)
        _enrol(world, user, places)
    for place in world.locations:
        if place.pk not in world.desk_of:
            world.desk_of[place.pk] = user = _colleague(names, f"desk-{place.slug}", secret)
            _assign(user, Role.DESK, [place])


def _colleague(names, mailbox, secret):
    return _person(mailbox, f"{names.first_name()} {names.last_name()}", secret)


def _person(mailbox, full_name, secret):
    """Somebody who signs in with the demo password."""
    user = User.objects.create(email=f"{mailbox}@demo.test", full_name=full_name, password=secret)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def _nearest(places):
    by_slug = {place.slug: place for place in places}
    found = {}
    for one, other, _minutes in sorted(TRAVEL, key=lambda row: row[2]):
        if one in by_slug and other in by_slug:
            found.setdefault(by_slug[one], by_slug[other])
            found.setdefault(by_slug[other], by_slug[one])
    return found
