"""The patients of the invented clinics. Nobody real: Faker's names, example.org, telephone numbers kept for fiction."""

from datetime import date, timedelta
from random import Random

from clinic.demo import World
from clinic.text import folded
from locations import demo as locations_demo
from locations.models import Location
from patients import registering
from patients.models import Consent, Patient

# One in twelve has a name as another script or another custom writes it.
OTHER_LOCALES = ("es_MX", "ko_KR", "de_DE", "vi_VN")
NOTES = ("Prefers mornings.", "Hard of hearing on the left: call from the right.", "Needs the ramp at the side door.")


def load(world: World) -> None:
    rng = world.random("patients")
    names = world.faker("patients")
    others = [world.faker("patients", locale) for locale in OTHER_LOCALES]
    people = [
        _invented(n, rng, rng.choice(others) if rng.random() < 1 / 12 else names, names, world)
        for n in range(world.size.patients)
    ]
    world.patients = enrol(people, world, rng)


def enrol(people: list[Patient], world: World, rng: Random) -> list[Patient]:
    """Write the patients with the clinics that know them, what they are found by, and their consent to e-mail."""
    people = Patient.objects.bulk_create(people)
    known = Patient.locations.through
    known.objects.bulk_create(known(patient=p, location=p.home_location) for p in people)
    registering.index_all(people)
    Consent.objects.bulk_create(
        Consent(
            patient=person,
            scope=Consent.Scope.EMAIL_REMINDERS,
            given_at=world.now - timedelta(days=rng.randint(70, 700)),
            by=world.desk_of[person.home_location_id],
        )
        for person in people
        if rng.random() < 0.88
    )
    return people


def _invented(n, rng, names, usual, world) -> Patient:
    home = world.locations[n % len(world.locations)]
    sex = rng.choices(Patient.Sex.values, (58, 38, 2, 2))[0]
    given = {"female": names.first_name_female, "male": names.first_name_male}.get(sex, names.first_name)()
    family = names.last_name()
    return Patient(
        given_name=given,
        family_name=family,
        birth_date=_birth_date(world.now.date(), rng),
        sex=sex,
        email=f"{_mailbox(given, family)}{n + 1}@example.org",
        phone=_phone(home, rng),
        street=f"{rng.randint(1, 400)} Example {usual.street_suffix()}",
        city=home.city,
        state=home.state,
        postal_code=home.postal_code,
        language="es" if names.locales == ["es_MX"] else "en",
        home_location=home,
        note=rng.choice(NOTES) if rng.random() < 0.06 else "",
    )


def _birth_date(today: date, rng: Random) -> date:
    """Aged 8 to 85, most around forty."""
    return today - timedelta(days=int(rng.triangular(8.1, 85, 40) * 365.25))


def _phone(home: Location, rng: Random) -> str:
    return f"+1{locations_demo.area_code(home)}55501{rng.randint(1, 99):02}"


def _mailbox(given: str, family: str) -> str:
    kept = ["".join(c for c in folded(name) if c.isascii() and c.isalpha()) for name in (given, family)]
    return ".".join(part for part in kept if part) or "patient"
