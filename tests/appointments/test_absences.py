"""What is an instant and was typed by a clinic's clock, when that changes: absences, and times asked for online."""

from datetime import date, time, timedelta

import pytest
import time_machine

from appointments import availability, holds
from appointments.models import BookingRequest, TimeOff
from appointments.online import public_booking
from appointments.timetable import absences, practitioner_page, working_hours, zone_change
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from tests import make
from tests.make import MONDAY, at

EAST, CENTRAL, ARIZONA = "America/New_York", "America/Chicago", "America/Phoenix"
NOW = at(9, day=MONDAY - timedelta(days=4))
SPRING, AUTUMN = date(2027, 3, 14), date(2027, 11, 7)  # Sundays on which the clock changes


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


def off(who, starts_at, ends_at):
    return TimeOff.objects.create(practitioner=who, starts_at=starts_at, ends_at=ends_at)


def change(place, zone, owner):
    return zone_change.change(place, zone, by=owner, reason="Moved over the river")


def walls(zone):
    rows = TimeOff.objects.order_by("starts_at")
    return [tuple(f"{times.local(t, zone):%b %d %H:%M %Z}" for t in (row.starts_at, row.ends_at)) for row in rows]


@pytest.mark.parametrize(("zone", "names"), [(CENTRAL, ("CST", "CDT", "CST")), (ARIZONA, ("MST", "MST", "MST"))])
def test_nine_to_twelve_stays_nine_to_twelve_on_both_sides_of_both_changes(atlanta, chiro, owner, zone, names):
    days = (date(2027, 3, 12), date(2027, 3, 15), date(2027, 11, 8))
    for day in days:
        off(chiro, at(9, day=day), at(12, day=day))

    change(atlanta, zone, owner)

    assert walls(zone) == [
        (f"{day:%b %d} 09:00 {name}", f"{day:%b %d} 12:00 {name}") for day, name in zip(days, names, strict=True)
    ]


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_the_whole_day_on_which_the_clock_changes_stays_the_whole_day(atlanta, chiro, owner, day):
    off(chiro, *times.day_bounds(day, EAST))

    change(atlanta, CENTRAL, owner)

    away = TimeOff.objects.get()
    assert (away.starts_at, away.ends_at) == times.day_bounds(day, CENTRAL)


def test_there_and_back_is_as_before_in_the_hour_that_comes_twice(atlanta, chiro, owner):
    first, second = (times.instant(AUTUMN, time(1, 30), EAST, fold=fold) for fold in (0, 1))
    before = [(first, second), (second, second + timedelta(hours=1))]
    for starts_at, ends_at in before:
        off(chiro, starts_at, ends_at)

    for zone in (CENTRAL, EAST):
        atlanta.refresh_from_db()
        change(atlanta, zone, owner)

    assert list(TimeOff.objects.values_list("starts_at", "ends_at")) == before


@pytest.mark.parametrize(
    ("starts_at", "minutes", "from_zone", "to_zone", "then"),
    [  # 1:30 to the second 1:15: their order on a wall without a repeated hour would be the other one
        (times.instant(AUTUMN, time(1, 30), EAST), 45, EAST, ARIZONA, ("Nov 07 01:30 MST", "Nov 07 02:15 MST")),
        # both ends in the hour that the new clock skips
        (at(2, 15, day=SPRING, zone=ARIZONA), 30, ARIZONA, EAST, ("Mar 14 03:00 EDT", "Mar 14 03:30 EDT")),
    ],
)
def test_an_absence_that_the_new_clock_cannot_show_keeps_its_length(
    owner, starts_at, minutes, from_zone, to_zone, then
):
    place = make.location("riverside", from_zone)
    off(make.practitioner(place), starts_at, starts_at + timedelta(minutes=minutes))

    change(place, to_zone, owner)

    assert walls(to_zone) == [then]


def test_an_absence_that_has_begun_keeps_its_clock_time_and_one_that_is_over_its_moment(atlanta, chiro, owner, clock):
    over = off(chiro, NOW - timedelta(hours=4), NOW - timedelta(hours=1))
    off(chiro, at(0, day=NOW.date()), at(0, day=NOW.date() + timedelta(days=2)))

    change(atlanta, CENTRAL, owner)

    assert TimeOff.objects.get(pk=over.pk).starts_at == over.starts_at
    assert walls(CENTRAL)[0] == ("Dec 31 00:00 CST", "Jan 02 00:00 CST")


def test_who_works_elsewhere_too_keeps_the_instants_and_is_named(sign_in, atlanta, marietta, chiro, owner):
    both = make.practitioner(atlanta, marietta, name="Taylor Two", starts=time(9), ends=time(9, 30))
    marietta.weekly_hours.filter(practitioner=both).update(starts=time(15), ends=time(17))
    own = off(chiro, at(9), at(12))
    shared = off(both, at(13), at(14))
    client = sign_in(owner)

    shown = client.get("/setup/clinics/atlanta/zone/", {"time_zone": CENTRAL}).content.decode()
    answer = client.post("/setup/clinics/atlanta/zone/", {"time_zone": CENTRAL, "reason": "Moved"}, follow=True)
    said = answer.content.decode()

    assert "works at Marietta too. Here it will be Mon 12:00 PM CST to Mon 1:00 PM CST." in shown
    assert "Keeps its time on the wall." in shown
    assert "So does 1 absence." in said
    assert "Absences of those who work elsewhere too stay as they are. Look at them: Taylor Two, DC." in said
    own.refresh_from_db()
    shared.refresh_from_db()
    assert (own.starts_at, shared.starts_at) == (at(9, zone=CENTRAL), at(13))
    assert [entry.about_id for entry in AuditEntry.objects.filter(action="time_off.rezoned")] == [chiro.pk]


