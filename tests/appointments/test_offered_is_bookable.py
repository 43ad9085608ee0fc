"""What the engine offers is what an oracle finds minute by minute, and what the verb of booking takes."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
import time_machine
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments import availability, booking
from appointments.models import Appointment, AppointmentType, ExtraHours, TimeOff, WeeklyHours
from clinic.errors import RuleBroken
from locations.models import Closure, Location, OpeningHours, Room
from tests import make
from tests.appointments.oracle import Oracle, is_on

ZONES = ("America/New_York", "America/Chicago")
DAYS = (
    date(2027, 3, 13), date(2027, 3, 14), date(2027, 11, 6), date(2027, 11, 7),  # both clock changes
    date(2028, 2, 28), date(2028, 2, 29), date(2027, 12, 31), date(2027, 1, 6),
)  # fmt: skip
A_DAY = timedelta(days=1)

clock = st.integers(0, 24 * 12 - 1).map(lambda n: time(n // 12, n % 12 * 5))
early = st.integers(0, 4 * 12).map(lambda n: time(n // 12, n % 12 * 5))
near = st.integers(-2, 3)


@st.composite
def spans(draw):
    """From and until on the wall clock, long enough to hold something; some last past midnight."""
    starts, minutes = draw(st.one_of(clock, early)), 30 + draw(st.integers(0, 120)) * 5
    ends = starts.hour * 60 + starts.minute + minutes
    is_long = ends >= 24 * 60
    ends %= 24 * 60
    ends = time(ends // 60, ends % 60)
    return starts, min(ends, starts) if is_long else ends, is_long


weekly = st.tuples(spans(), st.integers(0, 1), st.integers(0, 1), near, st.integers(1, 3), st.none() | near, near)
worlds = st.fixed_dictionaries(
    {
        "day": st.sampled_from(DAYS),
        "length": st.integers(0, 1),
        "zones": st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES)),
        "type": st.fixed_dictionaries(
            {
                "minutes": st.sampled_from((15, 20, 45, 60)),
                "buffer_before": st.sampled_from((0, 0, 5, 20)),
                "buffer_after": st.sampled_from((0, 0, 10)),
                "step_minutes": st.sampled_from((5, 10, 15, 30, 45, 60)),
                "notice_minutes": st.sampled_from((0, 0, 90, 24 * 60)),
                "horizon_days": st.sampled_from((1, 2, 90)),
            }
        ),
        "ahead": st.integers(-600, 3000),  # minutes from now to the midnight before the day
        "weekly": st.lists(weekly, min_size=1, max_size=5),
        "opening": st.lists(st.tuples(spans(), st.integers(0, 1), near), max_size=3),
        "extra": st.lists(st.tuples(spans(), st.integers(0, 1), st.integers(0, 1), near), max_size=2),
        "off": st.lists(st.tuples(st.integers(0, 1), st.integers(-600, 3000), st.integers(5, 400)), max_size=2),
        "closures": st.lists(st.tuples(st.sampled_from((None, 0, 1)), near), max_size=1),
        "visits": st.lists(
            st.tuples(
                st.integers(0, 1), st.integers(0, 1), st.integers(96, 200), st.sampled_from((10, 30, 50)),
                st.sampled_from((0, 15)), st.sampled_from(("booked", "cancelled", "held", "expired", "mine")),
            ),
            min_size=1, max_size=6,
        ),
        "travel": st.sampled_from((None, 0, 35, 90)),
        "rooms": st.integers(1, 2),
        "order": st.randoms(use_true_random=False),
    }
)  # fmt: skip


class Stage:
    """Two clinics, two practitioners and two patients; the rest of a world is put on it, and taken off again."""

    def __init__(self):
        self.places = [make.location("atlanta", rooms=0), make.location("marietta", rooms=0)]
        OpeningHours.objects.all().delete()
        self.people = [make.practitioner(*self.places, days=[]) for _ in range(2)]
        self.patient, self.other = make.patient(self.places[0]), make.patient(self.places[0])
        self.desk = make.user("desk", *self.places)
        self.type = make.appointment_type("checkup", 30)

    def put(self, world):
        day = world["day"]
        for place, zone in zip(self.places, world["zones"], strict=True):
            Location.objects.filter(pk=place.pk).update(time_zone=zone)
            place.time_zone = zone
            for n in range(world["rooms"]):
                Room.objects.create(location=place, kind="adjusting", name=f"Room {n}")
        length = world["type"]["minutes"]
        AppointmentType.objects.filter(pk=self.type.pk).update(
            least_minutes=length, most_minutes=length, **world["type"]
        )
        self.type = AppointmentType.objects.get(pk=self.type.pk)
        self._hours(world, day)
        if world["travel"] is not None:
            make.travel(*self.places, world["travel"])
        now = make.at(0, day=day) - timedelta(minutes=world["ahead"])
        for visit in world["visits"]:
            self._visit(*visit, day, now)
        return now.astimezone(UTC)

    def _hours(self, world, day):
        for (starts, ends, is_long), who, where, on, weeks, begins, lasts in world["weekly"]:
            valid_from = day + timedelta(days=7 * begins + lasts) if begins is not None else None
            WeeklyHours.objects.create(
                practitioner=self.people[who], location=self.places[where], starts=starts, ends=ends,
                ends_next_day=is_long, weekday=(day + A_DAY * on).weekday(),
                every_weeks=weeks if valid_from else 1, valid_from=valid_from,
                valid_until=max(day + A_DAY * lasts, valid_from or day) if lasts > 1 else None,
            )  # fmt: skip
        for person in self.people:  # everybody works that day, at both places, so that visits are in the way
            for place in self.places:
                WeeklyHours.objects.create(
                    practitioner=person, location=place, weekday=day.weekday(), starts=time(9), ends=time(15)
                )
        for place in self.places:  # open most of the time, so that there is something to find
            for weekday in range(7):
                OpeningHours.objects.create(location=place, weekday=weekday, opens=time(6), closes=time(22))
        for (starts, ends, is_long), where, on in world["opening"]:
            mine = OpeningHours.objects.filter(location=self.places[where], weekday=(day + A_DAY * on).weekday())
            mine.delete()
            OpeningHours.objects.create(
                location=self.places[where], weekday=(day + A_DAY * on).weekday(), opens=starts, closes=ends,
                ends_next_day=is_long,
            )  # fmt: skip
        for (starts, ends, is_long), who, where, on in world["extra"]:
            ExtraHours.objects.create(
                practitioner=self.people[who], location=self.places[where], day=day + A_DAY * on, starts=starts,
                ends=ends, ends_next_day=is_long,
            )  # fmt: skip
        for who, after, minutes in world["off"]:
            begins = make.at(0, day=day) + timedelta(minutes=after)
            TimeOff.objects.create(
                practitioner=self.people[who], starts_at=begins, ends_at=begins + timedelta(minutes=minutes)
            )
        for where, on in world["closures"]:
            place = None if where is None else self.places[where]
            Closure.objects.create(location=place, starts_on=day + A_DAY * on, ends_on=day + A_DAY * on, reason="X")

    def _visit(self, who, where, quarter, minutes, buffer, status, day, now):
        """A row, if the database takes it: what it refuses is another one's time."""
        starts_at = make.at(0, day=day).astimezone(UTC) + timedelta(minutes=5 * quarter)
        minute = int(starts_at.timestamp()) // 60
        held = status in {"held", "expired"}
        room = Room.objects.filter(location=self.places[where]).order_by("pk").first()
        try:
            with transaction.atomic():
                Appointment.objects.create(
                    patient=None if held else self.patient if status == "mine" else self.other,
                    practitioner=self.people[who], location=self.places[where], room=room, type=self.type,
                    status="held" if held else "cancelled" if status == "cancelled" else "booked",
                    held_until=(now + timedelta(minutes=30 if status == "held" else -1)) if held else None,
                    starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes), start_minute=minute,
                    end_minute=minute + minutes, busy_from=minute - buffer, busy_until=minute + minutes + buffer,
                )  # fmt: skip
        except IntegrityError:
            return


