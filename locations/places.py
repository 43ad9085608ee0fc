"""Setting up clinics: the only writer of Location and TravelTime, and of all that a new clinic takes from another."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.text import slugify

from clinic import audit
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access, in_the_way, kept_times, opens_again, standstill, ways
from locations.kept_times import Agreed
from locations.models import Location, OpeningHours, Room, TravelTime

FIELDS = (
    "name", "street", "city", "state", "postal_code", "phone", "parking", "time_zone", "map_url", "sender_name",
)  # fmt: skip
# What a form offers; the rule takes any zone there is.
ZONES = (
    ("America/New_York", "Eastern (New York)"),
    ("America/Detroit", "Eastern (Detroit)"),
    ("America/Indiana/Indianapolis", "Eastern (Indianapolis)"),
    ("America/Kentucky/Louisville", "Eastern (Louisville)"),
    ("America/Chicago", "Central (Chicago)"),
    ("America/Denver", "Mountain (Denver)"),
    ("America/Phoenix", "Mountain without summer time (Phoenix)"),
    ("America/Los_Angeles", "Pacific (Los Angeles)"),
    ("America/Anchorage", "Alaska (Anchorage)"),
    ("Pacific/Honolulu", "Hawaii (Honolulu)"),
)


@transaction.atomic
def found(*, by: User, like: Location | None = None, minutes_between: int | None = None, **details) -> Location:
    """Set up a new clinic, open at once; `like` gives it rooms, opening hours and the ways to other clinics.

    `minutes_between` is the way between the two. Raises RuleBroken with every wrong field.
    """
    if access.location_ids(by, "location.create") is not None:
        raise PermissionDenied
    place = Location(slug=_slug(details.get("name", "")), **_tidy(details))
    _check(place)
    place.save(force_insert=True)
    audit.record("location.created", on=place, by=by, like=like.slug if like else "")
    if like is not None:
        _copy(like, place)
        for other, minutes in ways_from(like).items():
            _write_way(place, other, minutes)
        if minutes_between is not None:
            set_travel(place, like, minutes_between, by=by)
    return place


def _copy(like, place):
    rooms = [Room(location=place, name=r.name, kind=r.kind) for r in like.rooms.filter(is_open=True)]
    Room.objects.bulk_create(rooms)
    OpeningHours.objects.bulk_create(
        OpeningHours(
            location=place, weekday=h.weekday, opens=h.opens, closes=h.closes, ends_next_day=h.ends_next_day
        )
        for h in like.opening_hours.all()
    )  # fmt: skip


@transaction.atomic
def amend(location: Location, *, by: User, **changes) -> Location:
    """Change a clinic's address, phone or name, not its zone. Its name in addresses stays as it was."""
    access.require(by, "location.change", location)
    if "time_zone" in changes:
        raise TypeError("The zone has a verb of its own: set_zone.")
    fresh = Location.objects.select_for_update().get(pk=location.pk)
    changed = [name for name, value in _tidy(changes).items() if getattr(fresh, name) != value]
    for name in changed:
        setattr(fresh, name, _tidy(changes)[name])
    _check(fresh)
    if "name" in changed and Location.objects.filter(name__iexact=fresh.name).exclude(pk=fresh.pk).exists():
        raise _invalid({"name": f"There is a clinic called {fresh.name} already."})
    if changed:
        fresh.save(update_fields=changed)
        audit.record("location.amended", on=fresh, by=by, fields=sorted(changed))
    return fresh


@transaction.atomic
def set_zone(location: Location, time_zone: str, *, by: User) -> Location:
    """Write another zone. What becomes of visits is for `zone_change` of the appointments to say, which calls this."""
    access.require(by, "location.change", location)
    standstill.close_off([location])
    fresh = Location.objects.select_for_update().get(pk=location.pk)
    before, fresh.time_zone = fresh.time_zone, time_zone
    _check(fresh)
    fresh.save(update_fields=["time_zone"])
    audit.record("location.zone_changed", on=fresh, by=by, was=before, now=time_zone)
    return fresh


