"""Several desks at once book, move, cancel, plan and accept: afterwards the calendars, the history and the answers that
the desks got tell one story."""

import collections
from datetime import datetime, timedelta
from itertools import groupby, pairwise

import pytest
from django.db import transaction

from appointments.availability import Slot
from appointments.models import Appointment, AppointmentEvent, Offer, Series, WaitlistEntry
from appointments.waiting import offers, waitlist
from clinic import times
from tests import make
from tests.appointments.processes import together
from tests.appointments.test_races import overlapping, without_constraints  # noqa: F401
from tests.make import MONDAY, at

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
RIVALS = "tests.appointments.desk_rivals"
WAY = 20
STEPS = {"book": "booked", "move": "rescheduled", "cancel": "cancelled"}


@pytest.fixture
def arena(transactional_db):
    """Two clinics with a way between them, three chiropractors who work at both, few rooms, few patients, and times
    that are offered to three each."""
    places = [make.location("atlanta"), make.location("marietta")]
    make.travel(*places, WAY)
    people = [make.practitioner(*places) for _ in range(3)]
    kind = make.appointment_type(minutes=15)
    desk = make.user("desk", *places, email="rival@example.org")
    for _ in range(5):
        make.patient(places[0], given="Busy").locations.add(places[1])
    for n in range(6):
        entries = [
            waitlist.add(make.patient(places[0], given=f"Waits{n}"), waitlist.Asked(kind), by=desk) for _ in range(3)
        ]
        starts_at = at(9, 30 * (n // 3), day=MONDAY + timedelta(days=n % 3))
        slot = Slot(starts_at, starts_at + timedelta(minutes=15), places[0], people[n % 3])
        offers.make(entries, slot, minutes=600, by=desk)
    return places


def told(answers):
    """(step, appointment, start) of all that the desks were told was done, each once."""
    found = collections.Counter()
    for what, status, body in answers:
        if status not in {200, 201}:
            continue
        name, *offer = what.split()
        if name == "plan":
            placed = [one for one in body["visits"] if one["appointment"]]
            found.update(("booked", one["appointment"], _minute(one["starts_at"])) for one in placed)
        elif offer:
            found["booked", body["id"], _minute(body["starts_at"])] = 1  # accepted twice it is the same visit
        else:
            found[STEPS[name], body["id"], _minute(body["starts_at"])] += 1
    return found


def _minute(text):
    return times.to_minute(datetime.fromisoformat(text))


def written():
    rows = AppointmentEvent.objects.values_list("step", "appointment_id", "to_start")
    return collections.Counter((step, pk, times.to_minute(start)) for step, pk, start in rows)


def faults(answers):
    """Sentences about what does not fit together, found without the code under test."""
    if wrong := {status for _, status, _ in answers} - {200, 201, 409}:
        yield f"answers with {wrong}"
    standing = Appointment.with_holds.exclude(status__in=["cancelled", "no_show"])
    for resource, start, end in (
        ("practitioner_id", "busy_from", "busy_until"), ("room_id", "busy_from", "busy_until"),
        ("patient_id", "start_minute", "end_minute"),
    ):  # fmt: skip
        rows = [row for row in standing.values_list(resource, start, end) if row[0]]
        if met := overlapping(rows):
            yield f"{resource}: {met}"
    yield from _too_fast(standing)
    if lost := told(answers) - written():
        yield f"told, not written: {lost}"
    if doubled := written() - told(answers):
        yield f"written, not told: {doubled}"
    yield from _broken_histories()
    yield from _wrong_offers()


def _too_fast(standing):
    """Who is at one clinic and sooner than the way takes at the other."""
    rows = sorted(standing.values_list("practitioner_id", "busy_from", "busy_until", "location_id"))
    for person, visits in groupby(rows, key=lambda row: row[0]):
        visits = list(visits)
        for one, other in pairwise(visits):
            if one[3] != other[3] and other[1] - one[2] < WAY:
                yield f"practitioner {person} cannot get from {one} to {other}"


def _broken_histories():
    """Each step goes on where the one before it ended, and the last is how the visit stands."""
    for visit in Appointment.objects.prefetch_related("history"):
        status, start = "", None
        for event in visit.history.all():
            if (event.from_status, event.from_start) != (status, start) and event.step != "booked":
                yield f"visit {visit.pk}: {event.step} from {event.from_start}, was {start}"
            status, start = event.to_status, event.to_start
        if (status, start) != (visit.status, visit.starts_at):
            yield f"visit {visit.pk} is {visit.status} at {visit.starts_at}, its history ends {status} at {start}"
        if [event.step for event in visit.history.all()].count("booked") != 1:
            yield f"visit {visit.pk} was not booked once"


def _wrong_offers():
    by_time = collections.defaultdict(list)
    for offer in Offer.objects.select_related("entry"):
        by_time[offer.starts_at, offer.practitioner_id].append(offer)
    for made in by_time.values():
        answers = sorted(offer.answer for offer in made)
        if answers not in (["", "", ""], ["accepted", "taken", "taken"]):
            yield f"offers of one time are {answers}"
        for offer in made:
            if (offer.answer == "accepted") != (offer.entry.outcome == "booked") or offer.visit != offer.entry.visit:
                yield f"offer {offer.pk} is {offer.answer}, its entry {offer.entry.outcome}"


def desks(**options):
    return [answer for answers in together(RIVALS, **options) for answer in answers]


def test_what_several_desks_do_at_once_is_one_story(arena):
    answers = desks(rivals=4, arguments=["30"])

    done = collections.Counter(what.split()[0] for what, status, _ in answers if status in {200, 201})
    assert list(faults(answers)) == []
    assert min(done[name] for name in ("book", "move", "cancel", "plan", "accept")) > 0, done
    assert sum(status == 409 for _, status, _ in answers) > 10
    assert WaitlistEntry.objects.filter(outcome="booked").count() == Offer.objects.filter(answer="accepted").count()
    notice_that_something_is_wrong(answers)


def notice_that_something_is_wrong(answers):
    """The control: each kind of harm done to the rows is found."""
    visit = Appointment.objects.holding_time().order_by("pk").last()
    event = visit.history.order_by("pk").last()
    harms = {
        "told, not written": lambda: event.delete(),
        "written, not told": lambda: visit.history.create(
            step="booked", at=event.at, by_whom="x", to_status=visit.status, to_start=visit.starts_at
        ),
        "its history ends": lambda: Appointment.objects.filter(pk=visit.pk).update(status="completed"),
    }
    for said, harm in harms.items():
        with transaction.atomic():
            harm()
            assert any(said in fault for fault in faults(answers)), said
            transaction.set_rollback(True)
    untrue = ["cancel", 200, {"id": visit.pk, "starts_at": visit.starts_at.isoformat()}]
    assert any("told, not written" in fault for fault in faults([*answers, untrue]))


def test_of_several_who_plan_the_same_one_has_it_whole(arena):
    Offer.objects.all().delete()
    Appointment.with_holds.all().delete()

    answers = desks(rivals=4, arguments=["8", "--series"])

    assert collections.Counter(status for _, status, _ in answers) == {201: 8, 409: 24}
    assert Series.objects.count() == 8
    assert Appointment.objects.count() == 16
    assert set(Series.objects.values_list("pk", flat=True)) == {
        body["id"] for _, status, body in answers if status == 201
    }
    assert all(found.visits.filter(appointments__status="booked").count() == 2 for found in Series.objects.all())
    assert list(faults(answers)) == []


def test_control_without_the_guard_series_overlap(arena, without_constraints):  # noqa: F811
    desks(rivals=8, arguments=["60", "--series", "--unguarded"])

    rows = Appointment.objects.values_list("practitioner_id", "start_minute", "end_minute")
    assert overlapping(rows) != []
