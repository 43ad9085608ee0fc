"""A clinic that changes its zone: nine o'clock stays nine o'clock over changes of the clock too, or nothing changes."""

from datetime import date, time, timedelta

import pytest
import time_machine

from appointments import availability, booking, holds, reminders, visit_status
from appointments.models import Appointment
from appointments.timetable import zone_change
from clinic import locks, outbox, times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from locations import places
from tests import make
from tests.make import MONDAY, at

EAST, CENTRAL, ARIZONA = "America/New_York", "America/Chicago", "America/Phoenix"
NOW = at(9, day=MONDAY - timedelta(days=4))
SPRING, AUTUMN = date(2027, 3, 15), date(2027, 11, 8)  # Mondays after the clock changed


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def book(atlanta, chiro, adjustment, desk):
    def booked(hour=9, *, day=MONDAY, place=atlanta, person=None, **changes):
        wanted = {"patient": person or make.patient(place), "practitioner": chiro, "location": place,
                  "type": adjustment, "by": desk}  # fmt: skip
        return booking.book(**wanted | changes, starts_at=at(hour, day=day, zone=place.time_zone))

    return booked


def walls():
    rows = Appointment.objects.holding_time().with_names().order_by("starts_at")
    return [f"{visit.local_start:%b %d %H:%M %Z}" for visit in rows]


def change(place, zone=CENTRAL, **options):
    return zone_change.change(place, zone, **{"reason": "Entered wrongly", **options})


@pytest.mark.parametrize(
    ("zone", "walls_then"),
    [
        (CENTRAL, ["Jan 04 09:00 CST", "Jan 04 09:15 CST", "Mar 15 09:00 CDT", "Nov 08 09:00 CST"]),
        (ARIZONA, ["Jan 04 09:00 MST", "Jan 04 09:15 MST", "Mar 15 09:00 MST", "Nov 08 09:00 MST"]),
    ],
)
def test_nine_oclock_stays_nine_oclock(book, atlanta, owner, zone, walls_then):
    visits = [book(9), book(9, day=SPRING), book(9, day=AUTUMN)]
    next_one = booking.book(
        patient=make.patient(atlanta), practitioner=visits[0].practitioner, location=atlanta, type=visits[0].type,
        starts_at=at(9, 15), by=make.user("desk", atlanta),
    )  # fmt: skip  # its old instant is not the other's new one, nor the other way round

    shifts = change(atlanta, zone, by=owner)

    assert walls() == walls_then
    assert len(shifts) == 4
    next_one.refresh_from_db()
    assert next_one.end_minute - next_one.start_minute == 15
    assert (next_one.busy_from, next_one.starts_at) == (
        next_one.start_minute, times.instant(MONDAY, time(9, 15), zone),
    )  # fmt: skip
    assert AuditEntry.objects.get(action="location.zone_changed").detail == {"was": EAST, "now": zone}


def test_there_and_back_is_as_before(book, atlanta, owner):
    visits = [book(9), book(9, day=SPRING), book(9, day=AUTUMN)]
    before = [visit.starts_at for visit in visits]

    for zone in (CENTRAL, EAST):
        atlanta.refresh_from_db()
        change(atlanta, zone, by=owner)

    assert list(Appointment.objects.order_by("starts_at").values_list("starts_at", flat=True)) == before


def test_visits_side_by_side_move_into_each_others_instants(book, atlanta, owner, adjustment):
    """10:00 takes the instant that 11:00 had: they make room for each other."""
    for hour in range(9, 17):
        book(hour)

    change(atlanta, by=owner)

    assert walls() == [f"Jan 04 {hour:02}:00 CST" for hour in range(9, 17)]
    assert Appointment.objects.filter(status="booked").count() == 8


def test_history_keeps_the_reason_and_a_confirmed_visit_stays_confirmed(book, atlanta, owner, desk):
    visit = book()
    visit_status.confirm(visit, by=desk)

    change(atlanta, by=owner)

    visit.refresh_from_db()
    last = visit.history.latest("at", "pk")
    assert (visit.status, visit.sequence) == ("confirmed", 1)
    assert (last.step, last.reason, last.from_start) == ("rezoned", "Entered wrongly", at(9))
    assert last.to_start == visit.starts_at == at(9, zone=CENTRAL)


def test_nobody_is_mailed_since_nothing_changed_of_what_they_were_told(book, atlanta, owner, mailoutbox, clock):
    person = make.patient(atlanta)
    person.consents.create(scope="email_reminders", given_at=NOW)
    book(9, person=person)
    clock.shift(timedelta(hours=1))
    outbox.send_due()
    told = [mail.subject for mail in mailoutbox]

    change(atlanta, by=owner)
    clock.shift(timedelta(hours=1))
    outbox.send_due()
    after = len(mailoutbox)
    outbox.send_due(at(9, zone=CENTRAL) - timedelta(hours=48))

    assert told == ["Your visit on Monday, January 4 at 9:00 AM EST"]
    assert after == 1
    assert mailoutbox[-1].subject == "Reminder: your visit on Monday, January 4 at 9:00 AM CST"