@transaction.atomic
def set_open(location: Location, *, is_open: bool, by: User, agreed: Agreed = ()) -> Location:
    """Open or close a clinic for good. Refused while it is needed, naming what is in the way. Raises TimesKept.

    Opened again, RuleBroken (`overlapping_hours`) names who got hours elsewhere since at the same time.
    """
    access.require(by, "location.change", location)
    standstill.close_off([location])
    opens_again.hold_hours()
    fresh = Location.objects.select_for_update().get(pk=location.pk)
    if not is_open:
        in_the_way.refuse_if_used(fresh, f"{fresh} cannot be closed", field="is_open")
    if fresh.is_open != is_open:
        fresh.is_open = is_open
        fresh.save(update_fields=["is_open"])
        audit.record("location.opened" if is_open else "location.closed", on=fresh, by=by)
        if is_open:
            opens_again.refuse_meeting([fresh], field="is_open")
        kept_times.give_up(locations=[fresh], by=by, agreed=agreed)
    return fresh


@transaction.atomic
def delete(location: Location, *, by: User) -> None:
    """Delete a clinic that was set up by mistake, with its rooms and hours. One with records is closed instead."""
    if access.location_ids(by, "location.create") is not None:
        raise PermissionDenied
    standstill.close_off([location])
    what = f"{location} cannot be deleted, only closed"
    in_the_way.refuse_if_kept(location, what, field="delete", but_not=(Room,))
    for room in location.rooms.all():
        in_the_way.refuse_if_kept(room, what, field="delete")
    audit.record("location.deleted", on=location, by=by, slug=location.slug)
    location.rooms.all().delete()
    location.delete()


@transaction.atomic
def set_travel(one: Location, other: Location, minutes: int | None, *, by: User) -> None:
    """How long the way takes, both ways alike; None takes the pair out of the table."""
    access.require(by, "location.change", one)
    if one.pk == other.pk or (minutes is not None and not 0 <= minutes <= ways.LONGEST):
        message = f"The way takes 0 to {ways.LONGEST} minutes."
        raise RuleBroken(message, code="invalid", fields={"minutes": message}, status=400)
    if _write_way(one, other, minutes):
        audit.record("travel.changed", on=one, by=by, to=other.slug, minutes=minutes)


def ways_from(location: Location) -> dict[Location, int]:
    """Minutes to each other clinic that is in the table; two queries, whatever their number."""
    return {way.destination: way.minutes for way in location.travel_from.select_related("destination")} | {
        way.origin: way.minutes for way in location.travel_to.select_related("origin")
    }


def _write_way(one, other, minutes) -> bool:
    """Whether that changed anything."""
    first, second = sorted((one, other), key=lambda place: place.pk)
    pair = {"origin": first, "destination": second}
    if minutes is None:
        return bool(TravelTime.objects.filter(**pair).delete()[0])
    if TravelTime.objects.filter(**pair, minutes=minutes).exists():
        return False
    TravelTime.objects.update_or_create(**pair, defaults={"minutes": minutes})
    return True


def _tidy(given: dict) -> dict:
    if unknown := set(given) - set(FIELDS):
        raise TypeError(f"Not fields of a location: {sorted(unknown)}")
    return {name: value.strip().upper() if name == "state" else value.strip() for name, value in given.items()}


def _slug(name) -> str:
    slug = slugify(name)[:50]
    if not slug:
        raise _invalid({"name": "Give the clinic a name with letters in it."})
    if Location.objects.filter(slug=slug).exists():
        raise _invalid({"name": f"There is a clinic called {name} already. Choose a name that tells them apart."})
    return slug


def _check(place) -> None:
    """Raises RuleBroken with every wrong field at once."""
    try:
        place.clean_fields(exclude=["id", "slug"])
    except ValidationError as error:
        raise _invalid({name: " ".join(said) for name, said in error.message_dict.items()}) from None


def _invalid(fields):
    return RuleBroken(" ".join(dict.fromkeys(fields.values())), code="invalid", fields=fields, status=400)


def copied(like: Location) -> list[str]:
    """What a clinic set up like this one gets, in words; prefetch its rooms and ways to ask about many."""
    rooms = [room for room in like.rooms.all() if room.is_open]
    by_kind = {kind.label.lower(): sum(room.kind == kind for room in rooms) for kind in Room.Kind}
    said = [f"{count} {label}{'' if count == 1 else 's'}" for label, count in by_kind.items() if count]
    ways = len(like.travel_from.all()) + len(like.travel_to.all())
    return [*said, "the opening hours", f"the ways to {ways} other clinic{'' if ways == 1 else 's'}"]
