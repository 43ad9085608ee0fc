import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from appointments import booking
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from locations import opening, places, rooms
from locations.models import Location, Room
from tests import make

ADDRESS = {
    "name": "Macon",
    "street": "9 Example Street",
    "city": "Macon",
    "state": "ga",
    "time_zone": "America/New_York",
}


@pytest.fixture
def visit(atlanta, chiro, adjustment, patient, desk):
    return booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(9), by=desk
    )


def test_a_new_clinic_takes_rooms_hours_and_ways_of_another(atlanta, marietta, owner):
    make.travel(atlanta, marietta, 35)
    rooms.set_open(atlanta.rooms.first(), is_open=False, by=owner)

    macon = places.found(by=owner, like=atlanta, minutes_between=90, **ADDRESS)

    assert (macon.slug, macon.state, macon.is_open) == ("macon", "GA", True)
    assert sorted(r.name for r in macon.rooms.all()) == sorted(r.name for r in atlanta.rooms.filter(is_open=True))
    assert opening.spans_of(macon) == opening.spans_of(atlanta)
    assert places.ways_from(macon) == {marietta: 35, atlanta: 90}


def test_a_new_clinic_can_be_empty(owner):
    macon = places.found(by=owner, **ADDRESS)

    assert (macon.rooms.count(), macon.opening_hours.count(), places.ways_from(macon)) == (0, 0, {})


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"name": "Atlanta"}, ["name"]),
        ({"name": "…"}, ["name"]),
        ({"city": "", "time_zone": "EST"}, ["city", "time_zone"]),
        ({"state": "Georgia"}, ["state"]),
    ],
)
def test_every_wrong_field_is_named(atlanta, owner, wrong, fields):
    with pytest.raises(RuleBroken) as refused:
        places.found(by=owner, like=atlanta, **ADDRESS | wrong)

    assert sorted(refused.value.fields) == fields
    assert Location.objects.count() == 1


def test_only_owners_set_up_and_delete_clinics(atlanta):
    manager = make.user("manager", atlanta)

    with pytest.raises(PermissionDenied):
        places.found(by=manager, **ADDRESS)
    with pytest.raises(PermissionDenied):
        places.delete(atlanta, by=manager)


def test_amending_says_what_changed(atlanta):
    places.amend(atlanta, by=make.user("manager", atlanta), phone="+1 404 555 0199", city=atlanta.city)

    assert AuditEntry.objects.get(action="location.amended").detail == {"fields": ["phone"]}
    with pytest.raises(Http404):
        places.amend(atlanta, by=make.user("manager", make.location("augusta")), phone="1")


def test_the_zone_is_not_a_part_of_the_address(atlanta, owner):
    with pytest.raises(TypeError):
        places.amend(atlanta, by=owner, time_zone="America/Chicago")


def test_a_clinic_with_visits_ahead_stays_open(atlanta, owner, visit):
    with pytest.raises(RuleBroken, match="Atlanta cannot be closed: 1 visit ahead"):
        places.set_open(atlanta, is_open=False, by=owner)

    visit.status = "cancelled"
    type(visit).objects.filter(pk=visit.pk).update(status="cancelled")
    assert not places.set_open(atlanta, is_open=False, by=owner).is_open
    assert places.set_open(atlanta, is_open=True, by=owner).is_open


def test_a_clinic_with_records_is_not_deleted(atlanta, owner, visit):
    with pytest.raises(RuleBroken) as refused:
        places.delete(atlanta, by=owner)

    said = "Atlanta cannot be deleted, only closed: 1 appointment, 1 patient would be lost."
    assert (refused.value.code, refused.value.message) == ("in_the_way", said)
    assert Location.objects.filter(pk=atlanta.pk).exists()


def test_a_clinic_set_up_by_mistake_is_deleted_whole(atlanta, owner):
    macon = places.found(by=owner, like=atlanta, minutes_between=90, **ADDRESS)

    places.delete(macon, by=owner)

    assert list(Location.objects.all()) == [atlanta]
    assert not Room.objects.exclude(location=atlanta).exists()
    assert places.ways_from(atlanta) == {}


def test_ways_are_good_both_ways_and_can_be_taken_out(atlanta, marietta, owner):
    places.set_travel(marietta, atlanta, 35, by=owner)
    assert places.ways_from(atlanta) == {marietta: 35}

    places.set_travel(atlanta, marietta, 40, by=owner)
    places.set_travel(atlanta, marietta, 40, by=owner)
    assert places.ways_from(marietta) == {atlanta: 40}
    assert AuditEntry.objects.filter(action="travel.changed").count() == 2

    places.set_travel(atlanta, marietta, None, by=owner)
    assert places.ways_from(marietta) == {}


@pytest.mark.parametrize("minutes", [-1, 601])
def test_a_way_has_a_sane_length(atlanta, marietta, owner, minutes):
    with pytest.raises(RuleBroken, match="0 to 600 minutes"):
        places.set_travel(atlanta, marietta, minutes, by=owner)


def test_what_would_be_copied_is_said_in_words(atlanta, marietta):
    make.travel(atlanta, marietta, 35)

    assert places.copied(atlanta) == [
        "2 evaluation rooms", "2 adjusting rooms", "the opening hours", "the ways to 1 other clinic",
    ]  # fmt: skip


def test_rooms_are_added_and_renamed(atlanta, owner):
    room = rooms.add(atlanta, name=" Adjusting 9 ", kind="adjusting", by=owner)
    rooms.amend(room, name="Adjusting nine", kind="evaluation", by=owner)

    room.refresh_from_db()
    assert (room.name, room.kind, room.is_open) == ("Adjusting nine", "evaluation", True)


@pytest.mark.parametrize(("name", "kind", "field"), [("adjusting 1", "adjusting", "name"), ("", "adjusting", "name"),
                                                      ("Pool", "swimming", "kind")])  # fmt: skip
def test_a_room_that_makes_no_sense_is_refused(atlanta, owner, name, kind, field):
    with pytest.raises(RuleBroken) as refused:
        rooms.add(atlanta, name=name, kind=kind, by=owner)

    assert list(refused.value.fields) == [field]


def test_a_room_with_visits_ahead_keeps_its_kind_and_stays_open(atlanta, owner, visit):
    with pytest.raises(RuleBroken, match="Adjusting 1 cannot be closed: 1 visit ahead, the first on Monday"):
        rooms.set_open(visit.room, is_open=False, by=owner)
    with pytest.raises(RuleBroken, match="cannot become another kind"):
        rooms.amend(visit.room, name=visit.room.name, kind="evaluation", by=owner)

    rooms.amend(visit.room, name="Blue room", kind="adjusting", by=owner)
    free = atlanta.rooms.filter(kind="adjusting").exclude(pk=visit.room_id).get()
    assert not rooms.set_open(free, is_open=False, by=owner).is_open
    assert rooms.set_open(free, is_open=True, by=owner).is_open