def find(stage, world, order):
    places, people = list(stage.places), list(stage.people)
    order.shuffle(places)
    order.shuffle(people)
    return [
        (slot.practitioner.pk, slot.location.pk, slot.starts_at)
        for slot in availability.find(
            type=stage.type, locations=places, practitioners=people, patient=stage.patient, limit=100_000,
            from_day=world["day"], to_day=world["day"] + A_DAY * world["length"],
        ).slots
    ]  # fmt: skip


def is_taken_by_the_verb(stage, who, where, starts_at) -> bool:
    """Whether booking does it, tried and undone."""
    person = next(one for one in stage.people if one.pk == who)
    place = next(one for one in stage.places if one.pk == where)
    try:
        with transaction.atomic():
            made = booking.book(
                patient=stage.patient, practitioner=person, location=place, type=stage.type, starts_at=starts_at,
                by=stage.desk,
            )  # fmt: skip
            assert made.pk
            transaction.set_rollback(True)
    except RuleBroken:
        return False
    return True


@pytest.fixture
def stage(db):
    return Stage()


seen = {"offered": 0, "refused": 0, "moved": 0, "stayed": 0}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(world=worlds)
def check(stage, world):
    with transaction.atomic():
        now = stage.put(world)
        with time_machine.travel(now, tick=False):
            offered = find(stage, world, world["order"])
            assert offered == find(stage, world, Random(7))
            oracle = Oracle(stage.type, world["day"], world["day"] + A_DAY * world["length"], now)
            possible = {
                (person.pk, place.pk, instant)
                for person in stage.people
                for place in stage.places
                for instant in oracle.starts(person, place, stage.patient)
            }
            assert set(offered) == possible
            assert [at for *_, at in offered] == sorted(at for *_, at in offered)
            _try(stage, world, offered, oracle)
            _try_to_move(stage, world, offered)
        transaction.set_rollback(True)