def over(row):
    row.valid_until = MONDAY - timedelta(days=30)
    row.save()


@pytest.mark.parametrize("why", ["hours", "extra", "visit"])
def test_elsewhere_is_where_they_have_hours_extra_hours_or_a_visit_ahead(atlanta, marietta, chiro, owner, why):
    away = off(chiro, at(9), at(12))
    if why == "hours":
        chiro.weekly_hours.create(location=marietta, weekday=5, starts=time(9), ends=time(12))
    elif why == "extra":
        chiro.extra_hours.create(location=marietta, day=MONDAY, starts=time(18), ends=time(19))
    else:
        visit = make.fill(marietta, [chiro], make.appointment_type(), day=MONDAY, visits=1)[0]
        assert visit.location == marietta

    assert absences.at(atlanta).shared == [(away, [marietta])]


def test_hours_that_are_over_an_assignment_alone_and_a_closed_clinic_are_not_elsewhere(
    atlanta, marietta, nashville, chiro, owner
):
    away = off(chiro, at(9), at(12))
    over(chiro.weekly_hours.create(location=marietta, weekday=5, starts=time(9), ends=time(12)))
    chiro.user.assignments.create(role="clinician", location=marietta)
    chiro.weekly_hours.create(location=nashville, weekday=5, starts=time(9), ends=time(12))
    nashville.is_open = False
    nashville.save()

    assert absences.at(atlanta) == absences.Absences([away], [])


def test_who_has_no_hours_yet_works_where_they_are_assigned(atlanta, marietta, nashville, owner):
    person = make.practitioner(atlanta, days=())
    away = off(person, at(9), at(12))

    assert absences.at(atlanta).own == [away]
    assert absences.at(marietta) == absences.Absences()


def test_absences_are_typed_by_the_clock_of_where_they_work_now(atlanta, nashville, chiro):
    for day in range(7):
        over(chiro.weekly_hours.create(location=nashville, weekday=day, starts=time(9), ends=time(12)))

    assert practitioner_page.zone_of(chiro) == EAST


def test_nothing_moves_when_the_change_is_refused(atlanta, chiro, adjustment, owner):
    away = off(chiro, at(9), at(12))
    holds.place(practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(13), until=NOW + timedelta(hours=2))

    with pytest.raises(RuleBroken):
        change(atlanta, CENTRAL, owner)

    assert TimeOff.objects.get() == away
    assert TimeOff.objects.get().starts_at == at(9)


def test_who_changes_the_zone_second_is_refused_and_no_absence_moves_twice(atlanta, chiro, owner):
    off(chiro, at(9), at(12))
    change(atlanta, CENTRAL, owner)

    with pytest.raises(RuleBroken) as refused:
        change(atlanta, ARIZONA, owner)  # `atlanta` is as it was read before

    assert refused.value.code == "location_changed"
    assert walls(CENTRAL) == [("Jan 04 09:00 CST", "Jan 04 12:00 CST")]


def test_what_is_still_to_be_verified_from_the_public_page_keeps_the_time_of_its_mail(
    atlanta, chiro, adjustment, owner, clock
):
    wanted = {"form_key": "one", "type": adjustment, "location": atlanta, "practitioner": chiro, "language": "en",
              "birth_date": date(1990, 5, 5), "given_name": "Avery", "email": "avery@example.org",
              "phone": "+14045550101", "wants_mails": False, "terms": "1", "network": "n", "asked_at": NOW}  # fmt: skip
    open_one = BookingRequest.objects.create(**wanted, starts_at=at(9), expires_at=NOW + public_booking.LINK_FOR)
    wanted["form_key"] = "two"
    lapsed = BookingRequest.objects.create(**wanted, starts_at=at(9), expires_at=NOW + timedelta(minutes=30))
    clock.shift(timedelta(hours=1))

    change(atlanta, CENTRAL, owner)

    for row, starts_at in ((open_one, at(9, zone=CENTRAL)), (lapsed, at(9))):
        row.refresh_from_db()
        assert row.starts_at == starts_at


def test_what_is_free_after_an_absence_is_by_the_new_clock(atlanta, chiro, adjustment, owner):
    working_hours.take_off(chiro, starts_at=at(9), ends_at=at(12), by=owner)

    change(atlanta, CENTRAL, owner)
    atlanta.refresh_from_db()
    found = availability.find(type=adjustment, locations=[atlanta], from_day=MONDAY, to_day=MONDAY, limit=1)

    assert [f"{slot.local_start:%H:%M %Z}" for slot in found.slots] == ["12:00 CST"]
