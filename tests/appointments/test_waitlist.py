from datetime import date, time, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404

from appointments import booking, visit_status
from appointments.models import WaitlistEntry
from appointments.waiting import offers, waitlist
from appointments.waiting.waitlist import Asked
from appointments.wishes import PARTS, Wishes
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from tests import make
from tests.make import MONDAY, at

NOW = at(9, day=MONDAY - timedelta(days=4))  # a Thursday
TODAY = MONDAY - timedelta(days=4)
MORNINGS = (PARTS["mornings"],)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def book(atlanta, chiro, adjustment, desk):
    def act(patient, starts_at=None, **changes):
        usual = {"practitioner": chiro, "location": atlanta, "type": adjustment, "by": desk}
        return booking.book(patient=patient, starts_at=starts_at or at(10), **usual | changes)

    return act


def test_a_patient_joins_the_list(waits, patient, atlanta, chiro, desk):
    entry = waits(patient=patient, practitioners=[chiro], wishes=Wishes((0,), MORNINGS), urgency=2, note="Rings at 5")

    assert (entry.is_waiting, entry.from_day, entry.until_day, entry.added_at) == (True, TODAY, None, NOW)
    assert (list(entry.locations.all()), list(entry.practitioners.all())) == ([atlanta], [chiro])
    assert entry.as_wishes == Wishes((0,), MORNINGS)
    assert list(AuditEntry.objects.values_list("action", "patient_id", "by")) == [
        ("waitlist.added", patient.pk, desk.pk)
    ]


def test_the_clinics_asked_for_get_to_know_the_patient(waits, patient, marietta, atlanta):
    both = make.user("desk", atlanta, marietta)

    waitlist.add(patient, Asked(make.appointment_type("checkup"), [marietta]), by=both)

    assert set(patient.locations.all()) == {atlanta, marietta}


def test_one_waits_for_a_type_once(waits, patient, adjustment):
    first = waits(patient=patient)

    with pytest.raises(RuleBroken) as refused:
        waits(patient=patient)
    assert refused.value.code == "already_waiting"

    waits(patient=patient, type=make.appointment_type("checkup"))
    offers.take_off(first, by=None, by_whom="patient")
    assert waits(patient=patient).is_waiting


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"until_day": TODAY - timedelta(days=1)}, "until_day"),
        ({"from_day": MONDAY, "until_day": MONDAY - timedelta(days=1)}, "until_day"),
        ({"until_day": date(9999, 12, 31)}, "until_day"),
        ({"from_day": date(9999, 12, 31)}, "from_day"),
        ({"wishes": Wishes((8,))}, "weekdays"),
        ({"wishes": Wishes((), ((time(9), time(9, 10)),))}, "windows"),
        ({"urgency": 7}, "urgency"),
        ({"note": "x" * 301}, "note"),
        ({"note": "\u202eevil"}, "note"),
    ],
)
def test_what_cannot_be_waited_for_is_refused(waits, asked, field):
    with pytest.raises(RuleBroken) as refused:
        waits(**asked)

    assert (refused.value.status, refused.value.code, list(refused.value.fields)) == (400, "invalid", [field])
    assert not WaitlistEntry.objects.exists()


def test_a_day_that_has_passed_means_from_today(waits):
    assert waits(from_day=date(1, 1, 1)).from_day == TODAY


def test_windows_that_touch_hold_a_longer_visit(waits, evaluation_type):
    halves = ((time(9), time(9, 30)), (time(9, 30), time(10)))

    assert waits(type=evaluation_type, wishes=Wishes((), halves)).is_waiting


def test_who_does_not_work_there_is_not_waited_for(waits, marietta, chiro):
    with pytest.raises(RuleBroken, match="does not work there"):
        waits(practitioners=[make.practitioner(marietta)])


def test_only_patients_and_clinics_in_sight(waits, patient, marietta, adjustment):
    stranger = make.user("desk", marietta)

    with pytest.raises(Http404):
        waitlist.add(patient, Asked(adjustment), by=stranger)
    with pytest.raises(Http404):
        waits(patient=patient, locations=[marietta])
    with pytest.raises(PermissionDenied):
        waitlist.add(patient, Asked(adjustment, [marietta]), by=make.user("owner"))
    assert not WaitlistEntry.objects.exists()


def test_sooner_than_a_visit_there_is(waits, patient, book, adjustment, evaluation_type):
    visit = book(patient, at(10, day=MONDAY + timedelta(days=7)))

    entry = waits(patient=patient, sooner_than=visit)

    assert waitlist.days(entry) == (TODAY, MONDAY + timedelta(days=6))
    assert waitlist.reasons(entry).endswith("sooner than January 11")
    with pytest.raises(RuleBroken, match="already waits"):
        waits(patient=patient, sooner_than=visit)
    assert waits(patient=patient).is_waiting  # for another visit beside it
    with pytest.raises(RuleBroken, match="its type stays"):
        waits(patient=patient, sooner_than=visit, type=evaluation_type)
    with pytest.raises(Http404):
        waits("Other", sooner_than=visit)


def test_a_visit_given_up_needs_no_earlier_day(waits, patient, book, desk):
    visit = book(patient)
    visit_status.cancel(visit, by=desk)

    with pytest.raises(RuleBroken) as refused:
        waits(patient=patient, sooner_than=visit)
    assert refused.value.code == "wrong_status"