def _try(stage, world, offered, oracle):
    """Some of what is offered is taken by the verb, and some of the grid that is not is refused by it."""
    chance = Random(len(offered))
    grid = [
        (person.pk, place.pk, instant)
        for person in stage.people
        for place in stage.places
        for instant, wall in oracle.clock(place).items()
        if wall.date() == world["day"] and (wall.hour * 60 + wall.minute) % stage.type.step_minutes == 0
    ]
    others = sorted(set(grid) - set(offered))
    for one in chance.sample(offered, min(6, len(offered))):
        assert is_taken_by_the_verb(stage, *one), one
        seen["offered"] += 1
    for one in chance.sample(others, min(4, len(others))):
        assert not is_taken_by_the_verb(stage, *one), one
        seen["refused"] += 1


def _try_to_move(stage, world, offered):
    """A visit that is longer or shorter than its type now allows is offered what the verb of moving takes."""
    if not offered:
        return
    chance = Random(len(offered))
    who, where, starts_at = chance.choice(offered)
    visit = booking.book(
        patient=stage.patient, practitioner=next(p for p in stage.people if p.pk == who), type=stage.type,
        location=next(p for p in stage.places if p.pk == where), starts_at=starts_at, by=stage.desk,
    )  # fmt: skip
    now_takes = chance.choice((5, 30, 90))
    AppointmentType.objects.filter(pk=stage.type.pk).update(
        minutes=now_takes, least_minutes=now_takes, most_minutes=now_takes
    )
    visit = Appointment.objects.with_names().get(pk=visit.pk)
    slots = availability.find(
        type=visit.type, locations=stage.places, patient=stage.patient, limit=100_000, from_day=world["day"],
        to_day=world["day"] + A_DAY * world["length"], without=[visit], length=visit.lasts,
    ).slots  # fmt: skip
    assert all(slot.ends_at - slot.starts_at == timedelta(minutes=visit.lasts) for slot in slots)
    assert starts_at in {slot.starts_at for slot in slots}
    free = {(slot.practitioner.pk, slot.location.pk, slot.starts_at) for slot in slots}
    beside = [(person.pk, place, at) for person in stage.people for _, place, at in offered]  # on the grid of the place
    for person, place, at in chance.sample(sorted(free), min(4, len(free))) + beside[:4]:
        assert _is_moved(stage, visit, person, place, at) == ((person, place, at) in free), (person, place, at)
        seen["moved" if (person, place, at) in free else "stayed"] += 1


def _is_moved(stage, visit, who, where, starts_at) -> bool:
    try:
        with transaction.atomic():
            booking.reschedule(
                visit, starts_at=starts_at, by=stage.desk,
                practitioner=next(p for p in stage.people if p.pk == who),
                location=next(p for p in stage.places if p.pk == where),
            )  # fmt: skip
            transaction.set_rollback(True)
    except RuleBroken:
        return False
    return True


def test_offered_is_what_the_oracle_finds_and_what_can_be_booked(stage):
    check(stage)

    assert seen["offered"] > 20
    assert seen["refused"] > 40
    assert seen["moved"] > 20


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2027, 1, 6), True), (date(2027, 1, 13), False), (date(2027, 1, 20), True), (date(2026, 12, 30), False)],
)
def test_the_oracle_counts_weeks_by_hand(day, expected):
    hours = WeeklyHours(weekday=2, every_weeks=2, valid_from=date(2027, 1, 5))

    assert is_on(hours, day) is expected


@pytest.mark.parametrize(
    ("day", "minutes"), [(date(2027, 3, 14), 60), (date(2027, 11, 7), 180), (date(2027, 1, 6), 120)]
)
def test_the_oracle_reads_the_clock_by_hand(stage, day, minutes):
    """From one to three at night it is one hour, three, or two."""
    place, person = stage.places[0], stage.people[0]
    OpeningHours.objects.create(location=place, weekday=day.weekday(), opens=time(0), closes=time(23))
    WeeklyHours.objects.create(practitioner=person, location=place, weekday=day.weekday(), starts=time(1), ends=time(3))

    assert len(Oracle(stage.type, day, day, datetime(2027, 1, 1, tzinfo=UTC)).at_work(person, place)) == minutes
