"""Rooms of a clinic: their only writer, beside the copy of a whole clinic (`places`)."""

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic import audit
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access, in_the_way, kept_times, standstill
from locations.kept_times import Agreed
from locations.models import Location, Room


@transaction.atomic
def add(location: Location, *, name: str, kind: str, by: User) -> Room:
    """Open one more room. Raises RuleBroken with every wrong field; a name is used once at a location."""
    access.require(by, "location.change", location)
    room = Room(location=location, name=name.strip(), kind=kind)
    _check(room)
    room.save(force_insert=True)
    audit.record("room.added", on=room, by=by, location=location.slug)
    return room


@transaction.atomic
def amend(room: Room, *, by: User, name: str, kind: str, agreed: Agreed = ()) -> Room:
    """Rename a room, or change what it is for: the latter only while no visit ahead is in it."""
    fresh = _held(room, by)
    before = (fresh.name, fresh.kind)
    fresh.name, fresh.kind = name.strip(), kind
    if fresh.kind != before[1]:
        in_the_way.refuse_if_used(room, f"{before[0]} cannot become another kind of room", field="kind")
    _check(fresh)
    if before != (fresh.name, fresh.kind):
        fresh.save(update_fields=["name", "kind"])
        audit.record("room.amended", on=fresh, by=by, location=fresh.location.slug)
        kept_times.give_up(locations=[fresh.location], by=by, agreed=agreed)
    return fresh


@transaction.atomic
def set_open(room: Room, *, is_open: bool, by: User, agreed: Agreed = ()) -> Room:
    """Close a room for visits, or open it again. Refused while visits ahead are in it, naming them.

    A time kept in it goes on in another room where there is one, and is given up where not. Raises TimesKept.
    """
    fresh = _held(room, by)
    if not is_open:
        in_the_way.refuse_if_used(fresh, f"{fresh.name} cannot be closed", field="is_open")
    if fresh.is_open != is_open:
        fresh.is_open = is_open
        fresh.save(update_fields=["is_open"])
        audit.record("room.opened" if is_open else "room.closed", on=fresh, by=by, location=fresh.location.slug)
        kept_times.give_up(locations=[fresh.location], by=by, agreed=agreed)
    return fresh


def _held(room, by) -> Room:
    """The room as it is now; nobody is booked into it until COMMIT."""
    access.require(by, "location.change", room.location)
    standstill.close_off([room.location])
    return Room.objects.select_for_update(of=("self",)).select_related("location").get(pk=room.pk)


def _check(room):
    wrong = {}
    try:
        room.clean_fields(exclude=["id", "location"])
    except ValidationError as error:
        wrong = {name: " ".join(said) for name, said in error.message_dict.items()}
    others = Room.objects.filter(location=room.location, name__iexact=room.name).exclude(pk=room.pk)
    if "name" not in wrong and others.exists():
        wrong["name"] = f"{room.location} has a room called {room.name} already."
    if wrong:
        raise RuleBroken(" ".join(wrong.values()), code="invalid", fields=wrong, status=400)
