"""Small builders for the tests: real rows through the real models, with sensible defaults."""

from datetime import date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress

from appointments.models import Appointment, AppointmentType, WeeklyHours
from clinic import times
from clinic.models import User
from locations.models import Location, OpeningHours, Practitioner, Room, StaffAssignment, TravelTime
from patients.models import Patient

_number = count(1)
MONDAY = date(2027, 1, 4)  # an ordinary working day, after every "now" of the tests


def at(hour, minute=0, *, day=MONDAY, zone="America/New_York"):
    """An instant by its wall clock."""
    return datetime.combine(day, time(hour, minute), tzinfo=ZoneInfo(zone))


def location(slug="atlanta", zone="America/New_York", *, opens=time(8), closes=time(18), rooms=2):
    place = Location.objects.create(
        slug=slug, name=slug.title(), street="1 Example Street", city=slug.title(), state="GA", time_zone=zone,
        phone="+1 404 555 0100",
    )  # fmt: skip
    OpeningHours.objects.bulk_create(
        OpeningHours(location=place, weekday=d, opens=opens, closes=closes) for d in range(5)
    )
    for kind in Room.Kind.values:
        for n in range(rooms):
            Room.objects.create(location=place, kind=kind, name=f"{kind.title()} {n + 1}")
    return place


def travel(one, other, minutes):
    first, second = sorted((one, other), key=lambda place: place.pk)
    return TravelTime.objects.create(origin=first, destination=second, minutes=minutes)


def user(role, *locations, name=None, email=None):
    """A signed-in-able user with the role at the locations, or for the group when none is given."""
    n = next(_number)
    person = User.objects.create_user(
        email or f"{role}{n}@example.org", "demo-clinic", full_name=name or f"{role.title()} {n}"
    )
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    for place in locations or (None,):
        StaffAssignment.objects.create(user=person, role=role, location=place)
    return person


def practitioner(*locations, name=None, starts=time(9), ends=time(17), days=range(5)):
    """A chiropractor who works at the locations, the same hours at each."""
    chiropractor = Practitioner.objects.create(user=user("clinician", *locations, name=name))
    WeeklyHours.objects.bulk_create(
        WeeklyHours(practitioner=chiropractor, location=place, weekday=day, starts=starts, ends=ends)
        for place in locations
        for day in days
    )
    return chiropractor


def appointment_type(slug="adjustment", minutes=15, **fields):
    fields = {"name": slug.replace("-", " ").title(), "least_minutes": minutes, "most_minutes": minutes,
              "room_kind": Room.Kind.ADJUSTING, **fields}  # fmt: skip
    return AppointmentType.objects.create(slug=slug, minutes=minutes, **fields)


def evaluation_type(**fields):
    return appointment_type(
        "evaluation", 60, room_kind=Room.Kind.EVALUATION, is_bookable_online=True, is_evaluation=True,
        **{"least_minutes": 45, **fields},
    )  # fmt: skip


def patient(home, *, given="Avery", family="Testerson", birth_date=date(1991, 11, 14), **fields):
    fields = {"email": f"patient{next(_number)}@example.org", **fields}
    person = Patient.objects.create(
        given_name=given, family_name=family, birth_date=birth_date, home_location=home, **fields
    )
    person.locations.add(home)
    return person


def fill(place, practitioners, kind, *, day, visits):
    """Fill a day with visits of the type, every 15 minutes from 9:15, a room for each practitioner; rows, not rules."""
    rooms = [
        Room.objects.create(location=place, kind=kind.room_kind, name=f"Filled {n + 1}")
        for n in range(len(practitioners))
    ]
    rows = []
    for n in range(visits):
        person = patient(place, given=f"Filler{n}", family="Row")
        starts_at = at(9, 15, day=day) + timedelta(minutes=15 * (n // len(practitioners)))
        start = times.to_minute(starts_at)
        rows.append(
            Appointment(
                patient=person, practitioner=practitioners[n % len(practitioners)], location=place,
                room=rooms[n % len(practitioners)], type=kind, starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=15), start_minute=start, end_minute=start + 15, busy_from=start,
                busy_until=start + 15,
            )
        )  # fmt: skip
    return Appointment.objects.bulk_create(rows)