def test_a_notice_that_is_still_to_go_names_the_new_clock(book, atlanta, owner, mailoutbox):
    person = make.patient(atlanta)
    person.consents.create(scope="email_reminders", given_at=NOW)
    book(9, person=person)

    change(atlanta, by=owner)
    outbox.send_due(NOW + reminders.GRACE)

    assert [mail.subject for mail in mailoutbox] == ["Your visit on Monday, January 4 at 9:00 AM CST"]


def test_what_is_over_or_begun_keeps_its_moment(book, atlanta, owner, desk, clock):
    past, begun, ahead = book(9), book(10), book(11)
    clock.move_to(at(10, 5))
    visit_status.arrive(begun, by=desk)

    change(atlanta, by=owner)

    for visit, starts_at in ((past, at(9)), (begun, at(10)), (ahead, at(11, zone=CENTRAL))):
        visit.refresh_from_db()
        assert visit.starts_at == starts_at


def test_a_cancelled_visit_keeps_its_clock_time_and_is_not_taken_back_over_the_change(book, atlanta, owner, desk):
    visit = book(9)
    visit_status.cancel(visit, by=desk)
    slip = visit.history.latest("at", "pk").pk

    change(atlanta, by=owner)
    with pytest.raises(RuleBroken) as refused:
        visit_status.undo(Appointment.objects.with_names().get(pk=visit.pk), by=desk, expected=slip)

    visit.refresh_from_db()
    assert (refused.value.code, visit.status) == ("nothing_to_undo", "cancelled")
    assert visit.starts_at == at(9, zone=CENTRAL)


def test_a_practitioner_due_elsewhere_then_refuses_it_and_nothing_changes(
    book, atlanta, marietta, chiro, owner, adjustment
):
    chiro.weekly_hours.create(location=marietta, weekday=5, starts=time(8), ends=time(20))
    marietta.opening_hours.create(weekday=5, opens=time(8), closes=time(20))
    atlanta.opening_hours.create(weekday=5, opens=time(8), closes=time(20))
    chiro.weekly_hours.filter(location=marietta).delete()
    make.travel(atlanta, marietta, 30)
    saturday = MONDAY + timedelta(days=5)
    chiro.extra_hours.create(location=marietta, day=saturday, starts=time(10), ends=time(12))
    chiro.extra_hours.create(location=atlanta, day=saturday, starts=time(8), ends=time(10))
    stands = book(9)
    here = book(9, day=saturday)
    both = make.user("desk", atlanta, marietta)
    book(10, day=saturday, place=marietta, by=both)
    before = list(Appointment.objects.order_by("pk").values())

    with pytest.raises(RuleBroken) as refused:
        change(atlanta, by=owner)

    assert (refused.value.code, refused.value.fields) == (
        "in_the_way", {f"{here.pk}": "Robin Sample, DC already has a visit then."},
    )  # fmt: skip
    assert list(Appointment.objects.order_by("pk").values()) == before
    atlanta.refresh_from_db()
    assert atlanta.time_zone == EAST
    assert stands.history.count() == 1
    assert [shift.fault for shift in zone_change.plan(atlanta, CENTRAL)] == [
        "",
        "Robin Sample, DC already has a visit then.",
    ]


def test_a_patient_with_a_visit_elsewhere_then_refuses_it(book, atlanta, marietta, owner):
    person = make.patient(atlanta)
    person.locations.add(marietta)
    both = make.user("desk", atlanta, marietta)
    book(9, person=person)
    book(10, place=marietta, person=person, practitioner=make.practitioner(marietta), by=both)

    with pytest.raises(RuleBroken) as refused:
        change(atlanta, by=owner)

    assert "already has a visit that overlaps this time" in next(iter(refused.value.fields.values()))


def test_a_time_that_the_new_clock_skips_refuses_it(chiro, adjustment, owner):
    place = make.location("desert", ARIZONA, opens=time(0), closes=time(23, 59))
    place.opening_hours.create(weekday=6, opens=time(0), closes=time(23, 59))
    person = make.practitioner(place, starts=time(1), ends=time(5), days=range(7))
    visit = booking.book(
        patient=make.patient(place), practitioner=person, location=place, type=adjustment,
        starts_at=at(2, 30, day=date(2027, 3, 14), zone=ARIZONA), by=make.user("desk", place),
    )  # fmt: skip

    with pytest.raises(RuleBroken) as refused:
        change(place, EAST, by=owner)

    assert refused.value.fields == {
        f"{visit.pk}": "02:30 does not exist on March 14: the clock is put forward in that hour."
    }


def test_hours_at_two_clinics_that_would_overlap_refuse_it(atlanta, marietta, owner):
    person = make.practitioner(atlanta, starts=time(8), ends=time(12))
    for day in range(5):
        person.weekly_hours.create(location=marietta, weekday=day, starts=time(12), ends=time(17))

    with pytest.raises(RuleBroken) as refused:
        change(atlanta, by=owner)

    assert refused.value.code == "overlapping_hours"
    assert "at Marietta" in refused.value.message
    atlanta.refresh_from_db()
    assert atlanta.time_zone == EAST