def test_a_change_keeps_the_place_in_the_order(waits, clock, adjustment, desk, marietta, atlanta):
    entry = waits()
    clock.shift(timedelta(days=3))

    changed = waitlist.change(entry, Asked(adjustment, [atlanta], wishes=Wishes((4,)), urgency=1), by=desk)

    assert (changed.added_at, changed.urgency, changed.as_wishes) == (NOW, 1, Wishes((4,)))
    assert AuditEntry.objects.filter(action="waitlist.changed").count() == 1
    with pytest.raises(Http404):
        waitlist.change(entry, Asked(adjustment, [atlanta, marietta]), by=desk)


def test_a_clinic_named_before_may_stay(waits, patient, atlanta, marietta, desk, adjustment):
    entry = waitlist.add(patient, Asked(adjustment, [marietta]), by=make.user("desk", atlanta, marietta))

    assert list(waitlist.change(entry, Asked(adjustment, [marietta]), by=desk).locations.all()) == [marietta]


def test_a_closed_entry_is_not_changed(waits, adjustment, desk):
    entry = waits()
    offers.take_off(entry, by=desk, reason="Found another clinic")

    with pytest.raises(RuleBroken) as refused:
        waitlist.change(entry, Asked(adjustment), by=desk)
    assert refused.value.code == "not_waiting"
    with pytest.raises(RuleBroken):
        offers.take_off(entry, by=desk)
    entry.refresh_from_db()
    assert (entry.outcome, entry.closed_reason, entry.closed_at) == ("withdrawn", "Found another clinic", NOW)


def test_the_order_is_urgency_then_waiting(waits, clock):
    for name, urgency in (("Ann", 0), ("Ben", 1), ("Cleo", 2), ("Dan", 1), ("Eve", 2)):
        waits(name, urgency=urgency)
        clock.shift(timedelta(hours=1))

    assert [e.patient.given_name for e in WaitlistEntry.objects.ranked()] == ["Cleo", "Eve", "Ben", "Dan", "Ann"]


def test_reasons_say_why(waits, clock, chiro, marietta, atlanta, adjustment):
    urgent = waits(wishes=Wishes((0, 2), MORNINGS), urgency=2, practitioners=[chiro])
    plain = waits("Other", locations=[])
    clock.shift(timedelta(days=12))

    assert waitlist.reasons(urgent) == (
        "urgent, waiting 12 days, asked for Atlanta, Robin Sample, DC, Mondays and Wednesdays, mornings"
    )
    assert waitlist.reasons(plain) == "waiting 12 days, asked for any clinic of theirs"


def test_an_entry_is_seen_where_its_patient_is_known(waits, marietta, desk, owner):
    entry = waits()
    stranger, auditor = make.user("desk", marietta), make.user("auditor")

    seen = [list(WaitlistEntry.objects.visible_to(user)) for user in (desk, owner, stranger, auditor)]

    assert seen == [[entry], [entry], [], []]


def test_wanting_a_location_by_name_or_by_being_known_there(waits, atlanta, marietta):
    both = make.user("desk", atlanta, marietta)
    named = waits("Named")
    anywhere = waits("Anywhere", locations=[])
    elsewhere = waitlist.add(make.patient(atlanta), Asked(named.type, [marietta]), by=both)

    assert set(WaitlistEntry.objects.wanting([atlanta])) == {named, anywhere}
    assert set(WaitlistEntry.objects.wanting([marietta])) == {elsewhere}
    assert set(WaitlistEntry.objects.wanting([atlanta, marietta])) == {named, anywhere, elsewhere}


def test_a_visit_booked_by_another_way_ends_the_waiting(waits, patient, book):
    wishes = Wishes((0,), MORNINGS)
    entry = waits(patient=patient, wishes=wishes)
    book(patient, at(14))  # not what they asked for

    offers.settle()
    entry.refresh_from_db()
    assert entry.is_waiting

    visit = book(patient, at(10))
    offers.settle()
    entry.refresh_from_db()
    assert (entry.outcome, entry.visit) == ("booked", visit)


def test_what_they_had_before_does_not_end_the_waiting(waits, patient, book, clock):
    book(patient)
    clock.shift(timedelta(minutes=1))
    entry = waits(patient=patient)

    offers.settle()

    entry.refresh_from_db()
    assert entry.is_waiting


def test_the_last_day_ends_the_waiting(waits, clock):
    entry = waits(until_day=MONDAY)
    clock.move_to(at(23, day=MONDAY))
    offers.settle()
    entry.refresh_from_db()
    assert entry.is_waiting

    clock.move_to(at(0, 1, day=MONDAY + timedelta(days=1)))
    offers.settle()
    entry.refresh_from_db()
    assert (entry.outcome, entry.closed_reason) == ("ended", "The last day they could come has passed.")


@pytest.mark.parametrize("how", ["cancelled", "came"])
def test_without_the_visit_there_is_nothing_sooner(waits, patient, book, clock, desk, how):
    visit = book(patient)
    entry = waits(patient=patient, sooner_than=visit)
    if how == "cancelled":
        visit_status.cancel(visit, by=desk)
    else:
        clock.move_to(at(10))

    offers.settle()

    entry.refresh_from_db()
    assert entry.outcome == "ended"


def test_the_database_keeps_entries_whole(waits, patient, book):
    entry, visit = waits(), book(patient)
    row = WaitlistEntry.objects.filter(pk=entry.pk)

    for wrong in (
        {"outcome": "booked"},
        {"outcome": "withdrawn"},
        {"closed_at": NOW},
        {"outcome": "ended", "closed_at": NOW, "visit": visit},
        {"until_day": entry.from_day - timedelta(days=1)},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            row.update(**wrong)
