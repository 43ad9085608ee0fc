"""Who waits in the invented clinics, and what was offered to them: written by the rules as if it were then."""

from datetime import time, timedelta
from random import Random
from uuid import UUID

from appointments.models import Appointment, WaitlistEntry
from appointments.waiting import matching, offers, waitlist
from appointments.wishes import PARTS, Wishes
from clinic import times
from clinic.demo import World
from clinic.errors import RuleBroken
from locations.models import Location
from patients.models import Patient

BUSY = ("atlanta", "marietta", "nashville")
NOTES = (
    "Rings back after five.",
    "Works nights.",
    "Drives with a sister, who is free on some days only.",
    "",
    "",
    "",
    "",
)
WINDOWS = ((PARTS["mornings"],), (PARTS["evenings"],), ((time(16, 30), time(18)),), ())


def load(world: World) -> None:
    rng = world.random("waitlist")
    places = [place for place in world.locations if place.slug in BUSY] or world.locations[:1]
    for place in places:
        for n, patient in enumerate(_patients_of(place, rng, most=9)):
            _join(patient, place, n, rng, world)
        _offered_lately(place, rng, world)


def _patients_of(place: Location, rng: Random, most: int) -> list[Patient]:
    found = list(Patient.objects.filter(home_location=place).order_by("pk"))
    return rng.sample(found, min(most, len(found)))


def _join(patient: Patient, place: Location, n: int, rng: Random, world: World) -> None:
    """Every other one wants an earlier day for a visit they have, the others a re-evaluation soon."""
    ahead = Appointment.objects.filter(
        patient=patient, location=place, status="booked", starts_at__gt=world.now + timedelta(days=4)
    )
    visit = ahead.select_related("type", "patient").order_by("starts_at", "pk").first() if n % 2 else None
    weekdays = tuple(sorted(rng.sample(range(5), rng.choice((1, 2, 2)))))
    asked = waitlist.Asked(
        visit.type if visit else world.types["re-evaluation"],
        [place] if n % 2 else [],
        wishes=Wishes(weekdays, rng.choice(WINDOWS)),
        urgency=(0, 1, 0, 2, 0, 1, 0, 0, 1)[n],
        until_day=place.today() + timedelta(days=rng.randint(5, 12)) if n % 3 == 0 else None,
        note=rng.choice(NOTES),
    )
    with times.as_of(world.now - timedelta(days=rng.randint(1, 20), minutes=rng.randint(1, 600))):
        waitlist.add(patient, asked, by=world.desk_of.get(place.pk), sooner_than=visit)


def _offered_lately(place: Location, rng: Random, world: World) -> None:
    """One was booked by an offer, one declined, and one is being asked just now."""
    for outcome in ("accepted", "declined", "asked"):
        waiting = WaitlistEntry.objects.waiting().wanting([place]).filter(offers=None).with_wishes()
        entry = next(iter(waiting.order_by("urgency", "-added_at")), None)
        slots = matching.soonest(entry, [place], limit=20) if entry else []
        if not slots:
            continue
        at = world.now - (timedelta(minutes=8) if outcome == "asked" else timedelta(minutes=rng.randint(300, 500)))
        try:
            _offer(entry, slots[-1], outcome, at, rng)
        except RuleBroken:
            continue  # as at the clinic: the time was no longer to be had


def _offer(entry, slot, outcome, at, rng: Random) -> None:
    with times.as_of(max(at, entry.added_at)):
        (made,) = offers.make([entry], slot, minutes=180, by_whom="waitlist")
        if outcome == "declined":
            offers.decline(made, by=None, by_whom="patient")
        elif outcome == "accepted":
            visit = offers.accept(made, by=None, by_whom="patient")
            Appointment.objects.filter(pk=visit.pk).update(uid=UUID(int=rng.getrandbits(128), version=4))