def test_a_visit_that_would_have_begun_refuses_it(nashville, adjustment, owner, clock):
    person = make.practitioner(nashville)
    booking.book(
        patient=make.patient(nashville), practitioner=person, location=nashville, type=adjustment,
        starts_at=at(9, zone=CENTRAL), by=make.user("desk", nashville),
    )  # fmt: skip
    clock.move_to(at(8, 30, zone=CENTRAL))

    with pytest.raises(RuleBroken) as refused:
        change(nashville, EAST, by=owner)

    assert [*refused.value.fields.values()] == ["By the new clock it would have begun already."]


def test_times_that_are_held_for_somebody_refuse_it(atlanta, chiro, adjustment, owner):
    holds.place(practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9), until=NOW + timedelta(hours=2))

    with pytest.raises(RuleBroken) as refused:
        change(atlanta, by=owner)

    assert refused.value.code == "time_held"


def test_a_hold_that_ran_out_is_in_nobodys_way(book, atlanta, chiro, adjustment, owner, clock):
    book()
    holds.place(practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10), until=NOW + timedelta(hours=2))
    clock.shift(timedelta(hours=3))

    change(atlanta, by=owner)

    assert walls() == ["Jan 04 09:00 CST"]  # the instant that was held


@pytest.mark.parametrize("zone", [EAST, "EST", "Mars/Base", "", "../x"])
def test_what_is_no_other_zone_is_refused(atlanta, owner, zone):
    with pytest.raises(RuleBroken) as refused:
        change(atlanta, zone, by=owner)

    assert (refused.value.status, [*refused.value.fields]) == (400, ["time_zone"])


def test_a_booking_by_the_old_clock_is_refused_under_the_new_one(atlanta, chiro, adjustment, owner, desk):
    """Somebody read the clinic before the zone changed: what they want is looked at again."""
    change(atlanta, by=owner)

    with pytest.raises(RuleBroken) as refused:  # `atlanta` is as it was read before
        booking.book(
            patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9),
            by=desk,
        )  # fmt: skip

    assert refused.value.code == "location_changed"


def test_what_is_free_afterwards_is_by_the_new_clock(atlanta, chiro, adjustment, owner):
    change(atlanta, by=owner)
    atlanta.refresh_from_db()

    found = availability.find(type=adjustment, locations=[atlanta], from_day=MONDAY, to_day=MONDAY, limit=1)

    assert [f"{slot.local_start:%H:%M %Z}" for slot in found.slots] == ["09:00 CST"]


def test_the_page_shows_what_would_change_and_then_changes_it(sign_in, owner, book, atlanta):
    book(9)
    client = sign_in(owner)

    shown = client.get("/setup/clinics/atlanta/zone/", {"time_zone": CENTRAL}).content.decode()
    unsaid = client.post("/setup/clinics/atlanta/zone/", {"time_zone": CENTRAL})
    before = walls()
    answer = client.post("/setup/clinics/atlanta/zone/", {"time_zone": CENTRAL, "reason": "Moved"}, follow=True)

    assert "then 9:00 AM CST" in shown
    assert (unsaid.status_code, before) == (400, ["Jan 04 09:00 EST"])
    assert "Say why the clock changes" in unsaid.content.decode()
    assert walls() == ["Jan 04 09:00 CST"]
    assert "1 visit ahead keep" in answer.content.decode()


def test_the_page_names_what_is_in_the_way_and_offers_no_button(sign_in, owner, book, atlanta, marietta):
    person = make.patient(atlanta)
    person.locations.add(marietta)
    book(9, person=person)
    both = make.user("desk", atlanta, marietta)
    book(10, place=marietta, person=person, practitioner=make.practitioner(marietta), by=both)
    client = sign_in(owner)

    shown = client.get("/setup/clinics/atlanta/zone/", {"time_zone": CENTRAL}).content.decode()
    answer = client.post("/setup/clinics/atlanta/zone/", {"time_zone": CENTRAL, "reason": "Moved"})

    assert "already has a visit that overlaps this time" in shown
    assert "Change the time zone</button>" not in shown
    assert answer.status_code == 409
    assert walls() == ["Jan 04 09:00 EST", "Jan 04 10:00 EST"]


def test_another_clinics_zone_is_out_of_sight(sign_in, atlanta, marietta):
    stranger = make.user("manager", marietta)

    assert sign_in(stranger).get("/setup/clinics/atlanta/zone/").status_code == 404
    with pytest.raises(Exception):  # noqa: B017, PT011 -- 404 as for a page
        places.set_zone(atlanta, CENTRAL, by=stranger)


def test_it_waits_for_hours_that_are_just_written_for_those_without_a_visit_there(atlanta, owner, monkeypatch):
    """Who gets hours at another clinic holds their own calendar; SQLite writes one by one as it is."""
    person = make.practitioner(atlanta)
    held = []
    hold = locks.hold
    monkeypatch.setattr(locks, "hold", lambda *wanted, **how: (held.extend(wanted), hold(*wanted, **how)))

    change(atlanta, by=owner)

    assert person.pk in {one.pk for kind, many in held if kind == locks.PRACTITIONER for one in many}
